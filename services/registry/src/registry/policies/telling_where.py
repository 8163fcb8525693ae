"""Who falls due or was drawn is to be visited: so where and when they can be met is told, under a key of its own, and
told again when it changes; where the map is redrawn, of those only whom a visit is still wanted of. Who is erased takes
that key along."""

from collections.abc import Iterable
from contextlib import suppress

from contracts.registry import (
    DueNoticed,
    MapRedrawn,
    PersonChanged,
    PersonErased,
    PersonFacts,
    SampleDrawn,
    UnitChanged,
    UnitFacts,
    WhereaboutsTold,
)
from events import Commands, Key, Policy, Recorded
from events.privacy.data import Erased
from events.privacy.erasure import forget_all

from registry.domain.address import ADDRESS
from registry.domain.person import PERSON
from registry.domain.unit import UNIT
from registry.domain.whereabouts import WHEREABOUTS, Tell, building_of
from registry.read_models.dues import dues, to_be_visited
from registry.read_models.samples import samples
from registry.read_models.territory import grids_at, territory

telling_where = Policy("telling_where")

PEOPLE, UNITS = "people", "units"
PATIENCE = 60.0
"""Seconds to wait for what is known of the map, and of who is to be visited."""


@telling_where.on(DueNoticed)
async def noticed(commands: Commands, event: Recorded[DueNoticed]) -> None:
    await tell(commands, event.data.of, [event.data.thing])


@telling_where.on(SampleDrawn)
async def drawn(commands: Commands, event: Recorded[SampleDrawn]) -> None:
    await tell(commands, PEOPLE, event.data.persons)


@telling_where.on(PersonChanged)
async def person_changed(commands: Commands, event: Recorded[PersonChanged]) -> None:
    await tell_again(commands, PEOPLE, event.data.person)


@telling_where.on(UnitChanged)
async def unit_changed(commands: Commands, event: Recorded[UnitChanged]) -> None:
    await tell_again(commands, UNITS, event.data.unit)


@telling_where.on(MapRedrawn)
async def redrawn(commands: Commands, _: Recorded[MapRedrawn]) -> None:
    """In which grid, that is: some may lie in another one."""
    for it in (territory, dues, samples):
        await commands.caught_up(it, PATIENCE)
    for of, thing in await to_be_visited(commands.db):
        await tell_again(commands, of, thing)


@telling_where.on(PersonErased)
async def erased(commands: Commands, event: Recorded[PersonErased]) -> None:
    """May run twice."""
    stream = WHEREABOUTS.stream(event.data.person)
    await commands.personal.keys.destroy(stream)
    await forget_all(commands.db, stream)


async def tell(commands: Commands, of: str, things: Iterable[str], *, again: bool = False) -> None:
    """Tells of each where they can be met, as the register has it now. Who was erased meanwhile is passed over."""
    for thing in things:
        with suppress(Erased):
            if told := await _whereabouts(commands, of, thing):
                # A second run may be about others: keys by their number would mistake one for the other.
                key = Key(f"{commands.key_seed}:{thing}")
                await commands.execute(WHEREABOUTS, thing, Tell(told, again), key=key)


async def tell_again(commands: Commands, of: str, thing: str) -> None:
    """The same, if it was told before: for most it never was."""
    known, _ = await commands.load(WHEREABOUTS, thing)
    if known is not None:
        await tell(commands, of, [thing], again=True)


async def _whereabouts(commands: Commands, of: str, thing: str) -> WhereaboutsTold | None:
    facts: PersonFacts | UnitFacts | None
    if of == PEOPLE:
        person, _ = await commands.load(PERSON, thing)
        facts = person.known()
    else:
        facts = (await commands.load(UNIT, thing))[0].facts
    if facts is None:
        return None
    address = (await commands.load(ADDRESS, facts.address))[0].facts
    if address is None:
        return None
    (grid,) = await grids_at(commands.db, [address.place])
    return WhereaboutsTold(
        whereabouts=thing,
        of=of,
        grid=grid,
        building=building_of(address),
        place=address.place,
        home_hours=facts.home_hours if isinstance(facts, PersonFacts) else "",
        no_contact=isinstance(facts, PersonFacts) and facts.no_contact,
    )
