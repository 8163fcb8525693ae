"""Evidence (证据): a photo, a document, a recording that belongs to a case.

Expected (a place to upload it to was given) → kept (it was looked at and is what it was said to be) → attached to one
case, for good → forgotten (attached to nothing within a day, or with what was written of its case) → removed from the
store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.common import Place
from contracts.grid_tasks import (
    EvidenceAttached,
    EvidenceExpected,
    EvidenceForgotten,
    EvidenceKept,
    EvidenceRemoved,
    ForgettingCause,
)
from events import Aggregate, Event

from grid_tasks.domain.evidence_refusals import (
    AttachedElsewhere,
    EvidenceGone,
    NoSuchEvidence,
    NotTaken,
    NotUploaded,
    TooLarge,
)

MEGABYTE = 1_000_000
MOST_BYTES: Mapping[str, int] = {
    "image/jpeg": 20 * MEGABYTE,
    "image/png": 20 * MEGABYTE,
    "image/webp": 20 * MEGABYTE,
    "application/pdf": 20 * MEGABYTE,
    "audio/mpeg": 20 * MEGABYTE,
    "audio/mp4": 20 * MEGABYTE,
    "video/mp4": 50 * MEGABYTE,
    "video/quicktime": 50 * MEGABYTE,
}
"""What is taken, and how large it may be: a photo as a phone takes it, half a minute of film."""
UNATTACHED = timedelta(hours=24)
"""So long somebody has from asking for a place to upload it to, to the report or hand-in that names it."""


class Stage(StrEnum):
    """Where a piece of evidence stands."""

    EXPECTED = "expected"  # 待上传
    KEPT = "kept"  # 已留存
    FORGOTTEN = "forgotten"  # 已到期
    REMOVED = "removed"  # 已删除


@dataclass(frozen=True, slots=True)
class Found:
    """What was found when it was looked at. Hashes are SHA-256 in hex; `place`, `datum` and `taken_at` are the
    camera's words."""

    media_type: str
    bytes: int
    sha256: str
    sha256_sent: str
    place: Place | None = None
    datum: str | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Its state. `stage` is None as long as nobody has asked for a place to upload it to."""

    id: str = ""
    stage: Stage | None = None
    media_type: str = ""
    bytes: int = 0
    """As the sender said, then of what is kept."""
    sha256_said: str | None = None
    kept_sha256: str | None = None
    """In hex, of what is kept; None before anything is."""
    kept_until: datetime | None = None
    by: str | None = None
    """Who asked for it, if they were signed in."""
    case: str | None = None
    place_taken: Place | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """Somebody wants to upload something: what it is, and how large, by their own word."""

    evidence: str
    media_type: str
    bytes: int
    sha256: str | None
    by: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Keep:
    """It was uploaded, looked at, and put where it stays."""

    found: Found
    at: datetime


@dataclass(frozen=True, slots=True)
class Attach:
    """A report or a hand-in of this case names it."""

    case: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Forget:
    """Nobody is to see it any more. Nothing to do for what is attached, if the cause is that it is not."""

    cause: ForgettingCause
    at: datetime


@dataclass(frozen=True, slots=True)
class ConfirmRemoval:
    """The store has deleted it."""

    at: datetime


EvidenceCommand = Expect | Keep | Attach | Forget | ConfirmRemoval


def decide(evidence: Evidence, command: EvidenceCommand) -> Sequence[Event]:
    """What follows from a command; refuses what the rules do not allow."""
    match command, evidence.stage:
        case Expect() as expect, None:
            return [_expected(expect)]
        case _, None:
            raise NoSuchEvidence
        case Keep(found, at), Stage.EXPECTED:
            return [_kept(evidence, found, at)]
        case Keep(), Stage.KEPT:
            return []  # completed before
        case Attach(case, at), Stage.KEPT:
            if evidence.case not in (None, case):
                raise AttachedElsewhere
            return [] if evidence.case else [EvidenceAttached(evidence=evidence.id, case=case, at=at)]
        case Attach(), Stage.EXPECTED:
            raise NotUploaded
        case Forget(cause, at), Stage.EXPECTED | Stage.KEPT:
            if evidence.case and cause is ForgettingCause.UNATTACHED:
                return []  # attached at the last moment
            return [EvidenceForgotten(evidence=evidence.id, case=evidence.case, cause=cause, at=at)]
        case ConfirmRemoval(at), Stage.FORGOTTEN:
            return [EvidenceRemoved(evidence=evidence.id, at=at)]
        case ((Forget() | ConfirmRemoval()), _):
            return []  # done before
        case _:
            raise EvidenceGone


def _expected(command: Expect) -> EvidenceExpected:
    most = MOST_BYTES.get(command.media_type)
    if most is None:
        raise NotTaken(MOST_BYTES)
    if command.bytes > most:
        raise TooLarge(most)
    return EvidenceExpected(
        evidence=command.evidence,
        media_type=command.media_type,
        bytes=command.bytes,
        sha256=command.sha256,
        by=command.by,
        kept_until=command.at + UNATTACHED,
        at=command.at,
    )


def _kept(evidence: Evidence, found: Found, at: datetime) -> EvidenceKept:
    return EvidenceKept(
        evidence=evidence.id,
        media_type=found.media_type,
        bytes=found.bytes,
        sha256=found.sha256,
        sha256_sent=found.sha256_sent,
        place_taken=found.place,
        datum=found.datum,
        taken_at=found.taken_at,
        kept_until=evidence.kept_until or at,
        at=at,
    )


def evolve(evidence: Evidence, event: Event) -> Evidence:
    """The evidence after an event."""
    match event:
        case EvidenceExpected():
            return Evidence(
                id=event.evidence,
                stage=Stage.EXPECTED,
                media_type=event.media_type,
                bytes=event.bytes,
                sha256_said=event.sha256,
                by=event.by,
                kept_until=event.kept_until,
            )
        case EvidenceKept():
            return replace(
                evidence,
                stage=Stage.KEPT,
                media_type=event.media_type,
                bytes=event.bytes,
                kept_sha256=event.sha256,
                place_taken=event.place_taken,
                taken_at=event.taken_at,
            )
        case EvidenceAttached(case=case):
            return replace(evidence, case=case, kept_until=None)
        case EvidenceForgotten():
            return replace(evidence, stage=Stage.FORGOTTEN)
        case EvidenceRemoved():
            return replace(evidence, stage=Stage.REMOVED)
        case _:
            return evidence


EVIDENCE = Aggregate(
    "evidence",
    initial=Evidence(),
    decide=decide,
    evolve=evolve,
    events=(EvidenceExpected, EvidenceKept, EvidenceAttached, EvidenceForgotten, EvidenceRemoved),
)
