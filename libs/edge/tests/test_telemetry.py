"""What is exported of a trace tells what happened and how long it took, and nothing about anybody."""

from typing import Any

import pytest
from edge.problems import current_trace_id
from edge.telemetry import DiscreetExporter, Discretion, Unrecorded
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.types import Receive, Scope, Send


def exported(attributes: dict[str, str], error: Exception | None = None) -> str:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(Discretion())
    provider.add_span_processor(SimpleSpanProcessor(DiscreetExporter(memory)))
    try:
        with provider.get_tracer("test").start_as_current_span("work", attributes=attributes):
            if error:
                raise error
    except ValueError:
        pass
    (span,) = memory.get_finished_spans()
    return span.to_json()


def test_an_exception_is_exported_without_its_message() -> None:
    told = exported({}, ValueError("王小明 is not a number"))
    assert '"exception.type": "ValueError"' in told
    assert '"status_code": "ERROR"' in told
    assert "王小明" not in told
    assert "\\u738b" not in told


def test_a_query_is_exported_without_its_values() -> None:
    told = exported({"url.query": "name=wang&13800138000=1&empty=", "url.path": "/people/99010119900307421X"})
    assert '"url.query": "name=REDACTED' in told
    for personal in ("wang", "13800138000", "99010119900307421X"):
        assert personal not in told


@pytest.mark.parametrize(
    ("sent", "trace_id"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", None),
        ("garbage", None),
        (None, None),
    ],
)
async def test_without_an_exporter_a_request_belongs_to_its_callers_trace_or_to_one_of_its_own(
    sent: str | None, trace_id: str | None
) -> None:
    seen: list[str] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(current_trace_id() or "none")

    headers = [(b"traceparent", sent.encode())] if sent else []
    for _ in range(2):
        await Unrecorded(app)({"type": "http", "headers": headers}, nothing, nothing)
    assert current_trace_id() is None
    assert all(len(it) == 32 for it in seen)
    assert len(set(seen)) == (1 if trace_id else 2)
    assert trace_id in (None, seen[0])


async def nothing(*_: Any) -> Any:
    raise AssertionError("nobody reads or answers")
