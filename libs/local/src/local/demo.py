"""The demo: imports the sample community, plays a working day on it, and checks its own outcome.

It looks at the system from outside only, over HTTP and by the operators' commands, so the stack may be the one that
`commongrid up` starts or the one in containers.
"""

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from typing import Protocol

import httpx2
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.day import Community, Day, Outcome, Players, stories
from local.importing import Imported, import_folder
from local.services import REGISTRAR
from local.sinks import Sinks
from local.summary import Summary

SERVICES = ("registry", "grid_tasks", "assessment", "notifications")
QUIET_SECONDS = 90.0
"""How long, in machine time, the system may take until everything has arrived everywhere."""


class Stack(Protocol):
    """A running system, however it was started."""

    urls: Mapping[str, str]

    def token(self, member: str) -> str:
        """A bearer token for someone in post."""
        ...

    async def events(self, service: str, *arguments: str) -> tuple[int, str]:
        """Runs an operator's command of a service; its exit code and what it printed."""
        ...


async def run_demo(
    stack: Stack,
    begin: Callable[[], Awaitable[Day]],
    folder: Path,
    console: Console,
    *,
    sinks: Sinks | None,
    seed: int,
    cases: int,
    deep: bool,
) -> Summary:
    """Imports, begins the day and plays it, and looks at what came of it.

    `deep` also compares every read model with its rebuild.
    """
    started = time.monotonic()
    summary = Summary()
    with _progress(console) as progress:
        imported = await import_folder(stack.urls["registry"], folder, stack.token(REGISTRAR), progress)
    with console.status("the day begins"):
        await _count_projected(stack, summary)  # services may be started again now, and count from 0
        day = await begin()
        await _until_known(stack, imported)
    outcomes, players = await _play(stack, day, folder, console, seed, cases)
    with console.status("waiting until everything has arrived everywhere"):
        await _until_quiet(stack, summary)
    await _count(stack, summary)
    _check_import(imported, summary)
    _check_cases(outcomes, players, summary)
    _check_messages(sinks, summary)
    with console.status("comparing stores and topics" + (", and read models with their rebuilds" if deep else "")):
        await asyncio.gather(*(_verify(stack, name, summary, deep) for name in SERVICES))
    summary.seconds = round(time.monotonic() - started, 1)
    return summary


async def _play(
    stack: Stack, day: Day, folder: Path, console: Console, seed: int, cases: int
) -> tuple[list[Outcome], Players]:
    random = Random(seed)  # noqa: S311 - stories, not secrets
    community = Community.read(folder)
    plan = stories(community, day, random, cases)
    limits = httpx2.Limits(max_connections=16)
    async with httpx2.AsyncClient(timeout=30, limits=limits) as http:
        players = Players(http, stack.urls["grid_tasks"], day, stack.token, community, random)
        with _progress(console) as progress:
            bar = progress.add_task("the day", total=len(plan))
            playing = [asyncio.create_task(players.play(story)) for story in plan]
            for one in playing:
                one.add_done_callback(lambda _: progress.advance(bar))
            for category in community.not_ours[:3]:
                await players.be_refused(category, *community.addresses[0])
            await players.be_refused("unheard_of", *community.addresses[0])
            showing = asyncio.create_task(_show_time(day, lambda text: progress.update(bar, description=text)))
            try:
                return list(await asyncio.gather(*playing)), players
            finally:
                showing.cancel()


async def _show_time(day: Day, show: Callable[[str], None]) -> None:
    while True:
        show(f"the day, {day.now():%H:%M}")
        await asyncio.sleep(0.1)


async def _until_known(stack: Stack, imported: list[Imported]) -> None:
    """Waits until grid_tasks has the duty list and the roster: they cross a border."""
    duties = next((it.counts["rows"] for it in imported if it.register == "duties"), 0)
    deadline = time.monotonic() + QUIET_SECONDS
    async with httpx2.AsyncClient(base_url=stack.urls["grid_tasks"], timeout=10) as http:
        while time.monotonic() < deadline:
            known = (await http.get("/duties")).json()
            workers = (await http.get("/workers")).json()
            if len(known["items"]) >= duties and workers["items"]:
                return
            await asyncio.sleep(0.1)


async def _metrics(stack: Stack) -> dict[str, str]:
    async with httpx2.AsyncClient(timeout=10) as http:
        answers = await asyncio.gather(*(http.get(f"{stack.urls[name]}/metrics") for name in SERVICES))
    return {name: answer.text for name, answer in zip(SERVICES, answers, strict=True)}


def _samples(text: str, name: str) -> list[tuple[str, float]]:
    return [(labels, float(value)) for labels, value in re.findall(rf"^{name}\{{(.*?)\}} (\S+)$", text, re.M)]


async def _until_quiet(stack: Stack, summary: Summary) -> None:
    """Waits until no consumer of any service is behind and no message is under way, twice in a row."""
    deadline, quiet = time.monotonic() + QUIET_SECONDS, 0
    while quiet < 2:
        if time.monotonic() > deadline:
            summary.wrong.append(f"not everything had arrived after {QUIET_SECONDS:g} s")
            return
        behind = 0.0
        summary.slowest_lag_events, summary.slowest_lag_seconds = 0, 0.0
        for name, text in (await _metrics(stack)).items():
            for labels, events in _samples(text, "commongrid_lag_events"):
                behind += events
                consumer = re.search(r'consumer="(.*?)"', labels)
                if events >= summary.slowest_lag_events:
                    summary.slowest_lag_events = int(events)
                    summary.slowest_read_model = f"{name}.{consumer[1] if consumer else '?'}"
        under_way = await _under_way(stack)
        quiet = quiet + 1 if behind == 0 and under_way == 0 else 0
        await asyncio.sleep(1.0 if quiet else 0.5)


async def _under_way(stack: Stack) -> int:
    """How many notifications are neither delivered nor parked."""
    as_registrar = {"Authorization": f"Bearer {stack.token(REGISTRAR)}"}
    async with httpx2.AsyncClient(base_url=stack.urls["notifications"], timeout=10, headers=as_registrar) as http:
        answers = [await http.get("/notifications", params={"state": state}) for state in ("waiting",)]
    return sum(len(answer.json()["items"]) for answer in answers)


async def _count(stack: Stack, summary: Summary) -> None:
    async with httpx2.AsyncClient(timeout=30) as http:
        counts = (await http.get(f"{stack.urls['registry']}/counts")).json()
        board = (await http.get(f"{stack.urls['assessment']}/board")).json()
        summary.cases = await _cases_by_step(http, stack.urls["grid_tasks"])
    summary.people = sum(counts["people"].values())
    summary.permanent, summary.floating = counts["people"].get("permanent", 0), counts["people"].get("floating", 0)
    summary.units = sum(counts["units"].values())
    summary.buildings, summary.residential = (
        sum(counts["buildings"].values()),
        counts["buildings"].get("residential", 0),
    )
    summary.households, summary.grids = counts["households"], counts["grids"]
    summary.board = board["scores"]
    await _count_projected(stack, summary)


async def _count_projected(stack: Stack, summary: Summary) -> None:
    for text in (await _metrics(stack)).values():
        summary.events_projected += int(sum(n for _, n in _samples(text, "commongrid_projection_events_total")))


async def _cases_by_step(http: httpx2.AsyncClient, url: str) -> dict[str, int]:
    steps: Counter[str] = Counter()
    cursor: str | None = None
    while True:
        page = (await http.get(f"{url}/cases", params={"limit": 100} | ({"cursor": cursor} if cursor else {}))).json()
        steps.update(case["step"] for case in page["items"])
        cursor = page["next"]
        if cursor is None:
            return dict(sorted(steps.items()))


def _check_import(imported: list[Imported], summary: Summary) -> None:
    for it in imported:
        for bad in it.bad[:5]:
            summary.wrong.append(f"{it.register}, line {bad['line']}: {bad.get('message_en') or bad.get('error')}")
    rows = {it.register: it.counts["rows"] for it in imported}
    for register in ("people", "households", "buildings", "units", "grids"):
        if rows.get(register) != getattr(summary, register):
            summary.wrong.append(
                f"{rows.get(register)} {register} were imported, but the registry counts {getattr(summary, register)}"
            )


def _check_cases(outcomes: list[Outcome], players: Players, summary: Summary) -> None:
    for outcome in outcomes:
        expected = ("closed",) if outcome.story.finished else ("started",)
        if outcome.trouble:
            summary.wrong.append(outcome.trouble)
        elif outcome.step not in expected:
            summary.wrong.append(f"case {outcome.case} should be {expected[0]}, but is {outcome.step}")
    summary.refused_reports = dict(Counter(players.refused))
    due = {"not-a-grid-duty": 3, "not-on-any-duty-list": 1}
    if summary.refused_reports != due:
        summary.wrong.append(f"reports beyond the duty list were answered {summary.refused_reports}, not {due}")
    closed = sum(1 for outcome in outcomes if outcome.story.finished)
    on_board = sum(row["closed"] for row in summary.board)
    if on_board != closed:
        summary.wrong.append(f"{closed} cases were closed, but the board counts {on_board}")


def _check_messages(sinks: Sinks | None, summary: Summary) -> None:
    if sinks is None:
        return
    summary.mails, summary.webhooks = len(sinks.mails), len(sinks.webhooks)
    for kind, came in (("mail", sinks.mails), ("webhook", sinks.webhooks)):
        if twice := [message for message, times in came.items() if times > 1]:
            summary.wrong.append(f"{len(twice)} {kind}s came more than once, such as {twice[0]}")
        if not came:
            summary.wrong.append(f"no {kind} came")
    if sinks.forged:
        summary.wrong.append(f"{sinks.forged} webhooks had a wrong signature")


async def _verify(stack: Stack, service: str, summary: Summary, deep: bool) -> None:
    deadline = time.monotonic() + QUIET_SECONDS
    while True:
        code, printed = await stack.events(service, "verify", "--json", *(["--deep"] if deep else []))
        with contextlib.suppress(orjson.JSONDecodeError):
            found = orjson.loads(printed[printed.find("{") :])  # a container may say something before
            break
        if time.monotonic() > deadline:  # until then a server may have been away
            summary.wrong.append(f"{service}: verify ended with {code}: {printed.strip()[-300:]}")
            return
        await asyncio.sleep(1.0)
    summary.events_appended += found["stored"]
    summary.wrong += [f"{service}: {complaint}" for complaint in found["wrong"]]
    summary.wrong += [f"{service}: {count} events are parked for {who}" for who, count in found["parked"].items()]


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)
