"""What the registry tells of those who are to be visited, and what a visit brings back. On real parts: visits come over
Kafka from a store and keys of their own."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from contracts.common import ErasureGround, Post
from contracts.grid_tasks import VisitDone, VisitMovedAway
from contracts.registry import (
    DueKind,
    DueNoticed,
    PersonChanged,
    PersonConfirmed,
    PersonDisputed,
    SampleAnswered,
    UnitConfirmed,
    UnitDisputed,
    WhereaboutsTold,
)
from contracts.visits import VisitKind
from edge.testing import founding, in_post, told
from events import Event
from events.runtime import Runtime
from events.testing import eventually, publish, running
from local.testing import NewDatabase
from registry.domain.address import ADDRESS
from registry.domain.due import DUE, Notice, Settle
from registry.domain.entry import Register
from registry.domain.grid_map import MAP, Draw
from registry.domain.person import PERSON, Erase
from registry.domain.sample import SAMPLE, DrawSample
from registry.domain.unit import UNIT
from registry.domain.whereabouts import WHEREABOUTS
from registry.read_models.territory import territory
from registry.service import registry

from .facts import FLAT, GROUND, SHOP, TAN

NINE = datetime(2026, 11, 24, 1, tzinfo=UTC)


@dataclass
class Town:
    """The registry at work, and grid_tasks that tells of visits."""

    runtime: Runtime
    visits_database: str
    kafka: str
    prefix: str

    async def visited(self, **about: Any) -> None:
        """A worker comes back from a visit to Tan, or where it says."""
        visit = f"v{next(VISITS)}"
        usual: dict[str, Any] = {
            "kind": VisitKind.REVISIT,
            "of": "people",
            "thing": TAN.person,
            "grid": "G1",
            "worker": "li",
            "form": "resident",
            "form_version": 1,
            "tries": 1,
            "done_at": NINE,
            "at": NINE,
        }
        await self.tells(visit, VisitDone(visit=visit, **usual | about))

    async def tells(self, visit: str, event: Event) -> None:
        await publish(self.visits_database, self.kafka, self.prefix, (visit, event))

    async def happened(self, aggregate: Any, id_: str, kind: type[Event], times: int = 1) -> list[Any]:
        """Waits until it has happened so often."""
        found: list[Any] = []

        async def so_often() -> bool:
            found[:] = [it.data for it in await self.runtime.commands.history(aggregate, id_)]
            found[:] = [it for it in found if isinstance(it, kind)]
            return len(found) >= times

        await eventually(so_often)
        assert len(found) == times
        return found


VISITS = count(1)


@pytest.fixture
async def town(new_database: NewDatabase, kafka_server: str, topic_prefix: str) -> AsyncGenerator[Town]:
    database, visits = await new_database("registry"), await new_database("grid_tasks")
    async with running(registry, database, kafka_server, topic_prefix) as runtime:
        posts = in_post("clerk", Post.REGISTRAR), in_post("li", Post.GRID_WORKER, "G1")
        await told(database, *founding(), *posts)
        await runtime.commands.execute(ADDRESS, FLAT.address, Register(FLAT))
        await runtime.commands.execute(PERSON, TAN.person, Register(TAN))
        await runtime.commands.execute(UNIT, SHOP.unit, Register(SHOP))
        yield Town(runtime, visits, kafka_server, topic_prefix)


def due(of: str = "people", thing: str = TAN.person, kind: DueKind = DueKind.REVISIT) -> Notice:
    return Notice(DueNoticed(due=f"d-{thing}", kind=kind, of=of, thing=thing, grid="G1", on=date(2026, 12, 20)))


async def test_where_one_can_be_met_is_told_of_those_who_are_to_be_visited_only(town: Town) -> None:
    commands = town.runtime.commands
    await commands.execute(PERSON, TAN.person, Register(TAN.model_copy(update={"phone": "15496301248"})))
    await commands.execute(DUE, "d-shop", due("units", SHOP.unit, DueKind.LICENCE))
    (shop,) = await town.happened(WHEREABOUTS, SHOP.unit, WhereaboutsTold)
    assert (shop.building, shop.place) == ("蚕花路6号1幢", FLAT.place), "the building, not the flat"
    assert await commands.history(WHEREABOUTS, TAN.person) == []

    await commands.execute(DUE, "d-tan", due())
    await town.happened(WHEREABOUTS, TAN.person, WhereaboutsTold)
    at_home = TAN.model_copy(update={"phone": "15496301248", "home_hours": "6 09:00-11:00"})
    await commands.execute(PERSON, TAN.person, Register(at_home))
    found = await town.happened(WHEREABOUTS, TAN.person, WhereaboutsTold, 2)
    assert [it.home_hours for it in found] == ["", "6 09:00-11:00"]


async def test_on_the_topic_it_is_sealed_with_a_key_of_its_own_which_goes_with_the_person(town: Town) -> None:
    commands = town.runtime.commands
    await commands.execute(DUE, "d-tan", due())
    await town.happened(WHEREABOUTS, TAN.person, WhereaboutsTold)
    stored = await town.runtime.db.fetchval("select data::text from log.events where stream = 'whereabouts-tan-rui'")
    assert "whereabouts-tan-rui" in stored
    assert not [it for it in ("蚕花路", "person-tan-rui", "120.09") if it in stored]
    await commands.execute(PERSON, TAN.person, Erase(ErasureGround.CONSENT_WITHDRAWN, NINE))

    async def nobody_can_read_it() -> bool:
        events = [it.data for it in await commands.history(WHEREABOUTS, TAN.person)]
        return [it.building for it in events if isinstance(it, WhereaboutsTold)] == [""]

    await eventually(nobody_can_read_it)


async def test_a_redrawn_map_is_told_of_those_only_whom_a_visit_is_still_wanted_of(town: Town) -> None:
    commands = town.runtime.commands
    around = [(120.08, 30.86), (120.1, 30.86), (120.1, 30.88), (120.08, 30.88), (120.08, 30.86)]
    await commands.execute(MAP, "all", Draw("all", [GROUND.model_copy(update={"boundary": around})]))
    await commands.caught_up(territory, 60)
    for it in (due(), due("units", SHOP.unit, DueKind.LICENCE)):
        await commands.execute(DUE, it.noticed.due, it)
    await town.happened(WHEREABOUTS, SHOP.unit, WhereaboutsTold)
    (told,) = await town.happened(WHEREABOUTS, TAN.person, WhereaboutsTold)
    assert told.grid == "G1"
    await commands.execute(DUE, "d-shop", Settle("d-shop", SHOP.unit, NINE))
    anew = GROUND.model_copy(update={"grid": "G2", "boundary": around})
    await commands.execute(MAP, "all", Draw("all", [anew], frozenset({"G1"})))
    *_, told = await town.happened(WHEREABOUTS, TAN.person, WhereaboutsTold, 2)
    assert (told.grid, told.place) == ("G2", FLAT.place)
    await town.happened(WHEREABOUTS, SHOP.unit, WhereaboutsTold)


async def test_all_as_registered_confirms_each_time_and_answers_the_sample(town: Town) -> None:
    draw = DrawSample("2026Q4-G1", "2026Q4", "G1", [TAN.person], 1, 1, "clerk", NINE)
    await town.runtime.commands.execute(SAMPLE, "2026Q4-G1", draw)
    right = {"as_registered": True, "answers": '{"as_registered": true}'}
    await town.visited(kind=VisitKind.SAMPLE, cause="2026Q4-G1", **right)
    (answered,) = await town.happened(SAMPLE, "2026Q4-G1", SampleAnswered)
    assert (answered.person, answered.right, answered.by) == (TAN.person, True, "li")
    await town.happened(PERSON, TAN.person, PersonConfirmed)
    await town.visited(**right)
    await town.happened(PERSON, TAN.person, PersonConfirmed, 2)
    await town.visited(of="units", thing=SHOP.unit, kind=VisitKind.LICENCE, form="unit", **right)
    await town.happened(UNIT, SHOP.unit, UnitConfirmed)


OTHERWISE = {
    "as_registered": False,
    "wrong": ("phone",),
    "answers": '{"as_registered": false, "changes": {"phone": "15496301248"}}',
}


async def test_what_is_otherwise_is_a_proposal_that_somebody_decides_on(town: Town) -> None:
    await town.visited(**OTHERWISE)
    (disputed,) = await town.happened(PERSON, TAN.person, PersonDisputed)
    assert (disputed.disputed, disputed.phone) == (("phone",), "15496301248")
    person, _ = await town.runtime.commands.load(PERSON, TAN.person)
    assert person.known().phone == ""


async def test_of_who_may_enter_it_it_is_a_fact(town: Town) -> None:
    await town.visited(worker="clerk", **OTHERWISE)
    (changed,) = await town.happened(PERSON, TAN.person, PersonChanged)
    assert (changed.phone, changed.name, changed.address) == ("15496301248", TAN.name, TAN.address)


async def test_of_units_dates_are_proposed_and_who_has_gone_may_have_moved_out(town: Town) -> None:
    changes = '{"as_registered": false, "changes": {"licence_until": "2027-12-31", "closed": false, "staff": 3}}'
    about = {"of": "units", "thing": SHOP.unit, "form": "unit", "as_registered": False, "answers": changes}
    await town.visited(**about)
    (unit,) = await town.happened(UNIT, SHOP.unit, UnitDisputed)
    assert (set(unit.disputed), unit.licence_until) == ({"licence_until", "staff"}, date(2027, 12, 31))
    gone = {"kind": VisitKind.REVISIT, "of": "people", "thing": TAN.person, "grid": "G1", "worker": "li", "at": NINE}
    await town.tells("gone", VisitMovedAway.model_validate(gone | {"visit": "gone"}))
    (person,) = await town.happened(PERSON, TAN.person, PersonDisputed)
    assert person.disputed == ("presence",)


async def test_whose_answers_were_erased_on_the_way_are_left_as_they_are(town: Town) -> None:
    await town.runtime.commands.execute(PERSON, TAN.person, Erase(ErasureGround.CONSENT_WITHDRAWN, NINE))
    await town.visited(**OTHERWISE)
    await town.visited(of="units", thing=SHOP.unit, form="unit", as_registered=True, answers="")
    await town.happened(UNIT, SHOP.unit, UnitConfirmed)
    assert not await town.runtime.db.fetchval("select count(*) from log.parked"), "and nothing is parked"
