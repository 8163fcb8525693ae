"""Brings a service's database up to date: the log's tables, the service's own, and the tables of its read models.

Numbered SQL files, one after the other, each in one transaction with the note that it was applied: a run that is killed
has done some of them, and never half of one. Safe to run again, and by several at once. A read model of a new version
gets tables of its own beside the old ones; the worker fills them, and the API turns to them when they have caught up.
"""

from pathlib import Path

import asyncpg

from events.read_model import Connection, ReadModel
from events.service import Service
from events.settings import Settings

LOG = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME = 7_010_041


async def migrate(service: Service, settings: Settings) -> None:
    """Creates or upgrades everything that the service has in its database."""
    folders = {"log": LOG} | ({service.name: service.migrations} if service.migrations else {})
    db = await asyncpg.connect(settings.database_url)
    try:
        await db.execute("select pg_advisory_lock($1)", _ONE_AT_A_TIME)
        await db.execute(
            """create table if not exists migration (
                   owner text, file text, applied_at timestamptz not null default now(), primary key (owner, file)
               )"""
        )
        for owner, folder in folders.items():
            for name, script in _scripts(folder):
                await _apply(db, owner, name, script)
        for read_model in service.read_models:
            await create_tables(db, read_model, read_model.schema)
    finally:
        await db.close()


def _scripts(folder: Path) -> list[tuple[str, str]]:
    return [(file.name, file.read_text()) for file in sorted(folder.glob("*.sql"))]


async def _apply(db: Connection, owner: str, file: str, script: str) -> None:
    note = "insert into migration (owner, file) values ($1, $2) on conflict do nothing"
    async with db.transaction():
        if await db.execute(note, owner, file) != "INSERT 0 0":
            await db.execute(script)


async def create_tables(db: Connection, read_model: ReadModel, schema: str) -> None:
    """Creates the tables of a read model in a schema, unless the schema is there already."""
    async with db.transaction():
        if await db.fetchval("select exists (select from pg_namespace where nspname = $1)", schema):
            return
        await db.execute(f'create schema "{schema}"')
        await db.execute(f'set local search_path = "{schema}", public')
        await db.execute(read_model.tables)
        await db.execute(
            "insert into log.read_models (schema, name, version) values ($1, $2, $3) on conflict do nothing",
            schema,
            read_model.name,
            read_model.version,
        )
