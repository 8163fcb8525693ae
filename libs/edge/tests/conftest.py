"""A tiny real service to try the edge on: a box for suggestions (意见箱), on a real Postgres."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

import httpx2
import pytest
from contracts.audit import ActDone, ActRefused
from contracts.common import Post
from edge import Application, Audit, Call, Cursor, HttpProblem, Limit, Page, Router, authority, decode_cursor, main
from edge.moments import Moment
from edge.testing import client, given, in_post, token, told
from events import Aggregate, Batch, Connection, Event, ReadModel, Refused, Service
from events.migrate import migrate
from events.runtime import Runtime, open_runtime
from events.settings import Settings
from fastapi import Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

NO_KAFKA = "127.0.0.1:9"
"""Nothing listens there: the edge needs no Kafka."""


class HandedIn(Event, type="commongrid.suggestions.suggestion.handed-in.v1"):
    suggestion: str
    text: str
    at: AwareDatetime


class Answered(Event, type="commongrid.suggestions.suggestion.answered.v1"):
    suggestion: str
    answer: str


class AuditRefused(ActRefused, type="commongrid.suggestions.audit.refused.v1"):
    pass


class AuditDone(ActDone, type="commongrid.suggestions.audit.done.v1"):
    pass


class Withdrawn(Refused):
    reason = "answered-already"


class NotAnAnswer(Refused):
    reason = "not-an-answer"


@dataclass(frozen=True)
class Suggestion:
    id: str = ""
    text: str = ""
    answer: str | None = None


@dataclass(frozen=True)
class HandIn:
    id: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Answer:
    answer: str


def decide(state: Suggestion, command: HandIn | Answer) -> list[Event]:
    match command:
        case HandIn(id, text, at):
            return [HandedIn(suggestion=id, text=text, at=at)]
        case Answer(answer) if answer.strip().lower() == "no":
            raise NotAnAnswer("an answer gives a reason", least=1)
        case Answer() if state.answer:
            raise Withdrawn("this was answered before")
        case Answer(answer):
            return [Answered(suggestion=state.id, answer=answer)]


def evolve(state: Suggestion, event: Event) -> Suggestion:
    match event:
        case HandedIn():
            return Suggestion(event.suggestion, event.text)
        case Answered():
            return replace(state, answer=event.answer)
        case _:
            return state


SUGGESTION = Aggregate("suggestion", Suggestion(), decide, evolve, (HandedIn, Answered))

box = ReadModel("box", "create table suggestion (id text primary key, text text not null, at timestamptz not null)")


@box.on(HandedIn)
async def handed_in(db: Connection, events: Batch[HandedIn]) -> None:
    await db.execute(
        "insert into suggestion select * from unnest($1::text[], $2::text[], $3::timestamptz[])",
        events.column("suggestion"),
        events.column("text"),
        events.column("at"),
    )


Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class HandInBody(BaseModel):
    """What somebody would have changed."""

    model_config = ConfigDict(extra="forbid", strict=True)
    text: Text
    phone: Annotated[str, StringConstraints(pattern=r"^1\d{10}$")] | None = Field(None, description="Never kept")


class AnswerBody(BaseModel):
    """What is said to it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    answer: Text


class SuggestionView(BaseModel):
    """A suggestion."""

    id: str
    text: str
    answer: str | None
    version: int


class Row(BaseModel):
    """A suggestion in the list."""

    id: str
    at: datetime


def view(state: Suggestion, version: int) -> SuggestionView:
    return SuggestionView(id=state.id, text=state.text, answer=state.answer, version=version)


USE = "suggestions.use"
"""The only power that everybody has here."""
LOCAL = "suggestions.local"
"""Grid workers have it, in their own grid."""

router = Router(prefix="/suggestions", tags=["suggestions"])


@router.post("", power=USE, status_code=201, response_model=SuggestionView)
async def hand_in(body: HandInBody, call: Call) -> Response:
    """Hands in a suggestion."""
    id_ = call.new_id()
    return await call.create(SUGGESTION, id_, HandIn(id_, body.text, call.now), view=view, location="/suggestions/{id}")


@router.post("/{suggestion}/answer", power=USE, response_model=SuggestionView)
async def answer(suggestion: str, body: AnswerBody, call: Call) -> Response:
    """Answers it."""
    return await call.change(SUGGESTION, suggestion, Answer(body.answer), view=view)


@router.get("/{suggestion}", power=USE, response_model=SuggestionView)
async def suggestion(suggestion: str, call: Call) -> Response:
    """One of them."""
    return await call.read(SUGGESTION, suggestion, view)


@router.get("", power=USE, response_model=Page[Row])
async def suggestions(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    since: Annotated[Moment | None, Query()] = None,
    word: str = "",
) -> Page[Row]:
    """All of them, as they came in."""
    await call.fresh(box)
    at, id_ = decode_cursor(cursor, datetime, str) if cursor else (since, "")
    found = await call.db.fetch(
        """select id, at from suggestion where ($1::timestamptz is null or (at, id) > ($1, $2))
           and position($4 in text) > 0 order by at, id limit $3""",
        at,
        id_,
        limit + 1,
        word,
    )
    return Page[Row].of([Row(id=row["id"], at=row["at"]) for row in found], limit, lambda row: (row.at, row.id))


@router.get("/mine/post", power=USE)
async def my_post(call: Call) -> dict[str, str | None]:
    """Which post the caller holds."""
    return {"caller": call.require_caller(), "post": call.grant.post}


odd = Router(include_in_schema=False)


@odd.get("/broken", power=USE)
async def broken(name: str, _: Call) -> None:
    raise KeyError(f"{name} of 13800138000")


@odd.get("/teapot", power=USE)
async def teapot(_: Call) -> None:
    raise HttpProblem("not-a-pot", "this is a cup", status=418, cup=1)


@odd.get("/theirs/{suggestion}", power=LOCAL)
async def theirs(suggestion: str, call: Call) -> Response:
    """What lies in another grid."""
    return await call.read(SUGGESTION, suggestion, view, grid=lambda _: "G2")


@odd.get("/handed-out/{suggestion}", power=USE)
async def handed_out(suggestion: str, call: Call) -> str:
    """What is not to be handed out unseen."""
    await call.put_on_record(thing=f"suggestion-{suggestion}", purpose="a_test")
    return "here"


@odd.get("/ticks", power=USE, response_class=EventSourceResponse)
async def ticks(_: Call) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(data={"tick": 1})
    await asyncio.Event().wait()


audit = Audit(AuditRefused, AuditDone)
suggestion_box = Service(
    "suggestions", aggregates=[SUGGESTION, audit.aggregate], read_models=[box, authority, audit.read_model]
)
application_of_tests = Application(
    suggestion_box,
    routers=[router, odd],
    statuses={"not-an-answer": 422},
    asyncapi={"asyncapi": "3.1.0"},
    audit=audit,
)


@pytest.fixture
def application() -> Application:
    return application_of_tests


@pytest.fixture
async def database(fresh_database: str) -> str:
    """A database with the service's tables."""
    await migrate(suggestion_box, Settings(fresh_database, NO_KAFKA))
    await told(
        fresh_database,
        given(USE, "anyone"),
        in_post("li", Post.GRID_WORKER, "G1"),
    )
    return fresh_database


@pytest.fixture
async def runtime(database: str) -> AsyncGenerator[Runtime]:
    """The service at work, without Kafka."""
    async with open_runtime(suggestion_box, Settings(database, NO_KAFKA)) as runtime:
        working = asyncio.create_task(runtime.work())
        yield runtime
        working.cancel()
        await asyncio.wait([working])


@pytest.fixture
async def http(application: Application, runtime: Runtime) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client, signed in as the grid worker Li."""
    async with client(application, runtime, token("li")) as http:
        yield http


@pytest.fixture
async def anonymous(application: Application, runtime: Runtime) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client that does not say who it is."""
    async with client(application, runtime) as http:
        yield http


class Wire:
    """The way to the database, which can be cut and mended."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._pipes: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server:
            self._server.close()
        for pipe in self._pipes:
            pipe.transport.abort()
        self._pipes.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        self._pipes |= {writer, there_writer}
        await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.transport.abort()


@pytest.fixture
async def wire(database: str) -> AsyncGenerator[Wire]:
    """A way to the database of this test."""
    url = urlsplit(database)
    wire = Wire(url.hostname or "127.0.0.1", url.port or 5432)
    await wire.mend()
    yield wire
    await wire.cut()


@pytest.fixture
def cut(wire: Wire) -> Callable[[], Awaitable[None]]:
    """Cuts the way to the database."""
    return wire.cut


@pytest.fixture
def mend(wire: Wire) -> Callable[[], Awaitable[None]]:
    """Mends it."""
    return wire.mend


@pytest.fixture
async def wired(database: str, wire: Wire) -> AsyncGenerator[Runtime]:
    """The service, which reaches its database by the wire only."""
    url = urlsplit(database)
    by_wire = url._replace(netloc=f"{url.netloc.rpartition('@')[0]}@127.0.0.1:{wire.port}").geturl()
    async with open_runtime(suggestion_box, Settings(by_wire, NO_KAFKA)) as runtime:
        yield runtime


if __name__ == "__main__":  # test_process runs this file as a service
    main(application_of_tests)
