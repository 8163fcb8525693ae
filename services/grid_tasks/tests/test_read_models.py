"""What the read models show of the events, however these are cut into batches; on a real Postgres."""

import csv
import json
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

from contracts.common import Place, Post
from contracts.grid_tasks import CasePlaced, CaseRated, CaseReported, CaseReturned
from contracts.registry import (
    DutyChanged,
    DutyListed,
    GridDrawn,
    GridRedrawn,
    MapGrid,
    MapRedrawn,
    MemberDismissed,
)
from events import Connection, Event
from grid_tasks.domain.case import CASE, Step
from grid_tasks.domain.placing import Candidate, Needed
from grid_tasks.read_models.case_board import BoardCase
from grid_tasks.read_models.case_search import Sought, find
from grid_tasks.read_models.duties import Duty, duty_list, duty_of, duty_versions
from grid_tasks.read_models.grids import grid_at
from grid_tasks.read_models.open_work import Load, Stranded, candidates, loads, stranded, waiting
from grid_tasks.read_models.workers import anybody_of, grid_for
from shapely import Point, Polygon

from .roster import TITLE, appointed, changed, follow
from .trade import (
    ELEVEN,
    GRID,
    HERE,
    ID,
    INSTRUCTOR,
    LEADER,
    LI,
    LICENCES,
    NINE,
    NOISE,
    NOON,
    ONE,
    TEN,
    TWO,
    TWO_HOURS,
    WANG,
    accepted,
    closed,
    dispatched,
    escalated,
    handed_in,
    reported,
    sent_back,
    started,
    verified,
)

COMMUNITY = Path(__file__).parents[3] / "examples" / "community"
SQUARE = [(120.0, 30.0), (120.01, 30.0), (120.01, 30.01), (120.0, 30.01), (120.0, 30.0)]


def of(case: str, *history: Event) -> list[Event]:
    """The same history, of another case."""
    return [event.model_copy(update={"case": case}) for event in history]


# Grids.


async def test_a_place_lies_in_the_grid_around_it_and_outside_in_none(db: Connection) -> None:
    await follow(db, GridDrawn(grid="G1", title=TITLE, boundary=SQUARE))
    assert await grid_at(db, Place(longitude=120.005, latitude=30.005)) == "G1"
    assert await grid_at(db, Place(longitude=120.011, latitude=30.005)) is None
    assert await grid_at(db, Place(longitude=30.005, latitude=60.0)) is None


async def test_a_hollow_of_a_grid_is_not_in_it(db: Connection) -> None:
    hollow = [*SQUARE[:3], (120.005, 30.002), SQUARE[3], SQUARE[0]]
    await follow(db, GridDrawn(grid="G1", title=TITLE, boundary=hollow))
    assert await grid_at(db, Place(longitude=120.005, latitude=30.006)) is None
    assert await grid_at(db, Place(longitude=120.005, latitude=30.001)) == "G1"


async def test_a_border_belongs_to_the_grid_whose_code_comes_first(db: Connection) -> None:
    east = [(x + 0.01, y) for x, y in SQUARE]
    await follow(
        db,
        GridDrawn(grid="G2", title=TITLE, boundary=SQUARE),
        GridDrawn(grid="G1", title=TITLE, boundary=east),
    )
    assert await grid_at(db, Place(longitude=120.01, latitude=30.005)) == "G1"


async def test_a_metre_beside_the_border_is_outside(db: Connection) -> None:
    slanted = [(120.0, 30.0), (120.01, 30.0007), (120.01, 30.01), (120.0, 30.0)]
    await follow(db, GridDrawn(grid="G1", title=TITLE, boundary=slanted))
    assert await grid_at(db, Place(longitude=120.005, latitude=30.00036)) == "G1"
    assert await grid_at(db, Place(longitude=120.005, latitude=30.00034)) is None


async def test_a_redrawn_grid_is_where_it_is_now(db: Connection) -> None:
    moved = [(x + 1, y) for x, y in SQUARE]
    further = [(x + 2, y) for x, y in SQUARE]
    await follow(
        db,
        GridDrawn(grid="G1", title=TITLE, boundary=SQUARE),
        GridRedrawn(grid="G1", title=TITLE, boundary=moved),
        GridRedrawn(grid="G1", title=TITLE, boundary=further),
    )
    assert await grid_at(db, Place(longitude=120.005, latitude=30.005)) is None
    assert await grid_at(db, Place(longitude=122.005, latitude=30.005)) == "G1"


async def test_a_map_is_drawn_anew_at_once(db: Connection) -> None:
    east = [(x + 1, y) for x, y in SQUARE]
    west, both = MapGrid(grid="G1", title=TITLE, boundary=SQUARE), MapGrid(grid="G2", title=TITLE, boundary=east)
    await follow(db, MapRedrawn(map="all", drawn=(west, both)))
    assert [row["grid"] for row in await db.fetch("select grid from grid_area order by grid")] == ["G1", "G2"]
    await follow(db, MapRedrawn(map="all", drawn=(both,), given_up=("G1",)))
    assert [row["grid"] for row in await db.fetch("select grid from grid_area")] == ["G2"]


async def test_each_address_of_the_sample_community_lies_where_geometry_says(db: Connection) -> None:
    features = json.loads((COMMUNITY / "grids.geojson").read_text())["features"]
    rings = {it["properties"]["code"]: it["geometry"]["coordinates"][0] for it in features}
    await follow(db, *(GridDrawn(grid=code, title=TITLE, boundary=ring) for code, ring in rings.items()))
    with (COMMUNITY / "addresses.csv").open(encoding="utf-8-sig") as file:
        places = {(float(row["longitude"]), float(row["latitude"])) for row in csv.DictReader(file)}
    assert len(places) > 50
    for x, y in places:
        expected = next((code for code, ring in sorted(rings.items()) if Polygon(ring).covers(Point(x, y))), None)
        assert await grid_at(db, Place(longitude=x, latitude=y)) == expected


# Duties and roster.


async def test_the_duty_list_is_what_it_was_last_changed_to(db: Connection) -> None:
    shorter = NOISE.model_copy(update={"deadline_minutes": 60})
    await follow(
        db,
        DutyListed(**NOISE.model_dump()),
        DutyListed(**LICENCES.model_dump()),
        DutyChanged(**shorter.model_dump(exclude={"deadline_minutes"}), deadline_minutes=90),
        DutyChanged(**shorter.model_dump()),
    )
    assert await duty_of(db, NOISE.category) == Duty(shorter, 3, NINE)
    assert await duty_of(db, "ufo") is None
    assert await duty_list(db, "", 10) == [Duty(LICENCES, 1, NINE), Duty(shorter, 3, NINE)]
    assert [it.duty.deadline_minutes for it in await duty_versions(db, NOISE.category)] == [TWO_HOURS, 90, 60]
    assert await duty_list(db, LICENCES.category, 10) == [Duty(shorter, 3, NINE)]


async def test_who_handles_cases_where_and_who_no_longer_does(db: Connection) -> None:
    await follow(
        db,
        appointed(LI),
        appointed(WANG),
        changed(WANG, "G2"),
        changed(WANG, "G3"),
        appointed(LEADER, post=Post.GRID_LEADER),
        appointed(INSTRUCTOR, post=Post.GRID_INSTRUCTOR),
        appointed("gone"),
        MemberDismissed(member="gone"),
    )
    members = [LI, WANG, LEADER, INSTRUCTOR, "gone", "never"]
    worker = Post.GRID_WORKER
    assert [await grid_for(db, it, GRID, worker, "") for it in members] == [GRID, None, GRID, None, None, None]
    assert await grid_for(db, WANG, "G3", worker, "") == "G3"
    assert await grid_for(db, INSTRUCTOR, GRID, Post.GRID_INSTRUCTOR, "") == GRID, "the duty list asks for that post"


async def who(db: Connection, needed: Needed) -> list[Candidate]:
    """Who may handle such a case, asked for beside another."""
    return (await candidates(db, [Needed("elsewhere"), needed]))[needed]


async def test_whoever_has_further_posts_and_grids_may_handle_cases_there_too(db: Connection) -> None:
    further = {"further_posts": (Post.GRID_LEADER,), "further_grids": ("G2",)}
    await follow(db, appointed(LI).model_copy(update=further))
    assert [await grid_for(db, LI, grid, Post.GRID_WORKER, "") for grid in (GRID, "G2", "G3")] == [GRID, "G2", None]
    assert {it.post for it in await who(db, Needed("G2"))} == {Post.GRID_WORKER, Post.GRID_LEADER}


async def test_a_departments_cases_are_its_liaisons_wherever_they_lie(db: Connection) -> None:
    body = LICENCES.department.zh
    liaison = appointed("liaison", None, Post.DEPARTMENT_LIAISON).model_copy(update={"body": body})
    assert not await anybody_of(db, body)
    await follow(db, liaison, appointed(LI))
    assert await anybody_of(db, body)
    assert await grid_for(db, "liaison", GRID, Post.GRID_WORKER, body) == GRID
    assert await grid_for(db, LI, GRID, Post.GRID_WORKER, body) is None
    assert [it.member for it in await who(db, Needed(GRID, body=body))] == ["liaison"]


# Open work.


async def test_a_case_counts_for_who_has_it_until_it_is_handed_in(db: Connection) -> None:
    await follow(
        db,
        appointed(LI),
        appointed(WANG),
        appointed(LEADER, post=Post.GRID_LEADER),
        *of("a", reported, accepted, dispatched(LI, TEN)),
        *of("b", reported, accepted, dispatched(LI), started(), handed_in()),
        *of("c", reported, accepted, dispatched(LI), started(), handed_in(), sent_back()),
        *of("d", reported, accepted, dispatched(LI), dispatched(WANG, ELEVEN)),
        *of("e", reported, accepted, dispatched(WANG), started(WANG), handed_in(WANG), verified(), closed()),
        *of("f", reported, accepted),
    )
    assert await who(db, Needed(GRID)) == [
        Candidate(LEADER, Post.GRID_LEADER),
        Candidate(LI, Post.GRID_WORKER, 2, 2, TEN),
        Candidate(WANG, Post.GRID_WORKER, 1, 1, ELEVEN),
    ]
    assert await loads(db, None, LEADER, 1) == [Load(LI, GRID, Post.GRID_WORKER, 2, TEN, 2)]
    assert await loads(db, "G9", "", 5) == []


async def test_stranded_are_the_cases_of_nobody_and_of_those_who_are_not_in_post_there(db: Connection) -> None:
    await follow(
        db,
        appointed(LI),
        appointed(WANG, "G2"),
        *of("nobodys", reported, accepted),
        *of("lis", reported, accepted, dispatched(LI)),
        *of("of-a-leaver", reported, accepted, dispatched("gone"), started("gone")),
        *of("handed-in-by-a-leaver", reported, accepted, dispatched("gone"), started("gone"), handed_in("gone")),
        *of("of-one-who-moved", reported, accepted, dispatched(WANG)),
    )
    nobodys, leavers, movers = (
        Stranded("nobodys", GRID, None),
        Stranded("of-a-leaver", GRID, "gone"),
        Stranded("of-one-who-moved", GRID, WANG),
    )
    assert await stranded(db, grid=GRID) == [nobodys, leavers, movers]
    assert await stranded(db, worker="gone") == [leavers]
    assert await stranded(db, worker=LI) == []
    assert await stranded(db, grid="G2") == []
    assert await stranded(db, cases=["lis", "of-a-leaver", "unheard-of"]) == [leavers]


GIVEN_BACK = CaseReturned(case=ID, grid=GRID, worker=LI, reason="不归我管", at=TEN)
MOVED = CasePlaced(case=ID, grid="G2", by="map", at=TEN)


async def test_what_waits_is_stranded_and_was_not_given_back_by_its_worker(db: Connection) -> None:
    await follow(
        db,
        appointed(LI),
        *of("nobodys", reported, accepted),
        *of("of-a-leaver", reported, accepted, dispatched("gone")),
        *of("lis", reported, accepted, dispatched(LI)),
        *of("given-back", reported, accepted, dispatched(LI), GIVEN_BACK),
        *of("given-back-and-moved", reported, accepted, dispatched(LI), GIVEN_BACK, MOVED),
        *of("given-back-and-to-a-leaver", reported, accepted, dispatched(LI), GIVEN_BACK, dispatched("gone")),
    )
    found = [it.case for it in await waiting(db)]
    assert found == ["given-back-and-moved", "given-back-and-to-a-leaver", "nobodys", "of-a-leaver"]


# The board.


async def test_the_board_shows_a_case_as_its_own_events_tell_it(db: Connection) -> None:
    history = (
        reported,
        accepted,
        dispatched(),
        dispatched(WANG, TEN),
        started(WANG, ELEVEN),
        escalated(NOON, NOON, WANG),
        handed_in(WANG, NOON, on_time=False),
        sent_back(ONE, WANG),
        started(WANG, TWO),
        handed_in(WANG, TWO, attempt=2),
        verified(TWO, 2, WANG),
        closed(TWO, on_time=False, first_attempt=False, worker=WANG),
        CaseRated(case=ID, worker=WANG, rating=4, closed_at=TWO, at=TWO),
    )
    events = list(chain.from_iterable(of(f"after-{n:02}", *history[:n]) for n in range(1, len(history) + 1)))
    await follow(db, *events)
    shown = {row.case: row for row in await find(db, Sought(), limit=100)}
    for n in range(1, len(history) + 1):
        case = CASE.fold(of(f"after-{n:02}", *history[:n]))
        assert case.reported_at is not None
        assert case.step is not None
        assert shown[case.id] == BoardCase(
            case.id, case.category, case.grid, case.step, case.body, case.worker, case.due, case.urgent, case.escalated,
            case.attempt, case.rating, case.reported_at, case.accepted_at, case.dispatched_at, case.started_at,
            case.handed_in_at, case.closed_at,
        )  # fmt: skip


async def test_the_rows_are_the_same_however_the_events_are_cut_and_mixed(db: Connection) -> None:
    random = Random(7)  # noqa: S311
    lives = [
        of("a", reported, accepted, dispatched(), dispatched(WANG), started(WANG), handed_in(WANG), sent_back()),
        of("b", reported, accepted, dispatched(WANG, TEN), started(WANG), handed_in(WANG), verified(), closed()),
        of("c", reported, accepted, escalated(ELEVEN, NINE, None), dispatched(LI, ELEVEN)),
        [appointed(LI), changed(LI, "G2"), changed(LI), MemberDismissed(member=LI)],
        [appointed(WANG), changed(WANG, "G2"), changed(WANG)],
    ]
    await follow(db, *chain.from_iterable(lives))
    expected = await everything(db)
    for at_a_time in (1, 2, 5, 1000):
        turns = [n for n, life in enumerate(lives) for _ in life]
        random.shuffle(turns)
        left = [list(life) for life in lives]
        await db.execute(
            """truncate board_case, open_case, last_case, member, duty, grid_area, field_case, field_part, open_now,
                        stay_count, day_count"""
        )
        await follow(db, *(left[turn].pop(0) for turn in turns), at_a_time=at_a_time)
        assert await everything(db) == expected


async def everything(db: Connection) -> list[object]:
    asked = [f"select * from {table} order by 1" for table in ("board_case", "open_case", "last_case", "member")]
    asked += [  # without positions, which are those of the events
        "select case_id, grid, open, clock, warn_at, paper_due from field_case order by 1",
        "select member, case_id, part, came_back, came_back_at from field_part order by 1, 2",
    ]
    return [[tuple(row) for row in await db.fetch(it)] for it in asked]


async def test_the_list_is_newest_first_and_narrowed_down(db: Connection) -> None:
    def life(case: str, minutes: int, grid: str, *more: Event) -> list[Event]:
        first: CaseReported = reported.model_copy(update={"at": NINE + timedelta(minutes=minutes), "grid": grid})
        return of(case, first, accepted, *more)

    await follow(
        db,
        *life("old", 0, "G1", dispatched()),
        *life("new", 2, "G1", dispatched(WANG), escalated(ELEVEN, ELEVEN, WANG)),
        *life("twin", 2, "G2"),
    )

    async def cases(before: tuple[datetime, str] | None = None, **which: Any) -> list[str]:
        return [row.case for row in await find(db, Sought(**which), before=before, limit=2)]

    assert await cases() == ["twin", "new"]
    assert await cases((NINE + timedelta(minutes=2), "new")) == ["old"]
    assert await cases(grid="G1") == ["new", "old"]
    assert await cases(worker=WANG) == ["new"]
    assert await cases(step=Step.ACCEPTED) == ["twin"]
    assert await cases(escalated=True) == ["new"]
    assert await cases(escalated=False, grid="G1") == ["old"]
    assert await cases((NINE + timedelta(minutes=1), "z"), grid="G1", escalated=False) == ["old"]


async def test_neither_description_nor_contact_nor_name_is_kept(db: Connection) -> None:
    await follow(db, appointed(LI), reported, accepted, dispatched(), started(), handed_in())
    kept = json.dumps(await everything(db), default=str, ensure_ascii=False)
    for text in (reported.description, reported.contact, "某某", "已劝阻"):
        assert text
        assert text not in kept


async def test_where_a_case_is_is_kept_as_long_as_it_is_open(db: Connection) -> None:
    await follow(db, reported, accepted, dispatched(), started(), handed_in())
    assert str(HERE.longitude) in json.dumps(await everything(db), default=str)
    await follow(db, *of("closed", reported, accepted, dispatched(), started(), handed_in(), verified(), closed()))
    assert await db.fetchval("select place from board_case where case_id = 'closed'") is None
