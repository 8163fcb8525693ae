"""A machine that does to a real store, at random, what services, operators and mishaps do to it, and holds it against
the model after each step. No Kafka here: see town_machine.py."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import wraps
from typing import Any, NamedTuple

import asyncpg
import pytest
from events import Cancel, Commands, Event, Policy, ReadModel, Recorded, Refused, Timer, parking, store, timers
from events.commands import Done, KeyMismatch, VersionMismatch
from events.consumer import Consumer
from events.event import START, Raw
from events.policy import Due
from events.privacy.data import Answer
from events.privacy.sealing import is_sealed
from events.progress import OWN, Chunk, Mark, Overtaken, marks
from events.rebuild import rebuild
from events.runtime import open_runtime
from events.settings import Settings
from events.store import Appending, Conflict, Key
from events.testing import eventually
from front_desk import MATTER, Close, Closed, Matter, Note, Noted, Raise, Raised, desk, journal, keys_of, tally
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from local.testing import database
from model import AN_HOUR, NOON, TOMORROW, Answered, Command, Desk, Follower


class Killed(BaseException):
    """The process ends here."""


def awaited(does: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A step that is awaited, in the machine's own loop."""

    @wraps(does)
    def step(machine: "Machine", **drawn: Any) -> None:
        machine.loop.run(_run(does(machine, **drawn)))

    return step


async def _run(step: Awaitable[None]) -> None:
    await step


def reminding(done: list[Done[Any]]) -> Policy:
    """Reminds of a matter an hour after it was raised, or tomorrow, unless it was closed before."""
    policy = Policy("reminding")

    @policy.timer(Raised)
    def remind(event: Raised) -> Timer:
        return Timer("remind", event.at + AN_HOUR)

    @policy.timer(Noted)
    def move(event: Noted) -> Timer | None:
        return Timer("remind", TOMORROW) if event.note == "later" else None

    @policy.timer(Closed)
    def forget(event: Closed) -> Cancel:
        return Cancel("remind")

    @policy.due("remind")
    async def reminded(commands: Commands, due: Due) -> None:
        done.append(await commands.execute(MATTER, due.id, Note("reminded")))

    return policy


def service(hook: Callable[[Recorded[Event]], Awaitable[None]] | None = None, done: list[Done[Any]] | None = None):
    """The front desk with a journal, a tally and reminders."""
    return desk(journal(hook=hook), tally(), policies=[reminding([] if done is None else done)])


def bad_note(event: Event) -> bool:
    return isinstance(event, Noted) and event.note == "poison"


def bad_place(event: Event) -> bool:
    return isinstance(event, Raised) and event.place == "poison"


def view(state: Matter, version: int) -> dict[str, int]:
    """What the desk answers."""
    return {"version": version, "notes": len(state.notes)}


IDS = ["a", "b", "c", "d"]
LATE = ["late-1", "late-2"]
ids = st.sampled_from(IDS)
followers = st.sampled_from(["journal", "tally"])
notes = st.builds(Note, st.sampled_from(["a", "b", "later", "poison"]))
raises = st.builds(Raise, st.sampled_from(["gate", "hall", "poison"]))
orders = raises | notes | notes | st.builds(Close)
keys = st.builds(Key, st.sampled_from(["k1", "k2", "k3"]), st.sampled_from([b"", b"", b"else"]))
offs = st.none() | st.sampled_from([0, 0, 1, -1])


class Asked(NamedTuple):
    """A command as somebody sends it: decided on which version (off the present one), with which key."""

    id: str
    command: Command
    off: int | None
    key: Key | None
    new: bool


class Machine(RuleBasedStateMachine):
    """One process of the desk, its consumers beside it, and the model."""

    def __init__(self, postgres: str, template: str, settings: Callable[[str], Settings]) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.desk = Desk()
        self.followers = {
            "journal": Follower((Raised, Noted, Closed), bad_note),
            "tally": Follower((Raised, Closed), bad_place),
        }
        self.seen = START
        self.until_killed: int | None = None
        self.done: list[Done[Any]] = []
        self.late: AsyncExitStack | None = None
        self.loop.run(self._open(postgres, template, settings))

    async def _open(self, postgres: str, template: str, settings: Callable[[str], Settings]) -> None:
        url = await self.stack.enter_async_context(database(postgres, template=template))
        self.service = service(self._hook, self.done)
        self.runtime = await self.stack.enter_async_context(open_runtime(self.service, settings(url)))
        self.db = await self.stack.enter_async_context(self.runtime.connection())
        self.parts: dict[str, ReadModel] = {it.name: it for it in self.service.read_models}
        self.processes: dict[str, AsyncExitStack] = {}
        self.consumers: dict[str, Consumer] = {}
        self.marks: dict[str, Mark] = {}
        for name in self.parts:
            await self._begin(name)

    async def _hook(self, _: Recorded[Event]) -> None:
        if self.until_killed is not None:
            self.until_killed -= 1
            if self.until_killed < 0:
                raise Killed

    async def _begin(self, name: str) -> None:
        """A process that follows, after another one of its kind has ended."""
        if name in self.processes:
            await self.processes[name].aclose()
        self.processes[name] = AsyncExitStack()
        self.consumers[name] = await self.processes[name].enter_async_context(self.runtime.consumer(self.parts[name]))
        self.marks[name] = (await marks(self.consumers[name].db, self.consumers[name].name, OWN, [0]))[0]

    def teardown(self) -> None:
        try:
            self.loop.run(self._finish())
        finally:
            self.loop.run(self._close())
            self.loop.close()

    async def _finish(self) -> None:
        """When all is over, everybody has had everything."""
        if self.late:
            await self._end_late(commit=True)
        await self._settled()
        for name in self.followers:
            await self._take_all(name)
        await self._compare()

    async def _close(self) -> None:
        for process in self.processes.values():
            await process.aclose()
        if self.late:
            await self.late.aclose()
        await self.stack.aclose()

    # Commands

    @rule(asked=st.lists(st.builds(Asked, ids, orders, offs, st.none() | keys, st.booleans()), min_size=1, max_size=6))
    @awaited
    async def commands(self, asked: list[Asked]) -> None:
        """One after the other."""
        for it in asked:
            await self._command(*it)

    async def _command(self, id: str, command: Command, off: int | None, key: Key | None, new: bool) -> None:
        stream = MATTER.stream(id)
        version, used = len(self.desk.history(stream)), self.desk.keys.get(key.value) if key else None
        new = new and isinstance(command, Raise)
        expected = None if off is None or new else version + off
        decided = self.desk.decide(stream, command)

        executing = self.runtime.commands.execute(MATTER, id, command, new=new, expected=expected, key=key, view=view)
        if key and used and key.fingerprint != used.fingerprint:
            with pytest.raises(KeyMismatch):
                await executing
        elif used:
            done = await executing
            assert (done.repeated, done.outcome, done.events) == (True, used.outcome, ())
            assert done.state == self.desk.state(used.stream)
        elif new and version:
            with pytest.raises(Conflict):
                await executing
        elif expected not in (None, version):
            with pytest.raises(VersionMismatch) as mismatch:
                await executing
            assert mismatch.value.details == {"current": version}
        elif isinstance(decided, Refused):
            with pytest.raises(type(decided)):
                await executing
        else:
            self._committed(stream, await executing, key)

    def _committed(self, stream: str, done: Done[Matter], key: Key | None = None) -> None:
        assert done.token
        self.desk.commit(done.token.position, [(stream, event) for event in done.events])
        assert (done.state, done.repeated) == (self.desk.state(stream), False)
        assert done.version == len(self.desk.history(stream))
        if key:
            assert done.outcome == view(done.state, done.version)
            self.desk.keys[key.value] = Answered(key.fingerprint, stream, done.outcome)

    @rule(commands=st.dictionaries(ids, orders, min_size=2))
    @awaited
    async def commands_at_the_same_time(self, commands: Mapping[str, Command]) -> None:
        decided = {id_: self.desk.decide(MATTER.stream(id_), command) for id_, command in commands.items()}
        executing = (self.runtime.commands.execute(MATTER, id_, command) for id_, command in commands.items())
        answers = await asyncio.gather(*executing, return_exceptions=True)
        for (id_, answer), expected in zip(zip(commands, answers, strict=True), decided.values(), strict=True):
            if isinstance(expected, Refused):
                assert type(answer) is type(expected)
            else:
                assert isinstance(answer, Done)
                assert list(answer.events) == expected
                self._committed(MATTER.stream(id_), answer)

    @rule(commands=st.dictionaries(ids, orders, min_size=1))
    @awaited
    async def many_in_one_transaction(self, commands: Mapping[str, Command]) -> None:
        decided = {id_: self.desk.decide(MATTER.stream(id_), command) for id_, command in commands.items()}
        answers = await self.runtime.commands.execute_many(MATTER, commands)
        assert {id_: answer for id_, answer in answers.items() if isinstance(answer, Done)}.keys() == {
            id_ for id_, expected in decided.items() if not isinstance(expected, Refused)
        }
        done = {id_: answer for id_, answer in answers.items() if isinstance(answer, Done)}
        tokens = {answer.token.position for answer in done.values() if answer.token}
        assert len(tokens) <= 1
        for position in tokens:
            appended = [(MATTER.stream(id_), event) for id_, answer in done.items() for event in answer.events]
            self.desk.commit(position, appended)

    @rule(offs=st.dictionaries(ids, st.sampled_from([0, 0, 0, 1, -1]), min_size=1), count=st.integers(1, 3))
    @awaited
    async def append_blindly(self, offs: Mapping[str, int], count: int) -> None:
        appending = Appending()
        keys = await keys_of(self.runtime, *map(MATTER.stream, offs))
        for id_, off in offs.items():
            stream = MATTER.stream(id_)
            version = max(0, len(self.desk.history(stream)) + off)
            appending.add(stream, version, [Noted(note="blind")] * count, keys)
        if all(version == len(self.desk.history(stream)) for stream, version in appending.expected.items()):
            (position,) = await store.append(self.runtime.db, [appending])
            self.desk.commit(position, [(it.stream, it.event) for it in appending.events])
        else:
            with pytest.raises(Conflict):
                await store.append(self.runtime.db, [appending])

    @rule(id=ids)
    @awaited
    async def look(self, id: str) -> None:
        history = self.desk.history(MATTER.stream(id))
        assert await self.runtime.commands.load(MATTER, id) == (MATTER.fold(history), len(history))
        assert [it.data for it in await self.runtime.commands.history(MATTER, id)] == history

    # A transaction that stays late

    @precondition(lambda self: self.late is None)
    @rule(id=st.sampled_from(LATE), count=st.integers(1, 2))
    @awaited
    async def begin_late(self, id: str, count: int) -> None:
        self.late = AsyncExitStack()
        db = await self.late.enter_async_context(self.runtime.connection())
        self.transaction = db.transaction()
        await self.transaction.start()
        appending, stream = Appending(), MATTER.stream(id)
        keys = await keys_of(self.runtime, stream)
        appending.add(stream, len(self.desk.history(stream)), [Noted(note="late")] * count, keys)
        (position,) = await store.append(db, [appending])
        self.appended_late = position, [(stream, it.event) for it in appending.events]
        self.desk.late = position._replace(number=0)

    @precondition(lambda self: self.late is not None)
    @rule(commit=st.booleans())
    @awaited
    async def end_late(self, commit: bool) -> None:
        await self._end_late(commit)

    async def _end_late(self, commit: bool) -> None:
        assert self.late
        if commit:
            await self.transaction.commit()
            self.desk.commit(*self.appended_late)
        else:
            await self.transaction.rollback()
        await self.late.aclose()
        self.late = self.desk.late = None

    # Timers

    @rule(
        now=st.sampled_from([NOON, NOON + AN_HOUR, TOMORROW]),
        meanwhile=st.none() | st.tuples(ids, st.sampled_from([Note("later"), Close()])),
    )
    @awaited
    async def timers_come_due(self, now: Any, meanwhile: tuple[str, Command] | None) -> None:
        policies = {policy.name: policy for policy in self.service.policies}
        claimed = await timers.claim(self.runtime.db, now, list(policies))
        assert {it.stream: it.due for it in claimed} == {
            stream: due for stream, due in self.desk.timers.items() if due <= now
        }
        assert await timers.claim(self.runtime.db, now, list(policies)) == [], "they are claimed"
        if meanwhile and not isinstance(self.desk.decide(MATTER.stream(meanwhile[0]), meanwhile[1]), Refused):
            done = await self.runtime.commands.execute(MATTER, *meanwhile)
            self._committed(MATTER.stream(meanwhile[0]), done)
        for timer in claimed:
            await timers.fire(self.runtime.commands, policies, timer)
            if self.desk.timers.get(timer.stream) == timer.due:
                self._committed(timer.stream, self.done.pop())
                del self.desk.timers[timer.stream]
            assert not self.done

    # Readers and consumers

    async def _settled(self) -> list[Raw]:
        """All that readers may see; somebody else on the server may hold it back for a moment."""
        expected = [(it.position, it.stream, it.version) for it in self.desk.settled()]
        raws: list[Raw] = []

        async def all_there() -> bool:
            raws[:] = await store.read_after(self.db, START, 10_000)
            return len(raws) >= len(expected)

        await eventually(all_there)
        assert [(raw.position, raw.stream, raw.version) for raw in raws] == expected
        return raws

    @rule(most=st.integers(1, 6))
    @awaited
    async def read_on(self, most: int) -> None:
        expected = [raw for raw in await self._settled() if raw.position > self.seen][:most]
        raws = await store.read_after(self.db, self.seen, most)
        assert raws == expected, "nothing appears below what was read"
        if raws:
            self.seen = raws[-1].position

    async def _next(self, name: str, most: int, back: int = 0) -> Chunk | None:
        """What comes next for a consumer; some of what it has had comes again."""
        mark = self.marks[name]
        raws = await self._settled()
        had = sum(raw.position <= mark.position for raw in raws)
        raws = raws[max(0, had - back) : had + most]
        return Chunk(OWN, 0, mark, Mark(0, max(mark.position, raws[-1].position)), raws) if raws else None

    async def _take(self, name: str, chunk: Chunk) -> None:
        """A consumer takes a chunk, unless it is overtaken or killed: then nothing has happened, and it begins anew."""
        try:
            await self.consumers[name].take([chunk])
        except (Overtaken, Killed):
            await self._begin(name)
            return
        finally:
            self.until_killed = None
        self.marks[name] = chunk.after
        self._taken(name, chunk)

    def _taken(self, name: str, chunk: Chunk) -> None:
        follower = self.followers[name]
        new = [it for it in self.desk.settled() if chunk.before.position < it.position <= chunk.after.position]
        assert follower.read == sum(it.position <= chunk.before.position for it in self.desk.settled())
        follower.give(new)

    @rule(
        name=followers, most=st.integers(1, 8), back=st.sampled_from([0, 0, 1, 4]), kill=st.none() | st.integers(0, 4)
    )
    @awaited
    async def take(self, name: str, most: int, back: int, kill: int | None) -> None:
        if chunk := await self._next(name, most, back):
            self.until_killed = kill
            await self._take(name, chunk)

    async def _take_all(self, name: str) -> None:
        while self.followers[name].read < len(self.desk.settled()):
            if chunk := await self._next(name, 10_000):
                await self._take(name, chunk)

    @rule(name=followers, most=st.integers(1, 8), at_once=st.booleans())
    @awaited
    async def another_owner_takes(self, name: str, most: int, at_once: bool) -> None:
        """At the same time, or behind the first one's back."""
        await self._begin(name)
        chunk = await self._next(name, most)
        if not chunk:
            return
        async with self.runtime.consumer(self.parts[name]) as other:
            if at_once:
                taking = (self.consumers[name].take([chunk]), other.take([chunk]))
                outcomes = await asyncio.gather(*taking, return_exceptions=True)
                assert sorted(type(it).__name__ for it in outcomes) == ["NoneType", "Overtaken"]
                await self._begin(name)
            else:
                await other.take([chunk])
            self._taken(name, chunk)

    @rule(name=followers)
    @awaited
    async def mend(self, name: str) -> None:
        """Now the handler can take what it could not."""
        self.followers[name].mended = True
        await self.consumers[name].db.execute(f"alter table {name} drop constraint if exists no_poison")

    @rule(name=followers, which=st.integers(0, 3))
    @awaited
    async def retry(self, name: str, which: int) -> None:
        follower = self.followers[name]
        if not (waiting := sorted(follower.waiting())):
            return
        stream = waiting[which % len(waiting)]
        async with self.runtime.consumer(self.parts[name]) as operator:
            if follower.can_retry(stream):
                assert await operator.retry(OWN, stream) == follower.retry(stream)
            else:
                with pytest.raises(asyncpg.CheckViolationError):
                    await operator.retry(OWN, stream)

    @rule(name=followers, which=st.integers(0, 3))
    @awaited
    async def drop(self, name: str, which: int) -> None:
        follower = self.followers[name]
        if waiting := sorted(follower.waiting()):
            stream = waiting[which % len(waiting)]
            first = (await parking.of_stream(self.db, self.parts[name].schema, OWN, stream))[0]
            await parking.remove(self.db, [first.id])
            follower.drop(stream)

    @rule(name=followers)
    @awaited
    async def rebuild(self, name: str) -> None:
        await self._settled()
        await rebuild(self.runtime, self.parts[name])
        self.followers[name].begin_again(self.desk.settled())

    # What must be true after each step

    @invariant()
    @awaited
    async def compare(self) -> None:
        await self._compare()

    async def _compare(self) -> None:
        rows = await self.db.fetch(f"select {store.COLUMNS} from log.events order by incarnation, tx, position")
        raws = await self.runtime.personal.open([store.raw_of(row) for row in rows])
        decode = self.service.catalogue.decode
        assert [(raw.position, raw.stream, raw.version, decode(raw)) for raw in raws] == sorted(self.desk.happened)
        versions: dict[str, int] = {}
        for raw in raws:
            assert raw.version == versions.get(raw.stream, 0) + 1, "the order of positions is the order of the stream"
            versions[raw.stream] = raw.version

        rows = await self.db.fetch("select key, fingerprint, stream, outcome::text from log.commands")
        answers = {row[0]: await self._answer(row[0], row[1], eval(row[3])) for row in rows}  # noqa: S307
        assert {row[0]: (answers[row[0]].fingerprint, row[2], answers[row[0]].outcome) for row in rows} == {
            key: (it.fingerprint, it.stream, it.outcome) for key, it in self.desk.keys.items()
        }
        rows = await self.db.fetch("select stream, due from log.timers")
        assert dict(rows) == self.desk.timers
        await self._compare_followers()

    async def _answer(self, key: str, fingerprint: bytes, outcome: Any) -> Answer:
        """What is stored of an answer, opened if it tells of somebody."""
        if not is_sealed(outcome):
            return Answer(fingerprint, outcome)
        opened = await self.runtime.personal.open_answer(key, outcome)
        assert opened
        return opened

    async def _compare_followers(self) -> None:
        rows = await self.db.fetch("select matter, versions from journal_v1.journal")
        assert dict(rows) == self.followers["journal"].journal()
        assert dict(await self.db.fetch("select place, raised from tally_v1.tally")) == self.followers["tally"].tally()
        for name, follower in self.followers.items():
            rows = await self.db.fetch(
                "select stream, version from log.parked where consumer = $1 order by id", self.parts[name].schema
            )
            waiting = {stream: [version for it, version in rows if it == stream] for stream, _ in rows}
            expected: dict[str, list[int]] = {}
            for it in follower.parked:
                expected.setdefault(it.stream, []).append(it.version)
            assert waiting == expected
