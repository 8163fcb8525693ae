"""The registry at a glance."""

from contracts.asyncapi import document
from contracts.registry import (
    AuditDone,
    AuditRefused,
    CorrectionAccepted,
    CorrectionRefused,
    DisclosureMade,
    ErasureConfirmed,
    MemberAppointed,
    MemberChanged,
    MemberDismissed,
    PersonErased,
    PersonHeld,
    PersonReleased,
    PowerChanged,
    PowerListed,
    PowerWithdrawn,
)
from edge import Application, Audit, authority
from edge.erasures import erasures as confirming
from events import Service

from registry.api import (
    addresses,
    buildings,
    copies,
    corrections,
    disclosures,
    duties,
    erasures,
    features,
    grids,
    households,
    members,
    people,
    power_list,
    registers,
    snapshots,
    streets,
    units,
)
from registry.domain.address import ADDRESS
from registry.domain.building import BUILDING
from registry.domain.correction import CORRECTION
from registry.domain.disclosure import DISCLOSURE
from registry.domain.duty import DUTY
from registry.domain.grid import GRID
from registry.domain.household import HOUSEHOLD
from registry.domain.member import MEMBER
from registry.domain.person import PERSON
from registry.domain.power import POWER
from registry.domain.street import STREET
from registry.domain.unit import UNIT
from registry.policies.correcting import correcting
from registry.policies.relocating import relocating
from registry.policies.renaming import renaming
from registry.read_models.address_names import address_names
from registry.read_models.addresses import addresses as address_list
from registry.read_models.buildings import buildings as building_list
from registry.read_models.corrections import corrections as correction_list
from registry.read_models.disclosures import disclosures as disclosure_list
from registry.read_models.duties import duties as duty_list
from registry.read_models.erasures import erasures as erasure_list
from registry.read_models.grids import grids as grid_map
from registry.read_models.households import households as household_list
from registry.read_models.people import people as people_list
from registry.read_models.roster import roster
from registry.read_models.units import units as unit_list
from registry.retention import erasing_who_left

erasure = confirming(ErasureConfirmed, people_list, owner=True)
audit = Audit(
    AuditRefused,
    AuditDone,
    also=(
        PowerListed,
        PowerChanged,
        PowerWithdrawn,
        MemberAppointed,
        MemberChanged,
        MemberDismissed,
        DisclosureMade,
        CorrectionAccepted,
        CorrectionRefused,
        PersonErased,
        PersonHeld,
        PersonReleased,
    ),
)

registry = Service(
    "registry",
    aggregates=[
        ADDRESS,
        BUILDING,
        HOUSEHOLD,
        PERSON,
        UNIT,
        GRID,
        MEMBER,
        DUTY,
        POWER,
        DISCLOSURE,
        CORRECTION,
        STREET,
        erasure.aggregate,
        audit.aggregate,
    ],
    read_models=[
        address_list,
        building_list,
        household_list,
        people_list,
        unit_list,
        grid_map,
        roster,
        duty_list,
        disclosure_list,
        correction_list,
        erasure_list,
        address_names,
        authority,
        audit.read_model,
    ],
    policies=[relocating, correcting, renaming, erasure.policy],
)

application = Application(
    registry,
    routers=[
        it.router
        for it in (
            registers,
            grids,
            addresses,
            buildings,
            households,
            people,
            disclosures,
            copies,
            corrections,
            erasures,
            units,
            members,
            duties,
            power_list,
            streets,
            features,
            snapshots,
        )
    ],
    description="One standard, four registers (一标三实): addresses, people, houses, units; grids, roster, duty list.",
    statuses={"wrong-entry": 422, "not-in-this-form": 406, "nothing-to-correct": 422, "own-request": 403},
    workers=[erasing_who_left],
    audit=audit,
    asyncapi=document("registry"),
)
