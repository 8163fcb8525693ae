"""What is wrong in the environment is said in one sentence for each variable."""

import json

import pytest
from edge import Settings, read_settings
from edge.issuers import LOCAL
from edge.settings import SettingsError
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

GOOD = {"COMMONGRID_DATABASE_URL": "postgresql://grid@localhost/grid", "COMMONGRID_KAFKA": "localhost:9092"}
CLOCK = {
    "start": "2026-11-23T08:00:00+08:00",
    "anchor": 1_795_400_000,
    "speed": 600,
    "until": "2026-11-23T18:00:00+08:00",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def wrong() -> str:
    with pytest.raises(SettingsError) as error:
        read_settings(Settings)
    return str(error.value)


def test_what_is_not_said_has_a_sensible_value(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("COMMONGRID_INSTANCE", "")
    settings = read_settings(Settings)
    assert (settings.http_host, settings.topic_prefix, settings.local) == ("127.0.0.1", "commongrid", False)
    assert settings.instance is None
    assert settings.runtime().database_url == GOOD["COMMONGRID_DATABASE_URL"]


def test_each_missing_variable_is_named_with_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in GOOD:
        monkeypatch.delenv(name, raising=False)
    first, second = wrong().splitlines()
    assert first.startswith("COMMONGRID_DATABASE_URL is not set; it is the service's own database, like postgresql://")
    assert second.startswith("COMMONGRID_KAFKA is not set; it is Kafka's addresses, like localhost:9092")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COMMONGRID_DATABASE_URL", "mysql://localhost/grid"),
        ("COMMONGRID_KAFKA", "localhost"),
        ("COMMONGRID_HTTP_PORT", "eighty"),
        ("COMMONGRID_HTTP_PORT", "70000"),
        ("COMMONGRID_TOPIC_PREFIX", "a b"),
        ("COMMONGRID_LOCAL", "perhaps"),
        ("COMMONGRID_RATE_READS", "1200"),
        ("COMMONGRID_RATE_WRITES", "0/100"),
        ("COMMONGRID_PROXIES", "*"),
        ("COMMONGRID_CORS_ORIGINS", "*"),
        ("COMMONGRID_CORS_ORIGINS", "https://grid.example/"),
        ("COMMONGRID_ISSUER", "id.example/realms/grid"),
        ("COMMONGRID_ISSUER", "file:///etc/issuer"),
        ("COMMONGRID_ISSUER", "https://"),
        ("COMMONGRID_ISSUER", "https://[id.example"),
        ("COMMONGRID_ISSUER", "https://li:word@id.example"),
        ("COMMONGRID_ISSUER", "https://id.example/?realm=grid"),
        ("COMMONGRID_ISSUER", "https://id.example/#grid"),
        ("COMMONGRID_TOKEN_ALGORITHMS", "HS256"),
        ("COMMONGRID_TOKEN_ALGORITHMS", "none"),
        ("COMMONGRID_TOKEN_ALGORITHMS", "RS256,HS256"),
        ("COMMONGRID_TOKEN_ALGORITHMS", "RS256 ES256"),
        ("COMMONGRID_KEYS_AGE", "0"),
        ("COMMONGRID_CLOCK", "half past nine"),
        ("COMMONGRID_CLOCK", json.dumps(CLOCK | {"speed": 0})),
        ("COMMONGRID_CLOCK", json.dumps(CLOCK | {"start": "2026-11-23T08:00:00"})),
        ("COMMONGRID_CLOCK", json.dumps(CLOCK | {"until": "2020-01-01T00:00:00Z"})),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv("COMMONGRID_LOCAL", "true")
    environment.setenv(name, value)
    said = wrong()
    assert said.startswith(f"{name} is not right")
    assert "\n" not in said


def test_a_password_is_never_repeated(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("COMMONGRID_DATABASE_URL", "mysql://grid:secret-word@localhost/grid")
    assert "secret-word" not in wrong()


def test_time_is_simulated_in_local_mode_only(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("COMMONGRID_CLOCK", json.dumps(CLOCK))
    assert wrong() == "COMMONGRID_CLOCK simulates time, which only COMMONGRID_LOCAL=true allows; unset it"
    environment.setenv("COMMONGRID_LOCAL", "true")
    assert read_settings(Settings).clock is not None


def test_a_services_own_settings_are_read_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mail(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_")
        smtp: str = Field(description="the mail server, like localhost:25")

    monkeypatch.delenv("NOTIFICATIONS_SMTP", raising=False)
    with pytest.raises(SettingsError, match="NOTIFICATIONS_SMTP is not set; it is the mail server, like localhost:25"):
        read_settings(Mail)


def test_an_issuer_is_reached_by_https_except_in_local_mode(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("COMMONGRID_ISSUER", "http://id.example/realms/grid")
    assert wrong() == "COMMONGRID_ISSUER is not right: without COMMONGRID_LOCAL=true it begins with https://"
    environment.setenv("COMMONGRID_LOCAL", "true")
    assert read_settings(Settings).issuer == "http://id.example/realms/grid"


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_issuer_of_a_local_system_counts_in_local_mode_only(
    environment: pytest.MonkeyPatch, scheme: str, end: str
) -> None:
    environment.setenv("COMMONGRID_ISSUER", f"{scheme}://127.0.0.1:8005/{LOCAL}{end}")
    assert wrong().startswith("COMMONGRID_ISSUER is the issuer of a local system")
    environment.setenv("COMMONGRID_LOCAL", "true")
    assert read_settings(Settings).issuer


def test_who_is_believed_is_what_the_environment_says(environment: pytest.MonkeyPatch) -> None:
    assert read_settings(Settings).callers().issuer is None
    environment.setenv("COMMONGRID_ISSUER", "https://id.example/realms/grid")
    issuer = read_settings(Settings).callers().issuer
    assert issuer
    assert issuer.address == "https://id.example/realms/grid"
