"""The joint campaigns (联合行动) of a month: departments ask for hours of grid workers, and get them from a budget that
everybody sees beforehand. A month is one thing, so that no two approvals spend the same hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from contracts.common import Title
from contracts.visits import CampaignApproved, CampaignAsked, CampaignRefused, CampaignsBudgeted, Site
from events import Aggregate, Event, NotFound

from grid_tasks.domain.visit_refusals import (
    BeyondTheBudget,
    CampaignDecided,
    LessThanApproved,
    NoBudget,
    NotOfOneMonth,
)


class CampaignStep(StrEnum):
    """Where a campaign stands."""

    ASKED = "asked"  # 待批准
    APPROVED = "approved"  # 已批准
    REFUSED = "refused"  # 不予批准


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a department asked for, and what came of it."""

    asked: CampaignAsked
    step: CampaignStep = CampaignStep.ASKED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """The campaigns of a month. `budget` is None as long as nobody has laid it down."""

    budget: int | None = None
    campaigns: Mapping[str, Campaign] = field(default_factory=dict[str, Campaign])

    @property
    def approved(self) -> int:
        """Hours that are given."""
        return sum(it.asked.hours for it in self.campaigns.values() if it.step is CampaignStep.APPROVED)

    @property
    def left(self) -> int:
        """Hours that can still be given."""
        return (self.budget or 0) - self.approved


@dataclass(frozen=True, slots=True)
class LayDown:
    """So many hours are for campaigns in this month."""

    month: str
    hours: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """A department asks for hours, for a purpose, in these buildings."""

    month: str
    campaign: str
    body: str
    title: Title
    hours: int
    sites: tuple[Site, ...]
    first: date
    last: date
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Approve:
    """It takes place, and its hours are taken."""

    campaign: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """It does not."""

    campaign: str
    reason: str
    by: str
    at: datetime


Command = LayDown | Ask | Approve | Refuse


def decide(month: Month, command: Command) -> Sequence[Event]:
    """What follows. Raises NoBudget, BeyondTheBudget, NotOfOneMonth, LessThanApproved, CampaignDecided, NotFound."""
    match command:
        case LayDown(name, hours, by, at):
            if hours < month.approved:
                raise LessThanApproved(month.approved)
            return [] if hours == month.budget else [CampaignsBudgeted(month=name, hours=hours, by=by, at=at)]
        case Ask():
            return [_asked(month, command)]
        case Approve(id_, by, at):
            asked = _undecided(month, id_)
            _require(month, asked.month, asked.hours)
            approved = CampaignApproved(
                month=asked.month,
                campaign=id_,
                hours=asked.hours,
                sites=asked.sites,
                first=asked.first,
                last=asked.last,
                by=by,
                at=at,
            )
            return [approved]
        case Refuse(id_, reason, by, at):
            asked = _undecided(month, id_)
            return [CampaignRefused(month=asked.month, campaign=id_, reason=reason, by=by, at=at)]


def _asked(month: Month, it: Ask) -> CampaignAsked:
    if not (f"{it.first:%Y-%m}" == f"{it.last:%Y-%m}" == it.month and it.first <= it.last):
        raise NotOfOneMonth(it.month)
    _require(month, it.month, it.hours)
    return CampaignAsked(
        month=it.month,
        campaign=it.campaign,
        body=it.body,
        title=it.title,
        hours=it.hours,
        sites=it.sites,
        first=it.first,
        last=it.last,
        by=it.by,
        at=it.at,
    )


def _require(month: Month, name: str, hours: int) -> None:
    if month.budget is None:
        raise NoBudget(name)
    if hours > month.left:
        raise BeyondTheBudget(name, month.left, hours)


def _undecided(month: Month, id_: str) -> CampaignAsked:
    campaign = month.campaigns.get(id_)
    if campaign is None:
        raise NotFound("there is no such campaign in this month")
    if campaign.step is not CampaignStep.ASKED:
        raise CampaignDecided
    return campaign.asked


def evolve(month: Month, event: Event) -> Month:
    """The month after an event."""
    match event:
        case CampaignsBudgeted(hours=hours):
            return replace(month, budget=hours)
        case CampaignAsked():
            return _with(month, event.campaign, Campaign(event))
        case CampaignApproved(campaign=id_):
            return _with(month, id_, replace(month.campaigns[id_], step=CampaignStep.APPROVED))
        case CampaignRefused(campaign=id_, reason=reason):
            return _with(month, id_, replace(month.campaigns[id_], step=CampaignStep.REFUSED, reason=reason))
        case _:
            return month


def _with(month: Month, id_: str, campaign: Campaign) -> Month:
    return replace(month, campaigns={**month.campaigns, id_: campaign})


CAMPAIGNS = Aggregate[Month, Command](
    "campaigns", Month(), decide, evolve, (CampaignsBudgeted, CampaignAsked, CampaignApproved, CampaignRefused)
)
