"""The duty list (责任清单), public: what is dealt with here, by when and to what standard, and whose the rest is."""

from datetime import datetime

from contracts.common import DeadlineClock, Post, Title
from contracts.registry import DueKind
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from events import NotFound
from pydantic import BaseModel, Field

from grid_tasks.api.powers import Powers
from grid_tasks.read_models.duties import Duty, duties, duty_list, duty_versions

router = Router(prefix="/duties", tags=["duties"])


class DutyView(BaseModel):
    """An entry of the duty list."""

    category: str
    title: Title
    department: Title = Field(description="Whose duty it is")
    grid_duty: bool = Field(description="Whether cases of this category are taken here")
    deadline_minutes: int | None = Field(description="From dispatch to the result handed in")
    clock: DeadlineClock = Field(description="In which hours")
    role: Post = Field(description="The post that handles it")
    skills: list[str] = Field(description="What who handles it must be able to do")
    photos: int = Field(description="How many files the result must come with")
    weight: int = Field(description="How much work it is, beside others")
    look_percent: int = Field(description="How many of a hundred are looked at by a second person")
    urgent: bool = Field(description="Whether it goes the short way")
    rule: DueKind | None = Field(description="What falls due and is a case of this category when its day has passed")
    standard: Title | None = Field(description="What “done” means; or where to go with it")
    legal_basis: str
    version: int
    since: datetime = Field(description="Since when this version holds")


@router.get("", power=Powers.READ_DUTIES)
async def listed(call: Call, cursor: Cursor = None, limit: Limit = 200) -> Page[DutyView]:
    """The duty list, by category."""
    await call.fresh(duties)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = await duty_list(call.db, after, limit + 1)
    return Page[DutyView].of([_view(row) for row in rows], limit, lambda duty: (duty.category,))


@router.get("/{category}/versions", power=Powers.READ_DUTIES)
async def versions(category: str, call: Call) -> Page[DutyView]:
    """All that the list ever said of a category, first to last, on one page."""
    await call.fresh(duties)
    found = await duty_versions(call.db, category)
    if not found:
        raise NotFound("the duty list never had this category")
    return Page[DutyView](items=[_view(it) for it in found], next=None)


def _view(it: Duty) -> DutyView:
    return DutyView.model_validate(it.duty.model_dump() | {"version": it.version, "since": it.since})
