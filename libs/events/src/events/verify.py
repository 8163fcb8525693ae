"""Verifying from outside what the kernel promises: store, topics and read-model progress, against one another."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from events import lag, parking, rebuild
from events.event import Position, Raw
from events.kafka import Partition, TopicReader
from events.progress import OWN, RELAY, marks
from events.runtime import Runtime

NAMED_AT_MOST = 20


@dataclass
class Findings:
    """What was looked at, and what is wrong; `wrong` is empty if all is well."""

    stored: int = 0
    relayed: int = 0
    on_topics: int = 0
    repeats: int = 0
    behind: dict[str, int] = field(default_factory=dict[str, int])
    parked: dict[str, int] = field(default_factory=dict[str, int])
    wrong: list[str] = field(default_factory=list[str])

    def complain(self, what: str, which: Sequence[object]) -> None:
        """Notes what is wrong and with which events, the first of them by name."""
        if which:
            more = f" and {len(which) - NAMED_AT_MOST} more" if len(which) > NAMED_AT_MOST else ""
            self.wrong.append(f"{len(which)} {what}: {', '.join(map(str, which[:NAMED_AT_MOST]))}{more}")


async def verify(runtime: Runtime, *, deep: bool = False) -> Findings:
    """Compares the store with its topics, and looks how far each consumer has come. `deep` also rebuilds each read
    model beside the live one and compares the rows. Changes nothing."""
    found = Findings()
    relayed = (await marks(runtime.db, RELAY, OWN, [0]))[0].position
    await _store(runtime, found, relayed)
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
                if known.get((raw.stream, raw.version)) != (raw.position, raw.type, raw.data):
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


async def _known(runtime: Runtime, raws: Sequence[Raw]) -> dict[tuple[str, int], tuple[Position, str, bytes]]:
    rows = await runtime.db.fetch(
        """select stream, version, incarnation, tx, position, type, data::text
           from log.events join unnest($1::text[], $2::int[]) as n(stream, version) using (stream, version)""",
        [raw.stream for raw in raws],
        [raw.version for raw in raws],
    )
    return {(row[0], row[1]): (Position(row[2], row[3], row[4]), row[5], row[6].encode()) for row in rows}


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
