"""The powers that the operations of grid_tasks need."""

from enum import StrEnum


class Powers(StrEnum):
    """Their codes on the power list."""

    REPORT = "cases.report"
    FOLLOW = "cases.follow"
    READ = "cases.read"
    DISPATCH = "cases.dispatch"
    HANDLE = "cases.handle"
    VERIFY = "cases.verify"
    RATE = "cases.rate"
    ANSWER = "cases.answer"
    PLACE = "cases.place"
    READ_WORKERS = "workers.read"
    READ_DUTIES = "duties.read"
    READ_CALENDAR = "calendar.read"
    KEEP_CALENDAR = "calendar.keep"
    READ_VISITS = "visits.read"
    PLAN_VISITS = "visits.plan"
    ASSIGN_VISITS = "visits.assign"
    RECORD_VISITS = "visits.record"
    REPORT_PATROLS = "patrols.report"
    READ_CAMPAIGNS = "campaigns.read"
    BUDGET_CAMPAIGNS = "campaigns.budget"
    ASK_CAMPAIGNS = "campaigns.ask"
    DECIDE_CAMPAIGNS = "campaigns.decide"
    READ_BOARDS = "boards.read"
    RELAY = "cases.relay"
