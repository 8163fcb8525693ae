"""A case gets the photos and other files that are named with it (证据归案)."""

import structlog
from contracts.grid_tasks import CaseAnswered, CaseHandedIn, CasePaperDone, CaseReported
from events import Commands, Policy, Recorded

from grid_tasks.evidence.cases import attach

attaching = Policy("attaching")
log = structlog.get_logger(__name__)


async def named(
    commands: Commands, event: Recorded[CaseReported | CaseAnswered | CaseHandedIn | CasePaperDone]
) -> None:
    """What is named here belongs to the case from then on."""
    it = event.data
    for id_, refused in (await attach(commands, it.case, it.evidence, it.at)).items():
        # It was there when it was named: somebody else has attached it in the same moment.
        log.warning("a file was not attached", evidence=id_, case=it.case, why=refused.reason)


for _naming in (CaseReported, CaseAnswered, CaseHandedIn, CasePaperDone):
    attaching.on(_naming)(named)
