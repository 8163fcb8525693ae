"""What the registry tells in the tests of grid_tasks, and how it is given to the read models without any Kafka."""

from contracts.common import Post, Title
from contracts.registry import DutyListed, GridDrawn, MemberAppointed, MemberChanged
from events import Connection, Event, Position
from events.event import Raw, aggregate_of, encode
from grid_tasks.service import grid_tasks

from .trade import GRID, INSTRUCTOR, LEADER, LI, LICENCES, NINE, NOISE, WANG

TITLE = Title(zh="网格", en="Grid")
AROUND = [(120.09, 30.87), (120.10, 30.87), (120.10, 30.88), (120.09, 30.88), (120.09, 30.87)]
"""A grid with HERE in it."""


def appointed(member: str, grid: str | None = GRID, post: Post = Post.GRID_WORKER) -> MemberAppointed:
    return MemberAppointed(member=member, name="某某", post=post, grid=grid, email=f"{member}@example.org")


def changed(member: str, grid: str | None = GRID, post: Post = Post.GRID_WORKER) -> MemberChanged:
    return MemberChanged(**appointed(member, grid, post).model_dump())


def recorded(*events: Event) -> list[Raw]:
    """As the log has them: a stream of its own for each thing."""
    versions: dict[str, int] = {}
    raws: list[Raw] = []
    for nth, event in enumerate(events, 1):
        stream = f"{aggregate_of(event.type_name)}-{next(iter(event.model_dump().values()))}"
        versions[stream] = versions.get(stream, 0) + 1
        data = encode(event).encode()
        raws.append(Raw(Position(1, 1, nth), stream, versions[stream], event.type_name, data, NINE))
    return raws


async def follow(db: Connection, *events: Event, at_a_time: int = 1000) -> None:
    """Gives every read model what it follows, as the kernel would."""
    raws = recorded(*events)
    for read_model in grid_tasks.read_models:
        types = {cls.type_name for cls in read_model.follows}
        wanted = [raw for raw in raws if raw.type in types]
        for start in range(0, len(wanted), at_a_time):
            await read_model.apply(db, wanted[start : start + at_a_time], grid_tasks.catalogue)


DUTIES = (DutyListed(**NOISE.model_dump()), DutyListed(**LICENCES.model_dump()))
GROUND = (GridDrawn(grid=GRID, title=TITLE, boundary=AROUND),)
TEAM = (
    appointed(LI),
    appointed(WANG),
    appointed(LEADER, post=Post.GRID_LEADER),
    appointed(INSTRUCTOR, post=Post.GRID_INSTRUCTOR),
)
