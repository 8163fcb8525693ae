"""Which files were brought into which register (批量导入), how far they came, and what became of their rows."""

from datetime import datetime
from typing import Any

from contracts.registry import ImportBegun, ImportEnded, ImportProgressed
from events import Batch, Connection, Database, ReadModel

imports = ReadModel(
    "imports",
    tables="""
    create table import (
        id text collate "C" primary key,
        register text collate "C" not null,
        file text collate "C" not null,
        mapping text collate "C" not null,
        source text,
        lines bigint not null,
        brought_by text not null,
        begun_at timestamptz not null,
        line bigint not null default 0,
        rows bigint not null default 0,
        registered bigint not null default 0,
        changed bigint not null default 0,
        unchanged bigint not null default 0,
        refused bigint not null default 0,
        ended_at timestamptz
    );
    create index import_by_time on import (begun_at, id);
    create index import_of_register on import (register, begun_at, id);
    """,
)

COLUMNS = """id as import_id, register as into, file, source, lines, brought_by, begun_at, rows, registered, changed,
    unchanged, refused, ended_at"""


@imports.on(ImportBegun)
async def begun(db: Connection, events: Batch[ImportBegun]) -> None:
    """Somebody brings a file."""
    await db.execute(
        """insert into import (id, register, file, mapping, source, lines, brought_by, begun_at)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[],
                                $8::timestamptz[])""",
        *map(events.column, ("import_id", "into", "file", "mapping", "source", "lines", "by", "at")),
    )


COUNTS = ("import_id", "rows", "registered", "changed", "unchanged", "refused")


@imports.on(ImportProgressed)
async def progressed(db: Connection, events: Batch[ImportProgressed]) -> None:
    """It has come so far; the last word on each import holds."""
    await db.execute(
        """update import i set rows = p.rows, registered = p.registered, changed = p.changed, unchanged = p.unchanged,
                               refused = p.refused, line = p.line
           from (select distinct on (id) *
                 from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                             $7::bigint[]) as p(id, rows, registered, changed, unchanged, refused, line)
                 order by id, line desc) p
           where i.id = p.id""",
        *map(events.column, (*COUNTS, "line")),
    )


@imports.on(ImportEnded)
async def ended(db: Connection, events: Batch[ImportEnded]) -> None:
    """All of it was entered or refused."""
    await db.execute(
        """update import i set rows = e.rows, registered = e.registered, changed = e.changed, unchanged = e.unchanged,
                               refused = e.refused, ended_at = e.at
           from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                       $7::timestamptz[]) as e(id, rows, registered, changed, unchanged, refused, at)
           where i.id = e.id""",
        *map(events.column, (*COUNTS, "at")),
    )


async def page(db: Database, before: datetime | None, before_id: str, limit: int) -> list[Any]:
    """Imports, the latest first: one more than `limit`, if there are more."""
    return await db.fetch(
        f"""select {COLUMNS} from import
            where $1::timestamptz is null or (begun_at, id) < ($1, $2)
            order by begun_at desc, id desc limit $3 + 1""",  # noqa: S608
        before,
        before_id,
        limit,
    )


async def unfinished(db: Database, register: str, file: str, mapping: str) -> str | None:
    """The last import into this register, if it was of this file, read in this way, and broke off after some rows. An
    older one holds no more: what came since would not be written over by what it had entered before."""
    row = await db.fetchrow(
        """select id, file, mapping, line, ended_at from import where register = $1
           order by begun_at desc, id desc limit 1""",
        register,
    )
    if row and (row["file"], row["mapping"], row["ended_at"]) == (file, mapping, None) and row["line"]:
        return str(row["id"])
    return None
