"""Two phones through days of work without a network, against what one client with a network would have.

A phone loses requests and answers, sends what it has sent before, and its clock is wrong; a leader and residents are
online meanwhile. All that took effect is then done again, by the ordinary routes, in a second system.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from contracts.common import Title
from contracts.registry import DutyFacts, DutyListed
from edge.testing import client, in_post, told
from events.migrate import migrate
from events.settings import Settings
from events.testing import RING
from grid_tasks.domain.case import CASE
from grid_tasks.service import application, grid_tasks
from local.testing import NewDatabase

from .conftest import NO_KAFKA, Trade, each_table, prepare, process
from .field import BODY, POSTS, RESULT, Phone, Station
from .roster import appointed, follow
from .trade import GRID, INSTRUCTOR, LI, WANG

DAYS = 4
WORK = {LI: "elevator", WANG: "lights"}
"""What only one of them can do: so that who gets a case does not hang on who had more to do at that moment."""


@dataclass
class Effect:
    """Something that took effect, in the order in which it did."""

    who: str
    do: str
    thing: str | None
    body: Any
    key: str
    at: datetime


@dataclass
class Worker:
    """Somebody with a phone that is often without a network: what was done waits in a queue until it is settled."""

    phone: Phone
    queue: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    begun: set[str] = field(default_factory=set[str])
    settled: dict[str, str] = field(default_factory=dict[str, str])
    made: int = 0

    @property
    def who(self) -> str:
        return self.phone.who

    def does_something(self, random: Random) -> None:
        """What somebody does who sees only what the phone carries."""
        mine = [it for it in self.phone.open_cases().values() if it["worker"] == self.who]
        new = [it["case"] for it in mine if it["step"] == "dispatched" and it["case"] not in self.begun]
        going = [it["case"] for it in mine if it["step"] == "started"] + sorted(self.begun)
        choice = random.random()
        if choice < 0.15:
            self._did("report", body=BODY | {"category": random.choice(list(WORK.values()))})
        elif choice < 0.55 and new:
            case = random.choice(new)
            self.begun.add(case)
            self._did("start", case)
        elif choice < 0.85 and going:
            case = random.choice(going)
            self.begun.discard(case)
            self._did("hand-in", case, RESULT)
        elif going:
            case, body = random.choice(going), {"minutes": random.randint(10, 90), "reason": "等房东"}
            self._did(*random.choice([("ask-time", case, body), ("return", case, {"reason": "不在我处"})]))
        helping = [it["case"] for it in self.phone.open_cases().values() if self.who in it["helping"]]
        if helping and random.random() < 0.3:
            self._did("give-help", random.choice(helping), {"done": True, "words": "已到场"})

    def _did(self, do: str, thing: str | None = None, body: Any = None) -> None:
        self.made += 1
        self.queue.append(self.phone.did(do, thing, body))

    def hears(self, told: dict[str, Any]) -> None:
        """Takes the answer in. What was not done is for the person to see; what waited for it falls with it."""
        self.phone.take_in(told)
        for it in told["commands"]:
            self.settled[it["id"]] = it["became"]
        self.queue = [it for it in self.queue if it["id"] not in self.settled]
        self.begun &= {it["thing"] for it in self.queue}


@dataclass
class Days:
    """Some days in the life of a grid, by a seed."""

    station: Station
    random: Random
    workers: list[Worker]
    effects: list[Effect] = field(default_factory=list[Effect])
    sent: list[tuple[Worker, dict[str, Any]]] = field(default_factory=list[tuple[Worker, dict[str, Any]]])
    told_done: set[str] = field(default_factory=set[str])
    reports: int = 0

    async def go_by(self) -> None:
        """Four days and nights."""
        end = self.station.trade() + timedelta(days=DAYS)
        while self.station.trade() < end:
            self.station.trade.advance(minutes=self.random.randint(5, 60))
            await self._something()
        for worker in self.workers * 2:  # the second time for what the other has changed
            while worker.queue or (await self._calls_in(worker))["more"]:
                await self._calls_in(worker)
            await self.station.settled()

    async def _something(self) -> None:
        choice, worker = self.random.random(), self.random.choice(self.workers)
        if choice < 0.55:
            worker.does_something(self.random)
        elif choice < 0.7:
            await self._calls_in(worker, self.random.choice(["well", "well", "request lost", "answer lost", "twice"]))
        elif choice < 0.75 and self.sent:
            await self._arrives(*self.random.choice(self.sent))  # a copy from long ago
        elif choice < 0.85:
            await self._resident_reports()
        else:
            await self._leader_does_something()
        await self.station.settled()

    async def _calls_in(self, worker: Worker, how: str = "well") -> dict[str, Any]:
        phone = worker.phone
        some = worker.queue[: self.random.choice([1, 3, 200])]
        body = {"since": phone.since, "sent_at": phone.clock().isoformat(), "commands": some}
        if how == "request lost":
            return {"more": False}
        told = await self._arrives(worker, body)
        if how == "twice":
            told = await self._arrives(worker, body)
        if all(it["became"] == "done" for it in told["commands"]):
            self.sent.append((worker, body))
        if how != "answer lost":
            worker.hears(told)
            self.told_done |= {it["id"] for it in told["commands"] if it["became"] == "done"}
        return told

    async def _arrives(self, worker: Worker, body: dict[str, Any]) -> dict[str, Any]:
        answer = await worker.phone.post(**body)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        for command, became in zip(body["commands"], told["commands"], strict=True):
            if became["became"] == "done" and not became.get("repeated"):
                self._took_effect(worker.who, command["do"], command["thing"], command["body"], command["id"])
            if command["do"] == "report" and became["became"] == "done":
                await self.station.with_somebody(became["thing"])
        return told

    def _took_effect(self, who: str, do: str, thing: str | None, body: Any, key: str) -> None:
        self.effects.append(Effect(who, do, thing, body, key, self.station.trade()))

    async def _online(self, who: str, do: str, thing: str | None, body: Any = None) -> None:
        key = f"{who}-online-{len(self.effects)}"
        path = f"/cases/{thing}/{do}" if thing else "/cases"
        answer = await self.station.post(path, body, who, **{"Idempotency-Key": key})
        if answer.status_code < 400:
            self._took_effect(who, do, thing, body, key)
            await self.station.with_somebody(answer.json()["case"]) if do == "report" else None

    async def _resident_reports(self) -> None:
        self.reports += 1
        category = self.random.choice(list(WORK.values()))
        await self._online(f"resident-{self.reports}", "report", None, BODY | {"category": category})

    async def _leader_does_something(self) -> None:
        found = await self.station.runtime.db.fetch("select case_id from field_case where open order by 1")
        if not found:
            return
        case = self.random.choice(found)[0]
        state, _ = await self.station.runtime.commands.load(CASE, case)
        who = self.random.choice([LI, WANG])
        body = {
            "dispatch": {"worker": who, "why": "就近"},
            "send-back": {"reason": "未告知"},
            "give-time": {"minutes": state.time_asked or 1},
            "refuse-time": {"reason": "够了"},
            "change-urgency": {"urgent": True, "minutes": 600, "reason": "老人独居"},
            "confer": {"helpers": [who], "why": "两家的事"},
            "verify": None,
        }
        possible = [it for it in state.possible if it in body]
        if possible:
            do = self.random.choice(possible)
            await self._online(INSTRUCTOR, do, case, body[do])


@asynccontextmanager
async def a_grid(database: str, trade: Trade) -> AsyncGenerator[Station]:
    """The service at work, with two workers who can do different things."""
    await migrate(grid_tasks, Settings(database, NO_KAFKA, keys=RING))
    async with process(database, trade) as runtime:
        await told(database, *(in_post(who, post, GRID) for who, post in POSTS.items()))
        skilled = [appointed(who).model_copy(update={"skills": (skill,)}) for who, skill in WORK.items()]
        await prepare(runtime, *skilled)
        async with each_table(runtime) as db:
            await follow(db, *(DutyListed(**_duty(skill).model_dump()) for skill in WORK.values()))
        async with client(application, runtime) as http:
            yield Station(http, runtime, trade)


def _duty(skill: str) -> DutyFacts:
    title = Title(zh="某", en="Some")
    return DutyFacts(
        category=skill,
        title=title,
        department=title,
        grid_duty=True,
        deadline_minutes=240,
        skills=(skill,),
        legal_basis="a test",
    )


async def done_online(effects: list[Effect], station: Station) -> None:
    """One client with a network does the same, one after another."""
    for it in effects:
        station.trade.now = it.at
        path = f"/cases/{it.thing}/{it.do}" if it.thing else "/cases"
        answer = await station.post(path, it.body, it.who, **{"Idempotency-Key": it.key})
        assert answer.status_code < 400, (it, answer.text)
        if it.do == "report":
            await station.with_somebody(answer.json()["case"])
        await station.settled()


async def cases_of(station: Station) -> list[str]:
    rows = await station.runtime.db.fetch("select case_id from field_case order by 1")
    return [row[0] for row in rows]


async def history_of(station: Station, case: str) -> list[tuple[str, str | None]]:
    """What happened and who did it; without what rules said about time, which is as fast as they woke up."""
    found = [(it.raw.type.split(".")[3], it.raw.actor) for it in await station.runtime.commands.history(CASE, case)]
    return [it for it in found if it[0] not in ("warned", "escalated")]


COMPARED = (
    "step", "category", "grid", "worker", "helping", "joint", "attempt", "result", "urgent", "deadline_minutes",
    "time_asked", "handled_by", "closed_at", "handed_in_at", "due",
)  # fmt: skip


@pytest.mark.parametrize("seed", [1, 3, 4])
async def test_two_phones_end_where_one_client_with_a_network_would(new_database: NewDatabase, seed: int) -> None:
    random = Random(seed)  # noqa: S311
    async with a_grid(await new_database("phones"), Trade()) as station:
        phones = [
            station.phone(LI, off=timedelta(minutes=random.randint(-3000, 3000))),
            station.phone(WANG, off=timedelta(days=-365)),
        ]
        days = Days(station, random, [Worker(it) for it in phones])
        await days.go_by()
        await station.settled()

        ids = [it.key for it in days.effects]
        assert len(ids) == len(set(ids)), "each took effect once"
        assert days.told_done <= set(ids), "nothing that was acknowledged is lost"
        for worker in days.workers:
            assert worker.made == len(worker.settled), "each was told"
        assert sum(worker.made for worker in days.workers) > 40

        for worker in days.workers:
            await worker.phone.sync_all()
            now: dict[str, Any] = {}
            for case in await cases_of(station):
                seen = await station.get(f"/cases/{case}", worker.who)
                now[case] = seen.json(), int(seen.headers["etag"].strip('"v'))
            assert worker.phone.open_cases() == {
                case: seen for case, (seen, _) in now.items() if seen["closed_at"] is None
            }, "the phone carries what is so"
            assert {case: worker.phone.versions[case] for case in worker.phone.open_cases()} == {
                case: version for case, (seen, version) in now.items() if seen["closed_at"] is None
            }

        async with a_grid(await new_database("online"), Trade()) as online:
            await done_online(days.effects, online)
            assert await cases_of(online) == await cases_of(station)
            for case in await cases_of(station):
                here, _ = await station.runtime.commands.load(CASE, case)
                there, _ = await online.runtime.commands.load(CASE, case)
                assert {it: getattr(here, it) for it in COMPARED} == {it: getattr(there, it) for it in COMPARED}
                assert await history_of(station, case) == await history_of(online, case)
                if here.on_time != there.on_time:
                    assert here.on_time, "who had no network is never judged worse for it"
