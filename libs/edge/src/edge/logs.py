"""Logs: one JSON object per line on stdout, with the trace it belongs to, and nothing personal."""

import logging
import sys
from typing import Any, ClassVar, TextIO, cast

import orjson
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor

from edge.redaction import describe, redact

QUIET = ("asyncio", "opentelemetry", "urllib3", "uvicorn", "httpx2", "httpcore2")
"""Libraries of which only warnings are worth a line."""


def start(service: str, level: int = logging.INFO) -> None:
    """Sends all logs of the process, structlog's and the standard library's, to stdout in this form."""

    def name_service(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_service,
        add_trace,
    ]
    last: list[Processor] = [
        describe_exception,
        blot_personal,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(serializer=_dumps),
    ]
    structlog.configure(
        processors=[*first, add_name, *last],
        logger_factory=Stdout,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    Stdout.stream = sys.stdout
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*first, structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)


class Stdout:
    """Writes structlog's lines itself: the way through the standard library's records costs a request a fifth of a
    millisecond."""

    stream: ClassVar[TextIO] = sys.stdout

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        """Writes it, and sees that it is out."""
        self.stream.write(line + "\n")
        self.stream.flush()

    debug = info = warning = error = critical = msg


def add_name(logger: Stdout, _method: str, event: EventDict) -> EventDict:
    """Adds who says it."""
    event["logger"] = logger.name
    return event


def add_trace(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Adds trace_id and span_id where there is a trace."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
        event["span_id"] = format(context.span_id, "016x")
    return event


def describe_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replaces an exception by a description that holds no values."""
    error = event.pop("exc_info", None)
    if error is True or isinstance(error, tuple):
        error = sys.exc_info()[1] if error is True else cast("tuple[Any, ...]", error)[1]
    if isinstance(error, BaseException):
        event["exception"] = describe(error)
    return event


def blot_personal(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Blots out what looks personal in any text of the line, however deep."""
    return {name: _blotted(value) for name, value in event.items()}


def _blotted(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case dict():
            return {_blotted(name): _blotted(each) for name, each in value.items()}  # type: ignore[misc]
        case list() | tuple() | set():
            return [_blotted(each) for each in value]  # type: ignore[misc]
        case None | bool() | int() | float():
            return value
        case _:
            return redact(str(value))


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
