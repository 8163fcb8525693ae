"""What is missing, stale or contradicts itself in a grid or a building, asked of the registers themselves."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from contracts.registry import Accuracy
from events import Database

from registry.domain.quality import FRESH_DAYS, score, wilson
from registry.read_models.address_names import address_names
from registry.read_models.buildings import buildings
from registry.read_models.households import households
from registry.read_models.people import HERE, people
from registry.read_models.samples import found_right
from registry.read_models.territory import BUILDING_OF, territory
from registry.read_models.units import units

MEASURED = (territory, address_names, buildings, households, people, units)


class Measured(NamedTuple):
    """The records of a grid or a building: how many there are, and how many of them are complete and fresh."""

    grid: str | None
    place: str
    """The building's address; '' of a grid as a whole."""
    records: int
    complete: int
    fresh: int


class Broken(NamedTuple):
    """Something that contradicts itself."""

    grid: str | None
    rule: str
    register: str
    id: str
    address: str


RECORDS = f"""
records as (
    select a.grid, p.address, p.complete, p.confirmed_on from person p join address a on a.id = p.address
    where {HERE} and ($1::text[] is null or a.grid = any($1))
    union all
    select a.grid, u.address, not (u.category = 'hotel' and u.beds is null), u.confirmed_on
    from unit u join address a on a.id = u.address where not u.closed and ($1::text[] is null or a.grid = any($1))
    union all
    select a.grid, b.address, b.built_year is not null, b.confirmed_on
    from building b join address a on a.id = b.address where $1::text[] is null or a.grid = any($1)
)"""  # noqa: S608


async def measured(db: Database, grids: Sequence[str] | None, today: date) -> list[Measured]:
    """Of each of these grids (None: of all), by code."""
    rows = await db.fetch(
        f"""with {RECORDS}
            select grid, '' as place, count(*) as records, count(*) filter (where complete) as complete,
                   count(*) filter (where confirmed_on >= $2) as fresh
            from records where grid is not null group by grid order by grid""",  # noqa: S608
        grids,
        today - timedelta(days=FRESH_DAYS),
    )
    return [Measured(*row) for row in rows]


async def measured_by_building(db: Database, grid: str, today: date) -> list[Measured]:
    """Of each building of a grid: what has its street, number and building in the address, by how it is written."""
    rows = await db.fetch(
        f"""with {RECORDS}
            select r.grid, {BUILDING_OF} as place, count(*),
                   count(*) filter (where r.complete), count(*) filter (where r.confirmed_on >= $2)
            from records r join address a on a.id = r.address group by 1, 2 order by 2""",  # noqa: S608
        [grid],
        today - timedelta(days=FRESH_DAYS),
    )
    return [Measured(*row) for row in rows]


BROKEN = f"""
select a.grid, 'registration_over' as rule, 'people' as register, p.id, p.address
from person p join address a on a.id = p.address
where {HERE} and p.residency = 'floating' and p.registered_until < $2
union all
select a.grid, 'minor_alone', 'people', p.id, p.address from person p join address a on a.id = p.address
where {HERE} and p.household is null and p.minor_until > extract(year from $2::date) and not exists (
    select from person o where o.address = p.address and o.presence = 'here' and o.same_as is null
                               and o.minor_until <= extract(year from $2::date)
)
union all
select a.grid, 'household_elsewhere', 'people', p.id, p.address
from person p join address a on a.id = p.address join household h on h.id = p.household
where {HERE} and p.residency = 'permanent' and h.address <> p.address
union all
select a.grid, case when heads.n = 0 then 'no_head' else 'several_heads' end, 'households', h.id, h.address
from household h join address a on a.id = h.address cross join lateral (
    select count(*) filter (where p.relation = 'head') as n, count(*) as people
    from person p where p.household = h.id and {HERE}
) heads
where not h.dissolved and heads.people > 0 and heads.n <> 1
union all
select a.grid, case when there.n > b.beds then 'more_than_beds' else 'tenants_differ' end, 'buildings', b.id, b.address
from building b join address a on a.id = b.address cross join lateral (
    select count(*) as n from person p where p.address = b.address and {HERE}
) there
where there.n > b.beds or b.tenants <> there.n
union all
select a.grid, case when u.licence = '' then 'no_licence' else 'licence_over' end, 'units', u.id, u.address
from unit u join address a on a.id = u.address
where not u.closed and (u.category = 'hotel' and u.licence = '' or u.licence_until < $2)
union all
select a.grid, 'check_overdue', 'units', u.id, u.address from unit u join address a on a.id = u.address
where not u.closed and least(u.fire_check_due, u.safety_check_due) < $2
union all
select a.grid, 'no_grid', 'addresses', a.id, a.id from address a where a.grid is null
union all
select a.grid, 'same_place', 'addresses', a.id, a.id
from address a join address_name n on n.address = a.id and n.nth = 0
where exists (
    select from address_name o
    where o.spelling = n.spelling and o.division_code = n.division_code and o.nth = 0 and o.address <> a.id
)
"""  # noqa: S608


async def broken(
    db: Database, grids: Sequence[str] | None, today: date, after: tuple[str, str], limit: int
) -> list[Broken]:
    """What contradicts itself in these grids (None: anywhere), by rule and id: one more than `limit`, if there are
    more."""
    rows = await db.fetch(
        f"""select grid, rule, register, id, address from ({BROKEN}) b
            where ($1::text[] is null or grid = any($1)) and (rule, id) > ($3, $4) order by rule, id limit $5 + 1""",  # noqa: S608
        grids,
        today,
        *after,
        limit,
    )
    return [Broken(*row) for row in rows]


async def how_many_broken(db: Database, grids: Sequence[str] | None, today: date) -> dict[str, dict[str, int]]:
    """How many records contradict themselves, by grid and rule."""
    rows = await db.fetch(
        f"""select grid, rule, count(*) as number from ({BROKEN}) b
            where grid is not null and ($1::text[] is null or grid = any($1)) group by 1, 2 order by 1, 2""",  # noqa: S608
        grids,
        today,
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["grid"], {})[row["rule"]] = row["number"]
    return found


class Figures(NamedTuple):
    """How good the registers of a grid are. Shares are from 0 to 1."""

    grid: str
    records: int
    complete: float
    fresh: float
    consistent: float
    accurate: Accuracy | None
    score: float
    broken: Mapping[str, int]


async def figures(db: Database, grids: Sequence[str] | None, today: date) -> list[Figures]:
    """Of each of these grids (None: of all), by code."""
    broken, right = await how_many_broken(db, grids, today), await found_right(db, grids)
    found: list[Figures] = []
    for it in await measured(db, grids, today):
        assert it.grid is not None  # noqa: S101  # those in no grid are not measured
        rules = broken.get(it.grid, {})
        complete, fresh = it.complete / it.records, it.fresh / it.records
        consistent = max(0.0, 1 - sum(rules.values()) / it.records)
        rate = wilson(*right.get(it.grid, (0, 0)))
        accurate = rate and Accuracy(rate=rate.value, low=rate.low, high=rate.high, of=rate.of)
        points = score(complete, fresh, consistent, rate)
        found.append(Figures(it.grid, it.records, complete, fresh, consistent, accurate, points, rules))
    return found
