"""A correction (更正): somebody says that what is held of them is wrong, and somebody else looks into it (PIPL, article
46). What is accepted changes the register; what is not is refused with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.registry import CorrectionAccepted, CorrectionAsked, CorrectionRefused, PersonFacts
from events import Aggregate, Event, Refused

from registry.domain.person import check_person

FIELDS = ("name", "id_number", "sex", "birth_date", "phone")
"""What can be corrected so: where somebody lives, and with whom, is looked into on the spot and entered anew."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What was asked, and what came of it."""

    asked: CorrectionAsked | None = None
    decided: CorrectionAccepted | CorrectionRefused | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """This is wrong of whom the register knows so."""

    asked: CorrectionAsked
    known: PersonFacts


@dataclass(frozen=True, slots=True)
class Accept:
    """It is wrong indeed; `known` is what the register says by now."""

    known: PersonFacts
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """It is right as it stands, and why."""

    reason: str
    by: str
    at: datetime


class NothingToCorrect(Refused):
    """The register says so already."""

    reason = "nothing-to-correct"


class Decided(Refused):
    """Somebody has decided on it."""

    reason = "decided"


class OwnRequest(Refused):
    """Who asked for it cannot decide on it."""

    reason = "own-request"


def corrected(known: PersonFacts, asked: CorrectionAsked) -> PersonFacts:
    """What the register would say."""
    return known.model_copy(update={field: getattr(asked, field) for field in asked.fields})


def decide(correction: Correction, command: Ask | Accept | Refuse) -> Sequence[Event]:
    """What becomes of it. Raises NothingToCorrect, Decided, OwnRequest; Fault where the register could not say so."""
    if isinstance(command, Ask):
        put_right = corrected(command.known, command.asked)
        if put_right == command.known:
            raise NothingToCorrect("the register says so already")
        check_person(put_right)
        return [command.asked]
    asked = correction.asked
    assert asked is not None  # noqa: S101  # a correction with a version was asked for
    if correction.decided:
        raise Decided("somebody has decided on this already")
    if command.by == asked.by:
        raise OwnRequest("you asked for this yourself: somebody else must look into it")
    id_, person = asked.correction, asked.person
    match command:
        case Accept(known, by, at):
            check_person(corrected(known, asked))
            return [CorrectionAccepted(correction=id_, person=person, by=by, at=at)]
        case Refuse(reason, by, at):
            return [CorrectionRefused(correction=id_, person=person, reason=reason, by=by, at=at)]


def evolve(correction: Correction, event: Event) -> Correction:
    """The correction after an event."""
    match event:
        case CorrectionAsked():
            return replace(correction, asked=event)
        case CorrectionAccepted() | CorrectionRefused():
            return replace(correction, decided=event)
        case _:
            return correction


CORRECTION = Aggregate(
    "correction", Correction(), decide, evolve, (CorrectionAsked, CorrectionAccepted, CorrectionRefused)
)
