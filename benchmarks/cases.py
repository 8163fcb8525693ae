"""Grid tasks at the size of a city: a tenth of its 20,000 cases a day for a year; 100,000 timers; a storm of reports.

A city's year is made of some hundred lives of cases, each led by the domain itself, repeated on other days, in other
grids, with other workers. They go into the store by COPY, and through the real read models. `CASES` says how many.
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import httpx2
import orjson
import structlog
from contracts.common import Place, Post, Title
from contracts.grid_tasks import PauseKind, RefusalKind, ReporterKind
from contracts.registry import DutyFacts, DutyListed, GridDrawn
from edge.testing import client, founding, in_post, token, told
from events import Commands, Due, Event, Policy, ReadModel, Service
from events.event import Position, Raw, encode
from events.read_model import Connection
from events.runtime import Runtime
from events.testing import RING, eventually
from grid_tasks.domain.case import CASE, Case, Step
from grid_tasks.domain.commands import (
    Accept,
    Assign,
    CaseCommand,
    HandIn,
    HandOver,
    Pause,
    Refuse,
    Report,
    Resume,
    SendBack,
    Start,
    Verify,
)
from grid_tasks.domain.placing import Needed
from grid_tasks.domain.receipt import hash_of
from grid_tasks.domain.working_time import CHINA, Calendar
from grid_tasks.read_models.case_board import case_board
from grid_tasks.read_models.figures import figures
from grid_tasks.read_models.open_work import candidates, open_work
from grid_tasks.service import application, grid_tasks
from local.ports import HOST, free_port
from local.supervisor import RATE

from benchmarks.desk import REPORT, Reports
from benchmarks.http import asked, post, process
from benchmarks.measuring import Bench, Benchmark, p99, p99_of

GRIDS = [f"G{nth:03}" for nth in range(1, 101)]
"""A tenth of a city's, with two workers each."""
A_TENTH = 700_000
DAYS = 365
CALENDAR = Calendar()
NOISE = DutyFacts(
    category="neighbour_noise",
    title=Title(zh="邻里噪声扰民", en="Noise from neighbours"),
    department=Title(zh="公安局派出所", en="Police station"),
    grid_duty=True,
    deadline_minutes=240,
    legal_basis="《噪声污染防治法》第七十条",
)
CATEGORIES = tuple(NOISE.model_copy(update={"category": f"category_{nth}"}) for nth in range(40))

# The lives of cases. What stands for case, grid and workers in them is replaced in each copy.

A_CASE, A_GRID, A_WORKER, ANOTHER = "0" * 31 + "c", "grid-of-it", "worker-of-it", "another-worker"
BEGINNING = date(2001, 1, 1)
ON_A_DAY = re.compile(r"2001-(\d\d)-(\d\d)")
BODY = "城市管理局"


class Life(NamedTuple):
    """What happens to a case: the types of its events, when each is, since its day, and all of them as JSON."""

    types: tuple[str, ...]
    after: tuple[timedelta, ...]
    data: str


def lives(count: int) -> list[Life]:
    """So many, from a fixed seed: most go straight, some are refused, paused, handed over, sent back or late."""
    random = Random(7)  # noqa: S311
    return [_life(random) for _ in range(count)]


def _life(random: Random) -> Life:
    day = datetime.combine(BEGINNING, datetime.min.time(), CHINA)
    at = day + timedelta(minutes=random.triangular(0, 1439, 900))
    duty = random.choice(CATEGORIES)
    where = Place(longitude=120 + random.random() / 10, latitude=30 + random.random() / 10)
    command: CaseCommand = Report(
        case=A_CASE,
        category=duty.category,
        duty=duty,
        description="路灯不亮",
        place=where,
        grid=A_GRID,
        reporter_kind=random.choice(tuple(ReporterKind)),
        reporter=None,
        contact=None,
        receipt_hash=hash_of("a receipt"),
        at=at,
    )
    case, log = Case(), list[Event]()
    while case.step not in (Step.CLOSED, Step.REFUSED) and len(log) < 40:
        events = CASE.decide(case, command)
        case, log = CASE.fold(events, case), [*log, *events]
        at += timedelta(minutes=_minutes(random, case.step))
        command = _next(random, case, duty, at)
    found = [event.model_dump() for event in log]
    data = "\x00".join(map(encode, log))
    return Life(tuple(event.type_name for event in log), tuple(it["at"] - day for it in found), data)


def _minutes(random: Random, step: Step | None) -> float:
    """How long it stays there: some seconds, or by the hour, with a long tail."""
    if step in (Step.REPORTED, Step.ACCEPTED):
        return random.random() / 10
    return min(random.lognormvariate(4.2, 1.2), 10_000)


def _next(random: Random, case: Case, duty: DutyFacts, at: datetime) -> CaseCommand:
    aside = random.random()
    worker = case.worker or A_WORKER
    match case.step:
        case Step.REPORTED:
            return Accept(duty, 1, CALENDAR, at)
        case Step.ACCEPTED:
            return Assign(random.choice((A_WORKER, ANOTHER)), None, "least in hand", CALENDAR, at)
        case Step.DISPATCHED if aside < 0.03:
            return Refuse("leader", RefusalKind.NOT_THERE, "查无此事", "", at)
        case Step.DISPATCHED if aside < 0.06 and not case.body:
            return HandOver(BODY, True, "leader", "属其职责", CALENDAR, at)
        case Step.DISPATCHED:
            return Start(worker, at)
        case Step.STARTED if aside < 0.05:
            return Pause("leader", PauseKind.FOR_THE_WEATHER, "雨", None, at, False)
        case Step.STARTED:
            return HandIn(worker, "已办", CALENDAR, at)
        case Step.PAUSED:
            return Resume("leader", CALENDAR, at)
        case _ if aside < 0.06:
            return SendBack("leader", "未办妥", CALENDAR, at)
        case _:
            return Verify("leader", CALENDAR, at)


COLUMNS = "incarnation", "tx", "stream", "version", "type", "data"
PROJECTED = case_board, open_work, figures


def a_year(count: int, until: datetime) -> Iterator[list[Raw]]:
    """The events of so many cases, those of a day together; what is later than now has not happened."""
    made, random = lives(500), Random(11)  # noqa: S311
    first = until.astimezone(CHINA).date() - timedelta(days=DAYS - 1)
    number = 0
    for nth in range(count):
        life, grid = random.choice(made), random.choice(GRIDS)
        day = first + timedelta(days=nth * DAYS // count)
        begun = datetime.combine(day, datetime.min.time(), CHINA)
        case = f"{int(begun.timestamp() * 1000):012x}7{nth:019x}"
        data = life.data.replace(A_CASE, case).replace(A_GRID, grid)
        data = data.replace(A_WORKER, f"{grid}-a").replace(ANOTHER, f"{grid}-b")
        data = ON_A_DAY.sub(lambda found, day=day: _shifted(found[0], day), data)
        raws: list[Raw] = []
        stream = CASE.stream(case)
        texts = data.encode().split(b"\x00")
        for version, (type_, after, text) in enumerate(zip(life.types, life.after, texts, strict=True), 1):
            if begun + after > until:
                break
            number += 1
            raws.append(Raw(Position(1, 1, number), stream, version, type_, text, until))
        if raws:
            yield raws


_SHIFTED: dict[tuple[str, date], str] = {}


def _shifted(text: str, day: date) -> str:
    """A day of a life, on the calendar of its copy."""
    if (text, day) not in _SHIFTED:
        _SHIFTED[text, day] = str(day + (date.fromisoformat(text) - BEGINNING))
    return _SHIFTED[text, day]


async def fill(runtime: Runtime, count: int) -> int:
    """Lets so many cases have happened in the year until now; how many events that were."""
    events = 0
    url = runtime.settings.database_url
    connections: dict[ReadModel, Connection] = {
        it: await asyncpg.connect(url, server_settings={"search_path": it.schema, "synchronous_commit": "off"})
        for it in PROJECTED
    }
    types = {it: {cls.type_name for cls in it.follows} for it in PROJECTED}
    async with runtime.connection() as db:
        await db.execute("alter table log.events alter incarnation set default 1")
        await db.execute("alter table log.events alter tx set default pg_current_xact_id()")

        async def stored(raws: Sequence[Raw]) -> None:
            rows = [(raw.stream, raw.version, raw.type, raw.data.decode()) for raw in raws]
            await db.copy_records_to_table("events", schema_name="log", columns=COLUMNS[2:], records=rows)

        async def projected(model: ReadModel, raws: Sequence[Raw]) -> None:
            wanted = [raw for raw in raws if raw.type in types[model]]
            async with connections[model].transaction():
                await model.apply(connections[model], wanted, grid_tasks.catalogue)

        waiting: list[Raw] = []
        year = a_year(count, datetime.now(UTC))
        while True:
            some = next(year, None)
            waiting += some or []
            if len(waiting) >= 10_000 or (some is None and waiting):
                await asyncio.gather(stored(waiting), *(projected(it, waiting) for it in PROJECTED))
                events, waiting = events + len(waiting), []
            if some is None:
                break
        await db.execute("alter table log.events alter incarnation drop default, alter tx drop default")
        for table in ("log.events", f"{case_board.schema}.board_case"):
            await db.execute(f"vacuum analyze {table}")
        for table in ("stay_count", "day_count"):
            await db.execute(f"vacuum analyze {figures.schema}.{table}")
        # A year went through these in minutes: autovacuum, which keeps them as small as what is open, had no time.
        for table in (f"{figures.schema}.open_now", f"{open_work.schema}.open_case"):
            await db.execute(f"vacuum full analyze {table}")
    for each in connections.values():
        await each.close()
    return events


async def roster(url: str) -> None:
    """Lets it know a duty list, a hundred grids, and who is in post there."""
    duties = [DutyListed(**it.model_dump()) for it in (NOISE, *CATEGORIES)]
    people = [in_post(f"{grid}-{who}", Post.GRID_WORKER, grid) for grid in GRIDS for who in "ab"]
    people += [in_post(f"{grid}-leader", Post.GRID_LEADER, grid) for grid in GRIDS]
    grids = [
        GridDrawn(grid=grid, title=Title(zh="网格", en="Grid"), boundary=_square(nth)) for nth, grid in enumerate(GRIDS)
    ]
    everything = [*founding(), *duties, *grids, *people]
    for read_model in grid_tasks.read_models:
        mine = [it for it in everything if type(it) in read_model.follows]
        if mine:
            await told(url, *mine, by=read_model)


def _square(nth: int) -> list[tuple[float, float]]:
    west, south = 120 + nth % 10 / 100, 30 + nth // 10 / 100
    east, north = west + 0.01, south + 0.01
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


# Questions, on a full system and on an empty one.

Ask = Callable[[Runtime, httpx2.AsyncClient, int], Awaitable[httpx2.Response]]


def _get(path: str) -> Ask:
    async def ask(_: Runtime, http: httpx2.AsyncClient, nth: int) -> httpx2.Response:
        grid = GRIDS[nth % len(GRIDS)]
        last = datetime.now(CHINA).date()
        period = f"from={last - timedelta(days=29)}&until={last}"
        days = f"{last - timedelta(days=60)}/{last - timedelta(days=30)}"
        return await http.get(path.format(grid=grid, period=period, days=days, category=f"category_{nth % 40}"))

    return ask


async def _dispatch(runtime: Runtime, http: httpx2.AsyncClient, nth: int) -> httpx2.Response:
    """Looks for who is best, as the rule does, and gives the case to one of the two."""
    grid = GRIDS[0]
    await candidates(runtime.db, [Needed(grid)])
    worker = f"{grid}-{'ab'[nth // AT_HAND % 2]}"
    headers = {"Idempotency-Key": uuid4().hex, "If-Match": "*", "Authorization": f"Bearer {token(f'{grid}-leader')}"}
    path = f"/cases/at-hand-{nth % AT_HAND}/dispatch"
    return await http.post(path, json={"worker": worker, "why": "在附近"}, headers=headers)


AT_HAND = 200
"""Cases that wait for somebody."""

QUESTIONS: dict[str, Ask] = {
    "open board": _get("/boards/open?by=step"),
    "open board by grid": _get("/boards/open?by=grid"),
    "steps of a month": _get("/boards/steps?{period}"),
    "steps in a grid": _get("/boards/steps?{period}&grid={grid}"),
    "flow": _get("/boards/flow?{period}"),
    "indicators of a month": _get("/indicators?{period}"),
    "a grid's newest": _get("/cases?grid={grid}"),
    "a category, long ago": _get("/cases?category={category}&reported={days}"),
    "what is late": _get("/cases?late=true"),
    "what ended in a month": _get("/cases?closed={days}&grid={grid}"),
    "own open work": _get("/cases?worker={grid}-a&step=started"),
    "who has how much": _get("/workers?grid={grid}"),
    "dispatch": _dispatch,
}


@asynccontextmanager
async def town(bench: Bench, prefix: str, count: int) -> AsyncGenerator[tuple[Runtime, httpx2.AsyncClient]]:
    """A grid_tasks in which so many cases have happened, with an API; and some cases that wait for somebody."""
    async with bench.runtime(grid_tasks, prefix) as runtime:
        await roster(runtime.settings.database_url)
        began = time.perf_counter()
        events = await fill(runtime, count) if count else 0
        if count:
            bench.seen.append(f"{count:,} cases, {events:,} events in {time.perf_counter() - began:.0f} s")
        now = runtime.clock()
        for nth in range(AT_HAND):
            report = Report(
                case=f"at-hand-{nth}",
                category=NOISE.category,
                duty=NOISE,
                description="路灯不亮",
                place=Place(longitude=120.005, latitude=30.005),
                grid=GRIDS[0],
                reporter_kind=ReporterKind.RESIDENT,
                reporter=None,
                contact=None,
                receipt_hash=hash_of("a receipt"),
                at=now,
            )
            await runtime.commands.execute(CASE, report.case, report)
            await runtime.commands.execute(CASE, report.case, Accept(NOISE, 1, CALENDAR, now))
        async with client(application, runtime) as http:
            yield runtime, http


async def questions(bench: Bench) -> dict[str, list[float]]:
    """For each question, its p99 in a city's year as a multiple of that on an empty system, round by round."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    count = int(os.environ.get("CASES") or bench.size(70_000, 7_000))
    async with town(bench, "village", 0) as (small, village), town(bench, "city", count) as (large, city):
        async with large.connection() as db:
            size = await db.fetchval("select pg_size_pretty(pg_database_size(current_database()))")
            still = await db.fetchval(f"select count(*) from {figures.schema}.open_now")  # noqa: S608
            rows = await db.fetchval(f"select count(*) from {figures.schema}.stay_count")  # noqa: S608
            bench.seen.append(f"{size}, {still:,} open, {rows:,} rows of stay_count")
        found: dict[str, list[float]] = {}
        for name, ask in QUESTIONS.items():
            of_village, of_city = partial(ask, small, village), partial(ask, large, city)
            count = 2 * AT_HAND
            times = [(await p99(of_village, count), await p99(of_city, count)) for _ in range(bench.rounds + 1)]
            one, other = times[-1]
            found[name] = [other / one for one, other in times[1:]]
            bench.seen.append(f"{name} {1000 * one:.1f} and {1000 * other:.1f} ms")
        return found


async def in_a_city(bench: Bench) -> Sequence[float]:
    """The question that suffers most."""
    return max((await questions(bench)).values(), key=lambda it: sorted(it)[len(it) // 2])


# Timers.

PENDING = 100_000
A_SECOND = 200
"""How many come due each second: half a million a working day."""

PENDING_TIMERS = """
insert into log.timers (policy, stream, name, due, causation)
select 'ringing', 'report-' || $1::text || nth, 'ring', $2::timestamptz + nth * $3::interval, 'a benchmark'
from generate_series(1, $4::int) as nth"""


async def lateness(bench: Bench) -> Sequence[float]:
    """The p99 of how much later than its time each timer is fired that comes due in some seconds, of 100,000."""
    late: list[float] = []
    ringing, reports = Policy("ringing"), Reports()

    @ringing.due("ring")
    async def ring(commands: Commands, due: Due) -> None:  # pyright: ignore[reportUnusedFunction]
        late.append((commands.clock() - due.due).total_seconds())
        make = reports.next()
        await commands.execute(REPORT, make.report, make)

    service = Service("desk", aggregates=[REPORT], policies=[ringing])
    async with bench.runtime(service, "alarms") as runtime:
        await runtime.db.execute(
            PENDING_TIMERS, "far", runtime.clock() + timedelta(days=1), timedelta(minutes=5), PENDING
        )
        await runtime.db.execute("vacuum analyze log.timers")
        working = asyncio.create_task(runtime.work())
        found: list[float] = []
        for nth in range(bench.rounds + 1):
            late.clear()
            count = bench.size(10, 3) * A_SECOND
            start = runtime.clock() + timedelta(seconds=1)
            await runtime.db.execute(PENDING_TIMERS, f"round-{nth}-", start, timedelta(seconds=1 / A_SECOND), count)
            await eventually(_so_many(late, count), 120)
            if nth:
                found.append(p99_of(late))
        late.clear()
        together = runtime.clock() + timedelta(seconds=1)
        await runtime.db.execute(PENDING_TIMERS, "together-", together, timedelta(), 1_000)
        await eventually(_so_many(late, 1_000), 120)
        bench.seen.append(f"1,000 at one moment: the last {max(late):.1f} s later")
        working.cancel()
        await asyncio.wait([working])
        return found


def _so_many(found: Sequence[float], count: int) -> Callable[[], Awaitable[bool]]:
    async def there_are() -> bool:
        return len(found) >= count

    return there_are


# A storm.

LAG = re.compile(r'^commongrid_lag_time_seconds\{[^}]*consumer="accepting"[^}]*\} (\S+)', re.MULTILINE)
TAKEN = "select count(*) from log.events where type = 'commongrid.grid_tasks.case.reported.v1'"
GIVEN = "select count(*) from log.events where type = 'commongrid.grid_tasks.case.dispatched.v1'"


async def storm(bench: Bench) -> Sequence[float]:
    """Seconds in which 10,000 reports are answered, over HTTP, by an API and a worker in processes of their own. None
    may be lost, and all must be with somebody in the end."""
    count = bench.size(10_000, 1_000)
    with TemporaryDirectory(prefix="commongrid-bench-") as folder:
        async with bench.runtime(grid_tasks, "storm") as runtime:
            await roster(runtime.settings.database_url)
            api, worker = free_port(), free_port()
            environment = {
                "COMMONGRID_DATABASE_URL": runtime.settings.database_url,
                "COMMONGRID_KAFKA": runtime.settings.kafka,
                "COMMONGRID_TOPIC_PREFIX": "storm",
                "COMMONGRID_KEYS": RING,
                "COMMONGRID_LOCAL": "true",
                "COMMONGRID_RATE_WRITES": RATE,  # one address sends everything
                "COMMONGRID_HTTP_HOST": HOST,
            }
            log = Path(folder) / "log"
            async with (
                process(["-m", "grid_tasks", "api"], api, environment | {"COMMONGRID_HTTP_PORT": str(api)}, log),
                process(
                    ["-m", "grid_tasks", "worker"], worker, environment | {"COMMONGRID_HTTP_PORT": str(worker)}, log
                ),
            ):
                watching = asyncio.create_task(_oldest(worker))
                began = time.perf_counter()
                await asked(api, _reports(count), "201")
                took = time.perf_counter() - began

                async def all_given() -> bool:
                    return await runtime.db.fetchval(GIVEN) >= count

                await eventually(all_given, 900)
                done = time.perf_counter() - began
                watching.cancel()
                await asyncio.wait([watching])
                taken = await runtime.db.fetchval(TAKEN)
                if taken != count:
                    raise RuntimeError(f"{count} reports were answered, and {taken} are there")
                bench.seen.append(
                    f"all with somebody after {done:.0f} s; the queue's age was shown up to {_AGES[-1]:.1f} s"
                )
        return [took]


_AGES: list[float] = [0.0]


async def _oldest(port: int) -> None:
    """Watches how old the queue of reports is said to be."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        while True:
            shown = LAG.search((await http.get(f"http://{HOST}:{port}/metrics")).text)
            _AGES.append(max(_AGES[-1], float(shown[1]) if shown else 0.0))
            await asyncio.sleep(0.5)


def _reports(count: int) -> list[bytes]:
    random = Random(5)  # noqa: S311
    found: list[bytes] = []
    for _ in range(count):
        place = {"longitude": 120 + random.random() / 10.01, "latitude": 30 + random.random() / 10.01}
        category = random.choice(CATEGORIES).category
        body = orjson.dumps({"category": category, "description": "积水过膝，车辆熄火", "place": place})
        found.append(post("/cases", body, {"Idempotency-Key": uuid4().hex}))
    return found


BENCHMARKS = [
    Benchmark(
        "cases-p99",
        "the slowest of thirteen questions and commands with a tenth of a city's year of cases there, p99",
        "the same on an empty system",
        3,
        in_a_city,
        better="less",
    ),
    Benchmark(
        "timers-late",
        "how late timers are fired, 100,000 of them pending and 200 due each second, p99",
        "–",
        1,
        lateness,
        better="less",
        unit="s",
    ),
    Benchmark("storm", "a storm of 10,000 reports: until all are answered", "–", 60, storm, better="less", unit="s"),
]
