"""How often a caller may ask: a bucket for each caller and class of request, as the generic cell rate algorithm has it.

A bucket lies in this process's memory: with three replicas a caller may ask three times as often. That keeps the price
at a microsecond for each request. What is told (`RateLimit`, `RateLimit-Policy`)
follows draft-ietf-httpapi-ratelimit-headers-10.
"""

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network
from math import ceil
from typing import TypeAlias

from contracts.common import QUOTA

Header: TypeAlias = tuple[bytes, bytes]


@dataclass(frozen=True, order=True)
class Rate:
    """So many a minute in the long run, so many at once."""

    per_minute: int
    burst: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """From `1200/400`; raises ValueError."""
        if not re.fullmatch(QUOTA, text):
            raise ValueError("a rate is written like 1200/400: so many a minute, so many at once")
        per_minute, _, burst = text.partition("/")
        return cls(int(per_minute), int(burst))


# Generous for people: a page of a busy day is a few reads a second, and nobody hands in five things a second by hand.
READS = Rate(1200, 400)
WRITES = Rate(300, 100)


class Buckets:
    """One class of requests. A bucket that nobody took from for as long as it takes to fill is full, and forgotten:
    only callers of the last two such times are kept, however many there ever were."""

    def __init__(self, name: str, rate: Rate, clock: Callable[[], float]) -> None:
        """`clock` gives seconds, and never goes back."""
        self.name = name
        self._clock = clock
        self._burst = rate.burst
        self._interval = 60 / rate.per_minute
        self._fills_in = self._interval * rate.burst
        self._policy = f'"{name}";q={rate.burst};w={max(1, ceil(self._fills_in))}'.encode()
        self.next_in = ceil(self._interval)
        """Seconds after which there is one more, at the latest."""
        self._young: dict[str, float] = {}
        self._old: dict[str, float] = {}
        self._turn = clock() + self._fills_in
        self._told: dict[int, tuple[Header, Header]] = {}

    def take(self, caller: str) -> tuple[bool, tuple[Header, Header]]:
        """Takes one, if there is one; whether there was, and what to tell."""
        now = self._clock()
        if now >= self._turn:
            self._old = self._young if now < self._turn + self._fills_in else {}
            self._young = {}
            self._turn = now + self._fills_in
        full_at = self._young.get(caller) or self._old.get(caller) or now
        missing = full_at - now if full_at > now else 0.0
        left = self._burst - ceil(missing / self._interval - 1e-6)
        if left < 1:
            return False, self._says(0)
        self._young[caller] = now + missing + self._interval
        return True, self._says(left - 1)

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._young.keys() | self._old.keys())

    def _says(self, left: int) -> tuple[Header, Header]:
        told = self._told.get(left)
        if told is None:
            limit = f'"{self.name}";r={left};t={self.next_in}'.encode()
            told = self._told[left] = (b"ratelimit-policy", self._policy), (b"ratelimit", limit)
        return told


class Rates:
    """How often each caller may read and write, and a partner use a power that the list gives them so many times."""

    def __init__(self, reads: Rate, writes: Rate, free: Collection[str], clock: Callable[[], float]) -> None:
        """`free`: callers who are not limited, as the system's own services are."""
        self._reads = Buckets("reads", reads, clock)
        self._writes = Buckets("writes", writes, clock)
        self._free = frozenset(free)
        self._clock = clock
        self._powers: dict[tuple[str, Rate], Buckets] = {}

    def buckets_of(self, caller: str | None, *, reads: bool) -> Buckets | None:
        """Whose rate a request falls under; None if under none."""
        if caller in self._free:
            return None
        return self._reads if reads else self._writes

    def buckets_of_power(self, power: str, quota: Rate) -> Buckets:
        """Where each partner who has this quota of the power has a bucket."""
        if (power, quota) not in self._powers:
            self._powers[power, quota] = Buckets(power, quota, self._clock)
        return self._powers[power, quota]


def by_address(host: str) -> str:
    """What an anonymous caller is known by: their address, of IPv6 the network (/64), all of which is one household's.
    It begins with a character that no caller's id holds."""
    if ":" in host:
        with suppress(ValueError):
            address = IPv6Address(host)
            if not address.ipv4_mapped:
                host = str(IPv6Network((address.packed, 64), strict=False).network_address)
    return f"\0{host[:100]}"
