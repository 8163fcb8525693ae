"""The sums of a month are the same whatever order the cases come in, and however they are cut into batches."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import UTC, datetime
from random import Random

import asyncpg
import pytest
from assessment.domain.indicators import Outcome
from assessment.read_models.members import members, members_for
from assessment.read_models.outcomes import outcomes, outcomes_of
from assessment.service import assessment
from contracts.common import Post
from contracts.grid_tasks import CaseClosed, CaseRated, CaseReopened
from contracts.registry import MemberAppointed, MemberChanged, MemberDismissed
from events import Connection, Event, Position
from events.event import Raw, encode

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
LAST_SECOND = datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)  # of November in China


def closed(case: str, worker: str = "li", on_time: bool = True, first: bool = True, at: datetime = NOON) -> CaseClosed:
    return CaseClosed(
        case=case, category="noise", grid="G1", worker=worker, on_time=on_time, first_attempt=first, at=at
    )


def rated(case: str, worker: str, rating: int, closed_at: datetime = NOON) -> CaseRated:
    return CaseRated(case=case, worker=worker, rating=rating, closed_at=closed_at, at=datetime(2027, 1, 1, tzinfo=UTC))


def appointed(member: str, name: str, grid: str | None = "G1", post: Post = Post.GRID_WORKER) -> MemberAppointed:
    return MemberAppointed(member=member, name=name, post=post, grid=grid, email=f"{member}@example.org")


def recorded(stream: str, *events: Event) -> list[Raw]:
    return [
        Raw(Position(1, 1, nth), stream, nth, event.type_name, encode(event).encode(), NOON)
        for nth, event in enumerate(events, 1)
    ]


async def follow(db: Connection, raws: Iterable[Raw]) -> None:
    """Gives both read models what they follow, as the kernel would."""
    for read_model in (outcomes, members):
        types = {cls.type_name for cls in read_model.follows}
        await read_model.apply(db, [raw for raw in raws if raw.type in types], assessment.catalogue)


@pytest.fixture
async def db(fresh_database: str) -> AsyncGenerator[Connection]:
    db = await asyncpg.connect(fresh_database)
    await db.execute(outcomes.tables + members.tables)
    yield db
    await db.close()


async def test_outcomes_are_summed_per_worker_and_month_with_the_workers_grid(db: Connection):
    await follow(db, recorded("member-li", appointed("li", "李伟", "G2")))
    await follow(db, recorded("case-1", closed("1"), rated("1", "li", 5)))
    await follow(db, recorded("case-2", closed("2", on_time=False), rated("2", "li", 3)))
    await follow(db, recorded("case-3", closed("3", first=False)))
    await follow(db, recorded("case-4", closed("4", "wang")))
    assert await outcomes_of(db, "2026-11") == (
        Outcome("li", "G2", closed=3, on_time=2, first_attempt=2, ratings=2, rating_sum=8),
        Outcome("wang", None, closed=1, on_time=1, first_attempt=1),
    )
    assert await outcomes_of(db, "2026-12") == ()


async def test_what_its_reporter_reopens_was_not_done_and_counts_when_it_is_closed_again(db: Connection):
    december = LAST_SECOND.replace(hour=16, minute=0, second=0)
    reopened = CaseReopened(
        case="1",
        category="noise",
        grid="G1",
        worker="li",
        closed_at=NOON,
        on_time=True,
        first_attempt=True,
        reason="又响了",
        due=december,
        at=LAST_SECOND,
    )
    again = closed("1", "wang", first=False, at=december)
    await follow(db, recorded("case-1", closed("1"), reopened, again))
    assert await outcomes_of(db, "2026-11") == ()
    assert await outcomes_of(db, "2026-12") == (Outcome("wang", None, closed=1, on_time=1, first_attempt=0),)


async def test_a_case_and_its_late_rating_belong_to_the_month_in_which_it_was_closed_in_china(db: Connection):
    december = LAST_SECOND.replace(hour=16, minute=0, second=0)
    await follow(db, recorded("case-1", closed("1", at=LAST_SECOND), rated("1", "li", 4, LAST_SECOND)))
    await follow(db, recorded("case-2", closed("2", at=december), rated("2", "li", 2, december)))
    (november,), (later,) = await outcomes_of(db, "2026-11"), await outcomes_of(db, "2026-12")
    assert (november.closed, november.rating_sum) == (1, 4)
    assert (later.closed, later.rating_sum) == (1, 2)


@pytest.mark.parametrize("seed", range(5))
async def test_neither_order_nor_batches_change_the_sums(db: Connection, seed: int):
    random = Random(seed)  # noqa: S311
    streams = [a_case(str(number), random) for number in range(60)]
    await follow(db, [raw for stream in streams for raw in stream])
    once = await outcomes_of(db, "2026-11") + await outcomes_of(db, "2026-12")
    await db.execute("truncate outcome")
    raws = interleaved(streams, random)
    while raws:
        size = random.randint(1, 25)
        await follow(db, raws[:size])
        raws = raws[size:]
    assert await outcomes_of(db, "2026-11") + await outcomes_of(db, "2026-12") == once
    assert sum(outcome.closed for outcome in once) == 60


def a_case(number: str, random: Random) -> list[Raw]:
    worker = random.choice(["li", "wang", "zhao"])
    at = random.choice([NOON, LAST_SECOND, datetime(2026, 12, 3, tzinfo=UTC)])
    events: list[Event] = [closed(number, worker, random.random() < 0.8, random.random() < 0.7, at)]
    if random.random() < 0.5:
        events.append(rated(number, worker, random.randint(1, 5), at))
    return recorded(f"case-{number}", *events)


def interleaved(streams: Sequence[list[Raw]], random: Random) -> list[Raw]:
    """All events in a random order that keeps each stream's own."""
    left = [list(stream) for stream in streams]
    order = [nth for nth, stream in enumerate(streams) for _ in stream]
    random.shuffle(order)
    return [left[nth].pop(0) for nth in order]


async def test_the_wall_knows_the_names_of_all_who_worked_and_of_the_grid_workers_in_post(db: Connection):
    changed = MemberChanged(**appointed("wang", "王芳", "G3").model_dump())
    await follow(db, recorded("member-li", appointed("li", "李伟"), MemberDismissed(member="li")))
    await follow(db, recorded("member-wang", appointed("wang", "王方", "G2"), changed))
    await follow(db, recorded("member-zhao", appointed("zhao", "赵林", post=Post.GRID_LEADER)))
    await follow(db, recorded("member-sun", appointed("sun", "孙伟"), MemberDismissed(member="sun")))
    known = await members_for(db, ["li", "unknown"])
    assert {key: (member.name, member.grid, member.in_post) for key, member in known.items()} == {
        "li": ("李伟", "G1", False),
        "wang": ("王芳", "G3", True),
    }
