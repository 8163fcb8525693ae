"""Which address a row means: by how it is written, where it has no reference; and whether two rows are one place."""

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from contracts.registry import AddressFacts, NameKind
from events import Database

from registry.domain.address import check_division_code, parts_of
from registry.domain.faults import Fault, Why
from registry.domain.writing import key, spelling
from registry.importing.cells import Cells, text
from registry.importing.seen import Firsts
from registry.read_models.address_names import STANDARD, Named, named_anywhere, named_in

WRITTEN = "address"
"""The column with the address as somebody wrote it."""


@dataclass(frozen=True, slots=True)
class Sought:
    """An address by how it is written; anywhere, if no division is named."""

    spelling: str
    division_code: str | None


def sought(cells: Cells) -> Sought | None:
    """What stands in the column `address`, if there is one, and in `division_code` beside it. Raises Fault."""
    if WRITTEN not in cells or not text(cells, WRITTEN):
        return None
    code = cells.get("division_code") or None
    if code:
        check_division_code(code)
    return Sought(spelling(cells[WRITTEN]), code)


async def found_by_name(db: Database, wanted: Mapping[int, Sought]) -> tuple[dict[int, str], dict[int, Fault]]:
    """By line, the id of the address that is meant; or what is wrong: nobody knows it, or several are called so. A
    standard name counts before former and other ones."""
    by_spelling: dict[str, list[Named]] = defaultdict(list)
    here = {(it.division_code, it.spelling) for it in wanted.values() if it.division_code}
    anywhere = {it.spelling for it in wanted.values() if not it.division_code}
    for it in [*await named_in(db, here), *await named_anywhere(db, anywhere)]:
        by_spelling[it.spelling].append(it)
    ids: dict[int, str] = {}
    faults: dict[int, Fault] = {}
    for line, it in wanted.items():
        called = [one for one in by_spelling[it.spelling] if it.division_code in (None, one.division_code)]
        meant = {one.address for one in called if one.kind == STANDARD} or {one.address for one in called}
        if len(meant) == 1:
            ids[line] = meant.pop()
        else:
            faults[line] = Fault(WRITTEN, Why.AMBIGUOUS_ADDRESS if meant else Why.UNKNOWN_ADDRESS)
    return ids, faults


@dataclass
class Places:
    """The places that the rows of one file have taken so far."""

    _first: Firsts = field(default_factory=Firsts)

    async def taken(self, db: Database, facts: Mapping[str, AddressFacts], seen: Container[str]) -> dict[str, str]:
        """By id, the other address that is the same place, by its standard or a former name: in this file before, or in
        the register, unless this file has moved it elsewhere. `seen`: the ids of all rows so far."""
        places = {id_: (it.division_code, key(parts_of(it))) for id_, it in facts.items()}
        first = {id_: self._first.take("/".join(place), id_) for id_, place in places.items()}
        owners: dict[tuple[str, str], list[str]] = defaultdict(list)
        for it in await named_in(db, set(places.values())):
            place = it.division_code, it.spelling
            moved = it.address in seen and self._first.get("/".join(place)) != it.address
            if it.kind != NameKind.ALIAS and not moved:
                owners[place].append(it.address)
        taken: dict[str, str] = {}
        for id_, place in places.items():
            if first[id_] != id_:
                taken[id_] = first[id_]
            elif owners[place] and id_ not in owners[place]:
                taken[id_] = owners[place][0]
        return taken
