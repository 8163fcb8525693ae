"""How often a caller may ask: so many at once, then as they come back, each for themselves, and told so."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from edge import Application
from edge.callers import Callers
from edge.rates import Buckets, Rate, Rates, by_address
from edge.testing import given as on_the_list
from edge.testing import issuer, token
from edge.testing import told as tell
from events.runtime import Runtime
from hypothesis import given
from hypothesis import strategies as st

from libs.edge.tests.test_problems import assert_problem

from .conftest import USE


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(buckets: Buckets, caller: str, times: int) -> int:
    return sum(buckets.take(caller)[0] for _ in range(times))


def told(buckets: Buckets, caller: str) -> str:
    return dict(buckets.take(caller)[1])[b"ratelimit"].decode()


def test_so_many_are_taken_at_once_and_not_one_more() -> None:
    assert taken(Buckets("reads", Rate(60, 5), Clock()), "li", 9) == 5


def test_they_come_back_one_by_one() -> None:
    clock = Clock()
    buckets = Buckets("reads", Rate(60, 5), clock)
    taken(buckets, "li", 5)
    clock.now += 0.9
    assert taken(buckets, "li", 9) == 0
    clock.now += 0.2
    assert taken(buckets, "li", 9) == 1
    clock.now += 3
    assert taken(buckets, "li", 9) == 3


def test_a_bucket_holds_no_more_than_it_held_at_first_however_long_nobody_took_from_it() -> None:
    clock = Clock()
    buckets = Buckets("reads", Rate(60, 5), clock)
    for pause in (4.9, 5, 5.1, 10, 3600):
        taken(buckets, "li", 99)
        clock.now += pause
        assert taken(buckets, "li", 99) == min(5, int(pause))


def test_each_caller_has_a_bucket_of_their_own() -> None:
    buckets = Buckets("reads", Rate(60, 5), Clock())
    assert taken(buckets, "li", 9) == 5
    assert taken(buckets, "chen", 9) == 5


def test_what_is_told_is_what_is_left() -> None:
    clock = Clock()
    buckets = Buckets("writes", Rate(30, 3), clock)
    assert [told(buckets, "li") for _ in range(4)] == [f'"writes";r={left};t=2' for left in (2, 1, 0, 0)]
    assert dict(buckets.take("li")[1])[b"ratelimit-policy"] == b'"writes";q=3;w=6'
    clock.now += 4
    assert told(buckets, "li") == '"writes";r=1;t=2'


def test_only_those_are_remembered_whose_bucket_may_not_be_full() -> None:
    clock = Clock()
    buckets = Buckets("reads", Rate(60, 5), clock)
    for nth in range(10_000):
        buckets.take(f"caller-{nth}")
        clock.now += 0.01
    assert len(buckets) <= 1_100


@given(pauses=st.lists(st.floats(0, 0.4), min_size=30, max_size=60) | st.lists(st.floats(0, 20), max_size=60))
def test_in_no_time_are_more_taken_than_the_burst_and_what_has_come_back(pauses: list[float]) -> None:
    """Against the definition: of any stretch of time, burst and rate together are the most."""
    clock = Clock()
    buckets = Buckets("reads", Rate(120, 4), clock)
    taken_at: list[float] = []
    refused = 0
    for pause in pauses:
        clock.now += pause
        if buckets.take("li")[0]:
            taken_at.append(clock.now)
        else:
            refused += 1
    for first, began in enumerate(taken_at):
        for last in range(first, len(taken_at)):
            assert last - first + 1 <= 4 + (taken_at[last] - began) * 2 + 1e-3
    if all(pause >= 0.5 for pause in pauses):
        assert refused == 0


@pytest.mark.parametrize("text", ["", "10", "10/", "/10", "0/5", "5/0", "-1/5", "1e3/5", "10/5/2", " 10/5"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="written like"):
        Rate.parse(text)


def test_a_household_behind_ipv6_has_one_bucket_however_many_addresses_it_takes() -> None:
    assert by_address("2400:3200::1") == by_address("2400:3200::ffff:1:2:3") != by_address("2400:3200:0:1::1")
    assert by_address("::ffff:192.0.2.1") != by_address("::ffff:192.0.2.2")
    assert by_address("192.0.2.1") != "192.0.2.1", "a caller might call themselves so"


# --- over HTTP


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def limited(application: Application, runtime: Runtime, clock: Clock) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of the service; a caller may read twice and write once, and once more every second."""
    app = application.api(runtime, Callers(issuer()), Rates(Rate(60, 2), Rate(60, 1), ["a-service-of-ours"], clock))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://suggestions") as http:
        yield http


@pytest.fixture
async def generous(application: Application, runtime: Runtime, clock: Clock) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of the service, where a caller may read nine times."""
    app = application.api(runtime, Callers(issuer()), Rates(Rate(60, 9), Rate(60, 1), [], clock))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://suggestions") as http:
        yield http


def signed_in(who: str, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(who, **claims)}"}


async def statuses(http: httpx2.AsyncClient, times: int, headers: dict[str, str] | None = None) -> list[int]:
    return [(await http.get("/suggestions", headers=headers)).status_code for _ in range(times)]


async def test_whoever_asks_too_often_is_told_for_how_long_to_wait(limited: httpx2.AsyncClient, clock: Clock) -> None:
    first = await limited.get("/suggestions")
    assert first.headers["ratelimit"] == '"reads";r=1;t=1'
    assert first.headers["ratelimit-policy"] == '"reads";q=2;w=2'
    await limited.get("/suggestions")
    refused = await limited.get("/suggestions")
    problem = assert_problem(refused, 429, "quota-exceeded")
    assert problem["violated_policies"] == ["reads"]
    assert refused.headers["ratelimit"] == '"reads";r=0;t=1'
    clock.now += int(refused.headers["retry-after"])
    assert await statuses(limited, 1) == [200]


async def test_reading_and_writing_are_two_things(limited: httpx2.AsyncClient) -> None:
    assert await statuses(limited, 3) == [200, 200, 429]
    body, headers = {"text": "a bench"}, {"Idempotency-Key": "1"}
    assert (await limited.post("/suggestions", json=body, headers=headers)).status_code == 201
    refused = await limited.post("/suggestions", json=body, headers=headers)
    assert assert_problem(refused, 429, "quota-exceeded")["violated_policies"] == ["writes"]


async def test_a_caller_who_proved_who_they_are_has_a_quota_of_their_own(limited: httpx2.AsyncClient) -> None:
    li, chen = signed_in("li"), signed_in("chen")
    assert await statuses(limited, 1, li) == [200]  # by the address: nobody knew this token yet
    assert await statuses(limited, 1, chen) == [200]
    assert await statuses(limited, 1) == [429]
    assert await statuses(limited, 3, li) == [200, 200, 429]
    assert await statuses(limited, 3, chen) == [200, 200, 429]


async def test_a_partner_has_the_quota_of_the_power_list_beside_and_is_told_both(
    generous: httpx2.AsyncClient, database: str, clock: Clock
) -> None:
    await tell(database, on_the_list(USE, "partner:fire 60/2", "partner:market 60/1", "grid_worker"))
    fire, market = signed_in("fire", client_id="fire"), signed_in("market", client_id="market")
    first = await generous.get("/suggestions", headers=fire)
    assert (first.headers["ratelimit"], first.headers["ratelimit-policy"]) == (
        f'"reads";r=8;t=1, "{USE}";r=1;t=1',
        f'"reads";q=9;w=9, "{USE}";q=2;w=2',
    )
    assert await statuses(generous, 2, fire) == [200, 429]
    refused = await generous.get("/suggestions", headers=fire)
    assert assert_problem(refused, 429, "quota-exceeded")["violated_policies"] == [USE]
    assert refused.headers["retry-after"] == "1"
    assert await statuses(generous, 2, market) == [200, 429], "each has a quota of their own"
    assert await statuses(generous, 3, signed_in("li")) == [200, 200, 200], "people have none"
    clock.now += 1
    assert await statuses(generous, 2, fire) == [200, 429]


async def test_made_up_tokens_open_no_new_buckets(limited: httpx2.AsyncClient) -> None:
    tokens = [signed_in(f"made-up-{nth}", aud="elsewhere") for nth in range(4)]
    answers = [(await limited.get("/suggestions", headers=it)).status_code for it in tokens]
    assert answers == [401, 401, 429, 429]


async def test_health_and_metrics_always_answer(limited: httpx2.AsyncClient) -> None:
    await statuses(limited, 5)
    for path in ("/healthz", "/readyz", "/metrics"):
        answer = await limited.get(path)
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


async def test_the_systems_own_services_are_not_limited(limited: httpx2.AsyncClient) -> None:
    ours = signed_in("a-service-of-ours")
    assert await statuses(limited, 9, ours) == [200] * 9
