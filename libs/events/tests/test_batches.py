"""Events are handed to read models in few large batches, and what a relay repeats is dropped (promises 3 and 4)."""

from collections.abc import Awaitable, Callable
from itertools import groupby

from events import Event, Position, Service
from events.event import Catalogue, Raw
from events.progress import OWN, Chunk, Mark, marks
from events.read_model import batches
from events.runtime import Runtime
from front_desk import (
    NOON,
    Closed,
    Noted,
    Raised,
    desk,
    tallied,
    tally,
)
from hypothesis import given
from hypothesis import strategies as st

CLASSES = (Raised, Noted, Closed)


HISTORIES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(CLASSES)), max_size=60)


def as_raws(history: list[tuple[str, type[Event]]]) -> list[Raw]:
    """Events of some streams, in the order of their positions."""
    versions: dict[str, int] = {}
    raws: list[Raw] = []
    for number, (stream, cls) in enumerate(history):
        versions[stream] = versions.get(stream, 0) + 1
        raws.append(Raw(Position(1, 1, number), stream, versions[stream], cls.type_name, b"{}", NOON))
    return raws


@given(HISTORIES)
def test_batches_hold_every_event_once_with_its_class_and_keep_each_streams_order(
    history: list[tuple[str, type[Event]]],
) -> None:
    raws = as_raws(history)
    grouped = batches(raws, Catalogue(CLASSES))
    assert all(raw.type == cls.type_name for cls, batch in grouped for raw in batch)
    flat = [raw for _, batch in grouped for raw in batch]
    for stream in "abcd":
        assert [raw for raw in flat if raw.stream == stream] == [raw for raw in raws if raw.stream == stream]
    assert len(flat) == len(raws)


@given(HISTORIES)
def test_batches_are_never_more_than_the_runs_of_one_class(history: list[tuple[str, type[Event]]]) -> None:
    runs = len(list(groupby(cls for _, cls in history)))
    assert len(batches(as_raws(history), Catalogue(CLASSES))) <= runs


@given(st.permutations([(stream, nth) for stream in "abcdef" for nth in range(3)]))
def test_streams_that_go_the_same_way_share_as_many_batches_as_it_has_steps(order: list[tuple[str, int]]) -> None:
    going = {stream: iter(CLASSES) for stream in "abcdef"}
    assert len(batches(as_raws([(stream, next(going[stream])) for stream, _ in order]), Catalogue(CLASSES))) == 3


def test_events_that_nobody_follows_are_left_out() -> None:
    assert batches(as_raws([("a", Raised), ("b", Closed)]), Catalogue([Noted])) == []


@given(
    numbers=st.permutations(range(12)),
    restored=st.integers(0, 12),
    sendings=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6), st.booleans()), max_size=8),
    size=st.integers(1, 9),
)
def test_of_what_a_relay_repeats_each_event_is_fresh_once_and_in_order(
    numbers: list[int], restored: int, sendings: list[tuple[int, int, bool]], size: int
) -> None:
    """The bare numbers of the events go up and down, and in their midst the store was restored. A relay begins again
    some way back now and then; messages of somebody else stand between; a consumer gets it all in chunks."""
    events = [
        Raw(Position(1 if nth < restored else 2, nth, number), "a", nth + 1, Raised.type_name, b"", NOON)
        for nth, number in enumerate(numbers)
    ]
    sent: list[Raw] = []
    done = 0
    for back, forth, foreign in sendings:
        sent += events[max(0, done - back) : done + forth]
        done = min(done + forth, len(events))
        if foreign:
            sent.append(Raw(Position(0, 0, len(sent)), "k", 0, "unreadable", b"", NOON))
    fresh: list[Raw] = []
    mark = Mark()
    for start in range(0, len(sent), size):
        raws = sent[start : start + size]
        after = Mark(start + len(raws), max(mark.position, *(raw.position for raw in raws)))
        fresh += Chunk("topic", 0, mark, after, raws).fresh()
        assert list(Chunk("topic", 0, after, after, raws).fresh()) == [], "a redelivery brings nothing"
        mark = after
    assert fresh == [raw for nth, raw in enumerate(sent) if raw not in sent[:nth]]


async def test_a_chunk_of_which_nothing_is_followed_is_passed_by(
    opened: Callable[[Service], Awaitable[Runtime]],
) -> None:
    model = tally()
    runtime = await opened(desk(model))
    before = Mark()
    async with runtime.consumer(model) as consumer:
        for number, cls in enumerate((Noted, Raised, Noted), 1):
            raws = [Raw(Position(1, number, number), "matter-1", number, cls.type_name, b'{"place": "gate"}', NOON)]
            after = Mark(0, raws[-1].position)
            assert await marks(runtime.db, consumer.name, OWN, [0]) == {0: before}
            await consumer.take([Chunk(OWN, 0, before, after, raws)])
            before = after
        assert await marks(runtime.db, consumer.name, OWN, [0]) == {0: before}
    assert await tallied(runtime.db) == {"gate": 1}
