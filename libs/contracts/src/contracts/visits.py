"""What grid_tasks publishes of planned work that is no case: visits (走访), rounds, patrols (巡查), joint campaigns
(联合行动) and what is asked of grid workers beyond the duty list. `contracts.grid_tasks` lists these with its own.

Who is visited is told by a pseudonym. Where they live, when they are met and what they answered is sealed with the
visit's own key, which is destroyed when its period is over, or when they are erased.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from contracts.common import Place, Title
from events import Event, personal
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class VisitKind(StrEnum):
    """What for."""

    REGISTRATION = "registration"  # 流动人口登记到期
    LICENCE = "licence"  # 许可证到期
    FIRE_CHECK = "fire_check"  # 消防检查
    SAFETY_CHECK = "safety_check"  # 安全检查
    REVISIT = "revisit"  # 久未核实
    SAMPLE = "sample"  # 抽样回访
    CAMPAIGN = "campaign"  # 联合行动
    OTHER = "other"  # by hand


class PartOfWeek(StrEnum):
    """When somebody was tried: hours that are alike. Morning is before noon, evening from six."""

    WORKDAY_MORNING = "workday_morning"
    WORKDAY_AFTERNOON = "workday_afternoon"
    WORKDAY_EVENING = "workday_evening"
    FREE_MORNING = "free_morning"  # of a weekend or holiday
    FREE_AFTERNOON = "free_afternoon"
    FREE_EVENING = "free_evening"


class CancelCause(StrEnum):
    """Why a visit is not made."""

    BY_HAND = "by_hand"
    NO_CONTACT = "no_contact"  # they asked not to be contacted, and no law asks for it
    ERASED = "erased"
    SETTLED = "settled"  # 已办结: the register does not say any more that it falls due


class Site(BaseModel):
    """A building at whose doors one knocks."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    place: Place


class VisitPlanned(Event, type="commongrid.grid_tasks.visit.planned.v1"):
    """Somebody, or something, is to be visited."""

    visit: str
    kind: VisitKind
    of: str
    """The register that the thing stands in: people, units, buildings."""
    thing: str
    """Id of the person, unit or building."""
    grid: str
    """Empty: it lies in no grid."""
    cause: str = ""
    """The due, sample or campaign that it comes from; empty: by hand."""
    not_before: date | None = None
    """The first day on which it is to be made; None: at once."""
    until: date | None = None
    """The last day on which it is in time."""
    site: Site | None = personal(default=None)
    """Where; None: as `registry.whereabouts.told` says."""
    hours: str = personal(default="")
    """When they can be met, as the registry writes home hours; empty: as `registry.whereabouts.told` says."""
    by: str | None = None
    """Who planned it; none: a rule."""
    at: AwareDatetime


class VisitAssigned(Event, type="commongrid.grid_tasks.visit.assigned.v1"):
    """A worker has it."""

    visit: str
    grid: str
    worker: str
    instead_of: str | None = None
    why: str
    at: AwareDatetime


class VisitGridChanged(Event, type="commongrid.grid_tasks.visit.grid_changed.v1"):
    """It lies in another grid now: the map was redrawn, or they live elsewhere. Whoever had it has it until somebody of
    the new grid gets it."""

    visit: str
    grid: str
    was: str
    """Empty: it had lain in none."""
    at: AwareDatetime


class VisitPutOn(Event, type="commongrid.grid_tasks.visit.put_on.v1"):
    """The worker puts it on a day of their choice."""

    visit: str
    worker: str
    day: date
    reason: str = personal(default="")
    at: AwareDatetime


class VisitNobodyHome(Event, type="commongrid.grid_tasks.visit.nobody_home.v1"):
    """Nobody was there. The next try comes at another time of the week; after too many it is the leader's."""

    visit: str
    grid: str
    worker: str
    tries: Annotated[int, Field(ge=1)]
    part: PartOfWeek
    """When it was tried."""
    not_before: date
    """The first day of the next try."""
    to_leader: bool = False
    tried_at: AwareDatetime
    """When it was, by the worker's phone, as far as that can be."""
    at: AwareDatetime


class VisitDone(Event, type="commongrid.grid_tasks.visit.done.v1"):
    """They were met. What was answered goes to the registry."""

    visit: str
    kind: VisitKind
    of: str
    thing: str
    grid: str
    cause: str = ""
    worker: str
    form: str
    form_version: int
    as_registered: bool | None = None
    """Whether all is as the register says; None: that was not asked."""
    wrong: tuple[str, ...] = ()
    """The fields that the register has otherwise."""
    answers: str = personal(default="")
    """A JSON object by the form's schema."""
    tries: Annotated[int, Field(ge=1)]
    done_at: AwareDatetime
    """When it was, by the worker's phone, as far as that can be."""
    at: AwareDatetime


class VisitTurnedAway(Event, type="commongrid.grid_tasks.visit.turned_away.v1"):
    """They did not want to speak (拒访), which is their right where no law asks for it."""

    visit: str
    kind: VisitKind
    grid: str
    worker: str
    at: AwareDatetime


class VisitMovedAway(Event, type="commongrid.grid_tasks.visit.moved_away.v1"):
    """They are not here any more, by what is found on the spot."""

    visit: str
    kind: VisitKind
    of: str
    thing: str
    grid: str
    worker: str
    at: AwareDatetime


class VisitCancelled(Event, type="commongrid.grid_tasks.visit.cancelled.v1"):
    """It is not made."""

    visit: str
    grid: str
    """Empty: in none, or it was settled before it was planned."""
    cause: CancelCause
    reason: str = personal(default="")
    by: str | None = None
    at: AwareDatetime


class VisitAnswersErased(Event, type="commongrid.grid_tasks.visit.answers_erased.v1"):
    """What was written of it has passed its period, or who was visited is erased: its key is destroyed."""

    visit: str
    at: AwareDatetime


class RoundArranged(Event, type="commongrid.grid_tasks.round.arranged.v1"):
    """A worker goes through a day in an order of their own."""

    round: str
    worker: str
    day: date
    order: tuple[str, ...]
    """Visits, first to last; those that are not named come after."""
    at: AwareDatetime


class OverreachKind(StrEnum):
    """In which way it was beyond the list."""

    ON_NO_LIST = "on_no_list"  # 无此职责
    NOT_THE_GRIDS = "not_the_grids"  # 非网格员职责
    BEYOND_THE_BUDGET = "beyond_the_budget"  # 超出联合行动工时


class OverreachRefused(Event, type="commongrid.grid_tasks.overreach.refused.v1"):
    """A department or a partner's system asked grid workers for what is on no list of theirs, and was refused."""

    overreach: str
    body: str
    """The department by its name on the roster, or the partner's client id."""
    kind: OverreachKind
    category: str
    """What was asked for, as far as it is a code; a free text is `other`."""
    hours: int | None = None
    """Of a campaign."""
    at: AwareDatetime


Month = Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")]


class CampaignsBudgeted(Event, type="commongrid.grid_tasks.campaigns.budgeted.v1"):
    """So many hours of grid workers are for joint campaigns in a month."""

    month: Month
    hours: Annotated[int, Field(ge=0)]
    by: str
    at: AwareDatetime


class CampaignAsked(Event, type="commongrid.grid_tasks.campaigns.asked.v1"):
    """A department asks for hours of grid workers, for a purpose."""

    month: Month
    campaign: str
    body: str
    title: Title
    hours: Annotated[int, Field(ge=1)]
    sites: tuple[Site, ...]
    first: date
    last: date
    by: str
    at: AwareDatetime


class CampaignApproved(Event, type="commongrid.grid_tasks.campaigns.approved.v1"):
    """Its hours are taken from the month's budget."""

    month: Month
    campaign: str
    hours: Annotated[int, Field(ge=1)]
    sites: tuple[Site, ...]
    first: date
    last: date
    by: str
    at: AwareDatetime


class CampaignRefused(Event, type="commongrid.grid_tasks.campaigns.refused.v1"):
    """It does not take place."""

    month: Month
    campaign: str
    reason: str
    by: str
    at: AwareDatetime


class PatrolFinding(BaseModel):
    """What was found at a point of a patrol: nothing, or something that becomes a case."""

    model_config = ConfigDict(frozen=True)

    point: Annotated[str, Field(min_length=1, max_length=100)]
    """What people call it: 公园东门."""
    category: str | None = None
    """Of the duty list; None: nothing was found."""
    description: str = ""
    place: Place | None = None


class PatrolWalked(Event, type="commongrid.grid_tasks.patrol.walked.v1"):
    """A worker was at these points (巡查). No track and no distance is kept."""

    patrol: str
    grid: str
    worker: str
    points: Annotated[int, Field(ge=1)]
    found: Annotated[int, Field(ge=0)]
    """At how many of them there was something."""
    findings: tuple[PatrolFinding, ...] = personal(default=(), erased=())
    done_at: AwareDatetime | None = None
    """When it was, where that was without a network and told later."""
    at: AwareDatetime
