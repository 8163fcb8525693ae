"""The memory of idle services, with the sample community in them."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from events.testing import eventually
from local.importing import import_folder
from local.services import REGISTRAR
from local.supervisor import Options, System
from rich.progress import Progress

from benchmarks.measuring import Bench, Benchmark

COMMUNITY = Path(__file__).parents[1] / "examples" / "community"


async def idle_services(bench: Bench) -> Sequence[float]:
    """Resident memory of each of the four, in MiB, once they have taken in the community and been started anew."""
    with TemporaryDirectory(prefix="commongrid-bench-") as folder:
        async with System(Options(Path(folder))) as system:
            with Progress(disable=True) as progress:
                token = system.token(REGISTRAR)
                await import_folder(system.urls["registry"], COMMUNITY, token, progress)
            for name in system.urls:

                async def caught_up(name: str = name) -> bool:
                    return (await system.events(name, "verify"))[0] == 0

                await eventually(caught_up)
            for name in system.urls:
                await system.restart(name)
            sizes = {name: psutil.Process(system.pid(name)).memory_info().rss / 2**20 for name in system.urls}
            bench.seen.extend(f"{name} {size:.0f}" for name, size in sizes.items())
            return list(sizes.values())


BENCHMARKS = [
    Benchmark(
        "memory", "memory of an idle service, the largest of the four", "", 120, idle_services, "less", "MiB", max
    )
]
