"""Partners' systems are told of what happens to cases, by webhooks that their own library can verify."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from contracts.registry import PowerWithdrawn
from edge import Application
from edge.testing import client, token, told
from events.runtime import Runtime
from events.testing import eventually
from httpx2 import AsyncClient, Response
from notifications.channels.partners import Partners
from notifications.channels.posting import Posting, key_of
from notifications.domain.notification import Stage
from notifications.read_models.notification_board import Row
from notifications.service import compose
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from services.notifications.tests.conftest import (
    SECRET,
    Received,
    Receiver,
    World,
    all_of,
    closed,
    dispatched,
    reported,
    street_light,
)

CLOSED = "commongrid.grid_tasks.case.closed.v1"
DISPATCHED = "commongrid.grid_tasks.case.dispatched.v1"
HOTLINE = "hotline_12345"


@dataclass
class Partner:
    """A partner's system, which calls by itself."""

    http: AsyncClient
    calls: int = 0

    async def does(self, path: str, body: object = None, version: str | None = None) -> Response:
        self.calls += 1
        headers = {"Idempotency-Key": str(self.calls)} | ({"If-Match": version} if version else {})
        return await self.http.post(path, json=body, headers=headers)

    async def subscribes(self, url: str, *types: str) -> str:
        answer = await self.does("/subscriptions", {"url": url, "types": list(types)})
        assert answer.status_code == 201, answer.text
        token = {"Consistency-Token": answer.headers["Consistency-Token"]}
        assert (await self.http.get("/subscriptions", headers=token)).status_code == 200  # from now on
        return answer.json()["subscription"]

    async def secret(self, subscription: str) -> str:
        return (await self.http.get(f"/subscriptions/{subscription}/secret")).json()["secret"]


def open_to_partners(*, local: bool = True) -> Application:
    way = Partners(key_of(SECRET), Posting(local))
    return compose(dict, lambda: 0.5, lambda: way)


@asynccontextmanager
async def at_work(world: World, *, local: bool = True) -> AsyncGenerator[tuple[Partner, Runtime]]:
    application = open_to_partners(local=local)
    async with (
        world.running(application) as runtime,
        client(application, runtime, token(HOTLINE, client_id=HOTLINE)) as http,
    ):
        yield Partner(http), runtime


async def settled(runtime: Runtime, *states: Stage) -> list[Row]:
    async def so() -> bool:
        assert sorted(row.state for row in await all_of(runtime)) == sorted(states)
        return True

    await eventually(so)
    return await all_of(runtime)


def verified(secret: str, hook: Received) -> dict[str, object]:
    """As the partner's own library reads it; raises WebhookVerificationError."""
    return Verifier(secret).verify(hook.body, hook.headers)


async def test_a_partner_is_told_of_what_it_subscribed_and_can_verify_it(world: World, receiver: Receiver) -> None:
    await world.registry(street_light())
    async with at_work(world) as (partner, runtime):
        subscription = await partner.subscribes(receiver.url, CLOSED)
        await world.grid_tasks(reported(), dispatched(), closed())
        (row,) = await settled(runtime, Stage.DELIVERED)
        (hook,) = receiver.received
        said = verified(await partner.secret(subscription), hook)
        assert (said["type"], said["data"]["case"]) == (CLOSED, "c1")  # type: ignore[index]
        assert hook.headers["webhook-id"] == row.id
        for personal in ("王阿姨", "resident@example.org", "member-li"):
            assert personal not in hook.body.decode()
        with pytest.raises(WebhookVerificationError):
            verified(SECRET, hook)
        [delivery] = (await partner.http.get(f"/subscriptions/{subscription}/deliveries")).json()
        assert (delivery["state"], delivery["case"]) == ("delivered", "c1")


async def test_for_a_day_after_a_renewal_both_secrets_verify_and_then_the_new_one_alone(
    world: World, receiver: Receiver
) -> None:
    async with at_work(world) as (partner, runtime):
        subscription = await partner.subscribes(receiver.url, CLOSED)
        before = await partner.secret(subscription)
        assert (await partner.does(f"/subscriptions/{subscription}/renewal", version='"v1"')).status_code == 200
        after = await partner.secret(subscription)
        await world.grid_tasks(reported(), closed())
        await settled(runtime, Stage.DELIVERED)
        assert verified(before, receiver.received[0]) == verified(after, receiver.received[0])
        world.trade.advance(days=1)
        await world.grid_tasks(reported("c2"), closed("c2"))
        await settled(runtime, Stage.DELIVERED, Stage.DELIVERED)
        assert verified(after, receiver.received[1])
        with pytest.raises(WebhookVerificationError):
            verified(before, receiver.received[1])


async def test_who_says_that_it_is_gone_is_not_told_again(world: World, receiver: Receiver) -> None:
    receiver.answers = [410]
    async with at_work(world) as (partner, runtime):
        await partner.subscribes(receiver.url, CLOSED, DISPATCHED)
        await world.grid_tasks(reported(), dispatched())
        await settled(runtime, Stage.PARKED)
        assert (await partner.http.get("/subscriptions")).json() == []


async def test_who_has_lost_the_power_is_told_nothing_more(world: World, receiver: Receiver) -> None:
    receiver.answers = [503]
    async with at_work(world) as (partner, runtime):
        await partner.subscribes(receiver.url, CLOSED)
        await world.grid_tasks(reported(), closed())

        async def waits() -> bool:
            return [row.attempts for row in await all_of(runtime)] == [1]

        await eventually(waits)
        await told(world.databases["notifications"], PowerWithdrawn(power="subscriptions.keep"))
        world.trade.advance(minutes=1)
        (row,) = await settled(runtime, Stage.WITHDRAWN)
    assert row.error == "the power list does not give them subscriptions.keep any more"
    assert len(receiver.received) == 1


async def test_a_subscription_is_its_partners_alone(world: World, receiver: Receiver) -> None:
    async with at_work(world) as (partner, runtime):
        subscription = await partner.subscribes(receiver.url, CLOSED)
        async with client(open_to_partners(), runtime, token("operator")) as operator:
            assert (await operator.get(f"/subscriptions/{subscription}/secret")).status_code == 403
        assert (await partner.does(f"/subscriptions/{subscription}/end", version='"v1"')).status_code == 200
        again = await partner.does(f"/subscriptions/{subscription}/renewal", version='"v2"')
        assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "subscription-over")
        await world.grid_tasks(reported(), closed())
        assert (await partner.http.get("/subscriptions")).json() == []


async def test_what_cannot_be_subscribed_is_refused_and_said(world: World) -> None:
    async with at_work(world, local=False) as (partner, _):
        erased = "commongrid.grid_tasks.case.text_erased.v1"
        answer = await partner.does("/subscriptions", {"url": "https://example.org/hook", "types": [erased]})
        assert answer.status_code == 422
        assert answer.json()["unknown"] == [erased]
        assert CLOSED in answer.json()["known"]
        answer = await partner.does("/subscriptions", {"url": "https://example.org:22/hook", "types": [CLOSED]})
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "not-a-target")
