"""A score follows from outcomes only, is fair to few cases, and adds up on the wall."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from assessment.domain.explanation import method_text, reasons, ties
from assessment.domain.indicators import ANCHOR, WEIGHTS, Outcome, board, ranks, stars, with_anchor
from contracts.assessment import Indicator, Score
from hypothesis import assume, given
from hypothesis import strategies as st


@st.composite
def outcomes(draw: st.DrawFn, worker: str = "w") -> Outcome:
    closed = draw(st.integers(1, 40))
    ratings = draw(st.integers(0, closed))
    return Outcome(
        worker,
        "G1",
        closed,
        draw(st.integers(0, closed)),
        draw(st.integers(0, closed)),
        ratings,
        draw(st.integers(ratings, 5 * ratings)),
    )


@st.composite
def communities(draw: st.DrawFn) -> list[Outcome]:
    return [draw(outcomes(worker=f"w{n}")) for n in range(draw(st.integers(1, 8)))]


def score_of(worker: str, community: Sequence[Outcome]) -> Score:
    return next(score for score in board(community).scores if score.worker == worker)


LI = Outcome("li", "G1", closed=10, on_time=9, first_attempt=8, ratings=4, rating_sum=18)
WANG = Outcome("wang", "G2", closed=10, on_time=7, first_attempt=8, ratings=2, rating_sum=6)


def test_points_are_the_weighted_outcomes_each_counted_together_with_five_average_cases():
    li = score_of("li", [LI, WANG])
    # On time: 9 of 10, and 5 at the average of 16/20: 13/15 of 40. First attempt: 8/10, as the average: 0.8 of 35.
    # Satisfaction: ratings 4.5 (0.875) of 4, and 5 at the average of 4.5/6 = 0.75 ... (3.5 + 3.75) / 9 of 25.
    assert li.by_indicator == {Indicator.ON_TIME: 34.7, Indicator.FIRST_ATTEMPT: 28.0, Indicator.SATISFACTION: 20.1}
    assert li.points == 82.8
    assert li.stars == 4
    assert (li.on_time, li.first_attempt, li.satisfaction, li.ratings) == (0.9, 0.8, 0.875, 4)


def test_the_public_weights_make_a_hundred():
    assert sum(WEIGHTS.values()) == 100


def test_where_nobody_in_the_community_rated_the_other_weights_are_scaled_to_a_hundred():
    silent = board([replace(LI, ratings=0, rating_sum=0, on_time=10, first_attempt=10)])
    assert [(weight.indicator, weight.points) for weight in silent.method.weights] == [
        (Indicator.ON_TIME, 53.3),
        (Indicator.FIRST_ATTEMPT, 46.7),
    ]
    assert silent.scores[0].points == 100
    assert silent.scores[0].satisfaction is None


def test_a_worker_whom_nobody_rated_stands_at_the_communitys_average():
    unrated = replace(WANG, ratings=0, rating_sum=0)
    assert score_of("wang", [LI, unrated]).by_indicator[Indicator.SATISFACTION] == 21.9  # 0.875 of 25, as all ratings


def test_keeping_a_reporter_from_giving_the_best_rating_gains_nothing():
    unrated, praised = replace(WANG, ratings=0, rating_sum=0), replace(WANG, ratings=1, rating_sum=5)
    assert score_of("wang", [LI, praised]).points > score_of("wang", [LI, unrated]).points


def test_one_lucky_case_does_not_beat_a_long_good_record():
    lucky = Outcome("lucky", "G1", 1, 1, 1)
    steady = Outcome("steady", "G2", 30, 29, 29)
    poor = Outcome("poor", "G3", 20, 10, 10)
    assert [score.worker for score in board([lucky, steady, poor]).scores] == ["steady", "lucky", "poor"]


def test_one_unlucky_case_is_not_the_end():
    unlucky = Outcome("unlucky", "G1", 1, 0, 0)
    steady = Outcome("steady", "G2", 30, 29, 29)
    assert score_of("unlucky", [unlucky, steady]).points > 75


def test_who_closed_nothing_has_no_score():
    assert board([replace(LI, closed=0, on_time=0, first_attempt=0, ratings=0, rating_sum=0)]).scores == ()
    assert board([]).method.weights == []


@pytest.mark.parametrize(
    ("points", "expected"), [(100, 5), (90, 5), (89.9, 4), (80, 4), (70, 3), (60, 2), (59.9, 1), (0, 1)]
)
def test_stars_by_fixed_marks(points: float, expected: int):
    assert stars(points) == expected


def test_equal_points_share_a_place_and_the_next_is_left_out():
    twin = replace(LI, worker="zhao")
    scores = board([WANG, twin, LI]).scores
    assert ([score.worker for score in scores], ranks(scores)) == (["li", "zhao", "wang"], [1, 1, 3])
    said = ties(scores)
    assert said
    assert "并列" in said.zh
    assert ties(board([LI, WANG]).scores) is None


def test_every_indicator_is_explained_in_both_languages_with_its_points():
    shown = board([LI, WANG])
    li = next(score for score in shown.scores if score.worker == "li")
    on_time, _, satisfaction = reasons(li, shown.method)
    assert on_time.zh == "按时办结：10件中9件（90.0%），与按社区平均80.0%计的5件合并为86.7%，得34.7分（满分40分）。"
    assert on_time.en == (
        "On time: 9 of 10 cases (90.0%); with 5 at the community's average of 80.0% that makes 86.7%: "
        "34.7 of 40 points."
    )
    assert "4人评价，平均4.5分" in satisfaction.zh
    assert "nobody rated" in reasons(replace_unrated(li), shown.method)[2].en


def replace_unrated(score: Score) -> Score:
    return score.model_copy(update={"satisfaction": None, "ratings": 0})


def test_the_method_is_two_sentences_that_name_the_weights_and_what_does_not_count():
    text = method_text(board([LI]).method)
    assert "按时办结40分、一次核查通过35分、群众满意度25分" in text.zh
    assert "走访次数、巡查里程和办件数量都不计分" in text.zh
    assert text.zh.count("。") == 2
    assert text.en.count(". ") == 1
    assert text.en.endswith("average.")


@given(communities())
def test_points_are_between_0_and_100_and_are_the_sum_of_their_parts(community: list[Outcome]):
    for score in board(community).scores:
        assert 0 <= score.points <= 100
        assert score.points == sum(round(part * 10) for part in score.by_indicator.values()) / 10


@given(communities(), st.data())
def test_one_more_case_on_time_never_lowers_the_points(community: list[Outcome], data: st.DataObject):
    late = [outcome for outcome in community if outcome.on_time < outcome.closed]
    assume(late)
    chosen = data.draw(st.sampled_from(late))
    better = [replace(o, on_time=o.on_time + 1) if o is chosen else o for o in community]
    assert score_of(chosen.worker, better).points >= score_of(chosen.worker, community).points


@given(communities(), st.data())
def test_one_more_case_that_went_well_never_lowers_the_points(community: list[Outcome], data: st.DataObject):
    chosen = data.draw(st.sampled_from(community))
    better = [
        replace(o, closed=o.closed + 1, on_time=o.on_time + 1, first_attempt=o.first_attempt + 1) if o is chosen else o
        for o in community
    ]
    assert score_of(chosen.worker, better).points >= score_of(chosen.worker, community).points


@given(communities(), st.data())
def test_one_more_best_rating_never_lowers_the_points(community: list[Outcome], data: st.DataObject):
    assume(any(outcome.ratings for outcome in community))
    chosen = data.draw(st.sampled_from(community))
    better = [replace(o, ratings=o.ratings + 1, rating_sum=o.rating_sum + 5) if o is chosen else o for o in community]
    assert score_of(chosen.worker, better).points >= score_of(chosen.worker, community).points


@given(communities(), st.randoms(use_true_random=False))
def test_the_order_in_which_outcomes_are_read_does_not_matter(community: list[Outcome], random: Random):
    shuffled = random.sample(community, len(community))
    assert board(shuffled) == board(community)


@given(st.integers(1, 60), st.integers(1, 60), st.fractions(0, 1))
def test_a_record_without_failure_is_worth_no_less_when_it_is_longer(few: int, more: int, average: Fraction):
    few, many = min(few, more), max(few, more)
    assert with_anchor(Fraction(few), few, average) <= with_anchor(Fraction(many), many, average)


@given(st.integers(1, 60), st.fractions(0, 1))
def test_the_number_of_cases_by_itself_changes_nothing(closed: int, average: Fraction):
    assert with_anchor(closed * average, closed, average) == average
    assert ANCHOR > 0
