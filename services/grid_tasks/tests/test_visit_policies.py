"""Visits by themselves: what falls due is visited, shared out, handed on and forgotten. On real parts: what the
registry tells comes over Kafka from a store and a relay of its own, sealed with keys of its own."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from contracts.common import ErasureGround, Post
from contracts.grid_tasks import VisitDone
from contracts.registry import DueKind, MemberDismissed, PersonErased, SampleDrawn
from contracts.visits import VisitKind
from events import Event, lag
from events.runtime import Runtime
from events.testing import eventually
from grid_tasks.domain.visit import VISIT, NobodyHome, Record, Visit, VisitStep, visit_of
from grid_tasks.domain.working_time import CHINA
from grid_tasks.policies.forgetting_visits import KEPT
from grid_tasks.read_models.visit_board import newest, tasks_of, visits_of
from grid_tasks.service import grid_tasks
from grid_tasks.waiting import give_what_waits

from .conftest import Town
from .doors import ALL_RIGHT, BUILDING, DAYS, DECEMBER, OTHER_PHONE, THERE, WEI, due, lives, settled
from .roster import appointed, changed
from .test_policies import looking_for_what_waits, ready
from .trade import GRID, LEADER, LI, NINE, WANG

TEAM = (appointed(LI), appointed(WANG), appointed(LEADER, post=Post.GRID_LEADER))
IT = visit_of(due().due, WEI)


async def look(runtime: Runtime, id_: str = IT) -> Visit:
    return (await runtime.commands.load(VISIT, id_))[0]


async def with_somebody(runtime: Runtime, *anyone: str, id_: str = IT) -> str:
    """Waits until one of these has the visit, and returns who."""

    async def has() -> bool:
        return (await look(runtime, id_)).worker in anyone

    await eventually(has)
    return (await look(runtime, id_)).worker or ""


async def stands(runtime: Runtime, step: VisitStep, id_: str = IT) -> None:
    async def so() -> bool:
        return (await look(runtime, id_)).step is step

    await eventually(so)


async def test_what_falls_due_is_visited_once_where_and_when_the_registry_says(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        await town.tells(lives(hours="6 09:00-11:00"), due(), due())
        worker = await with_somebody(runtime, LI, WANG)

        async def place_is_known() -> bool:
            return [it.site for it in await tasks_of(runtime.db, worker, None)] == [BUILDING]

        await eventually(place_is_known)
        (task,) = await tasks_of(runtime.db, worker, [GRID])
        assert (task.visit, task.kind, task.until) == (IT, VisitKind.REGISTRATION, DECEMBER)
        assert (task.place, task.hours) == (THERE, "6 09:00-11:00")
        assert await tasks_of(runtime.db, worker, ["G2"]) == []
        assert len(await newest(runtime.db, reach=None, limit=10)) == 1


async def test_a_visit_that_nobody_could_have_is_whose_leave_is_over_first(town: Town) -> None:
    away = {"on_leave_since": date(2026, 11, 16), "on_leave_until": date(2026, 11, 30)}
    longer = away | {"on_leave_until": date(2026, 12, 20)}
    team = (appointed(LI).model_copy(update=away), appointed(WANG).model_copy(update=longer))
    async with town.at_work() as runtime, looking_for_what_waits(runtime):
        await ready(town, runtime, *team)
        await town.tells(lives(), due())
        await stands(runtime, VisitStep.OPEN)

        async def looked_for_somebody() -> bool:
            consumers = await lag.own_lag(runtime.db, lag.own_consumers(grid_tasks))
            return not any(it.events for it in consumers if it.consumer == "sharing_visits")

        await eventually(looked_for_somebody)
        town.trade.now = datetime(2026, 11, 30, 23, 59, tzinfo=CHINA)
        assert await give_what_waits(runtime) == 0
        assert (await look(runtime)).worker is None
        town.trade.now = datetime(2026, 12, 1, tzinfo=CHINA)
        await with_somebody(runtime, LI)


async def test_a_sample_is_shared_out_evenly_one_visit_to_each(town: Town) -> None:
    people = tuple(f"P-{nth:02}" for nth in range(12))
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        await town.tells(
            SampleDrawn(sample="2026Q4-G1", period="2026Q4", grid=GRID, persons=people, seed=1, by="r", at=NINE)
        )
        held = Counter([await with_somebody(runtime, LI, WANG, id_=visit_of("2026Q4-G1", it)) for it in people])
        assert held == {LI: 6, WANG: 6}


async def test_who_asks_not_to_be_contacted_is_left_alone_whichever_is_heard_first(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        revisit = due(kind=DueKind.REVISIT)
        theirs = visit_of(revisit.due, WEI)
        await town.tells(revisit, due())
        await with_somebody(runtime, LI, WANG, id_=theirs)
        await with_somebody(runtime, LI, WANG)
        await town.tells(lives(no_contact=True))
        await stands(runtime, VisitStep.CANCELLED, theirs)
        assert (await look(runtime)).step is VisitStep.OPEN, "the law asks for this one"
        again = due(kind=DueKind.REVISIT, on=DECEMBER + timedelta(days=1))
        other = due("P-other", DueKind.REVISIT)
        await town.tells(again, other)
        await with_somebody(runtime, LI, WANG, id_=visit_of(other.due, "P-other"))
        assert (await look(runtime, visit_of(again.due, WEI))).step in (None, VisitStep.CANCELLED)


async def test_who_has_renewed_is_not_visited_any_more_whichever_is_heard_first(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        late = due(on=DECEMBER + timedelta(days=1))
        await town.tells(due(), settled(late), late)
        await with_somebody(runtime, LI, WANG)
        await town.tells(settled(due()))
        await stands(runtime, VisitStep.CANCELLED)
        await stands(runtime, VisitStep.CANCELLED, visit_of(late.due, WEI))

        async def none_is_shown_as_open() -> bool:
            return not await newest(runtime.db, reach=None, step=VisitStep.OPEN, limit=10)

        await eventually(none_is_shown_as_open)


async def test_a_visit_that_has_settled_it_stays_done(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        other = due("P-other")
        await town.tells(due(), other)
        await recorded(town, runtime, ALL_RIGHT)
        await town.tells(settled(due()), settled(other))
        await stands(runtime, VisitStep.CANCELLED, visit_of(other.due, "P-other"))
        assert (await look(runtime)).step is VisitStep.DONE


async def test_a_leavers_visits_go_to_those_who_stay_and_wait_where_nobody_does(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI))
        await town.tells(due())
        await with_somebody(runtime, LI)
        await town.tells(MemberDismissed(member=LI), appointed(WANG, "G2"))
        await town.tells(changed(WANG))
        await with_somebody(runtime, WANG)


async def test_after_three_times_nobody_home_the_leader_has_it(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        await town.tells(due())
        worker = await with_somebody(runtime, LI, WANG)
        for nth in range(3):
            at = NINE + timedelta(days=nth)
            await runtime.commands.execute(VISIT, IT, NobodyHome(worker, None, at, DAYS))
        await with_somebody(runtime, LEADER)


async def recorded(town: Town, runtime: Runtime, answers: Mapping[str, object]) -> str:
    worker = await with_somebody(runtime, LI, WANG)
    await runtime.commands.execute(VISIT, IT, Record(worker, None, town.trade(), "resident", 1, answers))
    return worker


async def answers_read(runtime: Runtime) -> list[str]:
    events: list[Event] = [it.data for it in await runtime.commands.history(VISIT, IT)]
    return [it.answers for it in events if isinstance(it, VisitDone)]


async def test_what_was_answered_is_forgotten_half_a_year_later(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        await town.tells(due())
        await recorded(town, runtime, OTHER_PHONE)
        assert "15496301248" in (await answers_read(runtime))[0]
        town.trade.advance(days=KEPT.days + 1)

        async def nobody_can_read_it() -> bool:
            return await answers_read(runtime) == [""]

        await eventually(nobody_can_read_it)


async def test_who_is_erased_is_not_visited_and_nothing_that_they_answered_is_left(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, *TEAM)
        another = due(kind=DueKind.REVISIT)
        await town.tells(lives(), due(), another)
        await recorded(town, runtime, ALL_RIGHT)
        still_open = visit_of(another.due, WEI)
        await with_somebody(runtime, LI, WANG, id_=still_open)
        await town.tells(PersonErased(person=WEI, ground=ErasureGround.CONSENT_WITHDRAWN, at=NINE))
        await stands(runtime, VisitStep.CANCELLED, still_open)

        async def nothing_is_left() -> bool:
            kept = await runtime.db.fetchval("select count(*) from met_at where thing = $1 and building <> ''", WEI)
            return await answers_read(runtime) == [""] and not kept and await visits_of(runtime.db, WEI) == []

        await eventually(nothing_is_left)
        late = due(kind=DueKind.REVISIT, on=DECEMBER + timedelta(days=9))
        other = due("P-other")
        await town.tells(late, other)
        await with_somebody(runtime, LI, WANG, id_=visit_of(other.due, "P-other"))
        assert (await look(runtime, visit_of(late.due, WEI))).step in (None, VisitStep.CANCELLED)
