"""A case gets the photos and other files that are named with it (证据归案)."""

import structlog
from contracts.grid_tasks import CaseAnswered, CaseHandedIn, CasePaperDone, CaseReported
from events import Commands, Policy, Recorded, Several

from grid_tasks.evidence.cases import attach

attaching = Policy("attaching")
log = structlog.get_logger(__name__)


Naming = CaseReported | CaseAnswered | CaseHandedIn | CasePaperDone


async def named(several: Several[Naming]) -> None:
    """What is named here belongs to the case from then on."""
    await several.each(one)


async def one(commands: Commands, event: Recorded[Naming]) -> None:
    """As many of its files as can be."""
    it = event.data
    for id_, refused in (await attach(commands, it.case, it.evidence, it.at)).items():
        # It was there when it was named: somebody else has attached it in the same moment.
        log.warning("a file was not attached", evidence=id_, case=it.case, why=refused.reason)


for _naming in (CaseReported, CaseAnswered, CaseHandedIn, CasePaperDone):
    attaching.on_several(_naming)(named)
