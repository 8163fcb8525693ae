"""What must be true of a notification, whoever sends it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from contracts.common import Post
from contracts.notifications import (
    Channel,
    NotificationDelayed,
    NotificationDelivered,
    NotificationParked,
    NotificationRequested,
    NotificationResumed,
    NotificationWithdrawn,
    Occasion,
)
from events import Event, NotFound
from events.testing import given
from hypothesis import given as for_all
from hypothesis import strategies as st
from notifications.domain.notification import (
    MAX_ATTEMPTS,
    NOTIFICATION,
    NotParked,
    NotWaiting,
    RecordDelivery,
    RecordFailure,
    Request,
    Retry,
    Withdraw,
    notification_id,
    pause,
    whoever_is,
)

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
LI, EMAIL = "member-li", Channel.EMAIL
ID = notification_id("case-1/3", LI, EMAIL)
REQUEST = Request(Occasion.CASE_DISPATCHED, "case-1/3", "1", LI, EMAIL, due=TEN, send_at=NINE)
REQUESTED = NotificationRequested(
    notification=ID,
    occasion=Occasion.CASE_DISPATCHED,
    cause="case-1/3",
    case="1",
    recipient=LI,
    channel=EMAIL,
    due=TEN,
    send_at=NINE,
)
DELIVERED = NotificationDelivered(
    notification=ID, channel=EMAIL, occasion=Occasion.CASE_DISPATCHED, attempts=1, at=NINE
)
PARKED = NotificationParked(notification=ID, channel=EMAIL, attempts=1, error="SMTP 550", at=NINE)
RESUMED = NotificationResumed(notification=ID, channel=EMAIL, at=TEN)
WITHDRAWN = NotificationWithdrawn(notification=ID, channel=EMAIL, reason="left no contact", at=NINE)


def failed(attempts: int) -> NotificationDelayed:
    return NotificationDelayed(
        notification=ID, channel=EMAIL, attempts=attempts, error="SMTP 450", retry_at=TEN, at=NINE
    )


def failure(permanent: bool = False) -> RecordFailure:
    return RecordFailure("SMTP 450", permanent=permanent, jitter=0.5, at=NINE)


def test_somebody_is_to_be_told() -> None:
    given(NOTIFICATION).when(REQUEST).then(REQUESTED)


@pytest.mark.parametrize("later", [(), (failed(1),), (DELIVERED,), (PARKED,), (WITHDRAWN,)])
def test_the_same_reason_asks_once(later: tuple[Event, ...]) -> None:
    given(NOTIFICATION, REQUESTED, *later).when(REQUEST).then()


def test_another_cause_recipient_or_channel_is_another_notification() -> None:
    others = {
        notification_id("case-1/4", LI, EMAIL),
        notification_id("case-1/3", whoever_is(Post.GRID_LEADER, "G1"), EMAIL),
        notification_id("case-1/3", LI, Channel.WEBHOOK),
    }
    assert len(others | {ID}) == 4


def test_an_end_that_is_told_of_what_was_merged_into_the_case_is_another_notification() -> None:
    assert REQUEST.id == ID
    assert len({ID, replace(REQUEST, case="2").id, replace(REQUEST, case="3").id}) == 3


def test_what_the_channel_took_is_delivered() -> None:
    given(NOTIFICATION, REQUESTED).when(RecordDelivery(NINE)).then(DELIVERED)


def test_attempts_are_counted() -> None:
    third = DELIVERED.model_copy(update={"attempts": 3})
    given(NOTIFICATION, REQUESTED, failed(1), failed(2)).when(RecordDelivery(NINE)).then(third)


def test_what_the_channel_did_not_take_is_tried_again_later() -> None:
    delayed = failed(1).model_copy(update={"retry_at": NINE + timedelta(seconds=10)})
    given(NOTIFICATION, REQUESTED).when(failure()).then(delayed)


def test_after_eight_attempts_it_is_parked() -> None:
    parked = NotificationParked(notification=ID, channel=EMAIL, attempts=MAX_ATTEMPTS, error="SMTP 450", at=NINE)
    given(NOTIFICATION, REQUESTED, *map(failed, range(1, MAX_ATTEMPTS))).when(failure()).then(parked)


def test_what_can_never_be_taken_is_parked_at_once() -> None:
    parked = NotificationParked(notification=ID, channel=EMAIL, attempts=1, error="SMTP 450", at=NINE)
    given(NOTIFICATION, REQUESTED).when(failure(permanent=True)).then(parked)


def test_a_parked_one_is_tried_again_when_a_person_says_so_and_attempts_count_anew() -> None:
    given(NOTIFICATION, REQUESTED, PARKED).when(Retry(TEN)).then(RESUMED)
    delayed = failed(1).model_copy(update={"retry_at": NINE + timedelta(seconds=10)})
    given(NOTIFICATION, REQUESTED, PARKED, RESUMED).when(failure()).then(delayed)


@pytest.mark.parametrize("history", [(REQUESTED,), (REQUESTED, DELIVERED), (REQUESTED, WITHDRAWN)])
def test_only_a_parked_one_can_be_tried_again_by_hand(history: tuple[Event, ...]) -> None:
    given(NOTIFICATION, *history).when(Retry(TEN)).refused(NotParked, "only a parked one")


def test_where_there_is_nobody_to_tell_it_is_withdrawn() -> None:
    given(NOTIFICATION, REQUESTED).when(Withdraw("left no contact", NINE)).then(WITHDRAWN)


@pytest.mark.parametrize("end", [DELIVERED, PARKED, WITHDRAWN])
@pytest.mark.parametrize("outcome", [RecordDelivery(TEN), failure(), Withdraw("left no contact", TEN)])
def test_an_attempt_that_was_no_longer_due_changes_nothing(
    end: Event, outcome: RecordDelivery | RecordFailure | Withdraw
) -> None:
    given(NOTIFICATION, REQUESTED, end).when(outcome).refused(NotWaiting)


@pytest.mark.parametrize("command", [Retry(TEN), RecordDelivery(TEN)])
def test_what_was_never_requested_is_not_found(command: Retry | RecordDelivery) -> None:
    given(NOTIFICATION).when(command).refused(NotFound)


@for_all(attempts=st.integers(1, 60), jitter=st.floats(0, 1))
def test_pauses_grow_up_to_an_hour_and_never_lie_a_fifth_off(attempts: int, jitter: float) -> None:
    base = min(10 * 2 ** (attempts - 1), 3600)
    assert 0.8 * base <= pause(attempts, jitter).total_seconds() <= 1.2 * base + 1e-6
    assert pause(attempts, 0) <= pause(attempts + 1, 0)
