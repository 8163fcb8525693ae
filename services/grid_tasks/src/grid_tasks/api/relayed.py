"""Reports that another system passes on (转办): a hotline such as 12345, or another government's platform.

Each has its own number there. The case's id follows from who passes it on and that number, so a report that is sent
again, a day later or with another Idempotency-Key, is never a second case; and the number itself need not be kept.
"""

import hashlib
import secrets
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

from contracts.grid_tasks import ReporterKind
from edge import Call, Router
from edge.call import HttpCall
from fastapi import Path, Response
from pydantic import Field

from grid_tasks.api.cases import ReportBody, existing, to_report
from grid_tasks.api.powers import Powers
from grid_tasks.api.views import CaseView, RelayedView, fields, public
from grid_tasks.domain.case import CASE, Case
from grid_tasks.domain.receipt import hash_of
from grid_tasks.domain.refusals import NotPossibleNow
from grid_tasks.evidence.cases import require_kept

router = Router(prefix="/relayed", tags=["relayed"])

Number = Annotated[
    str,
    Path(min_length=1, max_length=200, pattern="^[!-~]+$", description="Its number in your system", examples=["HZ1"]),
]


class Through(StrEnum):
    """What passes it on."""

    HOTLINE = "hotline"
    SYSTEM = "system"


KINDS = {Through.HOTLINE: ReporterKind.HOTLINE, Through.SYSTEM: ReporterKind.PARTNER}


class RelayedBody(ReportBody):
    """上报, as it came in elsewhere."""

    through: Through = Field(Through.SYSTEM, strict=False)


@router.put("/{number}", power=Powers.RELAY, status_code=201, response_model=RelayedView)
async def relay(number: Number, body: RelayedBody, call: Call) -> Response:
    """转办: passes a report on, once for each number of the caller's. 200 if it is there already: how it stands,
    without the receipt, which is told once for an Idempotency-Key."""
    receipt = secrets.token_urlsafe(24)
    place = body.place.point()
    command = await to_report(call, body.category, body.description, place, KINDS[body.through], body.contact, receipt)
    case = _case_of(call, number)
    await require_kept(call.commands, body.evidence, call.caller.id, case)
    command = replace(command, case=case, evidence=body.evidence, told_at=body.at)

    def answer(state: Case, _version: int) -> RelayedView:
        mine = state.receipt_hash == hash_of(receipt)
        return RelayedView(**fields(state), receipt=receipt if mine else None)

    try:
        return await call.create(CASE, case, command, view=answer, location="/cases/{id}")
    except NotPossibleNow:
        found = await call.read(CASE, case, answer)
        found.headers["Location"] = f"/cases/{case}"
        return found


@router.get("/{number}", power=Powers.RELAY, response_model=CaseView)
async def relayed(number: Number, call: Call) -> Response:
    """How a report stands that the caller passed on, by its number there."""
    case = _case_of(call, number)
    await existing(call, case)
    return await call.read(CASE, case, public)


def _case_of(call: HttpCall, number: str) -> str:
    """In the form of the ids of other cases, which are told apart by nothing."""
    who = call.caller.client or call.require_caller()
    return hashlib.sha256(f"relayed\0{who}\0{number}".encode()).hexdigest()[:32]
