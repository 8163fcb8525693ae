"""What people do in a year: by a seed, each by what they see, at hours of their own. What the rules do, they do
themselves."""

import heapq
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from .community import COMMUNITY, OFFICER, REGISTRAR, Community, rows_of

Act = Callable[[], Awaitable[None]]
DEPARTMENT = "市场监督管理局"
"""One that has a liaison on the roster."""
OF_THE_DEPARTMENT = "business_licence_check"
OUTSIDE = {"longitude": 120.16, "latitude": 30.90}
GRIDS = ("G1", "G2", "G3", "G4", "G5", "G6")

USUAL: Mapping[str, Mapping[str, float]] = {
    "reported": {"place": 6, "refuse": 1, "withdraw": 1},
    "accepted": {"dispatch": 6, "wait": 6, "withdraw": 0.3, "refuse": 0.3, "change-urgency": 0.5, "act-at-once": 2},
    "dispatched": {
        "start": 12, "return": 1, "hand-over": 0.6, "ask-help": 0.5, "confer": 0.5, "dispatch": 0.7, "pause": 0.5,
        "merge": 0.5, "refuse": 0.3, "withdraw": 0.3, "ask-reporter": 0.5, "act-at-once": 2, "wait": 1,
        "correct-place": 0.7,
    },
    "started": {
        "hand-in": 12, "ask-time": 2, "give-time": 6, "refuse-time": 2, "ask-help": 1, "confer": 1, "give-help": 8,
        "pause": 1.5, "ask-reporter": 1.5, "return": 0.5, "withdraw": 0.2, "change-urgency": 0.5, "answer": 0.3,
        "wait": 2,
    },
    "paused": {
        "resume": 5, "answer": 4, "give-help": 4, "withdraw": 0.3, "wait": 6, "change-urgency": 0.3,
        "correct-place": 0.5,
    },
    "handed_in": {"verify": 10, "send-back": 2, "do-paper": 5, "answer": 0.3, "wait": 1},
    "verified": {"look": 10, "wait": 2},
    "closed": {"rating": 3, "reopen": 1, "wait": 2},
}  # fmt: skip
"""How often people do what, at each step; of what is possible then."""


@dataclass
class Story:
    """A case, and what only its reporter has."""

    case: str
    receipt: str
    after: int = 0
    """How often somebody has looked at it since it ended."""
    category: str = ""


@dataclass
class Phone:
    """A worker's phone without a network: what was done waits on it."""

    until: datetime
    since: str
    queue: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    begun: set[str] = field(default_factory=set[str])


@dataclass
class Year:
    """All that people do, and when."""

    town: Community
    random: Random
    grid_at: Callable[[float, float], str]
    """Where a place lies by the map of the day."""
    agenda: list[tuple[datetime, int, Act]] = field(default_factory=list[tuple[datetime, int, Act]])
    stories: dict[str, Story] = field(default_factory=dict[str, Story])
    phones: dict[str, Phone] = field(default_factory=dict[str, Phone])
    turned_away: int = 0
    """How often somebody tried what was not theirs, or not possible."""
    synced: dict[str, int] = field(default_factory=dict[str, int])
    places: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    categories: list[str] = field(default_factory=list[str])
    visits: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    """Those that were planned, and where."""
    _nth: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        rows = rows_of("addresses.csv")
        self.places = [(float(it["longitude"]), float(it["latitude"])) for it in rows]
        self.categories = [it["category"] for it in rows_of("duties.csv") if it["grid_duty"] == "yes"] + [
            OF_THE_DEPARTMENT
        ]

    def plan(self, at: datetime, act: Act) -> None:
        """Puts it on the agenda."""
        heapq.heappush(self.agenda, (at, next(self._nth), act))

    async def go_by(self, until: datetime) -> None:
        """Lives until that moment; what is planned for later stays on the agenda."""
        while self.agenda and self.agenda[0][0] <= until:
            at, _, act = heapq.heappop(self.agenda)
            await self.town.until(at)
            if self.town.tasks_away and act.__name__ not in ("comes_back", "roster_changes"):
                self.plan(at + timedelta(hours=self.random.uniform(1, 30)), act)  # the service cannot be reached
                continue
            await act()
            await self.town.settle()
        await self.town.until(until)

    def later(self, *, at_night: bool = False) -> datetime:
        """When somebody gets round to it: mostly soon, sometimes after days."""
        hours = self.random.choice([0.1, 0.3, 0.5, 1, 2, 4, 8, 20, 50, 120]) * self.random.uniform(0.5, 1.5)
        return self.town.clock() + timedelta(hours=hours)

    # Cases.

    async def somebody_reports(self) -> None:
        """A resident, a worker on patrol."""
        await self._reports(self.random.choice(self.categories))

    async def the_department_is_needed(self) -> None:
        """Somebody reports what is its duty."""
        await self._reports(OF_THE_DEPARTMENT)

    async def _reports(self, category: str) -> None:
        """Now and then outside every grid, or what is nobody's duty here."""
        random = self.random
        longitude, latitude = random.choice(self.places)
        place = OUTSIDE if random.random() < 0.04 else {"longitude": longitude, "latitude": latitude}
        body = {"category": category, "description": "请来看一下。 Please come.", "place": place}
        workers = [it for it, who in self.town.team.items() if who.post == "grid_worker"]
        who = random.choice(workers) if random.random() < 0.3 else None
        if random.random() < 0.05:
            answer = await self.town.ask("POST", "/cases", body | {"category": "parking_penalty"}, who)
            assert answer.status_code == 422, answer.text
            return
        answer = await self.town.ask("POST", "/cases", body, who)
        assert answer.status_code == 201, answer.text
        story = Story(answer.json()["case"], answer.json()["receipt"], category=category)
        self.stories[story.case] = story
        self.plan(self.later(), lambda: self.somebody_cares(story))

    async def somebody_cares(self, story: Story) -> None:
        """Somebody looks at a case and does something about it, or nothing; and then somebody else."""
        answer = await self.town.ask("GET", f"/cases/{story.case}", who=OFFICER)
        assert answer.status_code == 200, answer.text
        seen = answer.json()
        if seen["closed_at"]:
            story.after += 1
        usual = USUAL.get(seen["step"], {})
        if not usual or story.after > 3:
            return
        if self.random.random() < 0.08:
            await self._somebody_oversteps(story, seen)
        possible = [it for it in usual if it in (*seen["possible"], "wait")]
        what = self.random.choices(possible, [usual[it] for it in possible])[0]
        if what != "wait":
            await self._does(what, story, seen)
        self.plan(self.later(), lambda: self.somebody_cares(story))

    async def _does(self, what: str, story: Story, seen: Mapping[str, Any]) -> None:
        who, body = self._who(what, seen), self._body(what, seen)
        if who is None and what not in ("answer", "withdraw", "rating", "reopen"):
            return  # there is nobody for it
        if (phone := self.phones.get(who or "")) and what in ("start", "hand-in", "give-help", "ask-time"):
            self._notes(phone, who or "", what, story.case, body)
            return
        headers = {} if who else {"Receipt": story.receipt}
        answer = await self.town.ask("POST", f"/cases/{story.case}/{what}", body, who, **headers)
        allowed = {200} if what not in MAY_BE_REFUSED else {200, 403, 409, 422}
        assert answer.status_code in allowed, (what, who, body, seen, answer.text)

    def _who(self, what: str, seen: Mapping[str, Any]) -> str | None:
        grid, town = seen["grid"], self.town
        leaders = [*town.those(grid, "grid_leader", "grid_instructor"), OFFICER]
        match what:
            case "start" | "return" | "ask-help" | "ask-time" | "ask-reporter" | "hand-in" | "do-paper":
                handling = town.handling(grid, seen["body"])  # else it is with nobody who is there for it
                return seen["worker"] if seen["worker"] in handling else None
            case "give-help":
                return self.random.choice(sorted(town.team.keys() & set(seen["helping"])) or [None])
            case "act-at-once":
                return self.random.choice(town.handling(grid, seen["body"]) or [None])
            case "place":
                return REGISTRAR
            case "answer" | "withdraw" | "rating" | "reopen":
                return None
            case _:
                return self.random.choice([it for it in leaders if it != seen["worker"]])

    def _body(self, what: str, seen: Mapping[str, Any]) -> Any:
        random, town = self.random, self.town
        handling = town.handling(seen["grid"], seen["body"])
        anyone = sorted(it for it, who in town.team.items() if who.post == "grid_worker" and it != seen["worker"])
        now = town.clock()
        match what:
            case "place":
                return {"grid": random.choice(sorted({who.grid for who in town.team.values() if who.grid}))}
            case "correct-place":
                longitude, latitude = random.choice(self.places)
                return {"place": {"longitude": longitude, "latitude": latitude}, "reason": "在另一幢"}
            case "refuse":
                return {"kind": "not_there", "reason": "现场核实无此情况"}
            case "dispatch":
                return {"worker": random.choice(handling or anyone), "why": "就近"}
            case "hand-over":
                return {"body": "" if seen["body"] else DEPARTMENT, "why": "属其职责"}
            case "merge":
                alike = [it.case for it in self.stories.values() if it.category == seen["category"]]
                return {"into": random.choice(alike[-3:])}
            case "return":
                return {"reason": "不归我管"}
            case "ask-help" | "confer":
                return {"helpers": random.sample(anyone, 2), "why": "需要帮手"}
            case "give-help":
                return {"done": random.random() < 0.9, "words": "已到场"}
            case "ask-time":
                return {"minutes": random.choice([30, 240, 960]), "reason": "等配件"}
            case "give-time":
                return {"minutes": random.randint(1, seen["time_asked"])}
            case "refuse-time":
                return {"reason": "时间够用"}
            case "change-urgency":
                return {"urgent": random.random() < 0.5, "minutes": random.choice([45, 200, 900]), "reason": "老人独居"}
            case "pause":
                until = now + timedelta(days=random.uniform(0.2, 12)) if random.random() < 0.7 else None
                return {"kind": "for_another_body", "reason": "等检测", "until": until and until.isoformat()}
            case "ask-reporter":
                return {"reason": "请问是哪一层？"}
            case "answer":
                return {"words": "三楼。"}
            case "hand-in":
                return {"result": "已处理", "paper_later": bool(seen["urgent"]) and random.random() < 0.5}
            case "do-paper":
                return {"words": "补录完毕"}
            case "send-back" | "reopen":
                return {"reason": "没有解决"}
            case "look":
                return {"found_done": random.random() < 0.8, "reason": "到场查看"}
            case "rating":
                return {"rating": random.randint(1, 5)}
            case _:
                return None

    async def _somebody_oversteps(self, story: Story, seen: Mapping[str, Any]) -> None:
        """What is not possible now, or not theirs, is refused and changes nothing."""
        wrong = [it for it in ("start", "hand-in", "verify", "resume", "look", "reopen") if it not in seen["possible"]]
        elsewhere = [it for it, who in self.town.team.items() if who.post == "grid_worker" and who.grid != seen["grid"]]
        tries = [(it, OFFICER) for it in wrong] + [("hand-in", self.random.choice(elsewhere)), ("verify", None)]
        what, who = self.random.choice(tries)
        headers = {"Receipt": story.receipt} if what == "reopen" else {}
        path = f"/cases/{story.case}"
        before = (await self.town.ask("GET", path, who=OFFICER)).headers["ETag"]
        who = None if what == "reopen" else who
        answer = await self.town.ask("POST", f"{path}/{what}", self._body(what, seen), who, **headers)
        assert answer.status_code in (401, 403, 409), (what, who, answer.text)
        assert (await self.town.ask("GET", path, who=OFFICER)).headers["ETag"] == before
        self.turned_away += 1

    # Visits.

    async def somebody_is_to_be_visited(self) -> None:
        """The officer plans a visit by hand, in the grid in which the building lies now."""
        longitude, latitude = self.random.choice(self.places)
        grid = self.grid_at(longitude, latitude)
        site = {"name": "某楼 Some building", "longitude": longitude, "latitude": latitude}
        body = {"of": "people", "thing": f"person-{len(self.visits)}", "grid": grid, "site": site}
        answer = await self.town.ask("POST", "/visits", body, OFFICER)
        assert answer.status_code == 201, answer.text
        visit = answer.json()["visit"]
        self.visits[visit] = (longitude, latitude)
        self.plan(self.later(), lambda: self.somebody_rings(visit))

    async def somebody_rings(self, visit: str) -> None:
        """Whoever has it goes there, and nobody is at home as often as not."""
        seen = (await self.town.ask("GET", f"/visits/{visit}", who=OFFICER)).json()
        if seen["step"] != "open":
            return
        if seen["worker"] in self.town.handling(seen["grid"], ""):  # else nobody is there for it
            right = {"form": seen["form"], "version": 1, "answers": {"as_registered": True}}
            what = self.random.choice(["nobody-home", "turned-away", "done", "done"])
            body: dict[str, Any] = right if what == "done" else {}
            answer = await self.town.ask("POST", f"/visits/{visit}/{what}", body, seen["worker"])
            assert answer.status_code == 200, (what, seen, answer.text)
        self.plan(self.later(), lambda: self.somebody_rings(visit))

    # In the field without a network.

    async def a_phone_loses_its_network(self) -> None:
        """Somebody works on for days, and then calls in; who has something to do, where somebody has."""
        workers = [it for it, who in self.town.team.items() if who.post == "grid_worker" and it not in self.phones]
        loads = (await self.town.ask("GET", "/workers?limit=100", who=OFFICER)).json()["items"]
        busy = {it["worker"] for it in loads if it["open_cases"]}
        who = self.random.choice([it for it in workers if it in busy] or workers)
        told = await self._calls_in(who, [], None)
        until = self.town.clock() + timedelta(days=self.random.uniform(0.3, 6))
        self.phones[who] = Phone(until, told["next"])
        self.plan(until, lambda: self.a_phone_is_back(who))

    def _notes(self, phone: Phone, who: str, what: str, case: str, body: Any) -> None:
        if what == "start" and case in phone.begun:
            what, body = "hand-in", {"result": "已处理"}
        phone.begun.add(case)
        command = {"id": f"{who}-{secrets.token_hex(6)}", "do": what, "thing": case, "body": body}
        phone.queue.append(command | {"at": self.town.clock().isoformat(), "seen": phone.since})

    async def a_phone_is_back(self, who: str) -> None:
        """Everything that waited on it is told, and each is answered."""
        phone = self.phones.pop(who, None)
        if phone is None or who not in self.town.team:
            return  # they have left with it
        told = await self._calls_in(who, phone.queue, phone.since)
        assert [it["id"] for it in told["commands"]] == [it["id"] for it in phone.queue]
        for it in told["commands"]:
            self.synced[it["became"]] = self.synced.get(it["became"], 0) + 1

    async def _calls_in(self, who: str, commands: list[dict[str, Any]], since: str | None) -> dict[str, Any]:
        body = {"since": since, "sent_at": self.town.clock().isoformat(), "commands": commands}
        answer = await self.town.ask("POST", "/sync", body, who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    # The community itself.

    async def somebody_leaves(self) -> None:
        """A worker or a leader; a successor comes after days, if it was not somebody's own wish to stay away."""
        workers = [it for it, who in self.town.team.items() if who.post in ("grid_worker", "grid_leader")]
        await self._leaves(self.random.choice(workers), self.random.uniform(0, 20))

    async def _leaves(self, member: str, days: float) -> None:
        row = self.town.roster[member] | {"member_ref": f"{member.split('_')[0]}_{secrets.token_hex(2)}"}
        self.phones.pop(member, None)
        await self.town.dismiss(member)

        async def a_successor_comes() -> None:
            codes = {who.grid for who in self.town.team.values() if who.grid}
            grid = row["grid_code"] if row["grid_code"] in codes else self.random.choice(sorted(codes))
            await self.town.appoint(row | {"grid_code": grid})

        self.plan(self.town.clock() + timedelta(days=days), a_successor_comes)

    async def a_grid_is_left_alone(self) -> None:
        """All who handle cases in a grid leave on one day."""
        grid = self.random.choice(sorted({who.grid for who in self.town.team.values() if who.grid}))
        for member in self.town.those(grid, "grid_worker", "grid_leader"):
            await self._leaves(member, self.random.uniform(3, 12))

    async def somebody_changes_grid(self) -> None:
        """A worker goes to another grid, which leaves their cases where they are."""
        workers = [it for it, who in self.town.team.items() if who.post == "grid_worker" and it not in self.phones]
        codes = sorted({who.grid for who in self.town.team.values() if who.grid})
        member = self.random.choice(workers)
        await self.town.appoint(self.town.roster[member] | {"grid_code": self.random.choice(codes)})

    async def roster_changes(self) -> None:
        """The same, as the registry takes it whoever else is at work."""
        await self.somebody_changes_grid()

    async def goes_on_leave(self) -> None:
        """For two weeks nothing new is theirs."""
        workers = [it for it, who in self.town.team.items() if who.post == "grid_worker"]
        await self._is_on_leave(self.random.choice(workers))

    async def the_liaison_goes_on_leave(self) -> None:
        """The only one of their department: what is reported meanwhile waits for them."""
        for member in [it for it, who in self.town.team.items() if who.post == "department_liaison"]:
            await self._is_on_leave(member)

    async def _is_on_leave(self, member: str) -> None:
        today = self.town.clock().date()
        leave = {"on_leave_since": str(today), "on_leave_until": str(today + timedelta(days=14))}
        await self.town.appoint(self.town.roster[member] | leave)

    async def a_storm_comes(self, reports: int) -> None:
        """Within an hour, in the middle of the night."""
        now = self.town.clock()
        for _ in range(reports):
            self.plan(now + timedelta(minutes=self.random.uniform(0, 60)), self.somebody_reports)


MAY_BE_REFUSED = frozenset(
    {"verify", "send-back", "look", "merge", "dispatch", "give-time", "refuse-time", "reopen", "hand-in", "confer"}
)
"""By a rule that the step alone does not say: who handled it, what is not the same, whom it lacks, what is over."""


def boundaries() -> dict[str, list[tuple[float, float]]]:
    """The grids as they are in the beginning."""
    features = json.loads((COMMUNITY / "grids.geojson").read_text(encoding="utf-8"))["features"]
    return {it["properties"]["code"]: [tuple(p) for p in it["geometry"]["coordinates"][0]] for it in features}
