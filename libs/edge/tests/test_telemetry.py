"""What is exported of a trace tells what happened and how long it took, and nothing about anybody."""

from edge.telemetry import DiscreetExporter, Discretion
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


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
