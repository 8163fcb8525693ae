"""Photos and other evidence (证据): a place to upload to, then looked at and kept, then shown to who may read the case.

Where a folder of this machine is the store, its signed addresses are here too.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from edge import Call, HttpProblem, Router
from edge.body import Whole
from edge.call import HttpCall
from events import NotFound
from fastapi import Query, Response
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from grid_tasks.api.bodies import Body, Receipt
from grid_tasks.api.powers import Powers
from grid_tasks.api.readers import reader_of
from grid_tasks.domain.case import CASE
from grid_tasks.domain.evidence import EVIDENCE, MOST_BYTES, Evidence, Expect, Found, Keep, Stage
from grid_tasks.domain.evidence_refusals import EvidenceGone, LinkOver, NoEvidenceHere, NoSuchEvidence
from grid_tasks.evidence.folder import Folder
from grid_tasks.evidence.keeping import Keeper
from grid_tasks.evidence.storage import Store, StoreAway, Ticket, disposition

Size = Annotated[int, Query(ge=0, le=2**53)]
Moment = Annotated[int, Query(ge=0, le=2**33)]
Signature = Annotated[str, Query(max_length=64)]
FILE = {"schema": {"type": "string", "format": "binary"}}
AWAY = HttpProblem(
    "evidence-store-away",
    "where evidence is stored does not answer; repeat the request in a moment",
    status=503,
    headers={"Retry-After": "5"},
    message_zh="证据存储暂时没有应答；请稍后重试",
)


class EvidenceBody(Body):
    """What is to be uploaded."""

    media_type: str = Field(max_length=100, description=f"One of {', '.join(MOST_BYTES)}", examples=["image/jpeg"])
    bytes: Whole = Field(ge=1, le=2**53, description="The size of the file")
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="In hex; what arrives is then held against it"
    )


class TicketView(BaseModel):
    """The request that uploads the file: this method, to this address, with these headers as they are."""

    method: str
    url: str = Field(description="Good until `expires`; where it begins with /, it is of this API")
    headers: dict[str, str]
    expires: datetime = Field(description="By the real time")


class ExpectedView(BaseModel):
    """A place for it."""

    evidence: str = Field(description="Its id, to name it by in a report or hand-in when it is complete")
    upload: TicketView
    kept_until: datetime = Field(description="When it is deleted, unless a case has it by then")


class EvidenceView(BaseModel):
    """It is kept."""

    evidence: str
    stage: Stage
    media_type: str
    bytes: int = Field(description="Of what is kept: a photo without what its camera wrote into it")
    sha256: str | None = Field(description="Of what is kept, in hex")
    position_read: bool = Field(description="Whether the photo said where it was taken; that is no longer in it")
    case: str | None
    kept_until: datetime | None = Field(description="When it is deleted, unless a case has it by then")


class PlaceView(BaseModel):
    """A point as a camera wrote it down, in degrees: WGS-84, unless it named another datum."""

    longitude: float
    latitude: float


class FileView(BaseModel):
    """Where it can be had."""

    evidence: str
    case: str
    media_type: str
    bytes: int
    sha256: str
    url: str = Field(description="To be had by GET, without any header; where it begins with /, it is of this API")
    expires: datetime = Field(description="Until when, by the real time")
    place_taken: PlaceView | None = Field(description="By the camera; for who looks after the case's grid")
    taken_at: datetime | None = Field(description="Likewise")


def router(store: Callable[[], Store | None]) -> Router:
    """The operations. The store is asked for when one needs it, not before."""
    router = Router(prefix="/evidence", tags=["evidence"])
    keeper = Keeper()

    def there() -> Store:
        if (found := store()) is None:
            raise NoEvidenceHere
        return found

    @router.post("", power=Powers.REPORT, status_code=201, response_model=ExpectedView)
    async def expect(body: EvidenceBody, call: Call) -> Response:
        """A place to upload a photo or other evidence to: for anybody who may report. Then send the file there, then
        complete it, then name it in a report or hand-in, within a day."""
        where, id_ = there(), call.new_id()
        command = Expect(id_, body.media_type, body.bytes, body.sha256, call.caller.id, call.now)

        def answer(state: Evidence, _version: int) -> ExpectedView:
            ticket = where.upload(id_, state.media_type, state.bytes)
            return ExpectedView(evidence=id_, upload=_ticket(ticket), kept_until=state.kept_until or call.now)

        try:
            return await call.create(EVIDENCE, id_, command, view=answer)
        except StoreAway:
            raise AWAY from None

    @router.post("/{evidence}/complete", power=Powers.REPORT, response_model=EvidenceView)
    async def complete(evidence: str, call: Call) -> Response:
        """The file was sent: it is looked at, and kept. A photo is kept without its camera's notes; where it was taken
        is noted apart."""
        where = there()
        state, version = await call.commands.load(EVIDENCE, evidence)
        if not version or state.by not in (None, call.caller.id):
            raise NoSuchEvidence
        if state.stage in (Stage.FORGOTTEN, Stage.REMOVED):
            raise EvidenceGone
        try:
            if state.stage is Stage.KEPT:
                return await call.change(EVIDENCE, evidence, _again(state, call.now), view=_view)
            found = await keeper.keep(where, state)
            answer = await call.change(EVIDENCE, evidence, Keep(found, call.now), view=_view)
            state, _ = await call.commands.load(EVIDENCE, evidence)
            if state.kept_sha256 != found.sha256:  # another request completed it meanwhile, with another upload
                await where.drop_kept(evidence, found.sha256)
            await where.drop_sent(evidence)
            return answer
        except StoreAway:
            raise AWAY from None

    @router.get("/{evidence}", power=Powers.FOLLOW, response_model=FileView)
    async def where_it_is(evidence: str, call: Call, receipt: Receipt = None) -> Response:
        """Where evidence of a case can be downloaded, for some minutes: for who looks after the case's grid, and for
        who shows the receipt. Each look of a member is put on record."""
        where = there()
        state, _ = await call.commands.load(EVIDENCE, evidence)
        if state.stage is None or state.case is None or state.kept_sha256 is None:
            raise NoSuchEvidence
        if state.stage is not Stage.KEPT:
            raise EvidenceGone
        member = await _concerned(call, state.case, receipt)
        if member:
            await call.put_on_record(thing=EVIDENCE.stream(evidence))
        try:
            link = where.download(evidence, state.kept_sha256, state.media_type)
        except StoreAway:
            raise AWAY from None
        place = state.place_taken if member else None
        view = FileView(
            evidence=evidence,
            case=state.case,
            media_type=state.media_type,
            bytes=state.bytes,
            sha256=state.kept_sha256,
            url=link.url,
            expires=link.expires,
            place_taken=PlaceView(**place.model_dump()) if place else None,
            taken_at=state.taken_at if member else None,
        )
        headers = {"Vary": "Authorization, Receipt", "Cache-Control": "private, no-store"}
        return Response(view.model_dump_json(), 200, headers, "application/json")

    @router.put(
        "/{evidence}/content",
        power=Powers.REPORT,
        status_code=204,
        response_class=Response,
        max_body_size=max(MOST_BYTES.values()),
        openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(MOST_BYTES, FILE)}},
    )
    async def send(evidence: str, call: Call, size: Size, expires: Moment, signature: Signature) -> Response:
        """Takes the file, where a folder is the store: the address that a ticket names."""
        folder = _folder(there())
        folder.require("PUT", evidence, size, expires, signature)
        state, _ = await call.commands.load(EVIDENCE, evidence)
        if state.stage is not Stage.EXPECTED:
            raise LinkOver
        try:
            await folder.take(evidence, size, call.request.stream())
        except StoreAway:
            raise AWAY from None
        except ClientDisconnect:
            raise HttpProblem("bad-request", "the file did not come to its end") from None
        return Response(status_code=204)

    @router.get(
        "/{evidence}/content",
        power=Powers.FOLLOW,
        response_class=Response,
        responses={200: {"description": "The file", "content": dict.fromkeys(MOST_BYTES, FILE)}},
    )
    async def content(evidence: str, call: Call, size: Size, expires: Moment, signature: Signature) -> Response:
        """Gives the file out, where a folder is the store: the address that `GET /evidence/{evidence}` names."""
        folder = _folder(there())
        folder.require("GET", evidence, size, expires, signature)
        state, _ = await call.commands.load(EVIDENCE, evidence)
        kept: bytes | None = None
        try:
            if state.stage is Stage.KEPT and state.kept_sha256:
                kept = await folder.kept(evidence, state.kept_sha256)
        except StoreAway:
            raise AWAY from None
        if kept is None:
            raise EvidenceGone
        headers = {
            "Content-Disposition": disposition(evidence, state.media_type),
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-store",
        }
        return Response(kept, 200, headers, state.media_type)

    return router


def _ticket(ticket: Ticket) -> TicketView:
    return TicketView(method=ticket.method, url=ticket.url, headers=dict(ticket.headers), expires=ticket.expires)


def _view(state: Evidence, _version: int) -> EvidenceView:
    return EvidenceView(
        evidence=state.id,
        stage=state.stage or Stage.EXPECTED,
        media_type=state.media_type,
        bytes=state.bytes,
        sha256=state.kept_sha256,
        position_read=state.place_taken is not None,
        case=state.case,
        kept_until=state.kept_until,
    )


def _again(state: Evidence, at: datetime) -> Keep:
    """A completion of what is complete: nothing follows from it."""
    return Keep(Found(state.media_type, state.bytes, state.kept_sha256 or "", ""), at)


def _folder(store: Store) -> Folder:
    if not isinstance(store, Folder):
        raise NotFound("files are uploaded to the store itself here, and downloaded from it")
    return store


async def _concerned(call: HttpCall, case_id: str, receipt: str | None) -> bool:
    """Whether a member of the roster asks, who looks after the case's grid or deals with it; False for who shows its
    receipt. Raises NoSuchEvidence for everybody else, NotYourReceipt."""
    case, _ = await call.commands.load(CASE, case_id)
    if not (await reader_of(call, receipt)).reads(case):
        raise NoSuchEvidence
    return receipt is None
