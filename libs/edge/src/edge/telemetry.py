"""OpenTelemetry for one process: traces by OTLP where OTEL_EXPORTER_OTLP_ENDPOINT says so, metrics for Prometheus.

Without an endpoint spans are not recorded, but every request still has a trace id, which logs and problems carry.
What is exported holds no query values, no SQL parameters and no exception messages.
"""

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from events.telemetry import SECONDS
from fastapi.telemetry import TelemetryConfig
from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Receive, Scope, Send

from edge.redaction import redact

OPERATIONAL = frozenset({"/healthz", "/readyz", "/metrics"})
"""Addresses that are asked every few seconds: neither traced nor logged."""


_propagator = TraceContextTextMapPropagator()
_ids = RandomIdGenerator()


def http() -> TelemetryConfig:
    """What FastAPI's own telemetry is to do: a span for each request, where spans are recorded."""
    return {
        "tracing": recorded(),
        "logs": False,  # they would carry what was sent
        "metrics": False,  # see access.py
        "operation_spans": False,  # three more spans for each request
        "auto_configure": False,
        "exclude": lambda scope: scope.get("path") in OPERATIONAL,
    }


class Unrecorded:
    """In the place of FastAPI's telemetry where no span is recorded, since that costs as much as a query: the request
    still belongs to a trace, its caller's or a new one, which logs, problems and events carry."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = trace.INVALID_SPAN_CONTEXT
        for name, value in scope.get("headers", ()):
            if name == b"traceparent":
                around = _propagator.extract({"traceparent": value.decode("latin-1")}, Context())
                caller = trace.get_current_span(around).get_span_context()
        span = trace.SpanContext(caller.trace_id or _ids.generate_trace_id(), _ids.generate_span_id(), is_remote=False)
        entered = otel_context.attach(trace.set_span_in_context(trace.NonRecordingSpan(span)))
        try:
            await self._app(scope, receive, send)
        finally:
            otel_context.detach(entered)


def start(service: str, instance: str | None = None) -> None:
    """Sets up the process's traces and metrics; once."""
    resource = Resource.create(
        {"service.name": service, "service.namespace": "commongrid"}
        | ({"service.instance.id": instance} if instance else {})
    )
    exported = _exported()
    sampler = None if recorded() else ALWAYS_OFF
    tracing = TracerProvider(sampler=sampler, resource=resource)  # None: by OTEL_TRACES_SAMPLER, else parent-based
    tracing.add_span_processor(Discretion())
    if exported:
        tracing.add_span_processor(BatchSpanProcessor(DiscreetExporter(OTLPSpanExporter())))
        os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "database,http")
        AsyncPGInstrumentor().instrument(tracer_provider=tracing)
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(
        MeterProvider([PrometheusMetricReader(scope_info_enabled=False)], resource, views=[IN_SECONDS])
    )


IN_SECONDS = View(
    instrument_type=Histogram,
    instrument_unit="s",
    aggregation=ExplicitBucketHistogramAggregation(SECONDS),
)


def recorded() -> bool:
    """Whether this process records spans."""
    return _exported() or bool(os.environ.get("OTEL_TRACES_SAMPLER"))


def _exported() -> bool:
    return (
        bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
        and os.environ.get("OTEL_TRACES_EXPORTER") != "none"
    )


class Discretion(SpanProcessor):
    """Takes the values out of a span's query string, and what looks personal out of its path."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        attributes = span.attributes or {}
        if query := attributes.get("url.query"):
            names = [name for name, _ in parse_qsl(str(query), keep_blank_values=True)]
            span.set_attribute("url.query", "&".join(f"{redact(name)}=REDACTED" for name in names))
        if path := attributes.get("url.path"):
            span.set_attribute("url.path", redact(str(path)))


class DiscreetExporter(SpanExporter):
    """Passes spans on without the messages and stack traces of exceptions, which may repeat what was sent."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_discreet(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _discreet(span: ReadableSpan) -> ReadableSpan:
    if not span.events and not span.status.description:
        return span
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=[_without_message(event) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _without_message(event: Event) -> Event:
    kept: dict[str, Any] = {
        name: value
        for name, value in (event.attributes or {}).items()
        if name not in ("exception.message", "exception.stacktrace")
    }
    return Event(event.name, kept, event.timestamp)
