"""Where a source says otherwise than a register: of what, in which fields. What it says stands in the events."""

from collections.abc import Sequence
from typing import Any

from contracts.registry import (
    AddressChanged,
    AddressConfirmed,
    AddressDisputed,
    BuildingChanged,
    BuildingConfirmed,
    BuildingDisputed,
    HouseholdChanged,
    HouseholdConfirmed,
    HouseholdDisputed,
    PersonChanged,
    PersonConfirmed,
    PersonDisputed,
    PersonErased,
    UnitChanged,
    UnitConfirmed,
    UnitDisputed,
)
from events import Batch, Connection, Database, Event, ReadModel

from registry.domain.sources import DECISION

disputes = ReadModel(
    "disputes",
    tables="""
    create table dispute (
        register text not null,
        id text collate "C" not null,
        source text not null,
        fields text not null,
        said_at timestamptz not null,
        primary key (register, id, source)
    );
    create index dispute_said on dispute (said_at, register, id, source);
    """,
)

KINDS: Sequence[tuple[str, str, type[Event], tuple[type[Event], ...]]] = (
    ("addresses", "address", AddressDisputed, (AddressChanged, AddressConfirmed)),
    ("buildings", "building", BuildingDisputed, (BuildingChanged, BuildingConfirmed)),
    ("households", "household", HouseholdDisputed, (HouseholdChanged, HouseholdConfirmed)),
    ("people", "person", PersonDisputed, (PersonChanged, PersonConfirmed)),
    ("units", "unit", UnitDisputed, (UnitChanged, UnitConfirmed)),
)


def _follow(register: str, id_field: str, disputed: type[Event], ended_by: tuple[type[Event], ...]) -> None:
    async def note(db: Connection, events: Batch[Any]) -> None:
        """A source is not believed."""
        await db.execute(
            """insert into dispute (register, id, source, fields, said_at)
               select distinct on (id, source) $1, id, source, fields, at
               from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) with ordinality
                    as d(id, source, fields, at, nth)
               order by id, source, nth desc
               on conflict (register, id, source) do update set fields = excluded.fields, said_at = excluded.said_at""",
            register,
            events.column(id_field),
            events.column("source"),
            [" ".join(fields) for fields in events.column("disputed")],
            [raw.recorded_at for raw in events.raws],
        )

    async def end(db: Connection, events: Batch[Any]) -> None:
        """The source is believed now, or somebody has decided."""
        await db.execute(
            """delete from dispute d using unnest($2::text[], $3::text[]) as e(id, source)
               where d.register = $1 and d.id = e.id and (d.source = e.source or e.source = $4)""",
            register,
            events.column(id_field),
            events.column("source"),
            DECISION,
        )

    disputes.on(disputed)(note)
    for cls in ended_by:
        disputes.on(cls)(end)


for _kind in KINDS:
    _follow(*_kind)


@disputes.on(PersonErased)
async def erased(db: Connection, events: Batch[PersonErased]) -> None:
    """There is nobody to differ about."""
    await db.execute("delete from dispute where register = 'people' and id = any($1::text[])", events.column("person"))


async def page(db: Database, register: str | None, after: Sequence[Any] | None, limit: int) -> list[Any]:
    """What is in dispute, what was said first before: one more than `limit`, if there are more."""
    return await db.fetch(
        """select register as of, id, source, string_to_array(fields, ' ') as fields, said_at from dispute
           where ($1::text is null or register = $1)
             and ($2::timestamptz is null or (said_at, register, id, source) > ($2, $3, $4, $5))
           order by said_at, register, id, source limit $6 + 1""",
        register,
        *(after or (None, None, None, None)),
        limit,
    )
