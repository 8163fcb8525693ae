"""docker-compose.yml starts each service as production does: migrated first, confined, and known to be ready."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from local.compose import ISSUER

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = {"registry": 8001, "grid_tasks": 8002, "assessment": 8003, "notifications": 8004}
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, container in CONTAINERS.items() if container["image"].startswith("commongrid/"))


@pytest.mark.parametrize(("name", "port"), SERVICES.items())
def test_a_service_starts_when_its_migration_is_done_and_counts_as_healthy_when_it_can_serve(
    name: str, port: int
) -> None:
    service, migration = CONTAINERS[name], CONTAINERS[f"{name}-migrate"]
    assert migration["command"] == ["migrate"]
    assert migration["image"] == service["image"]
    assert migration["environment"] == service["environment"]
    assert {migration["depends_on"][store]["condition"] for store in ("postgres", "kafka")} == {"service_healthy"}
    assert service["depends_on"][f"{name}-migrate"] == {"condition": "service_completed_successfully"}
    assert service["healthcheck"]["test"][-1] == "/readyz"
    assert service["build"]["args"] == {"SERVICE": name}
    assert service["environment"]["COMMONGRID_HTTP_PORT"] == str(port)
    assert service["ports"] == [f"127.0.0.1:${{{name.upper()}_PORT:-{port}}}:{port}"]


@pytest.mark.parametrize("name", OURS)
def test_our_containers_may_do_nothing_they_need_not(name: str) -> None:
    container = CONTAINERS[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]


def test_no_port_is_open_to_other_machines() -> None:
    published = [port for container in CONTAINERS.values() for port in container.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_each_service_has_a_database_and_a_password_of_its_own() -> None:
    urls = [CONTAINERS[name]["environment"]["COMMONGRID_DATABASE_URL"] for name in SERVICES]
    for name, url in zip(SERVICES, urls, strict=True):
        password = CONTAINERS["postgres"]["environment"][f"{name.upper()}_DB_PASSWORD"]
        assert url == f"postgresql://{name}:{password}@postgres/{name}"
    assert len(set(urls)) == len(SERVICES)


def test_services_believe_the_trial_systems_issuer_and_start_when_it_answers() -> None:
    issuer = CONTAINERS["registry"]["environment"]["COMMONGRID_ISSUER"]
    assert issuer == ISSUER
    assert CONTAINERS["keys"]["command"] == [issuer]
    assert CONTAINERS["issuer"]["volumes"] == ["keys:/keys:ro"]
    for name in SERVICES:
        assert CONTAINERS[name]["environment"]["COMMONGRID_ISSUER"] == issuer
        assert CONTAINERS[name]["depends_on"]["issuer"] == {"condition": "service_healthy"}
        assert set(CONTAINERS[name].get("volumes", ())) <= {"evidence:/evidence"}, "no service sees the key"
