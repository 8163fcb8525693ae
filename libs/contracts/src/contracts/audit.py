"""What every service puts on record: acts that were refused, and privileged ones that no other event tells of.

Neither paths with their values nor queries, bodies or network addresses: an operation is told by its template, a thing
by its pseudonymous stream. Each service publishes types of its own.
"""

from typing import Annotated

from events import Event
from pydantic import AwareDatetime, Field


class Act(Event):
    """Somebody did something, or wanted to."""

    audit: str
    """The page of the audit log that it stands on."""
    actor: str | None = None
    """Who: the caller's pseudonymous id, or `operator:` and a login at the service's command line; none: anonymous."""
    client: str | None = None
    """The partner's system, if it called by itself."""
    power: str | None = None
    """The power that the act needs."""
    act: str
    """What: the operation's method and template, `POST /cases/{case}/start`, or the operator's command."""
    thing: str | None = None
    """The stream of the thing, if it was one thing."""
    purpose: str | None = None
    """What for, if it was said."""
    trace: str | None = None
    at: AwareDatetime


class ActRefused(Act):
    """It was not done: the caller was not accepted, may not do it, or does not reach the thing."""

    reason: str
    """As the problem's type ends: `not-allowed`."""
    status: Annotated[int, Field(ge=400, le=499)]
    times: Annotated[int, Field(ge=1)] = 1
    """How often the same caller was refused the same, `at` for the first time and `until` for the last."""
    until: AwareDatetime


class ActDone(Act):
    """It is done, or about to be: this is on record before anybody sees what came of it."""
