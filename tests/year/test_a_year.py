"""A year of invented life in the sample community, on a moved clock: staff leave, grids are redrawn, there are
holidays, a storm, phones without a network, and three days without the service. Then everything is held against a judge
who reads only the raw events, and has a calendar, a table of paths and a map of their own.

COMMONGRID_YEAR_REPORTS says how many reports there are (40); COMMONGRID_YEAR_SEED which life it is (1).
"""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from events import timers
from events.testing import running
from grid_tasks.domain.counts import Count
from grid_tasks.service import grid_tasks
from local.testing import NewDatabase
from shapely import LineString, Point, Polygon
from shapely.ops import split, unary_union

from .community import OFFICER, REGISTRAR, Community, living
from .judging import Followed, Raw, callers, followed, owners
from .life import DEPARTMENT, Year, boundaries
from .own_calendar import BEIJING, NOTICE_2027

REPORTS = int(os.environ.get("COMMONGRID_YEAR_REPORTS", "40"))
SEED = int(os.environ.get("COMMONGRID_YEAR_SEED", "1"))
START = datetime(2026, 1, 5, 8, tzinfo=BEIJING)
END = datetime(2027, 1, 5, 8, tzinfo=BEIJING)
STORM = datetime(2026, 7, 11, 2, tzinfo=BEIJING)
DUTIES: dict[str, dict[str, str]] = {
    "neighbour_dispute": {"clock": "working_hours", "deadline_minutes": "1350", "look_percent": "60"},
    "crowded_rental": {"clock": "working_hours", "deadline_minutes": "900"},
    "road_damage": {"clock": "working_hours", "deadline_minutes": "240", "look_percent": "30"},
    "street_light_out": {"clock": "working_hours", "deadline_minutes": "450"},
    "illegal_dumping": {"clock": "working_hours", "deadline_minutes": "225"},
    "business_licence_check": {"clock": "working_hours", "deadline_minutes": "1350"},
    "elder_not_seen": {"urgent": "yes"},
    "falling_object_risk": {"urgent": "yes", "clock": "clock_hours"},
}
"""In the sample all clocks run day and night, and nothing is looked at twice."""
LIAISON = {
    "member_ref": "liaison-1", "name": "何平", "post": "department_liaison", "grid_code": "", "body": DEPARTMENT,
    "email": "liaison-1@example.org", "phone": "15400000099",
}  # fmt: skip


@pytest.mark.timeout(max(900, REPORTS * 10))
async def test_a_year_of_life(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "PAUSE", 0.01)  # time goes by some ten thousand times as fast as it does
    random = Random(SEED)  # noqa: S311
    async with living(new_database, kafka_server, topic_prefix, START, DUTIES) as town:
        grids = {code: Polygon(ring) for code, ring in boundaries().items()}
        year = Year(town, random, lambda x, y: min(it for it in grids if grids[it].covers(Point(x, y))))
        await town.appoint(LIAISON)
        plan(year, random, grids)
        month = START
        while month < END:
            month = min(month + timedelta(days=28), END)
            await year.go_by(month)
            assert not await wrong(year, grids, await cases_of(town)), f"by {month:%Y-%m-%d}"
        cases = await cases_of(town)
        assert len(cases) == len(year.stories) > REPORTS * 0.8
        await figures_are_those_of_the_events(town, cases)
        steps = Counter(it.step for it in cases)
        assert steps["closed"] > REPORTS / 4, steps
        assert year.turned_away
        assert year.synced["done"]


def plan(year: Year, random: Random, grids: dict[str, Polygon]) -> None:
    """What will happen, and when; the rest follows from what people see."""
    days = (END - START).days

    def some_time(count: int) -> list[datetime]:
        return [START + timedelta(days=random.uniform(1, days - 20)) for _ in range(count)]

    for at in some_time(REPORTS):
        year.plan(at, year.somebody_reports)
    for at in some_time(REPORTS // 3):
        year.plan(at, year.somebody_is_to_be_visited)
    for at in some_time(30):
        year.plan(at, year.a_phone_loses_its_network)
    for at in some_time(10):
        year.plan(at, year.somebody_leaves)
    for at in some_time(4):
        year.plan(at, year.somebody_changes_grid)
        year.plan(at + timedelta(hours=3), year.goes_on_leave)
    for month in range(1, 12):
        judged = START + timedelta(days=28 * month)  # in the morning after the last day of a leave
        year.plan(judged - timedelta(days=15), year.the_liaison_goes_on_leave)
        year.plan(judged - timedelta(hours=9), year.the_department_is_needed)
    for at in some_time(2):
        year.plan(at, year.a_grid_is_left_alone)

    async def storm() -> None:
        await year.a_storm_comes(REPORTS // 4)

    year.plan(STORM, storm)
    _plan_maps(year, grids)
    _plan_outage(year)

    async def notice_of_next_year() -> None:
        answer = await year.town.ask("PUT", "/calendar/2027", NOTICE_2027, REGISTRAR)
        assert answer.status_code in (200, 201), answer.text

    year.plan(datetime(2026, 11, 10, 9, tzinfo=BEIJING), notice_of_next_year)


def _plan_maps(year: Year, grids: dict[str, Polygon]) -> None:
    """In March two grids change their border, in the storm one is given up, in September one is split."""

    async def border() -> None:
        whole, west = unary_union([grids["G1"], grids["G2"]]), grids["G2"].centroid.y + 0.0035
        await draw(year.town, grids, _cut(whole, west, "G2", "G1"))

    async def give_up() -> None:
        neighbour = max(sorted(grids.keys() - {"G6"}), key=lambda it: grids[it].intersection(grids["G6"]).length)
        whole = unary_union([grids[neighbour], grids["G6"]])
        del grids["G6"]
        await draw(year.town, grids, {neighbour: _polygon(whole)})
        for member in [it for it, who in year.town.team.items() if who.grid == "G6"]:
            await year.town.appoint(year.town.roster[member] | {"grid_code": neighbour})

    async def split_up() -> None:
        await draw(year.town, grids, _cut(grids["G3"], grids["G3"].centroid.y, "G3", "G7"))
        await year.town.appoint(year.town.roster[year.town.those("G3", "grid_worker")[0]] | {"grid_code": "G7"})

    for at, act in (
        (datetime(2026, 3, 9, 10, tzinfo=BEIJING), border),
        (datetime(2026, 7, 11, 2, 30, tzinfo=BEIJING), give_up),
        (datetime(2026, 9, 21, 10, tzinfo=BEIJING), split_up),
    ):
        year.plan(at, act)


def _cut(whole: Any, latitude: float, south: str, north: str) -> dict[str, Polygon]:
    west, _, east, _ = whole.bounds
    parts = sorted(split(whole, LineString([(west - 1, latitude), (east + 1, latitude)])).geoms, key=lambda it: it.area)
    low, high = sorted(parts[-2:], key=lambda it: it.centroid.y)
    return {south: _polygon(unary_union([low, *parts[:-2]])), north: _polygon(high)}


def _polygon(ground: object) -> Polygon:
    assert isinstance(ground, Polygon), "a grid is one piece"
    return ground


async def draw(town: Community, grids: dict[str, Polygon], changed: Mapping[str, Polygon]) -> None:
    """The registrar draws the map anew; grids that it does not show are given up."""
    grids |= changed
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name_zh": f"{code}网格", "name_en": f"Grid {code}"},
            "geometry": {"type": "Polygon", "coordinates": [list(it.exterior.coords)]},
        }
        for code, it in sorted(grids.items())
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features})
    await town.register("grids", content, "application/geo+json", whole="true")
    await town.hear()


def _plan_outage(year: Year) -> None:
    """Over a holiday no process of grid_tasks works; the roster changes meanwhile."""
    town = year.town

    async def goes_away() -> None:
        await town.stop_tasks()

    async def comes_back() -> None:
        it = town.tasks
        await town.start_tasks(
            running(grid_tasks, it.settings.database_url, it.settings.kafka, it.settings.topic_prefix, town.clock)
        )

    gone = datetime(2026, 10, 2, 20, tzinfo=BEIJING)
    year.plan(gone, goes_away)
    year.plan(gone + timedelta(hours=20), year.roster_changes)
    year.plan(gone + timedelta(days=2, hours=15), comes_back)


async def cases_of(town: Community) -> list[Followed]:
    """Each case as the judge follows it through its raw events."""
    rows = await town.tasks.db.fetch(
        """select stream, type, data from log.events where type like 'commongrid.grid_tasks.case.%'
           order by stream, version"""
    )
    streams: dict[str, list[Raw]] = {}
    for stream, type_, data in rows:
        streams.setdefault(stream, []).append((type_.split(".")[3], json.loads(data)))
    now = town.clock()
    return [followed(stream.removeprefix("case-"), events, town.away, now) for stream, events in streams.items()]


PARKED = """
select consumer, error from log.parked
union all select policy || ' ' || stream, error from log.timers where error is not null
"""


async def wrong(year: Year, grids: Mapping[str, Polygon], cases: list[Followed]) -> list[str]:
    """All that is not as it should be; also what a policy could not do."""
    town = year.town
    found = [it for case in cases for it in case.wrong]
    found += [f"parked: {row[0]}, {row[1]}" for row in await town.tasks.db.fetch(PARKED)]
    officers = [it for it, who in town.team.items() if who.post == "community_officer"]
    if town.tasks_away:
        return found
    visits = (await town.ask("GET", "/visits?step=open&limit=100", who=OFFICER)).json()["items"]
    today = town.clock().astimezone(BEIJING).date()
    found += owners(cases, town.team, grids, officers, today)
    return [*found, *callers(visits, year.visits, town.team, grids, today)]


DOCUMENT = (Path(__file__).parents[2] / "docs" / "indicators.md").read_text(encoding="utf-8")


async def figures_are_those_of_the_events(town: Community, cases: list[Followed]) -> None:
    """Each month's indicators, in each grid and everywhere, are what the published query finds in the raw events."""
    [query] = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)
    for name, nth in (("first", 1), ("last", 2), ("at", 3), ("grid", 4)):
        query = re.sub(rf"(?<!:):{name}\b", f"${nth}", query)
    months = [(date(2026, it, 1), date(2026, it + 1, 1) - timedelta(days=1)) for it in range(1, 12)]
    for first, last in [*months, (date(2026, 1, 5), date(2027, 1, 5))]:
        for grid in (None, *sorted({it.grid for it in cases})):
            rows = await town.tasks.db.fetch(query, first, last, town.clock(), grid)
            ours = dict.fromkeys(Count, 0) | {Count(row[0]): row[1] for row in rows}
            path = f"/indicators?from={first}&until={last}" + ("" if grid is None else f"&grid={grid}")
            answer = await town.ask("GET", path, who=OFFICER)
            assert {Count(it["code"]): it["count"] for it in answer.json()["counts"]} == ours, (first, grid)
    shown = (await town.ask("GET", "/boards/open?by=step", who=OFFICER)).json()["items"]
    assert {it["key"]: it["open"] for it in shown} == Counter(it.step for it in cases if it.open)
