"""The whole matrix: every route of every service, asked by everybody, in and out of scope, with every bad token.

It is made from the services' routes and from the power list with which a community of ours begins, so whoever adds a
route or a post adds to it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest
from assessment.service import application as assessment
from contracts.common import HolderKind, Place, Post, Residency, Scope, Title, UnitCategory
from contracts.grid_tasks import ReporterKind, VisitPlanned
from contracts.registry import (
    AddressFacts,
    CorrectionAsked,
    DutyFacts,
    GridDrawn,
    HouseholdFacts,
    MapGrid,
    MemberFacts,
    PersonFacts,
    PowerListed,
    UnitFacts,
)
from contracts.visits import Site, VisitKind
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from edge import authority
from edge.problems import BASE
from edge.routing import power_of
from edge.testing import client, founding, in_post, token, told
from events.migrate import migrate
from events.runtime import Runtime, open_runtime
from events.settings import Settings
from events.testing import RING
from fastapi.routing import APIRoute
from grid_tasks.api.open311.wire import GeoReport
from grid_tasks.domain.campaigns import CAMPAIGNS, LayDown
from grid_tasks.domain.campaigns import Ask as AskForHours
from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Report
from grid_tasks.domain.visit import VISIT, Plan
from grid_tasks.read_models.grids import grids
from grid_tasks.read_models.visit_board import visit_board
from grid_tasks.service import application as grid_tasks
from local.testing import database
from notifications.service import application as notifications
from pydantic import BaseModel
from registry.domain.address import ADDRESS
from registry.domain.correction import CORRECTION, Ask
from registry.domain.entry import Register
from registry.domain.grid_map import MAP, Draw
from registry.domain.household import HOUSEHOLD
from registry.domain.member import MEMBER
from registry.domain.person import PERSON
from registry.domain.power import TOPICS
from registry.domain.relation import Relation
from registry.domain.sample import SAMPLE, DrawSample
from registry.domain.unit import UNIT
from registry.read_models.households import households
from registry.read_models.people import people
from registry.read_models.samples import samples
from registry.read_models.territory import territory
from registry.read_models.units import units
from registry.service import application as registry

APPLICATIONS = {it.service.name: it for it in (registry, grid_tasks, assessment, notifications)}
ROUTES = [(name, route) for name, application in APPLICATIONS.items() for route in application.routes()]
POWERS: Mapping[str, PowerListed] = {it.power: it for it in founding()}
NO_KAFKA = "127.0.0.1:9"

PEOPLE = {f"{post}-of-{grid}": (post, grid) for post in Post for grid in ("G1", "G2")}
"""Somebody in each post, for each of two grids, which are two communities'."""
THINGS = {
    "case": "case-in-g1",
    "person": "person-in-g1",
    "household": "household-in-g1",
    "member": "grid_worker-of-G1",
    "correction": "correction-in-g1",
    "visit": "visit-in-g1",
    "month": "2026-12",
    "campaign": "campaign-in-g1",
    "grid": "G1",
    "sample": "2026Q4-G1",
    "register": "people",
    "id": "person-in-g1",
    "service_request_id": "case-in-g1",
    "token": "case-in-g1",
    "service_code": "noise",
}
"""Things that lie in the first grid."""
FORM = "application/x-www-form-urlencoded"
WORDS = {
    "format": "json",
    "register": "units",
    "period": "2026-10",
    "name": "page.css",
    "year": "2026",
    "month": "2026-12",
}
"""What a parameter has to be where it is no id."""

PLACE = Place(longitude=120.05, latitude=30.05)
SQUARE = [(120.0, 30.0), (120.1, 30.0), (120.1, 30.1), (120.0, 30.1), (120.0, 30.0)]
TITLE = Title(zh="某", en="Some")
GRIDS = [
    GridDrawn(grid=grid, title=TITLE, boundary=SQUARE, division_code=f"99050200100{nth}")
    for nth, grid in enumerate(("G1", "G2"), 1)
]
REPORT = Report(
    case=THINGS["case"],
    category="noise",
    duty=DutyFacts(
        category="noise", title=TITLE, department=TITLE, grid_duty=True, deadline_minutes=60, legal_basis="a test"
    ),
    description="噪声",
    place=PLACE,
    grid="G1",
    reporter_kind=ReporterKind.RESIDENT,
    reporter=None,
    contact=None,
    receipt_hash="0" * 64,
    at=datetime(2026, 11, 25, 9, tzinfo=UTC),
)
RESIDENT = PersonFacts(
    person=THINGS["person"],
    name="王小明",
    id_number="990502196503154658",
    sex="1",
    birth_date=date(1965, 3, 15),
    residency=Residency.PERMANENT,
    household=THINGS["household"],
    relation="head",
    address="here",
)


VISIT_TO_RESIDENT = VisitPlanned(
    visit=THINGS["visit"], kind=VisitKind.REVISIT, of="people", thing=THINGS["person"], grid="G1", at=REPORT.at
)
CAMPAIGN = AskForHours(
    month=THINGS["month"],
    campaign=THINGS["campaign"],
    body="某局",
    title=TITLE,
    hours=3,
    sites=(Site(name="某楼", place=PLACE),),
    first=date(2026, 12, 1),
    last=date(2026, 12, 2),
    by="x",
    at=REPORT.at,
)
REQUEST = {"service_code": "noise", "lat": "30.05", "long": "120.05", "description": "噪声"}
"""What an app sends by Open311."""


def named(service: str, route: APIRoute) -> str:
    return f"{service} {method_of(route)} {route.path}"


def method_of(route: APIRoute) -> str:
    return min(route.methods or ())


class Town:
    """The four services in this process, each with a database of its own, told of the same lists."""

    def __init__(self, clients: Mapping[str, httpx2.AsyncClient]) -> None:
        self._clients = clients

    async def asks(
        self, service: str, route: APIRoute, authorization: str | None, things: Mapping[str, str]
    ) -> httpx2.Response:
        """Calls a route as a stranger would who has read its document, about these things, or such as nobody has."""
        path = route.path
        for parameter in route.dependant.path_params:
            path = path.replace(f"{{{parameter.name}}}", things.get(parameter.name, "nobody-has-this"))
        headers = {"Idempotency-Key": uuid4().hex, "If-Match": "*"}
        headers |= {"Authorization": authorization} if authorization else {}
        body: dict[str, Any] = {"json": body_of(route)}
        if FORM in (route.openapi_extra or {}).get("requestBody", {}).get("content", {}):
            body = {"data": REQUEST}
        return await self._clients[service].request(method_of(route), path, headers=headers, **body)


EXAMPLES: Mapping[Any, Any] = {
    int: 3,
    str: "某",
    bool: True,
    date: "2026-11-20",
    str | None: None,
    dict[str, Relation]: {"nobody-has-this": "head"},
}
"""By what a field is."""


def body_of(route: APIRoute) -> dict[str, Any] | None:
    """Something that the route can read."""
    model = route.body_field.field_info.annotation if route.body_field else None
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        return None
    needed = {name: it.annotation for name, it in model.model_fields.items() if it.is_required()}
    it = THINGS["household" if "household" in route.path else "person"]
    named = {"into": it, "other": it, "helpers": ["somebody"]}
    return {name: named.get(name) or _example(kind) for name, kind in needed.items()}


def _example(kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(iter(kind))
    return EXAMPLES.get(kind, PLACE.model_dump())


@pytest.fixture(scope="module")
async def town(postgres_server: str) -> AsyncGenerator[Town]:
    members = [in_post(member, post, grid) for member, (post, grid) in PEOPLE.items()]
    async with AsyncExitStack() as stack:
        clients: dict[str, httpx2.AsyncClient] = {}
        for name, application in APPLICATIONS.items():
            settings = Settings(await stack.enter_async_context(database(postgres_server, name)), NO_KAFKA, keys=RING)
            await migrate(application.service, settings)
            await told(settings.database_url, *founding(), *GRIDS, *members)
            runtime = await stack.enter_async_context(open_runtime(application.service, settings))
            if name == "registry":
                await register(runtime)
            if name == "grid_tasks":
                await told(settings.database_url, *GRIDS, by=grids)
                await runtime.commands.execute(CASE, REPORT.case, REPORT, new=True)
                await told(settings.database_url, VISIT_TO_RESIDENT, by=visit_board)
                await runtime.commands.execute(VISIT, THINGS["visit"], Plan(VISIT_TO_RESIDENT))
                for command in (LayDown(CAMPAIGN.month, 10, "x", REPORT.at), CAMPAIGN):
                    await runtime.commands.execute(CAMPAIGNS, CAMPAIGN.month, command)
            clients[name] = await stack.enter_async_context(client(application, runtime))
        yield Town(clients)


async def register(runtime: Runtime) -> None:
    """A resident in a household at an address in the first grid, and its grid worker."""
    address = AddressFacts(address="here", division_code="990502001001", street="x", number="1", place=PLACE, grid="G1")
    household = HouseholdFacts(household=THINGS["household"], address="here")
    soon = datetime.now(UTC).date() + timedelta(days=10)
    hotel = UnitFacts(
        unit="hotel",
        name="某旅馆",
        category=UnitCategory.HOTEL,
        address="here",
        credit_code="92990502MA9K4MJ71U",
        fire_check_due=soon,
    )
    member = MemberFacts(member=THINGS["member"], name="某某", post=Post.GRID_WORKER, grid="G1", email="x@example.org")
    commands = runtime.commands
    ground = MapGrid(grid="G1", title=TITLE, boundary=SQUARE, division_code="990502001001")
    await commands.execute(MAP, "all", Draw("all", [ground]))
    await commands.execute(ADDRESS, "here", Register(address))
    await commands.execute(HOUSEHOLD, household.household, Register(household))
    await commands.execute(PERSON, RESIDENT.person, Register(RESIDENT))
    otherwise = RESIDENT.model_copy(update={"phone": "15496301248", "source": "police"})
    await commands.execute(PERSON, RESIDENT.person, Register(otherwise, rules={"phone": "ask"}))
    await commands.execute(UNIT, hotel.unit, Register(hotel))
    at = datetime(2026, 11, 25, 9, tzinfo=UTC)
    drawn = DrawSample(THINGS["sample"], "2026Q4", "G1", [RESIDENT.person], 1, 7, "x", at)
    await commands.execute(SAMPLE, THINGS["sample"], drawn)
    await commands.execute(MEMBER, member.member, Register(member))
    asked = CorrectionAsked(
        correction=THINGS["correction"],
        person=RESIDENT.person,
        fields=("name",),
        name="王晓明",
        reason="户口簿",
        by="x",
        at=datetime(2026, 11, 25, 9, tzinfo=UTC),
    )
    await commands.execute(CORRECTION, asked.correction, Ask(asked, RESIDENT))
    working = asyncio.create_task(runtime.work())
    for read_model in (territory, households, people, units, samples, authority):
        await commands.caught_up(read_model, 60)
    working.cancel()
    await asyncio.wait([working])


def refusal(route: APIRoute, status: int, reason: str) -> tuple[int, str]:
    """How it looks that somebody is not let in: Open311 has 403 for who is not known too, and no reasons."""
    return (403, "") if isinstance(route, GeoReport) else (status, reason)


def reason(answer: httpx2.Response) -> str:
    if isinstance(answer.json(), list):  # the errors of Open311
        return ""
    return answer.json()["type"].removeprefix(BASE) if answer.status_code >= 400 else ""


def bearer(who: str | None) -> str | None:
    return f"Bearer {token(who)}" if who else None


def test_every_power_that_a_route_names_stands_on_the_list_and_every_power_on_it_is_needed() -> None:
    asked_for = {power_of(route) for _, route in ROUTES}
    assert asked_for <= POWERS.keys()
    besides = {"cases.read", "people.see", "people.identify", "counts.exact"}
    of_topics = {power for power in POWERS if power.startswith(TOPICS)}
    assert POWERS.keys() - asked_for - of_topics <= besides, "these are asked for besides another"


STREAMS = ("/stream", "/live/events")
"""They answer for ever to whoever may; whoever may not is answered as everywhere."""


@pytest.mark.parametrize(("service", "route"), ROUTES, ids=[named(*it) for it in ROUTES])
async def test_who_may_and_who_may_not(town: Town, service: str, route: APIRoute) -> None:
    power = POWERS[power_of(route) or ""]
    anyone = any(holder.kind is HolderKind.ANYONE for holder in power.holders)
    posts = {holder.name for holder in power.holders if holder.kind is HolderKind.POST}
    callers: dict[str | None, bool] = {None: anyone, "a-citizen": anyone}
    callers |= {member: anyone or post in posts for member, (post, _) in PEOPLE.items()}
    for who, may in callers.items():
        if may and route.path in STREAMS:
            continue
        answer = await town.asks(service, route, bearer(who), WORDS)
        if may:
            assert answer.status_code not in (401, 403), f"{who} was refused {power.power}"
            assert answer.status_code < 500 or reason(answer) == "not-ready", f"{who}: {answer.status_code}"
        elif who:
            assert (answer.status_code, reason(answer)) == refusal(route, 403, "not-allowed"), (
                f"{who} got in to {power.power}"
            )
        else:
            assert (answer.status_code, reason(answer)) == refusal(route, 401, "not-signed-in")


def moves_a_case(route: APIRoute) -> bool:
    return route.path.startswith("/cases/{case}/") and "POST" in (route.methods or ())


OF_GRIDS = [
    (service, route)
    for service, route in ROUTES
    if route.dependant.path_params
    and any(holder.scope in (Scope.OWN_GRID, Scope.COMMUNITY) for holder in POWERS[power_of(route) or ""].holders)
    and power_of(route) != "periods.publish"  # a month is everybody's
    and route.name != "give_help"  # who was asked for it may be anywhere
]


@pytest.mark.parametrize(("service", "route"), OF_GRIDS, ids=[named(*it) for it in OF_GRIDS])
async def test_out_of_scope_there_is_no_such_thing_and_in_scope_there_is(
    town: Town, service: str, route: APIRoute
) -> None:
    asked = 0
    # Cases are no secret, only what is written of them; everything else is denied.
    refused_as = (403, "not-your-grid") if moves_a_case(route) else (404, "not-found")
    for holder in POWERS[power_of(route) or ""].holders:
        if holder.kind is HolderKind.POST and holder.scope is not Scope.ALL:
            outside = await town.asks(service, route, bearer(f"{holder.name}-of-G2"), THINGS)
            inside = await town.asks(service, route, bearer(f"{holder.name}-of-G1"), THINGS)
            asked += 1
            assert (outside.status_code, reason(outside)) == refused_as, f"{holder.name} reached another grid"
            assert (inside.status_code, reason(inside)) != refused_as, f"{holder.name} does not reach their own"
    assert asked


FILES = "/snapshots/"
"""Registers as files: cut to scope as well, which services/registry/tests/test_snapshots.py sees."""
MINE = "/my/"
"""The caller's own, whatever their grid: services/grid_tasks/tests/test_sync.py sees that."""
LISTS = [
    (service, route)
    for service, route in ROUTES
    if method_of(route) == "GET"
    and not route.dependant.path_params
    and not route.path.startswith((FILES, MINE))
    and route.path != "/rounds"  # no list: see services/grid_tasks/tests/test_visit_api.py
    and any(holder.scope is Scope.OWN_GRID for holder in POWERS[power_of(route) or ""].holders)
]


@pytest.mark.parametrize(("service", "route"), LISTS, ids=[named(*it) for it in LISTS])
async def test_lists_are_cut_to_scope(town: Town, service: str, route: APIRoute) -> None:
    for holder in POWERS[power_of(route) or ""].holders:
        if holder.kind is HolderKind.POST and holder.scope is not Scope.ALL:
            inside = await town.asks(service, route, bearer(f"{holder.name}-of-G1"), {})
            outside = await town.asks(service, route, bearer(f"{holder.name}-of-G2"), {})
            assert inside.json()["items"], f"{holder.name} sees nothing of their own"
            assert outside.json() == {"items": [], "next": None}, f"{holder.name} sees another grid"


def test_the_matrix_has_things_and_lists_of_grids() -> None:
    assert (len(OF_GRIDS), len(LISTS)) >= (8, 2)


NOW = datetime.now(UTC)
ANOTHER_KEY = Ed25519PrivateKey.generate()


def unsigned() -> str:
    claims = {"iss": "commongrid-local", "aud": "commongrid", "sub": "registrar-of-G1", "exp": NOW + timedelta(hours=1)}
    return jwt.encode(claims, "", algorithm="none")


BAD: Mapping[str, Callable[[], str]] = {
    "expired": lambda: token("registrar-of-G1", exp=NOW - timedelta(hours=1)),
    "of the wrong audience": lambda: token("registrar-of-G1", aud="another-system"),
    "of another issuer": lambda: token("registrar-of-G1", iss="https://elsewhere.example"),
    "of another key": lambda: token("registrar-of-G1", key=ANOTHER_KEY),
    "of algorithm none": unsigned,
    "that is no token": lambda: "x",
}


@pytest.mark.parametrize(("service", "route"), ROUTES, ids=[named(*it) for it in ROUTES])
async def test_a_bad_token_gets_nobody_in_not_even_where_none_is_needed(
    town: Town, service: str, route: APIRoute
) -> None:
    for what, make in BAD.items():
        answer = await town.asks(service, route, f"Bearer {make()}", WORDS)
        assert (answer.status_code, reason(answer)) == refusal(route, 401, "token-not-accepted"), (
            f"a token {what} got in"
        )


def test_nobody_holds_everything() -> None:
    """No administrator passes by the list: not all powers together are one post's."""
    for post in Post:
        held = {
            it.power
            for it in POWERS.values()
            if any(holder.kind is HolderKind.ANYONE or holder.name == post for holder in it.holders)
        }
        assert held < POWERS.keys(), post


def test_what_concerns_residents_is_given_to_posts_only_and_in_the_grids_to_their_own() -> None:
    for power in ("people.read", "households.read", "cases.read"):
        for holder in POWERS[power].holders:
            assert holder.kind is HolderKind.POST
            if holder.name in (Post.GRID_WORKER, Post.GRID_LEADER, Post.GRID_INSTRUCTOR):
                assert holder.scope is Scope.OWN_GRID
