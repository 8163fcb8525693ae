"""A short fault run: a few rounds of harm on a system with one Kafka node, the same each time."""

from pathlib import Path
from random import Random

import pytest
from harms import HARMS
from rounds import Rounds, deck
from town import Town

SEED = 7
ROUNDS = (
    ("kill the relay",),
    ("freeze a copy", "kill postgres"),
    ("cut postgres", "stall kafka"),
    ("kill both copies",),
)


@pytest.mark.timeout(900)
async def test_nothing_is_lost_and_nothing_is_doubled(tmp_path: Path) -> None:
    async with Town(tmp_path, brokers=1) as town, Rounds(town, SEED) as rounds:
        for number, harms in enumerate(ROUNDS, 1):
            result = await rounds.play(number, harms)
            assert not result.wrong, f"{result}: {result.wrong[:20]}; logs in {town.logs}"
            assert result.acknowledged > 40


def test_the_deck_gives_each_harm_equally_often_alone_and_in_pairs_and_the_same_for_the_same_seed() -> None:
    names = list(HARMS)
    hands, again = (deck(Random(SEED), names) for _ in range(2))  # noqa: S311
    dealt = [next(hands) for _ in range(2 * len(names))]
    assert dealt == [next(again) for _ in dealt]
    assert {len(hand) for hand in dealt} == {1, 2}
    assert all(len(set(hand)) == len(hand) for hand in dealt)
    times = [sum(name in hand for hand in dealt) for name in names]
    assert set(times) == {3}
