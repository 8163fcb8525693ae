"""Figures about people, told so that nobody can be found in them."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

FEW = 5
"""Below that, who knows the people could tell who is meant."""


class Figure(NamedTuple):
    """How many of a kind there were: people by residency and band of ages, units by category…"""

    what: str
    kind: str
    band: str
    number: int


def summed(figures: Iterable[Figure], by: str) -> dict[str, int]:
    """How many of each, by one of their names."""
    sums: dict[str, int] = {}
    for it in figures:
        sums[getattr(it, by)] = sums.get(getattr(it, by), 0) + it.number
    return sums


def suppressed(figures: Mapping[str, int]) -> dict[str, int | None]:
    """Without figures below FEW. Where only one would be left out, the next smallest is, too: it could be had from the
    total."""
    few = [name for name, number in figures.items() if 0 < number < FEW]
    if len(few) == 1:
        others = [name for name, number in figures.items() if number >= FEW]
        few += sorted(others, key=lambda name: figures[name])[:1]
    return {name: None if name in few else number for name, number in figures.items()}
