"""A service as a process: it serves, works, and ends in order."""

import asyncio
import contextlib
import gzip
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from edge.testing import KEY, jwk, token
from events.testing import eventually
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from schemathesis import GenerationMode

SERVICE = Path(__file__).parent / "conftest.py"

FAILING = f"""
import dataclasses, runpy
from edge import main

async def worn_out(runtime):
    raise RuntimeError("worn out")

application = runpy.run_path({str(SERVICE)!r})["application_of_tests"]
main(dataclasses.replace(application, workers=[worn_out]))
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Process:
    process: asyncio.subprocess.Process
    port: int
    http: httpx2.AsyncClient
    out: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def end(self) -> int:
        """Its exit code; what it wrote to stdout is in `out`, and every line of it was JSON."""
        stdout, _ = await self.process.communicate()
        self.out += [json.loads(line) for line in stdout.splitlines()]
        return self.process.returncode or 0

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)


def environment(database: str, port: int, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMMONGRID_", "OTEL_"))}
    return kept | {
        "COMMONGRID_DATABASE_URL": database,
        "COMMONGRID_KAFKA": "127.0.0.1:9",
        "COMMONGRID_HTTP_PORT": str(port),
        **more,
    }


async def start(*arguments: str, env: dict[str, str]) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, env=env, stdout=pipe, stderr=pipe)


@asynccontextmanager
async def running(database: str, role: str, **more: str) -> AsyncGenerator[Process]:
    port = free_port()
    process = await start(str(SERVICE), role, env=environment(database, port, **more))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:

        async def ready() -> bool:
            assert process.returncode is None, (await process.communicate())[1]
            try:
                return (await http.get("/readyz")).status_code == 200
            except httpx2.TransportError:
                return False

        try:
            await eventually(ready)
            yield Process(process, port, http)
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()


async def test_api_and_work_in_one_process(database: str) -> None:
    async with running(database, "all") as service:
        made = await service.http.post("/suggestions", json={"text": "a bench"}, headers={"Idempotency-Key": "1"})
        listed = await service.http.get(
            "/suggestions", headers={"Consistency-Token": made.headers["consistency-token"]}
        )
        assert [row["id"] for row in listed.json()["items"]] == [made.json()["id"]]
        metrics = (await service.http.get("/metrics")).text
        service.terminate()
        assert await service.end() == 0
    for line in (
        'http_server_request_duration_seconds_bucket{http_request_method="POST",http_response_status_code="201",'
        'http_route="/suggestions"',
        'commongrid_command_duration_seconds_bucket{command="HandIn",le="0.0025"',
        'commongrid_lag_events{consumer="box_v1"',
    ):
        assert line in metrics, metrics
    requests = [line for line in service.out if line["logger"] == "edge.requests"]
    assert [(line["route"], line["status"]) for line in requests] == [("/suggestions", 201), ("/suggestions", 200)]
    assert len({line["trace_id"] for line in requests}) == 2
    assert [line["message"] for line in service.out if line["logger"] == "edge.serving"] == ["serving", "stopping"]


async def test_a_service_starts_while_its_issuer_is_away_and_follows_it_when_it_is_there(database: str) -> None:
    port, keys = free_port(), [jwk(KEY)]
    address = f"http://127.0.0.1:{port}"
    settings = {"COMMONGRID_ISSUER": address, "COMMONGRID_LOCAL": "true", "COMMONGRID_KEYS_AGE": "1"}
    signed_in = {"Authorization": f"Bearer {token('li', iss=address)}"}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        document = {"keys": keys} if b"/keys" in asked else {"issuer": address, "jwks_uri": f"{address}/keys"}
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + json.dumps(document).encode())
        writer.close()

    async with running(database, "api", **settings) as service:
        away = await service.http.get("/suggestions/mine/post", headers=signed_in)
        assert (away.status_code, away.json()["type"].rpartition("/")[2]) == (503, "issuer-away")
        assert (await service.http.get("/suggestions")).status_code == 200, "who need not say who they are is served"

        async def status(wanted: int) -> bool:
            return (await service.http.get("/suggestions/mine/post", headers=signed_in)).status_code == wanted

        async with await asyncio.start_server(answer, "127.0.0.1", port):
            await eventually(lambda: status(200), 30)
            keys[:] = [jwk(Ed25519PrivateKey.generate(), "new")]
            await eventually(lambda: status(401), 30)
        assert "commongrid_issuer_keys_age_seconds" in (await service.http.get("/metrics")).text
        service.terminate()
        assert await service.end() == 0
    assert token("li", iss=address).split(".")[0] not in str(service.out)


async def test_what_was_refused_just_before_the_end_is_on_record(database: str) -> None:
    async with running(database, "api") as service:
        assert (await service.http.get("/audit")).status_code == 401
        service.terminate()
        assert await service.end() == 0
    db = await asyncpg.connect(database)
    try:
        assert await db.fetch("select data->>'act' from log.events where type like '%.audit.refused.v1'") == [
            ("GET /audit",)
        ]
    finally:
        await db.close()


async def test_a_worker_beside_an_api(database: str) -> None:
    async with running(database, "api") as api, running(database, "worker") as worker:
        assert (await worker.http.get("/suggestions")).status_code == 404
        made = await api.http.post("/suggestions", json={"text": "a bench"}, headers={"Idempotency-Key": "1"})
        listed = await api.http.get("/suggestions", headers={"Consistency-Token": made.headers["consistency-token"]})
        assert len(listed.json()["items"]) == 1
        for process in (api, worker):
            process.terminate()
            assert await process.end() == 0


async def test_a_request_in_hand_is_finished_before_the_end(database: str) -> None:
    async with running(database, "all") as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        body = b'{"text": "a bench"}'
        writer.write(
            b"POST /suggestions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: 1\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        writer.write(body[:5])
        await writer.drain()

        async def in_hand() -> bool:
            return (
                'http_server_active_requests{http_request_method="POST"} 1.0'
                in (await service.http.get("/metrics")).text
            )

        await eventually(in_hand)
        service.terminate()

        async def refused() -> bool:
            try:
                _, another = await asyncio.open_connection("127.0.0.1", service.port)
                another.close()
                await another.wait_closed()
                return False
            except ConnectionRefusedError:
                return True

        await eventually(refused)
        writer.write(body[5:])
        assert (await reader.readline()).startswith(b"HTTP/1.1 201")
        writer.close()
        await writer.wait_closed()
        assert await service.end() == 0


async def test_a_stream_of_events_is_ended_rather_than_waited_for(database: str) -> None:
    async with (
        running(database, "api") as service,
        service.http.stream("GET", "/ticks", headers={"Accept": "text/event-stream"}) as stream,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines) == 'data: {"tick": 1}'
        service.terminate()
        assert [line async for line in lines if line] == []  # an orderly end: a torn one would raise
        assert await service.end() == 0
    assert not [line for line in service.out if line["level"] == "error"]


async def test_a_stranger_who_follows_the_document_meets_no_surprise(database: str) -> None:
    async with running(database, "all") as service:
        schema: Any = await asyncio.to_thread(schemathesis.openapi.from_url, f"{service.http.base_url}/openapi.json")
        schema.config.generation.update(allow_x00=False)  # JSON Schema cannot say that no text may hold it
        for operation in schema.get_all_operations():
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                await asyncio.to_thread(explore, operation.ok(), mode)


def explore(operation: Any, mode: GenerationMode) -> None:
    """Sends what the operation's description allows, or what it forbids, and checks every answer against it."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)  # type: ignore[arg-type]
    def send(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            if "Idempotency-Key" in case.headers:
                case.headers["Idempotency-Key"] = uuid4().hex  # a short one would come again for something else
            case.headers.pop("Consistency-Token", None)  # what is opaque cannot be made up
            case.query.pop("cursor", None)
        case.call_and_validate()

    with contextlib.suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else contextlib.nullcontext():
        send()  # of some operations no description can be violated


@pytest.mark.parametrize(("proxies", "left"), [("127.0.0.1", [1, 1, 0]), ("10.0.0.0/8", [1, 0, 0])])
async def test_where_a_request_comes_from_is_believed_of_named_proxies_only(
    database: str, proxies: str, left: list[int]
) -> None:
    """By what is left of the quota: two addresses have two, one that only says that it is two has one."""
    async with running(database, "api", COMMONGRID_PROXIES=proxies, COMMONGRID_RATE_READS="1/2") as service:
        addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.1"]
        answers = [await service.http.get("/suggestions", headers={"X-Forwarded-For": it}) for it in addresses]
    assert [answer.headers["ratelimit"] for answer in answers] == [f'"reads";r={it};t=60' for it in left]


async def test_work_that_fails_ends_the_process(database: str) -> None:
    process = await start("-c", FAILING, "all", env=environment(database, free_port()))
    stdout, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 1
    failed = [line for line in map(json.loads, stdout.splitlines()) if line["level"] == "error"]
    assert [(line["part"], line["exception"]["message"]) for line in failed] == [("worn_out", "worn out")]


@pytest.fixture
async def collector() -> AsyncGenerator[tuple[str, list[Span]]]:
    """A collector of traces (OTLP over HTTP)."""
    spans: list[Span] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        message = await reader.readexactly(length)
        if "content-encoding: gzip" in head:
            message = gzip.decompress(message)
        request = ExportTraceServiceRequest.FromString(message)
        spans.extend(span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", spans


async def test_a_trace_goes_from_the_request_to_the_read_model_and_tells_nothing_personal(
    database: str, collector: tuple[str, list[Span]]
) -> None:
    endpoint, spans = collector
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    traceparent = f"00-{trace_id}-00f067aa0ba902b7-01"
    async with running(database, "all", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as service:
        made = await service.http.post(
            "/suggestions",
            json={"text": "王小明"},
            headers={"Idempotency-Key": "1", "traceparent": traceparent},
        )
        await service.http.get(
            "/suggestions",
            params={"since": "2026-01-01T00:00:00Z"},
            headers={"Consistency-Token": made.headers["consistency-token"], "traceparent": traceparent},
        )
        await service.http.get("/broken", params={"name": "13800138000"}, headers={"traceparent": traceparent})
        service.terminate()
        assert await service.end() == 0
    mine = [span for span in spans if span.trace_id.hex() == trace_id]
    names = {span.name for span in mine}
    assert {"POST /suggestions", "GET /suggestions", "command HandIn"} <= names
    assert any(attribute.key == "db.query.text" for span in mine for attribute in span.attributes)
    told = "".join(map(str, mine))
    for personal in ("王小明", "13800138000", "2026-01-01"):
        assert personal not in told
        assert personal.encode("unicode_escape").decode() not in told
    assert any(
        (attribute.key, attribute.value.string_value) == ("url.query", "since=REDACTED")
        for span in mine
        for attribute in span.attributes
    )
    requests = [line for line in service.out if line["logger"] == "edge.requests"]
    assert {line["trace_id"] for line in requests} == {trace_id}
