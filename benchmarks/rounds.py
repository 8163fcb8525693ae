"""A morning's rounds of a grid: 200 visits in 30 buildings, shared out among four workers, planned for a Saturday. How
long they are on foot, against the shortest way through the same buildings; how long one way through all of them is,
against a search that takes its time; and how long planning takes, against the bare ways, whoever is at home.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from random import Random

from contracts.common import Place, Post
from contracts.visits import VisitKind
from grid_tasks.domain.rounds import DETOUR, Rounds, Stop, Task, plan
from grid_tasks.domain.sharing import Sharer, whose
from grid_tasks.domain.walking import improved, length, metres, nearest_first, short_way
from grid_tasks.domain.working_time import Calendar

from benchmarks.measuring import Bench, Benchmark

VISITS, BUILDINGS, WORKERS = 200, 30, 4
ACROSS = 0.006
"""Degrees: a grid of some 600 m."""
SATURDAY = date(2026, 11, 28)
PLANNED = datetime(2026, 11, 24, 1, tzinfo=UTC)
DAYS = Calendar()
KICKS = 300
"""How often the search starts again from its best way, with three pieces of it exchanged."""


def a_grid(seed: int) -> list[Place]:
    """Its buildings, anywhere."""
    random = Random(seed)  # noqa: S311 - a trial
    return [
        Place(longitude=120.09 + random.random() * ACROSS, latitude=30.87 + random.random() * ACROSS)
        for _ in range(BUILDINGS)
    ]


def a_morning(seed: int) -> list[list[Task]]:
    """The visits of each worker, shared out as the service does."""
    random, buildings = Random(seed), a_grid(seed)  # noqa: S311 - a trial
    held: dict[str, list[Task]] = {f"w{nth}": [] for nth in range(WORKERS)}
    for nth in range(VISITS):
        site = random.randrange(BUILDINGS)
        sharers = [Sharer(it, Post.GRID_WORKER, len(has), _there(has, site)) for it, has in held.items()]
        share = whose(sharers)
        assert share  # noqa: S101 - there are workers
        task = Task(f"v{nth}", VisitKind.REVISIT, "people", str(site), buildings[site], "", PLANNED)
        held[share.member].append(task)
    return list(held.values())


def _there(has: Sequence[Task], site: int) -> bool:
    return any(it.site == str(site) for it in has)


def planned(morning: Sequence[Sequence[Task]]) -> list[Rounds]:
    """As the service plans them."""
    return [plan(tasks, [SATURDAY], DAYS) for tasks in morning]


def bare(morning: Sequence[Sequence[Task]]) -> list[list[int]]:
    """Only a short way through each worker's buildings: no hours, no day that is full, no reasons."""
    return [short_way(list({it.site: it.place for it in tasks if it.place}.values())) for tasks in morning]


def shortest(places: Sequence[Place]) -> float:
    """Metres of the shortest way through all of these, by dynamic programming (Held and Karp 1962)."""
    apart = [[metres(one, other) for other in places] for one in places]
    size = len(places)
    best = {(1 << nth, nth): 0.0 for nth in range(size)}
    for _ in range(size - 1):
        longer: dict[tuple[int, int], float] = {}
        for (been, last), way in best.items():
            for to in range(size):
                if not been >> to & 1:
                    key = been | 1 << to, to
                    longer[key] = min(longer.get(key, float("inf")), way + apart[last][to])
        best = longer
    return min(best.values(), default=0.0)


def searched(places: Sequence[Place], seed: int, kicks: int) -> float:
    """Metres of the best way that is found from every beginning, and then by kicks (iterated local search)."""
    random = Random(seed)  # noqa: S311 - a trial
    ways = [improved(places, nearest_first(places, start)) for start in range(len(places))]
    best = min(ways, key=lambda it: length(places, it))
    for _ in range(kicks):
        one, two, three = sorted(random.sample(range(len(best) + 1), 3))
        kicked = best[:one] + best[two:three] + best[one:two] + best[three:]
        # Both ways round, as what is first stays the first.
        for way in (kicked, kicked[::-1]):
            best = min(best, improved(places, way), key=lambda it: length(places, it))
    return length(places, best)


async def against_the_shortest(bench: Bench) -> list[float]:
    """Of each morning, all rounds to the shortest ways through their buildings."""
    return [_mornings_length(seed) for seed in range(bench.rounds)]


def _mornings_length(seed: int) -> float:
    walked = least = 0.0
    for rounds in planned(a_morning(seed)):
        for session in _sessions(rounds.days[SATURDAY].stops):
            walked += sum(it.metres for it in session)
            least += shortest([it.place for it in session]) * DETOUR
    return walked / least


def _sessions(stops: Sequence[Stop]) -> list[list[Stop]]:
    """Each begins where it likes: with a way of 0 m."""
    found: list[list[Stop]] = []
    for stop in stops:
        if stop.metres == 0:
            found.append([])
        found[-1].append(stop)
    return found


async def against_a_search(bench: Bench) -> list[float]:
    """One way through all buildings, as long as no round is, to that of the search."""
    kicks = bench.size(KICKS, 20)
    return [
        length(places, short_way(places)) / searched(places, seed, kicks)
        for seed, places in ((seed, a_grid(seed)) for seed in range(bench.rounds))
    ]


async def time_taken(bench: Bench) -> list[float]:
    """How many mornings are planned in a second, to how many bare ways are found for."""
    morning = a_morning(0)
    times = bench.size(20, 5)

    async def ours() -> float:
        return _a_second(times, lambda: planned(morning))

    async def theirs() -> float:
        return _a_second(times * 20, lambda: bare(morning))

    return await bench.ratios(ours, theirs)


def _a_second(times: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(times):
        work()
    return times / (time.perf_counter() - started)


ROUNDS = "a morning's rounds: 200 visits in 30 buildings, four workers"
BENCHMARKS = (
    Benchmark(
        "rounds-length",
        f"{ROUNDS}; metres on foot",
        "the shortest ways through the same buildings, exactly (Held–Karp)",
        1.05,
        against_the_shortest,
        better="less",
    ),
    Benchmark(
        "rounds-way",
        "one way through 30 buildings; metres",
        "the best of a search from every beginning, with 300 kicks",
        1.1,
        against_a_search,
        better="less",
    ),
    Benchmark(
        "rounds-time",
        f"planning {ROUNDS}",
        "bare short ways through each worker's buildings: no hours, no full days, no reasons",
        0.02,
        time_taken,
    ),
)
