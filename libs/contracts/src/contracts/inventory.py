"""The inventory of personal data (个人信息清单): each personal field of the published events, what it is for, on which
legal basis, and how long it is kept. `contracts/personal-data.md` is made from it and from the models; a field without
an entry cannot be published.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.catalogue import PUBLISHED
from events import Event
from events.event import aggregate_of


@dataclass(frozen=True, slots=True)
class Entry:
    """Why a kind of data is held. Texts for a table."""

    purpose: str
    basis: str
    kept: str


WHO_LIVES_HERE = Entry(
    "to know who lives here: registration, visits, rescue",
    "PIPL art. 34; Resident Identity Card Law art. 15; residence registration rules of the province",
    "permanent residents: until erased on request (PIPL art. 47); floating residents: 2 years after their registration "
    "ends, then erased by itself",
)
IN_A_POST = Entry(
    "to tell whoever is in a public post what they have to do",
    "GB/T 34300-2017; PIPL art. 13(3)",
    "while in the post; afterwards until erased",
)
A_CORRECTION = Entry(
    "to put right what is held wrongly",
    "PIPL art. 46",
    "as long as the person is registered, as what the register said and why; erased with them",
)
A_UNIT = Entry("to reach the person in charge of a unit", "PIPL art. 34", "while the unit is registered")
A_CASE = Entry(
    "to deal with what was reported, and to say so to whoever reported it",
    "Regulations on Petitions art. 17; PIPL art. 13(3)",
    "3 years after the case is closed (Civil Code art. 188), then erased by itself",
)
A_PHOTO = Entry(
    "to see that evidence of a case was taken where and when the case was",
    "Regulations on Petitions art. 17; PIPL art. 13(3)",
    "as long as what was written of its case; 24 hours if no case names it; then erased by itself, with the photo",
)
A_VISIT = Entry(
    "to visit people when they are at home, and to bring what they answered to the registers",
    "PIPL art. 34; residence registration rules of the province; GB/T 34300-2017",
    "183 days after the end of the visit, then erased by itself; at once when who was visited is erased",
)
WHERE_ONE_IS_MET = Entry(
    "to plan a visit: which building, and when somebody is at home",
    "PIPL art. 6 and 34",
    "while somebody is registered who was to be visited; erased with them",
)
A_PATROL = Entry(
    "to make a case of what was found",
    "GB/T 34300-2017",
    "until the case is there, then erased by itself",
)

ENTRIES: dict[tuple[str, str], Entry] = {
    **dict.fromkeys(
        [
            ("person", field)
            for field in (
                "name",
                "id_number",
                "sex",
                "birth_date",
                "phone",
                "household",
                "relation",
                "address",
                "home_hours",
            )
        ],
        WHO_LIVES_HERE,
    ),
    **dict.fromkeys(
        [("correction", field) for field in ("name", "id_number", "sex", "birth_date", "phone", "reason")], A_CORRECTION
    ),
    **dict.fromkeys([("member", field) for field in ("email", "phone")], IN_A_POST),
    **dict.fromkeys([("unit", field) for field in ("phone", "person_in_charge")], A_UNIT),
    **dict.fromkeys([("case", field) for field in ("description", "contact", "result", "reason", "words")], A_CASE),
    **dict.fromkeys([("visit", field) for field in ("site", "hours", "reason", "answers")], A_VISIT),
    **dict.fromkeys([("whereabouts", field) for field in ("building", "place", "home_hours")], WHERE_ONE_IS_MET),
    ("patrol", "findings"): A_PATROL,
    **dict.fromkeys([("evidence", field) for field in ("place_taken", "datum", "taken_at")], A_PHOTO),
}
"""By kind of thing and field."""


def personal_fields() -> Iterator[tuple[str, str, str, type[Event]]]:
    """Service, kind of thing, field, and one event class that has it: each once."""
    seen: set[tuple[str, str]] = set()
    for service, classes in PUBLISHED.items():
        for cls in classes:
            for name in cls.personal:
                key = aggregate_of(cls.type_name), name
                if key not in seen:
                    seen.add(key)
                    yield service, *key, cls


def table() -> str:
    """The inventory as a table in Markdown. Raises KeyError for a field without an entry."""
    lines = [
        "# Personal data that is held",
        "",
        "Written by `python contracts/generate.py` from the event models and `contracts.inventory`. Every field is",
        "sealed with the person's own key in stores and on topics. Who sees it, for what, stands on the power list:",
        "`GET /powers`. Why so, and what is not held: [docs/privacy.md](../docs/privacy.md).",
        "",
        "| data of | field | what it is | purpose | legal basis | kept |",
        "|---|---|---|---|---|---|",
    ]
    for service, kind, name, cls in personal_fields():
        entry = ENTRIES[kind, name]
        note = " ".join((cls.model_fields[name].description or "").split()) or "—"
        lines.append(f"| {kind} ({service}) | `{name}` | {note} | {entry.purpose} | {entry.basis} | {entry.kept} |")
    return "\n".join(lines) + "\n"
