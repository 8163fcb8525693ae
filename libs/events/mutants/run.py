"""Mutants of the kernel: each is a copy with one small fault, and a test must see it. Survivors stand in MUTANTS.md.

    make mutants MODULE=store                            one module, or several; "0001_log" is the SQL; else everything
    make mutants MODULE="store relay" SAMPLE=20 SEED=1   so many of each, at random, but the same for the same seed

Works in a copy of what is committed, on servers that live as long as the run: a mutant costs as long as the first test
that sees it. cosmic-ray makes the mutants of Python (its settings: cosmic-ray.toml), log_sql.py has those of the SQL.
"""

import argparse
import asyncio
import json
import os
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NamedTuple

from local.ladder import servers
from log_sql import MUTANTS

# ruff: noqa: S311, S603, S607, T201 - it runs commands of its own, draws lots, and prints what came of them

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
COSMIC_RAY = [
    *(REPOSITORY / "bin/uv", "tool", "run", "--quiet", "--python", sys.executable, "--from", "cosmic-ray==8.7.0"),
]
PYTEST = [
    sys.executable,
    "-m",
    "pytest",
    "-q",
    "-x",
    "--assert=plain",
    *["-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:faker"],
    *["-p", "alike"],
]
SQL = "0001_log"
HUNG = "hung"
TESTS_FOLDER = "libs/events/tests"
_LONGEST = 900

TESTS = {
    "wire": "test_wire.py",
    "partitioning": "test_wire.py",
    "event": "test_upcasting.py test_wire.py test_freshness.py",
    "aggregate": "test_atomic_commands.py test_together.py",
    "read_model": "test_batches.py test_upcasting.py",
    "progress": "test_batches.py test_model.py -k 'not relays'",
    "freshness": "test_freshness.py",
    "policy": "test_timers.py test_upcasting.py test_atomic_commands.py",
    "service": "test_upcasting.py test_freshness.py test_alone.py",
    "timers": "test_timers.py",
    "parking": "test_parking.py test_parking_errors.py test_parking_policies.py",
    "feeds": "test_model.py test_parking_races.py test_projections.py",
    "rebuild": "test_verify.py test_rebuild.py",
    "restore": "test_restore.py",
    "verify": "test_verify.py test_restore.py",
    "leases": "test_leases.py",
    "wake": "test_relay.py -k 'woken or each_event'",
    "store": "test_atomic_commands.py test_positions.py",
    "commands": "test_atomic_commands.py test_timers.py test_freshness.py",
    "consumer": "test_parking.py test_parking_policies.py test_parking_errors.py test_model.py",
    "relay": "test_relay.py test_restore.py",
    "kafka": "test_restore.py test_relay.py test_projections.py",
    "runtime": "test_alone.py test_rebuild.py test_projections.py test_tracing.py test_relay.py",
    "lag": "test_rebuild.py test_operate.py test_tracing.py",
    "measures": "test_tracing.py",
    "operate": "test_operate.py test_verify.py",
    "migrate": "test_migrate.py test_rebuild.py",
    "grouped": "test_together.py test_person_keys.py",
    "together": "test_together.py",
    "chain": "test_chain.py",
    "seals": "test_seals.py",
    "evidence": "test_seals.py test_verify.py",
    "privacy/sealing": "test_sealing.py",
    "privacy/codec": "test_sealing.py test_person_keys.py",
    "privacy/fields": "test_sealing.py",
    "privacy/ring": "test_person_keys.py test_vaults.py",
    "privacy/cache": "test_person_keys.py",
    "privacy/keys": "test_person_keys.py",
    "privacy/data": "test_person_keys.py test_sealing.py",
    "privacy/blind_index": "test_vaults.py",
    "privacy/transit": "test_vaults.py",
    "privacy/client": "test_vaults.py",
    "privacy/rotation": "test_vaults.py",
    "privacy/erasure": "test_nothing_is_left.py",
    SQL: "test_atomic_commands.py test_positions.py test_timers.py test_model.py",
}
"""The tests of each module, the quickest first, as pytest takes them in libs/events/tests."""


class Sample(NamedTuple):
    """How many mutants of each module; None: all."""

    size: int | None
    seed: int


class Outcome(NamedTuple):
    """What came of a mutant: seen is which test saw it and how, or ''."""

    what: str
    seen: str
    diff: str = ""


async def main(modules: list[str], sample: Sample) -> None:
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        async with servers(Path(folder) / "servers") as run:
            os.environ |= {"TEST_PG_URL": run.postgres, "TEST_KAFKA": run.kafka}
            await asyncio.to_thread(_all, Path(folder), modules, sample)


def _all(folder: Path, modules: list[str], sample: Sample) -> None:
    copy = folder / "copy"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, copy], check=True)
    # The copy comes before what is installed; alike.py stands here.
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (copy / "libs/events/src", HERE)))
    os.environ["COLUMNS"] = "400"  # else pytest cuts off what it says of a failure
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=copy, check=True, stdout=subprocess.PIPE)
    print(f"commit {commit.stdout.decode().strip()}, seed {sample.seed}")
    for module in modules:
        words = (
            str(copy / TESTS_FOLDER / word) if word.endswith(".py") else word for word in shlex.split(TESTS[module])
        )
        started = time.monotonic()
        outcomes: list[Outcome] = []
        for it in (_sql if module == SQL else _python)(copy, module, [*PYTEST, *words], sample):
            outcomes.append(it)
            print(f"  {it.what}: {it.seen or f'NOT SEEN {it.diff}'}", flush=True)
        hung, missed = sum(it.seen.startswith(HUNG) for it in outcomes), sum(not it.seen for it in outcomes)
        print(
            f"{module}: {len(outcomes)} mutants run, {len(outcomes) - missed} seen ({hung} of them hung), "
            f"{missed} not seen; {time.monotonic() - started:.0f} s",
            flush=True,
        )


def _python(copy: Path, module: str, test: list[str], sample: Sample) -> Iterator[Outcome]:
    """Each mutant, by its operator and place, and whether a test saw it."""
    name = module.replace("/", "-")
    config, session = copy / f"{name}.toml", copy / f"{name}.sqlite"

    def cosmic_ray(*words: str | Path) -> str:
        answer = subprocess.run([*COSMIC_RAY, *words], check=True, stdout=subprocess.PIPE)
        return answer.stdout.decode()

    def configure(each_test: float, all_of_them: float) -> None:
        text = (HERE / "cosmic-ray.toml").read_text()
        command = shlex.join([*test, f"--timeout={each_test:.0f}"])
        for empty, full in {
            'module-path = ""': f"module-path = {json.dumps(f'{copy}/libs/events/src/events/{module}.py')}",
            'test-command = ""': f"test-command = {json.dumps(command)}",
            "timeout = 0": f"timeout = {all_of_them:.0f}",
        }.items():
            text = text.replace(empty, full)
        config.write_text(text)

    configure(_LONGEST, _LONGEST)
    started = time.monotonic()
    cosmic_ray("cosmic-ray", "baseline", config)  # the very way that mutants go: else none of its tests might be found
    seconds = time.monotonic() - started
    configure(seconds + 20, 3 * seconds + 60)
    cosmic_ray("cosmic-ray", "init", config, session)
    cosmic_ray("cr-filter-operators", session, config)
    _draw(session, module, sample, (copy / f"libs/events/src/events/{module}.py").read_text().splitlines())
    cosmic_ray("cosmic-ray", "exec", config, session)
    for line in cosmic_ray("cosmic-ray", "dump", session).splitlines():
        item, result = json.loads(line)
        if result["worker_outcome"] == "skipped":
            continue
        if "no tests ran" in result["output"] and "rror" not in result["output"]:
            raise RuntimeError(f"no test was run on a mutant of {module}: {result['output']}")
        (mutation,) = item["mutations"]
        line, column = mutation["start_pos"]
        what = _named(module, line, column, mutation["operator_name"])
        if result["test_outcome"] not in ("survived", "killed"):  # such as a dotted name where an exception is caught
            print(f"  {what}: cosmic-ray cannot make it: {result['output'].strip().rpartition(chr(10))[2]}", flush=True)
            continue
        yield Outcome(
            what,
            _how(result["output"]) if result["test_outcome"] == "killed" else "",
            result["diff"],
        )


def _how(output: str) -> str:
    """Which test saw it and how: a busy machine makes tests fail, too, and whoever reads this can tell."""
    if output == "timeout":
        return HUNG
    for line in output.splitlines():
        if line.startswith(("FAILED ", "ERROR ")) and TESTS_FOLDER in line:
            place, _, error = line.partition(" - ")
            return f"{HUNG if 'Timeout' in error else 'seen'} by {place.rpartition('/')[2]}: {error[:100]}"
    return "seen before any test was run"


def _named(module: str, line: int, column: int, operator: str) -> str:
    return f"{module}.py:{line}:{column + 1} {operator.removeprefix('core/')}"


def _draw(session: Path, module: str, sample: Sample, source: list[str]) -> None:
    """Leaves in cosmic-ray's session what is drawn of the mutants that were not filtered out. That nobody changes what
    is frozen, the types see to: `@dataclass(frozen=False)` needs no test."""
    with closing(sqlite3.connect(session)) as db, db:
        found = db.execute(
            """select start_pos_row, start_pos_col, operator_name, occurrence, job_id from mutation_specs
               where job_id not in (select job_id from work_results) order by 1, 2, 3, 4"""
        ).fetchall()
        frozen = {number for number, line in enumerate(source, 1) if line.startswith("@dataclass(")}
        worth = [row for row in found if row[0] not in frozen]
        drawn = sorted(Random(sample.seed).sample(worth, min(sample.size or len(worth), len(worth))))
        for table in ("mutation_specs", "work_items"):
            db.executemany(f"delete from {table} where job_id = ?", [row[4:] for row in set(found) - set(drawn)])  # noqa: S608
    print(f"{module}: {len(worth)} mutants, {len(drawn)} of them are run:", flush=True)
    for line, column, operator, *_ in drawn:
        print(f"  {_named(module, line, column, operator)}", flush=True)


def _sql(copy: Path, module: str, test: list[str], sample: Sample) -> Iterator[Outcome]:
    file = copy / f"libs/events/src/events/migrations/{module}.sql"
    sound = file.read_text()
    started = time.monotonic()
    subprocess.run(test, cwd=copy, check=True, stdout=subprocess.DEVNULL)
    seconds = 2 * (time.monotonic() - started) + 20
    drawn = Random(sample.seed).sample([*MUTANTS], min(sample.size or len(MUTANTS), len(MUTANTS)))
    print(f"{module}: {len(MUTANTS)} mutants, {len(drawn)} of them are run", flush=True)
    for what in drawn:
        old, new = MUTANTS[what]
        if sound.count(old) != 1:
            raise ValueError(f"{what}: stands {sound.count(old)} times in {file.name}")
        file.write_text(sound.replace(old, new))
        try:
            done = subprocess.run(test, cwd=copy, stdout=subprocess.PIPE, timeout=seconds)
            yield Outcome(what, _how(done.stdout.decode()) if done.returncode else "")
        except subprocess.TimeoutExpired:
            yield Outcome(what, HUNG)
    file.write_text(sound)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("modules", nargs="*", metavar="module")
    parser.add_argument("--sample", type=int, help="how many mutants of each module")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.modules or [*TESTS], Sample(arguments.sample, arguments.seed)))
