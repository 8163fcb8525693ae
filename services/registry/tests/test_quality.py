"""How good the registers are, by what is in them and by random re-visits; what falls due is told once."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from contracts.common import ErasureGround
from contracts.registry import DueKind, DueNoticed, DuePassed, DueSettled
from events import Event
from events.runtime import Runtime
from events.testing import eventually
from events.testing import given as given_events
from hypothesis import given
from hypothesis import strategies as st
from registry.domain.address import ADDRESS
from registry.domain.due import DUE, Notice, Pass, Settle
from registry.domain.entry import Register
from registry.domain.person import PERSON, Erase
from registry.domain.quality import score, wilson
from registry.domain.references import id_of
from registry.domain.sample import drawn
from registry.measuring import measure, notice_what_falls_due, tell_what_has_passed, tell_what_is_settled

from .conftest import Office
from .test_people_over_time import ADDRESSES, GRID, HEAD, HOUSEHOLDS, TAN_RUI, YAN, does

TODAY = datetime.now(UTC).date()
P4 = id_of("person", "P4")
UNITS = "unit_ref,name,category,address_ref,credit_code,phone,licence,licence_until,beds,fire_check_due\n"


@given(st.integers(1, 200), st.data())
def test_the_interval_holds_the_rate_and_narrows_with_more_visits(of: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, of))
    rate, more = wilson(right, of), wilson(right * 10, of * 10)
    assert rate is not None
    assert more is not None
    assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert more.high - more.low < rate.high - rate.low


def test_who_looked_at_nobody_knows_no_rate() -> None:
    assert wilson(0, 0) is None
    assert wilson(19, 20) == pytest.approx((0.95, 0.7639, 0.9911, 20), abs=1e-4)  # Wilson's interval, by hand


def test_a_better_sample_makes_a_better_score_and_typing_more_does_not() -> None:
    assert score(1, 1, 1, None) == 100
    assert score(0.9, 0.9, 0.9, wilson(20, 20)) > score(0.9, 0.9, 0.9, wilson(10, 20))
    assert score(0.9, 0.9, 0.9, wilson(100, 100)) > score(0.9, 0.9, 0.9, wilson(10, 10))


@given(st.sets(st.text(min_size=1, max_size=4), min_size=1, max_size=30), st.integers(1, 40), st.integers())
def test_a_draw_can_be_repeated_and_names_nobody_twice(people: set[str], size: int, seed: int) -> None:
    first = drawn(sorted(people), size, seed)
    assert first == drawn(sorted(people, reverse=True), size, seed)
    assert len(set(first)) == len(first) == min(size, len(people))
    assert set(first) <= people


async def test_a_place_that_two_imports_entered_at_once_is_shown_as_one(town: Office, runtime: Runtime) -> None:
    """Each import looks for the places of the others, but not into what comes in at the same moment."""
    [first] = [it for it in await town.sees_all("/addresses") if it["address"] == id_of("address", "A1")]
    held, _ = await runtime.commands.load(ADDRESS, first["address"])
    assert held.facts is not None
    twin = held.facts.model_copy(update={"address": "twin"})
    done = await runtime.commands.execute(ADDRESS, twin.address, Register(twin))
    town.token = str(done.token)
    found = await town.sees_all("/quality/broken", grid="G1")
    assert {it["id"] for it in found if it["rule"] == "same_place"} == {"twin", first["address"]}


def a_hotel(licence_until: str, licence: str = "特-1", fire_check_due: str = "") -> str:
    return f"{UNITS}U1,样例旅馆,hotel,A2,92990502MA9K4MJ71U,,{licence},{licence_until},10,{fire_check_due}\n"


@pytest.fixture
async def town(office: Office) -> Office:
    """A grid with a couple, a tenant whose registration ended, a child alone, and a hotel."""
    await office.brings("grids", GRID)
    await office.brings("addresses", ADDRESSES)
    await office.brings("households", HOUSEHOLDS)
    over, soon = TODAY - timedelta(days=3), TODAY + timedelta(days=20)
    rows = [
        TAN_RUI,
        YAN,
        f"李四,990502199003070013,1,1990-03-07,,floating,,,A1,{over}",
        f"王小,990502201905120016,1,2019-05-12,,floating,,,A2,{soon}",
    ]
    people = "\n".join((HEAD, *(f"P{nth},{row}" for nth, row in enumerate(rows, 1))))
    assert (await office.brings("people", people + "\n")).bad == []
    assert (await office.brings("units", a_hotel("2020-01-01"))).bad == []
    return office


async def test_what_contradicts_itself_is_named_and_counted(town: Office) -> None:
    [grid] = await town.sees_all("/quality")
    assert grid["broken"] == {"licence_over": 1, "minor_alone": 1, "registration_over": 1}
    assert (grid["records"], grid["complete"], grid["accurate"]) == (5, 0.6, None)
    assert (grid["consistent"], grid["fresh"]) == (0.4, 1.0)
    found = await town.sees_all("/quality/broken", grid="G1")
    assert {(it["rule"], it["of"], it["id"]) for it in found} == {
        ("licence_over", "units", id_of("unit", "U1")),
        ("minor_alone", "people", id_of("person", "P4")),
        ("registration_over", "people", id_of("person", "P3")),
    }
    await town.brings("units", a_hotel("", licence=""))
    assert "no_licence" in (await town.sees_all("/quality"))[0]["broken"]
    await town.brings("units", a_hotel(str(TODAY + timedelta(days=400))))
    assert (await town.sees_all("/quality"))[0]["broken"] == {"minor_alone": 1, "registration_over": 1}


async def test_a_building_is_measured_for_itself(town: Office) -> None:
    assert await town.sees("/quality/grids/G1/buildings") == [
        {"building": "样例路1号", "records": 3, "complete": pytest.approx(2 / 3), "fresh": 1.0},
        {"building": "样例路2号", "records": 2, "complete": 0.5, "fresh": 1.0},
    ]


async def test_random_re_visits_give_a_rate_with_its_interval(town: Office) -> None:
    drawing = "/quality/grids/G1/samples", {"period": "2026Q4", "size": 3}, 201
    sample = (await does(town, *drawing)).json()
    assert (sample["grid"], len(sample["persons"])) == ("G1", 3)
    assert (await does(town, *drawing)).json() == sample
    one, other, _ = sample["persons"]
    where = f"/quality/samples/{sample['sample']}/answers"
    await does(town, where, {"person": one, "right": True})
    answer: dict[str, Any] = {"person": other, "right": False, "wrong": ["phone"]}
    assert (await does(town, where, answer)).json()["persons"][other] is False
    accurate = (await town.sees_all("/quality"))[0]["accurate"]
    assert (accurate["rate"], accurate["of"]) == (0.5, 2)
    assert accurate["low"] < 0.5 < accurate["high"]
    [row] = await town.sees_all("/quality/samples")
    assert (row["size"], row["answered"], row["right"]) == (3, 2, 1)


async def test_what_falls_due_is_shown_and_told_once(town: Office, runtime: Runtime) -> None:
    due = str(TODAY + timedelta(days=10))
    await town.brings("units", a_hotel(due, fire_check_due=due))
    shown = [(it["kind"], it["on"]) for it in await town.sees_all("/dues")]
    assert shown == [
        ("fire_check", due),
        ("licence", due),
        ("registration", str(TODAY + timedelta(days=20))),
    ]

    async def told() -> int:
        return await runtime.db.fetchval("select count(*) from log.events where stream like 'due-%'")

    async def all_are() -> bool:  # the worker of this service may be before us
        await notice_what_falls_due(runtime)
        return await told() == 3

    await eventually(all_are)
    assert await notice_what_falls_due(runtime) == 0
    assert await told() == 3


DUE_ON = TODAY + timedelta(days=10)
HOTEL = id_of("unit", "U1")


async def told_of(runtime: Runtime, due: str) -> list[type[Event]]:
    """What was told of this due."""
    return [type(it.data) for it in await runtime.commands.history(DUE, due)]


async def noticed(town: Office, runtime: Runtime, due: str) -> None:
    """Waits until it is told that this falls due."""

    async def is_told() -> bool:
        await notice_what_falls_due(runtime)
        return await told_of(runtime, due) == [DueNoticed]

    await eventually(is_told)


async def brings_and_settles(town: Office, runtime: Runtime, register: str, content: str) -> None:
    """A file comes in, and what is settled by it is told."""
    assert (await town.brings(register, content)).bad == []
    await tell_what_is_settled(runtime)


async def test_a_due_is_settled_when_the_register_says_another_day(town: Office, runtime: Runtime) -> None:
    licence, fire = (f"{kind}-{HOTEL}-{DUE_ON}" for kind in ("licence", "fire_check"))
    await town.brings("units", a_hotel(str(DUE_ON), fire_check_due=str(DUE_ON)))
    await noticed(town, runtime, licence)
    assert await tell_what_is_settled(runtime) == 0
    await brings_and_settles(town, runtime, "units", a_hotel(str(TODAY + timedelta(days=400)), "特-2", str(DUE_ON)))
    assert await told_of(runtime, licence) == [DueNoticed, DueSettled]
    assert await told_of(runtime, fire) == [DueNoticed], "nobody has looked at that"
    assert await tell_what_is_settled(runtime) == 0, "and it is told once"


async def test_a_due_is_settled_when_a_unit_closes_or_who_it_is_of_has_moved_away(
    town: Office, runtime: Runtime
) -> None:
    licence, registration = f"licence-{HOTEL}-{DUE_ON}", f"registration-{P4}-{TODAY + timedelta(days=20)}"
    await town.brings("units", a_hotel(str(DUE_ON)))
    await noticed(town, runtime, licence)
    await noticed(town, runtime, registration)
    closed = a_hotel(str(DUE_ON)).replace("fire_check_due", "closed").replace(",10,", ",10,yes")
    await brings_and_settles(town, runtime, "units", closed)
    assert await told_of(runtime, licence) == [DueNoticed, DueSettled]
    assert await told_of(runtime, registration) == [DueNoticed]
    await does(town, f"/people/{P4}/moves", {"on": str(TODAY)})
    await tell_what_is_settled(runtime)
    assert await told_of(runtime, registration) == [DueNoticed, DueSettled]


async def test_who_is_erased_has_nothing_that_falls_due(town: Office, runtime: Runtime) -> None:
    registration = f"registration-{P4}-{TODAY + timedelta(days=20)}"
    await noticed(town, runtime, registration)
    await runtime.commands.execute(PERSON, P4, Erase(ErasureGround.CONSENT_WITHDRAWN, datetime.now(UTC)))
    await tell_what_is_settled(runtime)
    assert await told_of(runtime, registration) == [DueNoticed, DueSettled]


async def test_what_is_due_after_all_is_another_due(town: Office, runtime: Runtime) -> None:
    first = f"licence-{HOTEL}-{DUE_ON}"
    await town.brings("units", a_hotel(str(DUE_ON)))
    await noticed(town, runtime, first)
    await brings_and_settles(town, runtime, "units", a_hotel(str(TODAY + timedelta(days=400))))
    await town.brings("units", a_hotel(str(DUE_ON), "特-3"))
    await noticed(town, runtime, f"{first}-2")
    assert await told_of(runtime, first) == [DueNoticed, DueSettled]


async def test_what_nobody_settled_by_its_day_is_told_the_day_after_and_once(town: Office, runtime: Runtime) -> None:
    licence = f"licence-{HOTEL}-{DUE_ON}"
    await town.brings("units", a_hotel(str(DUE_ON)))
    await noticed(town, runtime, licence)
    on_its_day, a_day_after = (later(runtime, DUE_ON + timedelta(days=it)) for it in (0, 1))
    assert await tell_what_has_passed(on_its_day) == 0
    assert await tell_what_has_passed(a_day_after) == 1
    assert await tell_what_has_passed(a_day_after) == 0
    passed = (await runtime.commands.history(DUE, licence))[-1].data
    assert isinstance(passed, DuePassed)
    assert (passed.kind, passed.thing, passed.grid, passed.on) == (DueKind.LICENCE, HOTEL, "G1", DUE_ON)
    await brings_and_settles(town, runtime, "units", a_hotel(str(TODAY + timedelta(days=400))))
    assert await told_of(runtime, licence) == [DueNoticed, DuePassed, DueSettled]


def later(runtime: Runtime, day: date) -> Runtime:
    """The same service at noon of that day."""
    return replace(runtime, clock=lambda: datetime.combine(day, time(4), UTC))


def test_what_was_never_noticed_does_not_pass_and_what_is_settled_stays_so() -> None:
    about: dict[str, Any] = {"due": "d", "kind": DueKind.LICENCE, "of": "units", "thing": "u", "on": DUE_ON}
    at = datetime.now(UTC)
    noticed, passed = DueNoticed(**about), DuePassed(**about, at=at)
    settled = DueSettled(due="d", thing="u", at=at)
    due = partial(given_events, DUE)
    due().when(Pass(passed)).then()
    due().when(Settle("d", "u", at)).then()
    due(noticed).when(Settle("d", "u", at)).then(settled)
    due(noticed, settled).when(Pass(passed)).then()
    due(noticed, passed, settled).when(Settle("d", "u", at)).then()
    due(noticed, settled).when(Notice(noticed)).then()


async def test_how_good_a_grid_is_is_told_once_a_day(town: Office, runtime: Runtime) -> None:
    await town.sees_all("/quality")
    await measure(runtime)
    assert await measure(runtime) == 0
    assert await runtime.db.fetchval("select count(*) from log.events where stream like 'quality-%'") == 1
