"""Logs: one JSON object per line on stdout, with the trace it belongs to, and nothing personal."""

import logging
import sys
from datetime import UTC, datetime
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

    line = lines_of(service)
    structlog.configure(
        processors=[line],
        logger_factory=Stdout,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    Stdout.stream = sys.stdout
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, line],
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


def lines_of(service: str) -> Processor:
    """What makes a line of what is logged. It is one function, since each request has its line: as a chain of ten it
    cost as much as a query."""

    def line(logger: Any, method: str, event: EventDict) -> str:
        error = event.pop("exc_info", None)
        said: dict[str, Any] = {
            "message": redact(str(event.pop("event", ""))),
            "level": method,
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "service": service,
            "logger": event.pop("logger", None) or logger.name,
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            said["trace_id"] = format(context.trace_id, "032x")
            said["span_id"] = format(context.span_id, "016x")
        for name, value in event.items():
            said[name] = _blotted(value)
        if error and (described := _described(error)):
            said["exception"] = described
        return orjson.dumps(said, default=str, option=orjson.OPT_NON_STR_KEYS).decode()

    return line


def _described(error: Any) -> dict[str, Any] | None:
    """A description that holds no values."""
    if isinstance(error, tuple):
        error = cast("tuple[Any, ...]", error)[1]
    elif not isinstance(error, BaseException):
        error = sys.exc_info()[1]
    return _blotted(describe(error)) if isinstance(error, BaseException) else None


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
