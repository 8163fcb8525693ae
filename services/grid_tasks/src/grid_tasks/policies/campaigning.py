"""An approved campaign is visits: one to each of its buildings, in its days, by those who look after the grid there."""

from contracts.grid_tasks import CampaignApproved, VisitPlanned
from contracts.visits import VisitKind
from events import Commands, Policy, Recorded

from grid_tasks.domain.visit import VISIT, Plan, visit_of
from grid_tasks.read_models.grids import grid_at

campaigning = Policy("campaigning")


@campaigning.on(CampaignApproved)
async def approved(commands: Commands, event: Recorded[CampaignApproved]) -> None:
    it = event.data
    for site in it.sites:
        planned = VisitPlanned(
            visit=visit_of(it.campaign, site.name),
            kind=VisitKind.CAMPAIGN,
            of="buildings",
            thing=site.name,
            grid=await grid_at(commands.db, site.place) or "",
            cause=it.campaign,
            not_before=it.first,
            until=it.last,
            site=site,
            by=it.by,
            at=commands.clock(),
        )
        await commands.execute(VISIT, planned.visit, Plan(planned))
