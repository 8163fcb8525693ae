"""The log says what happened under which trace, and nothing about anybody."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx2
import pytest
import structlog
from edge import logs
from edge.redaction import BLOT, describe, redact
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel, ValidationError


class Out(io.StringIO):
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[Out]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = Out()
    monkeypatch.setattr(sys, "stdout", out)
    logs.start("suggestions")
    yield out
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()


def test_every_line_is_json_with_its_level_its_service_and_its_trace(out: Out) -> None:
    span = TracerProvider().get_tracer("test").start_span("work")
    with trace.use_span(span):
        structlog.get_logger("one").info("done", cases=3)
        logging.getLogger("two").warning("slow by %d s", 4, extra={"part": "relay"})
    first, second = out.lines()
    context = span.get_span_context()
    for line in (first, second):
        assert line["trace_id"] == format(context.trace_id, "032x")
        assert line["span_id"] == format(context.span_id, "016x")
        assert line["service"] == "suggestions"
        assert line["timestamp"].endswith("Z")
    assert (first["message"], first["level"], first["cases"]) == ("done", "info", 3)
    assert (second["message"], second["level"], second["part"]) == ("slow by 4 s", "warning", "relay")


async def test_a_request_is_one_line_without_anything_personal(http: httpx2.AsyncClient, out: Out) -> None:
    await http.get("/suggestions", params={"since": "2026-11-23T00:00:00Z"})
    await http.post("/suggestions", json={"text": "王小明 13800138000"}, headers={"Idempotency-Key": "k"})
    await http.get("/suggestions/99010119900307421X")
    await http.get("/healthz")
    lines = [line for line in out.lines() if line["logger"] == "edge.requests"]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/suggestions", 200),
        ("POST", "/suggestions", 201),
        ("GET", "/suggestions/{suggestion}", 404),
    ]
    for line in lines:
        assert line["seconds"] > 0
        assert len(line["request_id"]) == 16
    for personal in ("王小明", "13800138000", "99010119900307421X", "since", "2026-11-23T00", "bearer"):
        assert personal.lower() not in out.getvalue().lower()


async def test_a_fault_of_ours_is_logged_with_its_place_but_without_values(http: httpx2.AsyncClient, out: Out) -> None:
    await http.get("/broken", params={"name": "王小明"})
    (line,) = [line for line in out.lines() if line["level"] == "error"]
    assert line["exception"]["type"] == "builtins.KeyError"
    assert any("conftest.py" in frame and frame.endswith(" broken") for frame in line["exception"]["frames"])
    assert "王小明" not in out.getvalue()
    assert "13800138000" not in out.getvalue()


def test_an_exception_is_told_without_the_values_it_is_about(out: Out) -> None:
    class Person(BaseModel):
        age: int

    log = structlog.get_logger()
    for error in (KeyError("王小明"), ValueError("王小明 is not a number")):
        try:
            raise error
        except Exception:
            log.exception("failed")
    try:
        Person.model_validate({"age": "王小明"})
    except ValidationError:
        log.exception("failed")
    assert "王小明" not in out.getvalue()
    assert out.lines()[-1]["exception"]["fields"] == ["age: int_parsing"]
    assert describe(ConnectionRefusedError("no one listens"))["message"] == "no one listens"
    assert describe(asyncpg.UniqueViolationError("Key (phone)=(1) already exists"))["sqlstate"] == "23505"
    assert "message" not in describe(asyncpg.UniqueViolationError("Key (phone)=(1) already exists"))


PERSONAL = [
    "99010119900307421X",
    "990101199003074215",
    "990101900307421",
    "13800138000",
    "+8613800138000",
    "+86 138 0013 8000",
    "138-0013-8000",
    "010-65551234",
    "wang.xiaoming@example.com",
]


@pytest.mark.parametrize("personal", PERSONAL)
def test_what_looks_personal_is_blotted_out_wherever_it_stands(out: Out, personal: str) -> None:
    assert redact(f"电话{personal}，请回电") == f"电话{BLOT}，请回电"
    logging.getLogger("x").info("call %s", personal)
    structlog.get_logger("y").info("call", who={"numbers": [personal]}, to=personal)
    assert personal not in out.getvalue()


@given(st.integers(0, 10**10 - 1) | st.uuids() | st.floats(0, 1e6) | st.datetimes())
def test_numbers_ids_and_times_are_left_alone(value: object) -> None:
    assert redact(f"took {value} at case-{value}") == f"took {value} at case-{value}"
