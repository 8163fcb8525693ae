"""Which ids have come by, and who took a place first, of millions, in little memory.

Digests of 64 bits stand for what was seen: of five million, that two have the same one, and the second is told as a
duplicate, happens once in 1.5 million files.
"""

from array import array
from hashlib import blake2b
from uuid import UUID

FEWEST = 1 << 10


class Seen:
    """A set of ids that only grows, for about so many of them: 8 bytes for each of up to twice as many slots. Measured:
    five million ids take 67 MB; Python's own set takes 0.7 GB."""

    def __init__(self, expected: int) -> None:
        self._digests = _slots(max(FEWEST, 1 << (expected + expected // 2).bit_length()))
        self._count = 0

    def add(self, id: str) -> bool:
        """Whether it is new."""
        digest = _digest(id)
        slot = _slot(self._digests, digest)
        if self._digests[slot]:
            return False
        self._digests[slot] = digest
        self._count += 1
        if _full(self._count, self._digests):
            self._grow()
        return True

    def __contains__(self, id: object) -> bool:
        """Whether it has come by."""
        return bool(self._digests[_slot(self._digests, _digest(str(id)))])

    def _grow(self) -> None:
        before, self._digests = self._digests, _slots(2 * len(self._digests))
        for digest in filter(None, before):
            self._digests[_slot(self._digests, digest)] = digest


class Firsts:
    """By name, the id (a UUID) that took it first: 24 bytes for each of up to twice as many slots. Python's own
    dictionary takes ten times as much."""

    def __init__(self) -> None:
        self._digests = _slots(FEWEST)
        self._ids = _slots(2 * FEWEST)
        self._count = 0

    def take(self, name: str, id: str) -> str:
        """Who has it: this id, if it was free."""
        digest = _digest(name)
        slot = _slot(self._digests, digest)
        if self._digests[slot]:
            return self._id(slot)
        self._put(slot, digest, *_halves(id))
        self._count += 1
        if _full(self._count, self._digests):
            self._grow()
        return id

    def get(self, name: str) -> str | None:
        """Who took it first, if anybody did."""
        slot = _slot(self._digests, _digest(name))
        return self._id(slot) if self._digests[slot] else None

    def _id(self, slot: int) -> str:
        return str(UUID(int=self._ids[2 * slot] << 64 | self._ids[2 * slot + 1]))

    def _put(self, slot: int, digest: int, high: int, low: int) -> None:
        self._digests[slot], self._ids[2 * slot], self._ids[2 * slot + 1] = digest, high, low

    def _grow(self) -> None:
        digests, ids = self._digests, self._ids
        self._digests, self._ids = _slots(2 * len(digests)), _slots(2 * len(ids))
        for slot, digest in enumerate(digests):
            if digest:
                self._put(_slot(self._digests, digest), digest, ids[2 * slot], ids[2 * slot + 1])


def _halves(id: str) -> tuple[int, int]:
    number = UUID(id).int
    return number >> 64, number & (1 << 64) - 1


def _digest(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) or 1  # 0 is an empty slot


def _slots(count: int) -> "array[int]":
    return array("Q", [0]) * count


def _slot(digests: "array[int]", digest: int) -> int:
    """Where a digest is, or would be; there is always an empty one."""
    mask = len(digests) - 1
    slot = digest & mask
    while (there := digests[slot]) and there != digest:
        slot = (slot + 1) & mask
    return slot


def _full(count: int, digests: "array[int]") -> bool:
    return 4 * count > 3 * len(digests)
