"""Who has seen whom in the open (查阅留痕), which fields, when and for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.registry import DisclosureMade
from events import Aggregate, Event


@dataclass(frozen=True, slots=True)
class Disclose:
    """They are to see these fields now."""

    disclosure: str
    person: str
    fields: tuple[str, ...]
    purpose: str
    by: str
    client: str | None
    trace: str | None
    at: datetime


def decide(_: None, it: Disclose) -> Sequence[Event]:
    """It is on record before they see anything."""
    return [
        DisclosureMade(
            disclosure=it.disclosure,
            person=it.person,
            fields=it.fields,
            purpose=it.purpose,
            by=it.by,
            client=it.client,
            trace=it.trace,
            at=it.at,
        )
    ]


def _unchanged(state: None, _: Event) -> None:
    return state


DISCLOSURE = Aggregate("disclosure", None, decide, _unchanged, (DisclosureMade,))
