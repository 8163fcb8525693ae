"""When the community's offices are open (办公时间) on a day that is worked, by environment.

| variable | what it is |
|---|---|
| GRID_TASKS_OFFICE_HOURS | `08:30-12:00,13:30-17:30`, China's time; that is what holds without it |
"""

import logging
from functools import cache
from typing import Annotated

from edge import read_settings
from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from grid_tasks.domain.working_time import OFFICE_HOURS, Calendar, Span, hours_of

log = logging.getLogger(__name__)


def _hours(text: str) -> str:
    Calendar(hours=hours_of(text))
    return text


class HoursSettings(BaseSettings):
    """The environment."""

    model_config = SettingsConfigDict(env_prefix="GRID_TASKS_", env_ignore_empty=True, frozen=True)

    office_hours: Annotated[str, AfterValidator(_hours)] | None = Field(
        None, description="when offices are open on a day that is worked, one after the other: 08:30-12:00,13:30-17:30"
    )


@cache
def office_hours() -> tuple[Span, ...]:
    """The hours of the environment; raises edge's SettingsError."""
    text = read_settings(HoursSettings).office_hours
    return hours_of(text) if text else OFFICE_HOURS


def say_when_offices_are_open() -> None:
    """When the process begins."""
    log.info("working hours are %s", ", ".join(map(str, office_hours())))
