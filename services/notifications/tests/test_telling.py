"""Who is told what, once, on real Postgres and Kafka, by real SMTP and HTTP."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Mapping

import asyncpg
import pytest
from contracts.common import Post
from contracts.grid_tasks import EscalationCause, Rung
from contracts.notifications import Channel, Occasion
from contracts.registry import MemberChanged, MemberDismissed
from edge import Application
from edge.testing import client
from events import Event, ReadModel, Token
from events.consumer import Reacting
from events.event import Raw
from events.runtime import Runtime
from events.store import load
from events.testing import eventually
from notifications.domain.notification import MAX_ATTEMPTS, Stage, notification_id
from notifications.policies import addressing, delivering
from notifications.read_models.cases import cases
from notifications.read_models.categories import categories
from notifications.read_models.contacts import contacts
from notifications.read_models.notification_board import Row

from services.notifications.tests.conftest import (
    Mailbox,
    Receiver,
    World,
    all_of,
    by,
    chen,
    closed,
    dispatched,
    email,
    escalated,
    holding,
    http,
    li,
    merged,
    on_the_way,
    reported,
    sent_back,
    state_of,
    street_light,
    taken_up,
    webhook,
    withdrawn,
)


async def settled(runtime: Runtime, count: int, state: Stage = Stage.DELIVERED) -> list[Row]:
    """So many notifications, all of them in this state."""

    async def so() -> bool:
        rows = await all_of(runtime)
        assert [row.state for row in rows] == [state] * count, rows
        return True

    await eventually(so)
    return await all_of(runtime)


async def arrived(runtime: Runtime, written: list[Token], *read_models: ReadModel) -> None:
    """These read models show what the others published."""
    for it in written:
        for read_model in read_models:
            await runtime.commands.wait_for(it, read_model, 30)


async def test_the_worker_is_told_of_a_dispatch_by_every_channel(
    world: World, mailbox: Mailbox, receiver: Receiver
) -> None:
    await world.registry(li(), street_light())
    await world.grid_tasks(reported(), dispatched())
    async with world.running(by(email(mailbox), webhook(receiver))) as runtime:
        rows = await settled(runtime, 2)
    assert {row.channel for row in rows} == {Channel.EMAIL, Channel.WEBHOOK}
    assert {row.recipient for row in rows} == {"member-li"}
    assert mailbox.recipients == ["li@example.org"]
    (hook,) = receiver.received
    assert json.loads(hook.body)["data"]["recipient"] == "member-li"


async def test_nothing_personal_and_nothing_that_a_reporter_wrote_leaves_the_house_or_is_recorded(
    world: World, mailbox: Mailbox, receiver: Receiver
) -> None:
    await world.registry(li(), chen(), street_light())
    await world.grid_tasks(reported(), dispatched(), sent_back(), escalated(), closed())
    async with world.running(by(email(mailbox), webhook(receiver))) as runtime:
        rows = await settled(runtime, 9)
        recorded = "".join(
            [raw.data.decode() for row in rows for raw in await load(runtime.db, f"notification-{row.id}")]
        )
    said = "".join(message.get_content() for message in mailbox.taken)
    hooks = "".join(hook.body.decode() for hook in receiver.received)
    for words in ("王阿姨", "灯还是不亮", "李伟"):
        assert words not in said + hooks + recorded
    for address in ("li@example.org", "chen@example.org", "resident@example.org"):
        assert address in mailbox.recipients
        assert address not in hooks + recorded


async def test_the_leader_of_the_grid_is_told_of_an_overdue_case_and_who_has_it(world: World, mailbox: Mailbox) -> None:
    await world.registry(li(), chen(), street_light())
    await world.grid_tasks(reported(), escalated())
    async with world.running(by(email(mailbox))) as runtime:
        rows = await settled(runtime, 2)
    told = {it.recipient: it.occasion for it in rows}
    assert told == {"grid_leader:G1": Occasion.CASE_ESCALATED, "member-li": Occasion.CASE_LATE}
    assert sorted(mailbox.recipients) == ["chen@example.org", "li@example.org"]


async def test_where_nobody_is_in_post_not_even_a_leader_both_who_are_above_are_told_at_once(
    world: World, mailbox: Mailbox
) -> None:
    above = holding("qian", Post.GRID_INSTRUCTOR, "G1"), holding("officer", Post.COMMUNITY_OFFICER, None)
    await world.registry(*above, street_light())
    nobody = escalated(rung=Rung.INSTRUCTOR, cause=EscalationCause.NOBODY_IN_POST)
    await world.grid_tasks(reported(), nobody)
    async with world.running(by(email(mailbox))) as runtime:
        rows = await settled(runtime, 2)
    assert {it.occasion for it in rows} == {Occasion.CASE_WITH_NOBODY}
    assert sorted(mailbox.recipients) == ["officer@example.org", "qian@example.org"]


async def test_the_leader_is_told_of_what_nobody_verifies_and_that_it_is_not_the_worker_who_is_late(
    world: World, mailbox: Mailbox
) -> None:
    await world.registry(li(), chen(), street_light())
    await world.grid_tasks(reported(), escalated(cause=EscalationCause.UNCHECKED))
    async with world.running(by(email(mailbox))) as runtime:
        (row,) = await settled(runtime, 1)
    assert row.occasion == Occasion.CASE_UNCHECKED
    assert mailbox.recipients == ["chen@example.org"]
    [message] = mailbox.taken
    assert "核查" in message.get_content()
    assert "nobody has said in time whether it is done" in message.get_content()


async def test_what_stays_late_is_told_higher_up_whoever_is_in_that_post_then(world: World, mailbox: Mailbox) -> None:
    await world.registry(
        li(),
        chen(),
        holding("qian", Post.GRID_INSTRUCTOR, "G1"),
        holding("officer", Post.COMMUNITY_OFFICER, None),
        holding("elsewhere", Post.GRID_INSTRUCTOR, "G2"),
        street_light(),
    )
    higher = (escalated(rung=rung) for rung in (Rung.INSTRUCTOR, Rung.OFFICER_OR_SECRETARY, Rung.STREET))
    await world.grid_tasks(reported(), escalated(), *higher)
    async with world.running(by(email(mailbox))) as runtime:
        await settled(runtime, 4)
    higher_up = ["officer@example.org", "qian@example.org"]
    assert sorted(mailbox.recipients) == ["chen@example.org", "li@example.org", *higher_up]


async def test_each_is_told_what_is_theirs_on_the_way(world: World, mailbox: Mailbox) -> None:
    await world.registry(li(), chen(), holding("helper", Post.AUXILIARY, None), street_light())
    await world.registry(holding("wang", Post.GRID_WORKER, "G1"))
    await world.grid_tasks(reported(), *on_the_way())
    async with world.running(by(email(mailbox))) as runtime:
        rows = await settled(runtime, 6)
    assert {(row.occasion, row.recipient) for row in rows} == {
        (Occasion.CASE_TAKEN_OVER, "member-wang"),
        (Occasion.CASE_WARNED, "member-li"),
        (Occasion.CASE_RETURNED, "grid_leader:G1"),
        (Occasion.CASE_HELP_ASKED, "member-helper"),
        (Occasion.CASE_QUESTION, "reporter"),
        (Occasion.CASE_REFUSED, "reporter"),
    }
    assert mailbox.recipients.count("resident@example.org") == 2


async def test_the_reporter_is_told_of_the_end_by_e_mail_if_they_left_a_contact(
    world: World, mailbox: Mailbox, receiver: Receiver
) -> None:
    await world.registry(street_light())
    await world.grid_tasks(
        reported("c1"), reported("c2", contact=None), closed("c1"), closed("c2"), reported("c3"), closed("c3")
    )
    async with world.running(by(email(mailbox), webhook(receiver))) as runtime:

        async def told() -> bool:
            return len(mailbox.taken) == 2

        async def nobody_told_of_c2() -> bool:
            # Whether it was known to have no contact when it was closed, or only when it was to be sent.
            return [row.state for row in await all_of(runtime) if row.case == "c2"] in ([], [Stage.WITHDRAWN])

        await eventually(told)
        await eventually(lambda: nothing_waits(runtime))
        await eventually(nobody_told_of_c2)
    assert mailbox.recipients == ["resident@example.org"] * 2
    assert receiver.received == []


async def told_of(runtime: Runtime, mailbox: Mailbox, expected: Mapping[str, Collection[Occasion]]) -> None:
    """Waits until the reporters of these cases were told of all this, each once; and nobody of anything else."""

    async def so() -> bool:
        rows = [row for row in await all_of(runtime) if row.state != Stage.WITHDRAWN]
        found = {(row.case, row.occasion) for row in rows if row.state == Stage.DELIVERED}
        return found == {(case, it) for case, told in expected.items() for it in told} and len(found) == len(rows)

    await eventually(so)
    await eventually(lambda: nothing_waits(runtime))
    assert Counter(mailbox.recipients) == {f"{case}@example.org": len(told) for case, told in expected.items()}


def reported_by_all(*cases: str) -> list[tuple[str, Event]]:
    return [reported(case, f"{case}@example.org") for case in cases]


async def test_who_reported_what_was_merged_is_told_so_and_the_end_of_what_went_on_for_it(
    world: World, mailbox: Mailbox
) -> None:
    await world.registry(li(), street_light())
    async with world.running(by(email(mailbox))) as runtime:
        chain = merged("c1", "c2"), merged("c2", "c3"), merged("c4", "c3"), closed("c3")
        await world.grid_tasks(*reported_by_all("c1", "c2", "c3"), reported("c4", contact=None), *chain)
        both = {Occasion.CASE_MERGED, Occasion.CASE_CLOSED}
        await told_of(runtime, mailbox, {"c1": both, "c2": both, "c3": {Occasion.CASE_CLOSED}})
        # What is heard of later, as it came by another partition.
        await world.grid_tasks(*reported_by_all("c5"), merged("c5", "c1"))
        await told_of(runtime, mailbox, {"c1": both, "c2": both, "c3": {Occasion.CASE_CLOSED}, "c5": both})
    said = [it.get_content() for it in mailbox.taken if "并案" in it["Subject"]]
    assert len(said) == 3
    assert "dealt with together with it" in said[0]


async def test_who_reported_what_was_taken_up_again_is_told_of_its_own_end(world: World, mailbox: Mailbox) -> None:
    await world.registry(li(), street_light())
    alone = merged("c1", "c2"), withdrawn("c2"), taken_up("c1", "c2"), closed("c1")
    in_a_circle = merged("c3", "c4"), merged("c4", "c3"), taken_up("c3", "c4"), closed("c3")
    await world.grid_tasks(*reported_by_all("c1", "c2", "c3", "c4"), *alone, *in_a_circle)
    async with world.running(by(email(mailbox))) as runtime:
        both = {Occasion.CASE_MERGED, Occasion.CASE_CLOSED}
        await told_of(runtime, mailbox, {"c1": both, "c3": both, "c4": both})


async def nothing_waits(runtime: Runtime) -> bool:
    return await runtime.db.fetchval("select count(*) from log.timers") == 0


async def test_who_has_left_the_roster_is_told_nothing_and_a_new_address_is_used_at_once(
    world: World, mailbox: Mailbox
) -> None:
    moved = MemberChanged(member="member-chen", name="陈芳", post=Post.GRID_WORKER, grid="G1", email="new@example.org")
    async with world.running(by(email(mailbox))) as runtime:
        left = ("member-li", MemberDismissed(member="member-li"))
        written = await world.registry(li(), chen(), street_light(), left, ("member-chen", moved))
        await arrived(runtime, written, contacts)
        await world.grid_tasks(reported(), dispatched(), reported("c2"), dispatched("c2", worker="member-chen"))

        async def ended() -> bool:
            return {row.case: row.state for row in await all_of(runtime)} == {
                "c1": Stage.WITHDRAWN,
                "c2": Stage.DELIVERED,
            }

        await eventually(ended)
    assert mailbox.recipients == ["new@example.org"]


async def test_a_reaction_that_runs_twice_tells_once(world: World, mailbox: Mailbox, receiver: Receiver) -> None:
    application = by(email(mailbox), webhook(receiver))
    await world.registry(li(), street_light())
    await world.grid_tasks(reported(), dispatched())
    async with world.running(application) as runtime:
        await settled(runtime, 2)
        dispatch = await _dispatch_of_c1(world)
        telling = application.service.policies[0]
        async with runtime.connection() as db:
            reacting = Reacting(telling, db, runtime.commands)
            await reacting.react([dispatch])
            await runtime.db.execute("delete from log.commands")  # not even with its keys forgotten
            await reacting.react([dispatch])
        rows = await all_of(runtime)
        assert len(rows) == 2
        await eventually(lambda: nothing_waits(runtime))
    assert len(mailbox.taken) == 1
    assert len(receiver.received) == 1


async def _dispatch_of_c1(world: World) -> Raw:
    db = await asyncpg.connect(world.databases["grid_tasks"])
    try:
        return (await load(db, "case-c1"))[1]
    finally:
        await db.close()


async def test_what_arrives_on_another_topic_later_is_waited_for(
    world: World, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addressing, "PATIENCE", 0.0)
    told = await world.grid_tasks(reported(), dispatched())
    async with world.running(by(email(mailbox))) as runtime:

        async def delayed() -> bool:
            rows = await all_of(runtime)
            assert [(row.state, row.attempts) for row in rows] == [(Stage.WAITING, 1)]
            return str(rows[0].error).endswith("not known here yet")

        await eventually(delayed)
        await arrived(runtime, told + await world.registry(li(), street_light()), cases, contacts, categories)
        world.trade.advance(seconds=11)
        (row,) = await settled(runtime, 1)
    assert row.attempts == 2
    assert mailbox.recipients == ["li@example.org"]


async def test_what_is_not_taken_is_tried_again_later_each_time_then_parked_and_again_when_a_person_says_so(
    world: World, mailbox: Mailbox
) -> None:
    mailbox.answers = ["451 later"] * MAX_ATTEMPTS
    await world.registry(li(), street_light())
    await world.grid_tasks(reported(), dispatched())
    id_ = notification_id("case-c1/2", "member-li", Channel.EMAIL)
    application = by(email(mailbox))
    async with world.running(application) as runtime:
        pauses: list[float] = []
        for attempt in range(1, MAX_ATTEMPTS):

            async def failed(attempt: int = attempt) -> bool:
                return (await state_of(runtime, id_)).attempts == attempt

            await eventually(failed)
            state = await state_of(runtime, id_)
            assert state.next_attempt is not None
            pauses.append((state.next_attempt - world.trade.now).total_seconds())
            due = await runtime.db.fetchval("select due from log.timers where stream = $1", f"notification-{id_}")
            assert due == state.next_attempt
            world.trade.now = due
        assert pauses == [10, 20, 40, 80, 160, 320, 640]
        (row,) = await settled(runtime, 1, Stage.PARKED)
        assert (row.attempts, row.error) == (MAX_ATTEMPTS, "SMTP 451")
        assert mailbox.taken == []
        await _retry_by_hand(application, runtime, id_)
        await settled(runtime, 1)
    assert mailbox.ids == [f"<{id_}@example.org>"]


async def _retry_by_hand(application: Application, runtime: Runtime, id: str) -> None:
    async with client(application, runtime) as anonymous:
        response = await anonymous.post(
            f"/notifications/{id}/retry", headers={"Idempotency-Key": "k1", "If-Match": "*"}
        )
        assert response.status_code == 401
    async with http(application, runtime) as operator:
        seen = await operator.get(f"/notifications/{id}")
        assert seen.json()["state"] == "parked"
        headers = {"Idempotency-Key": "k2", "If-Match": seen.headers["ETag"]}
        response = await operator.post(f"/notifications/{id}/retry", headers=headers)
        assert response.status_code == 200, response.text
        again = await operator.post(f"/notifications/{id}/retry", headers=headers | {"Idempotency-Key": "k3"})
        assert again.status_code == 412


async def test_a_receiver_that_never_answers_holds_nothing_up(
    world: World, receiver: Receiver, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "TIMEOUT", 0.5)
    receiver.hold = asyncio.Event()
    await world.registry(li(), street_light())
    await world.grid_tasks(reported(), dispatched())
    async with world.running(by(email(mailbox), webhook(receiver))) as runtime:

        async def delayed() -> bool:
            found = {row.channel: (row.state, row.error) for row in await all_of(runtime)}
            return found == {
                Channel.EMAIL: (Stage.DELIVERED, None),
                Channel.WEBHOOK: (Stage.WAITING, "no answer in time"),
            }

        await eventually(delayed)


async def test_a_process_that_dies_between_sending_and_recording_sends_again_with_the_same_id(
    world: World, receiver: Receiver
) -> None:
    await world.registry(li(), street_light())
    await world.grid_tasks(reported(), dispatched())
    receiver.hold = asyncio.Event()
    async with world.running(by(webhook(receiver))) as first:

        async def sending() -> bool:
            return len(receiver.received) == 1

        await eventually(sending)
        state = await state_of(first, receiver.received[0].headers["webhook-id"])
        assert (state.stage, state.attempts) == (Stage.WAITING, 0)
    receiver.hold.set()  # the process is gone; whether the message arrived, it never learned
    async with world.running(by(webhook(receiver))) as second:
        # The claim of the first process ends by the machine's clock; this is as if that time had passed.
        await second.db.execute("update log.timers set claimed_until = '-infinity'")
        (row,) = await settled(second, 1)
    assert row.attempts == 1
    sent, repeated = receiver.received
    assert sent.headers["webhook-id"] == repeated.headers["webhook-id"] == row.id
    assert sent.body == repeated.body


async def test_a_restart_neither_loses_nor_repeats_anything(world: World, mailbox: Mailbox) -> None:
    await world.registry(li(), street_light())
    reported_cases = [f"c{n}" for n in range(20)]
    await world.grid_tasks(*(event for case in reported_cases for event in (reported(case), dispatched(case))))
    application = by(email(mailbox))
    while True:
        async with world.running(application) as runtime:
            seen = len(mailbox.taken)

            async def more(seen: int = seen) -> bool:
                return len(mailbox.taken) >= min(seen + 5, 20)

            await eventually(more)
            await runtime.db.execute("update log.timers set claimed_until = '-infinity'")
            if seen >= 20:
                await settled(runtime, 20)
                break
    # A restart may come between sending and recording: then the same message is sent again, and only then.
    assert len(set(mailbox.ids)) == 20


async def test_without_channels_nobody_is_told_and_nothing_fails(world: World) -> None:
    await world.registry(li(), street_light())
    await world.grid_tasks(reported(), dispatched())
    async with world.running(by()) as runtime:

        async def read() -> bool:
            done = await runtime.db.fetchval(
                "select sum(next_offset) from log.progress where consumer = 'telling' and source like '%.case'"
            )
            return done == 2

        await eventually(read)
        assert await all_of(runtime) == []
        assert runtime.measures.parked == {}
