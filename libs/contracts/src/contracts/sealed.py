"""Events as they stand on the wire, for documents and samples: sealed with keys that everybody may know.

The key of a subject in a sample is the SHA-256 of "commongrid sample key of " and the subject, and nonces are counted,
so that a sample is the same each time. Never so in a real event.
"""

import hashlib
from itertools import count

from contracts.catalogue import CATALOGUE
from events import Event
from events.event import Raw, aggregate_of, encode
from events.privacy.codec import SealedEvent, seal_event, subjects_of
from events.privacy.sealing import PersonKey
from pydantic_core import from_json


def sample_key(subject: str) -> PersonKey:
    """The key of this subject in every sample."""
    return PersonKey(subject, hashlib.sha256(f"commongrid sample key of {subject}".encode()).digest())


def stream_of(event: Event) -> str:
    """The stream of a sample: the first property of every event is the id of what it is about."""
    return f"{aggregate_of(event.type_name)}-{next(iter(from_json(encode(event)).values()))}"


def on_the_wire(event: Event) -> str:
    """The data of a sample as the relay would send it: the first event of its stream."""
    stream = stream_of(event)
    numbers = count(1)
    keys = {subject: sample_key(subject) for subject in subjects_of(event, stream)}
    return seal_event(event, stream, 1, keys, lambda size: next(numbers).to_bytes(size, "big"))


def read(raw: Raw) -> Event:
    """A sample read back, opened with its keys. Raises what CATALOGUE does, and DoesNotOpen."""
    if blanks := CATALOGUE.personal(raw.type):
        sealed = SealedEvent(raw, blanks)
        raw = sealed.opened({subject: sample_key(subject) for subject in sealed.subjects})
        if raw.erased:
            raise ValueError(f"{', '.join(sorted(raw.erased))} is sealed with another key than that of samples")
    return CATALOGUE.decode(raw)
