"""What was so on a day, by what was known at a moment; and figures of past days, asked again after corrections."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx2
from contracts.registry import PersonChanged, PersonFacts, PersonRegistered
from hypothesis import given
from hypothesis import strategies as st
from registry.domain.figures import suppressed
from registry.domain.history import FOR_EVER, Period, as_it_was, holds, learnt
from shapely import Point
from shapely.geometry import shape

from .conftest import Office
from .facts import TAN

JANUARY, FEBRUARY, MARCH, APRIL = (date(2026, month, 1) for month in range(1, 5))


def taken(day: date, **facts: Any) -> tuple[datetime, PersonFacts]:
    cls = PersonChanged if "registered" not in facts else PersonRegistered
    facts.pop("registered", None)
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC), cls(**dict(TAN.model_copy(update=facts)))


MOVED = [taken(JANUARY, registered=True, address="a"), taken(MARCH, address="b")]


def lived(told: list[tuple[datetime, PersonFacts]], as_of: date, known_at: date | None = None) -> str | None:
    moment = known_at and datetime(known_at.year, known_at.month, known_at.day, 23, tzinfo=UTC)
    found = as_it_was(told, as_of, moment)
    return found and found.address


def test_who_moved_lived_there_before_and_here_after() -> None:
    assert [lived(MOVED, day) for day in (JANUARY, FEBRUARY, MARCH, APRIL)] == ["a", "a", "b", "b"]
    assert lived(MOVED, date(2025, 12, 31)) is None


def test_what_was_not_known_yet_changes_nothing_of_what_was_known() -> None:
    assert lived(MOVED, MARCH, known_at=FEBRUARY) == "a"
    assert lived(MOVED, MARCH, known_at=MARCH) == "b"
    assert lived(MOVED, JANUARY, known_at=date(2025, 12, 1)) is None


def test_a_move_that_is_learnt_late_counts_from_its_day() -> None:
    told = [*MOVED, taken(APRIL, address="c", since=FEBRUARY)]
    assert [lived(told, day) for day in (JANUARY, FEBRUARY, MARCH)] == ["a", "c", "c"]
    assert [lived(told, day, MARCH) for day in (JANUARY, FEBRUARY, MARCH)] == ["a", "a", "b"]


def test_a_correction_was_so_all_the_time_and_moves_nobody() -> None:
    told = [*MOVED, taken(APRIL, address="b", name="谭锐", corrects=True)]
    found = as_it_was(told, JANUARY, None)
    assert found is not None
    assert (found.name, found.address) == ("谭锐", "a")
    before = as_it_was(told, JANUARY, datetime(2026, 3, 15, tzinfo=UTC))
    assert before is not None
    assert before.name == "谭瑞"


def test_it_may_turn_out_to_have_been_so_for_longer() -> None:
    told = [*MOVED, taken(APRIL, address="b", since=FEBRUARY)]
    assert [lived(told, day) for day in (JANUARY, FEBRUARY, MARCH)] == ["a", "b", "b"]


DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 20))
TOLD = st.lists(st.tuples(DAYS, st.fixed_dictionaries({"x": st.integers(0, 2), "y": st.integers(0, 2)}), st.booleans()))


@given(TOLD)
def test_periods_follow_one_another_and_the_last_says_what_was_learnt_last(
    told: list[tuple[date, dict[str, int], bool]],
) -> None:
    periods: list[Period] = []
    for since, facts, corrects in told:
        before = periods
        periods = learnt(periods, facts, since, corrects)
        assert all(one.until == other.since for one, other in pairwise(periods))
        assert all(one.facts != other.facts for one, other in pairwise(periods))
        assert periods[-1].until == FOR_EVER
        assert periods[-1].facts == facts
        if before and not corrects:  # what was so before that day is as it was
            day = since - timedelta(days=1)
            assert [it.facts for it in periods if holds(it, day)] == [it.facts for it in before if holds(it, day)]


GRIDS = """{"type": "FeatureCollection", "features": [%s]}"""
GRID = """{"type": "Feature", "properties": {"code": "%s", "name_zh": "样例", "name_en": "Sample"}, "geometry":
{"type": "Polygon", "coordinates": [[[%s, 30], [%s, 30], [%s, 30.01], [%s, 30.01], [%s, 30]]]}}"""
ADDRESSES = """address_ref,division_code,street,number,building,unit,floor,room,longitude,latitude
WEST,990502001001,样例路,1,,,,,120.005,30.005
EAST,990502001001,样例路,2,,,,,120.015,30.005
"""
PEOPLE = """person_ref,name,id_number,sex,birth_date,phone,residency,household_ref,relation,address_ref,\
registered_until,since
"""

LIVE_IN = [*("B1-1",) * 4, *("B1-2",) * 2, *("B2-1",) * 2]
BUILT = """address_ref,division_code,street,number,building,unit,floor,room,longitude,latitude
B1-1,990502001001,样例路,1,1,1,1,101,120.005,30.005
B1-2,990502001001,样例路,1,1,1,2,201,120.005,30.005
B2-1,990502001001,样例路,1,2,,1,101,120.006,30.005
F1,990502001001,样例路,2,,,,,120.007,30.005
"""


def drawn(code: str, west: float, east: float) -> str:
    return GRID % (code, west, east, east, west, west)


def tenant(address: str, since: str, ref: str = "P1") -> str:
    return PEOPLE + f"{ref},谭瑞,990502196503154658,1,1965-03-15,,floating,,,{address},2027-06-30,{since}\n"


async def people_in(office: Office, grid: str, **when: str) -> int:
    return (await office.sees(f"/grids/{grid}/counts", **when))["people"]["total"]


async def test_the_figures_of_a_past_day_follow_moves_and_what_was_known_then_stays(office: Office) -> None:
    await office.brings("grids", GRIDS % f"{drawn('W', 120, 120.01)},{drawn('E', 120.01, 120.02)}")
    await office.brings("addresses", ADDRESSES)
    await office.brings("people", tenant("WEST", "2026-01-10"))
    first = await office.sees("/grids/W/counts")
    assert (first["people"]["total"], first["people"]["by_age"]) == (1, {"60-79": 1})

    await office.brings("people", tenant("EAST", "2026-03-05"))
    assert [await people_in(office, grid) for grid in "WE"] == [0, 1]
    assert [await people_in(office, grid, as_of="2026-02-01") for grid in "WE"] == [1, 0]
    assert [await people_in(office, grid, as_of="2026-01-09") for grid in "WE"] == [0, 0]
    then = first["known_at"]
    assert [await people_in(office, grid, as_of="2026-04-01", known_at=then) for grid in "WE"] == [1, 0]

    [row] = await office.sees_all("/people")
    seen = await office.sees(f"/people/{row['person']}", as_of="2026-02-01")
    assert (seen["address"] != row["address"], seen["since"]) == (True, "2026-01-10")


async def test_a_map_drawn_anew_moves_all_within_and_leaves_the_past_as_it_was(office: Office) -> None:
    await office.brings("grids", GRIDS % f"{drawn('W', 120, 120.01)},{drawn('E', 120.01, 120.02)}")
    await office.brings("addresses", ADDRESSES)
    await office.brings("people", tenant("EAST", "2026-01-10"))
    before = await office.sees("/grids/E/counts")

    answer = await office.brings("grids", GRIDS % drawn("W", 120, 120.02), whole="true")
    assert answer.done == {"rows": 1, "registered": 0, "changed": 1, "unchanged": 0, "refused": 0}
    assert await people_in(office, "W") == 1
    assert {row["grid"] for row in await office.sees_all("/addresses")} == {"W"}
    assert (await office.http.get("/grids/E")).status_code == 404
    assert await people_in(office, "E", known_at=before["known_at"]) == 1
    assert [it["properties"]["code"] for it in (await office.sees("/grids"))["features"]] == ["W"]


async def test_ground_that_would_be_left_out_is_shown_and_nothing_moves(office: Office) -> None:
    await office.brings("grids", GRIDS % f"{drawn('W', 120, 120.01)},{drawn('E', 120.01, 120.02)}")
    answer = await office.brings("grids", GRIDS % drawn("W", 120, 120.005))
    assert answer.bad == [(1, "boundary", "gap")]
    [gap] = answer.lines[0]["where"]["geometries"]
    assert shape(gap).covers(Point(120.0075, 30.005))
    assert (await office.sees("/grids/W"))["boundary"][1] == [120.01, 30.0]
    allowed = await office.brings("grids", GRIDS % drawn("W", 120, 120.005), gaps="allowed")
    assert allowed.done["changed"] == 1


def test_figures_below_five_give_nobody_away() -> None:
    assert suppressed({"permanent": 12, "floating": 3, "visitor": 2}) == {
        "permanent": 12,
        "floating": None,
        "visitor": None,
    }
    assert suppressed({"permanent": 12, "floating": 30, "visitor": 2}) == {
        "permanent": None,  # else the two are had from the total
        "floating": 30,
        "visitor": None,
    }
    assert suppressed({"permanent": 0, "floating": 7}) == {"permanent": 0, "floating": 7}


async def test_who_does_not_look_after_a_grid_sees_no_small_figures(
    office: Office, anonymous: httpx2.AsyncClient
) -> None:
    await office.brings("grids", GRIDS % drawn("W", 120, 120.01))
    await office.brings("addresses", ADDRESSES)
    await office.brings("people", tenant("WEST", "2026-01-10"))
    assert (await office.sees("/grids/W/counts"))["people"]["total"] == 1
    answer = await anonymous.get("/grids/W/counts", headers={"Consistency-Token": office.token})
    assert answer.json()["people"] == {"total": None, "by_residency": {"floating": None}, "by_age": {"60-79": None}}
    assert answer.json()["suppressed"]


async def test_a_map_shows_how_many_live_in_each_building_of_a_grid(
    office: Office, anonymous: httpx2.AsyncClient
) -> None:
    await office.brings("grids", GRIDS % drawn("W", 120, 120.01))
    await office.brings("addresses", BUILT)
    rows = (f"P{nth},谭瑞,,1,1965-03-15,,floating,,,{it},2027-06-30,2026-01-10,none" for nth, it in enumerate(LIVE_IN))
    head = PEOPLE.replace("since", "since,document")
    assert not (await office.brings("people", head + "\n".join(rows))).bad

    layer = await office.sees("/grids/W/counts/buildings")
    shown = {it["id"]: (it["properties"]["people"], it["properties"]["by_residency"]) for it in layer["features"]}
    assert shown == {"样例路1号1幢": (6, {"floating": 6}), "样例路1号2幢": (2, {"floating": 2}), "样例路2号": (0, {})}
    assert layer["features"][0]["geometry"] == {"type": "Point", "coordinates": [120.005, 30.005]}

    others = (await anonymous.get("/grids/W/counts/buildings", headers={"Consistency-Token": office.token})).json()
    shown = {it["id"]: (it["properties"]["people"], it["properties"]["by_residency"]) for it in others["features"]}
    assert shown == {"样例路1号1幢": (None, None), "样例路1号2幢": (None, None), "样例路2号": (0, None)}
    assert (await office.http.get("/grids/X/counts/buildings")).status_code == 404
