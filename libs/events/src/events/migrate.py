"""Brings a service's database up to date: the log's tables, the service's own, and the tables of its read models.

Numbered SQL files, one after the other, each in one transaction with the note that it was applied: a run that is killed
has done some of them, and never half of one. Safe to run again, and by several at once. A read model of a new version
gets tables of its own beside the old ones; the worker fills them, and the API turns to them when they have caught up.
"""

from pathlib import Path

import psycopg
from psycopg import sql

from events.read_model import ReadModel
from events.service import Service
from events.settings import Settings

LOG = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME = 7_010_041


def migrate(service: Service, settings: Settings) -> None:
    """Creates or upgrades everything that the service has in its database."""
    folders = {"log": LOG} | ({service.name: service.migrations} if service.migrations else {})
    with psycopg.connect(settings.database_url, autocommit=True) as db:
        db.execute("select pg_advisory_lock(%s)", (_ONE_AT_A_TIME,))
        db.execute(
            """create table if not exists migration (
                   owner text, file text, applied_at timestamptz not null default now(), primary key (owner, file)
               )"""
        )
        for owner, folder in folders.items():
            for file in sorted(folder.glob("*.sql")):
                _apply(db, owner, file)
        for read_model in service.read_models:
            create_tables(db, read_model, read_model.schema)


def _apply(db: psycopg.Connection, owner: str, file: Path) -> None:
    note = "insert into migration (owner, file) values (%s, %s) on conflict do nothing"
    with db.transaction():
        if db.execute(note, (owner, file.name)).rowcount:
            db.execute(file.read_bytes())


def create_tables(db: psycopg.Connection, read_model: ReadModel, schema: str) -> None:
    """Creates the tables of a read model in a schema, unless the schema is there already."""
    with db.transaction():
        if db.execute("select 1 from pg_namespace where nspname = %s", (schema,)).fetchone():
            return
        db.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        db.execute(sql.SQL("set local search_path = {}, public").format(sql.Identifier(schema)))
        db.execute(read_model.tables.encode())
        db.execute(
            "insert into log.read_models (schema, name, version) values (%s, %s, %s) on conflict do nothing",
            (schema, read_model.name, read_model.version),
        )
