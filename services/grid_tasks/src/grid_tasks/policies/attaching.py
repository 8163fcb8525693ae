"""A case gets the photos and other files that are named with it (证据归案)."""

from datetime import datetime

import structlog
from contracts.grid_tasks import CaseAnswered, CaseHandedIn, CasePaperDone, CaseReported
from events import Commands, Policy, Recorded

from grid_tasks.evidence.cases import attach

attaching = Policy("attaching")
log = structlog.get_logger(__name__)


@attaching.on(CaseReported)
async def reported(commands: Commands, event: Recorded[CaseReported]) -> None:
    await _all(commands, event.data.case, event.data.evidence, event.data.at)


@attaching.on(CaseAnswered)
async def answered(commands: Commands, event: Recorded[CaseAnswered]) -> None:
    await _all(commands, event.data.case, event.data.evidence, event.data.at)


@attaching.on(CaseHandedIn)
async def handed_in(commands: Commands, event: Recorded[CaseHandedIn]) -> None:
    await _all(commands, event.data.case, event.data.evidence, event.data.at)


@attaching.on(CasePaperDone)
async def paper_done(commands: Commands, event: Recorded[CasePaperDone]) -> None:
    await _all(commands, event.data.case, event.data.evidence, event.data.at)


async def _all(commands: Commands, case: str, ids: tuple[str, ...], at: datetime) -> None:
    for id_, refused in (await attach(commands, case, ids, at)).items() if ids else ():
        # It was there when it was named: somebody else has attached it in the same moment.
        log.warning("a file was not attached", evidence=id_, case=case, why=refused.reason)
