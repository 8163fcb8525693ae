"""When what was written of a case has passed its period, its key is destroyed, and what is left of it beside the events
is dropped (到期删除)."""

from contracts.grid_tasks import CaseTextErased
from events import Commands, Policy, Recorded
from events.privacy.erasure import forget_all

forgetting = Policy("forgetting")


@forgetting.on(CaseTextErased)
async def erased(commands: Commands, event: Recorded[CaseTextErased]) -> None:
    await commands.personal.keys.destroy(event.stream)
    await forget_all(commands.db, event.stream)
