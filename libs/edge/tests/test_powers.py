"""What the lists give whom: what is not granted is forbidden (法无授权不可为)."""

from datetime import UTC, datetime, timedelta

import pytest
from contracts.common import Post
from contracts.registry import PowerFacts
from edge import Grant
from edge.authority import Lists, PostHolder
from edge.callers import ANONYMOUS, Caller
from edge.powers import granted, refusal
from edge.rates import Rate
from edge.testing import given
from events import NotFound
from hypothesis import given as always
from hypothesis import strategies as st

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
HERE, NEXT_DOOR, FAR = "330110001001", "330110001002", "330200001001"
GROUND = {"G1": HERE, "G2": HERE, "G3": NEXT_DOOR, "G9": FAR}
LI, LEADER, OFFICER, CITY = Caller("li"), Caller("leader"), Caller("officer"), Caller("city")
ROSTER = {
    "li": PostHolder(Post.GRID_WORKER, "G1", None),
    "leader": PostHolder(Post.GRID_LEADER, "G2", None),
    "officer": PostHolder(Post.COMMUNITY_OFFICER, None, HERE),
    "city": PostHolder(Post.COMMUNITY_OFFICER, None, "330100000000"),
}


def lists(*powers: PowerFacts, roster: dict[str, PostHolder] = ROSTER) -> Lists:
    return Lists({it.power: it for it in powers}, roster, GROUND)


def reach(caller: Caller, *holders: str) -> frozenset[str] | None:
    grant = granted(lists(given("cases.read", *holders)), "cases.read", caller, NOW)
    assert grant
    return grant.grids


def test_what_is_on_no_list_is_nobodys() -> None:
    for caller in (ANONYMOUS, LI, OFFICER, Caller("x", "fire")):
        assert granted(lists(given("cases.read", "anyone")), "people.read", caller, NOW) is None


def test_what_anyone_may_do_needs_no_token() -> None:
    assert reach(ANONYMOUS, "anyone") is None


def test_a_post_holds_what_is_given_to_it_and_no_other_does() -> None:
    power = given("cases.verify", "grid_leader@own_grid")
    assert granted(lists(power), "cases.verify", LEADER, NOW) == Grant(power, Post.GRID_LEADER, frozenset({"G2"}))
    for caller in (ANONYMOUS, LI, OFFICER, Caller("grid_leader"), Caller("x", "grid_leader")):
        assert granted(lists(power), "cases.verify", caller, NOW) is None


def test_who_has_left_their_post_has_nothing_though_their_token_lives() -> None:
    left = {member: it for member, it in ROSTER.items() if member != "leader"}
    power = given("cases.verify", "grid_leader@own_grid")
    assert granted(lists(power, roster=left), "cases.verify", LEADER, NOW) is None


def test_a_partner_is_known_by_its_client_and_by_nothing_else() -> None:
    power = given("units.read", "partner:fire")
    assert granted(lists(power), "units.read", Caller("service-account-fire", "fire"), NOW)
    for caller in (Caller("fire"), Caller("x", "market"), Caller("partner:fire", "partner:fire"), ANONYMOUS):
        assert granted(lists(power), "units.read", caller, NOW) is None


def test_the_scope_is_counted_outwards_from_the_holder() -> None:
    everybody = "grid_worker@{0} grid_leader@{0} community_officer@{0}"
    assert reach(LI, *everybody.format("own_grid").split()) == {"G1"}
    assert reach(OFFICER, *everybody.format("own_grid").split()) == set()
    assert reach(LI, *everybody.format("community").split()) == {"", "G1", "G2"}
    assert reach(OFFICER, *everybody.format("community").split()) == {"", "G1", "G2"}
    assert reach(CITY, *everybody.format("community").split()) == {""}
    assert reach(CITY, *everybody.format("division").split()) == {"", "G1", "G2", "G3"}
    assert reach(OFFICER, *everybody.format("division").split()) == {"", "G1", "G2"}
    assert reach(OFFICER, *everybody.format("all").split()) is None


def test_where_there_is_one_community_it_needs_no_code() -> None:
    here = Lists(
        {"cases.read": given("cases.read", "community_officer@community")},
        {"officer": PostHolder(Post.COMMUNITY_OFFICER, None, None)},
        {"G1": None, "G2": None},
    )
    grant = granted(here, "cases.read", OFFICER, NOW)
    assert grant
    assert grant.grids == {"", "G1", "G2"}


def test_who_holds_it_twice_has_both() -> None:
    assert reach(LI, "anyone", "grid_worker@own_grid") is None
    assert reach(OFFICER, "community_officer@own_grid", "community_officer@community") == {"", "G1", "G2"}


@pytest.mark.parametrize(
    ("holders", "quota"),
    [
        (["partner:fire"], None),
        (["partner:fire 60/20"], Rate(60, 20)),
        (["partner:fire 60/20", "partner:market 1/1"], Rate(60, 20)),
        (["partner:fire 60/20", "partner:fire 90/10"], Rate(90, 10)),
        (["partner:fire 60/20", "anyone"], None),
    ],
)
def test_a_partner_has_the_quota_that_the_list_gives_them_and_none_of_what_anyone_may_do(
    holders: list[str], quota: Rate | None
) -> None:
    grant = granted(lists(given("units.read", *holders)), "units.read", Caller("service-account-fire", "fire"), NOW)
    assert grant
    assert grant.quota == quota


def test_out_of_reach_there_is_no_such_thing() -> None:
    grant = granted(lists(given("cases.read", "grid_worker@own_grid")), "cases.read", LI, NOW)
    assert grant
    grant.require("G1")
    for grid in ("G2", "", None):
        with pytest.raises(NotFound):
            grant.require(grid)


@always(st.integers(-10_000, 10_000), st.integers(-10_000, 10_000), st.one_of(st.none(), st.integers(1, 10_000)))
def test_it_is_in_force_from_its_first_moment_until_its_last(now: int, since: int, length: int | None) -> None:
    at, begins = NOW + timedelta(seconds=now), NOW + timedelta(seconds=since)
    ends = begins + timedelta(seconds=length) if length else None
    power = given("cases.read", "anyone").model_copy(update={"since": begins, "until": ends})
    held = granted(lists(power), "cases.read", ANONYMOUS, at) is not None
    assert held is (begins <= at and (ends is None or at < ends))


def test_the_refusal_names_the_power_and_where_it_is_written() -> None:
    power = given("cases.verify", "grid_leader@own_grid")
    assert refusal("cases.verify", ANONYMOUS, lists(power)).status == 401
    problem = refusal("cases.verify", LI, lists(power))
    assert (problem.status, problem.members) == (403, {"power": "cases.verify"})
    assert "GET /powers/cases.verify" in problem.detail
    assert refusal("cases.verify", LI, lists()).status == 503, "before there is a list, nobody is told no for good"


def test_who_holds_two_posts_has_the_powers_of_both_and_who_looks_after_two_grids_reaches_both() -> None:
    both = PostHolder(Post.COMMUNITY_OFFICER, None, HERE, frozenset({Post.DEPUTY_SECRETARY}), frozenset({"G3"}))
    roster = {"officer": both}
    for post in ("community_officer", "deputy_secretary"):
        grant = granted(lists(given("cases.read", f"{post}@own_grid"), roster=roster), "cases.read", OFFICER, NOW)
        assert grant
        assert grant.grids == {"G3"}
    community = granted(lists(given("x.y", "deputy_secretary@community"), roster=roster), "x.y", OFFICER, NOW)
    assert community
    assert community.grids == {"", "G1", "G2", "G3"}
