"""The sample community, invented from a seed: one module per part of it, one row type per file.

Every part draws from a random source of its own (see `chance`), so that changing one file leaves the
others as they were.
"""

from datetime import date
from random import Random

AS_OF = date(2026, 11, 23)
"""The day on which the community is described: ages and registrations are counted from here."""

DIVISION = "990502001001"
"""Statistical code of the community (GB/T 2260, 12 digits). No province has the number 99."""


def chance(seed: int, part: str) -> Random:
    """The random source of one part of the community: the same for the same seed, on every machine."""
    return Random(f"{seed}/{part}")  # noqa: S311 - repeatable is the point; nothing here is a secret
