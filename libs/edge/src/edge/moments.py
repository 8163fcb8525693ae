"""A time as RFC 3339 has it: `until: Moment`. Pydantic would also take seconds since 1970 and a bare date, which no
document tells of."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator


def _written(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and "T" in value.upper()):
        return value
    raise ValueError("must be a time like 2026-11-23T08:00:00+08:00")


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
