"""The power list and the roster, as every service projects them from the registry: what powers are judged by.

A process holds them in memory and asks twice a second whether they have changed, so that who leaves a post is refused
within a second everywhere, though their token still lives. `edge.powers` judges.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from contracts.registry import (
    GridDrawn,
    GridFacts,
    GridRedrawn,
    MapRedrawn,
    MemberAppointed,
    MemberChanged,
    MemberDismissed,
    MemberFacts,
    PowerChanged,
    PowerFacts,
    PowerListed,
    PowerWithdrawn,
)
from events import Batch, Connection, Database, Pool, ReadModel, Recorded

RECENT = 0.5
"""Seconds for which what is in memory counts as the list."""

authority = ReadModel(
    "authority",
    version=2,
    tables="""
    create table power (
        power text collate "C" primary key,
        facts json not null
    );
    create table post_holder (
        member text primary key,
        post text not null,
        grid text,
        division_code text,
        further_posts text not null, -- with spaces between
        further_grids text not null
    );
    create table ground (
        grid text primary key,
        division_code text
    );
    create table change ( -- one row: a second one would let two partitions wait for each other
        one boolean primary key default true check (one),
        count bigint not null
    );
    """,
)


async def _noted(db: Connection, events: Sequence[object]) -> None:
    await db.execute(
        "insert into change (count) values ($1) on conflict (one) do update set count = change.count + excluded.count",
        len(events),
    )


async def _list(db: Connection, events: Batch[PowerFacts]) -> None:
    await db.execute(
        """insert into power (power, facts)
           select distinct on (power) power, facts::json
           from unnest($1::text[], $2::text[]) with ordinality as p(power, facts, nth)
           order by power, nth desc
           on conflict (power) do update set facts = excluded.facts""",
        events.column("power"),
        [orjson.dumps(event.data.model_dump(mode="json")).decode() for event in events],
    )
    await _noted(db, events.raws)


@authority.on(PowerListed)
async def listed(db: Connection, events: Batch[PowerListed]) -> None:
    """A power is put on the list."""
    await _list(db, events)


@authority.on(PowerChanged)
async def changed(db: Connection, events: Batch[PowerChanged]) -> None:
    """Its entry says something else."""
    await _list(db, events)


@authority.on(PowerWithdrawn)
async def withdrawn(db: Connection, events: Batch[PowerWithdrawn]) -> None:
    """It is taken off the list."""
    await db.execute("delete from power where power = any($1::text[])", events.column("power"))
    await _noted(db, events.raws)


async def _hold(db: Connection, events: Batch[MemberFacts]) -> None:
    await db.execute(
        """insert into post_holder (member, post, grid, division_code, further_posts, further_grids)
           select distinct on (member) member, post, grid, division_code, posts, grids
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
                with ordinality as m(member, post, grid, division_code, posts, grids, nth)
           order by member, nth desc
           on conflict (member) do update set post = excluded.post, grid = excluded.grid,
               division_code = excluded.division_code, further_posts = excluded.further_posts,
               further_grids = excluded.further_grids""",
        *map(events.column, ("member", "post", "grid", "division_code")),
        *([" ".join(several) for several in events.column(name)] for name in ("further_posts", "further_grids")),
    )
    await _noted(db, events.raws)


@authority.on(MemberAppointed)
async def appointed(db: Connection, events: Batch[MemberAppointed]) -> None:
    """Someone takes up a post."""
    await _hold(db, events)


@authority.on(MemberChanged)
async def moved(db: Connection, events: Batch[MemberChanged]) -> None:
    """They have another post or grid."""
    await _hold(db, events)


@authority.on(MemberDismissed)
async def dismissed(db: Connection, events: Batch[MemberDismissed]) -> None:
    """They have left it."""
    await db.execute("delete from post_holder where member = any($1::text[])", events.column("member"))
    await _noted(db, events.raws)


async def _draw(db: Connection, drawn: Sequence[GridFacts]) -> None:
    await db.execute(
        """insert into ground (grid, division_code)
           select distinct on (grid) grid, division_code
           from unnest($1::text[], $2::text[]) with ordinality as g(grid, division_code, nth)
           order by grid, nth desc
           on conflict (grid) do update set division_code = excluded.division_code""",
        [it.grid for it in drawn],
        [it.division_code for it in drawn],
    )
    await _noted(db, drawn)


@authority.each(MapRedrawn)
async def map_redrawn(db: Connection, event: Recorded[MapRedrawn]) -> None:
    """There are other grids to look after, all at once."""
    await db.execute("delete from ground where grid = any($1::text[])", event.data.given_up)
    await _draw(db, event.data.drawn)


@authority.on(GridDrawn)
async def drawn(db: Connection, events: Batch[GridDrawn]) -> None:
    """There is a grid to look after."""
    await _draw(db, [event.data for event in events])


@authority.on(GridRedrawn)
async def redrawn(db: Connection, events: Batch[GridRedrawn]) -> None:
    """It may be part of another community."""
    await _draw(db, [event.data for event in events])


@dataclass(frozen=True, slots=True)
class PostHolder:
    """Someone in a post, by the roster."""

    post: str
    grid: str | None
    division_code: str | None
    further_posts: frozenset[str] = frozenset()
    further_grids: frozenset[str] = frozenset()

    @property
    def grids(self) -> frozenset[str]:
        """All grids that they look after."""
        return self.further_grids | {self.grid} if self.grid else self.further_grids


@dataclass(frozen=True, slots=True)
class Lists:
    """The power list, the roster, and which grid is part of which division, at a moment."""

    powers: Mapping[str, PowerFacts]
    roster: Mapping[str, PostHolder]
    ground: Mapping[str, str | None]


@dataclass
class Authority:
    """The lists, held in memory. `clock` gives seconds that only rise."""

    db: Pool
    clock: Callable[[], float] = time.monotonic
    _lists: Lists = field(default_factory=lambda: Lists({}, {}, {}), init=False)
    _count: int = field(default=-1, init=False)
    _looked: float = field(default=float("-inf"), init=False)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def lists(self) -> Lists:
        """The lists of at most `RECENT` seconds ago."""
        if self.clock() - self._looked > RECENT:
            await self._look(self.clock())
        return self._lists

    async def anew(self) -> Lists:
        """The lists of now: before anybody is refused."""
        await self._look(self.clock())
        return self._lists

    async def _look(self, at: float) -> None:
        async with self._one_at_a_time:
            if self._looked > at:
                return  # somebody else has looked while we waited
            looked = self.clock()
            count: int = await self.db.fetchval("select coalesce((select count from change), 0)")
            if count != self._count:
                self._lists = await _read(self.db)
            self._count, self._looked = count, looked


async def listed_powers(db: Database) -> list[PowerFacts]:
    """The power list, by code."""
    rows = await db.fetch("select facts from power order by power")
    return [PowerFacts.model_validate_json(row["facts"]) for row in rows]


def _in_post(row: Mapping[str, str]) -> PostHolder:
    posts, grids = (frozenset(row[name].split()) for name in ("further_posts", "further_grids"))
    return PostHolder(row["post"], row["grid"], row["division_code"], posts, grids)


async def _read(db: Database) -> Lists:
    powers = await listed_powers(db)
    roster = await db.fetch("select member, post, grid, division_code, further_posts, further_grids from post_holder")
    ground = await db.fetch("select grid, division_code from ground")
    return Lists(
        {it.power: it for it in powers},
        {row["member"]: _in_post(row) for row in roster},
        {row["grid"]: row["division_code"] for row in ground},
    )
