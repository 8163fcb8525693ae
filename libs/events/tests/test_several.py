"""A policy may react to several events at once; each takes effect once all the same, in its stream's order."""

import pytest
from events import Commands, NotYet, Policy, Recorded, Several
from events.migrate import migrate
from events.runtime import Runtime, open_runtime
from events.settings import Settings
from events.testing import RING, eventually
from front_desk import MATTER, Note, Noted, Raise, Raised, at_work, desk, recorded
from parked import NewDatabase, are_parked, retry

NO_KAFKA = "127.0.0.1:9"


def noting(*bad: str) -> tuple[Policy, list[list[str]]]:
    """Notes on each matter that it was seen; those that are bad it cannot. And which events it was given at once."""
    policy, given = Policy("noting"), list[list[str]]()

    @policy.on_several(Raised)
    async def raised(several: Several[Raised]) -> None:
        given.append([event.id for _, event in several])
        await several.each(see)

    async def see(commands: Commands, event: Recorded[Raised]) -> None:
        if event.stream in bad:
            raise RuntimeError("it cannot be seen")
        await commands.execute(MATTER, event.stream.partition("-")[2], Note("seen"))

    return policy, given


async def raise_all(new_database: NewDatabase, policy: Policy, *ids: str) -> str:
    """A desk's database in which these were raised while nobody was at work."""
    url = await new_database()
    settings = Settings(url, NO_KAFKA, keys=RING)
    await migrate(desk(policies=[policy]), settings)
    async with open_runtime(desk(policies=[policy]), settings) as runtime:
        await runtime.commands.execute_many(MATTER, dict.fromkeys(ids, Raise()))
    return url


async def has_recorded(runtime: Runtime, versions: dict[str, int]) -> bool:
    """Asserts that there are so many events of each matter, and no other matters."""
    assert {stream: len(it) for stream, it in (await recorded(runtime.db)).items()} == versions
    return True


async def test_what_has_happened_meanwhile_in_different_streams_is_reacted_to_at_once(
    new_database: NewDatabase,
) -> None:
    policy, given = noting()
    url = await raise_all(new_database, policy, "a", "b", "c")
    async with at_work(desk(policies=[policy]), url, NO_KAFKA, "alone") as runtime:
        await eventually(lambda: has_recorded(runtime, {"matter-a": 2, "matter-b": 2, "matter-c": 2}))
        notes = await runtime.commands.history(MATTER, "b")
        assert (notes[1].raw.causation, notes[1].raw.actor) == ("matter-b/1", "policy:noting")
    assert given == [["matter-a/1", "matter-b/1", "matter-c/1"]]


async def test_events_of_one_stream_are_reacted_to_one_after_another_and_so_are_those_of_two_kinds(
    new_database: NewDatabase,
) -> None:
    policy, given = Policy("watching"), list[list[str]]()

    async def watch(several: Several[Raised | Noted]) -> None:
        given.append([event.id for _, event in several])

    policy.on_several(Raised)(watch)
    policy.on_several(Noted)(watch)
    url = await raise_all(new_database, policy, "a", "b")
    async with open_runtime(desk(), Settings(url, NO_KAFKA, keys=RING)) as runtime:
        for id_ in ("a", "b", "a"):
            await runtime.commands.execute(MATTER, id_, Note("more"))
    async with at_work(desk(policies=[policy]), url, NO_KAFKA, "alone"):

        async def given_all() -> bool:
            return sum(map(len, given)) == 5

        await eventually(given_all)
    assert given == [["matter-a/1", "matter-b/1"], ["matter-a/2", "matter-b/2"], ["matter-a/3"]]


async def test_one_that_cannot_be_taken_is_parked_and_the_others_take_effect_once(new_database: NewDatabase) -> None:
    policy, _ = noting("matter-bad")
    url = await raise_all(new_database, policy, "a", "bad", "b", "c")
    async with at_work(desk(policies=[policy]), url, NO_KAFKA, "alone") as runtime:
        await eventually(lambda: are_parked(runtime, "matter-bad/1"))
        seen = {"matter-a": 2, "matter-b": 2, "matter-c": 2}
        await eventually(lambda: has_recorded(runtime, {**seen, "matter-bad": 1}))
        with pytest.raises(RuntimeError):
            await retry(runtime, policy, "", "matter-bad")
        mended, _ = noting()
        assert await retry(runtime, mended, "", "matter-bad") == 1
        await has_recorded(runtime, {**seen, "matter-bad": 2})


async def test_after_an_error_of_the_moment_all_are_taken_again_and_nothing_twice(new_database: NewDatabase) -> None:
    policy, tries = Policy("noting"), list[str]()

    @policy.on_several(Raised)
    async def raised(several: Several[Raised]) -> None:
        async def see(commands: Commands, event: Recorded[Raised]) -> None:
            await commands.execute(MATTER, event.stream.partition("-")[2], Note("seen"))
            tries.append(event.stream)
            if len(tries) == 1:
                raise NotYet("in a moment")

        await several.each(see)

    url = await raise_all(new_database, policy, "a", "b", "c")
    async with at_work(desk(policies=[policy]), url, NO_KAFKA, "alone") as runtime:

        async def tried_again() -> bool:
            return len(tries) >= 6

        await eventually(tried_again)
        await are_parked(runtime)
        await has_recorded(runtime, {"matter-a": 2, "matter-b": 2, "matter-c": 2})
