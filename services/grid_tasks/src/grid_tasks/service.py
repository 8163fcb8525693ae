"""The composition root: the one place where the parts of grid_tasks are wired."""

from contracts.asyncapi import document
from edge import Application
from events import Service

from grid_tasks.api import cases, duties, workers
from grid_tasks.domain.case import CASE
from grid_tasks.policies.accepting import accepting
from grid_tasks.policies.deadlines import deadlines
from grid_tasks.policies.dispatching import dispatching
from grid_tasks.policies.reassigning import reassigning
from grid_tasks.read_models import case_board as case_boards
from grid_tasks.read_models import duties as duty_lists
from grid_tasks.read_models import grids as grid_areas
from grid_tasks.read_models import open_work as loads
from grid_tasks.read_models import workers as members

grid_tasks = Service(
    "grid_tasks",
    aggregates=[CASE],
    read_models=[
        case_boards.case_board,
        loads.open_work,
        members.workers,
        duty_lists.duties,
        grid_areas.grids,
    ],
    policies=[accepting, dispatching, reassigning, deadlines],
)

application = Application(
    grid_tasks,
    routers=[cases.router, duties.router, workers.router],
    statuses={
        "not-on-any-duty-list": 422,
        "not-a-grid-duty": 422,
        "outside-every-grid": 422,
        "not-a-rating": 422,
        "not-in-post-here": 422,
        "not-your-case": 403,
        "verified-by-another": 403,
        "not-your-receipt": 403,
    },
    description="From a report to a verified, closed case (事件), in time, by a public duty list.",
    asyncapi=document("grid_tasks"),
)
