"""Campaigns within a budget, what is asked beyond the list, and patrols: by the domain, and over HTTP without Kafka."""

from collections.abc import AsyncGenerator
from datetime import date
from typing import Any

import httpx2
import pytest
from contracts.common import Post, Title
from contracts.grid_tasks import CampaignApproved, CampaignAsked, CampaignRefused, CampaignsBudgeted, PatrolWalked
from contracts.registry import MemberAppointed
from edge.testing import client, given, in_post, token, told
from events import Event
from events.runtime import Runtime
from events.testing import Given, eventually
from events.testing import given as history
from grid_tasks.domain.campaigns import CAMPAIGNS, Approve, Ask, LayDown, Refuse
from grid_tasks.domain.patrol import PATROL
from grid_tasks.domain.visit_refusals import (
    BeyondTheBudget,
    CampaignDecided,
    LessThanApproved,
    NoBudget,
    NotOfOneMonth,
)
from grid_tasks.service import application

from .conftest import Trade, each_table
from .doors import site
from .roster import follow
from .test_api import BODY, Desk, assert_problem
from .trade import GRID, LEADER, LI, LICENCES, NINE, NOISE, WANG

BUREAU = "市场监督管理局分局"
"""A department whose liaison takes no cases of the list."""
MONTH = "2026-12"
FRAUD = Title(zh="12幢反诈宣传", en="Anti-fraud talk in building 12")
ASK = Ask(MONTH, "c1", BUREAU, FRAUD, 30, (site(1), site(2)), date(2026, 12, 5), date(2026, 12, 20), "liaison", NINE)
budgeted = CampaignsBudgeted(month=MONTH, hours=40, by="clerk", at=NINE)


def asked(campaign: str = "c1", hours: int = 30) -> CampaignAsked:
    return CampaignAsked(
        month=MONTH,
        campaign=campaign,
        body=BUREAU,
        title=FRAUD,
        hours=hours,
        sites=ASK.sites,
        first=ASK.first,
        last=ASK.last,
        by="liaison",
        at=NINE,
    )


def approved(campaign: str = "c1", hours: int = 30) -> CampaignApproved:
    about = {"month": MONTH, "campaign": campaign, "hours": hours, "sites": ASK.sites, "by": "officer", "at": NINE}
    return CampaignApproved.model_validate(about | {"first": ASK.first, "last": ASK.last})


def month(*events: Event) -> Given:
    return history(CAMPAIGNS, *events)


def test_nobody_asks_for_hours_that_nobody_has_laid_down() -> None:
    month().when(ASK).refused(NoBudget)
    month(budgeted).when(ASK).then(asked())


def test_a_campaign_takes_its_hours_when_it_is_approved_and_no_more_than_there_are() -> None:
    month(budgeted, asked()).when(Approve("c1", "officer", NINE)).then(approved())
    spent = (budgeted, asked(), asked("c2", 20), approved())
    month(*spent).when(Approve("c2", "officer", NINE)).refused(BeyondTheBudget, "10 hours are left")
    month(*spent).when(ASK).refused(BeyondTheBudget)
    refused = CampaignRefused(month=MONTH, campaign="c2", reason="工时不足", by="officer", at=NINE)
    month(*spent).when(Refuse("c2", "工时不足", "officer", NINE)).then(refused)
    month(*spent).when(Approve("c1", "officer", NINE)).refused(CampaignDecided)


def test_a_budget_does_not_fall_below_what_is_given() -> None:
    spent = (budgeted, asked(), approved())
    month(*spent).when(LayDown(MONTH, 29, "clerk", NINE)).refused(LessThanApproved)
    month(*spent).when(LayDown(MONTH, 40, "clerk", NINE)).then()
    more = CampaignsBudgeted(month=MONTH, hours=60, by="clerk", at=NINE)
    month(*spent).when(LayDown(MONTH, 60, "clerk", NINE)).then(more)


@pytest.mark.parametrize("last", [date(2027, 1, 2), date(2026, 12, 4)])
def test_a_campaign_is_of_one_month(last: date) -> None:
    ask = Ask(MONTH, "c1", BUREAU, FRAUD, 30, ASK.sites, ASK.first, last, "liaison", NINE)
    month(budgeted).when(ask).refused(NotOfOneMonth)


def liaison() -> MemberAppointed:
    return MemberAppointed(
        member="liaison", name="某某", post=Post.DEPARTMENT_LIAISON, body=BUREAU, email="liaison@example.org"
    )


@pytest.fixture
async def desk(runtime: Runtime) -> AsyncGenerator[Desk]:
    posts = {LI: Post.GRID_WORKER, WANG: Post.GRID_WORKER, LEADER: Post.GRID_LEADER, "officer": Post.COMMUNITY_OFFICER}
    await told(
        runtime.settings.database_url,
        *(in_post(who, post, GRID) for who, post in posts.items()),
        liaison(),
        in_post("clerk", Post.REGISTRAR),
        given("cases.report", "anyone", "partner:city_platform"),
    )
    async with each_table(runtime) as db:
        await follow(db, liaison())
    async with client(application, runtime) as http:
        yield Desk(http)


async def overreach(desk: Desk, query: str = "") -> list[dict[str, Any]]:
    return (await desk.get(f"/duties/overreach{query}")).json()["items"]


async def counts(desk: Desk, expected: set[tuple[str, str, str, int]]) -> None:
    """Waits until exactly this is counted."""

    async def so() -> bool:
        return {(it["body"], it["kind"], it["category"], it["times"]) for it in await overreach(desk)} == expected

    await eventually(so)


async def test_what_a_department_asks_beyond_the_list_is_refused_and_counted_by_month(desk: Desk, trade: Trade) -> None:
    for _ in range(2):
        answer = await desk.post("/cases", BODY | {"category": "family_planning"}, "liaison")
        assert_problem(answer, 422, "not-on-any-duty-list")
    assert_problem(await desk.post("/cases", BODY | {"category": LICENCES.category}, "liaison"), 422, "not-a-grid-duty")
    assert_problem(
        await desk.post("/cases", BODY | {"category": "张三家的税 15496301248"}, "liaison"), 422, "not-on-any-duty-list"
    )
    await counts(
        desk,
        {
            (BUREAU, "on_no_list", "family_planning", 2),
            (BUREAU, "not_the_grids", LICENCES.category, 1),
            (BUREAU, "on_no_list", "other", 1),
        },
    )
    trade.advance(days=30)
    await desk.post("/cases", BODY | {"category": "family_planning"}, "liaison")

    async def december() -> bool:
        return [it["times"] for it in await overreach(desk, "?month=2026-12")] == [1]

    await eventually(december)
    assert len(await overreach(desk, "?month=2026-11")) == 3
    assert "liaison" not in str(await overreach(desk)), "the department, and no person"


async def test_a_request_that_is_repeated_counts_once_and_residents_not_at_all(desk: Desk) -> None:
    body = BODY | {"category": "family_planning"}
    for _ in range(3):
        answer = await desk.post("/cases", body, "liaison", **{"Idempotency-Key": "the-same"})
        assert_problem(answer, 422, "not-on-any-duty-list")
    for who in (None, "resident-ma", LI):
        assert_problem(await desk.post("/cases", body, who), 422, "not-on-any-duty-list")
    await counts(desk, {(BUREAU, "on_no_list", "family_planning", 1)})


async def test_a_partners_system_is_counted_too_by_open311_as_well(desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {token('city_platform', client_id='city_platform')}"}
    answer = await desk.post("/cases", BODY | {"category": "family_planning"}, **headers)
    assert_problem(answer, 422, "not-on-any-duty-list")
    asked = {"service_code": LICENCES.category, "lat": "30.87", "long": "120.09", "description": "查照"}
    refused: httpx2.Response = await desk.http.post("/open311/v2/requests.json", data=asked, headers=headers)
    assert refused.status_code == 404, "as the standard has it"
    await counts(
        desk,
        {
            ("city_platform", "on_no_list", "family_planning", 1),
            ("city_platform", "not_the_grids", LICENCES.category, 1),
        },
    )


CAMPAIGN: dict[str, Any] = {
    "title": FRAUD.model_dump(),
    "hours": 30,
    "sites": [{"name": it.name, **it.place.model_dump()} for it in ASK.sites],
    "first": "2026-12-05",
    "last": "2026-12-20",
}


async def test_a_campaign_is_seen_beforehand_approved_by_who_holds_the_power_and_becomes_visits(desk: Desk) -> None:
    ask = f"/campaigns/{MONTH}"
    assert_problem(await desk.post(ask, CAMPAIGN, "liaison"), 409, "no-budget-yet")
    laid_down = await desk.http.put(
        f"{ask}/budget",
        json={"hours": 40},
        headers={"Authorization": f"Bearer {token('clerk')}", "Idempotency-Key": "b"},
    )
    assert (laid_down.status_code, laid_down.json()["left"]) == (201, 40)
    assert_problem(await desk.post(ask, CAMPAIGN, LI), 403, "not-allowed")
    seen = (await desk.post(ask, CAMPAIGN, "liaison")).json()
    (campaign,) = seen["campaigns"]
    assert (campaign["body"], campaign["step"], seen["left"]) == (BUREAU, "asked", 40)
    assert (await desk.get(ask)).json() == seen, "for everybody"
    decide, usual = f"{ask}/{campaign['campaign']}", {"If-Match": "*"}
    assert_problem(await desk.post(f"{decide}/approve", None, "liaison", **usual), 403, "not-allowed")
    approved = await desk.post(f"{decide}/approve", None, "officer", **usual)
    assert (approved.status_code, approved.json()["left"]) == (200, 10), approved.text
    assert_problem(await desk.post(ask, CAMPAIGN, "liaison"), 409, "beyond-the-budget")
    await counts(desk, {(BUREAU, "beyond_the_budget", "campaign", 1)})
    assert (await overreach(desk))[0]["hours"] == 30

    async def visits() -> bool:
        found = (await desk.get("/visits", LEADER)).json()["items"]
        return {(it["thing"], it["kind"], it["not_before"], it["until"]) for it in found if it["worker"]} == {
            (it.name, "campaign", "2026-12-05", "2026-12-20") for it in ASK.sites
        }

    await eventually(visits)


async def test_what_was_found_on_a_patrol_becomes_a_case_and_no_way_is_kept(desk: Desk, runtime: Runtime) -> None:
    found = {"category": NOISE.category, "description": "楼道堆物", "place": BODY["place"]}
    points = [{"point": "公园东门"}, {"point": "5幢地下室", "found": found}, {"point": "菜场"}]
    answer = await desk.post("/patrols", {"grid": GRID, "points": points}, LI)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["points"], told["found"], len(told["cases"])) == (3, 1, 1)

    async def it_is_a_case() -> bool:
        case = await desk.get(f"/cases/{told['cases'][0]}", LI)
        return case.status_code == 200 and case.json()["description"] == "楼道堆物"

    await eventually(it_is_a_case)
    (history_,) = (await desk.get(f"/cases/{told['cases'][0]}/history", LI)).json()["items"][:1]
    assert (history_["step"], history_["by"]) == ("reported", "grid_worker")

    async def nothing_is_kept() -> bool:
        (event,) = [it.data for it in await runtime.commands.history(PATROL, told["patrol"])]
        return isinstance(event, PatrolWalked) and (event.points, event.findings) == (3, ())

    await eventually(nothing_is_kept)


async def test_a_patrol_brings_nothing_that_is_on_no_list_and_is_of_ones_own_grid(desk: Desk) -> None:
    odd = {"category": "family_planning", "description": "?", "place": BODY["place"]}
    body = {"grid": GRID, "points": [{"point": "公园东门", "found": odd}]}
    assert_problem(await desk.post("/patrols", body, LI), 422, "not-on-any-duty-list")
    assert_problem(await desk.post("/patrols", {"grid": "G2", "points": [{"point": "东门"}]}, LI), 404, "not-found")
