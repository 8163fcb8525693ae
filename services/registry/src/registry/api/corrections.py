"""Corrections (更正): asked for by or for the person concerned, looked into by somebody else (PIPL, article 46)."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple

from contracts.registry import CorrectionAsked, CorrectionRefused
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from edge.preconditions import etag
from edge.redaction import Text
from events import NotFound
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from registry.api.disclosures import on_record
from registry.api.powers import Powers
from registry.api.views import person_of
from registry.domain.correction import CORRECTION, FIELDS, Accept, Ask, Correction, NothingToCorrect, Refuse, corrected
from registry.read_models.corrections import corrections, of_person, page
from registry.read_models.people import grid_of, people
from registry.read_models.territory import territory

router = Router(tags=["corrections"])

PURPOSE = "correction"
MOST = 50

Cell = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Outcome = Literal["open", "accepted", "refused"]


class CorrectionBody(BaseModel):
    """What would be right. What is left out is right as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Cell | None = None
    id_number: Annotated[str, StringConstraints(pattern="^[0-9]{17}[0-9X]$")] | None = None
    sex: Annotated[str, StringConstraints(pattern="^[0129]$")] | None = Field(None, description="GB/T 2261.1")
    birth_date: date | None = None
    phone: Cell | None = None
    reason: Text = Field(description="How it can be seen that this is right: which document, since when")


class RefusalBody(BaseModel):
    """Why it is right as it stands."""

    model_config = ConfigDict(extra="forbid")

    reason: Text


class CorrectionView(BaseModel):
    """A correction, without what is wrong or right."""

    correction: str
    person: str
    fields: list[str]
    asked_by: str = Field(description="A member of the roster, or a partner's system")
    client: str | None = Field(description="The partner's system, if it called by itself")
    asked_at: datetime
    outcome: Outcome
    decided_by: str | None
    decided_at: datetime | None


class CorrectionRow(CorrectionView):
    """One in the list of those who look into them."""

    grid: str | None


class AnsweredCorrection(CorrectionView):
    """One for whoever asked."""

    answer: str | None = Field(description="Why it was refused")


class Difference(BaseModel):
    """A field as the register has it, and as it would be right."""

    field: str
    held: str
    asked: str


class CorrectionDetails(CorrectionView):
    """One for whoever looks into it."""

    reason: str
    differences: list[Difference]


@router.post(
    "/people/{person}/corrections", power=Powers.ASK_CORRECTIONS, status_code=201, response_model=CorrectionView
)
async def ask(person: str, body: CorrectionBody, call: Call) -> Response:
    """Says that something is wrong of somebody. It is looked into by somebody else; what came of it:
    GET the same address."""
    await call.fresh(people, territory)
    call.grant.require(await grid_of(call.db, person))
    known = (await person_of(call, person)).known()
    changes = {field: value for field in FIELDS if (value := getattr(body, field)) is not None}
    if not changes:
        raise NothingToCorrect("say what would be right otherwise")
    id_ = call.new_id()
    asked = CorrectionAsked(
        correction=id_,
        person=person,
        fields=tuple(changes),
        **changes,
        reason=body.reason,
        by=call.require_caller(),
        client=call.caller.client,
        at=call.now,
    )
    return await call.create(CORRECTION, id_, Ask(asked, known), view=_view, location="/corrections/{id}")


@router.get("/people/{person}/corrections", power=Powers.ASK_CORRECTIONS)
async def corrections_of(person: str, call: Call) -> list[AnsweredCorrection]:
    """What was asked to be corrected of somebody and what came of it, the latest 50, latest first."""
    await call.fresh(people, territory, corrections)
    call.grant.require(await grid_of(call.db, person))
    rows = await of_person(call.db, person, MOST)
    return [AnsweredCorrection(**row, answer=await _answer(call, row)) for row in rows]


@router.get("/corrections", power=Powers.REVIEW_CORRECTIONS)
async def all_corrections(
    call: Call, outcome: Outcome | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[CorrectionRow]:
    """Corrections within your reach, those that wait longest first."""
    await call.fresh(people, territory, corrections)
    after, id_ = decode_cursor(cursor, datetime, str) if cursor else (None, "")
    rows = [CorrectionRow(**row) for row in await page(call.db, call.grant.sql, outcome, after, id_, limit)]
    return Page[CorrectionRow].of(rows, limit, lambda row: (row.asked_at, row.correction))


@router.get("/corrections/{correction}", power=Powers.REVIEW_CORRECTIONS, response_model=CorrectionDetails)
async def one_correction(correction: str, call: Call) -> Response:
    """What the register says, what would be right, and why: for the purpose `correction`, and on record. With the ETag
    that a decision needs."""
    found = await _within_reach(call, correction)
    asked = found.asked
    covered = await call.fields(PURPOSE, found.grid, Powers.REVIEW_CORRECTIONS)
    known = (await person_of(call, asked.person)).known()
    fields = [field for field in asked.fields if field in covered]
    headers = await on_record(call, asked.person, fields, PURPOSE)
    wanted = corrected(known, asked)
    details = CorrectionDetails(
        **dict(_view(found.correction, found.version)),
        reason=asked.reason,
        differences=[
            Difference(field=field, held=str(getattr(known, field)), asked=str(getattr(wanted, field)))
            for field in fields
        ],
    )
    headers["ETag"] = etag(found.version)
    return Response(details.model_dump_json(), 200, headers, "application/json")


@router.post("/corrections/{correction}/acceptance", power=Powers.REVIEW_CORRECTIONS, response_model=CorrectionView)
async def accept(correction: str, call: Call) -> Response:
    """It was wrong: the register is put right by itself, and everybody who follows it hears of it."""
    found = await _within_reach(call, correction)
    known = (await person_of(call, found.asked.person)).known()
    return await call.change(CORRECTION, correction, Accept(known, call.require_caller(), call.now), view=_view)


@router.post("/corrections/{correction}/refusal", power=Powers.REVIEW_CORRECTIONS, response_model=CorrectionView)
async def refuse(correction: str, body: RefusalBody, call: Call) -> Response:
    """It is right as it stands: whoever asked is told why."""
    await _within_reach(call, correction)
    return await call.change(CORRECTION, correction, Refuse(body.reason, call.require_caller(), call.now), view=_view)


class _Found(NamedTuple):
    correction: Correction
    version: int
    asked: CorrectionAsked
    grid: str | None


async def _within_reach(call: Call, correction: str) -> _Found:
    """A correction of somebody within the caller's reach. Raises NotFound."""
    await call.fresh(people, territory)
    found, version = await call.commands.load(CORRECTION, correction)
    if found.asked is None:
        raise NotFound("there is no such thing")
    grid = await grid_of(call.db, found.asked.person)
    call.grant.require(grid)
    return _Found(found, version, found.asked, grid)


async def _answer(call: Call, row: Any) -> str | None:
    if row["outcome"] != "refused":
        return None
    found, _ = await call.commands.load(CORRECTION, row["correction"])
    return found.decided.reason if isinstance(found.decided, CorrectionRefused) else None


def _view(correction: Correction, _version: int) -> CorrectionView:
    asked, decided = correction.asked, correction.decided
    assert asked is not None  # noqa: S101  # a correction with a version was asked for
    return CorrectionView(
        correction=asked.correction,
        person=asked.person,
        fields=list(asked.fields),
        asked_by=asked.by,
        client=asked.client,
        asked_at=asked.at,
        outcome="open" if decided is None else "refused" if isinstance(decided, CorrectionRefused) else "accepted",
        decided_by=decided and decided.by,
        decided_at=decided and decided.at,
    )
