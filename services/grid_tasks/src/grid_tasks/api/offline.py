"""Which commands can be brought that were made without a network (离线), and by which route each is done.

A new one is a line here: it then passes the power, the scope, the validation and the audit log of its route, and its
id is its Idempotency-Key there. The path has one parameter at most: the command's `thing`.
"""

from collections.abc import Mapping

from edge.routing import Operation

from grid_tasks.api import cases, moves, patrols, reporting, visits

REPORT = "report"
VISIT_DO = "visit-"
"""So begins what is done with a visit."""

OFFLINE: Mapping[str, Operation] = {
    REPORT: cases.router.operation("/cases"),
    "start": moves.router.operation("/cases/{case}/start"),
    "act-at-once": moves.router.operation("/cases/{case}/act-at-once"),
    "hand-in": moves.router.operation("/cases/{case}/hand-in"),
    "do-paper": moves.router.operation("/cases/{case}/do-paper"),
    "return": moves.router.operation("/cases/{case}/return"),
    "ask-help": moves.router.operation("/cases/{case}/ask-help"),
    "give-help": moves.router.operation("/cases/{case}/give-help"),
    "ask-time": moves.router.operation("/cases/{case}/ask-time"),
    "ask-reporter": moves.router.operation("/cases/{case}/ask-reporter"),
    "answer": reporting.router.operation("/cases/{case}/answer"),
    "visit-done": visits.router.operation("/visits/{visit}/done"),
    "visit-nobody-home": visits.router.operation("/visits/{visit}/nobody-home"),
    "visit-turned-away": visits.router.operation("/visits/{visit}/turned-away"),
    "visit-moved-away": visits.router.operation("/visits/{visit}/moved-away"),
    "visit-put-on": visits.router.operation("/visits/{visit}/put-on"),
    "patrol": patrols.router.operation("/patrols"),
    "withdraw": reporting.router.operation("/cases/{case}/withdraw"),
}
