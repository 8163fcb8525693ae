"""The registry at the size of a city: taking people in, and asking for them when 3.4 million are there.

People come in through the whole of it: CSV over HTTP, checked, encrypted, with their blind indexes, until the read
models show them. Against that, COPY of the rows that came of it: the events, the keys, and the rows of the read models.

For questions a city is made of the sample community's rows, repeated under other ids: 440 communities of 7,750.
"""

import csv
import io
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx2
import orjson
import structlog
from contracts.common import Post
from edge.testing import client, founding, in_post, token, told
from events.read_model import Connection
from events.runtime import Runtime
from events.testing import RING
from local.ports import HOST, free_port
from registry.read_models.past import past
from registry.read_models.people import people
from registry.read_models.territory import territory
from registry.service import application, registry

from benchmarks.http import process
from benchmarks.measuring import Bench, Benchmark, p99, per_second

# ruff: noqa: S603, S608 - it makes its files by the script that users have; tables have names of their own

ROOT = Path(__file__).parents[1]
COMMUNITY = ROOT / "examples/community"
CLERK, WORKER = "clerk", "worker"
A_COMMUNITY = 7_750
COMMUNITIES = 440


def quiet() -> None:
    """Logs errors only: a line a request is not what is measured."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@asynccontextmanager
async def office(bench: Bench, prefix: str) -> AsyncGenerator[tuple[Runtime, httpx2.AsyncClient]]:
    """A registry at work, API and worker in processes of their own as they are deployed, and the clerk who keeps it."""
    quiet()
    with TemporaryDirectory(prefix="commongrid-bench-") as folder:
        async with bench.runtime(registry, prefix) as runtime:
            posts = in_post(CLERK, Post.REGISTRAR), in_post(WORKER, Post.COMMUNITY_OFFICER)
            await told(runtime.settings.database_url, *founding(), *posts)
            port = free_port()
            environment = {
                "COMMONGRID_DATABASE_URL": runtime.settings.database_url,
                "COMMONGRID_KAFKA": runtime.settings.kafka,
                "COMMONGRID_TOPIC_PREFIX": prefix,
                "COMMONGRID_KEYS": RING,
                "COMMONGRID_LOCAL": "true",
                "COMMONGRID_HTTP_HOST": HOST,
                "COMMONGRID_HTTP_PORT": str(port),
            }
            async with (
                process(["-m", "registry", "worker"], port, environment, Path(folder) / "log"),
                client(application, runtime, token(CLERK)) as http,
            ):
                yield runtime, http


async def brings(http: httpx2.AsyncClient, register: str, content: bytes) -> int:
    """Imports a file; how many rows went in."""
    answer = await http.put(f"/registers/{register}", content=content, timeout=None)
    last = orjson.loads(answer.text.splitlines()[-1])
    if "done" not in last:
        raise RuntimeError(f"{register} did not go in: {last}")
    done = last["done"]
    if done["refused"]:
        raise RuntimeError(f"{done['refused']} rows of {register} were refused")
    return done["rows"]


async def shown(runtime: Runtime) -> None:
    """Waits until the read models of people show all."""
    for read_model in (people, past, territory):
        await runtime.commands.caught_up(read_model, 600)


def a_city(folder: Path, communities: int) -> None:
    """The files of so many communities."""
    script = ROOT / "examples/city.py"
    count = str(communities * A_COMMUNITY)
    subprocess.run([sys.executable, script, "--people", count, "--out", folder], check=True, stdout=subprocess.DEVNULL)


def by_thousands(path: Path, size: int) -> list[bytes]:
    """A CSV in parts of so many rows, each with its head."""
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    parts: list[bytes] = []
    for first in range(0, len(rows), size):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([head, *rows[first : first + size]])
        parts.append(text.getvalue().encode())
    return parts


def files_of(folder: Path, register: str) -> list[bytes]:
    """The files of a register, in order."""
    return [file.read_bytes() for file in sorted(folder.glob(f"{register}*"))]


Table = tuple[str, str, str]
"""A table, its column with the person's id or stream, and what stands before the id there."""

TABLES: Sequence[Table] = (
    ("log.events", "stream", "person-"),
    ("log.person_keys", "subject", "person-"),
    (f"{people.schema}.person", "id", ""),
    (f"{past.schema}.past_person", "id", ""),
)


async def bare_tables(db: Connection) -> None:
    """Tables with the same columns and indexes, that nothing is asked of."""
    for table, _, _ in TABLES:
        await db.execute(f"create table bare_{table.rpartition('.')[2]} (like {table} including all)")


async def copied(db: Connection, rows: dict[str, tuple[list[str], list[tuple[object, ...]]]]) -> None:
    """COPY of the rows, five hundred in a transaction, as an import commits."""
    counts = {len(found) for _, found in rows.values()}
    for first in range(0, max(counts), 500):
        async with db.transaction():
            for table, (columns, found) in rows.items():
                await db.copy_records_to_table(
                    f"bare_{table.rpartition('.')[2]}", columns=columns, records=found[first : first + 500]
                )


async def rows_of(db: Connection, ids: Sequence[str]) -> dict[str, tuple[list[str], list[tuple[object, ...]]]]:
    """What stands in the tables of these people."""
    found: dict[str, tuple[list[str], list[tuple[object, ...]]]] = {}
    for table, column, before in TABLES:
        rows = await db.fetch(f"select * from {table} where {column} = any($1::text[])", [before + it for it in ids])
        columns = [name for name in rows[0].keys() if table != "log.events" or name != "position"]  # noqa: SIM118
        found[table] = columns, [tuple(row[name] for name in columns) for row in rows]
    return found


async def import_against(bench: Bench, theirs: str) -> Sequence[float]:
    """Rows a second of an import until all are shown, against COPY, or against a row a request."""
    rounds = bench.rounds + 1
    size = bench.size(A_COMMUNITY, 1_000)
    with TemporaryDirectory(prefix="commongrid-city-") as folder:
        a_city(Path(folder), rounds if size == A_COMMUNITY else 1)
        parts = iter(by_thousands(Path(folder) / "people.csv", size))
        singly = iter(by_thousands(Path(folder) / "people.csv", 1)[-200 * rounds :])
        async with office(bench, "import") as (runtime, http), runtime.connection() as db:
            await bare_tables(db)
            for register in ("grids", "addresses", "households"):
                for file in files_of(Path(folder), register):
                    await brings(http, register, file)
            before: set[str] = set()
            latest: list[str] = []

            async def ours() -> float:
                part = next(parts)

                async def bring() -> None:
                    await brings(http, "people", part)
                    await shown(runtime)

                rate = await per_second(part.count(b"\n") - 1, bring())
                ids = {row[0] for row in await db.fetch(f"select id from {people.schema}.person")}
                latest[:] = ids - before
                before.update(ids)
                return rate

            async def copy() -> float:
                if not latest:
                    return 1.0  # the round that warms up
                rows = await rows_of(db, latest)
                return await per_second(len(latest), copied(db, rows))

            async def one_by_one() -> float:
                async def bring() -> None:
                    for _ in range(50):
                        await brings(http, "people", next(singly))
                    await shown(runtime)

                return await per_second(50, bring())

            other = {"copy": copy, "one by one": one_by_one}[theirs]
            found: list[float] = []
            for nth in range(rounds):
                mine, compared = await ours(), await other()
                if nth:
                    found.append(mine / compared)
                    bench.seen.append(f"{mine:,.0f} to {compared:,.0f} rows/s")
            return found


REPEAT = (
    f"{territory.schema}.grid",
    f"{territory.schema}.address",
    f"{people.schema}.person",
    f"{past.schema}.past_person",
    f"{past.schema}.past_place",
    f"{past.schema}.past_ground",
)
COLUMNS = """select attname from pg_attribute
             where attrelid = $1::text::regclass and attnum > 0 and not attisdropped order by attnum"""
IDS = frozenset({"id", "code", "grid", "address", "household"})
"""Columns that name things: in another community they are others."""


async def repeated(db: Connection, communities: int) -> None:
    """The sample community's rows so many times, each lying beside the others, with other numbers."""
    for table in REPEAT:
        columns = [row[0] for row in await db.fetch(COLUMNS, table)]
        made = ", ".join(map(_in_another, columns))
        for first in range(1, communities, 40):
            await db.execute(
                f"""insert into {table} ({", ".join(columns)})
                    select {made} from (select * from {table} where {columns[0]} not like '%~%') t
                    cross join generate_series({first}, {min(first + 39, communities - 1)}) n"""
            )
        await db.execute(f"analyze {table}")


def _in_another(column: str) -> str:
    """A column's value in the community n."""
    if column in IDS:
        return f"t.{column} || '~' || n"
    there = "point(20000 * (n % 25), 20000 * (n / 25))"
    if column == "place":
        return f"t.place + {there}"
    if column == "ground":
        return f"polygon(path(t.ground) + {there})"
    if column.endswith("_index"):
        return f"substring(sha256(t.{column} || n::text::bytea) for 16)"
    return f"t.{column}"


class Question(NamedTuple):
    """Something that is asked of the registry, again and again about somebody else."""

    name: str
    what: str
    ask: Callable[[httpx2.AsyncClient, int], Awaitable[httpx2.Response]]


def _asked(sample: Sequence[dict[str, str]]) -> list[Question]:
    numbers = [row["id_number"] for row in sample]
    names = [row["name"] for row in sample]

    async def by_number(http: httpx2.AsyncClient, nth: int) -> httpx2.Response:
        return await http.post("/people/search", json={"of": "id_number", "number": numbers[nth % len(numbers)]})

    async def by_name(http: httpx2.AsyncClient, nth: int) -> httpx2.Response:
        wanted = {"name": names[nth % len(names)], "grid": f"G{nth % 6 + 1}"}
        return await http.post("/people/find", json=wanted)

    async def a_page(http: httpx2.AsyncClient, nth: int) -> httpx2.Response:
        return await http.get("/people", params={"grid": f"G{nth % 6 + 1}", "limit": "50"})

    async def counts(http: httpx2.AsyncClient, nth: int) -> httpx2.Response:
        return await http.get(f"/grids/G{nth % 6 + 1}/counts")

    async def grid_at(http: httpx2.AsyncClient, nth: int) -> httpx2.Response:
        at = {"longitude": f"{120.094 + nth % 100 / 20000:.6f}", "latitude": f"{30.868 + nth % 90 / 20000:.6f}"}
        return await http.get("/grids/at", params=at)

    return [
        Question("number", "somebody by their identity number", by_number),
        Question("name", "a name in a grid", by_name),
        Question("page", "a page of a grid's people", a_page),
        Question("counts", "a grid's counts", counts),
        Question("point", "a point's grid", grid_at),
    ]


async def questions(bench: Bench) -> list[tuple[str, list[float]]]:
    """For each question, its p99 in a city as a multiple of that in a community, round by round."""
    with (COMMUNITY / "people.csv").open(encoding="utf-8", newline="") as file:
        asked = _asked(list(csv.DictReader(file)))
    async with office(bench, "village") as (small, village), office(bench, "city") as (large, city):
        for runtime, http in ((small, village), (large, city)):
            for register, name in (("grids", "grids.geojson"), ("addresses", "addresses.csv")):
                await brings(http, register, (COMMUNITY / name).read_bytes())
            await brings(http, "households", (COMMUNITY / "households.csv").read_bytes())
            await brings(http, "people", (COMMUNITY / "people.csv").read_bytes())
            await shown(runtime)
        async with large.connection() as db:
            await repeated(db, bench.size(COMMUNITIES, 10))
            bench.seen.append(f"{await db.fetchval(f'select count(*) from {people.schema}.person'):,} people")
        found: list[tuple[str, list[float]]] = []
        for question in asked:
            of_village, of_city = partial(question.ask, village), partial(question.ask, city)
            found_or_not = (200, 404)
            times = [
                (await p99(of_village, taken=found_or_not), await p99(of_city, taken=found_or_not))
                for _ in range(bench.rounds + 1)
            ]
            one, other = times[-1]
            bench.seen.append(f"{question.name} {1000 * one:.1f} and {1000 * other:.1f} ms")
            found.append((question.name, [other / one for one, other in times[1:]]))
        return found


async def in_a_city(bench: Bench) -> Sequence[float]:
    """The question that suffers most."""
    return max((ratios for _, ratios in await questions(bench)), key=lambda it: sorted(it)[len(it) // 2])


async def against_copy(bench: Bench) -> Sequence[float]:
    """Against COPY of the same rows."""
    return await import_against(bench, "copy")


async def against_requests(bench: Bench) -> Sequence[float]:
    """Against a row a request."""
    return await import_against(bench, "one by one")


PEOPLE_IN = "import of people: CSV over HTTP, checked, encrypted, indexed, until it is shown"
BENCHMARKS = [
    Benchmark("import", PEOPLE_IN, "bare COPY of the same events, keys and read-model rows", 0.35, against_copy),
    Benchmark("import-one-by-one", PEOPLE_IN, "the same, a row a request", 10, against_requests),
    Benchmark(
        "city-p99",
        "the slowest of five questions with 3.4 million people there, p99",
        "the same on the sample community",
        3,
        in_a_city,
        better="less",
    ),
]
