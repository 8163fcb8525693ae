"""Mutants of the kernel: each is a copy with one small fault, and a test must see it. Survivors stand in MUTANTS.md.

    make mutants MODULE=store        one module, or several; "0001_log" is the SQL; without MODULE everything

Works in a copy of what is committed, on servers that live as long as the run: a mutant costs as long as the first test
that sees it. cosmic-ray makes the mutants of Python (its settings: cosmic-ray.toml), log_sql.py has those of the SQL.
"""

import asyncio
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from local.ladder import servers
from log_sql import MUTANTS

# ruff: noqa: S603, S607, T201 - it runs commands of its own and prints what came of them

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
]
SQL = "0001_log"
TESTS_FOLDER = "libs/events/tests"
_LONGEST = 900

TESTS = {
    "wire": "test_wire.py",
    "partitioning": "test_wire.py",
    "event": "test_upcasting.py test_wire.py test_freshness.py",
    "read_model": "test_batches.py test_upcasting.py",
    "progress": "test_batches.py test_model.py -k 'not relays'",
    "freshness": "test_freshness.py",
    "policy": "test_upcasting.py test_timers.py test_atomic_commands.py",
    "service": "test_upcasting.py test_freshness.py test_alone.py",
    "timers": "test_timers.py",
    "parking": "test_parking.py test_parking_errors.py test_parking_policies.py",
    "feeds": "test_model.py test_parking_races.py test_projections.py",
    "rebuild": "test_rebuild.py test_verify.py",
    "restore": "test_restore.py",
    "verify": "test_verify.py test_restore.py",
    "leases": "test_relay.py -k 'lease or process'",
    "wake": "test_relay.py -k 'woken or each_event'",
    "store": "test_atomic_commands.py test_positions.py",
    "commands": "test_atomic_commands.py test_timers.py test_freshness.py",
    "consumer": "test_parking.py test_parking_policies.py test_parking_errors.py test_model.py",
    "relay": "test_model.py test_relay.py test_restore.py",
    "kafka": "test_relay.py test_restore.py test_projections.py",
    "runtime": "test_alone.py test_rebuild.py test_projections.py test_tracing.py",
    "lag": "test_tracing.py test_operate.py",
    "measures": "test_tracing.py",
    "operate": "test_operate.py test_verify.py",
    "migrate": "test_migrate.py test_rebuild.py",
    "together": "test_together.py",
    SQL: "test_atomic_commands.py test_positions.py test_timers.py test_model.py",
}
"""The tests of each module, the quickest first, as pytest takes them in libs/events/tests."""


async def main(modules: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        async with servers(Path(folder) / "servers") as run:
            os.environ |= {"TEST_PG_URL": run.postgres, "TEST_KAFKA": run.kafka}
            await asyncio.to_thread(_all, Path(folder), modules)


def _all(folder: Path, modules: list[str]) -> None:
    copy = folder / "copy"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, copy], check=True)
    os.environ["PYTHONPATH"] = str(copy / "libs/events/src")  # comes before the installed one
    for module in modules:
        words = (
            str(copy / TESTS_FOLDER / word) if word.endswith(".py") else word for word in shlex.split(TESTS[module])
        )
        outcomes = list((_sql if module == SQL else _python)(copy, module, [*PYTEST, *words]))
        survived = [mutant for mutant, killed in outcomes if not killed]
        print(f"{module}: {len(outcomes)} mutants, {len(survived)} survived", *survived, sep="\n", flush=True)


def _python(copy: Path, module: str, test: list[str]) -> Iterator[tuple[str, bool]]:
    """Each mutant, as a diff, and whether a test saw it."""
    config, session = copy / f"{module}.toml", copy / f"{module}.sqlite"

    def cosmic_ray(*words: str | Path) -> str:
        answer = subprocess.run([*COSMIC_RAY, *words], check=True, stdout=subprocess.PIPE)
        return answer.stdout.decode()

    def configure(seconds: float) -> None:
        text = (HERE / "cosmic-ray.toml").read_text()
        for empty, full in {
            'module-path = ""': f"module-path = {json.dumps(f'{copy}/libs/events/src/events/{module}.py')}",
            'test-command = ""': f"test-command = {json.dumps(shlex.join(test))}",
            "timeout = 0": f"timeout = {seconds:.0f}",
        }.items():
            text = text.replace(empty, full)
        config.write_text(text)

    configure(_LONGEST)
    started = time.monotonic()
    cosmic_ray("cosmic-ray", "baseline", config)  # the very way that mutants go: else none of its tests might be found
    configure(2 * (time.monotonic() - started) + 20)
    cosmic_ray("cosmic-ray", "init", config, session)
    cosmic_ray("cr-filter-operators", session, config)
    cosmic_ray("cosmic-ray", "exec", config, session)
    for line in cosmic_ray("cosmic-ray", "dump", session).splitlines():
        item, result = json.loads(line)
        if result["worker_outcome"] == "skipped":
            continue
        if "no tests ran" in result["output"] and "rror" not in result["output"]:
            raise RuntimeError(f"no test was run on a mutant of {module}: {result['output']}")
        yield f"{item['mutations'][0]['operator_name']}\n{result['diff']}", result["test_outcome"] == "killed"


def _sql(copy: Path, module: str, test: list[str]) -> Iterator[tuple[str, bool]]:
    file = copy / f"libs/events/src/events/migrations/{module}.sql"
    sound = file.read_text()
    started = time.monotonic()
    subprocess.run(test, cwd=copy, check=True, stdout=subprocess.DEVNULL)
    seconds = 2 * (time.monotonic() - started) + 20
    for what, (old, new) in MUTANTS.items():
        if sound.count(old) != 1:
            raise ValueError(f"{what}: stands {sound.count(old)} times in {file.name}")
        file.write_text(sound.replace(old, new))
        try:
            done = subprocess.run(test, cwd=copy, stdout=subprocess.DEVNULL, timeout=seconds)
            yield what, done.returncode != 0
        except subprocess.TimeoutExpired:
            yield what, True
    file.write_text(sound)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or [*TESTS]))
