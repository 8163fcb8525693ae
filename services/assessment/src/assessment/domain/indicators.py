"""Scores from outcomes (考核): in time, verified at the first attempt, confirmed by the reporter. Nothing else counts.

Visits and kilometres score nothing, and neither does the number of cases: it depends on the grid, not on the worker,
and whatever is counted will be produced.

Small numbers. One case handled well is not yet a record, and one that went wrong is not yet a failure. Each worker's
cases are therefore counted together with ANCHOR cases at the community's average: shrinkage towards the mean,
(k + mμ) / (n + m), an estimate of the empirical Bayes kind (Efron and Morris, "Data Analysis Using Stein's Estimator
and its Generalizations", JASA 70 (1975) 311-319) with a fixed, public m. The lower bound of Wilson's interval (JASA 22
(1927) 209-212) was the other candidate; it treats "few cases" as "bad" (one of one gives 0.21), so a quiet grid could
never have a five-star worker, and it cannot be explained on a wall. "As if five average cases were added" can.

A worker whom nobody rated stands at the community's average for satisfaction. Leaving the indicator out for that worker
alone would reward whoever keeps reporters from rating. Where nobody rated in the whole community, the other
weights are scaled up to 100.

All arithmetic is exact (fractions); each indicator's points are rounded to tenths, and the score is their sum, so that
the columns on the wall add up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from contracts.assessment import Indicator, Method, Score, Weight

WEIGHTS: Mapping[Indicator, int] = {Indicator.ON_TIME: 40, Indicator.FIRST_ATTEMPT: 35, Indicator.SATISFACTION: 25}
"""Points that each indicator can give; public, and 100 together."""

ANCHOR = 5
"""How many cases (ratings) at the community's average are counted in with each worker's own."""

STARS_FROM = {5: 90, 4: 80, 3: 70, 2: 60}
"""From how many points there are so many stars; below, there is one. Fixed marks, no quota: all may have five."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the cases that a worker closed in a month. Sums, so that the order of events does not matter."""

    worker: str
    grid: str | None
    closed: int
    on_time: int
    first_attempt: int
    ratings: int = 0
    rating_sum: int = 0
    """Of ratings 1 (not at all satisfied) to 5 (very)."""


@dataclass(frozen=True, slots=True)
class Board:
    """The scores of a month, best first, and how they were calculated."""

    method: Method
    scores: tuple[Score, ...]


def board(outcomes: Iterable[Outcome]) -> Board:
    """The board of a month. Who closed no case has no score: there is nothing to judge."""
    judged = [outcome for outcome in outcomes if outcome.closed]
    averages = {
        indicator: average for indicator in WEIGHTS if (average := community_average(judged, indicator)) is not None
    }
    scale = Fraction(100, sum(WEIGHTS[indicator] for indicator in averages) or 100)
    weights = {indicator: WEIGHTS[indicator] * scale for indicator in averages}
    method = Method(
        anchor=ANCHOR,
        weights=[
            Weight(indicator=indicator, points=_tenths(weights[indicator]) / 10, average=float(average))
            for indicator, average in averages.items()
        ],
    )
    scores = (_score(outcome, weights, averages) for outcome in judged)
    return Board(method, tuple(sorted(scores, key=lambda score: (-score.points, score.worker))))


def counted(outcome: Outcome, indicator: Indicator) -> tuple[Fraction, int]:
    """How much succeeded, of how many; a rating of 1 to 5 counts as 0 to 1."""
    match indicator:
        case Indicator.ON_TIME:
            return Fraction(outcome.on_time), outcome.closed
        case Indicator.FIRST_ATTEMPT:
            return Fraction(outcome.first_attempt), outcome.closed
        case Indicator.SATISFACTION:
            return Fraction(outcome.rating_sum - outcome.ratings, 4), outcome.ratings


def community_average(outcomes: Sequence[Outcome], indicator: Indicator) -> Fraction | None:
    """The share over all cases (ratings) of the community; none if there are none."""
    pairs = [counted(outcome, indicator) for outcome in outcomes]
    of = sum(number for _, number in pairs)
    return sum((succeeded for succeeded, _ in pairs), Fraction()) / of if of else None


def with_anchor(succeeded: Fraction, of: int, average: Fraction) -> Fraction:
    """The share once ANCHOR average cases are counted in."""
    return (succeeded + ANCHOR * average) / (of + ANCHOR)


def stars(points: float) -> int:
    """One to five stars for 0 to 100 points."""
    return next((count for count, least in STARS_FROM.items() if points >= least), 1)


def ranks(scores: Sequence[Score]) -> list[int]:
    """The place of each score: who has the same points has the same place, and the next place is left out (1, 1, 3)."""
    return [1 + sum(other.points > score.points for other in scores) for score in scores]


def _score(outcome: Outcome, weights: Mapping[Indicator, Fraction], averages: Mapping[Indicator, Fraction]) -> Score:
    tenths = {
        indicator: _tenths(weight * with_anchor(*counted(outcome, indicator), averages[indicator]))
        for indicator, weight in weights.items()
    }
    points = sum(tenths.values()) / 10
    satisfied, ratings = counted(outcome, Indicator.SATISFACTION)
    return Score(
        worker=outcome.worker,
        grid=outcome.grid,
        closed=outcome.closed,
        on_time=outcome.on_time / outcome.closed,
        first_attempt=outcome.first_attempt / outcome.closed,
        ratings=ratings,
        satisfaction=float(satisfied / ratings) if ratings else None,
        by_indicator={indicator: tenth / 10 for indicator, tenth in tenths.items()},
        points=points,
        stars=stars(points),
    )


def _tenths(points: Fraction) -> int:
    """Tenths of a point, halves up."""
    return int(points * 10 + Fraction(1, 2))
