"""Read models show the last that was said, however many changes come at once."""

from typing import Any

from contracts.common import Place, Post, Residency, Title, UnitCategory
from events import Aggregate, Event
from events.runtime import Runtime
from registry.domain.address import ADDRESS
from registry.domain.building import BUILDING
from registry.domain.duty import DUTY
from registry.domain.entry import Register
from registry.domain.grid_map import MAP, Draw
from registry.domain.household import HOUSEHOLD
from registry.domain.member import MEMBER, Dismiss
from registry.domain.person import PERSON
from registry.domain.unit import UNIT
from registry.service import registry

from .conftest import at_work
from .facts import BLOCK, FAMILY, FLAT, GROUND, LI, LIGHT, SHOP, SQUARE, TAN

EAST = [(x + 0.001, y) for x, y in SQUARE]
WEST = [(x - 0.001, y) for x, y in SQUARE]

TOLD: list[tuple[Aggregate[Any, Any], Event, dict[str, Any], dict[str, Any]]] = [
    (ADDRESS, FLAT, {"street": "和平路"}, {"street": "竹影路", "place": Place(longitude=120.5, latitude=30.5)}),
    (BUILDING, BLOCK, {"floors": 7}, {"floors": 8, "built_year": 1999}),
    (HOUSEHOLD, FAMILY, {"address": "a"}, {"address": "b"}),
    (PERSON, TAN, {"name": "谭一"}, {"household": "other", "relation": "child", "residency": Residency.PERMANENT}),
    (UNIT, SHOP, {"name": "一"}, {"name": "二", "category": UnitCategory.SHOP}),
    (MAP, GROUND, {"boundary": EAST}, {"boundary": WEST, "title": Title(zh="西", en="West")}),
    (MEMBER, LI, {"grid": "G2"}, {"post": Post.AUXILIARY, "grid": None}),
    (DUTY, LIGHT, {"deadline_minutes": 10}, {"grid_duty": False, "deadline_minutes": None}),
]

SHOWN = {
    "address": ["flat", None, "990502001001", "竹影路6号1幢1单元101室", 120.5, 30.5, (120_500_000, 30_500_000)],
    "building": ["block", "flat", "桑园新村1幢", "residential", 8, 1999],
    "household": ["tan", "b"],
    "person": ["tan-rui", "谭**", "9905**********4658", "permanent", "other", "child", "flat", None],
    "unit": ["shop", "二", "shop", "flat", "92990502MA9K4MJ71U"],
    "member": ["li", "李伟", "auxiliary", None],
    "duty": [
        "street_light_out",
        "路灯不亮",
        "Street light out",
        "综合行政执法局",
        "Urban management bureau",
        False,
        None,
        None,
        None,
        "《城市照明管理规定》",
    ],
}


async def tell(runtime: Runtime, register: Aggregate[Any, Any], facts: Any, *changes: dict[str, Any]) -> None:
    for update in changes:
        told = facts.model_copy(update=update)
        await runtime.commands.execute(register, "it", Draw("it", [told]) if register is MAP else Register(told))


async def caught_up(runtime: Runtime) -> None:
    for read_model in registry.read_models:
        await runtime.commands.caught_up(read_model)


async def check_shown(runtime: Runtime) -> None:
    for table, row in SHOWN.items():
        found = await runtime.db.fetch(f"select * from {table}")
        assert [list(it.values())[: len(row)] for it in found] == [row]
    [grid] = await runtime.db.fetch("select title_en, ground::text from grid")
    assert grid["title_en"] == "West"
    assert grid["ground"].startswith("((119999000,30000000)")


async def test_the_last_word_holds_when_all_comes_at_once(idle: Runtime) -> None:
    for register, facts, then, last in TOLD:
        await tell(idle, register, facts, {}, then, last)
    async with at_work(idle):
        await caught_up(idle)
        await check_shown(idle)


async def test_the_last_word_holds_when_it_comes_one_by_one(runtime: Runtime) -> None:
    for nth in range(3):
        for register, facts, then, last in TOLD:
            await tell(runtime, register, facts, ({}, then, last)[nth])
        await caught_up(runtime)
    await check_shown(runtime)


async def test_who_left_and_came_back_stands_on_the_roster(idle: Runtime) -> None:
    for command in (Register(LI), Dismiss(), Register(LI), Dismiss(), Register(LI)):
        await idle.commands.execute(MEMBER, LI.member, command)
    async with at_work(idle):
        await caught_up(idle)
        assert [row["id"] for row in await idle.db.fetch("select id from member")] == ["li"]
