"""The addresses of GeoReport v2, and of Service Discovery."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from contracts.common import Place
from contracts.grid_tasks import ReporterKind
from contracts.registry import DutyFacts
from edge import Call, HttpProblem, Router
from edge.accepting import Language, language_of
from edge.call import HttpCall, headers_of
from fastapi import Header, Query, Response
from pydantic import BaseModel

from grid_tasks.api.bodies import Receipt
from grid_tasks.api.cases import existing, to_report
from grid_tasks.api.open311.bodies import FORM, MaybeMoment, RequestForm, form_of, listed, required_order
from grid_tasks.api.open311.settings import by_environment
from grid_tasks.api.open311.views import (
    Discovery,
    Endpoint,
    Extended,
    Made,
    Service,
    ServiceDefinition,
    ServiceRequest,
    Token,
    name_of,
    notice_of,
    service,
    service_request,
)
from grid_tasks.api.open311.wire import MEDIA, Error, Format, GeoReport, written
from grid_tasks.api.overreach import counted
from grid_tasks.api.powers import Powers
from grid_tasks.api.readers import reader_of
from grid_tasks.domain.case import CASE, Case
from grid_tasks.domain.refusals import NotAGridDuty, NotOnAnyDutyList
from grid_tasks.read_models.case_board import BoardCase, case_board
from grid_tasks.read_models.case_search import between, by_ids
from grid_tasks.read_models.duties import Duty, duties, duty_list, duty_of

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
SPAN = timedelta(days=90)
"""Section GET Service Requests: a range may not span more, and is so long where none is given."""
PAGE = 1000
"""Section Response Volume."""
MOST_DUTIES = 5000
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Nothing was reported before or after, and reckoning with days near the ends of the calendar goes wrong."""

router = Router(prefix="/open311", tags=["open311"])
router.route_class = GeoReport

Jurisdiction = Annotated[
    str | None, Query(max_length=200, description="May be left out: this endpoint serves one jurisdiction")
]
Listed = Annotated[str | None, Query(max_length=4000, description="Several with commas between")]
OptionalKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern="^[!-~]+$",
        description="Repeat a request with the same one and it takes effect once. Clients of this standard need not "
        "send one: then each request is a case",
    ),
]
REFUSED = {400: "The request is not right", 403: "The caller is not known, or may not", 404: "There is no such thing"}
XML: dict[str, Any] = {"content": {MEDIA[Format.XML]: {}}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: XML,
    **{status: {"model": list[Error], "description": text, **XML} for status, text in REFUSED.items()},
}
SENT = {"requestBody": {"required": True, "content": {FORM: {"schema": RequestForm.model_json_schema()}}}}


def _language(call: HttpCall) -> Language:
    return language_of(call.request.headers.get("Accept-Language"))


def _answer(
    call: HttpCall,
    format: Format,
    root: str,
    content: BaseModel | list[Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    plain: Any = [it.model_dump() for it in content] if isinstance(content, list) else content.model_dump()
    said = {"Content-Language": _language(call), "Vary": "Accept-Language, Authorization, Receipt"}
    return written(format, root, plain, status, said | dict(headers or {}))


def _require_jurisdiction(given: str | None) -> None:
    ours = by_environment().jurisdiction
    if given and ours and given != ours:
        raise HttpProblem("not-found", "jurisdiction_id was not found: this endpoint serves another jurisdiction")


async def _services(call: HttpCall) -> list[Duty]:
    """The grid's duties: what is a department's is reported there."""
    await call.fresh(duties)
    return [it for it in await duty_list(call.db, "", MOST_DUTIES) if it.duty.grid_duty]


async def _require_service(call: HttpCall, code: str) -> DutyFacts:
    """Raises the 404 problem where there is no such service; it says whose duty it is, if it is somebody's."""
    await call.fresh(duties)
    found = await duty_of(call.db, code)
    if found is None:
        raise HttpProblem(
            "not-found", "service_code was not found: GET services has those that there are"
        ) from NotOnAnyDutyList(code)
    if not found.duty.grid_duty:
        refused = NotAGridDuty(found.duty)
        raise HttpProblem("not-found", f"service_code was not found: {refused}") from refused
    return found.duty


@router.get("/discovery.{format}", power=Powers.READ_DUTIES, response_model=Discovery, responses=ANSWERS)
@router.get(
    "/v2/discovery.{format}",
    power=Powers.READ_DUTIES,
    response_model=Discovery,
    responses=ANSWERS,
    name="discovery_at_the_endpoint",
)
async def discovery(format: Format, call: Call) -> Response:
    """Service Discovery: where GeoReport v2 is spoken, in which forms. Some clients look for it at the endpoint."""
    settings, since = by_environment(), [it.since for it in await _services(call)]
    changeset = max(since, default=EARLIEST).astimezone(UTC).isoformat(timespec="seconds")
    endpoint = Endpoint(
        specification=SPECIFICATION,
        url=f"{str(call.request.base_url).rstrip('/')}/open311/v2",
        changeset=changeset,
        type="test" if settings.local else "production",
        formats=[MEDIA[Format.XML], MEDIA[Format.JSON]],
    )
    found = Discovery(
        changeset=changeset,
        contact=settings.open311_contact,
        key_service="No api_key is needed: anybody may report and follow. Systems of partners send a bearer token.",
        endpoints=[endpoint],
    )
    return _answer(call, format, "discovery", found)


@router.get("/v2/services.{format}", power=Powers.READ_DUTIES, response_model=list[Service], responses=ANSWERS)
async def services(format: Format, call: Call, jurisdiction_id: Jurisdiction = None) -> Response:
    """GET Service List: what the grid's duty list has."""
    _require_jurisdiction(jurisdiction_id)
    found = [service(it.duty, _language(call)) for it in await _services(call)]
    return _answer(call, format, "services", found)


@router.get(
    "/v2/services/{service_code}.{format}",
    power=Powers.READ_DUTIES,
    response_model=ServiceDefinition,
    responses=ANSWERS,
)
async def service_definition(
    service_code: str, format: Format, call: Call, jurisdiction_id: Jurisdiction = None
) -> Response:
    """GET Service Definition: no service asks for more than where and what, so it has no attributes."""
    _require_jurisdiction(jurisdiction_id)
    duty = await _require_service(call, service_code)
    return _answer(call, format, "service_definition", ServiceDefinition(service_code=duty.category, attributes=[]))


@router.post(
    "/v2/requests.{format}",
    power=Powers.REPORT,
    status_code=201,
    response_model=list[Made],
    responses={status: it for status, it in ANSWERS.items() if status != 200} | {201: XML},
    openapi_extra=SENT,
)
async def report(
    format: Format, call: Call, jurisdiction_id: Jurisdiction = None, idempotency_key: OptionalKey = None
) -> Response:
    """POST Service Request: a report (上报) like any other. Keep the receipt: with it the case is followed, rated and
    reopened at the addresses under /cases."""
    form = await form_of(call)
    for given in (jurisdiction_id, form.jurisdiction_id):
        _require_jurisdiction(given)
    async with counted(call, form.service_code):
        duty, receipt = await _require_service(call, form.service_code), secrets.token_urlsafe(24)
    place = Place(longitude=form.long, latitude=form.lat)
    words = form.words or name_of(duty, "zh")
    command = await to_report(call, form.service_code, words, place, ReporterKind.OPEN311, form.email, receipt)

    def view(state: Case, version: int) -> dict[str, Any]:
        return {"case": state.id, "receipt": receipt, "version": version}

    done = await call.commands.execute(CASE, command.case, command, new=True, key=await call.given_key(), view=view)
    made = done.outcome or {}
    answered = Made(
        service_request_id=made["case"],
        service_notice=notice_of(duty, _language(call)),
        account_id=None,
        extended_attributes=Extended(receipt=made["receipt"]),
    )
    headers = headers_of(done) | {"Location": f"/open311/v2/requests/{answered.service_request_id}.{format}"}
    return _answer(call, format, "service_requests", [answered], 201, headers)


@router.get("/v2/requests.{format}", power=Powers.FOLLOW, response_model=list[ServiceRequest], responses=ANSWERS)
async def requests(
    format: Format,
    call: Call,
    jurisdiction_id: Jurisdiction = None,
    service_request_id: Listed = None,
    service_code: Listed = None,
    start_date: Annotated[MaybeMoment, Query()] = None,
    end_date: Annotated[MaybeMoment, Query(description="At most 90 days after start_date")] = None,
    status: Annotated[str | None, Query(pattern="^((open|closed)(,(open|closed))*)?$")] = None,
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
    page_size: Annotated[int, Query(ge=1, description=f"Never more than {PAGE}")] = PAGE,
) -> Response:
    """GET Service Requests: cases, however they were reported, newest first; the last 90 days unless asked otherwise.
    `service_request_id` overrides all else. `page` and `page_size` are as in GeoReport v2 Extensions, Pagination."""
    _require_jurisdiction(jurisdiction_id)
    await call.fresh(case_board, duties)
    if ids := listed(service_request_id):
        rows = await by_ids(call.db, ids[:PAGE])
    else:
        most = min(page_size, PAGE)
        asked = set(listed(status))
        rows = await between(
            call.db,
            *_span(start_date, end_date, call.now),
            categories=listed(service_code),
            ended=None if len(asked) != 1 else asked == {"closed"},
            limit=most,
            offset=(page - 1) * most,
        )
    return _answer(call, format, "service_requests", await _shown(call, rows))


def _span(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    if start and end:
        required_order(start, end)
        if end - start > SPAN:
            raise HttpProblem("bad-request", "start_date and end_date may not span more than 90 days")
    known = [min(max(it, EARLIEST), LATEST) for it in (start, end) if it]
    if len(known) == 2:
        return known[0], known[1]
    if start:
        return known[0], known[0] + SPAN
    last = known[0] if known else now
    return last - SPAN, last


async def _shown(call: HttpCall, rows: list[BoardCase]) -> list[ServiceRequest]:
    known = {it.duty.category: it.duty for it in await duty_list(call.db, "", MOST_DUTIES)}
    return [service_request(it, known.get(it.category), _language(call)) for it in rows]


@router.get(
    "/v2/requests/{service_request_id}.{format}",
    power=Powers.FOLLOW,
    response_model=list[ServiceRequest],
    responses=ANSWERS,
)
async def request(
    service_request_id: str, format: Format, call: Call, jurisdiction_id: Jurisdiction = None, receipt: Receipt = None
) -> Response:
    """GET Service Request: one case; with its words and its place for those who look after its grid and for who shows
    the receipt."""
    _require_jurisdiction(jurisdiction_id)
    await call.fresh(duties)
    state = await existing(call, service_request_id)
    in_full = (await reader_of(call, receipt)).reads(state)
    found = await duty_of(call.db, state.category)
    shown = service_request(state, found.duty if found else None, _language(call), concerned=in_full)
    return _answer(call, format, "service_requests", [shown])


@router.get("/v2/tokens/{token}.{format}", power=Powers.FOLLOW, response_model=list[Token], responses=ANSWERS)
async def token(token: str, format: Format, call: Call, jurisdiction_id: Jurisdiction = None) -> Response:
    """GET service_request_id from a token: the id is answered at once, and is its own token."""
    _require_jurisdiction(jurisdiction_id)
    state = await existing(call, token)
    return _answer(call, format, "service_requests", [Token(service_request_id=state.id, token=token)])
