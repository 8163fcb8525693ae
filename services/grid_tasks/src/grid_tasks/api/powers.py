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
    READ_BOARDS = "boards.read"
    RELAY = "cases.relay"
