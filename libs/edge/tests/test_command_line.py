"""What keeps a service from starting is said in one sentence, and the exit code is 1."""

import socket

import pytest
from edge import Application
from edge.main import command_line
from typer.testing import CliRunner


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("COMMONGRID_DATABASE_URL", "postgresql://x@127.0.0.1:9/x")
    monkeypatch.setenv("COMMONGRID_KAFKA", "127.0.0.1:9")
    return monkeypatch


def told(application: Application, *arguments: str) -> str:
    result = CliRunner().invoke(command_line(application), arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    return result.stderr


def test_a_port_in_use(application: Application, environment: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment.setenv("COMMONGRID_HTTP_PORT", str(port))
        for role in ("api", "worker", "all"):
            assert told(application, role) == (
                f"cannot listen on 127.0.0.1:{port}: Address already in use; "
                "set COMMONGRID_HTTP_HOST and COMMONGRID_HTTP_PORT to an address that is free\n"
            )


def test_a_variable_that_is_missing(application: Application, environment: pytest.MonkeyPatch) -> None:
    environment.delenv("COMMONGRID_KAFKA")
    for command in (["migrate"], ["all"], ["events", "lag"]):
        assert told(application, *command).startswith("COMMONGRID_KAFKA is not set; it is Kafka's addresses")


def test_the_issuer_of_a_local_system_where_it_is_none(
    application: Application, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("COMMONGRID_ISSUER", "http://127.0.0.1:8005/commongrid-local-issuer")
    for role in ("migrate", "api", "worker", "all"):
        assert told(application, role) == (
            "COMMONGRID_ISSUER is the issuer of a local system, whose tokens anybody there can make: "
            "name your identity provider, or set COMMONGRID_LOCAL=true if this is a local system\n"
        )


def test_a_database_that_is_away(application: Application) -> None:
    said = told(application, "migrate")
    assert said.startswith("the database cannot be reached: ")
    assert said.count("\n") == 1


def test_kafka_away_when_topics_are_to_be_made(
    application: Application, environment: pytest.MonkeyPatch, fresh_database: str
) -> None:
    environment.setenv("COMMONGRID_DATABASE_URL", fresh_database)
    assert told(application, "migrate").startswith("the topics cannot be made: Kafka does not answer at 127.0.0.1:9")
