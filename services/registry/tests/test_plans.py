"""Every question that is asked of millions of rows goes by an index."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from contracts.common import Place
from events.read_model import Connection
from events.runtime import Runtime
from registry.read_models import building_counts, past, people, territory

DAY = date(2026, 11, 26)


class Explaining:
    """A connection that says how it would answer, and answers."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.plans: list[str] = []

    async def _explain(self, query: str, *arguments: object) -> None:
        rows = await self._db.fetch(f"explain {query}", *arguments)
        self.plans.append("\n".join(row[0] for row in rows))

    async def fetch(self, query: str, *arguments: object) -> Any:
        await self._explain(query, *arguments)
        return await self._db.fetch(query, *arguments)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        await self._explain(query, *arguments)
        return await self._db.fetchval(query, *arguments)


QUESTIONS: dict[str, Callable[[Any], Awaitable[object]]] = {
    "an identity number": lambda db: people.found(db, None, "id_number", b"x" * 16),
    "a telephone number": lambda db: people.found(db, ["G1"], "phone", b"x" * 16),
    "a name in a grid": lambda db: people.found_by_words(db, ["G1"], "G1", [1, 2], "", 50),
    "somebody's grid": lambda db: people.grid_of(db, "somebody"),
    "who belongs to a household": lambda db: people.members(db, "household"),
    "who lives in a grid": lambda db: people.page(db, ["G1"], "G1", None, "", 50),
    "who looks alike in a grid": lambda db: people.look_alike(db, ["G1"], "G1", ("", ""), 20),
    "a grid's figures": lambda db: past.figures(db, "G1", DAY),
    "who belonged to a household": lambda db: past.members(db, "household", DAY),
    "how many live in each building of a grid": lambda db: building_counts.by_building(db, "G1"),
    "a point's grid": lambda db: territory.grids_at(db, [Place(longitude=120.005, latitude=30.005)]),
    "the addresses of a grid": lambda db: territory.page(db, "G1", "", 50),
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_no_question_reads_a_table_through(idle: Runtime, question: str) -> None:
    schemas = ", ".join(it.schema for it in (past.past, *building_counts.COUNTED_BY_BUILDING))
    async with idle.connection() as db:
        await db.execute(f"set search_path = {schemas}")
        await db.execute("set enable_seqscan = off")  # the tables are empty: what could be read through would be
        explaining = Explaining(db)
        await QUESTIONS[question](explaining)
    assert explaining.plans
    for plan in explaining.plans:
        assert "Seq Scan" not in plan, plan
