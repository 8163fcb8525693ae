"""The load: several clients that do real commands over HTTP, each repeated with its own key until it is answered.

What they do is drawn from a seed. Who is answered notes it; who is not goes on asking, the other copy too.
"""

import asyncio
import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import httpx2
from local.services import REGISTRAR
from notes import Acknowledged, remembered
from registry.domain.references import id_of
from town import Town, rows

PATIENCE = 240.0
"""Seconds after which a command that nobody answers counts as lost: a system that does not come back is no system."""
AN_ANSWER = httpx2.Timeout(6, connect=2)
CASE = "commongrid.grid_tasks.case"
Body = Mapping[str, Any]


class NotAnswered(Exception):
    """Nobody answered for so long that the system must count as broken."""


class Answer(NamedTuple):
    """A definite one."""

    status: int
    body: Any
    version: int | None


class Client(ABC):
    """Somebody who does one thing after the other, until told to stop."""

    def __init__(self, name: str, town: Town) -> None:
        self.name = name
        self.town = town
        self.notes = town.notes
        self.random = Random(name)  # noqa: S311
        self._asked = 0
        self._http = httpx2.AsyncClient(timeout=AN_ANSWER, trust_env=False)

    async def work(self, seed: str, stop: asyncio.Event) -> None:
        """Does what follows from the seed; when told to stop, ends what is in hand."""
        self.random = Random(f"{seed} {self.name}")  # noqa: S311
        while not stop.is_set():
            await self.story(stop)

    async def close(self) -> None:
        """Leaves."""
        await self._http.aclose()

    @abstractmethod
    async def story(self, stop: asyncio.Event) -> None:
        """One thing, from its beginning to its end."""

    async def pause(self, most: float = 1.0) -> None:
        """Thinks."""
        await asyncio.sleep(self.random.uniform(0.02, most))

    async def look(self, service: str, path: str, who: str | None = None) -> Answer:
        """Reads something."""
        return await self._until_answered("GET", service, path, self._as(who))

    async def command(
        self,
        service: str,
        template: str,
        stream: str,
        event: str,
        body: Body,
        *,
        who: str | None = None,
        if_match: int | None = None,
        receipt: str | None = None,
    ) -> Answer:
        """Does something to the thing of this stream (`case-…`), or makes one (`case`), and notes what was answered."""
        self._asked += 1
        key = f"{self.name}-{self._asked}"
        kind, _, id_ = stream.partition("-")
        path = template.replace(f"{{{kind}}}", id_)
        headers = self._as(who) | {"Idempotency-Key": key}
        headers |= {"If-Match": f'"v{if_match}"'} if if_match else {}
        headers |= {"Receipt": receipt} if receipt else {}
        async with self.town.doors[service].through():
            answer = await self._until_answered("POST", service, path, headers, json.dumps(body).encode())
            key = remembered(key, who, template)
            if answer.status < 300 and answer.version:
                stream = stream if id_ else f"{kind}-{answer.body[kind]}"
                self.notes.acknowledged.append(Acknowledged(service, stream, answer.version, event, key))
            else:
                self.notes.refused.append((service, key))
        return answer

    async def enter(self, register: str, kind: str, entries: Sequence[Mapping[str, str]], ids: Sequence[str]) -> None:
        """Has new things of these ids put on a register, by a file."""
        file = io.StringIO()
        table = csv.DictWriter(file, list(entries[0]))
        table.writeheader()
        table.writerows(entries)
        headers = self._as(REGISTRAR) | {"Content-Type": "text/csv"}
        path, content = f"/registers/{register}", file.getvalue().encode()
        async with self.town.doors["registry"].through(), asyncio.timeout(PATIENCE):
            while True:
                answer = await self._until_answered("PUT", "registry", path, headers, content)
                if '"done"' in answer.body:
                    break  # otherwise the answer broke off: what it had entered is met again
        if '"refused":0' not in answer.body:
            raise ValueError(f"{register} refused rows of the sample community: {answer.body}")
        verb = "appointed" if kind == "member" else "registered"
        self.notes.acknowledged += [
            Acknowledged("registry", f"{kind}-{id_}", 1, f"commongrid.registry.{kind}.{verb}.v1") for id_ in ids
        ]

    def _as(self, who: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.town.token(who)}"} if who else {}

    async def _until_answered(
        self, method: str, service: str, path: str, headers: Mapping[str, str], content: bytes = b""
    ) -> Answer:
        pause, last = 0.05, ""
        headers = {"Content-Type": "application/json", **headers}
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    url = self.random.choice(self.town.of(service)).service.url + path
                    try:
                        answer = await self._http.request(method, url, headers=headers, content=content)
                        last = f"{answer.status_code} {answer.text[:200]}"
                        if answer.status_code < 500 and not _in_others_way(answer):
                            return _definite(answer)
                    except httpx2.TransportError as error:
                        last = type(error).__name__
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 1.0)
        except TimeoutError:
            raise NotAnswered(f"{method} {path} of {service}: no answer for {PATIENCE:g} s; last: {last}") from None


def _in_others_way(answer: httpx2.Response) -> bool:
    return answer.status_code == 409 and answer.text.find("/problems/conflict") >= 0


def _definite(answer: httpx2.Response) -> Answer:
    tag = answer.headers.get("ETag", "").strip('"').removeprefix("v")
    is_json = "json" in answer.headers.get("Content-Type", "") and "ndjson" not in answer.headers["Content-Type"]
    return Answer(answer.status_code, answer.json() if is_json else answer.text, int(tag) if tag.isdigit() else None)


class Handler(Client):
    """Everybody around a case: who reports it, the worker who has it, the leader who verifies it."""

    def __init__(self, name: str, town: Town) -> None:
        super().__init__(name, town)
        addresses, roster, duties = rows("addresses.csv"), rows("roster.csv"), rows("duties.csv")
        self._places = [(float(row["longitude"]), float(row["latitude"])) for row in addresses]
        self._duties = [row["category"] for row in duties if row["grid_duty"] == "yes"]
        self._workers = {
            grid: [row["member_ref"] for row in roster if (row["grid_code"], row["post"]) == (grid, "grid_worker")]
            for grid in {row["grid_code"] for row in roster}
        }
        self._resting: list[tuple[str, str]] = []

    async def story(self, stop: asyncio.Event) -> None:
        """A case, from the report to its rating; some rest handed in for a while."""
        draw = self.random
        if self._resting and draw.random() < 0.5:
            await self._end(*self._resting.pop(0))
            return
        case, receipt = await self._report()
        if draw.random() < 0.15:
            await self._give_to_another(case)
        await self._handle(case)
        if draw.random() < 0.15:
            await self._step(case, "send-back", "sent_back", {"reason": "请补拍照片。"})
            await self._handle(case)
        if draw.random() < 0.15:
            self._resting.append((case, receipt))
        else:
            await self._end(case, receipt)

    async def end_what_rests(self) -> None:
        """Nothing comes to rest by itself that still waits to be verified: for days somebody would be told of it."""
        while self._resting:
            await self._end(*self._resting.pop(0))

    async def _report(self) -> tuple[str, str]:
        draw = self.random
        longitude, latitude = draw.choice(self._places)
        reporter = "grid-worker-1" if draw.random() < 0.2 else None
        body: dict[str, Any] = {
            "category": draw.choice(self._duties),
            "description": f"{self.name} {self._asked}",  # told only once: a second one is a double
            "place": {"longitude": longitude, "latitude": latitude},
        }
        if draw.random() < 0.6:
            body["contact"] = f"{self.name}@example.org"
        answer = await self.command("grid_tasks", "/cases", "case", f"{CASE}.reported.v1", body, who=reporter)
        if answer.status != 201:
            raise ValueError(f"a report was not taken: {answer.body}")
        return answer.body["case"], answer.body["receipt"]

    async def _give_to_another(self, case: str) -> None:
        seen = await self._possible(case, "dispatch", "start")
        worker = self.random.choice(self._workers[seen.body["grid"]])
        await self._do(seen, "dispatch", "dispatched", {"worker": worker, "why": "换人"})

    async def _handle(self, case: str) -> None:
        """Whoever has it starts it and hands it in, though it may be given to another meanwhile."""
        while True:
            await self.pause()
            seen = await self._possible(case, "start", "hand-in")
            if "start" in seen.body["possible"]:
                await self._do(seen, "start", "started", {})
            elif await self._do(seen, "hand-in", "handed_in", {"result": "已处理。"}):
                return

    async def _end(self, case: str, receipt: str) -> None:
        await self._step(case, "verify", "closed", {})
        if self.random.random() < 0.5:
            await self._step(case, "rating", "rated", {"rating": self.random.randint(1, 5)}, receipt)

    async def _step(self, case: str, step: str, event: str, body: Body, receipt: str | None = None) -> None:
        while not await self._do(await self._possible(case, step), step, event, body, receipt):
            await self.pause()

    async def _possible(self, case: str, *steps: str) -> Answer:
        """The case, when one of these steps can be taken."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    seen = await self.look("grid_tasks", f"/cases/{case}")
                    if set(steps) & set(seen.body["possible"]):
                        return seen
                    await self.pause(0.3)
        except TimeoutError:
            raise NotAnswered(f"case {case} never came to {' or '.join(steps)}") from None

    async def _do(self, seen: Answer, step: str, event: str, body: Body, receipt: str | None = None) -> bool:
        """Takes the step as whoever it falls to; false if the case was changed meanwhile."""
        by_whom = {"start": seen.body["worker"], "hand-in": seen.body["worker"], "rating": None}
        answer = await self.command(
            "grid_tasks",
            f"/cases/{{case}}/{step}",
            f"case-{seen.body['case']}",
            f"{CASE}.{event}.v1",
            body,
            who=by_whom.get(step, f"grid-leader-{seen.body['grid'].removeprefix('G')}"),
            if_match=seen.version,
            receipt=receipt,
        )
        return answer.status < 300


class Registrar(Client):
    """Registers the sample community, household by household, with everybody in it, and a unit now and then."""

    def __init__(self, name: str, town: Town, nth: int, of: int) -> None:
        super().__init__(name, town)
        self._addresses = {row["address_ref"]: row for row in rows("addresses.csv")}
        self._households = rows("households.csv")[nth::of]
        self._units = rows("units.csv")[nth::of]
        self._people: dict[str, list[dict[str, str]]] = {}
        for row in rows("people.csv"):
            self._people.setdefault(row["household_ref"], []).append(row)
        self._known: set[str] = set()

    async def story(self, stop: asyncio.Event) -> None:
        """One household, or one unit."""
        if self._units and (not self._households or self.random.random() < 0.2):
            unit = self._units.pop()
            await self._live(unit["address_ref"])
            await self._register("units", "unit", [unit])
        elif self._households:
            household = self._households.pop()
            await self._live(household["address_ref"])
            await self._register("households", "household", [household])
            people = self._people[household["household_ref"]]
            for person in people:
                await self._live(person["address_ref"])
            await self._register("people", "person", people)
        await self.pause(2.0)

    async def _live(self, reference: str) -> None:
        if reference not in self._known:
            await self._register("addresses", "address", [self._addresses[reference]])
            self._known.add(reference)

    async def _register(self, register: str, kind: str, entries: list[dict[str, str]]) -> None:
        await self.enter(register, kind, entries, [id_of(kind, row[f"{kind}_ref"]) for row in entries])
        await self.pause(0.3)


class Clerk(Client):
    """Appoints somebody, and lets them go again: their cases move on by themselves."""

    _appointed = 100

    async def story(self, stop: asyncio.Event) -> None:
        """One appointment and its end."""
        self._appointed += 1
        member = f"grid-worker-{self._appointed}"
        row = {
            "member_ref": member,
            "name": "新人",
            "post": "grid_worker",
            "grid_code": f"G{self.random.randint(1, 6)}",
            "email": f"{member}@example.org",
            "phone": "",
        }
        await self.enter("roster", "member", [row], [member])
        await self.pause(6.0)
        seen = await self.look("registry", f"/members/{member}")
        await self.command(
            "registry",
            "/members/{member}/dismissal",
            f"member-{member}",
            "commongrid.registry.member.dismissed.v1",
            {},
            who=REGISTRAR,
            if_match=seen.version,
        )


class Officer(Client):
    """Publishes months that are over, and has messages tried again that were given up."""

    def __init__(self, name: str, town: Town) -> None:
        super().__init__(name, town)
        self._published: set[str] = set()

    async def story(self, stop: asyncio.Event) -> None:
        """One look around."""
        await self.pause(2.0)
        await self._publish()
        await self.try_again()

    async def _publish(self) -> None:
        now = self.town.now()
        month = f"{now.year}-{now.month - 1:02}" if now.month > 1 else f"{now.year - 1}-12"
        if month in self._published:
            return
        event = "commongrid.assessment.period.published.v1"
        answer = await self.command(
            "assessment", "/periods/{period}/publication", f"period-{month}", event, {}, who=REGISTRAR
        )
        if answer.status == 201:
            self._published.add(month)

    async def try_again(self) -> int:
        """Has everything that is parked tried again; returns how many."""
        who = REGISTRAR
        parked = (await self.look("notifications", "/notifications?state=parked&limit=100", who)).body["items"]
        for it in parked:
            seen = await self.look("notifications", f"/notifications/{it['id']}", who)
            if seen.body["state"] == "parked":
                await self.command(
                    "notifications",
                    "/notifications/{notification}/retry",
                    f"notification-{it['id']}",
                    "commongrid.notifications.notification.resumed.v1",
                    {},
                    who=who,
                    if_match=seen.version,
                )
        return len(parked)


def everybody(town: Town) -> list[Client]:
    """The load of a run."""
    return [
        *(Handler(f"handler-{nth}", town) for nth in range(4)),
        *(Registrar(f"registrar-{nth}", town, nth, 2) for nth in range(2)),
        Clerk("clerk", town),
        Officer("officer", town),
    ]
