"""How a case looks on the wire: its steps and times for everybody; what was written about it for those concerned."""

from datetime import datetime

from pydantic import BaseModel, Field

from grid_tasks.domain.case import Case, Step


class CaseView(BaseModel):
    """A case (事件). All times are the trade's."""

    case: str
    step: Step
    possible: list[str] = Field(description="What can be done with it now")
    category: str
    grid: str
    worker: str | None = Field(description="Who has it, or had it at the end")
    due: datetime | None = Field(description="By when it is to be handed in")
    attempt: int = Field(description="2 after it was sent back once, and so on")
    escalated: bool = Field(description="Whether it was ever escalated (督办)")
    on_time: bool | None = Field(description="Whether it was handed in by its deadline, the first time")
    rating: int | None
    reported_at: datetime
    accepted_at: datetime | None
    dispatched_at: datetime | None
    started_at: datetime | None
    handed_in_at: datetime | None
    closed_at: datetime | None
    description: str | None = Field(default=None, description="For members of the roster and for who holds the receipt")
    result: str | None = Field(default=None, description="For members of the roster and for who holds the receipt")


class ReportedView(CaseView):
    """What the reporter is answered."""

    receipt: str = Field(description="A secret, shown once: with it the case is followed and rated (回执)")


def public(case: Case, version: int) -> CaseView:
    """What everybody may see."""
    if case.step is None or case.reported_at is None:
        raise ValueError(f"a case at version {version} was reported")
    return CaseView(
        case=case.id,
        step=case.step,
        possible=list(case.possible),
        category=case.category,
        grid=case.grid,
        worker=case.worker,
        due=case.due,
        attempt=case.attempt,
        escalated=case.escalated,
        on_time=case.on_time,
        rating=case.rating,
        reported_at=case.reported_at,
        accepted_at=case.accepted_at,
        dispatched_at=case.dispatched_at,
        started_at=case.started_at,
        handed_in_at=case.handed_in_at,
        closed_at=case.closed_at,
    )


def whole(case: Case, version: int) -> CaseView:
    """What those concerned may see."""
    return public(case, version).model_copy(update={"description": case.description, "result": case.result})
