"""Whatever anybody tries with a case, in any order: what must never happen does not."""

from datetime import datetime, timedelta

from contracts.grid_tasks import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseRated,
    CaseStarted,
    CaseVerified,
    EscalationCause,
)
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
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from .trade import GRID, LEADER, LI, LICENCES, NINE, NOISE, RECEIPT, TWO_HOURS, WANG, report

PEOPLE = st.sampled_from([LI, WANG, LEADER])
HOLDERS = st.sampled_from([None, LI, WANG, LEADER])


class LifeOfACase(RuleBasedStateMachine):
    """People and rules act on one case as they please; time passes."""

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

    @rule(duty=st.sampled_from([NOISE, LICENCES, None]), grid=st.sampled_from([GRID, None]))
    def somebody_reports(self, duty: object, grid: str | None) -> None:
        self.attempt(report(duty=duty, grid=grid))  # type: ignore[arg-type]

    @rule()
    def somebody_reports_properly(self) -> None:
        self.attempt(report())

    @rule()
    def it_is_accepted(self) -> None:
        self.attempt(Accept(TWO_HOURS, self.now))

    @rule(worker=PEOPLE, grid=st.sampled_from([GRID, GRID, "G2"]))
    def a_leader_dispatches(self, worker: str, grid: str) -> None:
        self.attempt(Dispatch(worker, grid, "近", self.now))

    @rule(worker=PEOPLE, instead_of=HOLDERS)
    def a_rule_assigns(self, worker: str, instead_of: str | None) -> None:
        self.attempt(Assign(worker, instead_of, "least", self.now))

    @rule(worker=PEOPLE)
    def somebody_starts(self, worker: str) -> None:
        self.attempt(Start(worker, self.now))

    @rule(worker=PEOPLE)
    def somebody_hands_in(self, worker: str) -> None:
        self.attempt(HandIn(worker, "已劝阻", self.now))

    @precondition(lambda self: self.case.step in (Step.DISPATCHED, Step.STARTED))
    @rule()
    def who_has_it_goes_on(self) -> None:
        worker = self.case.worker or ""
        self.attempt(
            Start(worker, self.now) if self.case.step is Step.DISPATCHED else HandIn(worker, "已劝阻", self.now)
        )

    @rule(verifier=PEOPLE)
    def somebody_verifies(self, verifier: str) -> None:
        self.attempt(Verify(verifier, self.now))

    @rule(verifier=PEOPLE)
    def somebody_sends_it_back(self, verifier: str) -> None:
        self.attempt(SendBack(verifier, "没做完", self.now))

    @rule(cause=st.sampled_from(EscalationCause))
    def a_timer_or_the_rule_escalates(self, cause: EscalationCause) -> None:
        self.attempt(Escalate(cause, self.now))

    @rule(rating=st.integers(0, 6), receipt=st.sampled_from([RECEIPT, "guessed"]))
    def somebody_rates(self, rating: int, receipt: str) -> None:
        self.attempt(Rate(rating, receipt, self.now))

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
                case CaseDispatched():
                    since = []
                case CaseEscalated():
                    assert event.due not in {before.due for before in since}
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


LifeOfACase.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLifeOfACase = LifeOfACase.TestCase
