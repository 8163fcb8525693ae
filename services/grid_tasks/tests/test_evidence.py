"""A piece of evidence from the ticket to its end, and what is refused, in the words of the trade."""

from dataclasses import replace
from datetime import timedelta

import pytest
from contracts.common import Place
from contracts.grid_tasks import (
    EvidenceAttached,
    EvidenceExpected,
    EvidenceForgotten,
    EvidenceKept,
    EvidenceRemoved,
    ForgettingCause,
)
from events import Event
from events.testing import Given, given
from grid_tasks.domain.evidence import (
    EVIDENCE,
    MOST_BYTES,
    Attach,
    ConfirmRemoval,
    EvidenceCommand,
    Expect,
    Forget,
    Found,
    Keep,
)
from grid_tasks.domain.evidence_refusals import (
    AttachedElsewhere,
    EvidenceGone,
    NoSuchEvidence,
    NotTaken,
    NotUploaded,
    TooLarge,
)

from .trade import ELEVEN, ID, LI, NINE, NOON, TEN

PHOTO = "photo-1"
UNTIL = NINE + timedelta(hours=24)
FOUND = Found("image/jpeg", 900, "a" * 64, "b" * 64, Place(longitude=120.0945, latitude=30.8723), "WGS-84", NINE)

expect = Expect(PHOTO, "image/jpeg", 1000, None, LI, NINE)
expected = EvidenceExpected(evidence=PHOTO, media_type="image/jpeg", bytes=1000, by=LI, kept_until=UNTIL, at=NINE)
kept = EvidenceKept(
    evidence=PHOTO,
    media_type="image/jpeg",
    bytes=900,
    sha256="a" * 64,
    sha256_sent="b" * 64,
    place_taken=FOUND.place,
    datum="WGS-84",
    taken_at=NINE,
    kept_until=UNTIL,
    at=TEN,
)
attached = EvidenceAttached(evidence=PHOTO, case=ID, at=ELEVEN)


def forgotten(cause: ForgettingCause, case: str | None = None) -> EvidenceForgotten:
    return EvidenceForgotten(evidence=PHOTO, case=case, cause=cause, at=NOON)


nobody_wanted_it = forgotten(ForgettingCause.UNATTACHED)
removed = EvidenceRemoved(evidence=PHOTO, at=NOON)


def history(*events: Event) -> Given:
    return given(EVIDENCE, *events)


def test_who_asks_for_a_place_has_a_day_until_a_case_must_have_it() -> None:
    history().when(expect).then(expected)


@pytest.mark.parametrize("media_type", MOST_BYTES)
def test_the_largest_file_of_each_kind_is_taken_and_a_byte_more_is_not(media_type: str) -> None:
    most = MOST_BYTES[media_type]
    history().when(replace(expect, media_type=media_type, bytes=most)).then(
        expected.model_copy(update={"media_type": media_type, "bytes": most})
    )
    history().when(replace(expect, media_type=media_type, bytes=most + 1)).refused(TooLarge)


@pytest.mark.parametrize("media_type", ["image/heic", "image/svg+xml", "text/html", "application/zip", ""])
def test_what_might_run_or_cannot_be_looked_at_is_not_taken(media_type: str) -> None:
    history().when(replace(expect, media_type=media_type)).refused(NotTaken)


def test_what_was_found_is_kept_once() -> None:
    history(expected).when(Keep(FOUND, TEN)).then(kept)
    history(expected, kept).when(Keep(FOUND, ELEVEN)).then()


def test_it_belongs_to_one_case_for_good() -> None:
    history(expected, kept).when(Attach(ID, ELEVEN)).then(attached)
    history(expected, kept, attached).when(Attach(ID, NOON)).then()
    history(expected, kept, attached).when(Attach("c2", NOON)).refused(AttachedElsewhere)


def test_what_was_not_uploaded_belongs_to_no_case() -> None:
    history(expected).when(Attach(ID, TEN)).refused(NotUploaded)


@pytest.mark.parametrize("so_far", [(expected,), (expected, kept)])
def test_what_no_case_has_within_a_day_is_forgotten_uploaded_or_not(so_far: tuple[Event, ...]) -> None:
    history(*so_far).when(Forget(ForgettingCause.UNATTACHED, NOON)).then(nobody_wanted_it)


def test_what_a_case_got_at_the_last_moment_is_not_forgotten() -> None:
    history(expected, kept, attached).when(Forget(ForgettingCause.UNATTACHED, NOON)).then()


def test_it_is_forgotten_with_its_case() -> None:
    history(expected, kept, attached).when(Forget(ForgettingCause.CASE_ERASED, NOON)).then(
        forgotten(ForgettingCause.CASE_ERASED, ID)
    )


def test_it_is_removed_once_and_only_when_it_was_forgotten() -> None:
    history(expected, kept, nobody_wanted_it).when(ConfirmRemoval(NOON)).then(removed)
    history(expected, kept, nobody_wanted_it, removed).when(ConfirmRemoval(NOON)).then()
    history(expected, kept, attached).when(ConfirmRemoval(NOON)).then()


@pytest.mark.parametrize("command", [Keep(FOUND, NOON), Attach(ID, NOON)])
def test_what_was_forgotten_does_not_come_back(command: EvidenceCommand) -> None:
    history(expected, kept, nobody_wanted_it).when(command).refused(EvidenceGone)
    history(expected, kept, nobody_wanted_it, removed).when(command).refused(EvidenceGone)


@pytest.mark.parametrize(
    "command",
    [Keep(FOUND, NOON), Attach(ID, NOON), Forget(ForgettingCause.UNATTACHED, NOON), ConfirmRemoval(NOON)],
)
def test_nothing_can_be_done_with_what_nobody_asked_for(command: EvidenceCommand) -> None:
    history().when(command).refused(NoSuchEvidence)
