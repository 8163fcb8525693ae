"""How a case looks on the wire: its steps and times for everybody; what was written about it for those concerned.

What a command answers is kept with its idempotency key, so it never holds what was written.
"""

from datetime import datetime
from typing import Any

from contracts.common import Title
from contracts.grid_tasks import (
    CaseAnswered,
    CaseRated,
    CaseReopened,
    CaseReported,
    CaseResumed,
    CaseWithdrawn,
    PauseKind,
    RefusalKind,
)
from events import Event, Recorded
from pydantic import BaseModel, Field

from grid_tasks.domain.case import Case, Step
from grid_tasks.domain.moves import TO_CHECK
from grid_tasks.domain.working_time import Calendar


class CaseView(BaseModel):
    """A case (事件). All times are the trade's; those of dispatch, start and hand-in are of the present attempt."""

    case: str
    step: Step
    possible: list[str] = Field(description="What can be done with it now")
    category: str
    grid: str
    body: str = Field(description="The department that has it; empty: the grid")
    worker: str | None = Field(description="Who has it, or had it at the end")
    helping: list[str] = Field(description="Who is still to do a part of it")
    due: datetime | None = Field(description="By when it is to be handed in; none while its clock stands")
    check_by: datetime | None = Field(description="By when somebody else is to say whether it is done, once handed in")
    pause: PauseKind | None = Field(description="Why its clock stands")
    time_asked: int | None = Field(description="Minutes that the worker asks for besides")
    urgent: bool
    paper_due: bool = Field(description="Whether an urgent case lacks what is to be written down")
    photos: int = Field(description="How many files the result must come with")
    attempt: int = Field(description="2 after it was sent back once, and so on")
    escalated: bool = Field(description="Whether it was ever escalated (督办)")
    on_time: bool | None = Field(description="Whether it was handed in by its deadline, the first time")
    rating: int | None
    into: str | None = Field(description="The case that goes on for it")
    refused_as: RefusalKind | None
    whose: str = Field(description="Whose it is, if it was refused")
    reported_at: datetime
    accepted_at: datetime | None
    dispatched_at: datetime | None
    started_at: datetime | None
    handed_in_at: datetime | None
    closed_at: datetime | None


class CaseDetails(CaseView):
    """The same with what was written, for members of the roster and for who holds the receipt."""

    description: str = Field(description="What the reporter wrote")
    result: str | None = Field(description="What the worker wrote when handing in")
    evidence: list[str] = Field(description="Files that came with the report")
    result_evidence: list[str] = Field(description="Files that came with the result")


class ReportedView(CaseView):
    """What the reporter is answered."""

    receipt: str = Field(description="A secret, shown once: with it the case is followed and rated (回执)")


class RelayedView(CaseView):
    """What who passes a report on is answered."""

    receipt: str | None = Field(description="As in an answer to the reporter; null if the report was there already")


class StepView(BaseModel):
    """Something that happened to a case."""

    step: str = Field(description="reported, accepted, dispatched, started, handed_in, sent_back, verified, …")
    at: datetime
    done_at: datetime | None = Field(description="When it was done, where that was without a network and told later")
    by: str | None = Field(description="A member's pseudonymous id, `policy:…` for a rule, or who reported in a word")
    worker: str | None = Field(description="Who had it then")
    due: datetime | None = Field(description="By when it was to be handed in, where that was set or missed")
    words: str | None = Field(description="Why, or the result; for members and for who holds the receipt")


class DeadlineView(BaseModel):
    """By when it is to be handed in, or verified once it is, and how that came about."""

    due: datetime | None = Field(description="None while its clock stands")
    left_minutes: int | None = Field(description="What is left of its time while its clock stands")
    warn_at: datetime | None
    rungs: dict[str, datetime | None] = Field(description="When who is told that it is late")
    why: list[Title]


OTHERWISE = Title(
    zh="此后工作日历有变更；已定的时限不变。", en="The calendar was changed since; what was set before stays as it is."
)


def deadline_of(case: Case, calendar: Calendar) -> DeadlineView:
    """The present deadline for everybody: of the work, or, once it is handed in, of its check. None has begun before it
    is accepted."""
    to_check = case.step in TO_CHECK and case.check_by
    if not (to_check or case.begun):
        return DeadlineView(due=None, left_minutes=None, warn_at=None, rungs={}, why=[])
    found = case.checked(calendar) if to_check else case.reckoned(calendar)
    due = case.check_by if to_check else case.due or found.due
    said = [it.said() for it in found.why]
    return DeadlineView(
        due=due,
        left_minutes=found.left_minutes,
        warn_at=None if to_check else found.warn_at,
        rungs={str(rung): moment for rung, moment in found.rungs.items()},
        why=said if found.due == due else [*said, OTHERWISE],
    )


def fields(case: Case) -> dict[str, Any]:
    """What everybody may see."""
    named = {name: getattr(case, name) for name in CaseView.model_fields if name != "case"}
    return named | {"case": case.id, "helping": sorted(case.helping)}


def public(case: Case, _version: int) -> CaseView:
    """A case for everybody."""
    return CaseView(**fields(case))


def details(case: Case) -> CaseDetails:
    """A case for those concerned."""
    return CaseDetails(
        **fields(case),
        description=case.description,
        result=case.result,
        evidence=list(case.evidence),
        result_evidence=list(case.result_evidence),
    )


def step_of(event: Recorded[Event], *, concerned: bool) -> StepView:
    """One line of a case's history. The reporter stays unnamed, whoever looks."""
    data: Any = event.data
    words = [getattr(data, name, None) for name in ("description", "why", "result", "reason", "words")]
    by = event.raw.actor
    if isinstance(data, CaseReported):
        by = data.reporter_kind
    elif isinstance(data, CaseRated | CaseAnswered | CaseReopened) or (
        isinstance(data, CaseWithdrawn) and not data.why
    ):
        by = "reporter"
    elif isinstance(data, CaseResumed):
        by = data.by  # the reporter's answer lets it go on
    return StepView(
        step=event.raw.type.split(".")[3],
        at=data.at,
        done_at=getattr(data, "done_at", None),
        by=by,
        worker=getattr(data, "worker", None),
        due=getattr(data, "due", None),
        words=next(filter(None, words), None) if concerned else None,
    )
