"""Lives of cases as chance would have them, and legal every one: whatever the domain refuses does not happen."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from contracts.common import Place
from contracts.grid_tasks import PauseKind, RefusalKind, ReporterKind
from events import Event, Refused
from grid_tasks.domain.case import CASE, Case, Step
from grid_tasks.domain.commands import (
    ActAtOnce,
    AskTime,
    CaseCommand,
    ChangeUrgency,
    CorrectPlace,
    FollowMap,
    GiveTime,
    HandOver,
    Look,
    Merge,
    Pause,
    PlaceIn,
    Rate,
    Refuse,
    Reopen,
    Resume,
    Return,
    SendBack,
    Start,
    TakeUp,
    Warn,
    Withdraw,
)

from .trade import DAYS, HERE, LEADER, LI, NOISE, RECEIPT, WANG, accept, assign, escalate, give, hand_in, report, verify

SECOND = "officer-sun"
BODIES = ("", "市场监督管理局", "城市管理局")
DEVIATIONS: Sequence[Callable[[Case, Random, datetime], CaseCommand]] = (
    lambda case, random, at: Refuse(LEADER, RefusalKind.NOT_THERE, "查无此事", "", at),
    lambda case, random, at: Withdraw(RECEIPT, at),
    lambda case, random, at: Merge("another", case.category, False, LEADER, at),
    lambda case, random, at: TakeUp("another", DAYS, at),
    lambda case, random, at: HandOver(random.choice(BODIES), True, LEADER, "属其职责", DAYS, at),
    lambda case, random, at: Return(case.worker or "", "不在我网格", at),
    lambda case, random, at: give(random.choice((LI, WANG)), case.grid, at=at),
    lambda case, random, at: ActAtOnce(LI, case.grid, DAYS, at),
    lambda case, random, at: AskTime(case.worker or "", random.randint(1, 300), "等房东", at),
    lambda case, random, at: GiveTime(LEADER, random.randint(1, 60), DAYS, at),
    lambda case, random, at: ChangeUrgency(LEADER, random.random() < 0.5, random.randint(1, 900), "老人独居", DAYS, at),
    lambda case, random, at: Pause(LEADER, random.choice(tuple(PauseKind)), "等检测", None, at, False),
    lambda case, random, at: assign(random.choice((LI, WANG)), case.worker, "不再在岗", at),
    lambda case, random, at: FollowMap(f"G{random.randint(1, 3)}", at),
    lambda case, random, at: CorrectPlace(_somewhere(random), f"G{random.randint(1, 3)}", LEADER, "在三号楼", at),
    lambda case, random, at: Warn(at),
    lambda case, random, at: escalate(at),
    lambda case, random, at: SendBack(SECOND, "没做完", DAYS, at),
    lambda case, random, at: Reopen(RECEIPT, "又响了", DAYS, at),
)


def life(case: str, random: Random, at: datetime, grids: Sequence[str], longest: int = 30) -> list[Event]:
    """What happens to a case from this moment on, until it has ended or nothing more is told of it."""
    kind = random.choice(tuple(ReporterKind))
    place = _somewhere(random)
    first = replace(report(grid=random.choice([*grids, None])), case=case, reporter_kind=kind, place=place, at=at)
    state, log = Case(), list[Event]()
    command: CaseCommand = first
    for _ in range(random.randint(1, longest)):
        events: Sequence[Event] = ()
        with suppress(Refused):
            events = CASE.decide(state, command)
        log += events
        state = CASE.fold(events, state)
        at += timedelta(seconds=random.choice((0, 10, 500, 4_000, 30_000, 200_000)) * random.random())
        aside = random.random() < 0.35
        told_late = state.step not in (Step.CLOSED, Step.MERGED) and random.random() < 0.05
        then = at - timedelta(minutes=random.randrange(2_000)) if told_late else at
        command = random.choice(DEVIATIONS)(state, random, then) if aside else _course(state, random, then, grids)
    return log


def _somewhere(random: Random) -> Place:
    return Place(longitude=HERE.longitude + random.random() / 100, latitude=HERE.latitude + random.random() / 100)


def _course(case: Case, random: Random, at: datetime, grids: Sequence[str]) -> CaseCommand:
    """What usually comes next."""
    worker = case.worker or ""
    match case.step:
        case Step.REPORTED:
            return accept(at, NOISE) if case.grid else PlaceIn(random.choice(grids), LEADER, at)
        case Step.ACCEPTED:
            return assign(random.choice((LI, WANG)), None, "least", at)
        case Step.DISPATCHED:
            return Start(worker, at)
        case Step.STARTED:
            return hand_in(worker, at)
        case Step.PAUSED:
            return Resume(LEADER, DAYS, at)
        case Step.HANDED_IN:
            return verify(LEADER, at, drawn=random.random() < 0.2)
        case Step.VERIFIED:
            return Look(SECOND, random.random() < 0.5, "属实", DAYS, at)
        case Step.MERGED:
            return TakeUp("another" if random.random() < 0.2 else "a third", DAYS, at)
        case _:
            return Rate(random.randint(1, 5), RECEIPT, at)
