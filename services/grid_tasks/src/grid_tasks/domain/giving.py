"""Who gets a case (派遣、转派、退回): one at a time has it, and answers for their own time only."""

from collections.abc import Sequence
from datetime import datetime

from contracts.grid_tasks import CaseDispatched, CaseHandedOver, CaseReturned, CaseTakenOver
from events import Event

from grid_tasks.domain.case_state import Case
from grid_tasks.domain.commands import Assign, Dispatch, Dispatching, HandOver, Return
from grid_tasks.domain.moves import Step
from grid_tasks.domain.refusals import AlreadyTheirs, NobodyOfThatBody, NotInPostHere, NotYourCase
from grid_tasks.domain.working_time import Calendar


def decide(case: Case, command: Dispatching) -> Sequence[Event]:
    """What follows; the step is right."""
    match command:
        case Dispatch(worker, worker_grid, why, calendar, at):
            if worker_grid != case.grid:
                raise NotInPostHere(worker, case.grid)
            if worker == case.worker and case.with_worker:
                raise AlreadyTheirs(worker)
            return [dispatched(case, worker, why, calendar, at)]
        case Assign(worker, instead_of, why, calendar, at, needed):
            if needed and (needed.grid, needed.body) != (case.grid, case.body):
                return []  # it is another's to have by now, who is looked for, too
            holder = case.worker if case.with_worker or case.step is Step.PAUSED else None
            if holder != instead_of or worker == instead_of:
                return []  # somebody else has got it meanwhile
            if case.step is Step.PAUSED:
                return [CaseTakenOver(case=case.id, grid=case.grid, worker=worker, why=why, at=at)]
            return [dispatched(case, worker, why, calendar, at)]
        case HandOver(body, present, by, why, calendar, at):
            if body == case.body:
                raise AlreadyTheirs(body or "the grid")
            if not present:
                raise NobodyOfThatBody(body)
            due = case.anew(at).reckoned(calendar).due or at
            return [CaseHandedOver(case=case.id, grid=case.grid, body=body, by=by, why=why, due=due, at=at)]
        case Return(worker, reason, at):
            if worker != case.worker:
                raise NotYourCase
            return [CaseReturned(case=case.id, grid=case.grid, worker=worker, reason=reason, at=at)]


def dispatched(case: Case, worker: str, why: str, calendar: Calendar, at: datetime) -> CaseDispatched:
    """With the whole time of the duty list, from now: who gets a case is answerable for their own time only."""
    reckoning = case.anew(at).reckoned(calendar)
    return CaseDispatched(
        case=case.id,
        category=case.category,
        grid=case.grid,
        worker=worker,
        due=reckoning.due or at,
        why=why,
        warn_at=reckoning.warn_at,
        at=at,
    )
