"""What every HTTP service shares: problem details, idempotency, pages, tokens, health, telemetry.

A service is written with what stands here, and run by `main`. Tests find their client in `edge.testing`.
"""

from edge.application import Application
from edge.audit import Audit
from edge.authority import authority
from edge.call import Call
from edge.callers import Caller
from edge.main import main
from edge.pages import Cursor, Limit, Page, decode_cursor, encode_cursor
from edge.powers import Grant
from edge.problems import HttpProblem
from edge.routing import Router
from edge.settings import Settings, read_settings

__all__ = [
    "Application",
    "Audit",
    "Call",
    "Caller",
    "Cursor",
    "Grant",
    "HttpProblem",
    "Limit",
    "Page",
    "Router",
    "Settings",
    "authority",
    "decode_cursor",
    "encode_cursor",
    "main",
    "read_settings",
]
