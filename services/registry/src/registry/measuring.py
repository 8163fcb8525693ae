"""What the registry looks through by itself, every hour: how good it is, once a day, and what falls due."""

from datetime import timedelta

from contracts.registry import DueNoticed, QualityMeasured
from edge.hourly import hourly
from events import Done
from events.runtime import Runtime

from registry.domain.history import day_in_china
from registry.domain.notices import DUE, QUALITY, Say
from registry.read_models.dues import due_until, dues
from registry.read_models.quality import figures

AHEAD = timedelta(days=30)
"""How long before something falls due there is to be an event: time for a visit."""
AT_ONCE = 500


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
        said: dict[str, Say] = {}
        for it in found:
            id_ = f"{it.kind}-{it.thing}-{it.on}"
            said[id_] = Say(DueNoticed(due=id_, kind=it.kind, of=it.register, thing=it.thing, grid=it.grid, on=it.on))
        answers = await runtime.commands.execute_many(DUE, said)
        noticed += sum(isinstance(it, Done) and bool(it.events) for it in answers.values())
        after = (found[-1].kind, found[-1].thing, str(found[-1].on))
    if noticed:
        await runtime.commands.caught_up(dues, 60)
    return noticed


measuring = hourly("quality of the registers", measure)
noticing = hourly("what falls due", notice_what_falls_due)
