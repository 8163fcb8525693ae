"""The duty list (责任清单): who must deal with what, by when, to what standard."""

from contracts.common import Title
from contracts.registry import DutyFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel, Field

from registry.api.powers import Powers
from registry.api.views import as_listed
from registry.domain.duty import DUTY
from registry.read_models.duties import duties, page

router = Router(prefix="/duties", tags=["duties"])


class DutyRow(BaseModel):
    """An entry of the duty list."""

    category: str
    title: Title
    department: Title
    grid_duty: bool = Field(description="Whether it is on the grid workers' list")
    deadline_minutes: int | None = Field(description="From dispatch to the result handed in")
    standard: Title | None = Field(description='What "done" means')
    legal_basis: str


@router.get("", power=Powers.READ_DUTIES)
async def all_duties(
    call: Call, grid_duty: bool | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[DutyRow]:
    """All entries, or only those that are on the grid workers' list, or that are not."""
    await call.fresh(duties)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [
        DutyRow(
            category=row["category"],
            title=Title(zh=row["title_zh"], en=row["title_en"]),
            department=Title(zh=row["department_zh"], en=row["department_en"]),
            grid_duty=row["grid_duty"],
            deadline_minutes=row["deadline_minutes"],
            standard=Title(zh=row["standard_zh"], en=row["standard_en"]) if row["standard_zh"] else None,
            legal_basis=row["legal_basis"],
        )
        for row in await page(call.db, grid_duty, after, limit)
    ]
    return Page[DutyRow].of(rows, limit, lambda row: [row.category])


@router.get("/{category}", power=Powers.READ_DUTIES, response_model=DutyFacts)
async def one_duty(category: str, call: Call) -> Response:
    """An entry by its category."""
    return await call.read(DUTY, category, as_listed)
