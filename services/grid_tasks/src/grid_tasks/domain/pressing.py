"""A case that is late or soon will be (预警、督办): once for each deadline and rung, never while its clock stands.

These come from timers and rules, which may come late or twice: what is no longer so is nothing to do, and no error.
"""

from collections.abc import Sequence
from datetime import datetime

from contracts.grid_tasks import CaseEscalated, CaseTextErased, CaseWarned, EscalationCause, Rung
from events import Event

from grid_tasks.domain.case_state import Case
from grid_tasks.domain.commands import EraseText, Escalate, Pressing, Warn
from grid_tasks.domain.moves import Step
from grid_tasks.domain.working_time import Calendar

RUNGS = tuple(Rung)


def decide(case: Case, command: Pressing) -> Sequence[Event]:
    """What follows, at any step."""
    match command:
        case Warn(at):
            if not case.with_worker or case.due is None or case.warned or at >= case.due:
                return []
            return [CaseWarned(case=case.id, grid=case.grid, worker=case.worker or "", due=case.due, at=at)]
        case Escalate():
            return _escalated(case, command)
        case EraseText(at):
            return [] if case.text_erased else [CaseTextErased(case=case.id, at=at)]


def _escalated(case: Case, command: Escalate) -> Sequence[Event]:
    if case.due is None or not (case.with_worker or case.step is Step.ACCEPTED):
        return []
    rungs = _reached(case, command.calendar)
    if command.cause is EscalationCause.NOBODY_IN_POST:
        due_now = [Rung.LEADER] if case.rung is None else []
    else:
        due_now = [rung for rung, moment in rungs.items() if moment <= command.at and above(rung, case.rung)]
    if not due_now:
        return []
    rung = due_now[-1]  # who was asleep for days tells the highest only
    after = [moment for other, moment in rungs.items() if above(other, rung) and moment > command.at]
    return [
        CaseEscalated(
            case=case.id,
            grid=case.grid,
            worker=case.worker if case.with_worker else None,
            due=case.due,
            cause=command.cause,
            rung=rung,
            next_at=after[0] if after else None,
            at=command.at,
        )
    ]


def _reached(case: Case, calendar: Calendar) -> dict[Rung, datetime]:
    """When each rung is told."""
    return {rung: moment for rung, moment in case.reckoned(calendar).rungs.items() if moment}


def above(rung: Rung, than: Rung | None) -> bool:
    """Whether it is told after that one; any is, where nobody has been told yet."""
    return than is None or RUNGS.index(rung) > RUNGS.index(than)
