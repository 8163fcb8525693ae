"""How good the registers are (底数清、情况明、动态准): by grid and building; what contradicts itself; samples."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from contracts.common import Title
from contracts.registry import Accuracy
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from edge.body import Whole
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from registry.api.powers import Powers
from registry.domain.history import day_in_china
from registry.domain.quality import RULES
from registry.domain.sample import SAMPLE, Answer, DrawSample, Sample
from registry.read_models.people import here, people
from registry.read_models.quality import MEASURED, broken, figures, measured_by_building
from registry.read_models.samples import page, samples
from registry.read_models.territory import territory

router = Router(prefix="/quality", tags=["quality"])

Share = Annotated[float, Field(ge=0, le=1)]


class Quality(BaseModel):
    """How good the registers of a grid are. Shares are from 0 to 1."""

    grid: str
    records: int
    complete: Share = Field(description="底数清: what is needed is there")
    fresh: Share = Field(description="动态准: confirmed within half a year")
    consistent: Share = Field(description="Records that break no rule")
    accurate: Accuracy | None = Field(description="情况明: right at a random re-visit, with its 95% interval")
    score: float = Field(description="From 0 to 100: accuracy counts as much as the other three together")
    broken: Mapping[str, int] = Field(description="How many records break each rule", examples=[{"no_licence": 1}])


class BuildingQuality(BaseModel):
    """The same of a building, as far as so few can be measured."""

    building: str = Field(description="Its address, as one writes it")
    records: int
    complete: Share
    fresh: Share


class Contradiction(BaseModel):
    """A record that contradicts itself or others."""

    rule: str
    words: Title
    of: str = Field(description="The register that it stands in", examples=["people"])
    id: str
    grid: str | None


class SampleBody(BaseModel):
    """How many are to be visited again."""

    model_config = ConfigDict(extra="forbid")

    period: str = Field(pattern=r"^[0-9A-Za-z-]{1,20}$", examples=["2026Q4"])
    size: Whole = Field(ge=1, le=500, examples=[20])


class SampleRow(BaseModel):
    """A sample, and how far it is."""

    sample: str
    period: str
    grid: str
    drawn_at: datetime
    size: int
    answered: int
    right: int


class SampleView(BaseModel):
    """Who is to be visited again, and what was found."""

    sample: str
    period: str
    grid: str
    seed: int
    persons: dict[str, bool | None] = Field(description="By id: whether the register was right; none: not visited yet")


class AnswerBody(BaseModel):
    """What was found on the spot."""

    model_config = ConfigDict(extra="forbid")

    person: str
    right: bool
    wrong: list[str] = Field(default_factory=list[str], description="The fields that are not right", max_length=20)


@router.get("", power=Powers.READ_QUALITY)
async def quality(call: Call) -> Page[Quality]:
    """All grids within your reach, by code."""
    await call.fresh(*MEASURED, samples)
    found = await figures(call.db, call.grant.sql, _today(call))
    return Page[Quality](items=[Quality.model_validate(it, from_attributes=True) for it in found], next=None)


@router.get("/broken", power=Powers.READ_QUALITY)
async def contradictions(
    call: Call, grid: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[Contradiction]:
    """Which records contradict themselves or others, within your reach."""
    await call.fresh(*MEASURED)
    rule, id_ = decode_cursor(cursor, str, str) if cursor else ("", "")
    reach = call.grant.sql if grid is None else [grid]
    if grid is not None:
        call.grant.require(grid)
    rows = [
        Contradiction(rule=it.rule, words=RULES[it.rule], of=it.register, id=it.id, grid=it.grid)
        for it in await broken(call.db, reach, _today(call), (rule, id_), limit)
    ]
    return Page[Contradiction].of(rows, limit, lambda row: [row.rule, row.id])


@router.get("/grids/{grid}/buildings", power=Powers.READ_QUALITY)
async def by_building(grid: str, call: Call) -> list[BuildingQuality]:
    """The buildings of a grid, by address."""
    await call.fresh(*MEASURED)
    call.grant.require(grid)
    return [
        BuildingQuality(
            building=it.place,
            records=it.records,
            complete=it.complete / it.records,
            fresh=it.fresh / it.records,
        )
        for it in await measured_by_building(call.db, grid, _today(call))
    ]


@router.post("/grids/{grid}/samples", power=Powers.SAMPLE_QUALITY, status_code=201, response_model=SampleView)
async def draw(grid: str, body: SampleBody, call: Call) -> Response:
    """Draws people of a grid at random, to be visited again: once in a period, however often it is asked for."""
    await call.fresh(people, territory)
    id_ = f"{body.period}-{grid}"
    command = DrawSample(
        id_,
        body.period,
        grid,
        await here(call.db, grid),
        body.size,
        secrets.randbits(48),
        call.require_caller(),
        call.now,
    )
    return await call.create(SAMPLE, id_, command, view=_sample, location="/quality/samples/{id}")


@router.get("/samples", power=Powers.READ_QUALITY)
async def all_samples(call: Call, cursor: Cursor = None, limit: Limit = 50) -> Page[SampleRow]:
    """Samples of the grids within your reach."""
    await call.fresh(samples)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [SampleRow(**row) for row in await page(call.db, call.grant.sql, after, limit)]
    return Page[SampleRow].of(rows, limit, lambda row: [row.sample])


@router.get("/samples/{sample}", power=Powers.READ_QUALITY, response_model=SampleView)
async def one_sample(sample: str, call: Call) -> Response:
    """Who is to be visited again."""
    return await call.read(SAMPLE, sample, _sample, grid=_grid)


@router.post("/samples/{sample}/answers", power=Powers.REVIEW_CORRECTIONS, response_model=SampleView)
async def answer(sample: str, body: AnswerBody, call: Call) -> Response:
    """Says whether the register was right of somebody who was visited again. What was wrong is corrected besides."""
    command = Answer(body.person, body.right, tuple(body.wrong), call.require_caller(), call.now)
    return await call.change(SAMPLE, sample, command, view=_sample, grid=_grid)


def _today(call: Call) -> date:
    return day_in_china(call.now)


def _grid(sample: Sample) -> str | None:
    return sample.drawn and sample.drawn.grid


def _sample(sample: Sample, _version: int) -> SampleView:
    drawn = sample.drawn
    assert drawn is not None  # noqa: S101  # a sample with a version was drawn
    found = {person: sample.answers[person].right if person in sample.answers else None for person in drawn.persons}
    return SampleView(sample=drawn.sample, period=drawn.period, grid=drawn.grid, seed=drawn.seed, persons=found)
