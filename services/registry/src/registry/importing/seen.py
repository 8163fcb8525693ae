"""Which ids have come by, of millions, in little memory."""

from array import array
from hashlib import blake2b


class Seen:
    """A set of ids that only grows, for about so many of them: 8 bytes for each of up to twice as many places.

    It keeps digests of 64 bits: of five million ids, that two have the same one and the second is told as a duplicate
    happens once in 1.5 million files. Measured: five million ids take 67 MB; Python's own set takes 0.7 GB.
    """

    def __init__(self, expected: int) -> None:
        self._places = _places(1 << max(10, (expected + expected // 2).bit_length()))
        self._mask = len(self._places) - 1
        self._count = 0

    def add(self, id: str) -> bool:
        """Whether it is new."""
        if not self._put(_digest(id)):
            return False
        self._count += 1
        if 4 * self._count > 3 * len(self._places):
            self._grow()
        return True

    def __contains__(self, id: object) -> bool:
        """Whether it has come by."""
        digest = _digest(str(id))
        place = digest & self._mask
        while there := self._places[place]:
            if there == digest:
                return True
            place = (place + 1) & self._mask
        return False

    def _put(self, digest: int) -> bool:
        place = digest & self._mask
        while there := self._places[place]:
            if there == digest:
                return False
            place = (place + 1) & self._mask
        self._places[place] = digest
        return True

    def _grow(self) -> None:
        before = self._places
        self._places = _places(2 * len(before))
        self._mask = len(self._places) - 1
        for digest in before:
            if digest:
                self._put(digest)


def _digest(id: str) -> int:
    return int.from_bytes(blake2b(id.encode(), digest_size=8).digest()) or 1  # 0 is an empty place


def _places(count: int) -> "array[int]":
    return array("Q", [0]) * count
