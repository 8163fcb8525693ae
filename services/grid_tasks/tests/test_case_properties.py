"""Whatever anybody tries with a case, in any order: what must never happen does not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from contracts.grid_tasks import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseHandedOver,
    CaseHelpGiven,
    CaseLooked,
    CaseMerged,
    CaseRated,
    CaseRefused,
    CaseReopened,
    CaseReturned,
    CaseSentBack,
    CaseStarted,
    CaseTakenOver,
    CaseTakenUp,
    CaseTimeGiven,
    CaseUrgencyChanged,
    CaseVerified,
    CaseWithdrawn,
    EscalationCause,
    PauseKind,
    RefusalKind,
    Rung,
)
from contracts.registry import DutyFacts
from events import Event, Refused
from events.event import encode
from grid_tasks.domain.case import CASE, Case, Step
from grid_tasks.domain.commands import (
    ActAtOnce,
    AnswerAsReporter,
    AskHelp,
    AskTime,
    Assign,
    CaseCommand,
    ChangeUrgency,
    Confer,
    FollowMap,
    GiveHelp,
    GiveTime,
    HandOver,
    Look,
    Merge,
    Pause,
    Rate,
    Refuse,
    Reopen,
    Resume,
    Return,
    Start,
    TakeUp,
    Warn,
    Withdraw,
    name_of,
)
from grid_tasks.domain.moves import MOVES
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from .trade import (
    DAYS,
    GRID,
    LEADER,
    LI,
    LICENCES,
    NINE,
    NOISE,
    RECEIPT,
    TWO_HOURS,
    WANG,
    accept,
    assign,
    escalate,
    give,
    hand_in,
    report,
    send_back,
    unplaced,
    verify,
)

RUNGS = tuple(Rung)
PEOPLE = st.sampled_from([LI, WANG, LEADER])
GRIDS = st.sampled_from([GRID, "G2"])

Attempt = Callable[[datetime], CaseCommand]
"""What somebody tries, once the time is known."""


def tries(command: Callable[..., CaseCommand], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Attempt]:
    return st.tuples(*arguments).map(lambda values: lambda at: command(*values, at))


def reports(duty: DutyFacts | None, grid: str, _: datetime) -> CaseCommand:
    return report(duty=duty, grid=grid)


RECEIPTS = st.sampled_from([RECEIPT, "guessed"])


def accepts(at: datetime) -> CaseCommand:
    return accept(at)


def warns(at: datetime) -> CaseCommand:
    return Warn(at)


def refuses(by: str, at: datetime) -> CaseCommand:
    return Refuse(by, RefusalKind.NOT_THERE, "查无此事", "", at)


def withdraws(receipt: str, at: datetime) -> CaseCommand:
    return Withdraw(receipt, at)


def hands_over(body: str, present: bool, at: datetime) -> CaseCommand:
    return HandOver(body, present, LEADER, "属其职责", DAYS, at)


def returns(worker: str, at: datetime) -> CaseCommand:
    return Return(worker, "不在我网格", at)


def acts_at_once(worker: str, grid: str, at: datetime) -> CaseCommand:
    return ActAtOnce(worker, grid, DAYS, at)


def asks_help(worker: str, helper: str, at: datetime) -> CaseCommand:
    return AskHelp(worker, (helper,), "两人才行", at)


def confers(by: str, helper: str, at: datetime) -> CaseCommand:
    return Confer(by, (helper,), "联合处置", at)


def gives_help(helper: str, done: bool, at: datetime) -> CaseCommand:
    return GiveHelp(helper, done, "毕", at)


def asks_time(worker: str, minutes: int, at: datetime) -> CaseCommand:
    return AskTime(worker, minutes, "等房东", at)


def gives_time(by: str, minutes: int, at: datetime) -> CaseCommand:
    return GiveTime(by, minutes, DAYS, at)


def changes_urgency(by: str, urgent: bool, minutes: int, at: datetime) -> CaseCommand:
    return ChangeUrgency(by, urgent, minutes, "老人独居", DAYS, at)


def pauses(by: str, kind: PauseKind, by_worker: bool, at: datetime) -> CaseCommand:
    return Pause(by, kind, "等检测", None, at, by_worker)


def resumes(by: str, by_rule: bool, at: datetime) -> CaseCommand:
    return Resume(by, DAYS, at, by_rule)


def answers(receipt: str, at: datetime) -> CaseCommand:
    return AnswerAsReporter(receipt, "在三楼", DAYS, at)


def verifies_drawn(by: str, at: datetime) -> CaseCommand:
    return verify(by, at, drawn=True)


def looks(by: str, done: bool, at: datetime) -> CaseCommand:
    return Look(by, done, "属实", DAYS, at)


def reopens(receipt: str, at: datetime) -> CaseCommand:
    return Reopen(receipt, "又响了", DAYS, at)


INTO = st.sampled_from(["another", "a third"])


def merges(into: str, at: datetime) -> CaseCommand:
    return Merge(into, NOISE.category, False, LEADER, at)


def takes_up(into: str, at: datetime) -> CaseCommand:
    return TakeUp(into, DAYS, at)


ANYTHING = st.one_of(
    tries(reports, st.sampled_from([NOISE, LICENCES, None]), GRIDS),
    tries(accepts),
    tries(give, PEOPLE, GRIDS, st.just("近")),
    tries(assign, PEOPLE, st.none() | PEOPLE, st.just("least")),
    tries(Start, PEOPLE),
    tries(hand_in, PEOPLE),
    tries(verify, PEOPLE),
    tries(send_back, PEOPLE, st.just("没做完")),
    tries(escalate),
    tries(unplaced, st.none() | PEOPLE),
    tries(Rate, st.integers(0, 6), RECEIPTS),
    tries(warns),
    tries(refuses, PEOPLE),
    tries(withdraws, RECEIPTS),
    tries(hands_over, st.sampled_from(["", "市场监督管理局"]), st.booleans()),
    tries(returns, PEOPLE),
    tries(acts_at_once, PEOPLE, GRIDS),
    tries(asks_help, PEOPLE, PEOPLE),
    tries(confers, PEOPLE, PEOPLE),
    tries(gives_help, PEOPLE, st.booleans()),
    tries(asks_time, PEOPLE, st.integers(1, 90)),
    tries(gives_time, PEOPLE, st.integers(1, 90)),
    tries(changes_urgency, PEOPLE, st.booleans(), st.integers(1, 300)),
    tries(pauses, PEOPLE, st.sampled_from(PauseKind), st.booleans()),
    tries(resumes, PEOPLE, st.booleans()),
    tries(answers, RECEIPTS),
    tries(verifies_drawn, PEOPLE),
    tries(looks, PEOPLE, st.booleans()),
    tries(reopens, RECEIPTS),
    tries(FollowMap, GRIDS),
    tries(merges, INTO),
    tries(takes_up, INTO),
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
        before, self.case = self.case, CASE.fold(events, self.case)
        self.log.extend(events)
        if events and before.step and self.case.step:
            taken_over = isinstance(command, Assign) and before.step is Step.PAUSED
            move = MOVES["take-over" if taken_over else name_of(command)]
            assert move.may_lead(before.step, self.case.step), f"{move.name}: {before.step} → {self.case.step}"

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
                self.attempt(accept(self.now))
            case Step.ACCEPTED:
                self.attempt(assign(LI, None, "least", self.now))
            case Step.DISPATCHED:
                self.attempt(Start(worker, self.now))
            case Step.STARTED:
                self.attempt(hand_in(worker, self.now))
            case Step.MERGED:
                self.attempt(TakeUp(self.case.into or "", DAYS, self.now))
            case Step.CLOSED:
                self.attempt(Rate(5, RECEIPT, self.now))
            case Step.PAUSED:
                self.attempt(Resume(LEADER, DAYS, self.now))
            case Step.VERIFIED:
                self.attempt(Look("second", well_done, "属实", DAYS, self.now))
            case Step.HANDED_IN:
                self.attempt(verify(another, self.now) if well_done else send_back(another, "没做完", self.now))
            case _:
                pass  # it has ended

    @invariant()
    def one_worker_has_it_at_a_time(self) -> None:
        holder = None
        for event in self.log:
            match event:
                case CaseDispatched(worker=worker) | CaseTakenOver(worker=worker):
                    assert worker != holder, "dispatched again to who has it"
                    holder = worker
                case CaseStarted(worker=worker) | CaseHandedIn(worker=worker) | CaseClosed(worker=worker):
                    assert worker == holder
                case CaseReturned() | CaseHandedOver() | CaseReopened() | CaseTakenUp():
                    holder = None
                case _:
                    pass
        assert self.case.worker == holder

    @invariant()
    def it_is_closed_only_when_found_done_by_who_never_handled_it(self) -> None:
        handled: set[str] = set()
        for before, event in pairwise(self.log):
            match before:
                case CaseStarted(worker=who) | CaseHandedIn(worker=who) | CaseHelpGiven(helper=who, done=True):
                    handled.add(who)
                case _:
                    pass
            if isinstance(event, CaseClosed):
                assert isinstance(before, CaseVerified | CaseLooked)
                assert (before.verifier if isinstance(before, CaseVerified) else before.by) not in handled
                assert not isinstance(before, CaseLooked) or before.by != before.verifier

    @invariant()
    def an_end_is_one_and_only_its_reporter_reopens_what_was_closed(self) -> None:
        for before, event in pairwise(self.log):
            if isinstance(before, CaseClosed | CaseRated):
                assert isinstance(event, CaseRated | CaseReopened)
            assert not isinstance(before, CaseRefused | CaseWithdrawn)
            if isinstance(before, CaseMerged):
                assert isinstance(event, CaseTakenUp)
                assert event.into == before.into

    @invariant()
    def who_is_told_that_it_is_late_is_told_once_and_higher_each_time(self) -> None:
        told: list[Rung] = []
        for event in self.log:
            match event:
                case CaseEscalated(rung=rung):
                    assert not told or RUNGS.index(rung) > RUNGS.index(told[-1])
                    assert event.cause is EscalationCause.NOBODY_IN_POST or event.at >= event.due
                    told.append(rung)
                case (
                    CaseDispatched() | CaseSentBack() | CaseHandedOver() | CaseReopened() | CaseTimeGiven()
                    | CaseTakenUp() | CaseUrgencyChanged() | CaseTakenOver() | CaseHandedIn() | CaseVerified()
                ):  # fmt: skip
                    told = []
                case _:
                    pass

    @invariant()
    def nothing_is_due_while_it_is_paused_and_something_is_while_somebody_should_deal_with_it(self) -> None:
        if self.case.step is Step.PAUSED:
            assert self.case.pause is not None
            assert self.case.stops[-1].until is None
        elif self.case.with_worker or self.case.step is Step.ACCEPTED:
            assert self.case.due is not None
            assert all(stop.until for stop in self.case.stops)

    @invariant()
    def on_time_is_what_the_first_hand_in_says(self) -> None:
        first = next((event for event in self.log if isinstance(event, CaseHandedIn)), None)
        for nth, event in enumerate(self.log):
            if isinstance(event, CaseClosed):
                assert first is not None
                assert event.on_time == first.on_time
                assert event.first_attempt == (sum(isinstance(it, CaseHandedIn) for it in self.log[:nth]) == 1)

    @invariant()
    def its_events_alone_bring_it_back_also_from_json(self) -> None:
        read = [type(event).model_validate_json(encode(event)) for event in self.log]
        assert CASE.fold(read) == self.case


LifeOfACase.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestLifeOfACase = LifeOfACase.TestCase
