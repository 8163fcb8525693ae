"""What the categories of the duty list (责任清单) are called, from the registry's events."""

from contracts.common import Title
from contracts.registry import DutyChanged, DutyListed
from events import Connection, Database, ReadModel, Recorded

categories = ReadModel(
    "categories",
    """
    create table category_title (
        category text primary key,
        zh text not null,
        en text not null
    );
    """,
)


async def _name(db: Connection, duty: DutyListed | DutyChanged) -> None:
    await db.execute(
        """insert into category_title (category, zh, en) values ($1, $2, $3)
           on conflict (category) do update set zh = excluded.zh, en = excluded.en""",
        duty.category,
        duty.title.zh,
        duty.title.en,
    )


@categories.each(DutyListed)
async def listed(db: Connection, event: Recorded[DutyListed]) -> None:
    await _name(db, event.data)


@categories.each(DutyChanged)
async def changed(db: Connection, event: Recorded[DutyChanged]) -> None:
    await _name(db, event.data)


async def title(db: Database, category: str) -> Title | None:
    """What the category is called; None if it has not been heard of yet."""
    row = await db.fetchrow("select zh, en from category_title where category = $1", category)
    return Title(zh=row["zh"], en=row["en"]) if row else None
