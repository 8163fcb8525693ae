"""A patrol (巡查): a worker was at points of a grid, and says what was found there. No way and no distance is kept:
where somebody walks tells about them, and what they find tells about the grid."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from contracts.visits import PatrolWalked
from events import Aggregate, Event

CASES = UUID("8a6f2c4b-51f0-4d3e-9f4e-6f0c3c1f9a77")
"""The namespace of the ids of cases that a patrol brings."""


def case_of(patrol: str, point: int) -> str:
    """The id of the case that was found at the nth point: the same however often it is asked."""
    return uuid5(CASES, f"{patrol}/{point}").hex


def decide(walked: PatrolWalked | None, command: PatrolWalked) -> Sequence[Event]:
    """A patrol is told once."""
    return [] if walked else [command]


def evolve(_: PatrolWalked | None, event: PatrolWalked) -> PatrolWalked | None:
    """What was told."""
    return event


PATROL = Aggregate[PatrolWalked | None, PatrolWalked]("patrol", None, decide, evolve, (PatrolWalked,))
