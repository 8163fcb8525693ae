"""One trace runs from the request to the last read model and the message that it caused (promise 9).

The services run in this process, on real servers, so that one exporter in memory sees every span.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from contracts.common import Post, Title
from contracts.registry import DutyListed, GridDrawn, MapGrid, MapRedrawn, MemberAppointed
from edge import read_settings
from edge.testing import client, founding
from events.testing import eventually, publish, running
from grid_tasks.service import application as grid_tasks
from local.sinks import sinks
from local.testing import NewDatabase
from notifications.channels.configured import ChannelSettings, configured
from notifications.service import compose
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

SQUARE = [(120.09, 30.87), (120.10, 30.87), (120.10, 30.88), (120.09, 30.88), (120.09, 30.87)]
GRID = GridDrawn(grid="G1", title=Title(zh="桑园网格", en="Sangyuan grid"), boundary=SQUARE)
MAP = MapRedrawn(map="all", drawn=(MapGrid(**dict(GRID)),))
DUTY = DutyListed(
    category="street_light_out",
    title=Title(zh="路灯不亮", en="Street light out"),
    department=Title(zh="街道", en="Subdistrict"),
    grid_duty=True,
    deadline_minutes=240,
    legal_basis="GB/T 34300",
)
LI = MemberAppointed(member="grid-worker-1", name="李", post=Post.GRID_WORKER, grid="G1", email="li@example.org")
CHEN = MemberAppointed(member="grid-leader-1", name="陈", post=Post.GRID_LEADER, grid="G1", email="chen@example.org")
REPORT = {
    "category": "street_light_out",
    "description": "路灯不亮",
    "place": {"longitude": 120.095, "latitude": 30.875},
}


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Everything that this process traces."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


async def test_the_request_the_read_models_and_the_message_share_one_trace(
    spans: InMemorySpanExporter,
    new_database: NewDatabase,
    kafka_server: str,
    topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts = (("G1", GRID), ("all", MAP), ("street_light_out", DUTY), ("grid-worker-1", LI), ("grid-leader-1", CHEN))
    powers = [(it.power, it) for it in founding()]
    await publish(await new_database("registry"), kafka_server, topic_prefix, *powers, *facts)
    async with AsyncExitStack() as stack:
        receivers = await stack.enter_async_context(sinks())
        told_of = {
            "COMMONGRID_LOCAL": "true",
            "OTEL_TRACES_SAMPLER": "always_on",
        }
        for name, value in (receivers.environment | told_of).items():
            monkeypatch.setenv(name, value)
        notifications = compose(lambda: configured(read_settings(ChannelSettings)), lambda: 0.5)
        tasks = await stack.enter_async_context(
            running(grid_tasks.service, await new_database("grid_tasks"), kafka_server, topic_prefix)
        )
        await stack.enter_async_context(
            running(notifications.service, await new_database("notifications"), kafka_server, topic_prefix)
        )
        http = await stack.enter_async_context(client(grid_tasks, tasks))

        async def taken() -> bool:  # the registry's facts cross a border first
            answer = await http.post("/cases", json=REPORT, headers={"Idempotency-Key": "one"})
            return answer.status_code == 201

        await eventually(taken, 60)

        async def told() -> bool:
            return bool(receivers.webhooks and receivers.mails)

        await eventually(told, 60)

        async def told_of_it() -> bool:
            return "project notification_board" in in_the_trace_of("command Report", spans)

        await eventually(told_of_it, 60)

    names = in_the_trace_of("command Report", spans)
    assert {
        "command Report",  # the request's command
        "relay",  # to Kafka
        "project case_board",  # the service's own read model
        "command Accept",  # what its policies did
        "command Assign",
        "react telling",  # another service, over Kafka
        "command Request",
        "timer delivering send",  # the message that it caused
        "project notification_board",
    } <= names, names
    assert any(name.startswith("POST") for name in names), f"the request itself: {names}"


def in_the_trace_of(name: str, spans: InMemorySpanExporter) -> set[str]:
    """The names of all spans that share the trace of the last span of this name."""
    finished = spans.get_finished_spans()
    of = [span.context.trace_id for span in finished if span.name == name and span.context]
    return {span.name for span in finished if of and span.context and span.context.trace_id == of[-1]}
