"""How long what is written of a case is kept (保存期限)."""

from datetime import timedelta

from edge.hourly import hourly
from events.runtime import Runtime

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import EraseText
from grid_tasks.read_models.case_board import case_board, closed_before

KEPT = timedelta(days=3 * 365)
"""From the end of a case: as long as a civil claim from it can be brought (《民法典》第一百八十八条)."""
AT_ONCE = 500


async def erase_old_texts(runtime: Runtime) -> int:
    """Erases the texts of some cases that were closed too long ago; returns how many."""
    commands = runtime.commands
    due = await closed_before(runtime.db, runtime.clock() - KEPT, AT_ONCE)
    if due:
        await commands.execute_many(CASE, {case: EraseText(runtime.clock()) for case in due})
        await commands.caught_up(case_board, 60)
    return len(due)


erasing_old_texts = hourly("retention of cases", erase_old_texts)
