"""Traces and metrics of the kernel, by the OpenTelemetry API: without an SDK they cost next to nothing.

No attribute holds personal data: streams are pseudonymous, and neither SQL parameters nor event data are recorded.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Bounds of the buckets in which durations are counted."""

tracer = trace.get_tracer("commongrid.events")
meter = metrics.get_meter("commongrid.events")
_propagator = TraceContextTextMapPropagator()

# Not by OpenTelemetry's SDK, of which each measurement costs a tenth of a command.
_command_duration = Histogram(
    "commongrid_command_duration_seconds",
    "From a command's start to its commit (or refusal).",
    ["command"],
    buckets=SECONDS,
)
relayed = meter.create_counter("commongrid.relay.events", "{event}", "Events sent to Kafka and acknowledged")
projected = meter.create_counter("commongrid.projection.events", "{event}", "Events that took effect, by consumer")
parked_count = meter.create_counter("commongrid.parked.events", "{event}", "Events parked, by consumer")
_apply_duration = meter.create_histogram(
    "commongrid.projection.delay", "s", "From an event's record in its store to its effect, by consumer"
)


def delay(seconds: float, consumer: str) -> None:
    """Records how long after its record an event took effect."""
    _apply_duration.record(max(seconds, 0.0), {"consumer": consumer})


@contextmanager
def command(name: str, stream: str) -> Generator[None]:
    """Measures a command, refused or not, with a span of its own where the trace is sampled."""
    start = perf_counter()
    around = trace.get_current_span().get_span_context()
    try:
        if around.is_valid and not around.trace_flags.sampled:
            yield
        else:
            attributes = {"commongrid.stream": stream}
            with tracer.start_as_current_span(f"command {name}", attributes=attributes, record_exception=False):
                yield
    finally:
        _command_duration.labels(name).observe(perf_counter() - start)


def current_traceparent() -> str | None:
    """The current span as a W3C `traceparent`, if there is one."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def continued(traceparent: str | None, name: str, **attributes: str) -> Generator[None]:
    """A span that continues the trace of the request that an event came from; none where that is not sampled."""
    if traceparent is None or traceparent.endswith("-00"):
        yield
        return
    parent = _propagator.extract({"traceparent": traceparent}, otel_context.Context())
    with tracer.start_as_current_span(name, context=parent, attributes=dict(attributes)):
        yield


@contextmanager
def continued_each(traceparents: Iterable[str | None], name: str) -> Generator[None]:
    """A span in each of several traces, for work that is done for all of them at once."""
    sampled = {it for it in traceparents if it is not None and not it.endswith("-00")}
    if len(sampled) == 1:
        with continued(sampled.pop(), name):
            yield
        return
    spans = [
        tracer.start_span(name, _propagator.extract({"traceparent": it}, otel_context.Context())) for it in sampled
    ]
    try:
        yield
    finally:
        for span in spans:
            span.end()


def gauge(name: str, unit: str, description: str, read: Callable[[], Iterator[metrics.Observation]]) -> None:
    """A gauge read on demand."""
    meter.create_observable_gauge(name, [lambda _: read()], unit, description)
