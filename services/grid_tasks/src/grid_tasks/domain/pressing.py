"""A case that is late or soon will be (预警、督办), with who has it or with who is to verify it: once for each deadline
and rung, never while its clock stands.

These come from timers and rules, which may come late or twice: what is no longer so is nothing to do, and no error.
"""

from collections.abc import Sequence
from datetime import datetime

from contracts.grid_tasks import CaseEscalated, CaseTextErased, CaseWarned, EscalationCause, Rung
from events import Event

from grid_tasks.domain.case_state import Case
from grid_tasks.domain.commands import EraseText, Escalate, Pressing, Warn
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
            return _escalated(case, command)
        case EraseText(at):
            return [] if case.text_erased else [CaseTextErased(case=case.id, at=at)]


def _escalated(case: Case, command: Escalate) -> Sequence[Event]:
    if case.step in TO_CHECK:
        cause, due, ladder = EscalationCause.UNCHECKED, case.check_by, Case.checked
    else:
        cause, due, ladder = command.cause, case.due, Case.reckoned
    if due is None:
        return []
    reckoning = ladder(case, command.calendar)
    if cause is EscalationCause.NOBODY_IN_POST:
        due_now = [Rung.LEADER] if case.rung is None else []
    else:
        rungs = reckoning.rungs.items()
        due_now = [it for it, moment in rungs if moment and moment <= command.at and above(it, case.rung)]
    if not due_now:
        return []
    rung = due_now[-1]  # who was asleep for days tells the highest only
    return [
        CaseEscalated(
            case=case.id,
            grid=case.grid,
            worker=case.worker if case.with_worker else None,
            due=due,
            cause=cause,
            rung=rung,
            next_at=next_above(rung, reckoning, command.at),
            at=command.at,
        )
    ]


def above(rung: Rung, than: Rung | None) -> bool:
    """Whether it is told after that one; any is, where nobody has been told yet."""
    return than is None or RUNGS.index(rung) > RUNGS.index(than)


def next_above(rung: Rung, reckoning: Reckoning, after: datetime | None = None) -> datetime | None:
    """When a case that was told to one goes to the next rung, after that moment; None where the clock stands."""
    moments = (moment for it, moment in reckoning.rungs.items() if moment and above(it, rung))
    return next((it for it in moments if after is None or it > after), None)
