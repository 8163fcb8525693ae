"""One trace runs from the command to the last read model (promise 9); and the figures for /metrics come out right."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import pytest
from broker import wire_to
from events import Commands, Connection, Policy, ReadModel, Recorded, Several, telemetry
from events.migrate import migrate
from events.runtime import Runtime
from events.settings import Settings
from events.testing import eventually, running
from front_desk import (
    MATTER,
    SCREEN,
    Note,
    NotOpen,
    Raise,
    Raised,
    Show,
    Shown,
    at_work,
    desk,
    hall,
    has_journalled,
    journal,
    tally,
)
from opentelemetry.metrics import Counter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Tracer

NewDatabase = Callable[..., Awaitable[str]]
NO_KAFKA = "127.0.0.1:9"


class Traced:
    """The kernel's spans, recorded by the OpenTelemetry SDK; without its global provider, which is set once."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer: Tracer = provider.get_tracer("test")
        patch.setattr("events.telemetry.tracer", self.tracer)

    def spans(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()

    def of_trace(self, trace_id: int) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.spans() if context_of(span).trace_id == trace_id}


def context_of(span: ReadableSpan) -> Any:
    return span.get_span_context()


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Traced:
    return Traced(monkeypatch)


def showing() -> Policy:
    policy = Policy("showing")

    @policy.on(Raised)
    async def show(commands: Commands, event: Recorded[Raised]) -> None:
        await commands.execute(SCREEN, "1", Show(event.stream))

    return policy


def screens() -> ReadModel:
    """What the screen has shown."""
    model = ReadModel("screens", "create table screens (matter text)")

    @model.each(Shown)
    async def shown(db: Connection, event: Recorded[Shown]) -> None:
        await db.execute("insert into screens values ($1)", event.data.matter)

    return model


async def test_one_trace_runs_from_the_command_to_what_another_service_made_of_it(
    traced: Traced, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    there_is = hall(journal("seen"), screens(), policies=[showing()])
    async with (
        running(desk(journal()), await new_database(), kafka_server, topic_prefix) as here,
        running(there_is, await new_database(), kafka_server, topic_prefix) as there,
    ):
        with traced.tracer.start_as_current_span("request") as request:
            await here.commands.execute(MATTER, "1", Raise())
        trace_id = request.get_span_context().trace_id
        expected = {
            "request",
            "command Raise",
            "project journal",
            "relay",
            "project seen",
            "react showing",
            "command Show",
            "project screens",
        }
        await eventually(lambda: has_spans(traced, trace_id, expected))
        spans = traced.of_trace(trace_id)

        def parent(name: str) -> int | None:
            of = spans[name].parent
            return of.span_id if of else None

        for child, of in (
            ("command Raise", "request"),
            ("project journal", "command Raise"),
            ("project seen", "command Raise"),
            ("react showing", "command Raise"),
            ("command Show", "react showing"),
            ("project screens", "command Show"),
        ):
            assert parent(child) == context_of(spans[of]).span_id, f"{child} does not follow from {of}"
        shown = (await there.commands.history(SCREEN, "1"))[0]
        assert f"{trace_id:032x}" in (shown.raw.traceparent or "")
        assert shown.raw.causation == "matter-1/1"


async def has_spans(traced: Traced, trace_id: int, expected: set[str]) -> bool:
    assert set(traced.of_trace(trace_id)) == expected
    return True


async def test_events_projected_as_one_set_show_up_in_each_of_their_traces(
    traced: Traced, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    service = desk(journal())
    async with running(service, await new_database(), kafka_server, topic_prefix, work=False) as runtime:
        traces: list[int] = []
        for id_ in "abc":
            with traced.tracer.start_as_current_span("request") as request:
                await runtime.commands.execute(MATTER, id_, Raise())
            traces.append(request.get_span_context().trace_id)
        async with at_work(service, runtime.settings.database_url, kafka_server, topic_prefix):
            await eventually(lambda: all_projected(traced, traces))


async def all_projected(traced: Traced, traces: list[int]) -> bool:
    return all("project journal" in traced.of_trace(trace_id) for trace_id in traces)


async def test_events_reacted_to_at_once_go_on_each_in_its_own_trace(
    traced: Traced, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    policy = Policy("showing")

    @policy.on_several(Raised)
    async def show(several: Several[Raised]) -> None:  # pyright: ignore[reportUnusedFunction]
        await several.each(lambda commands, event: note(commands, event.stream))

    async def note(commands: Commands, stream: str) -> None:
        await commands.execute(MATTER, stream.partition("-")[2], Note("seen"))

    service, traces = desk(policies=[policy]), dict[str, int]()
    async with running(service, await new_database(), kafka_server, topic_prefix, work=False) as runtime:
        for id_ in "abc":
            with traced.tracer.start_as_current_span("request") as request:
                await runtime.commands.execute(MATTER, id_, Raise())
            traces[id_] = request.get_span_context().trace_id
        async with at_work(service, runtime.settings.database_url, kafka_server, topic_prefix):
            expected = {"request", "command Raise", "relay", "react showing", "command Note"}
            for trace in traces.values():
                await eventually(lambda trace=trace: has_spans(traced, trace, expected))
        for id_, trace in traces.items():
            noted = (await runtime.commands.history(MATTER, id_))[1]
            assert f"{trace:032x}" in (noted.raw.traceparent or "")


async def test_spans_hold_nothing_of_the_events_whether_all_goes_well_or_not(
    traced: Traced, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(desk(journal()), await new_database(), kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(MATTER, "1", Raise())
        await runtime.commands.execute(MATTER, "1", Note("张三"))
        await runtime.commands.execute(MATTER, "1", Note("poison"))
        with pytest.raises(NotOpen):
            await runtime.commands.execute(MATTER, "2", Note("张三"))
        await eventually(lambda: one_parked(runtime))
    told = "".join(span.to_json() for span in traced.spans())
    assert "command Note" in told
    assert "张三" not in told
    assert "\\u5f20" not in told
    assert "poison'" not in told


async def one_parked(runtime: Runtime) -> bool:
    return bool(await runtime.db.fetchval("select count(*) from log.parked"))


async def test_what_is_not_sampled_makes_no_spans_further_on(
    traced: Traced, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    unsampled = TracerProvider(sampler=ALWAYS_OFF).get_tracer("test")
    async with running(desk(journal()), await new_database(), kafka_server, topic_prefix) as runtime:
        with unsampled.start_as_current_span("request"):
            await runtime.commands.execute(MATTER, "1", Raise())
        await eventually(lambda: has_journalled(runtime.db, {"matter-1": [1]}))
        assert [span.name for span in traced.spans()] == []


# Figures


class Figures:
    """What /metrics would show of one process, by the SDK."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._reader = InMemoryMetricReader()
        self._meter = MeterProvider([self._reader]).get_meter("test")
        patch.setattr(telemetry, "meter", self._meter)

    def counter(self, name: str) -> Counter:
        """A counter in the place of one that was made before the test."""
        return self._meter.create_counter(name)

    def of(self, name: str) -> dict[tuple[str, ...], float]:
        """A metric's values by its attributes' values."""
        data = self._reader.get_metrics_data()
        return {
            tuple(str(value) for value in (point.attributes or {}).values()): point.value
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
            if isinstance(point, NumberDataPoint)
        }


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Figures:
    return Figures(monkeypatch)


async def test_lag_is_counted_in_events_and_seconds_for_each_consumer(
    figures: Figures, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """And the seconds are the age of what waits, not the time since the consumer last had something to do."""
    there_is = hall(journal())
    topic = f"{topic_prefix}.desk.matter"
    async with (
        running(desk(), await new_database(), kafka_server, topic_prefix) as here,
        running(there_is, await new_database(), kafka_server, topic_prefix) as there,
    ):
        await here.commands.execute(MATTER, "1", Raise())
        await eventually(lambda: has_journalled(there.db, {"matter-1": [1]}))
        await eventually(lambda: figure(there, "journal_v1", topic, 0))
        await there.db.execute("update log.progress set updated_at = '2020-01-01'")
        async with there.db.acquire() as holding, holding.transaction():
            await holding.execute("lock table log.progress in share mode")
            for _ in range(3):
                await here.commands.execute(MATTER, "1", Note("waits"))
            await eventually(lambda: figure(there, "journal_v1", topic, 3))
            there.measures.observe()
            assert figures.of("commongrid.lag.events")["journal_v1", topic] == 3
            assert 0 < figures.of("commongrid.lag.time")["journal_v1", topic] < 60
            assert figures.of("commongrid.lag.events")["relay", "own store"] == 0
        await eventually(lambda: figure(there, "journal_v1", topic, 0))
        assert figures.of("commongrid.lag.time")["journal_v1", topic] == 0


async def figure(runtime: Runtime, consumer: str, source: str, events: int) -> bool:
    return any(
        (it.consumer, it.source, it.events) == (consumer, source, events)
        for it in (*runtime.measures.own, *runtime.measures.topics)
    )


async def test_lag_in_the_own_store_is_counted(new_database: NewDatabase, kafka_server: str, topic_prefix: str) -> None:
    async with running(desk(journal()), await new_database(), kafka_server, topic_prefix) as runtime:
        async with runtime.db.acquire() as holding, holding.transaction():
            await holding.execute("lock table journal_v1.journal in share mode")
            # Both in one transaction: the journal's, which waits, would hold the relay back before a second one.
            await runtime.commands.execute_many(MATTER, {"1": Raise(), "2": Raise()})
            await eventually(lambda: figure(runtime, "journal_v1", "", 2))
            await eventually(lambda: figure(runtime, "relay", "", 0))
        await eventually(lambda: figure(runtime, "journal_v1", "", 0))


async def test_figures_of_topics_are_there_again_when_kafka_is(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    database = await new_database()
    async with running(desk(), await new_database(), kafka_server, topic_prefix) as here:
        async with running(hall(journal()), database, kafka_server, topic_prefix, work=False):
            await here.commands.execute(MATTER, "1", Raise())
        async with wire_to(kafka_server) as wire:
            await wire.cut()
            async with at_work(hall(journal()), database, wire.address, topic_prefix) as there:
                await eventually(lambda: figure(there, "relay", "", 0))
                assert there.measures.topics == [], "what is not known is not told"
                await wire.mend()
                await eventually(lambda: figure(there, "journal_v1", f"{topic_prefix}.desk.matter", 0), 60)
                await eventually(lambda: has_journalled(there.db, {"matter-1": [1]}))


async def test_what_is_parked_is_counted_by_consumer_timers_too(
    figures: Figures, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(desk(journal()), await new_database(), kafka_server, topic_prefix) as runtime:
        runtime.measures.observe()
        await runtime.commands.execute(MATTER, "1", Raise())
        for note in ("poison", "behind", "behind"):
            await runtime.commands.execute(MATTER, "1", Note(note))
        await runtime.db.execute(
            """insert into log.timers (policy, stream, name, due, causation, claimed_until)
               values ('calling', 'matter-1', 'call', now(), 'matter-1/1', 'infinity'),
                      ('calling', 'matter-2', 'call', now(), 'matter-2/1', '-infinity')"""
        )
        await eventually(lambda: parked_are(figures, {("journal_v1",): 3, ("calling",): 1}))
        await runtime.db.execute("delete from log.parked; delete from log.timers")
        await eventually(lambda: parked_are(figures, {}))


async def parked_are(figures: Figures, expected: dict[tuple[str, ...], float]) -> bool:
    assert figures.of("commongrid.parked") == expected
    return True


async def test_each_event_is_counted_once_when_it_is_sent_when_it_took_effect_and_when_it_is_parked(
    figures: Figures, monkeypatch: pytest.MonkeyPatch, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    monkeypatch.setattr("events.relay.relayed", figures.counter("relayed"))
    monkeypatch.setattr("events.consumer.projected", figures.counter("projected"))
    monkeypatch.setattr("events.parking.parked_count", figures.counter("parked"))

    async def are_counted() -> bool:
        assert figures.of("relayed") == {(): 4}
        assert figures.of("projected").get(("tally_v1",)) == 2
        assert figures.of("parked") == {("journal_v1",): 2}
        return True

    async with running(desk(journal(), tally()), await new_database(), kafka_server, topic_prefix) as runtime:
        for id_ in ("bad", "good"):
            await runtime.commands.execute(MATTER, id_, Raise())
        for note in ("poison", "behind"):
            await runtime.commands.execute(MATTER, "bad", Note(note))
        await eventually(are_counted)


async def test_a_long_transaction_of_anybody_on_the_server_shows(
    figures: Figures, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    began = asyncio.get_running_loop().time()
    async with running(desk(), await new_database(), kafka_server, topic_prefix) as runtime:
        runtime.measures.observe()
        other = await asyncpg.connect(await new_database("somebody_else"))
        transaction = other.transaction()
        await transaction.start()
        await other.execute("select pg_current_xact_id()")
        await eventually(lambda: is_at_least(figures, "commongrid.watermark.age", 2))
        age, here = figures.of("commongrid.watermark.age")[()], asyncio.get_running_loop().time() - began
        assert age <= here, "nothing has been seen for longer than this process is here"
        await transaction.rollback()
        await other.close()


async def is_at_least(figures: Figures, name: str, seconds: float) -> bool:
    return figures.of(name).get((), 0) >= seconds


async def test_where_no_seal_was_ever_published_it_shows_for_how_long_nobody_has(
    figures: Figures, new_database: NewDatabase
) -> None:
    service, url = desk(), await new_database()
    await migrate(service, Settings(url, NO_KAFKA))
    began = asyncio.get_running_loop().time()
    async with at_work(service, url, NO_KAFKA, "alone") as runtime:
        runtime.measures.observe()
        await eventually(lambda: is_at_least(figures, "commongrid.seal.age", 1))
        assert figures.of("commongrid.seal.age")[()] <= asyncio.get_running_loop().time() - began
