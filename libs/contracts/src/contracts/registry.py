"""What the registry publishes: 一标三实, grids, roster and duty list.

Each register is kept by `…registered` (all that is known, first time) and `…changed` (all that is known, from now on):
whoever follows them needs no earlier event to know the present state.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from contracts import erasure
from contracts.audit import ActDone, ActRefused
from contracts.common import (
    DeadlineClock,
    ErasureGround,
    Holder,
    IdentityDocument,
    Place,
    Post,
    Presence,
    Purpose,
    Residency,
    Tenure,
    Title,
    UnitCategory,
)
from events import Event, personal
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class NameKind(StrEnum):
    """What kind of further name an address has."""

    ALIAS = "alias"  # 别名: what people call it
    FORMER = "former"  # 曾用名: what it was called before its street was renamed


class AddressName(BaseModel):
    """A further name of an address, as one writes it."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: NameKind
    until: date | None = None
    """Former names: the first day on which it was called otherwise."""


class Facts(Event):
    """What an entry in a register says besides what is so: since when, and who says it."""

    since: date | None = None
    """The day, in China, from which it is so in the world; none: the day on which the registry took the event."""
    source: str = ""
    """Who says so: a system or a file's origin; empty: whoever keeps the register."""
    corrects: bool = False
    """It was so all the time, and what the register said instead was wrong."""


class Disputed(Event):
    """A source says otherwise than the register, and is not believed, or not before somebody has decided."""

    disputed: Annotated[tuple[str, ...], Field(min_length=1)]
    """The fields in which the register keeps what it holds."""


class Confirmed(Event):
    """A source that had said otherwise, or nothing yet, says what the register says."""

    source: str = ""


class AddressFacts(Facts):
    """A standard address (标准地址)."""

    address: str
    division_code: Annotated[str, Field(pattern=r"^\d{12}$")]
    """Division code down to the community: GB/T 2260 and the 12-digit statistical code."""
    street: str
    number: str
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    place: Place
    grid: str | None = None
    """Code of the grid that the address lay in when this was entered; none if in no grid. Grids are drawn anew: whoever
    needs the present one follows `map.redrawn` and asks which ground the place lies on."""
    names: tuple[AddressName, ...] = ()
    """By which other names it is found."""


class AddressRegistered(AddressFacts, type="commongrid.registry.address.registered.v1"):
    """A standard address was entered for the first time."""


class AddressChanged(AddressFacts, type="commongrid.registry.address.changed.v1"):
    """What is known of a standard address has changed."""


class AddressConfirmed(Confirmed, type="commongrid.registry.address.confirmed.v1"):
    """A source says of an address what the register says."""

    address: str


class AddressDisputed(AddressFacts, Disputed, type="commongrid.registry.address.disputed.v1"):
    """A source says otherwise of an address than the register."""


class StreetRenamed(Event, type="commongrid.registry.street.renamed.v1"):
    """A street has another name. `address.changed` follows for each address on it, with the old name as a former
    one."""

    renaming: str
    division_code: Annotated[str, Field(pattern=r"^\d{12}$")]
    """Of the community in which the street, or this part of it, lies."""
    street: str
    """What it was called."""
    renamed: str
    """What it is called."""
    on: date
    """The first day on which it is."""
    by: str
    at: AwareDatetime


class BuildingFacts(Facts):
    """A building, or a house in one (实有房屋)."""

    building: str
    address: str
    name: str
    kind: str
    floors: Annotated[int, Field(ge=1)]
    built_year: int | None = None
    rooms: Annotated[int, Field(ge=1)] | None = None
    beds: Annotated[int, Field(ge=0)] | None = None
    tenure: Tenure | None = None
    tenants: Annotated[int, Field(ge=0)] | None = None
    """To how many people it is let."""


class BuildingRegistered(BuildingFacts, type="commongrid.registry.building.registered.v1"):
    """A building was entered for the first time."""


class BuildingChanged(BuildingFacts, type="commongrid.registry.building.changed.v1"):
    """What is known of a building has changed."""


class BuildingConfirmed(Confirmed, type="commongrid.registry.building.confirmed.v1"):
    """A source says of a building what the register says."""

    building: str


class BuildingDisputed(BuildingFacts, Disputed, type="commongrid.registry.building.disputed.v1"):
    """A source says otherwise of a building than the register."""


class HouseholdFacts(Facts):
    """A household (户). Who belongs to it, and who is its head (户主), its people say."""

    household: str
    address: str
    dissolved: bool = False
    """Nobody belongs to it any more: it was merged into another one, or all have left."""


class HouseholdRegistered(HouseholdFacts, type="commongrid.registry.household.registered.v1"):
    """A household was entered for the first time."""


class HouseholdChanged(HouseholdFacts, type="commongrid.registry.household.changed.v1"):
    """What is known of a household has changed."""


class HouseholdConfirmed(Confirmed, type="commongrid.registry.household.confirmed.v1"):
    """A source says of a household what the register says."""

    household: str


class HouseholdDisputed(HouseholdFacts, Disputed, type="commongrid.registry.household.disputed.v1"):
    """A source says otherwise of a household than the register."""


class PersonFacts(Facts):
    """A person who really lives here (实有人口)."""

    person: str
    """Pseudonymous id."""
    name: str = personal()
    id_number: str = personal()
    """Number of the document; of identity cards, GB 11643. Empty for people without a document."""
    sex: Annotated[str, Field(pattern="^[0129]$")] = personal(erased="0")
    """GB/T 2261.1: 0 unknown, 1 male, 2 female, 9 not stated."""
    birth_date: date = personal(erased=date.min)
    phone: str = personal(default="")
    residency: Residency
    household: str | None = personal(default=None)
    relation: str | None = personal(default=None)
    """Relation to the head of the household (户主): head, spouse, child, parent, other."""
    address: str = personal()
    registered_until: date | None = None
    """Floating residents: when the registration ends."""
    document: IdentityDocument = IdentityDocument.IDENTITY_CARD
    presence: Presence = Presence.HERE
    home_hours: str = personal(default="")
    """When they can be met at home: `1-5 18:00-21:00; 6-7 09:00-21:00`, Monday being 1."""
    no_contact: bool = False
    """They asked not to be contacted."""


class PersonRegistered(PersonFacts, type="commongrid.registry.person.registered.v1"):
    """A person was entered for the first time."""


class PersonChanged(PersonFacts, type="commongrid.registry.person.changed.v1"):
    """What is known of a person has changed."""


class PersonConfirmed(Confirmed, type="commongrid.registry.person.confirmed.v1"):
    """A source says of a person what the register says."""

    person: str


class PersonDisputed(PersonFacts, Disputed, type="commongrid.registry.person.disputed.v1"):
    """A source says otherwise of a person than the register."""


class PersonMerged(Event, type="commongrid.registry.person.merged.v1"):
    """Somebody was entered twice: `person` is the same as `into`, and is spoken of as that from now on."""

    person: str
    into: str
    by: str
    at: AwareDatetime


class PersonUnmerged(Event, type="commongrid.registry.person.unmerged.v1"):
    """They are two people after all: `person` is spoken of as itself again."""

    person: str
    apart_from: str
    by: str
    at: AwareDatetime


class PersonErased(Event, type="commongrid.registry.person.erased.v1"):
    """A person was erased (删除): their key is destroyed, and whoever holds anything derived from it drops it."""

    person: str
    ground: ErasureGround
    at: AwareDatetime


class PersonHeld(Event, type="commongrid.registry.person.held.v1"):
    """The law asks that this person's data be kept (依法留存): nobody may erase it before `until`."""

    person: str
    legal_basis: Annotated[str, Field(min_length=1)]
    until: AwareDatetime
    at: AwareDatetime


class PersonReleased(Event, type="commongrid.registry.person.released.v1"):
    """It need not be kept any longer."""

    person: str
    at: AwareDatetime


class DisclosureMade(Event, type="commongrid.registry.disclosure.made.v1"):
    """Somebody saw personal data of a person in the open (查阅留痕)."""

    disclosure: str
    person: str
    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    purpose: str
    by: str
    """A member of the roster, or a partner's system."""
    client: str | None = None
    """The partner's system, if it called by itself."""
    trace: str | None = None
    at: AwareDatetime


class CorrectionAsked(Event, type="commongrid.registry.correction.asked.v1"):
    """Somebody says that what is held of a person is wrong (更正申请, PIPL article 46). `fields` names what would be
    right otherwise; the others are None."""

    correction: str
    person: str
    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    name: str | None = personal(of="person", default=None)
    id_number: str | None = personal(of="person", default=None)
    sex: str | None = personal(of="person", default=None)
    birth_date: date | None = personal(of="person", default=None)
    phone: str | None = personal(of="person", default=None)
    reason: str = personal(of="person")
    """How it can be seen."""
    by: str
    """A member of the roster, or a partner's system."""
    client: str | None = None
    """The partner's system, if it called by itself."""
    at: AwareDatetime


class CorrectionAccepted(Event, type="commongrid.registry.correction.accepted.v1"):
    """It was wrong: `person.changed` follows."""

    correction: str
    person: str
    by: str
    at: AwareDatetime


class CorrectionRefused(Event, type="commongrid.registry.correction.refused.v1"):
    """It was right as it stands."""

    correction: str
    person: str
    reason: str = personal(of="person")
    by: str
    at: AwareDatetime


class UnitFacts(Facts):
    """A unit (实有单位): a company, a shop, a hotel, a chess room, a foot-bath shop, a school."""

    unit: str
    name: str
    category: UnitCategory
    address: str
    credit_code: str
    """Unified social credit code, GB 32100."""
    phone: str = personal(default="")
    licence: str = ""
    """Number of the licence that its trade needs (such as 特种行业许可证); empty where it has none."""
    licence_until: date | None = None
    """The last day on which the licence holds; none: as long as it is not withdrawn."""
    person_in_charge: str = personal(default="")
    staff: Annotated[int, Field(ge=0)] | None = None
    beds: Annotated[int, Field(ge=0)] | None = None
    fire_check_due: date | None = None
    safety_check_due: date | None = None
    closed: bool = False
    """It is not there any more."""


class UnitRegistered(UnitFacts, type="commongrid.registry.unit.registered.v1"):
    """A unit was entered for the first time."""


class UnitChanged(UnitFacts, type="commongrid.registry.unit.changed.v1"):
    """What is known of a unit has changed."""


class UnitConfirmed(Confirmed, type="commongrid.registry.unit.confirmed.v1"):
    """A source says of a unit what the register says."""

    unit: str


class UnitDisputed(UnitFacts, Disputed, type="commongrid.registry.unit.disputed.v1"):
    """A source says otherwise of a unit than the register."""


class GridFacts(Event):
    """A grid (网格): the area that a team looks after."""

    grid: str
    """Its code, as people say it: G1."""
    title: Title
    boundary: Annotated[list[tuple[float, float]], Field(min_length=4)]
    """One closed ring of (longitude, latitude), WGS-84, as in a GeoJSON polygon without holes."""
    division_code: str | None = None
    """Code of the community that it is part of, 12 digits; none where there is only one community."""


class GridDrawn(GridFacts, type="commongrid.registry.grid.drawn.v1"):
    """A grid was drawn for the first time."""


class GridRedrawn(GridFacts, type="commongrid.registry.grid.redrawn.v1"):
    """A grid's boundary or name has changed."""


class MapGrid(GridFacts):
    """A grid as a map shows it."""

    took_from: tuple[str, ...] = ()
    """The grids that had part of its ground before: one of several that took from it means that it was split."""


class MapRedrawn(Event, type="commongrid.registry.map.redrawn.v1"):
    """Grids of a community were drawn, drawn anew or given up, all at the same moment: who follows this is never shown
    half of it. All that lies in them follows by its place."""

    map: str
    """Code of the community, 12 digits; `all` where there is only one."""
    drawn: tuple[MapGrid, ...] = ()
    """The grids that are new or look different; the others stay as they are."""
    given_up: tuple[str, ...] = ()
    """Codes of the grids that are no more."""
    since: date | None = None
    """The day from which it holds; none: the day on which the registry took the event."""


class SourceRulesSet(Event, type="commongrid.registry.source_rules.set.v1"):
    """It was laid down which source is believed in which field of a register, where sources differ."""

    of: str
    """The register: people, units…"""
    rules: dict[str, str | tuple[str, ...]]
    """By field: `newest`; `ask`: a person decides; or sources, the most trusted first. Others: newest."""
    by: str
    at: AwareDatetime


class SampleDrawn(Event, type="commongrid.registry.sample.drawn.v1"):
    """People of a grid were drawn at random, to be visited again (抽样回访): whether what the register says is so."""

    sample: str
    period: str
    grid: str
    persons: Annotated[tuple[str, ...], Field(min_length=1)]
    seed: int
    """With it, the draw can be repeated by whoever has the ids that there were."""
    by: str
    at: AwareDatetime


class SampleAnswered(Event, type="commongrid.registry.sample.answered.v1"):
    """Somebody was visited again, and what the register says is so or not."""

    sample: str
    person: str
    right: bool
    wrong: tuple[str, ...] = ()
    """The fields that are not right."""
    by: str
    at: AwareDatetime


class Accuracy(BaseModel):
    """The share of records that were right at a random re-visit, and its 95% confidence interval (Wilson)."""

    model_config = ConfigDict(frozen=True)

    rate: float
    low: float
    high: float
    of: int
    """How many were looked at."""


class QualityMeasured(Event, type="commongrid.registry.quality.measured.v1"):
    """How good the registers of a grid are on a day (数据质量). Shares are from 0 to 1."""

    quality: str
    grid: str
    day: date
    records: int
    complete: float
    """底数清: what is needed is there."""
    fresh: float
    """动态准: confirmed within half a year."""
    consistent: float
    """Records that break no rule."""
    accurate: Accuracy | None = None
    """情况明: right at a random re-visit; none where nobody was visited."""
    score: float
    """From 0 to 100."""


class DueKind(StrEnum):
    """What falls due."""

    REGISTRATION = "registration"  # 流动人口登记到期
    LICENCE = "licence"  # 许可证到期
    FIRE_CHECK = "fire_check"  # 消防检查
    SAFETY_CHECK = "safety_check"  # 安全检查
    REVISIT = "revisit"  # 久未核实


class DueNoticed(Event, type="commongrid.registry.due.noticed.v1"):
    """Something falls due on a day to come: there is time for a visit. `due.settled` tells when the register says
    otherwise."""

    due: str
    kind: DueKind
    of: str
    """The register that the thing stands in: people or units."""
    thing: str
    """Id of the person or unit."""
    grid: str | None = None
    on: date


class DuePassed(Event, type="commongrid.registry.due.passed.v1"):
    """Its day is over, and the register says still what it said: nobody has settled it in time. Once for each due."""

    due: str
    kind: DueKind
    of: str
    """The register that the thing stands in: people or units."""
    thing: str
    """Id of the person or unit."""
    grid: str | None = None
    """In which it lies now."""
    on: date
    at: AwareDatetime


class DueSettled(Event, type="commongrid.registry.due.settled.v1"):
    """The register does not say any more that this falls due on that day: it was renewed, checked or confirmed; or who
    or what it is of has moved away, is closed, or is not on the register any more. What falls due again later, or on
    the same day after all, is another due."""

    due: str
    thing: str
    """Id of the person or unit."""
    at: AwareDatetime


class WhereaboutsTold(Event, type="commongrid.registry.whereabouts.told.v1"):
    """Where, and when, somebody who is to be visited can be met: told of those of whom `due.noticed` or `sample.drawn`
    tells, and again when it changes. It has a key of its own: whoever plans visits can read this of people, and neither
    their names nor anything else."""

    whereabouts: str
    """Id of the person or unit."""
    of: str
    """The register that it stands in: people or units."""
    grid: str | None = None
    building: str = personal(default="")
    """The building as one says it, without unit and room: 蚕花路6号1幢."""
    place: Place | None = personal(default=None)
    home_hours: str = personal(default="")
    """As the register has them: `1-5 18:00-21:00; 6-7 09:00-21:00`; empty where nothing is known."""
    no_contact: bool = False
    """They asked not to be contacted."""


class Training(BaseModel):
    """A course that somebody has taken."""

    model_config = ConfigDict(frozen=True)

    course: Annotated[str, Field(min_length=1, max_length=100)]
    on: date


class MemberFacts(Event):
    """Someone in a post (在岗人员): these are public functions, on the wall of the community office."""

    member: str
    name: str = personal(sealed=False)
    """In the open: who is in a public post is public, and published boards name them for ever."""
    post: Post
    grid: str | None = None
    """Code of the grid; none for posts that look after the whole community."""
    division_code: str | None = None
    """Code of the division that the post is for, 2 to 12 digits; none where there is only one community."""
    email: str = personal()
    phone: str = personal(default="")
    further_posts: tuple[Post, ...] = ()
    """Posts that they hold besides: a police officer who is deputy secretary (副书记) has the powers of both."""
    further_grids: tuple[str, ...] = ()
    """Codes of grids that they look after besides."""
    hours: str = ""
    """When they are on duty: `1-5 09:00-18:00`, Monday being 1."""
    skills: tuple[str, ...] = ()
    """What they can be asked for: mediation, fire_safety."""
    training: tuple[Training, ...] = ()
    on_leave_since: date | None = None
    on_leave_until: date | None = None
    """The last day of the leave."""
    body: str = ""
    """The body that sends them: 公安局, 综合行政执法局."""
    team: str = ""
    """The joint office (合室办公) or other team that they work in, with members of several bodies."""


class MemberAppointed(MemberFacts, type="commongrid.registry.member.appointed.v1"):
    """Someone took up a post."""


class MemberChanged(MemberFacts, type="commongrid.registry.member.changed.v1"):
    """The post, grid or contact of someone in post has changed."""


class MemberDismissed(Event, type="commongrid.registry.member.dismissed.v1"):
    """Someone left their post."""

    member: str


class DutyFacts(Event):
    """An entry of the duty list (责任清单): who must deal with a category of cases, by when, to what standard."""

    category: str
    title: Title
    department: Title
    """The department whose duty it is."""
    grid_duty: bool
    """Whether it is on the grid workers' list; if not, a grid worker is not asked to do it."""
    deadline_minutes: Annotated[int, Field(ge=1)] | None = None
    """From dispatch to the result handed in; set where `grid_duty`."""
    standard: Title | None = None
    """What "done" means."""
    legal_basis: str
    clock: DeadlineClock = DeadlineClock.CLOCK_HOURS
    role: Post = Post.GRID_WORKER
    """The post that handles it where it is the grid's duty. What is a department's goes to its liaison."""
    skills: tuple[str, ...] = ()
    """What who handles it must be able to do, in the roster's words."""
    photos: Annotated[int, Field(ge=0, le=20)] = 0
    """How many photos or other files the result must come with (证据要求)."""
    weight: Annotated[int, Field(ge=1, le=100)] = 1
    """How much work it is, beside others: what is in hand is weighed by it."""
    look_percent: Annotated[int, Field(ge=0, le=100)] = 0
    """How many of a hundred, drawn at random, are looked at on the spot by a second person before they are closed
    (抽查比例)."""
    urgent: bool = False
    """Whether it goes the short way (紧急): whoever is there acts, and the paper is done afterwards."""
    rule: DueKind | None = None
    """What falls due and is a case of this category by itself when its day has passed (到期未办); none: nothing is."""


class DutyListed(DutyFacts, type="commongrid.registry.duty.listed.v1"):
    """A category was put on the duty list."""


class DutyChanged(DutyFacts, type="commongrid.registry.duty.changed.v1"):
    """An entry of the duty list has changed."""


class PowerFacts(Event):
    """An entry of the power list (权力清单): who may do what, on which legal basis, how far, for what, and when."""

    power: Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$")]
    """Its code, which the routes name: `cases.verify`."""
    title: Title
    legal_basis: Annotated[str, Field(min_length=1)]
    holders: tuple[Holder, ...]
    purposes: tuple[Purpose, ...] = ()
    since: datetime
    until: datetime | None = None
    """The first moment at which it is in force no more; none: until it is withdrawn."""


class PowerListed(PowerFacts, type="commongrid.registry.power.listed.v1"):
    """A power was put on the list."""


class PowerChanged(PowerFacts, type="commongrid.registry.power.changed.v1"):
    """What the list says of a power has changed."""


class PowerWithdrawn(Event, type="commongrid.registry.power.withdrawn.v1"):
    """A power was taken off the list: nobody has it any more."""

    power: str


class AuditRefused(ActRefused, type="commongrid.registry.audit.refused.v1"):
    """The service refused an act."""


class AuditDone(ActDone, type="commongrid.registry.audit.done.v1"):
    """A privileged act that no other event of the service tells of."""


class ErasureConfirmed(erasure.ErasureConfirmed, type="commongrid.registry.erasure.confirmed.v1"):
    """It holds nothing of this person any more."""


class ImportBegun(Event, type="commongrid.registry.import.begun.v1"):
    """Somebody brings a file into a register (批量导入)."""

    import_id: str
    into: Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]
    """The register: `people`."""
    file: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the file."""
    mapping: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of how it is read: its mapping, and which sheet."""
    source: str | None = None
    """Whose file it is, as its mapping says."""
    lines: Annotated[int, Field(ge=0)]
    by: str
    """A member of the roster, or a partner's system."""
    at: AwareDatetime


class ImportCounts(Event):
    """What became of the rows of an import so far. Each is counted once: the last four add up to the first."""

    import_id: str
    rows: Annotated[int, Field(ge=0)]
    registered: Annotated[int, Field(ge=0)]
    changed: Annotated[int, Field(ge=0)]
    unchanged: Annotated[int, Field(ge=0)]
    refused: Annotated[int, Field(ge=0)]
    at: AwareDatetime


class ImportProgressed(ImportCounts, type="commongrid.registry.import.progressed.v1"):
    """An import has come so far."""

    line: Annotated[int, Field(ge=1)]
    """All rows until this line were entered or refused."""


class ImportEnded(ImportCounts, type="commongrid.registry.import.ended.v1"):
    """All rows of an import were entered or refused."""
