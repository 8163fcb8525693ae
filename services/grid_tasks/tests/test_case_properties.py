"""Whatever anybody tries with a case, in any order: what must never happen does not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from contracts.grid_tasks import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseRated,
    CaseSentBack,
    CaseStarted,
    CaseVerified,
    EscalationCause,
)
from contracts.registry import DutyFacts
from events import Event, Refused
from events.event import encode
from grid_tasks.domain.case import CASE, Case, Step
from grid_tasks.domain.commands import (
    Accept,
    Assign,
    CaseCommand,
    Dispatch,
    Escalate,
    HandIn,
    Rate,
    SendBack,
    Start,
    Verify,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from .trade import GRID, LEADER, LI, LICENCES, NINE, NOISE, RECEIPT, TWO_HOURS, WANG, report

PEOPLE = st.sampled_from([LI, WANG, LEADER])
GRIDS = st.sampled_from([GRID, "G2"])

Attempt = Callable[[datetime], CaseCommand]
"""What somebody tries, once the time is known."""


def tries(command: Callable[..., CaseCommand], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Attempt]:
    return st.tuples(*arguments).map(lambda values: lambda at: command(*values, at))


def reports(duty: DutyFacts | None, grid: str, _: datetime) -> CaseCommand:
    return report(duty=duty, grid=grid)


ANYTHING = st.one_of(
    tries(reports, st.sampled_from([NOISE, LICENCES, None]), GRIDS),
    tries(Accept, st.just(TWO_HOURS)),
    tries(Dispatch, PEOPLE, GRIDS, st.just("近")),
    tries(Assign, PEOPLE, st.none() | PEOPLE, st.just("least")),
    tries(Start, PEOPLE),
    tries(HandIn, PEOPLE, st.just("已劝阻")),
    tries(Verify, PEOPLE),
    tries(SendBack, PEOPLE, st.just("没做完")),
    tries(Escalate, st.sampled_from(EscalationCause)),
    tries(Rate, st.integers(0, 6), st.sampled_from([RECEIPT, "guessed"])),
)


class LifeOfACase(RuleBasedStateMachine):
    """People and rules do with one case what they please; time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.case = Case()
        self.log: list[Event] = []
        self.now: datetime = NINE

    def attempt(self, command: CaseCommand) -> None:
        try:
            events = CASE.decide(self.case, command)
        except Refused:
            return
        self.log.extend(events)
        self.case = CASE.fold(events, self.case)

    @rule(minutes=st.integers(0, TWO_HOURS + 1))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(command=ANYTHING)
    def somebody_tries_something(self, command: Attempt) -> None:
        self.attempt(command(self.now))

    @rule(well_done=st.booleans())
    def it_takes_its_course(self, well_done: bool) -> None:
        worker = self.case.worker or ""
        another = next(iter({LI, WANG, LEADER} - self.case.handled_by), "officer")
        match self.case.step:
            case None:
                self.attempt(report())
            case Step.REPORTED:
                self.attempt(Accept(TWO_HOURS, self.now))
            case Step.ACCEPTED:
                self.attempt(Assign(LI, None, "least", self.now))
            case Step.DISPATCHED:
                self.attempt(Start(worker, self.now))
            case Step.STARTED:
                self.attempt(HandIn(worker, "已劝阻", self.now))
            case Step.CLOSED:
                self.attempt(Rate(5, RECEIPT, self.now))
            case _:
                self.attempt(Verify(another, self.now) if well_done else SendBack(another, "没做完", self.now))

    @invariant()
    def one_worker_has_it_at_a_time(self) -> None:
        holder = None
        for event in self.log:
            match event:
                case CaseDispatched(worker=worker):
                    assert worker != holder, "dispatched again to who has it"
                    holder = worker
                case CaseStarted(worker=worker) | CaseHandedIn(worker=worker) | CaseClosed(worker=worker):
                    assert worker == holder
                case _:
                    pass
        assert self.case.worker == holder

    @invariant()
    def it_is_closed_only_when_verified_by_who_never_handed_it_in(self) -> None:
        for before, event in zip(self.log, self.log[1:], strict=False):
            if isinstance(event, CaseClosed):
                assert isinstance(before, CaseVerified)
                handled = {e.worker for e in self.log if isinstance(e, CaseHandedIn)}
                assert before.verifier not in handled

    @invariant()
    def closed_stays_closed_and_is_rated_at_most_once(self) -> None:
        ends = [n for n, event in enumerate(self.log) if isinstance(event, CaseClosed)]
        assert len(ends) <= 1
        if ends:
            after = self.log[ends[0] + 1 :]
            assert [type(event) for event in after] in ([], [CaseRated])
            assert self.case.step is Step.CLOSED

    @invariant()
    def no_deadline_is_escalated_twice_or_too_early(self) -> None:
        since: list[CaseEscalated] = []
        for event in self.log:
            match event:
                case CaseDispatched() | CaseSentBack():
                    since = []
                case CaseEscalated():
                    assert not since
                    assert event.cause is EscalationCause.NOBODY_IN_POST or event.at >= event.due
                    since.append(event)
                case _:
                    pass

    @invariant()
    def on_time_is_what_the_first_hand_in_says(self) -> None:
        first = next((event for event in self.log if isinstance(event, CaseHandedIn)), None)
        for event in self.log:
            if isinstance(event, CaseClosed):
                assert first is not None
                assert event.on_time == first.on_time
                assert event.first_attempt == (sum(isinstance(e, CaseHandedIn) for e in self.log) == 1)

    @invariant()
    def its_events_alone_bring_it_back_also_from_json(self) -> None:
        read = [type(event).model_validate_json(encode(event)) for event in self.log]
        assert CASE.fold(read) == self.case


LifeOfACase.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestLifeOfACase = LifeOfACase.TestCase
