"""Keys in memory, for seconds: so that what was erased in one process is erased in all of them soon.

Python cannot overwrite what a key was in memory; what is dropped here goes when the collector takes it. Nothing of it
is ever written to a disk by us; a machine that swaps should swap to an encrypted one.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from events.privacy.sealing import PersonKey

SECONDS = 5.0
MOST = 2_000


class KeyCache:
    """The keys of the last few seconds, at most so many; None for somebody who is erased."""

    def __init__(self, seconds: float = SECONDS, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, PersonKey | None]] = OrderedDict()

    def now(self) -> float:
        """The time to give to `put`: that of the question, as a key may be destroyed before its answer comes."""
        return self._clock()

    def find(self, subjects: Iterable[str]) -> dict[str, PersonKey | None]:
        """What is known of these."""
        oldest = self._clock() - self._seconds
        while self._known and next(iter(self._known.values()))[0] <= oldest:
            self._known.popitem(last=False)
        found = ((subject, self._known.get(subject)) for subject in subjects)
        return {subject: it[1] for subject, it in found if it and it[0] > oldest}

    def put(self, asked_at: float, keys: Mapping[str, PersonKey | None]) -> None:
        """Keeps these, which were asked for at that time."""
        for subject, key in keys.items():
            if (known := self._known.get(subject)) and known[0] >= asked_at:
                continue  # what was learned since is newer: the key may be destroyed
            self._known.pop(subject, None)
            self._known[subject] = (asked_at, key)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
