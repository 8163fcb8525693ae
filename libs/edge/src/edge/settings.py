"""What a service is told by its environment, and one clear sentence for each thing that is not right."""

import time
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from contracts.common import QUOTA
from events import Clock, system_clock
from events.privacy.vault import TransitSettings
from events.runtime import Settings as RuntimeSettings
from pydantic import Field, Json, StringConstraints, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from edge.callers import AUDIENCE, SUBJECT, Callers
from edge.issuers import AGE, LOCAL, Issuer
from edge.keys import FITS
from edge.rates import READS, WRITES, Rate, Rates
from edge.simulation import Simulation, simulated

S = TypeVar("S", bound=BaseSettings)

ORIGIN = r"https?://[a-z0-9.-]+(:[0-9]{1,5})?"


class Settings(BaseSettings):
    """The environment of every service: COMMONGRID_DATABASE_URL and so on."""

    model_config = SettingsConfigDict(env_prefix="COMMONGRID_", env_ignore_empty=True, frozen=True)

    database_url: Annotated[str, StringConstraints(pattern=r"^postgres(ql)?://.+")] = Field(
        description="the service's own database, like postgresql://grid_tasks:secret@localhost:5432/grid_tasks"
    )
    kafka: Annotated[str, StringConstraints(pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$")] = Field(
        description="Kafka's addresses, like localhost:9092 or broker-0:9092,broker-1:9092"
    )
    topic_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")] = Field(
        "commongrid", description="what the topics' names begin with: letters, digits, - and _"
    )
    topic_replicas: int = Field(
        1, ge=1, le=9, description="how many brokers keep each topic that `migrate` makes, 1 to 9"
    )
    database_connections: int = Field(16, ge=2, le=500, description="how many connections the API may open, 2 to 500")
    database_statements: int = Field(
        1024,
        ge=0,
        le=10_000,
        description="how many statements a connection keeps prepared; 0 behind a transaction pooler",
    )
    http_host: str = Field("127.0.0.1", description="the address to listen on, like 127.0.0.1 or 0.0.0.0")
    http_port: int = Field(8000, ge=1, le=65535, description="the port to listen on, 1 to 65535")
    instance: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")] | None = Field(
        None, description="the lasting name of this replica, like grid_tasks-0"
    )
    local: bool = Field(False, description="true on one machine for development, false in production")
    issuer: str | None = Field(
        None, description="who issues bearer tokens, as their iss says, like https://id.example/realms/commongrid"
    )
    audience: str = Field(AUDIENCE, min_length=1, description="whom tokens are meant for, as their aud says")
    subject_claim: str = Field(SUBJECT, min_length=1, description="the claim of a token that says who calls, like sub")
    token_algorithms: Annotated[str, StringConstraints(pattern=rf"^({'|'.join(FITS)})(,({'|'.join(FITS)}))*$")] = Field(
        ",".join(FITS), description=f"by which algorithms tokens may be signed: some of {','.join(FITS)}"
    )
    keys_age: float = Field(
        AGE, ge=1, le=86_400, description="after how many seconds the issuer's keys are fetched anew, 1 to 86400"
    )
    rate_reads: Annotated[str, StringConstraints(pattern=QUOTA)] = Field(
        f"{READS.per_minute}/{READS.burst}",
        description="how often each caller may read: so many a minute, so many at once, like 1200/400",
    )
    rate_writes: Annotated[str, StringConstraints(pattern=QUOTA)] = Field(
        f"{WRITES.per_minute}/{WRITES.burst}",
        description="how often each caller may write: so many a minute, so many at once, like 300/100",
    )
    rate_free: str = Field(
        "", description="callers who may ask as often as they like, by their ids, with commas between"
    )
    proxies: Annotated[str, StringConstraints(pattern=r"^[^\s*]*$")] = Field(
        "127.0.0.1,::1",
        description="whose X-Forwarded-For is believed: addresses or networks, like 10.42.0.0/16, with commas between",
    )
    cors_origins: Annotated[str, StringConstraints(pattern=rf"^({ORIGIN}(,{ORIGIN})*)?$")] = Field(
        "", description="whose pages may call this API, like https://grid.example, with commas between; else nobody's"
    )
    keys: str | None = Field(
        None,
        repr=False,
        description="the key ring for personal data: the path of its file, or the ring itself; "
        "`python -m SERVICE events keys ring PATH` makes one",
    )
    vault: Annotated[str, StringConstraints(pattern=r"^https?://.+")] | None = Field(
        None, description="the address of a Vault whose Transit engine wraps instead, like https://vault.example:8200"
    )
    vault_token: Path | None = Field(None, description="the path of a file with a Vault token")
    vault_key: str = Field("commongrid", description="the name of the Transit key, of type aes256-gcm96")
    vault_mount: str = Field("transit", description="where the Transit engine is mounted")
    vault_namespace: str | None = Field(None, description="the Vault namespace, if there is one")
    vault_index_key: str | None = Field(None, description="32 random bytes for blind indexes, wrapped by Transit")
    key_owners: Json[dict[str, str]] | None = Field(
        None, description='where other services give out their keys, like {"registry": "http://registry:8001"}'
    )
    key_token: Path | None = Field(None, description="the path of a file with the bearer token to ask them with")
    key_purpose: str = Field("", description="what this service needs others' personal data for")
    clock: Json[Simulation] | None = Field(
        None,
        description='a simulated clock, like {"start": "2026-11-23T08:00:00+08:00", "anchor": 1795400000, '
        '"speed": 600, "until": "2026-11-23T18:00:00+08:00"}',
    )

    @model_validator(mode="after")
    def _time_is_simulated_locally_only(self) -> "Settings":
        if self.clock and not self.local:
            raise ValueError("COMMONGRID_CLOCK simulates time, which only COMMONGRID_LOCAL=true allows; unset it")
        return self

    @model_validator(mode="after")
    def _the_issuer_can_be_trusted(self) -> "Settings":
        if self.issuer is None:
            return self
        try:
            place = urlsplit(self.issuer)
        except ValueError:
            place = urlsplit("")
        is_place = place.scheme in ("https", "http") and place.hostname
        if not is_place or place.username or place.query or place.fragment:
            raise ValueError(
                "COMMONGRID_ISSUER is not right: it is an address like https://id.example/realms/commongrid, "
                "with no user, query or fragment"
            )
        if self.local:
            return self
        if place.path.rstrip("/").endswith(f"/{LOCAL}"):
            raise ValueError(
                "COMMONGRID_ISSUER is the issuer of a local system, whose tokens anybody there can make: "
                "name your identity provider, or set COMMONGRID_LOCAL=true if this is a local system"
            )
        if place.scheme != "https":
            raise ValueError("COMMONGRID_ISSUER is not right: without COMMONGRID_LOCAL=true it begins with https://")
        return self

    def callers(self) -> Callers:
        """Who tells the callers."""
        issuer = self.issuer and Issuer(
            self.issuer, algorithms=self.token_algorithms.split(","), age=self.keys_age, local=self.local
        )
        return Callers(issuer or None, audience=self.audience, subject_claim=self.subject_claim)

    @model_validator(mode="after")
    def _a_vault_is_asked_with_a_token(self) -> "Settings":
        if self.vault and not self.vault_token:
            raise ValueError("COMMONGRID_VAULT needs COMMONGRID_VAULT_TOKEN, the path of a file with a token")
        if self.vault and self.keys:
            raise ValueError("COMMONGRID_VAULT and COMMONGRID_KEYS are two places for one thing; unset one of them")
        if self.key_owners and not self.key_token:
            raise ValueError("COMMONGRID_KEY_OWNERS needs COMMONGRID_KEY_TOKEN, the path of a file with a token")
        return self

    def rates(self) -> Rates:
        """How often callers may ask."""
        free = filter(None, self.rate_free.split(","))
        return Rates(Rate.parse(self.rate_reads), Rate.parse(self.rate_writes), list(free), time.monotonic)

    def origins(self) -> list[str]:
        """Whose pages may call."""
        return self.cors_origins.split(",") if self.cors_origins else []

    def trade_clock(self) -> Clock:
        """The trade's clock: the machine's, or a simulated one."""
        return simulated(self.clock) if self.clock else system_clock

    def runtime(self) -> RuntimeSettings:
        """What the kernel needs to know."""
        return RuntimeSettings(
            database_url=self.database_url,
            kafka=self.kafka,
            topic_prefix=self.topic_prefix,
            instance=self.instance,
            replication=self.topic_replicas,
            max_pool=self.database_connections,
            statement_cache_size=self.database_statements,
            keys=self.keys,
            transit=self._transit(),
            key_owners=self.key_owners or {},
            key_token=str(self.key_token) if self.key_token else None,
            key_purpose=self.key_purpose,
        )

    def _transit(self) -> TransitSettings | None:
        if not (self.vault and self.vault_token):
            return None
        return TransitSettings(
            self.vault,
            str(self.vault_token),
            self.vault_key,
            self.vault_mount,
            self.vault_namespace,
            self.vault_index_key,
        )


class SettingsError(Exception):
    """The environment is not right; the message has a line for each variable."""


def read_settings(cls: type[S]) -> S:
    """Settings from the environment; raises SettingsError. Works for a service's own settings too."""
    try:
        return cls()
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(cls, wrong) for wrong in error.errors(include_url=False))) from None


def _sentence(cls: type[BaseSettings], wrong: Any) -> str:
    if not wrong["loc"]:
        return str(wrong["msg"]).removeprefix("Value error, ")
    name, *inside = map(str, wrong["loc"])
    variable = name if name.isupper() else f"{cls.model_config.get('env_prefix', '')}{name}".upper()
    field = cls.model_fields.get(name)
    right = f"; it is {field.description}" if field and field.description else ""
    if wrong["type"] == "missing" and not inside:
        return f"{variable} is not set{right}"
    at = f" at {'.'.join(inside)}" if inside else ""
    return f"{variable} is not right{at}: {wrong['msg']}{right}"
