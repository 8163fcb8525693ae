"""What Open311 clients are told of this place, by environment.

| variable | what it is |
|---|---|
| GRID_TASKS_JURISDICTION | its jurisdiction_id; without it, whatever is sent is passed over |
| GRID_TASKS_OPEN311_CONTACT | whom integrators ask, in words |
| COMMONGRID_LOCAL | true on one machine for development: then the endpoint is of type `test` |
"""

import logging
from functools import cache
from typing import Annotated

from edge import read_settings
from pydantic import Field, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

log = logging.getLogger(__name__)


class Open311Settings(BaseSettings):
    """The environment."""

    model_config = SettingsConfigDict(env_prefix="GRID_TASKS_", env_ignore_empty=True, frozen=True)

    jurisdiction: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")] | None = Field(
        None, description="the place's jurisdiction_id, usually the domain of its website without www: grid.example"
    )
    open311_contact: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        "Ask the operators of this system.", description="whom integrators ask, in words"
    )
    local: bool = Field(False, validation_alias="COMMONGRID_LOCAL")


@cache
def by_environment() -> Open311Settings:
    """The settings of the environment; raises edge's SettingsError."""
    return read_settings(Open311Settings)


def say_which_jurisdiction() -> None:
    """When the process begins."""
    log.info("Open311 serves the jurisdiction %s", by_environment().jurisdiction or "without a name")
