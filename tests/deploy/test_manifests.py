"""The Kubernetes manifests are valid, harden every pod, fit together, and say what the services' code says.

Each file is judged as it is written, by the published schemas of Kubernetes. What kustomize makes of them is judged too
where a kubectl is found (on the path, or named by $KUBECTL). Kinds of operators (Kafka, Cluster, ScaledObject) have no
schema here: an API server with their definitions judges those.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from contracts.common import Holder, HolderKind, Scope, Title
from contracts.registry import PowerFacts
from edge.callers import AUDIENCE
from edge.issuers import LOCAL
from edge.keys import Keys
from edge.tokens import claims_of, head_of
from local.compose import ISSUER
from local.tokens import signed

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy/k8s"
KUBECTL = os.environ.get("KUBECTL") or shutil.which("kubectl")
OPERATORS = ("kafka.strimzi.io/v1", "postgresql.cnpg.io/v1", "keda.sh/v1alpha1")
MADE_BY_OTHERS = {f"{name}-db-app" for name in ("registry", "grid-tasks", "assessment", "notifications")} | {
    "notifications-webhook",
    "registry-keys",
    "grid-tasks-keys",
    "grid-tasks-evidence",
}

NOW = datetime(2026, 11, 25, tzinfo=UTC)

Manifest = dict[str, Any]


def documents(text: str) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(text) if document["kind"] != "Kustomization"]


def written() -> Iterator[Any]:
    for path in sorted(K8S.rglob("*.yaml")):
        for document in documents(path.read_text(encoding="utf-8")):
            name = f"{path.relative_to(K8S)}:{document['kind']}/{document['metadata']['name']}"
            yield pytest.param(document, id=name)


def pod_of(document: Manifest) -> Manifest | None:
    return document["spec"]["template"] if document["kind"] in ("Deployment", "StatefulSet", "Job") else None


def valid(document: Manifest) -> None:
    if document["apiVersion"] not in OPERATORS:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("document", list(written()))
def test_a_manifest_is_valid_and_its_pods_may_do_nothing_they_need_not(document: Manifest) -> None:
    valid(document)
    if (pod := pod_of(document)) is None:
        return
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
        if container["image"].startswith("commongrid/"):
            assert security["readOnlyRootFilesystem"] is True


@pytest.fixture(scope="module")
def generate() -> Any:
    spec = importlib.util.spec_from_file_location("generate", K8S / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    return generate


def test_topics_and_scaling_are_those_that_the_code_declares(generate: Any) -> None:
    platform = K8S / "overlays/platform"
    again = "run .venv/bin/python deploy/k8s/generate.py"
    assert (platform / "topics.yaml").read_text(encoding="utf-8") == generate.topics(), again
    assert (platform / "scaling.yaml").read_text(encoding="utf-8") == generate.scaling(), again


def test_who_may_read_a_topic_follows_from_the_power_list(generate: Any) -> None:
    listed = generate.listed(generate.FOUNDING.read_text(encoding="utf-8"))
    partners = (K8S / "overlays/platform/partners.yaml").read_text(encoding="utf-8")
    assert partners == generate.partners(listed, NOW), "run .venv/bin/python deploy/k8s/generate.py"
    assert generate.listed(json.dumps({"items": [it.model_dump(mode="json") for it in listed], "next": None})) == listed


def power(code: str, *partners: str, since: datetime = NOW, until: datetime | None = None) -> PowerFacts:
    holders = tuple(Holder(kind=HolderKind.PARTNER, name=name, scope=Scope.ALL) for name in partners)
    words = Title(zh="试", en="A trial")
    return PowerFacts(power=code, title=words, legal_basis="x", holders=holders, since=since, until=until)


def test_a_partner_reads_what_is_in_force_now_and_nothing_else(generate: Any) -> None:
    listed = [
        power("topics.registry.grid", "city_platform", "hotline"),
        power("topics.registry.person", "hotline", since=NOW + timedelta(days=1)),
        power("topics.registry.unit", "hotline", until=NOW),
        power("people.copy", "portal"),
    ]
    users = {
        it["metadata"]["name"]: it["spec"]["authorization"]["acls"] for it in documents(generate.partners(listed, NOW))
    }
    assert users.keys() == {"city-platform", "hotline"}
    assert {(it["resource"]["type"], it["resource"]["name"], *it["operations"]) for it in users["hotline"]} == {
        ("group", "hotline.", "Read"),
        ("topic", "commongrid.registry.grid", "Read", "Describe"),
    }


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        ([power("topics.registry.soul", "hotline")], "there is no topic commongrid.registry.soul"),
        ([power("topics.registry.grid", "a_b", "a-b")], "two partners would be one user"),
        ([power("topics.registry.grid", "x, namespace: kube-system")], "cannot be a user of Kafka"),
    ],
)
def test_a_list_that_would_give_what_nobody_meant_is_refused(
    generate: Any, listed: Sequence[PowerFacts], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        generate.partners(listed, NOW)


def test_the_trial_systems_issuer_publishes_the_key_that_its_tokens_are_proved_by(tmp_path: Path) -> None:
    script = (ROOT / "deploy/images/keys.py").read_text(encoding="utf-8").replace('"/keys', f'"{tmp_path}')
    subprocess.run([sys.executable, "-c", script, ISSUER], check=True)  # noqa: S603
    published = tmp_path / "published" / LOCAL
    assert json.loads((published / ".well-known/openid-configuration").read_text())["issuer"] == ISSUER
    keys = Keys(json.loads((published / "keys").read_text()))
    token = signed((tmp_path / "private.pem").read_bytes(), ISSUER, "li")
    head = head_of(token)
    key = keys.find(head.key, head.algorithm)
    assert key
    assert claims_of(token, key, issuer=ISSUER, audience=AUDIENCE)["sub"] == "li"
    assert (tmp_path / "private.pem").stat().st_mode & 0o777 == 0o600
    assert (published / "keys").stat().st_mode & 0o777 == 0o644


@pytest.fixture(params=["base", "overlays/test", "overlays/platform"])
def rendered(request: pytest.FixtureRequest) -> list[Manifest]:
    if KUBECTL is None:
        pytest.skip("no kubectl found: only the files as written were judged, not what kustomize makes of them")
    command = [KUBECTL, "kustomize", str(K8S / request.param)]
    return documents(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603


def test_what_kustomize_makes_is_valid(rendered: list[Manifest]) -> None:
    for document in rendered:
        valid(document)
        assert document["kind"] == "Namespace" or document["metadata"]["namespace"] == "commongrid"


def test_what_a_pod_refers_to_is_there(rendered: list[Manifest]) -> None:
    there = {(document["kind"], document["metadata"]["name"]) for document in rendered}
    there |= {("Secret", name) for name in MADE_BY_OTHERS}
    for pod in filter(None, map(pod_of, rendered)):
        named = {("ServiceAccount", pod["spec"].get("serviceAccountName"))} - {("ServiceAccount", None)}
        for container in pod["spec"]["containers"]:
            for source in container.get("envFrom", []):
                named |= {("ConfigMap", ref["name"]) for key, ref in source.items() if key == "configMapRef"}
                named |= {("Secret", ref["name"]) for key, ref in source.items() if key == "secretRef"}
            for variable in container.get("env", []):
                if (ref := variable.get("valueFrom", {}).get("secretKeyRef")) is not None:
                    named.add(("Secret", ref["name"]))
        for volume in pod["spec"].get("volumes", []):
            if (secret := volume.get("secret")) is not None and not secret.get("optional"):
                named.add(("Secret", secret["secretName"]))
        assert named <= there


def test_each_service_has_a_key_ring_of_its_own(rendered: list[Manifest]) -> None:
    rings = {
        document["metadata"]["name"]: volume["secret"]["secretName"]
        for document in rendered
        if (pod := pod_of(document)) is not None
        for volume in pod["spec"].get("volumes", [])
        if volume["name"] == "keys" and "secret" in volume
    }
    assert rings
    for name, secret in rings.items():
        assert secret.startswith(f"{name.rpartition('-')[0]}-keys")


def test_every_selector_means_the_pods_of_one_workload(rendered: list[Manifest]) -> None:
    pods = {
        document["metadata"]["name"]: pod["metadata"]["labels"]
        for document in rendered
        if (pod := pod_of(document)) is not None
    }
    assert {f"{name}-{part}" for name in ("registry", "grid-tasks") for part in ("api", "worker", "migrate")} <= set(
        pods
    )
    for document in rendered:
        match document["kind"], document.get("spec", {}):
            case "Service", {"selector": labels}:
                pass
            case "Deployment" | "StatefulSet" | "PodDisruptionBudget", {"selector": {"matchLabels": labels}}:
                pass
            case _:
                continue
        chosen = [name for name, theirs in pods.items() if labels.items() <= theirs.items()]
        assert chosen == [document["metadata"]["name"]]
