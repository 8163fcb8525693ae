"""Where evidence is kept is set by environment variables, and what is wrong with them is said by their names."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from edge.settings import SettingsError, read_settings
from grid_tasks.evidence.configured import EvidenceSettings, configured
from grid_tasks.evidence.folder import Folder

BUCKET = {
    "EVIDENCE": "s3://evidence",
    "EVIDENCE_ENDPOINT": "https://s3.example",
    "EVIDENCE_ACCESS_KEY": "who",
    "EVIDENCE_SECRET_KEY": "not-to-be-told",
}


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*BUCKET, "EVIDENCE_STYLE", "EVIDENCE_REGION"):
        monkeypatch.delenv(f"GRID_TASKS_{name}", raising=False)
    monkeypatch.delenv("COMMONGRID_LOCAL", raising=False)


def told(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> EvidenceSettings:
    for name, value in settings.items():
        monkeypatch.setenv(name if name == "COMMONGRID_LOCAL" else f"GRID_TASKS_{name}", value)
    return read_settings(EvidenceSettings)


def test_without_settings_no_evidence_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configured(told(monkeypatch, {})) is None


def test_a_folder_is_for_one_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = {"EVIDENCE": str(tmp_path), "COMMONGRID_LOCAL": "true"}
    assert isinstance(configured(told(monkeypatch, settings)), Folder)


@pytest.mark.parametrize(
    ("style", "begins"),
    [("path", "https://s3.example/evidence/incoming/1?"), ("host", "https://evidence.s3.example/incoming/1?")],
)
def test_a_bucket_is_named_in_the_path_or_in_the_host(monkeypatch: pytest.MonkeyPatch, style: str, begins: str) -> None:
    settings = told(monkeypatch, BUCKET | {"EVIDENCE_STYLE": style, "EVIDENCE_REGION": "cn-east-3"})
    store = configured(settings, lambda: datetime(2026, 11, 24, tzinfo=UTC))
    assert store
    url = store.upload("1", "image/jpeg", 5).url
    assert url.startswith(begins)
    assert "cn-east-3" in url


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"EVIDENCE": "evidence"}, "GRID_TASKS_EVIDENCE is not right"),
        ({"EVIDENCE": "/var/evidence"}, "only COMMONGRID_LOCAL=true allows"),
        ({"EVIDENCE_ENDPOINT": ""}, "GRID_TASKS_EVIDENCE_ENDPOINT is not set"),
        ({"EVIDENCE_ENDPOINT": "http://s3.example"}, "it begins with https://"),
        ({"EVIDENCE_ENDPOINT": "https://u:p@s3.example"}, "GRID_TASKS_EVIDENCE_ENDPOINT is not right"),
        ({"EVIDENCE_ACCESS_KEY": ""}, "GRID_TASKS_EVIDENCE_ACCESS_KEY is not set"),
        ({"EVIDENCE_SECRET_KEY": ""}, "GRID_TASKS_EVIDENCE_SECRET_KEY is not set"),
        ({"EVIDENCE_STYLE": "other"}, "GRID_TASKS_EVIDENCE_STYLE is not right"),
    ],
)
def test_a_store_that_is_set_wrongly_is_said_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence) as refused:
        told(monkeypatch, BUCKET | change)
    assert "not-to-be-told" not in str(refused.value)
