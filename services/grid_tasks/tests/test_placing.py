"""To whom a case falls."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from contracts.common import Post
from grid_tasks.domain.placing import Candidate, Choice, Needed, Spreading, choose
from hypothesis import given
from hypothesis import strategies as st

from .trade import GRID, LEADER, LI, NINE, TEN, WANG

WORKER = Post.GRID_WORKER


HERE = Needed(GRID)


def with_cases(member: str, post: Post = WORKER, count: int = 0, last: datetime | None = None) -> Candidate:
    """Somebody with so many cases in hand, each of the usual weight."""
    return Candidate(member, post, count, count, last)


def chosen(*candidates: Candidate, needed: Needed = HERE, now: datetime = NINE) -> str | None:
    choice = choose(needed, candidates, now)
    return choice.member if choice else None


def test_the_worker_with_the_least_open_work_gets_it() -> None:
    assert chosen(with_cases(LI, WORKER, 3), with_cases(WANG, WORKER, 2)) == WANG


def test_between_equals_it_is_who_has_gone_longest_without_a_case() -> None:
    assert chosen(with_cases(LI, WORKER, 1, TEN), with_cases(WANG, WORKER, 1, NINE)) == WANG
    assert chosen(with_cases(LI, WORKER, 0, NINE), with_cases(WANG, WORKER, 0, None)) == WANG


def test_between_equals_in_that_too_the_id_decides() -> None:
    assert chosen(with_cases(WANG, WORKER), with_cases(LI, WORKER)) == LI


def test_the_leader_handles_it_only_where_no_worker_is_in_post() -> None:
    assert chosen(with_cases(LEADER, Post.GRID_LEADER), with_cases(LI, WORKER, 50)) == LI
    assert chosen(with_cases(LEADER, Post.GRID_LEADER, 50)) == LEADER


def test_an_instructor_is_given_no_case() -> None:
    assert chosen(with_cases("instructor", Post.GRID_INSTRUCTOR)) is None
    assert chosen() is None


def test_it_says_why_in_both_languages() -> None:
    assert choose(HERE, [with_cases(LI, WORKER, 1)], NINE) == Choice(
        LI, "G1 在岗 1 人，在手最少（1 件） / 1 in post in G1, least open work: 1 case"
    )
    leader = choose(HERE, [with_cases(LEADER, Post.GRID_LEADER)], NINE)
    assert leader == Choice(
        LEADER, "G1 无合适的在岗人员，由网格长办理 / nobody in G1 is in post, able and there: the leader"
    )


def test_work_is_weighed_not_counted() -> None:
    assert chosen(Candidate(LI, WORKER, 1, 10), Candidate(WANG, WORKER, 3, 3)) == WANG


MEDIATION = Needed(GRID, skills=("mediation",))


def test_only_who_can_gets_what_needs_a_skill_however_busy() -> None:
    able = Candidate(WANG, WORKER, 9, 9, skills=frozenset({"mediation"}))
    assert chosen(with_cases(LI), able, needed=MEDIATION) == WANG


def test_a_training_counts_as_the_skill_for_two_years() -> None:
    lately = Candidate(LI, WORKER, training={"mediation": date(2025, 1, 1)})
    long_ago = Candidate(WANG, WORKER, training={"mediation": date(2024, 1, 1)})
    assert chosen(lately, long_ago, needed=MEDIATION) == LI
    assert chosen(long_ago, needed=MEDIATION) is None


def test_where_nobody_can_it_is_the_leaders() -> None:
    assert chosen(with_cases(LI), with_cases(LEADER, Post.GRID_LEADER), needed=MEDIATION) == LEADER


def test_who_is_on_leave_gets_nothing_through_the_last_day() -> None:
    away = Candidate(LI, WORKER, on_leave_since=date(2026, 11, 20), on_leave_until=date(2026, 11, 24))
    assert chosen(away, with_cases(WANG, count=5)) == WANG
    assert chosen(away, with_cases(WANG, count=5), now=NINE + timedelta(days=1)) == LI


def test_a_leader_on_leave_has_it_only_where_there_is_no_other() -> None:
    away = Candidate(LEADER, Post.GRID_LEADER, on_leave_since=date(2026, 11, 20), on_leave_until=date(2026, 11, 24))
    assert chosen(away, with_cases("leader-sun", Post.GRID_LEADER, 9)) == "leader-sun"
    assert chosen(away, with_cases("leader-sun", Post.GRID_LEADER, 9), now=NINE + timedelta(days=1)) == LEADER
    assert chosen(away, replace(away, member=WANG, post=WORKER)) == LEADER, "somebody has it"


def test_of_those_who_can_who_is_on_duty_comes_first_but_out_of_hours_somebody_has_it_all_the_same() -> None:
    by_day = Candidate(LI, WORKER, 5, 5, hours="1-5 08:30-17:30")
    by_night = Candidate(WANG, WORKER, hours="1-7 18:00-23:00")
    assert chosen(by_day, by_night) == LI
    assert chosen(by_day, by_night, now=NINE + timedelta(hours=10)) == WANG
    assert chosen(by_day, by_night, now=NINE + timedelta(hours=16)) == WANG  # nobody is there: who has least


def test_what_is_a_departments_goes_to_its_liaison_and_never_to_the_grids_leader() -> None:
    liaison, leader = with_cases("liaison", Post.DEPARTMENT_LIAISON, 7), with_cases(LEADER, Post.GRID_LEADER)
    assert chosen(liaison, leader, needed=Needed(GRID, body="市场监督管理局")) == "liaison"
    assert chosen(leader, needed=Needed(GRID, body="市场监督管理局")) is None


def test_it_says_how_the_circle_narrowed() -> None:
    skill = frozenset({"mediation"})
    away = Candidate("chen", WORKER, skills=skill, on_leave_since=date(2026, 11, 20))
    choice = choose(MEDIATION, [with_cases(LI), away, Candidate(WANG, WORKER, 2, 2, skills=skill)], NINE)
    assert choice is not None
    assert choice.why == (
        "G1 在岗 3 人，具备技能（mediation）2 人，当班 1 人，在手最少（2 件）"
        " / 3 in post in G1, 2 able (mediation), 1 there, least open work: 2 cases"
    )


@given(
    loads=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    cases=st.integers(1, 60),
    order=st.randoms(use_true_random=False),
)
def test_a_burst_levels_the_load(loads: list[int], cases: int, order: object) -> None:
    team = {f"w{n}": with_cases(f"w{n}", WORKER, load) for n, load in enumerate(loads)}
    least = min(loads)
    for n in range(cases):
        candidates = list(team.values())
        order.shuffle(candidates)  # type: ignore[attr-defined]  # the order in which they are listed does not matter
        choice = choose(HERE, candidates, NINE)
        assert choice is not None
        before = team[choice.member]
        least = min(c.open_cases for c in team.values())
        assert before.open_cases == least
        team[choice.member] = with_cases(before.member, WORKER, least + 1, NINE + timedelta(seconds=n))
    spread = [c.open_cases for c in team.values()]
    assert max(spread) - min(spread) <= max(1, max(loads) - min(spread))


def test_several_at_once_fall_to_whom_they_would_one_after_another() -> None:
    before = [with_cases(LI, count=2), with_cases(WANG), with_cases("chen", count=1, last=NINE)]
    team = {it.member: it for it in before}
    asked = [(HERE, 1), (HERE, 5), (Needed("G2"), 2), (HERE, 1), (HERE, 1), (HERE, 3), (HERE, 1)]
    at_once = Spreading(TEN)
    for needed, weight in asked:
        one_by_one = choose(needed, team.values(), TEN)
        assert at_once.choose(needed, weight, before) == one_by_one
        assert one_by_one
        them = team[one_by_one.member]
        team[them.member] = replace(them, open_cases=them.open_cases + 1, load=them.load + weight, last_case=TEN)


def test_what_somebody_got_as_one_thing_counts_when_they_are_asked_as_another() -> None:
    """Who leads one grid and works in the next has one pair of hands."""
    here, there = Candidate(LI, WORKER), Candidate(LI, Post.GRID_LEADER)
    at_once = Spreading(TEN)
    assert at_once.choose(HERE, 1, [here]) == choose(HERE, [here], TEN)
    other = at_once.choose(Needed("G2", Post.GRID_LEADER), 1, [there, Candidate(WANG, Post.GRID_LEADER)])
    assert other
    assert other.member == WANG
