"""Where evidence is kept here, by environment. Without GRID_TASKS_EVIDENCE none is taken, and that is no error.

| variable | what it is |
|---|---|
| GRID_TASKS_EVIDENCE | the path of a folder, on one machine for development; or s3://BUCKET |
| GRID_TASKS_EVIDENCE_ENDPOINT | where the S3-compatible store is: https://s3.example |
| GRID_TASKS_EVIDENCE_REGION | its region, us-east-1 |
| GRID_TASKS_EVIDENCE_STYLE | `path` (https://s3.example/BUCKET) or `host` (https://BUCKET.s3.example) |
| GRID_TASKS_EVIDENCE_ACCESS_KEY, GRID_TASKS_EVIDENCE_SECRET_KEY | who may read, write and delete there |
| COMMONGRID_LOCAL | true on one machine for development: only then a folder, or http:// |
"""

import logging
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from edge import read_settings
from events import Clock, system_clock
from pydantic import Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from grid_tasks.evidence.folder import Folder
from grid_tasks.evidence.s3 import S3
from grid_tasks.evidence.signing import Credentials
from grid_tasks.evidence.storage import Store

log = logging.getLogger(__name__)

BUCKET = "s3://"


class EvidenceSettings(BaseSettings):
    """The environment."""

    model_config = SettingsConfigDict(env_prefix="GRID_TASKS_", env_ignore_empty=True, frozen=True)

    evidence: Annotated[str, StringConstraints(pattern=r"^(/.*|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$")] | None = (
        Field(None, description="the whole path of a folder, like /var/lib/commongrid/evidence, or s3://bucket")
    )
    evidence_endpoint: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s?#@]+/?$")] | None = Field(
        None, description="where the S3-compatible store is, like https://s3.example"
    )
    evidence_region: str = Field("us-east-1", min_length=1, description="the store's region, like us-east-1")
    evidence_style: Literal["path", "host"] = Field(
        "path", description="path for https://s3.example/bucket, host for https://bucket.s3.example"
    )
    evidence_access_key: str | None = Field(None, min_length=1, description="who may read, write and delete there")
    evidence_secret_key: SecretStr | None = Field(None, description="the secret of that access key")
    local: bool = Field(False, validation_alias="COMMONGRID_LOCAL")

    @model_validator(mode="after")
    def _whole(self) -> "EvidenceSettings":
        if self.evidence is None:
            return self
        if not self.evidence.startswith(BUCKET):
            if not self.local:
                raise ValueError(
                    "GRID_TASKS_EVIDENCE is a folder, which only COMMONGRID_LOCAL=true allows: name s3://BUCKET, so "
                    "that all processes of the service find the same"
                )
            return self
        for name in ("evidence_endpoint", "evidence_access_key", "evidence_secret_key"):
            if getattr(self, name) is None:
                raise ValueError(f"GRID_TASKS_{name.upper()} is not set, which GRID_TASKS_EVIDENCE={BUCKET}… needs")
        if not (self.local or str(self.evidence_endpoint).startswith("https://")):
            raise ValueError(
                "GRID_TASKS_EVIDENCE_ENDPOINT is not right: without COMMONGRID_LOCAL=true it begins with https://"
            )
        return self


def configured(settings: EvidenceSettings, clock: Clock = system_clock) -> Store | None:
    """The store that these settings describe; None if they describe none. `clock` is the real time: whoever checks a
    signed address knows no other."""
    if settings.evidence is None:
        return None
    if not settings.evidence.startswith(BUCKET):
        return Folder(Path(settings.evidence), clock)
    bucket, endpoint = settings.evidence.removeprefix(BUCKET), str(settings.evidence_endpoint).rstrip("/")
    scheme, _, host = endpoint.partition("://")
    url = f"{scheme}://{bucket}.{host}" if settings.evidence_style == "host" else f"{endpoint}/{bucket}"
    secret = settings.evidence_secret_key.get_secret_value() if settings.evidence_secret_key else ""
    return S3(url, Credentials(settings.evidence_access_key or "", secret, settings.evidence_region), clock)


@cache
def by_environment() -> Store | None:
    """The store that the environment configures; raises edge's SettingsError."""
    return configured(read_settings(EvidenceSettings))


def say_where_evidence_is_kept() -> None:
    """When the process begins."""
    store = by_environment()
    log.info("evidence is %s", "not taken" if store is None else f"kept in a {type(store).__name__.lower()}")
