"""What the registry looks through by itself: how good it is, once a day, what falls due, and what of that is settled or
was not by its day."""

from collections.abc import Mapping
from datetime import timedelta

from contracts.registry import DueNoticed, DuePassed, QualityMeasured
from edge.hourly import hourly
from events import Done
from events.runtime import Runtime

from registry.domain.due import DUE, Notice, Pass, Settle
from registry.domain.history import day_in_china
from registry.domain.notices import QUALITY, Say
from registry.read_models.dues import due_until, dues, no_longer_due, passed_before
from registry.read_models.people import people
from registry.read_models.quality import figures
from registry.read_models.units import units

AHEAD = timedelta(days=30)
"""How long before something falls due there is to be an event: time for a visit."""
AT_ONCE = 500
PATIENCE = 60.0
"""Seconds to wait for a list that is behind."""


async def measure(runtime: Runtime) -> int:
    """Tells how good each grid is, once a day; returns of how many it told."""
    today = day_in_china(runtime.clock())
    said = {
        f"{today}-{it.grid}": Say(
            QualityMeasured(
                quality=f"{today}-{it.grid}",
                grid=it.grid,
                day=today,
                records=it.records,
                complete=round(it.complete, 4),
                fresh=round(it.fresh, 4),
                consistent=round(it.consistent, 4),
                accurate=it.accurate,
                score=it.score,
            )
        )
        for it in await figures(runtime.db, None, today)
    }
    answers = await runtime.commands.execute_many(QUALITY, said) if said else {}
    return sum(isinstance(it, Done) and bool(it.events) for it in answers.values())


async def notice_what_falls_due(runtime: Runtime) -> int:
    """Tells what falls due within `AHEAD`, each once; returns how many."""
    today = day_in_china(runtime.clock())
    noticed, after = 0, ("", "", "")
    while found := await due_until(runtime.db, today, today + AHEAD, after, AT_ONCE):
        noticed += await _told(
            runtime,
            {
                it.id: Notice(
                    DueNoticed(due=it.id, kind=it.kind, of=it.register, thing=it.thing, grid=it.grid, on=it.on)
                )
                for it in found
            },
        )
        after = (found[-1].kind, found[-1].thing, str(found[-1].on))
    return noticed


async def tell_what_has_passed(runtime: Runtime) -> int:
    """Tells what was not settled by its day, from the next day on; returns how many."""
    now = runtime.clock()
    await _up_to_date(runtime)
    found = await passed_before(runtime.db, day_in_china(now), AT_ONCE)
    return await _told(
        runtime,
        {
            it.id: Pass(
                DuePassed(due=it.id, kind=it.kind, of=it.register, thing=it.thing, grid=it.grid, on=it.on, at=now)
            )
            for it in found
        },
    )


async def tell_what_is_settled(runtime: Runtime) -> int:
    """Tells what the register does not say any more; returns how many."""
    await _up_to_date(runtime)
    found = await no_longer_due(runtime.db, AT_ONCE)
    return await _told(runtime, {due: Settle(due, thing, runtime.clock()) for due, thing in found})


async def _up_to_date(runtime: Runtime) -> None:
    """Waits until the lists show all that is known: while they are built anew, it looks as if much were settled."""
    for it in (people, units, dues):
        await runtime.commands.caught_up(it, PATIENCE)


async def _told(runtime: Runtime, commands: Mapping[str, Notice | Pass | Settle]) -> int:
    """Tells it, and waits until the list of what was told shows it; returns how much was new."""
    if not commands:
        return 0
    answers = await runtime.commands.execute_many(DUE, commands)
    await runtime.commands.caught_up(dues, PATIENCE)
    return sum(isinstance(it, Done) and bool(it.events) for it in answers.values())


measuring = hourly("quality of the registers", measure)
noticing = hourly("what falls due", notice_what_falls_due)
passing = hourly("what has passed its day", tell_what_has_passed)
settling = hourly("what is settled", tell_what_is_settled, seconds=60)
