"""The checks of a fault run can fail: what is lost, doubled or out of order in a doctored copy is told."""

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson
import pytest
from checks import Kind, Seen, complaints, repeats
from looking import Fact, Messages, Remembered, Store
from notes import Acknowledged, Notes

CASE = "commongrid.grid_tasks.case"
TOLD = "commongrid.notifications.notification"
AT = "2026-11-30T17:00:00Z"
TOPICS = {"grid_tasks": f"{CASE}", "notifications": TOLD, "registry": "commongrid.registry.member"}


def facts(stream: str, first: int, *events: tuple[str, dict[str, Any]], actor: str | None = None) -> list[Fact]:
    """A stream, each event in a transaction of its own."""
    return [
        Fact(stream, nth, f"{type_}.v1", orjson.dumps(said), (1, first + nth, first + nth), actor)
        for nth, (type_, said) in enumerate(events, 1)
    ]


def the_case() -> list[Fact]:
    """Reported by a resident, dispatched by rule, closed, rated."""
    said = {"case": "c", "worker": "w", "grid": "G1", "category": "noise", "contact": None, "at": AT}
    steps = ("reported", "accepted", "dispatched", "started", "handed_in", "verified", "closed", "rated")
    more = {"on_time": True, "first_attempt": True, "rating": 5, "closed_at": AT}
    done = facts("case-c", 100, *((f"{CASE}.{step}", said | more) for step in steps))
    return [replace(it, actor="policy:rule") if it.version in (2, 3) else it for it in done]


def the_messages() -> tuple[list[Fact], dict[str, str]]:
    """What the worker was told."""
    ids = {channel: sha256(f"case-c/3\nw\n{channel}".encode()).hexdigest()[:32] for channel in ("email", "webhook")}
    found: list[Fact] = []
    for nth, (channel, id_) in enumerate(ids.items()):
        said = {"notification": id_, "channel": channel, "attempts": 1}
        found += facts(f"notification-{id_}", 200 + 10 * nth, (f"{TOLD}.requested", said), (f"{TOLD}.delivered", said))
    return found, ids


def the_roster() -> list[Fact]:
    """One worker."""
    return facts("member-w", 50, ("commongrid.registry.member.appointed", {"member": "w", "grid": "G1"}))


@pytest.fixture
def seen() -> Seen:
    """A small world in which everything is right."""
    messages, ids = the_messages()
    member = {"member": "w", "id": "w", "grid": "G1", "in_post": True, "dismissed": False}
    case = {"case_id": "c", "grid": "G1", "step": "closed", "worker": "w", "attempt": 1, "rating": 5}
    outcome = {"closed": 1, "on_time": 1, "first_attempt": 1, "ratings": 1, "rating_sum": 5}
    stores = {
        "registry": Store(
            the_roster(),
            tables={name: [] for name in ("people.person", "households.household", "territory.address", "units.unit")}
            | {"roster.member": [member]},
        ),
        "grid_tasks": Store(
            the_case(),
            {"k": Remembered("case-c", (1, 101, 101))},
            {
                "case_board.board_case": [case | {"escalated": False}],
                "open_work.open_case": [],
                "workers.member": [member],
                "duties.duty": [],
                "grids.grid_area": [],
            },
        ),
        "assessment": Store(
            tables={
                "outcomes.outcome": [{"month": "2026-12", "worker": "w"} | outcome],
                "members.member": [member],
            }
        ),
        "notifications": Store(
            messages,
            tables={
                "notification_board.notification": [
                    {"id": id_, "state": "delivered", "attempts": 1} for id_ in ids.values()
                ],
                "cases.reported_case": [{"case_id": "c", "contact": None}],
                "contacts.contact": [member],
                "categories.category_title": [],
            },
        ),
    }
    on_topics: Messages = {(TOPICS[name], 0): list(store.facts) for name, store in stores.items() if store.facts}
    mails, webhooks = Counter([ids["email"]]), Counter([ids["webhook"]])
    return Seen(stores, on_topics, mails, webhooks, Counter({"commongrid.registry.member.appointed.v1": 1}))


@pytest.fixture
def notes() -> Notes:
    """What the reporter was told."""
    return Notes([Acknowledged("grid_tasks", "case-c", 1, f"{CASE}.reported.v1", "k")])


def kinds(seen: Seen, notes: Notes) -> set[Kind]:
    return {complaint.kind for complaint in complaints(seen, notes)}


def test_nothing_is_said_of_what_is_right(seen: Seen, notes: Notes) -> None:
    assert complaints(seen, notes) == []


@pytest.mark.parametrize("version", [1, 4])
def test_an_event_that_is_gone_is_lost(seen: Seen, notes: Notes, version: int) -> None:
    del seen.stores["grid_tasks"].facts[version - 1]
    assert Kind.LOST in kinds(seen, notes)


def test_of_a_last_event_that_is_gone_the_topic_and_the_read_models_still_know(seen: Seen, notes: Notes) -> None:
    del seen.stores["grid_tasks"].facts[-1]
    assert kinds(seen, notes) == {Kind.UNASKED, Kind.READ_MODEL}


def test_an_acknowledged_command_without_its_event_is_lost(seen: Seen, notes: Notes) -> None:
    notes.acknowledged.append(Acknowledged("grid_tasks", "case-d", 1, f"{CASE}.reported.v1", "k2"))
    assert kinds(seen, notes) == {Kind.LOST}


def test_an_acknowledged_command_in_whose_place_something_else_stands_is_lost(seen: Seen, notes: Notes) -> None:
    notes.acknowledged.append(Acknowledged("grid_tasks", "case-c", 5, f"{CASE}.started.v1"))
    assert Kind.LOST in kinds(seen, notes)


def test_a_key_that_is_not_remembered_is_lost_unless_a_backup_took_it(seen: Seen, notes: Notes) -> None:
    seen.stores["grid_tasks"].keys.clear()
    assert kinds(seen, notes) == {Kind.LOST}
    notes.keys_are_lost("grid_tasks")
    assert kinds(seen, notes) == set()


def test_one_event_promised_to_two_commands_is_a_loss(seen: Seen, notes: Notes) -> None:
    notes.acknowledged *= 2
    assert Kind.LOST in kinds(seen, notes)


def test_a_command_that_took_effect_twice_is_doubled(seen: Seen, notes: Notes) -> None:
    store = seen.stores["grid_tasks"]
    twin = [replace(fact, stream="case-d", position=(1, 300 + fact.version, 1)) for fact in store.facts[:1]]
    store.facts += twin
    seen.messages[TOPICS["grid_tasks"], 0] += twin
    assert Kind.DOUBLED in kinds(seen, notes)


def test_a_refused_command_that_took_effect_is_told(seen: Seen, notes: Notes) -> None:
    notes.refused.append(("grid_tasks", "k"))
    assert kinds(seen, notes) == {Kind.UNASKED}


def test_an_event_that_stands_twice_in_its_stream_is_doubled(seen: Seen, notes: Notes) -> None:
    store = seen.stores["grid_tasks"]
    store.facts.append(replace(store.facts[3], position=(1, 400, 400)))
    assert Kind.DOUBLED in kinds(seen, notes)


def test_a_stream_against_the_order_of_positions_is_out_of_order(seen: Seen, notes: Notes) -> None:
    store = seen.stores["grid_tasks"]
    one, other = store.facts[3:5]
    store.facts[3:5] = [replace(one, position=other.position), replace(other, position=one.position)]
    assert Kind.OUT_OF_ORDER in kinds(seen, notes)


def test_an_event_that_is_on_no_topic_is_lost(seen: Seen, notes: Notes) -> None:
    del seen.messages[TOPICS["grid_tasks"], 0][-1]
    assert kinds(seen, notes) == {Kind.LOST}


def test_an_event_that_comes_too_early_on_its_topic_is_out_of_order(seen: Seen, notes: Notes) -> None:
    there = seen.messages[TOPICS["grid_tasks"], 0]
    there[3:5] = there[4], there[3]
    assert kinds(seen, notes) == {Kind.OUT_OF_ORDER}


def test_a_repeated_message_is_allowed_and_counted(seen: Seen, notes: Notes) -> None:
    there = seen.messages[TOPICS["grid_tasks"], 0]
    there += there[2:6]
    assert kinds(seen, notes) == set()
    assert repeats(seen.messages) == 4


@pytest.mark.parametrize("change", [{"data": b"{}"}, {"type": "other"}, {"position": (1, 1, 1)}, {"version": 9}])
def test_a_message_that_is_not_the_stores_is_told(seen: Seen, notes: Notes, change: dict[str, Any]) -> None:
    there = seen.messages[TOPICS["grid_tasks"], 0]
    there.append(replace(there[-1], **change))
    assert Kind.UNASKED in kinds(seen, notes)


TABLES = [
    "registry roster.member",
    "grid_tasks case_board.board_case",
    "grid_tasks workers.member",
    "assessment outcomes.outcome",
    "assessment members.member",
    "notifications notification_board.notification",
    "notifications cases.reported_case",
    "notifications contacts.contact",
]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("times", [0, 2])
def test_a_row_that_is_missing_or_doubled_is_told(seen: Seen, notes: Notes, table: str, times: int) -> None:
    service, name = table.split()
    tables = dict(seen.stores[service].tables)
    first, *others = tables[name]
    tables[name] = [first] * times + others
    seen.stores[service].tables = tables
    assert kinds(seen, notes) == {Kind.READ_MODEL}


def test_a_sum_that_counts_an_event_twice_is_told(seen: Seen, notes: Notes) -> None:
    [row] = seen.stores["assessment"].tables["outcomes.outcome"]
    seen.stores["assessment"].tables = dict(seen.stores["assessment"].tables) | {
        "outcomes.outcome": [dict(row) | {"closed": 2}]
    }
    assert kinds(seen, notes) == {Kind.READ_MODEL}


def test_a_notification_that_was_never_asked_for_is_lost(seen: Seen, notes: Notes) -> None:
    stream = seen.stores["notifications"].facts[0].stream
    for facts_ in (seen.stores["notifications"].facts, seen.messages[TOPICS["notifications"], 0]):
        facts_[:] = [fact for fact in facts_ if fact.stream != stream]
    found = [it for it in complaints(seen, notes) if it.kind is Kind.LOST]
    assert any("never asked for" in it.what for it in found)


def test_a_notification_that_ended_twice_is_doubled(seen: Seen, notes: Notes) -> None:
    store = seen.stores["notifications"]
    last = store.facts[-1]
    more = replace(last, version=3, position=(1, 500, 500))
    store.facts.append(more)
    seen.messages[TOPICS["notifications"], 0].append(more)
    assert kinds(seen, notes) == {Kind.DOUBLED}


def test_a_mail_that_was_delivered_and_did_not_arrive_is_lost(seen: Seen, notes: Notes) -> None:
    seen.mails.clear()
    assert kinds(seen, notes) == {Kind.LOST}


def test_a_mail_that_came_again_is_known_by_its_id(seen: Seen, notes: Notes) -> None:
    seen.mails.update(list(seen.mails))
    assert kinds(seen, notes) == set()
    seen.mails["another"] += 1
    assert kinds(seen, notes) == {Kind.UNASKED}


def test_what_is_parked_is_told(seen: Seen, notes: Notes) -> None:
    seen.stores["assessment"].parked.append("outcomes_v1: case-c/7")
    assert kinds(seen, notes) == {Kind.PARKED}
