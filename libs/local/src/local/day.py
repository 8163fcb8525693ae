"""A working day in community X: what residents report, and what grid workers and leaders do about it.

The stories are drawn from a seed; they are played over HTTP by the trade's clock, as phones and browsers would.
A player repeats a call with the same idempotency key when a service is away, so services may be killed meanwhile.
"""

import asyncio
import csv
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx2
from edge.simulation import Simulation, trade_time

PATIENCE = 120.0
"""Seconds of the machine's time that a player waits for a service that is away, or for a case to be dispatched."""

TEXTS = {
    "neighbour_noise": "楼上装修噪声大，夜里也不停。 Building work upstairs, at night too.",
    "blocked_fire_lane": "消防通道被车堵住了。 A car blocks the fire lane.",
    "street_light_out": "路灯不亮，晚上看不见路。 The street light is out.",
    "illegal_dumping": "有人在绿化带倒垃圾。 Rubbish was dumped on the green.",
}
OTHERWISE = "请来看一下。 Please come and have a look."


class Day:
    """The trade's clock of a day: fast from `start` until `until`, then as usual."""

    def __init__(self, start: datetime, until: datetime, seconds: float) -> None:
        """Plays the day in so many seconds of machine time, from now on."""
        speed = (until - start).total_seconds() / seconds
        self.simulation = Simulation(start=start, until=until, anchor=datetime.now(UTC).timestamp(), speed=speed)

    @property
    def environment(self) -> dict[str, str]:
        """What the services are told about it."""
        return {"COMMONGRID_CLOCK": self.simulation.model_dump_json()}

    def now(self) -> datetime:
        """The trade's time."""
        return trade_time(self.simulation, datetime.now(UTC)).astimezone(self.simulation.start.tzinfo)

    async def wait_until(self, moment: datetime) -> None:
        """Returns when the trade's clock has come to this moment, or the day is over."""
        moment = min(moment, self.simulation.until)
        while (now := self.now()) < moment:  # noqa: ASYNC110 - it is a clock that we wait for
            await asyncio.sleep(max(0.002, (moment - now).total_seconds() / self.simulation.speed))


@dataclass(frozen=True)
class Story:
    """What happens to one report."""

    at: datetime
    category: str
    longitude: float
    latitude: float
    by_worker: bool
    contact: str | None
    begins_after: timedelta
    takes: timedelta
    late: bool
    sent_back: bool
    rating: int | None
    finished: bool


@dataclass
class Outcome:
    """What a story came to."""

    story: Story
    case: str = ""
    worker: str = ""
    step: str = "not reported"
    trouble: str = ""


@dataclass
class Community:
    """What the players know: from the same files that the registry was given."""

    addresses: list[tuple[float, float]]
    workers: list[str]
    leaders: dict[str, str]
    duties: dict[str, int]
    not_ours: list[str]

    @classmethod
    def read(cls, folder: Path) -> "Community":
        """Reads the sample community's files."""
        addresses = _rows(folder / "addresses.csv")
        roster = _rows(folder / "roster.csv")
        duties = _rows(folder / "duties.csv")
        return cls(
            [(float(row["longitude"]), float(row["latitude"])) for row in addresses],
            [row["member_ref"] for row in roster if row["post"] == "grid_worker"],
            {row["grid_code"]: row["member_ref"] for row in roster if row["post"] == "grid_leader"},
            {row["category"]: int(row["deadline_minutes"]) for row in duties if row["grid_duty"] == "yes"},
            [row["category"] for row in duties if row["grid_duty"] == "no"],
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def stories(community: Community, day: Day, random: Random, count: int) -> list[Story]:
    """Draws a day's stories, in the order of their times."""
    morning, evening = day.simulation.start + timedelta(minutes=15), day.simulation.until - timedelta(hours=3)
    times = sorted(morning + (evening - morning) * random.random() for _ in range(count))
    return [_story(community, random, nth, at, count) for nth, at in enumerate(times)]


def _story(community: Community, random: Random, nth: int, at: datetime, count: int) -> Story:
    longitude, latitude = random.choice(community.addresses)
    late = nth % 12 == 5
    quick = [category for category, minutes in community.duties.items() if minutes <= 240]
    by_worker = random.random() < 0.25
    return Story(
        at=at,
        category=random.choice(quick if late else list(community.duties)),
        longitude=longitude,
        latitude=latitude,
        by_worker=by_worker,
        contact=None if by_worker or random.random() < 0.3 else f"resident-{nth}@example.org",
        begins_after=timedelta(minutes=random.uniform(4, 15)),
        takes=timedelta(minutes=random.uniform(5, 25)),
        late=late,
        sent_back=random.random() < 0.12,
        rating=random.choices([5, 4, 3, 2, 1], [50, 30, 12, 5, 3])[0] if random.random() < 0.7 else None,
        finished=nth < count - 3,
    )


@dataclass
class Players:
    """Everybody who takes part in the day, each with a token of their own."""

    http: httpx2.AsyncClient
    url: str
    day: Day
    token: Callable[[str], str]
    community: Community
    random: Random
    refused: list[str] = field(default_factory=list[str])

    async def play(self, story: Story) -> Outcome:
        """Plays one story to its end, or as far as it goes today."""
        outcome = Outcome(story)
        try:
            await self._play(story, outcome)
        except (TroubleError, httpx2.HTTPError) as error:
            outcome.trouble = f"{type(error).__name__}: {error}"
        return outcome

    async def _play(self, story: Story, outcome: Outcome) -> None:
        await self.day.wait_until(story.at)
        reporter = self.token(self.random.choice(self.community.workers)) if story.by_worker else None
        reported = await self._report(story, reporter)
        outcome.case, receipt = reported["case"], reported["receipt"]
        case = await self._until_dispatched(outcome)
        outcome.worker = case["worker"]
        worker = self.token(outcome.worker)
        leader = self.token(self.community.leaders[case["grid"]])
        await self._wait(story.begins_after)
        case = await self._change(outcome, "start", worker, {})
        if not story.finished:
            return
        if story.late:
            await self.day.wait_until(datetime.fromisoformat(case["due"]) + timedelta(minutes=12))
        else:
            await self._wait(story.takes)
        await self._change(outcome, "hand-in", worker, {"result": "已处理，现场已恢复。 Done, the place is in order."})
        if story.sent_back:
            await self._change(outcome, "send-back", leader, {"reason": "请补拍照片。 Please add a photo."})
            await self._change(outcome, "start", worker, {})
            await self._wait(story.takes / 2)
            await self._change(outcome, "hand-in", worker, {"result": "已补充。 Added."})
        await self._wait(timedelta(minutes=5))
        await self._change(outcome, "verify", leader, {})
        if story.rating:
            await self._change(outcome, "rating", None, {"rating": story.rating}, receipt)

    async def be_refused(self, category: str, longitude: float, latitude: float) -> None:
        """Reports what the grid must not be asked to do, and notes the answer."""
        body = {
            "category": category,
            "description": OTHERWISE,
            "place": {"longitude": longitude, "latitude": latitude},
        }
        answer = await self._call("POST", "/cases", None, body, {})
        self.refused.append(str(answer.json().get("type", "")).rpartition("/")[2] or f"taken ({answer.status_code})")

    async def _report(self, story: Story, token: str | None) -> dict[str, Any]:
        body: dict[str, Any] = {
            "category": story.category,
            "description": TEXTS.get(story.category, OTHERWISE),
            "place": {"longitude": story.longitude, "latitude": story.latitude},
        }
        if story.contact:
            body["contact"] = story.contact
        answer = await self._call("POST", "/cases", token, body, {})
        if answer.status_code != 201:
            raise TroubleError(f"the report was not taken: {answer.status_code} {answer.text}")
        return answer.json()

    async def _until_dispatched(self, outcome: Outcome) -> dict[str, Any]:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            case = (await self._call("GET", f"/cases/{outcome.case}", None, None, {})).json()
            outcome.step = case["step"]
            if case.get("worker"):
                return case
            await asyncio.sleep(0.05)
        raise TroubleError(f"case {outcome.case} was not dispatched")

    async def _change(
        self, outcome: Outcome, step: str, token: str | None, body: dict[str, Any], receipt: str | None = None
    ) -> dict[str, Any]:
        extra = {"Receipt": receipt} if receipt else {}
        path = f"/cases/{outcome.case}"
        while True:
            seen = await self._call("GET", path, token, None, extra)
            answer = await self._call(
                "POST", f"{path}/{step}", token, body, extra | {"If-Match": seen.headers.get("ETag", "")}
            )
            if answer.status_code != 412:  # otherwise somebody changed it meanwhile: look again
                break
        if answer.status_code not in (200, 201):
            raise TroubleError(f"{step} of case {outcome.case} was not taken: {answer.status_code} {answer.text}")
        case: dict[str, Any] = answer.json()
        outcome.step = case.get("step", outcome.step)
        return case

    async def _call(
        self, method: str, path: str, token: str | None, body: dict[str, Any] | None, extra: dict[str, str]
    ) -> httpx2.Response:
        """One call, repeated with the same key while the service is away."""
        headers = dict(extra)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        deadline, pause = asyncio.get_running_loop().time() + PATIENCE, 0.05
        while True:
            try:
                answer = await self.http.request(method, self.url + path, headers=headers, json=body)
                if answer.status_code < 500 or asyncio.get_running_loop().time() > deadline:
                    return answer
            except httpx2.TransportError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _wait(self, span: timedelta) -> None:
        await self.day.wait_until(self.day.now() + span)


class TroubleError(Exception):
    """A player could not go on."""
