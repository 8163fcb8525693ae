"""To whom a case falls."""

from datetime import timedelta

from contracts.common import Post
from grid_tasks.domain.placing import Candidate, Choice, choose
from hypothesis import given
from hypothesis import strategies as st

from .trade import GRID, LEADER, LI, NINE, TEN, WANG

WORKER = Post.GRID_WORKER


def chosen(*candidates: Candidate) -> str | None:
    choice = choose(GRID, candidates)
    return choice.member if choice else None


def test_the_worker_with_the_least_open_work_gets_it() -> None:
    assert chosen(Candidate(LI, WORKER, 3), Candidate(WANG, WORKER, 2)) == WANG


def test_between_equals_it_is_who_has_gone_longest_without_a_case() -> None:
    assert chosen(Candidate(LI, WORKER, 1, TEN), Candidate(WANG, WORKER, 1, NINE)) == WANG
    assert chosen(Candidate(LI, WORKER, 0, NINE), Candidate(WANG, WORKER, 0, None)) == WANG


def test_between_equals_in_that_too_the_id_decides() -> None:
    assert chosen(Candidate(WANG, WORKER), Candidate(LI, WORKER)) == LI


def test_the_leader_handles_it_only_where_no_worker_is_in_post() -> None:
    assert chosen(Candidate(LEADER, Post.GRID_LEADER), Candidate(LI, WORKER, 50)) == LI
    assert chosen(Candidate(LEADER, Post.GRID_LEADER, 50)) == LEADER


def test_an_instructor_is_given_no_case() -> None:
    assert chosen(Candidate("instructor", Post.GRID_INSTRUCTOR)) is None
    assert chosen() is None


def test_it_says_why_in_both_languages() -> None:
    assert choose(GRID, [Candidate(LI, WORKER, 1)]) == Choice(
        LI, "G1 在手事件最少（1 件） / least open work in G1: 1 case"
    )
    leader = choose(GRID, [Candidate(LEADER, Post.GRID_LEADER)])
    assert leader == Choice(LEADER, "G1 无在岗网格员，由网格长办理 / no grid worker in post in G1: the leader")


@given(
    loads=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    cases=st.integers(1, 60),
    order=st.randoms(use_true_random=False),
)
def test_a_burst_levels_the_load(loads: list[int], cases: int, order: object) -> None:
    team = {f"w{n}": Candidate(f"w{n}", WORKER, load) for n, load in enumerate(loads)}
    least = min(loads)
    for n in range(cases):
        candidates = list(team.values())
        order.shuffle(candidates)  # type: ignore[attr-defined]  # the order in which they are listed does not matter
        choice = choose(GRID, candidates)
        assert choice is not None
        before = team[choice.member]
        least = min(c.open_cases for c in team.values())
        assert before.open_cases == least
        team[choice.member] = Candidate(before.member, WORKER, least + 1, NINE + timedelta(seconds=n))
    spread = [c.open_cases for c in team.values()]
    assert max(spread) - min(spread) <= max(1, max(loads) - min(spread))
