"""Whatever is done to stores, topics and read models, they hold what plain lists and dicts hold (promises 1 to 6).

At random: commands, keys, timers, transactions that stay late, relays and consumers that are killed, overtaken or given
repeats, poison, retries, rebuilds. COMMONGRID_MODEL=500x80 tries 500 lives of 80 steps, other ones every time.
"""

import os
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, cast

import pytest
from desk_machine import Machine, service
from events.migrate import migrate
from events.settings import Settings
from events.testing import RING
from front_desk import hall, journal
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from town_machine import HEARD, PARTITIONS, Town

NO_KAFKA = "127.0.0.1:9"

pytestmark = pytest.mark.timeout(0 if "COMMONGRID_MODEL" in os.environ else 300)


def lives(usual: str) -> settings:
    """How many lives of how many steps: the same every time, unless somebody asks for more."""
    number, steps = map(int, os.environ.get("COMMONGRID_MODEL", usual).split("x"))
    return settings(
        max_examples=number,
        stateful_step_count=steps,
        derandomize="COMMONGRID_MODEL" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


@pytest.fixture
async def template(new_database: Callable[..., Awaitable[str]]) -> str:
    """A database that is set up: each life begins with a copy."""
    url = await new_database()
    for its in (service(), hall(journal(HEARD))):
        await migrate(its, Settings(url, NO_KAFKA, keys=RING))
    return url


def test_a_store_and_its_read_models_do_as_the_model_does(postgres_server: str, template: str) -> None:
    def machine() -> Machine:
        return Machine(postgres_server, template, lambda url: Settings(url, NO_KAFKA, keys=RING))

    run_state_machine_as_test(cast(Any, machine), settings=lives("12x25"))  # pyright: ignore[reportUnknownMemberType]


def test_relays_and_those_who_follow_by_topics_do_as_the_model_does(
    postgres_server: str, kafka_server: str, topic_prefix: str, template: str
) -> None:
    numbers = count()

    def town() -> Town:
        prefix = f"{topic_prefix}-{next(numbers)}"

        def settings(url: str) -> Settings:
            return Settings(url, kafka_server, prefix, partitions=PARTITIONS, keys=RING)

        return Town(postgres_server, template, settings)

    run_state_machine_as_test(cast(Any, town), settings=lives("5x20"))  # pyright: ignore[reportUnknownMemberType]
