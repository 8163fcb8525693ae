"""Holding the log against its seals: in which interval between two of them is it not what was sealed?

Each interval is judged by itself, from the seal before it, so all that were touched are named, and not only the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from events import chain, store
from events.chain import Head
from events.event import Position, Raw
from events.read_model import Connection
from events.seals import Seal

AT_A_TIME = 2000


@dataclass(frozen=True, slots=True)
class Touched:
    """An interval that is not what was sealed: the seals around it (`after` is None at the log's beginning), and how
    many rows it had and has."""

    after: Seal | None
    until: Seal
    had: int
    has: int

    def __str__(self) -> str:
        match self.has - self.had:
            case 0:
                what = "rows were changed"
            case more if more > 0:
                what = f"{more} rows were inserted"
            case fewer:
                what = f"{-fewer} rows were removed"
        since = f"after {_named(self.after)}" if self.after else "from the beginning"
        return f"{what} {since} and up to {_named(self.until)}: it was sealed with {self.had} rows, and has {self.has}"


def _named(seal: Seal) -> str:
    return f"{seal.head.position} (sealed {seal.at.isoformat(timespec='seconds')})"


@dataclass
class Evidence:
    """Seals in the order of their positions. Of two that say different things of the same rows the first one counts:
    `contradicting` holds the others."""

    seals: list[Seal] = field(default_factory=list[Seal])
    contradicting: list[Seal] = field(default_factory=list[Seal])

    @classmethod
    def of(cls, seals: Iterable[Seal]) -> "Evidence":
        """Of seals in the order in which they were published."""
        first: dict[Position, Seal] = {}
        contradicting = [it for it in seals if first.setdefault(it.head.position, it).head != it.head]
        return cls(sorted(first.values(), key=lambda it: it.head.position), contradicting)


async def touched(db: Connection, service: str, seals: Sequence[Seal]) -> list[Touched]:
    """The intervals of the log that are not what these seals (in order) vouch for. Appends may go on meanwhile: what
    comes after the last seal is not looked at."""
    if not seals:
        return []
    walk = _Walk(chain.beginning(service), list(reversed(seals)))
    async with db.transaction(readonly=True):
        rows = db.cursor(UP_TO, *seals[-1].head.position, prefetch=AT_A_TIME)
        async for row in rows:
            walk.pass_by(store.raw_of(row))
    walk.end()
    return walk.found


UP_TO = f"""
select {store.COLUMNS} from log.events
where (incarnation, tx, position) <= ($1, $2, $3) order by incarnation, tx, position"""  # noqa: S608


@dataclass
class _Walk:
    """Along the log, from seal to seal; `ahead` holds the next one last."""

    head: Head
    ahead: list[Seal]
    before: Seal | None = None
    found: list[Touched] = field(default_factory=list[Touched])

    def pass_by(self, raw: Raw) -> None:
        while raw.position > self.ahead[-1].head.position:
            self._reach()
        self.head = self.head.after([raw])

    def end(self) -> None:
        while self.ahead:
            self._reach()

    def _reach(self) -> None:
        seal = self.ahead.pop()
        if (self.head.rows, self.head.hash) != (seal.head.rows, seal.head.hash):
            begun = self.before.head.rows if self.before else 0
            self.found.append(Touched(self.before, seal, seal.head.rows - begun, self.head.rows - begun))
        self.head, self.before = seal.head, seal
