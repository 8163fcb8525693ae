"""An open visit goes with the map, and with those who move: to the grid in which it lies, and to somebody there."""

import pytest
from contracts.common import Place, Title
from contracts.grid_tasks import VisitPlanned
from contracts.registry import DueNoticed, MapGrid, MapRedrawn, WhereaboutsTold
from contracts.visits import CancelCause, VisitKind
from events import Event
from events.runtime import Runtime
from events.testing import eventually
from grid_tasks.domain.visit import VISIT, Cancel, Plan, VisitStep
from grid_tasks.read_models.visit_board import newest

from .conftest import Town
from .doors import THERE, due, lives, planned, site
from .roster import appointed
from .test_policies import ready
from .test_visit_policies import IT, look, stands
from .trade import GRID, LI, NINE, WANG

WEST, EAST = (120.09, 120.0949), (120.0949, 120.1)
"""From and to which longitude: THERE lies in the east."""
IN_THE_WEST = Place(longitude=120.092, latitude=30.874)


def ground(code: str, *longitudes: float) -> MapGrid:
    west, east = longitudes
    ring = [(west, 30.87), (east, 30.87), (east, 30.88), (west, 30.88), (west, 30.87)]
    return MapGrid(grid=code, title=Title(zh="网格", en="Grid"), boundary=ring)


def drawn(*grids: MapGrid, given_up: tuple[str, ...] = ()) -> MapRedrawn:
    return MapRedrawn(map="all", drawn=grids, given_up=given_up)


ONE_GRID = drawn(ground(GRID, 120.09, 120.1))
TWO_GRIDS = drawn(ground(GRID, *WEST), ground("G2", *EAST))
TEAM = (appointed(LI), appointed(WANG, "G2"))


async def with_whom(runtime: Runtime, worker: str, grid: str, id_: str = IT) -> None:
    """Waits until the visit is in this grid, with this worker."""

    async def so() -> bool:
        visit = await look(runtime, id_)
        return (visit.grid, visit.worker) == (grid, worker)

    await eventually(so)


@pytest.mark.parametrize(
    "heard",
    [
        (ONE_GRID, lives(), due(), TWO_GRIDS),
        (TWO_GRIDS, lives(), due()),
        (due(), TWO_GRIDS, lives()),
        (due(), lives(), TWO_GRIDS),
    ],
    ids=["map last", "visit last", "whereabouts last", "no map before"],
)
async def test_a_redrawn_map_takes_an_open_visit_along_whatever_is_heard_first(
    town: Town, heard: tuple[MapRedrawn | DueNoticed | WhereaboutsTold, ...]
) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        for event in heard:
            await town.tells(event)
            await arrived(runtime, event)
        await with_whom(runtime, WANG, "G2")
        (shown,) = await newest(runtime.db, reach=["G2"], limit=10)
        assert shown.visit == IT


async def arrived(runtime: Runtime, event: Event) -> None:
    """Waits until grid_tasks has heard of it."""

    async def so() -> bool:
        match event:
            case MapRedrawn(drawn=grids):
                return await runtime.db.fetchval("select count(*) from grid_area") == len(grids)
            case WhereaboutsTold(grid=grid):
                told = await runtime.db.fetchval("select grid from met_at where thing = $1", event.whereabouts)
                return told == (grid or "")
            case _:
                return (await look(runtime)).step is not None

    await eventually(so)


async def test_a_grid_that_is_given_up_leaves_its_visits_to_who_has_its_ground(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        await town.tells(TWO_GRIDS, lives(place=IN_THE_WEST), due())
        await with_whom(runtime, LI, GRID)
        await town.tells(drawn(ground("G2", 120.09, 120.1), given_up=(GRID,)))
        await with_whom(runtime, WANG, "G2")


async def test_who_moves_within_the_community_is_visited_by_who_is_there(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        await town.tells(TWO_GRIDS, lives(place=IN_THE_WEST), due())
        await with_whom(runtime, LI, GRID)
        await town.tells(lives(building="蚕花路8号1幢", grid="G2"))
        await with_whom(runtime, WANG, "G2")


async def test_where_nobody_may_know_the_place_the_registrys_word_counts(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        await town.tells(TWO_GRIDS, lives(place=None, building=""), due())
        await with_whom(runtime, LI, GRID)
        await town.tells(lives(place=None, building="", grid="G2"))
        await with_whom(runtime, WANG, "G2")


async def test_a_visit_on_ground_that_no_grid_has_any_more_is_the_nearest_ones(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        await town.tells(TWO_GRIDS, lives(), due())
        await with_whom(runtime, WANG, "G2")
        await town.tells(drawn(ground(GRID, *WEST), given_up=("G2",)), lives(grid=None))
        await with_whom(runtime, LI, GRID)


async def test_a_visit_with_a_place_of_its_own_follows_it_and_one_that_is_over_stays(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        await town.tells(ONE_GRID)
        open_, over = (by_hand(runtime, it) for it in ("open", "over"))
        for visit in (open_, over):
            await runtime.commands.execute(VISIT, visit.visit, Plan(visit))
        await with_whom(runtime, LI, GRID, "over")
        await runtime.commands.execute(VISIT, "over", Cancel(CancelCause.BY_HAND, "重复", LI, NINE))
        await stands(runtime, VisitStep.CANCELLED, "over")
        await town.tells(TWO_GRIDS)
        await with_whom(runtime, WANG, "G2", "open")
        assert (await look(runtime, "over")).grid == GRID


def by_hand(runtime: Runtime, id_: str) -> VisitPlanned:
    there = site(8).model_copy(update={"place": THERE})
    return planned(VisitKind.OTHER, visit=id_, thing=id_, cause="", site=there, at=runtime.clock())
