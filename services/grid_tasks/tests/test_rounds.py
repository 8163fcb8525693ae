"""Rounds: short on foot, when people are at home, each visit once, the worker's changes before all. Properties hold for
any buildings, hours and changes that hypothesis thinks of."""

from datetime import date, timedelta
from itertools import pairwise, permutations

import pytest
from contracts.common import Place, Post
from contracts.visits import PartOfWeek
from grid_tasks.domain.hours import at
from grid_tasks.domain.meeting import WALKING, part_of_week, windows
from grid_tasks.domain.rounds import A_DAY, A_VISIT, Rounds, Task, plan
from grid_tasks.domain.sharing import MORE_THAN_OTHERS, Share, Sharer, whose
from grid_tasks.domain.walking import improved, length, metres, nearest_first, short_way
from hypothesis import given, settings
from hypothesis import strategies as st

from .doors import BUILDING, DAYS, SATURDAY, TUESDAY, site, task

WEEK = [TUESDAY + timedelta(days=nth) for nth in range(7)]


def place(x: int, y: int) -> Place:
    """A point of a neighbourhood, by a raster of about ten metres."""
    return Place(longitude=120.09 + x * 0.0001, latitude=30.87 + y * 0.0001)


places = st.builds(place, st.integers(0, 100), st.integers(0, 100))
hours = st.sampled_from(
    ["", "1-5 18:00-20:00", "6-7 09:00-11:00", "1-7 08:00-21:00", "3 19:00-19:05", "2,4 10:00-15:00"]
)
days = st.none() | st.integers(-2, 9).map(lambda nth: TUESDAY + timedelta(days=nth))


@st.composite
def tasks(draw: st.DrawFn) -> list[Task]:
    """Up to two dozen visits in a few buildings, some of them nobody knows where."""
    sites = draw(st.lists(st.none() | places, min_size=1, max_size=8))
    return [
        task(
            f"v{nth}",
            f"蚕花路{where}号",
            sites[where],
            of=draw(st.sampled_from(["people", "units"])),
            hours=draw(hours),
            until=draw(days),
            tried=tuple(draw(st.sets(st.sampled_from(PartOfWeek), max_size=3))),
            not_before=draw(days),
            put_on=draw(days),
        )
        for nth, where in enumerate(draw(st.lists(st.integers(0, len(sites) - 1), max_size=24)))
    ]


def of_day(found: Rounds, day: date = TUESDAY) -> list[str]:
    return found.days[day].visits


@settings(max_examples=150, deadline=None)
@given(tasks())
def test_each_visit_is_in_one_round_or_named_with_why_not(given_: list[Task]) -> None:
    found = plan(given_, WEEK, DAYS)
    told = [visit for day in WEEK for visit in of_day(found, day)] + [it.visit for it in found.unplanned]
    assert sorted(told) == sorted(it.visit for it in given_)
    assert all(it.why for it in found.unplanned)


@settings(max_examples=150, deadline=None)
@given(tasks(), st.permutations(range(24)))
def test_nobody_is_met_outside_their_hours_whatever_the_order(given_: list[Task], own: list[int]) -> None:
    by_visit = {it.visit: it for it in given_}
    found = plan(given_, WEEK, DAYS, {TUESDAY: [f"v{nth}" for nth in own][:6]})
    for day in WEEK:
        assert found.days[day].minutes <= A_DAY
        knocks = [knock for stop in found.days[day].stops for knock in stop.knocks]
        assert all(one.at + A_VISIT <= two.at for one, two in pairwise(knocks)), "one after the other"
        for knock in knocks:
            it = by_visit[knock.visit]
            met = [w for w in windows(it.of, it.hours, day, DAYS) if w.opens <= knock.at <= w.closes - A_VISIT]
            assert met, f"{it} at {knock.at} on {day}"
            if it.put_on == day:
                continue
            assert part_of_week(day, knock.at, DAYS) not in it.tried
            assert it.not_before is None or it.not_before <= day
            assert it.put_on is None or it.put_on < day, "a day that has passed binds nobody"


@settings(max_examples=100, deadline=None)
@given(tasks())
def test_the_same_visits_give_the_same_rounds_in_whatever_order_they_come(given_: list[Task]) -> None:
    assert plan(given_, WEEK, DAYS) == plan(given_[::-1], WEEK, DAYS)


@settings(max_examples=200, deadline=None)
@given(st.lists(places, min_size=1, max_size=25))
def test_an_improved_way_goes_through_all_and_is_never_longer(given_: list[Place]) -> None:
    order = nearest_first(given_)
    better = improved(given_, order)
    assert sorted(better) == list(range(len(given_)))
    assert better[0] == order[0]
    assert length(given_, better) <= length(given_, order) + 0.001


@settings(max_examples=40, deadline=None)
@given(st.lists(places, min_size=2, max_size=7, unique=True))
def test_of_few_buildings_the_way_is_at_most_a_quarter_longer_than_the_shortest(given_: list[Place]) -> None:
    found = short_way(given_)
    others = [it for it in range(len(given_)) if it != found[0]]
    shortest = min(length(given_, [found[0], *rest]) for rest in permutations(others))
    assert length(given_, found) <= 1.25 * shortest + 0.001


def test_a_row_of_buildings_is_gone_along_and_not_to_and_fro() -> None:
    row = [site(nth).place for nth in (4, 1, 5, 3, 2)]
    assert [(4, 1, 5, 3, 2)[it] for it in short_way(row)] == [1, 2, 3, 4, 5]
    assert metres(site(1).place, site(2).place) == pytest.approx(79, abs=1)


def test_a_building_is_one_stop() -> None:
    sites = [site(1), site(2)]
    visits = [task(f"v{nth}", sites[nth % 2].name, sites[nth % 2].place) for nth in range(6)]
    stops = plan(visits, [TUESDAY], DAYS).days[TUESDAY].stops
    assert [(stop.site, len(stop.knocks)) for stop in stops] == [(sites[0].name, 3), (sites[1].name, 3)]
    assert "同楼 3 户" in stops[0].knocks[0].why
    assert "3 visits in this building" in stops[0].knocks[0].why


def test_residents_are_visited_in_the_evening_and_at_weekends_shops_by_day() -> None:
    found = plan([task("home"), task("shop", of="units")], [TUESDAY], DAYS)
    when = {knock.visit: knock.at for stop in found.days[TUESDAY].stops for knock in stop.knocks}
    assert when == {"shop": at(9), "home": at(18)}


def test_where_nobody_was_home_of_an_evening_one_comes_at_the_weekend() -> None:
    again = task(tried=(PartOfWeek.WORKDAY_EVENING,), not_before=TUESDAY + timedelta(days=1))
    found = plan([again], WEEK, DAYS)
    assert of_day(found, SATURDAY) == ["v1"]
    (stop,) = found.days[SATURDAY].stops
    assert "try 2, at another time" in stop.knocks[0].why


def test_what_is_due_first_comes_first_when_a_day_is_full() -> None:
    many = [task(f"v{nth:02}", until=SATURDAY + timedelta(days=nth)) for nth in range(20)]
    found = plan(reversed(many), WEEK, DAYS)
    tuesday, wednesday = of_day(found), of_day(found, WEEK[1])
    assert len(tuesday) == (WALKING[2].closes - WALKING[2].opens) // A_VISIT, "an evening has room for so many doors"
    assert max(tuesday) < min(wednesday)
    assert sorted(tuesday + wednesday) == [it.visit for it in many]


def test_the_workers_changes_count_before_all() -> None:
    row = [task(f"v{nth}", site(nth).name, site(nth).place) for nth in (1, 2, 3)]
    assert of_day(plan(row, [TUESDAY], DAYS)) == ["v1", "v2", "v3"]
    own = plan(row, [TUESDAY], DAYS, {TUESDAY: ["v3", "v1", "no-more"]})
    assert of_day(own) == ["v3", "v1", "v2"]
    assert "in your own order" in own.days[TUESDAY].stops[0].knocks[0].why
    put = [*row[:2], task("v3", site(3).name, site(3).place, put_on=SATURDAY, tried=tuple(PartOfWeek))]
    found = plan(put, WEEK, DAYS)
    assert (of_day(found), of_day(found, SATURDAY)) == (["v1", "v2"], ["v3"])


def test_it_says_why_a_visit_has_no_day() -> None:
    nowhere = Task("v0", task().kind, "people", None, None, "", task().planned_at)
    never = task("v1", hours="3 19:00-19:05")
    later = task("v2", put_on=TUESDAY + timedelta(days=9))
    full = [task(f"w{nth:02}") for nth in range(30)]
    why = {it.visit: it.why for it in plan([nowhere, never, later, *full], [TUESDAY], DAYS).unplanned}
    assert "nobody knows where" in why["v0"]
    assert "cannot be met" in why["v1"]
    assert "put on 2026-12-03 by you" in why["v2"]
    assert "no time left" in why["w29"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 5))
def test_no_worker_has_clearly_more_than_another(buildings: list[int], workers: int) -> None:
    has: dict[str, list[int]] = {f"w{nth}": [] for nth in range(workers)}
    for building in buildings:
        sharers = [Sharer(it, Post.GRID_WORKER, len(has[it]), building in has[it]) for it in has]
        share = whose(sharers)
        assert share
        has[share.member].append(building)
    loads = [len(it) for it in has.values()]
    assert max(loads) - min(loads) <= MORE_THAN_OTHERS


def chosen(share: Share | None) -> str | None:
    return share and share.member


def test_who_comes_to_the_building_anyway_gets_it() -> None:
    li, wang = Sharer("li", Post.GRID_WORKER, 3, there_anyway=True), Sharer("wang", Post.GRID_WORKER, 1)
    leader = Sharer("zhao", Post.GRID_LEADER, 0)
    assert whose([li, wang, leader]) == whose([leader, wang, li])
    assert chosen(whose([li, wang, leader])) == "li"
    assert chosen(whose([wang, leader])) == "wang"
    assert chosen(whose([li, wang, leader], for_leader=True)) == "zhao"
    assert chosen(whose([leader])) == "zhao", "where no worker is in post"
    assert whose([]) is None


def test_a_worker_with_a_hundred_visits_has_a_round_at_once() -> None:
    many = [
        task(f"v{nth:03}", f"{nth % 40}号", place(nth * 37 % 100, nth * 61 % 100), hours="1-7 09:00-21:00")
        for nth in range(40)
    ]
    visits = [*many, *(task(f"w{it.visit}", it.site or BUILDING, it.place, hours=it.hours) for it in many)]
    found = plan(visits, WEEK, DAYS)
    assert sum(len(of_day(found, day)) for day in WEEK) == len(visits)
