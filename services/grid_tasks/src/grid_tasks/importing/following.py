"""Reports from another system's topic (转办): each message is asked of the route that a report by REST is asked of, so
both have one id for a number, one power, one set of rules, and one audit log.

What Kafka is told to have been taken has become a case before, or was told to be none; what is read once more after a
crash changes nothing. A message that is refused is told, by its place and the reason, and stops nothing.
"""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import httpx2
import orjson
import prometheus_client
from edge import Application, HttpProblem
from edge.callers import Caller
from edge.within import as_caller
from events.runtime import Runtime
from events.theirs import Message, lots, telling

from grid_tasks.importing.messages import Reports, Sent, read
from grid_tasks.read_models.grids import grid_at

log = logging.getLogger(__name__)

FOLLOWED = prometheus_client.Counter(
    "commongrid_followed_messages_total",
    "Messages of other systems' topics, by what became of them.",
    ["topic", "became"],
)
AGAIN = 1.0
"""Seconds until what could not be decided is tried again."""
ATTEMPTS = 3
"""How often a message is tried that makes a fault of ours."""


class Became(StrEnum):
    """What became of a message."""

    TAKEN = "taken"
    KNOWN = "known"  # its number had come before, by whichever way
    REFUSED = "refused"


class NotAllowed(RuntimeError):
    """The power list does not let this system pass reports on: nobody reads its topic."""


class NotNowhere(RuntimeError):
    """A grid has the place that stands for none: what has only an address would be dispatched there."""

    def __init__(self, grid: str) -> None:
        super().__init__(f"`nowhere` of the mapping lies in grid {grid}: name a point outside every grid")


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a message, and what is said of it to the system that wrote it."""

    place: str
    number: str | None
    became: Became
    case: str | None = None
    problem: dict[str, Any] | None = None

    @property
    def answer(self) -> bytes:
        """On the topic of answers."""
        said = {"place": self.place, "number": self.number, "became": self.became}
        return orjson.dumps(said | ({"problem": self.problem} if self.problem else {"case": self.case}))


async def follow(
    application: Application, runtime: Runtime, topic: str, mapped: Reports, group: str, answers: str | None = None
) -> None:
    """Takes what comes on the topic, until it is cancelled, as if the mapping's `source` passed it on by `application`;
    tells on the topic `answers` what became of each message. Raises NotAllowed, NotNowhere, NoSuchTopic, KafkaError."""
    kafka = runtime.settings.kafka
    async with AsyncExitStack() as stack:
        tell = await stack.enter_async_context(telling(kafka, answers)) if answers else None
        partner = await stack.enter_async_context(_calling(application, runtime, mapped.partner))
        found = await stack.enter_async_context(aclosing(lots(kafka, topic, group)))
        async for lot in found:
            if mapped.nowhere and (grid := await grid_at(runtime.db, mapped.nowhere)):
                raise NotNowhere(grid)
            told = [await partner.take(message, mapped) for message in lot]
            if tell:
                await tell([(it.number, it.answer) for it in told])
            counts = Counter(it.became for it in told)
            for became, count in counts.items():
                FOLLOWED.labels(topic, became).inc(count)
            log.info("messages were read", extra={"topic": topic, **counts})


@asynccontextmanager
async def _calling(application: Application, runtime: Runtime, source: str) -> AsyncGenerator["_Partner"]:
    """The service's API as this partner calls it; what it refuses them comes on the audit log, as ever."""
    api = application.api(runtime)
    transport = httpx2.ASGITransport(as_caller(api, Caller(id=source, client=source)))
    noting = asyncio.create_task(api.state.refusals.keep_writing())
    try:
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{application.service.name}") as http:
            yield _Partner(http)
    finally:
        noting.cancel()
        await asyncio.wait([noting])


@dataclass(frozen=True, slots=True)
class _Partner:
    """The system whose topic it is."""

    http: httpx2.AsyncClient

    async def take(self, message: Message, mapped: Reports) -> Told:
        """Passes on what the message says."""
        try:
            sent = read(message.value, mapped)
            told = _told(message.place, sent.number, await self._asked(sent))
        except HttpProblem as problem:
            told = Told(message.place, None, Became.REFUSED, problem=orjson.loads(problem.response().body))
        if told.problem:
            log.warning("a message was not taken", extra={"place": told.place, **_why(told.problem)})
        return told

    async def _asked(self, sent: Sent) -> httpx2.Response:
        """The route's answer; waits for one that decides, however long the database is away."""
        body, faults = orjson.dumps(sent.body), 0
        key = hashlib.sha256(sent.number.encode() + b"\0" + body).hexdigest()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        while True:
            answer = await self.http.put(f"/relayed/{quote(sent.number, safe='')}", content=body, headers=headers)
            if answer.status_code == 403:
                raise NotAllowed(answer.json()["detail"])
            faults += answer.status_code == 500
            if answer.status_code not in (409, 500, 503) or faults == ATTEMPTS:
                return answer
            await asyncio.sleep(AGAIN)


def _told(place: str, number: str, answer: httpx2.Response) -> Told:
    said = answer.json()
    if answer.status_code >= 400:
        return Told(place, number, Became.REFUSED, problem=said)
    new = answer.status_code == 201 and "Idempotency-Replayed" not in answer.headers
    return Told(place, number, Became.TAKEN if new else Became.KNOWN, case=said["case"])


def _why(problem: dict[str, Any]) -> dict[str, Any]:
    """For the log: no problem repeats what was sent."""
    wrong = [f"{it['field']}: {it['message']}" for it in problem.get("errors", ())]
    return {"reason": problem["type"].rpartition("/")[2], "why": wrong or problem["detail"]}
