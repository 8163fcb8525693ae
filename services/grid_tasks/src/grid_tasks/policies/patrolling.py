"""What was found on a patrol becomes a case, reported by who found it; the patrol itself keeps none of it: its key is
destroyed once the cases have it."""

import secrets

from contracts.grid_tasks import PatrolWalked, ReporterKind
from events import Commands, Policy, Recorded
from events.privacy.erasure import forget_all

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Report
from grid_tasks.domain.patrol import case_of
from grid_tasks.domain.receipt import hash_of
from grid_tasks.read_models.duties import duty_of
from grid_tasks.read_models.grids import grid_at
from grid_tasks.read_models.workers import anybody_of

patrolling = Policy("patrolling", personal=True)


@patrolling.on(PatrolWalked)
async def walked(commands: Commands, event: Recorded[PatrolWalked]) -> None:
    """May run twice: the ids of its cases are derived. Nobody gets the receipt, as the worker needs none."""
    it = event.data
    for nth, found in enumerate(it.findings):
        if found.category is None or found.place is None:
            continue
        duty = await duty_of(commands.db, found.category)
        report = Report(
            case=case_of(it.patrol, nth),
            category=found.category,
            duty=duty.duty if duty else None,
            description=found.description,
            place=found.place,
            grid=await grid_at(commands.db, found.place),
            reporter_kind=ReporterKind.GRID_WORKER,
            reporter=it.worker,
            contact=None,
            receipt_hash=hash_of(secrets.token_urlsafe(24)),
            taken_by_department=duty is not None and await anybody_of(commands.db, duty.duty.department.zh),
            at=it.at,
        )
        if (await commands.load(CASE, report.case))[0].step is None:
            await commands.execute(CASE, report.case, report)
    await commands.personal.keys.destroy(event.stream)
    await forget_all(commands.db, event.stream)
