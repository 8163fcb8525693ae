"""What was released stays readable: changes of the files that would break somebody are found, and say what to do."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.committed import broken, differences, generated, last_release, present, unreadable, write

RATED = "commongrid.grid_tasks.case.rated.v1"
SCHEMA = f"schemas/{RATED}.json"
SAMPLE = f"golden/{RATED}/example.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with the contracts as they are now, committed and released as v1.0.0."""
    folder = tmp_path / "contracts"
    write(folder, generated())
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    git(tmp_path, "tag", "v1.0.0")
    return folder


def git(where: Path, *arguments: str) -> None:
    author = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(where), *author, *arguments], check=True, capture_output=True)  # noqa: S603, S607


def commit(where: Path) -> None:
    git(where, "add", ".")
    git(where, "commit", "--quiet", "--message", "contracts")


def changed(folder: Path, path: str, **members: object) -> None:
    file = folder / path
    file.write_text(json.dumps(json.loads(file.read_text()) | members))


def found(problems: Iterator[str]) -> str:
    return "\n".join(problems)


def test_what_was_just_written_is_as_the_code_says_readable_and_unbroken(folder: Path):
    assert write(folder, generated()) == []
    assert found(differences(folder, generated())) == ""
    assert found(unreadable(folder)) == ""
    name, released = last_release(folder)
    assert (name, released) == ("v1.0.0", present(folder))
    assert found(broken(released, present(folder))) == ""


def test_a_committed_file_that_is_not_what_the_code_says_is_found(folder: Path):
    changed(folder, SCHEMA, title="Edited by hand")
    (folder / "asyncapi/registry.json").unlink()
    (folder / "schemas/commongrid.registry.dragon.seen.v1.json").write_text("{}")
    problems = found(differences(folder, generated()))
    assert f"{SCHEMA} is not what the code says: run `python contracts/generate.py`" in problems
    assert "asyncapi/registry.json is missing" in problems
    assert "commongrid.registry.dragon.seen.v1.json is of nothing that is published" in problems
    write(folder, generated())
    assert found(differences(folder, generated())) == ""


def test_a_break_since_the_last_tag_is_found_even_when_it_is_committed_already(folder: Path):
    schema = json.loads((folder / SCHEMA).read_text())
    del schema["properties"]["rating"]
    changed(folder, SCHEMA, properties=schema["properties"])
    commit(folder)
    name, released = last_release(folder)
    assert name == "v1.0.0"
    problems = found(broken(released, present(folder)))
    assert f"{RATED}: data.rating: was removed or renamed" in problems
    assert 'publish the change as commongrid.grid_tasks.case.rated.v2, with upcasts={"commongrid.grid_tasks' in problems


def test_before_the_first_tag_the_committed_files_are_what_counts(folder: Path):
    git(folder, "tag", "--delete", "v1.0.0")
    assert last_release(folder)[0] == "HEAD"
    changed(folder, SCHEMA, properties={})
    assert "data.rating: was removed" in found(broken(last_release(folder)[1], present(folder)))


def test_without_git_the_files_are_compared_with_themselves(tmp_path: Path):
    write(tmp_path / "contracts", generated())
    name, released = last_release(tmp_path / "contracts")
    assert (name, len(released)) == ("the files themselves", len(present(tmp_path / "contracts")))


def test_a_released_type_that_nothing_reads_any_more_is_found(folder: Path):
    released = present(folder) | {"schemas/commongrid.registry.person.seen.v1.json": "{}"}
    assert "commongrid.registry.person.seen.v1 was released and nothing reads it now" in found(
        broken(released, present(folder))
    )


def test_a_released_sample_is_neither_changed_nor_deleted(folder: Path):
    _, released = last_release(folder)
    changed(folder, SAMPLE, rating=1)
    assert f"{SAMPLE} was released and is changed: restore it" in found(broken(released, present(folder)))
    (folder / SAMPLE).unlink()
    assert f"{SAMPLE} was released and is gone: restore it" in found(broken(released, present(folder)))


def test_a_sample_that_the_class_no_longer_reads_is_found(folder: Path):
    changed(folder, SAMPLE, rating=6)
    assert f"{SAMPLE} can no longer be read" in found(unreadable(folder))
    changed(folder, SAMPLE, rating=4, remark="very friendly")
    assert f"{SAMPLE} holds remark, which its class no longer knows" in found(unreadable(folder))
    (folder / SAMPLE).unlink()
    assert f"golden/{RATED} has no sample" in found(unreadable(folder))
