"""When what was written of a case has passed its period, its key is destroyed, and what is left of it beside the events
is dropped (到期删除)."""

from contracts.grid_tasks import CaseTextErased
from events import Commands, Policy, Recorded
from events.privacy.erasure import forget, parked_of

forgetting = Policy("forgetting")


@forgetting.on(CaseTextErased)
async def erased(commands: Commands, event: Recorded[CaseTextErased]) -> None:
    await commands.personal.keys.destroy(event.stream)
    parked = await parked_of(commands.db, [event.stream])
    await forget(commands.db, [event.stream], [it.id for it in parked])
