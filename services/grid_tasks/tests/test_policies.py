"""What happens by itself: bursts are spread, missed deadlines are escalated once, a leaver's work moves. On real parts:
the roster comes over Kafka from a registry with a store and a relay of its own."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta

from contracts.common import Place, Post
from contracts.grid_tasks import (
    CaseAccepted,
    CaseDispatched,
    CaseEscalated,
    CaseTakenUp,
    EscalationCause,
    PauseKind,
    RefusalKind,
    Rung,
)
from contracts.registry import DutyListed, MapGrid, MapRedrawn, MemberAppointed, MemberDismissed
from edge.hourly import hourly
from events import Event
from events.runtime import Runtime
from events.testing import eventually
from grid_tasks.domain.case import CASE, Case, Step
from grid_tasks.domain.commands import (
    CaseCommand,
    Confer,
    HandOver,
    Merge,
    Pause,
    PlaceIn,
    Refuse,
    Reopen,
    Resume,
    Return,
    Start,
    Withdraw,
)
from grid_tasks.domain.working_time import CHINA
from grid_tasks.read_models.case_search import Sought, find
from grid_tasks.read_models.grids import grid_at
from grid_tasks.read_models.open_work import stranded
from grid_tasks.service import application
from grid_tasks.waiting import give_what_waits, giving_what_waits

from .conftest import Town, Trade, prepare, process
from .roster import DUTIES, GROUND, TITLE, appointed, changed
from .trade import (
    DAYS,
    GRID,
    HERE,
    LEADER,
    LI,
    LICENCES,
    NOISE,
    RECEIPT,
    TWO_HOURS,
    WANG,
    give,
    hand_in,
    report,
    send_back,
    verify,
)


async def reports(runtime: Runtime, *cases: str) -> None:
    """Residents report these cases, all at once."""

    async def one(case: str) -> None:
        command = replace(report(), case=case, at=runtime.clock())
        await runtime.commands.execute(CASE, case, command, new=True)

    await asyncio.gather(*map(one, cases))


async def does(runtime: Runtime, case: str, *commands: CaseCommand) -> Case:
    for command in commands:
        await runtime.commands.execute(CASE, case, command)
    return await look(runtime, case)


async def look(runtime: Runtime, case: str) -> Case:
    return (await runtime.commands.load(CASE, case))[0]


async def with_worker(runtime: Runtime, case: str, *anyone: str) -> str:
    """Waits until one of these has the case, and returns who."""

    async def has() -> bool:
        return (await look(runtime, case)).worker in anyone

    await eventually(has)
    return (await look(runtime, case)).worker or ""


async def happened(runtime: Runtime, case: str, kind: type[Event]) -> list[Event]:
    return [it.data for it in await runtime.commands.history(CASE, case) if isinstance(it.data, kind)]


async def in_post(runtime: Runtime, *members: str) -> None:
    """Waits until exactly these are in post."""

    async def known() -> bool:
        return sorted(members) == [row[0] for row in await runtime.db.fetch("select member from member order by 1")]

    await eventually(known)


async def ready(town: Town, runtime: Runtime, *team: Event) -> None:
    """The registry has told the duty list and the roster, and they have arrived."""
    await town.tells(*DUTIES, *team)

    async def arrived() -> bool:
        counts = await runtime.db.fetchrow("select (select count(*) from duty), (select count(*) from member)")
        members = sum(isinstance(it, MemberAppointed) for it in team)
        return tuple(counts or ()) == (len(DUTIES), members)

    await eventually(arrived)


async def test_a_burst_in_one_grid_is_spread_evenly(town: Town) -> None:
    team = ("li", "wang", "chen")
    async with town.at_work() as runtime:
        elsewhere, leader = appointed("sun", "G2"), appointed(LEADER, post=Post.GRID_LEADER)
        await ready(town, runtime, *map(appointed, team), elsewhere, leader)
        cases = [f"burst-{n}" for n in range(30)]
        await reports(runtime, *cases)
        held = Counter([await with_worker(runtime, case, *team) for case in cases])
        assert held == dict.fromkeys(team, 10)


async def test_a_case_that_nobody_verifies_is_told_higher_and_higher_until_somebody_does(
    runtime: Runtime, trade: Trade
) -> None:
    await reports(runtime, "stays", "seen")
    for case in ("stays", "seen"):
        worker = await with_worker(runtime, case, LI, WANG)
        handed = await does(runtime, case, Start(worker, trade()), hand_in(worker, trade()))
    assert handed.check_by
    trade.advance(seconds=(handed.check_by - trade()).total_seconds())

    async def told(case: str, *rungs: Rung) -> None:
        async def so() -> bool:
            found = [it for it in await happened(runtime, case, CaseEscalated) if isinstance(it, CaseEscalated)]
            assert all(it.cause is EscalationCause.UNCHECKED and it.worker is None for it in found)
            return tuple(it.rung for it in found) == rungs

        await eventually(so)

    await told("stays", Rung.LEADER)
    await told("seen", Rung.LEADER)
    await does(runtime, "seen", verify(LEADER, trade()))
    trade.advance(days=5)
    await told("stays", Rung.LEADER, Rung.STREET)
    await told("seen", Rung.LEADER)


async def test_a_case_not_handled_in_time_is_escalated_once_whatever_restarts(database: str, trade: Trade) -> None:
    async with process(database, trade) as runtime:
        await prepare(runtime, appointed(LI))
        await reports(runtime, "late", "done")
        for case in ("late", "done"):
            await with_worker(runtime, case, LI)
        await does(runtime, "done", Start(LI, trade()), hand_in(LI, trade()), verify(LEADER, trade()))
    trade.advance(minutes=TWO_HOURS)  # while nobody is at work
    async with process(database, trade) as runtime:

        async def is_escalated() -> bool:
            return bool(await happened(runtime, "late", CaseEscalated))

        await eventually(is_escalated)
        told = await happened(runtime, "late", CaseEscalated)
        assert isinstance(told[0], CaseEscalated)
        assert (told[0].worker, told[0].cause) == (LI, EscalationCause.OVERDUE)
    trade.advance(days=1)
    async with process(database, trade) as runtime:

        async def no_timer_waits() -> bool:
            return await runtime.db.fetchval("select count(*) from log.timers") == 0

        await eventually(no_timer_waits)
        rungs = [it.rung for it in await happened(runtime, "late", CaseEscalated) if isinstance(it, CaseEscalated)]
        assert rungs == [Rung.LEADER, Rung.STREET], "each once; a day late, only the highest is told besides"
        assert await happened(runtime, "done", CaseEscalated) == []


async def test_a_case_given_to_another_has_one_deadline_the_new_one(runtime: Runtime, trade: Trade) -> None:
    await reports(runtime, "moved")
    first = await with_worker(runtime, "moved", LI, WANG)
    trade.advance(minutes=60)
    other = WANG if first == LI else LI
    await does(runtime, "moved", give(other, GRID, "近", trade()))
    due = await runtime.db.fetch("select due from log.timers where name = 'deadline'")
    assert [row[0] for row in due] == [trade() + timedelta(minutes=TWO_HOURS)]


async def test_a_leavers_work_moves_by_itself_but_not_what_they_handed_in(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI))
        await reports(runtime, "begun", "new", "done")
        for case in ("begun", "new", "done"):
            await with_worker(runtime, case, LI)
        await does(runtime, "begun", Start(LI, town.trade()))
        await does(runtime, "done", Start(LI, town.trade()), hand_in(LI, town.trade()))
        await town.tells(appointed(WANG), appointed("chen"))
        await in_post(runtime, LI, WANG, "chen")
        await town.tells(MemberDismissed(member=LI))
        held = Counter([await with_worker(runtime, case, WANG, "chen") for case in ("begun", "new")])
        assert held == {WANG: 1, "chen": 1}
        assert (await look(runtime, "begun")).step is Step.DISPATCHED
        moved = (await happened(runtime, "begun", CaseDispatched))[-1]
        assert isinstance(moved, CaseDispatched)
        assert "no longer in post" in moved.why
        assert (await look(runtime, "done")).worker == LI

        # What the leaver handed in comes back: it goes to somebody who is there.
        await does(runtime, "done", send_back(LEADER, "没做完", town.trade()))
        await with_worker(runtime, "done", WANG, "chen")


async def test_who_changes_to_another_grid_leaves_their_cases_to_those_who_stay(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI))
        await reports(runtime, "here")
        await with_worker(runtime, "here", LI)
        await town.tells(appointed(WANG), changed(LI, "G2"))
        await with_worker(runtime, "here", WANG)


async def test_a_paused_case_of_a_leaver_is_taken_over_and_goes_on_with_the_whole_time(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI))
        await reports(runtime, "stands")
        await with_worker(runtime, "stands", LI)
        begun, pause = Start(LI, town.trade()), Pause(LEADER, PauseKind.FOR_ANOTHER_BODY, "等检测", None, town.trade())
        await does(runtime, "stands", begun, pause)
        await town.tells(appointed(WANG), MemberDismissed(member=LI))
        await with_worker(runtime, "stands", WANG)
        assert (await look(runtime, "stands")).step is Step.PAUSED

        async def on_the_board() -> bool:
            return [it.case for it in await find(runtime.db, Sought(worker=WANG), limit=10)] == ["stands"]

        await eventually(on_the_board)
        town.trade.advance(days=1)
        case = await does(runtime, "stands", Resume(LEADER, DAYS, town.trade()))
        assert case.due == town.trade() + timedelta(minutes=TWO_HOURS)


async def test_a_case_whose_worker_left_while_it_stood_and_nobody_was_there_has_somebody_when_it_goes_on(
    town: Town,
) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI))
        await reports(runtime, "stands")
        await with_worker(runtime, "stands", LI)
        await does(runtime, "stands", Pause(LEADER, PauseKind.FOR_ANOTHER_BODY, "等检测", None, town.trade()))
        await town.tells(MemberDismissed(member=LI))
        await in_post(runtime)
        await does(runtime, "stands", Resume(LEADER, DAYS, town.trade()))

        async def told_that_nobody_is_there() -> bool:
            return bool(await happened(runtime, "stands", CaseEscalated))

        await eventually(told_that_nobody_is_there)
        await town.tells(appointed(WANG))
        await with_worker(runtime, "stands", WANG)


async def test_a_late_case_whose_clock_stood_goes_on_up_the_ladder(runtime: Runtime, trade: Trade) -> None:
    await reports(runtime, "late")
    await with_worker(runtime, "late", LI, WANG)
    trade.advance(minutes=TWO_HOURS)

    async def rungs(*expected: Rung) -> None:
        async def told() -> bool:
            found = await happened(runtime, "late", CaseEscalated)
            return [it.rung for it in found if isinstance(it, CaseEscalated)] == list(expected)

        await eventually(told)

    await rungs(Rung.LEADER)
    await does(runtime, "late", Pause(LEADER, PauseKind.FOR_ANOTHER_BODY, "等检测", None, trade()))
    trade.advance(days=1)
    await does(runtime, "late", Resume(LEADER, DAYS, trade()))
    trade.advance(minutes=240)
    await rungs(Rung.LEADER, Rung.INSTRUCTOR)


async def test_nobody_waits_for_the_part_of_who_has_left(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI), appointed("chen", "G2"))
        await reports(runtime, "together")
        await with_worker(runtime, "together", LI)
        await does(runtime, "together", Start(LI, town.trade()), Confer(LEADER, ("chen", "gone"), "两家", town.trade()))

        async def waits_for(*helpers: str) -> None:
            async def so() -> bool:
                return (await look(runtime, "together")).helping == frozenset(helpers)

            await eventually(so)

        await waits_for("chen")  # who was asked had left already
        await town.tells(MemberDismissed(member="chen"))
        await waits_for()
        assert (await does(runtime, "together", hand_in(LI, town.trade()))).step is Step.HANDED_IN


FAR = Place(longitude=120.2, latitude=30.9)
EAST = [(120.0943, 30.87), (120.10, 30.87), (120.10, 30.88), (120.0943, 30.88), (120.0943, 30.87)]
"""With HERE in it."""
WEST = [(120.09, 30.87), (120.0943, 30.87), (120.0943, 30.88), (120.09, 30.88), (120.09, 30.87)]


def redrawn(*given_up: str, **grids: list[tuple[float, float]]) -> MapRedrawn:
    drawn = [MapGrid(grid=grid, title=TITLE, boundary=boundary) for grid, boundary in grids.items()]
    return MapRedrawn(map="all", drawn=tuple(drawn), given_up=given_up)


async def test_open_cases_follow_the_map_to_who_is_in_post_there(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI), appointed(WANG, "G2"), *GROUND)
        await reports(runtime, "begun", "stands", "done")
        for case in ("begun", "stands", "done"):
            await with_worker(runtime, case, LI)
            await does(runtime, case, Start(LI, town.trade()))
        await does(runtime, "stands", Pause(LEADER, PauseKind.FOR_ANOTHER_BODY, "等检测", None, town.trade()))
        await does(runtime, "done", hand_in(LI, town.trade()))
        await town.tells(redrawn(G1=WEST, G2=EAST))
        for case in ("begun", "stands"):
            await with_worker(runtime, case, WANG)
            assert (await look(runtime, case)).grid == "G2"

        async def verified_there() -> bool:
            return (await look(runtime, "done")).grid == "G2"

        await eventually(verified_there)
        assert (await look(runtime, "done")).worker == LI, "who handed it in answers for it"


async def test_a_grid_given_up_leaves_no_case_behind(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI), appointed(WANG, "G2"), *GROUND)
        await reports(runtime, "inside")
        await runtime.commands.execute(CASE, "far", replace(report(grid=None), case="far", place=FAR, at=town.trade()))
        await does(runtime, "far", PlaceIn(GRID, LEADER, town.trade()))
        for case in ("inside", "far"):
            await with_worker(runtime, case, LI)
        await town.tells(redrawn(GRID, G2=EAST))
        for case in ("inside", "far"):  # what lies in no grid is the nearest one's
            await with_worker(runtime, case, WANG)


async def test_what_waits_at_the_desk_goes_where_the_new_map_says(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(WANG, "G2"))
        await runtime.commands.execute(CASE, "desk", replace(report(grid=None), case="desk", at=town.trade()))
        await town.tells(redrawn(G2=EAST))
        await with_worker(runtime, "desk", WANG)


async def test_what_was_reported_or_reopened_by_an_older_map_follows_the_newer_one(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI), appointed(WANG, "G2"), *GROUND)
        await reports(runtime, "ended")
        await with_worker(runtime, "ended", LI)
        done = hand_in(LI, town.trade()), verify(LEADER, town.trade())
        await does(runtime, "ended", Start(LI, town.trade()), *done)
        await town.tells(redrawn(G1=WEST, G2=EAST))

        async def known() -> bool:
            return await grid_at(runtime.db, HERE) == "G2"

        await eventually(known)
        await reports(runtime, "just-then")
        await with_worker(runtime, "just-then", WANG)
        assert (await look(runtime, "ended")).grid == GRID
        await does(runtime, "ended", Reopen(RECEIPT, "又响了", DAYS, town.trade()))
        await with_worker(runtime, "ended", WANG)


async def test_who_left_while_being_chosen_does_not_keep_the_case(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI))
        await reports(runtime, "case")
        await with_worker(runtime, "case", LI)
        await does(runtime, "case", give("gone", GRID, "以为还在岗", town.trade()))
        await with_worker(runtime, "case", LI)


async def test_without_workers_the_leader_has_it_and_without_anybody_it_waits_to_be_seen(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(WANG, "G2"))
        await reports(runtime, "waiting")

        async def listed_as_escalated_and_with_nobody() -> bool:
            rows = await find(runtime.db, Sought(step=Step.ACCEPTED, escalated=True), limit=10)
            return [(row.case, row.worker) for row in rows] == [("waiting", None)]

        await eventually(listed_as_escalated_and_with_nobody)
        told = await happened(runtime, "waiting", CaseEscalated)
        assert isinstance(told[0], CaseEscalated)
        assert told[0].cause is EscalationCause.NOBODY_IN_POST
        assert len(told) == 1

        await town.tells(appointed(LEADER, post=Post.GRID_LEADER))
        await with_worker(runtime, "waiting", LEADER)

        # The leader leaves too: it stays with them, escalated, until somebody comes.
        await town.tells(MemberDismissed(member=LEADER))

        async def said_again() -> bool:
            return len(await happened(runtime, "waiting", CaseEscalated)) == 2

        await eventually(said_again)
        assert [it.case for it in await stranded(runtime.db, grid=GRID)] == ["waiting"]  # so it is found
        await town.tells(changed(WANG, GRID))
        await with_worker(runtime, "waiting", WANG)


ON_LEAVE = {"on_leave_since": date(2026, 11, 16), "on_leave_until": date(2026, 11, 30)}


@asynccontextmanager
async def looking_for_what_waits(runtime: Runtime) -> AsyncGenerator[None]:
    """What the service looks for every hour, all the time."""
    looking = asyncio.ensure_future(hourly("what waits", give_what_waits, seconds=0.05)(runtime))
    yield
    looking.cancel()
    await asyncio.wait([looking])


async def told_that_nobody_is_there(runtime: Runtime, case: str) -> None:
    async def so() -> bool:
        found = await happened(runtime, case, CaseEscalated)
        return [it.cause for it in found if isinstance(it, CaseEscalated)] == [EscalationCause.NOBODY_IN_POST]

    await eventually(so)


def test_the_service_looks_for_what_waits() -> None:
    assert giving_what_waits in application.workers


async def test_a_departments_case_is_its_liaisons_once_their_leave_is_over(town: Town) -> None:
    liaison = appointed("liaison", None, Post.DEPARTMENT_LIAISON).model_copy(
        update=ON_LEAVE | {"body": LICENCES.department.zh}
    )
    async with town.at_work() as runtime, looking_for_what_waits(runtime):
        await ready(town, runtime, appointed(LI), liaison)
        town.trade.now = datetime(2026, 11, 28, 9, tzinfo=CHINA)
        await reports(runtime, "theirs")
        await with_worker(runtime, "theirs", LI)
        to_them = HandOver(LICENCES.department.zh, True, LEADER, "属其职责", DAYS, town.trade())
        await does(runtime, "theirs", to_them)

        await told_that_nobody_is_there(runtime, "theirs")
        town.trade.now = datetime(2026, 11, 30, 23, 59, tzinfo=CHINA)
        assert await give_what_waits(runtime) == 0
        assert (await look(runtime, "theirs")).worker is None
        town.trade.now = datetime(2026, 12, 1, tzinfo=CHINA)
        await with_worker(runtime, "theirs", "liaison")


async def test_a_case_of_who_left_is_somebodys_once_they_are_back_from_leave(town: Town) -> None:
    async with town.at_work() as runtime, looking_for_what_waits(runtime):
        await ready(town, runtime, appointed(LI), appointed(WANG).model_copy(update=ON_LEAVE))
        await reports(runtime, "begun")
        await with_worker(runtime, "begun", LI)
        await does(runtime, "begun", Start(LI, town.trade()))
        await town.tells(MemberDismissed(member=LI))
        await told_that_nobody_is_there(runtime, "begun")
        town.trade.now = datetime(2026, 12, 1, tzinfo=CHINA)
        await with_worker(runtime, "begun", WANG)


async def test_what_its_worker_gave_back_waits_for_a_person_however_often_one_looks(
    runtime: Runtime, trade: Trade
) -> None:
    await reports(runtime, "given-back")
    worker = await with_worker(runtime, "given-back", LI, WANG)
    await does(runtime, "given-back", Return(worker, "不归我管", trade()))
    assert await give_what_waits(runtime) == 0
    assert (await look(runtime, "given-back")).step is Step.ACCEPTED


async def test_a_report_whose_duty_has_gone_is_parked_for_an_operator_and_stops_no_other(town: Town) -> None:
    async with town.at_work() as runtime:
        await town.tells(appointed(LI))
        await in_post(runtime, LI)
        await reports(runtime, "too-early")

        async def parked() -> bool:
            row = await runtime.db.fetchrow("select consumer, stream, error from log.parked")
            return row is not None and (row[0], row[1]) == ("accepting", "case-too-early") and "duty list" in row[2]

        await eventually(parked)
        await town.tells(DutyListed(**NOISE.model_dump()))

        async def listed() -> bool:
            return await runtime.db.fetchval("select count(*) from duty") == 1

        await eventually(listed)
        await reports(runtime, "in-order")
        await with_worker(runtime, "in-order", LI)
        assert (await look(runtime, "too-early")).step is Step.REPORTED


# Merged, and the other one does not go on.


async def in_hand(runtime: Runtime, *cases: str) -> None:
    await reports(runtime, *cases)
    for case in cases:
        await with_worker(runtime, case, LI, WANG)


async def merges(runtime: Runtime, case: str, into: str) -> None:
    """As a leader does who has seen that the other one goes on."""
    assert (await does(runtime, case, Merge(into, NOISE.category, False, LEADER, runtime.clock()))).into == into


async def goes_on(runtime: Runtime, case: str) -> None:
    """Waits until it was taken up again, and somebody has it, by a deadline of its own."""

    async def so() -> bool:
        state = await look(runtime, case)
        return state.step is Step.DISPATCHED and state.into is None

    await eventually(so)
    [taken_up] = await happened(runtime, case, CaseTakenUp)
    assert isinstance(taken_up, CaseTakenUp)
    timers = await runtime.db.fetch("select name from log.timers where stream = $1", f"case-{case}")
    assert "deadline" in {row[0] for row in timers}


async def all_is_done(runtime: Runtime) -> None:
    """Waits until the policy has seen all that happened."""

    async def so() -> bool:
        return await runtime.db.fetchval(
            """select (incarnation, tx, position) >= (
                   select incarnation, tx, position from log.events
                   where type in ('commongrid.grid_tasks.case.merged.v1', 'commongrid.grid_tasks.case.withdrawn.v1',
                                  'commongrid.grid_tasks.case.closed.v1')
                   order by incarnation desc, tx desc, position desc limit 1)
               from log.progress where consumer = 'unmerging'"""
        )

    await eventually(so)


async def test_a_merged_report_goes_on_when_the_other_one_is_withdrawn_or_refused(
    runtime: Runtime, trade: Trade
) -> None:
    await in_hand(runtime, "first", "second", "other", "last")
    await merges(runtime, "first", "other")
    await merges(runtime, "second", "last")
    trade.advance(minutes=30)
    await does(runtime, "other", Withdraw(RECEIPT, trade()))
    await does(runtime, "last", Refuse(LEADER, RefusalKind.NOT_THERE, "查无此事", "", trade()))
    for case in ("first", "second"):
        await goes_on(runtime, case)
        assert (await look(runtime, case)).due == trade() + timedelta(minutes=TWO_HOURS)


async def test_a_report_merged_into_one_that_has_just_ended_goes_on(runtime: Runtime, trade: Trade) -> None:
    await in_hand(runtime, "report", "other")
    await does(runtime, "other", Withdraw(RECEIPT, trade()))
    await merges(runtime, "report", "other")
    await goes_on(runtime, "report")


async def test_of_two_that_are_merged_into_each_other_at_the_same_time_one_goes_on(runtime: Runtime) -> None:
    await in_hand(runtime, "a", "b", "c")
    await asyncio.gather(merges(runtime, "a", "b"), merges(runtime, "b", "c"), merges(runtime, "c", "a"))
    await goes_on(runtime, "a")
    await all_is_done(runtime)
    assert [(await look(runtime, case)).into for case in ("a", "b", "c")] == [None, "c", "a"]


async def test_in_a_chain_only_that_goes_on_which_was_merged_into_what_ended(runtime: Runtime, trade: Trade) -> None:
    await in_hand(runtime, "a", "b", "c")
    await merges(runtime, "a", "b")
    await merges(runtime, "b", "c")
    await does(runtime, "c", Withdraw(RECEIPT, trade()))
    await goes_on(runtime, "b")
    await all_is_done(runtime)
    assert (await look(runtime, "a")).into == "b", "it goes on for it"


async def test_what_was_merged_into_a_case_that_was_closed_was_dealt_with(runtime: Runtime, trade: Trade) -> None:
    await in_hand(runtime, "report", "other")
    await merges(runtime, "report", "other")
    worker = (await look(runtime, "other")).worker or ""
    await does(runtime, "other", Start(worker, trade()), hand_in(worker, trade()), verify(LEADER, trade()))
    await all_is_done(runtime)
    assert (await look(runtime, "report")).step is Step.MERGED


async def test_what_was_merged_at_the_desk_waits_there_again_and_what_has_a_grid_is_accepted(
    runtime: Runtime, trade: Trade
) -> None:
    await in_hand(runtime, "other")
    for case, place in (("far", FAR), ("here", HERE)):
        command = replace(report(grid=None), case=case, place=place, at=trade())
        await runtime.commands.execute(CASE, case, command, new=True)
        await merges(runtime, case, "other")
    await does(runtime, "other", Withdraw(RECEIPT, trade()))
    await goes_on(runtime, "here")
    assert len(await happened(runtime, "here", CaseAccepted)) == 1

    async def at_the_desk() -> bool:
        return [row.case for row in await find(runtime.db, Sought(step=Step.REPORTED), limit=10)] == ["far"]

    await eventually(at_the_desk)


async def test_what_was_merged_follows_the_map_when_it_goes_on(town: Town) -> None:
    async with town.at_work() as runtime:
        await ready(town, runtime, appointed(LI), appointed(WANG, "G2"), *GROUND)
        await in_hand(runtime, "report", "other")
        await merges(runtime, "report", "other")
        await town.tells(redrawn(G1=WEST, G2=EAST))
        await with_worker(runtime, "other", WANG)
        assert (await look(runtime, "report")).grid == GRID
        await does(runtime, "other", Withdraw(RECEIPT, town.trade()))
        await with_worker(runtime, "report", WANG)
        assert (await look(runtime, "report")).grid == "G2"
