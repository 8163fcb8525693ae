"""Verifying from outside what the kernel promises: store, topics, seals and read models, against one another."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from events import evidence, lag, parking, rebuild, seals, store
from events.event import Position, Raw
from events.kafka import Partition, TopicReader
from events.progress import OWN, RELAY, marks
from events.runtime import Runtime
from events.seals import Seal

NAMED_AT_MOST = 20


@dataclass
class Findings:
    """What was looked at, and what is wrong; `wrong` is empty if all is well."""

    stored: int = 0
    relayed: int = 0
    on_topics: int = 0
    repeats: int = 0
    sealed: int = 0
    sealed_at: datetime | None = None
    behind: dict[str, int] = field(default_factory=dict[str, int])
    parked: dict[str, int] = field(default_factory=dict[str, int])
    wrong: list[str] = field(default_factory=list[str])

    def complain(self, what: str, which: Sequence[object]) -> None:
        """Notes what is wrong and with which events, the first of them by name."""
        if which:
            more = f" and {len(which) - NAMED_AT_MOST} more" if len(which) > NAMED_AT_MOST else ""
            self.wrong.append(f"{len(which)} {what}: {', '.join(map(str, which[:NAMED_AT_MOST]))}{more}")


async def verify(runtime: Runtime, *, deep: bool = False, kafka: bool = True) -> Findings:
    """Compares the store with its topics and its seals, and looks how far each consumer has come. `deep` also rebuilds
    each read model beside the live one and compares the rows. Changes nothing.

    Without `kafka` nothing is looked at outside of the database: whoever could change the log could change the seals
    that it is then held against.
    """
    found = Findings()
    relayed = (await marks(runtime.db, RELAY, OWN, [0]))[0].position
    await _store(runtime, found, relayed)
    await _seals(runtime, found, kafka)
    if kafka:
        await _topics(runtime, found, relayed)
        for it in await lag.everyones_lag(runtime.db, runtime.service, runtime.settings):
            found.behind[f"{it.consumer} < {it.source or 'own store'}"] = it.events
    found.parked = await parking.counts(runtime.db)
    if deep:
        for read_model in runtime.service.read_models:
            for table, rows_differing in (await rebuild.differences(runtime, read_model)).items():
                found.wrong.append(
                    f"{rows_differing} rows of {read_model.name}.{table} differ from a rebuild: run `events rebuild`"
                )
    return found


async def _store(runtime: Runtime, found: Findings, relayed: Position) -> None:
    row = await runtime.db.fetchrow(
        """select count(*), count(*) filter (where (incarnation, tx, position) <= ($1, $2, $3)) from log.events""",
        *relayed,
    )
    found.stored, found.relayed = (row[0], row[1]) if row else (0, 0)
    gaps = await runtime.db.fetch(
        """select stream from log.events group by stream having max(version) <> count(*) or min(version) <> 1"""
    )
    found.complain("streams with a gap in their versions", [row[0] for row in gaps])
    disorder = await runtime.db.fetch(
        """select distinct stream from (
             select stream, version,
                    lag(version) over (partition by stream order by incarnation, tx, position) as before
             from log.events) as it
           where version <> coalesce(before, 0) + 1"""
    )
    found.complain("streams whose versions are not in the order of their positions", [row[0] for row in disorder])


async def _seals(runtime: Runtime, found: Findings, kafka: bool) -> None:
    """The rows must be those that were sealed, and the database's seals those that it has published."""
    kept = await seals.kept(runtime.db, published=True)  # first, as more are published meanwhile
    sealed = await (published_seals(runtime) if kafka else seals.kept(runtime.db))
    of = evidence.Evidence.of(sealed)
    found.complain("seals say something else of the same rows than an earlier one", _numbers(of.contradicting))
    said = {(it.number, it.head) for it in sealed}
    others = [it for it in kept if (it.number, it.head) not in said]
    found.complain("seals in the database are not as they were published", _numbers(others))
    async with runtime.connection() as db:
        for it in await evidence.touched(db, runtime.service.name, of.seals):
            found.wrong.append(str(it))
    if of.seals:
        found.sealed, found.sealed_at = of.seals[-1].head.rows, max(it.at for it in of.seals)


def _numbers(of: Sequence[Seal]) -> list[int]:
    return [it.number for it in of]


async def published_seals(runtime: Runtime) -> list[Seal]:
    """The seals on their topic, in the order in which they were published. What is none is passed over, as whoever puts
    it there harms nobody."""
    found: list[Seal] = []
    async with reading(runtime, [runtime.service.seals(runtime.settings.topic_prefix)]) as reader:
        async for raws in everything(reader):
            for raw in raws:
                with suppress(ValueError):
                    found.append(Seal.of(raw, runtime.service.name))
    return found


async def _topics(runtime: Runtime, found: Findings, relayed: Position) -> None:
    """Every event up to the relay's mark must be on its topic, unchanged, each stream in order."""
    seen: dict[str, set[int]] = defaultdict(set)
    early: list[str] = []
    foreign: list[str] = []
    async with reading(runtime, runtime.service.topics(runtime.settings.topic_prefix)) as reader:
        async for raws in everything(reader):
            found.on_topics += len(raws)
            known = await _known(runtime, raws)
            for raw in raws:
                if raw.version in seen[raw.stream]:
                    found.repeats += 1
                elif raw.version > 1 and raw.version - 1 not in seen[raw.stream]:
                    early.append(raw.id)
                seen[raw.stream].add(raw.version)
                if known.get((raw.stream, raw.version)) != raw:
                    foreign.append(raw.id)
    found.complain("events on the topics before an earlier one of their stream", early)
    found.complain(
        "events on the topics that the store holds otherwise or not (restored? run `events restore`)", foreign
    )
    async with runtime.connection() as db, db.transaction(readonly=True):
        query = "select stream, version from log.events where (incarnation, tx, position) <= ($1, $2, $3)"
        sent = db.cursor(query, *relayed, prefetch=5000)
        missing = [f"{row[0]}/{row[1]}" async for row in sent if row[1] not in seen[row[0]]]
    found.complain("events that the relay has marked as sent are on no topic", missing)


async def _known(runtime: Runtime, raws: Sequence[Raw]) -> dict[tuple[str, int], Raw]:
    rows = await runtime.db.fetch(
        f"""select {store.COLUMNS}
            from log.events join unnest($1::text[], $2::int[]) as n(stream, version) using (stream, version)""",  # noqa: S608
        [raw.stream for raw in raws],
        [raw.version for raw in raws],
    )
    return {(raw.stream, raw.version): raw for raw in map(store.raw_of, rows)}


@asynccontextmanager
async def reading(runtime: Runtime, topics: Sequence[str]) -> AsyncGenerator[TopicReader]:
    """A reader of all partitions of these topics, from their beginning."""
    reader = TopicReader(runtime.settings, topics, None)

    async def from_the_start(partitions: list[Partition]) -> None:
        for partition in partitions:
            reader.seek(partition, 0)

    try:
        await reader.start(from_the_start)
        yield reader
    finally:
        await reader.stop()


async def everything(reader: TopicReader) -> AsyncGenerator[list[Raw]]:
    """All events of the reader's topics, up to where they end now."""
    waited = {it: end for it, end in (await reader.ends(await reader.partitions())).items() if end > 0}
    while waited:
        for partition, next_offset, raws in await reader.read(1.0, 2000):
            yield raws
            if next_offset >= waited.get(partition, 0):
                waited.pop(partition, None)
