"""grid_tasks at a glance."""

from contracts.asyncapi import document
from contracts.grid_tasks import AuditDone, AuditRefused, ErasureConfirmed
from edge import Application, Audit, authority
from edge.erasures import erasures
from events import Service

from grid_tasks.api import calendar, cases, duties, workers
from grid_tasks.domain.calendar_year import CALENDAR
from grid_tasks.domain.case import CASE
from grid_tasks.policies.accepting import accepting
from grid_tasks.policies.deadlines import deadlines
from grid_tasks.policies.dispatching import dispatching
from grid_tasks.policies.forgetting import forgetting
from grid_tasks.policies.reassigning import reassigning
from grid_tasks.read_models.calendar_days import calendar_days
from grid_tasks.read_models.case_board import case_board
from grid_tasks.read_models.duties import duties as duty_list
from grid_tasks.read_models.grids import grids
from grid_tasks.read_models.open_work import open_work
from grid_tasks.read_models.workers import workers as roster
from grid_tasks.retention import erasing_old_texts

audit = Audit(AuditRefused, AuditDone)
erasure = erasures(ErasureConfirmed)

grid_tasks = Service(
    "grid_tasks",
    aggregates=[CASE, erasure.aggregate, audit.aggregate, CALENDAR],
    read_models=[grids, duty_list, roster, open_work, case_board, authority, audit.read_model, calendar_days],
    policies=[accepting, dispatching, reassigning, deadlines, forgetting, erasure.policy],
)

application = Application(
    grid_tasks,
    routers=[cases.router, duties.router, workers.router, calendar.router],
    statuses={
        "not-on-any-duty-list": 422,
        "not-a-grid-duty": 422,
        "outside-every-grid": 422,
        "not-a-rating": 422,
        "not-in-post-here": 422,
        "not-your-case": 403,
        "verified-by-another": 403,
        "not-your-receipt": 403,
        "day-of-another-year": 422,
        "ends-before-it-begins": 422,
        "day-twice": 422,
        "off-and-worked": 422,
        "not-of-a-weekend": 422,
    },
    description="From a report to a verified, closed case (事件), in time, by a public duty list.",
    workers=[erasing_old_texts],
    audit=audit,
    asyncapi=document("grid_tasks"),
)
