"""Rounds of harm under load: after each, when all is quiet again, everything must be where it belongs, once."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from checks import Complaint, Kind, Seen, complaints, repeats
from clients import Client, Handler, Officer, everybody
from events.testing import eventually
from harms import HARMS
from looking import messages_on, store_at, unrest
from town import Town

WARM, AFTER = 20, 20
"""Commands that are acknowledged before harm is done, and after it was healed."""
PATIENCE = 240.0
"""Seconds after which a system that has not come to rest counts as broken."""


@dataclass
class Result:
    """What came of a round."""

    number: int
    harms: tuple[str, ...]
    acknowledged: int = 0
    events: int = 0
    repeats: int = 0
    """Messages on the topics that repeat earlier ones, since the beginning."""
    seconds: list[float] = field(default_factory=list[float])
    """Under load, until all was quiet, and for the checks."""
    wrong: list[Complaint] = field(default_factory=list[Complaint])

    def __str__(self) -> str:
        verdict = f"{len(self.wrong)} WRONG" if self.wrong else "all well"
        what = " + ".join(self.harms)
        phases = " + ".join(f"{seconds:.0f}" for seconds in self.seconds)
        return f"{self.number:3}  {what:50} {self.acknowledged:4} acknowledged  {phases:>13} s  {verdict}"


def deck(random: Random, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Harms for one round after the other, alone and in pairs in turn, so that all come equally often."""
    cards: list[str] = []
    in_pairs = False
    while True:
        hand: list[str] = []
        while len(hand) < (2 if in_pairs and len(names) > 1 else 1):
            cards = cards or random.sample(names, len(names))
            nth = next((nth for nth, card in enumerate(cards) if card not in hand), None)
            hand.append(cards.pop(nth) if nth is not None else random.choice([it for it in names if it not in hand]))
        yield tuple(hand)
        in_pairs = not in_pairs


class Rounds:
    """A run: the town, its load, and what was promised so far."""

    def __init__(self, town: Town, seed: int) -> None:
        self._town = town
        self._seed = seed
        self._notes = town.notes
        self._clients: list[Client] = []
        self._beforehand: Counter[str] = Counter()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Rounds":
        for database in self._town.databases.values():
            self._beforehand.update(fact.type for fact in (await store_at(database.url)).facts)
        self._clients = everybody(self._town)
        for client in self._clients:
            self._stack.push_async_callback(client.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def play(self, number: int, harms: tuple[str, ...]) -> Result:
        """One round."""
        result = Result(number, harms)
        before = len(self._notes.acknowledged)
        try:
            with _timed(result.seconds):
                await self._load(number, harms)
            with _timed(result.seconds):
                await self._quiet()
            with _timed(result.seconds):
                seen = await self._look()
                result.wrong = complaints(seen, self._notes) + await self._rebuilt()
                for service in self._town.databases:
                    await self._town.back_up(service)
            result.events = sum(len(store.facts) for store in seen.stores.values())
            result.repeats = repeats(seen.messages)
        except* Exception as errors:
            for error in _leaves(errors):
                result.wrong.append(Complaint(Kind.BROKEN, f"{type(error).__name__}: {error}"))
        result.wrong += [Complaint(Kind.BROKEN, what) for what in self._town.ended()]
        result.acknowledged = len(self._notes.acknowledged) - before
        return result

    async def _load(self, number: int, harms: tuple[str, ...]) -> None:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for client in self._clients:
                tasks.create_task(client.work(f"{self._seed} {number}", stop))
            await self._acknowledged(WARM)
            async with asyncio.TaskGroup() as harming:
                for name in harms:
                    random = Random(f"{self._seed} {number} {name}")  # noqa: S311
                    harming.create_task(_done(HARMS[name](self._town, random), name))
            await self._acknowledged(AFTER)
            stop.set()

    async def _acknowledged(self, more: int) -> None:
        target = len(self._notes.acknowledged) + more

        async def reached() -> bool:
            return len(self._notes.acknowledged) >= target

        await eventually(reached, PATIENCE)

    async def _quiet(self) -> None:
        for client in self._clients:
            if isinstance(client, Handler):
                await client.end_what_rests()
        officer = next(client for client in self._clients if isinstance(client, Officer))

        async def quiet() -> bool:
            assert not await officer.try_again(), "messages were given up, and are tried again"
            assert not (left := await unrest(self._town)), left
            return True

        await eventually(quiet, PATIENCE)

    async def _look(self) -> Seen:
        databases = self._town.databases
        stores = await asyncio.gather(*(store_at(it.url) for it in databases.values()))
        messages = await messages_on(self._town.kafka.direct)
        mails = Counter({id_.strip("<>").partition("@")[0]: n for id_, n in self._town.sinks.mails.items()})
        webhooks = Counter(self._town.sinks.webhooks)
        return Seen(dict(zip(databases, stores, strict=True)), messages, mails, webhooks, self._beforehand)

    async def _rebuilt(self) -> list[Complaint]:
        """What the operator's own command says: each read model against its rebuild."""
        services = list(self._town.databases)
        said = await asyncio.gather(
            *(self._town.of(it)[0].service.events("verify", "--deep", "--json") for it in services)
        )
        found: list[Complaint] = []
        for service, (code, text) in zip(services, said, strict=True):
            try:
                wrong: list[str] = json.loads(text)["wrong"]
            except ValueError:
                wrong = [f"verify ended with {code}: {text}"]
            found += [Complaint(Kind.READ_MODEL if "differ" in it else Kind.BROKEN, f"{service}: {it}") for it in wrong]
        return found


@contextmanager
def _timed(seconds: list[float]) -> Generator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        seconds.append(time.monotonic() - began)


async def _done(harm: Any, name: str) -> None:
    try:
        await harm
    except Exception as error:
        error.add_note(f"while doing harm: {name}")
        raise


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            yield from _leaves(each)  # pyright: ignore[reportUnknownArgumentType]
    else:
        yield error


def summary(results: Sequence[Result], seed: int, about: Mapping[str, str]) -> dict[str, Any]:
    """The figures of a run."""
    wrong = Counter(complaint.kind for result in results for complaint in result.wrong)
    alone = Counter(result.harms[0] for result in results if len(result.harms) == 1)
    in_pairs = Counter(name for result in results if len(result.harms) > 1 for name in result.harms)
    return {
        **about,
        "seed": seed,
        "rounds": len(results),
        "rounds_by_harm": {
            name: {"alone": alone[name], "in pairs": in_pairs[name]} for name in sorted(alone | in_pairs)
        },
        "seconds": round(sum(sum(result.seconds) for result in results)),
        "commands_acknowledged": sum(result.acknowledged for result in results),
        "events": results[-1].events if results else 0,
        "messages_repeated_on_topics": results[-1].repeats if results else 0,
        "lost": wrong[Kind.LOST],
        "doubled": wrong[Kind.DOUBLED],
        "out_of_order": wrong[Kind.OUT_OF_ORDER],
        "unasked": wrong[Kind.UNASKED],
        "parked": wrong[Kind.PARKED],
        "read_models_differing_from_rebuild": wrong[Kind.READ_MODEL],
        "did_not_come_back": wrong[Kind.BROKEN],
    }
