"""What fell due and nobody settled by its day: the duty list says whether it is a case. On real parts: what the
registry tells comes over Kafka."""

from collections.abc import AsyncGenerator
from datetime import date

import pytest
from contracts.common import Place, Title
from contracts.grid_tasks import CaseReported, CaseWithdrawn, ReporterKind
from contracts.registry import DueKind, DutyFacts, DutyListed
from events.runtime import Runtime
from events.testing import eventually
from grid_tasks.domain.case import CASE, Step
from grid_tasks.domain.commands import Start
from grid_tasks.domain.ground import inner_point
from grid_tasks.domain.lapse import SETTLED, case_of, words
from grid_tasks.domain.visit import visit_of
from grid_tasks.read_models.grids import grid_at

from .conftest import Town
from .doors import DECEMBER, THERE, WEI, due, lives, passed, settled
from .roster import AROUND, DUTIES, GROUND, appointed
from .test_policies import happened, look, ready, with_worker
from .trade import GRID, LI, NINE

LAPSE = DutyFacts(
    category="floating_registration_lapse",
    title=Title(zh="流动人口登记到期", en="Registration of a floating resident lapsed"),
    department=Title(zh="公安局派出所", en="Police station"),
    grid_duty=True,
    deadline_minutes=4320,
    legal_basis="《居住证暂行条例》第十条",
    rule=DueKind.REGISTRATION,
)
IT = case_of(due().due)
SHOP_CHECK = LAPSE.model_copy(update={"category": "fire_check_lapse", "rule": DueKind.FIRE_CHECK})


@pytest.fixture
async def runtime(town: Town) -> AsyncGenerator[Runtime]:
    """At work, with a duty list that says what is a case when its day has passed."""
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI))
        rules = [DutyListed(**it.model_dump()) for it in (LAPSE, SHOP_CHECK)]
        await town.tells(*GROUND, *rules)

        async def arrived() -> bool:
            counts = await runtime.db.fetchrow("select (select count(*) from duty), (select count(*) from grid_area)")
            return tuple(counts or ()) == (len(DUTIES) + 2, 1)

        await eventually(arrived)
        yield runtime


async def reported(runtime: Runtime, case: str = IT) -> CaseReported:
    """Waits until it is reported, and returns what was said."""

    async def is_reported() -> bool:
        return (await look(runtime, case)).step is not None

    await eventually(is_reported)
    (said,) = await happened(runtime, case, CaseReported)
    assert isinstance(said, CaseReported)
    return said


async def test_what_nobody_settled_is_one_case_of_its_category_for_who_is_there(town: Town, runtime: Runtime) -> None:
    await town.tells(lives(), due(), passed(due()), passed(due()))
    assert await with_worker(runtime, IT, LI) == LI
    said = await reported(runtime)
    assert (said.category, said.grid, said.reporter_kind) == (LAPSE.category, GRID, ReporterKind.RULE)
    assert (said.reporter, said.contact) == (None, None)
    assert said.description == words(LAPSE.title, DECEMBER, visit_of(due().due, WEI))
    assert WEI not in said.description


async def where_is_known(runtime: Runtime) -> None:
    async def known() -> bool:
        return await runtime.db.fetchval("select exists (select from met_at)")

    await eventually(known)


async def test_of_people_it_is_told_in_which_grid_and_not_at_which_door(town: Town, runtime: Runtime) -> None:
    await town.tells(lives())
    await where_is_known(runtime)
    await town.tells(due(), passed(due()))
    said = await reported(runtime)
    assert said.place != THERE
    assert await grid_at(runtime.db, said.place) == GRID


async def test_of_units_it_is_at_their_door(town: Town, runtime: Runtime) -> None:
    check = due("U-shop", DueKind.FIRE_CHECK)
    await town.tells(lives("U-shop"))
    await where_is_known(runtime)
    await town.tells(check, passed(check))
    assert (await reported(runtime, case_of(check.due))).place == THERE


async def test_what_no_entry_of_the_duty_list_names_is_no_case(town: Town, runtime: Runtime) -> None:
    licence = due("U-shop", DueKind.LICENCE)
    await town.tells(licence, passed(licence))
    await all_is_handled(town, runtime)
    assert (await look(runtime, case_of(licence.due))).step is None


async def all_is_handled(town: Town, runtime: Runtime) -> None:
    """Waits until what was told of each due before this has been handled: partitions come one by one."""
    for nth in range(24):
        mark = due(f"P-mark-{nth}")
        await town.tells(mark, passed(mark))
    for nth in range(24):
        await reported(runtime, case_of(due(f"P-mark-{nth}").due))


async def test_it_is_called_off_if_it_is_settled_before_anybody_has_begun(town: Town, runtime: Runtime) -> None:
    await town.tells(due(), passed(due()))
    await with_worker(runtime, IT, LI)
    await town.tells(settled(due()))

    async def called_off() -> bool:
        return (await look(runtime, IT)).step is Step.WITHDRAWN

    await eventually(called_off)
    (withdrawn,) = await happened(runtime, IT, CaseWithdrawn)
    assert isinstance(withdrawn, CaseWithdrawn)
    assert withdrawn.why == SETTLED


async def test_what_somebody_has_begun_is_theirs_to_end(town: Town, runtime: Runtime) -> None:
    await town.tells(due(), passed(due()))
    await with_worker(runtime, IT, LI)
    await runtime.commands.execute(CASE, IT, Start(LI, NINE))
    other = due("P-other")
    await town.tells(settled(due()), other, passed(other), settled(other))

    async def the_other_is_called_off() -> bool:
        return (await look(runtime, case_of(other.due))).step is Step.WITHDRAWN

    await eventually(the_other_is_called_off)
    assert (await look(runtime, IT)).step is Step.STARTED


def test_a_point_of_a_grid_lies_in_it_however_it_is_bent() -> None:
    bent = [(0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (2.0, 3.0), (2.0, 1.0), (1.0, 1.0), (1.0, 3.0), (0.0, 3.0)]
    assert inner_point(bent) == Place(longitude=0.5, latitude=2.0)
    assert inner_point([*bent, bent[0]]) == inner_point(bent)
    middle = inner_point(AROUND)
    assert (middle.longitude, middle.latitude) == pytest.approx((120.095, 30.875))


def test_it_is_said_in_both_languages_and_of_nobody() -> None:
    assert words(LAPSE.title, date(2026, 12, 20), "v1") == (
        "流动人口登记到期：2026-12-20 到期，登记中仍未办结。对象见走访 v1\n"
        "Registration of a floating resident lapsed: due on 2026-12-20, and still not settled by the register. "
        "Of whom or what: see visit v1"
    )
