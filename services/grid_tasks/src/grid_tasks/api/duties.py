"""The duty list (责任清单), public: what is dealt with here, by when and to what standard, and whose the rest is."""

from contracts.common import Title
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from pydantic import BaseModel, Field

from grid_tasks.api.powers import Powers
from grid_tasks.read_models.duties import duties, duty_list

router = Router(prefix="/duties", tags=["duties"])


class DutyView(BaseModel):
    """An entry of the duty list."""

    category: str
    title: Title
    department: Title = Field(description="Whose duty it is")
    grid_duty: bool = Field(description="Whether cases of this category are taken here")
    deadline_minutes: int | None = Field(description="From dispatch to the result handed in")
    standard: Title | None = Field(description="What “done” means; or where to go with it")
    legal_basis: str


@router.get("", power=Powers.READ_DUTIES)
async def listed(call: Call, cursor: Cursor = None, limit: Limit = 200) -> Page[DutyView]:
    """The duty list, by category."""
    await call.fresh(duties)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = await duty_list(call.db, after, limit + 1)
    items = [DutyView.model_validate(row.model_dump()) for row in rows]
    return Page[DutyView].of(items, limit, lambda duty: (duty.category,))
