"""When a street is renamed, each address on it says so, and keeps the old name as a former one."""

from contracts.registry import StreetRenamed
from events import Commands, Policy, Recorded

from registry.domain.address import ADDRESS, Rename
from registry.domain.writing import part
from registry.read_models.address_names import address_names, on_street

CHUNK = 500
PATIENCE = 60.0
"""Seconds to wait for the read model that says which addresses there are."""

renaming = Policy("renaming")


@renaming.on(StreetRenamed)
async def renamed(commands: Commands, event: Recorded[StreetRenamed]) -> None:
    """Chunk by chunk, so that transactions stay short; those that have the new name already are passed over."""
    await commands.caught_up(address_names, PATIENCE)
    it, after = event.data, ""
    street = part("street", it.street)
    while found := await on_street(commands.db, it.division_code, street, after, CHUNK):
        await commands.execute_many(ADDRESS, dict.fromkeys(found, Rename(street, it.renamed, it.on)))
        after = found[-1]
