"""Which evidence is kept and whose it is, as the read model shows it, however the events are cut into batches."""

import pytest
from contracts.grid_tasks import (
    EvidenceAttached,
    EvidenceExpected,
    EvidenceForgotten,
    EvidenceKept,
    EvidenceRemoved,
    ForgettingCause,
)
from events import Connection, Event
from grid_tasks.read_models.evidence import evidence, kept, of_case

from .roster import follow
from .trade import ELEVEN, ID, NINE, NOON, TEN


def expected(id_: str) -> EvidenceExpected:
    return EvidenceExpected(evidence=id_, media_type="image/png", bytes=1, kept_until=NOON, at=NINE)


def found(id_: str) -> EvidenceKept:
    return EvidenceKept(
        evidence=id_, media_type="image/png", bytes=1, sha256="a", sha256_sent="b", kept_until=NOON, at=TEN
    )


def attached(id_: str, case: str = ID) -> EvidenceAttached:
    return EvidenceAttached(evidence=id_, case=case, at=ELEVEN)


def forgotten(id_: str) -> list[Event]:
    cause = ForgettingCause.UNATTACHED
    return [EvidenceForgotten(evidence=id_, cause=cause, at=NOON), EvidenceRemoved(evidence=id_, at=NOON)]


HISTORY: list[Event] = [
    expected("asked-for"),
    *(
        it
        for id_ in ("free", "one", "two", "elsewhere", "gone", "gone-with-its-case")
        for it in (expected(id_), found(id_))
    ),
    attached("two"),
    attached("one"),
    attached("elsewhere", "c2"),
    attached("gone-with-its-case"),
    *forgotten("gone"),
    *forgotten("gone-with-its-case"),
]


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 1000])
async def test_what_is_kept_and_free_and_what_belongs_to_which_case(db: Connection, at_a_time: int) -> None:
    await follow(db, *HISTORY, at_a_time=at_a_time)
    asked = ["asked-for", "free", "one", "gone", "never-heard-of"]
    assert await kept(db, asked) == {"free"}
    assert await of_case(db, ID) == ["one", "two"]
    assert await of_case(db, "c2") == ["elsewhere"]
    assert await of_case(db, "c3") == []


def test_where_a_photo_was_taken_is_in_no_row() -> None:
    assert not evidence.personal
    assert not {"place_taken", "datum", "taken_at"} & set(evidence.tables.split())
