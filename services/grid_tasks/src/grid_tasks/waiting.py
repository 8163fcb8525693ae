"""What waits because everybody who could have it is on leave gets somebody when one of them is back (销假): no event
tells that a day has come, so it is looked for every hour."""

from edge.hourly import hourly
from events.runtime import Runtime

from grid_tasks.policies.dispatching import place_waiting
from grid_tasks.policies.sharing_visits import give_waiting


async def give_what_waits(runtime: Runtime) -> int:
    """Gives waiting cases and visits to who is there by now; returns how many."""
    return await place_waiting(runtime.commands) + await give_waiting(runtime.commands)


giving_what_waits = hourly("what waits", give_what_waits)
