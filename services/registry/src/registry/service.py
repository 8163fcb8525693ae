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
    PersonMerged,
    PersonReleased,
    PersonUnmerged,
    PowerChanged,
    PowerListed,
    PowerWithdrawn,
    SourceRulesSet,
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
    disputes,
    dues,
    duplicates,
    duties,
    erasures,
    features,
    grid_counts,
    grids,
    households,
    imports,
    members,
    moves,
    people,
    power_list,
    quality,
    registers,
    snapshots,
    source_rules,
    streets,
    units,
)
from registry.domain.address import ADDRESS
from registry.domain.building import BUILDING
from registry.domain.correction import CORRECTION
from registry.domain.disclosure import DISCLOSURE
from registry.domain.due import DUE
from registry.domain.duty import DUTY
from registry.domain.grid_map import GRID, MAP
from registry.domain.household import HOUSEHOLD
from registry.domain.imports import IMPORT
from registry.domain.member import MEMBER
from registry.domain.notices import QUALITY
from registry.domain.person import PERSON
from registry.domain.power import POWER
from registry.domain.sample import SAMPLE
from registry.domain.source_rules import SOURCE_RULES
from registry.domain.street import STREET
from registry.domain.unit import UNIT
from registry.domain.whereabouts import WHEREABOUTS
from registry.measuring import measuring, noticing, passing, settling
from registry.policies.correcting import correcting
from registry.policies.renaming import renaming
from registry.policies.telling_where import telling_where
from registry.policies.visited import visited
from registry.read_models.address_names import address_names
from registry.read_models.buildings import buildings as building_list
from registry.read_models.corrections import corrections as correction_list
from registry.read_models.disclosures import disclosures as disclosure_list
from registry.read_models.disputes import disputes as dispute_list
from registry.read_models.dues import dues as due_list
from registry.read_models.duties import duties as duty_list
from registry.read_models.erasures import erasures as erasure_list
from registry.read_models.households import households as household_list
from registry.read_models.imports import imports as import_list
from registry.read_models.past import past
from registry.read_models.people import people as people_list
from registry.read_models.roster import roster
from registry.read_models.samples import samples
from registry.read_models.territory import territory
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
        PersonMerged,
        PersonUnmerged,
        SourceRulesSet,
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
        MAP,
        GRID,
        MEMBER,
        DUTY,
        POWER,
        DISCLOSURE,
        CORRECTION,
        SOURCE_RULES,
        SAMPLE,
        QUALITY,
        DUE,
        IMPORT,
        STREET,
        WHEREABOUTS,
        erasure.aggregate,
        audit.aggregate,
    ],
    read_models=[
        territory,
        past,
        building_list,
        household_list,
        people_list,
        unit_list,
        roster,
        duty_list,
        disclosure_list,
        correction_list,
        dispute_list,
        samples,
        due_list,
        import_list,
        erasure_list,
        address_names,
        authority,
        audit.read_model,
    ],
    policies=[correcting, renaming, telling_where, visited, erasure.policy],
)

application = Application(
    registry,
    routers=[
        it.router
        for it in (
            registers,
            imports,
            grids,
            grid_counts,
            addresses,
            buildings,
            households,
            people,
            moves,
            duplicates,
            disputes,
            source_rules,
            quality,
            dues,
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
    workers=[erasing_who_left, measuring, noticing, passing, settling],
    audit=audit,
    asyncapi=document("registry"),
)
