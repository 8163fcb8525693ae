"""A case that is late or soon will be (预警、督办), with who has it or with who is to verify it: once for each deadline
and rung, never while its clock stands.

These come from timers and rules, which may come late or twice: what is no longer so is nothing to do, and no error.
"""

from collections.abc import Sequence
from datetime import datetime

from contracts.grid_tasks import CaseEscalated, CaseTextErased, CaseWarned, EscalationCause, Rung
from events import Event

from grid_tasks.domain.case_state import Case
from grid_tasks.domain.commands import EraseText, Escalate, Pressing, Unplaced, Warn
from grid_tasks.domain.deadline import Reckoning
from grid_tasks.domain.moves import TO_CHECK

RUNGS = tuple(Rung)


def decide(case: Case, command: Pressing) -> Sequence[Event]:
    """What follows, at any step."""
    match command:
        case Warn(at):
            if not case.with_worker or case.due is None or case.warned or at >= case.due:
                return []
            return [CaseWarned(case=case.id, grid=case.grid, worker=case.worker or "", due=case.due, at=at)]
        case Escalate():
            return _late(case, command)
        case Unplaced():
            return _unplaced(case, command)
        case EraseText(at):
            return [] if case.text_erased else [CaseTextErased(case=case.id, at=at)]


def _late(case: Case, command: Escalate) -> Sequence[Event]:
    """Tells the highest whose moment has come: who was asleep for days does not tell those below. A moment that was set
    stays, whatever calendar was entered since."""
    if case.step in TO_CHECK:
        cause, due, reckon = EscalationCause.UNCHECKED, case.check_by, case.checked
    else:
        cause, due, reckon = EscalationCause.OVERDUE, case.due, case.reckoned
    if due is None:
        return []
    reckoning = reckon(command.calendar)
    rungs = reckoning.rungs.items()
    reached = [it for it, moment in rungs if moment and moment <= command.at and above(it, case.rung)]
    set_for = due if case.rung is None else case.next_at
    if not reached and set_for and set_for <= command.at:
        reached = [Rung.LEADER if case.rung is None else RUNGS[RUNGS.index(case.rung) + 1]]
    return [_escalated(case, cause, due, reached[-1], reckoning, command.at)] if reached else []


def _unplaced(case: Case, command: Unplaced) -> Sequence[Event]:
    """Who leads the grid would have it if they were there: so it is told above them, but for a department's case."""
    holder = case.worker if case.with_worker else None
    if case.step in TO_CHECK or case.due is None or holder != command.instead_of or case.rung is not None:
        return []
    rung = Rung.LEADER if case.body else Rung.INSTRUCTOR
    reckoning = case.reckoned(command.calendar)
    return [_escalated(case, EscalationCause.NOBODY_IN_POST, case.due, rung, reckoning, command.at)]


def _escalated(
    case: Case, cause: EscalationCause, due: datetime, rung: Rung, reckoning: Reckoning, at: datetime
) -> CaseEscalated:
    return CaseEscalated(
        case=case.id,
        grid=case.grid,
        worker=case.worker if case.with_worker else None,
        due=due,
        cause=cause,
        rung=rung,
        next_at=next_above(rung, reckoning, at),
        at=at,
    )


def above(rung: Rung, than: Rung | None) -> bool:
    """Whether it is told after that one; any is, where nobody has been told yet."""
    return than is None or RUNGS.index(rung) > RUNGS.index(than)


def next_above(rung: Rung, reckoning: Reckoning, after: datetime | None = None) -> datetime | None:
    """When a case that was told to one goes to the next rung, after that moment; None where the clock stands."""
    moments = (moment for it, moment in reckoning.rungs.items() if moment and above(it, rung))
    return next((it for it in moments if after is None or it > after), None)
