"""The duty list (责任清单), public: what is dealt with here, by when and to what standard, and whose the rest is."""

from contracts.registry import DutyFacts
from edge import Call, Cursor, Limit, Page, decode_cursor
from fastapi import APIRouter

from grid_tasks.read_models.duties import duties, duty_list

router = APIRouter(prefix="/duties", tags=["duties"])


@router.get("", response_model=Page[DutyFacts])
async def duty_list_(call: Call, cursor: Cursor = None, limit: Limit = 200) -> Page[DutyFacts]:
    """Entries by category."""
    await call.fresh(duties)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = await duty_list(call.db, after, limit + 1)
    return Page[DutyFacts].of(rows, limit, lambda duty: (duty.category,))
