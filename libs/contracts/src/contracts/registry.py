"""What the registry publishes: 一标三实, grids, roster and duty list.

Each register is kept by `…registered` (all that is known, first time) and `…changed` (all that is known, from now on):
whoever follows them needs no earlier event to know the present state.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from contracts import erasure
from contracts.audit import ActDone, ActRefused
from contracts.common import ErasureGround, Holder, Place, Post, Purpose, Residency, Title, UnitCategory
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


class AddressFacts(Event):
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
    """Code of the grid that the address lies in; none if it lies in no grid."""
    names: tuple[AddressName, ...] = ()
    """By which other names it is found."""


class AddressRegistered(AddressFacts, type="commongrid.registry.address.registered.v1"):
    """A standard address was entered for the first time."""


class AddressChanged(AddressFacts, type="commongrid.registry.address.changed.v1"):
    """What is known of a standard address has changed."""


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


class BuildingFacts(Event):
    """A building (实有房屋)."""

    building: str
    address: str
    name: str
    kind: str
    floors: Annotated[int, Field(ge=1)]
    built_year: int | None = None


class BuildingRegistered(BuildingFacts, type="commongrid.registry.building.registered.v1"):
    """A building was entered for the first time."""


class BuildingChanged(BuildingFacts, type="commongrid.registry.building.changed.v1"):
    """What is known of a building has changed."""


class HouseholdFacts(Event):
    """A household (户)."""

    household: str
    address: str


class HouseholdRegistered(HouseholdFacts, type="commongrid.registry.household.registered.v1"):
    """A household was entered for the first time."""


class HouseholdChanged(HouseholdFacts, type="commongrid.registry.household.changed.v1"):
    """What is known of a household has changed."""


class PersonFacts(Event):
    """A person who really lives here (实有人口)."""

    person: str
    """Pseudonymous id."""
    name: str = personal()
    id_number: str = personal()
    """Resident identity number, GB 11643."""
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


class PersonRegistered(PersonFacts, type="commongrid.registry.person.registered.v1"):
    """A person was entered for the first time."""


class PersonChanged(PersonFacts, type="commongrid.registry.person.changed.v1"):
    """What is known of a person has changed."""


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


class UnitFacts(Event):
    """A unit (实有单位): a shop, a hotel, a chess room, a foot-bath shop."""

    unit: str
    name: str
    category: UnitCategory
    address: str
    credit_code: str
    """Unified social credit code, GB 32100."""
    phone: str = personal(default="")


class UnitRegistered(UnitFacts, type="commongrid.registry.unit.registered.v1"):
    """A unit was entered for the first time."""


class UnitChanged(UnitFacts, type="commongrid.registry.unit.changed.v1"):
    """What is known of a unit has changed."""


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
