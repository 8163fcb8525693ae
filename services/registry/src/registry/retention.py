"""How long the registry keeps whom it no longer needs to know (保存期限)."""

from datetime import timedelta

from contracts.common import ErasureGround
from edge.hourly import hourly
from events import Done
from events.runtime import Runtime

from registry.domain.person import PERSON, Erase
from registry.read_models.people import floating_until_before, people

KEPT = timedelta(days=2 * 365)
"""From the end of a floating resident's registration: until then they may come back to it."""
AT_ONCE = 500


async def erase_who_left(runtime: Runtime) -> int:
    """Erases floating residents whose registration ended too long ago, but for those whom the law asks to be kept;
    returns how many."""
    commands, now = runtime.commands, runtime.clock()
    erased, after = 0, ""
    while due := await floating_until_before(runtime.db, (now - KEPT).date(), after, AT_ONCE):
        answers = await commands.execute_many(PERSON, dict.fromkeys(due, Erase(ErasureGround.RETENTION_OVER, now)))
        erased += sum(isinstance(it, Done) and bool(it.events) for it in answers.values())
        after = due[-1]
    if erased:
        await commands.caught_up(people, 60)
    return erased


erasing_who_left = hourly("retention of people", erase_who_left)
