"""Brings a service's database up to date: the log's tables, the service's own, and the tables of its read models.

Numbered SQL by yoyo, one after the other; safe to run again, and by several at once. A read model of a new version gets
tables of its own beside the old ones; the worker fills them, and the API turns to them when they have caught up.
"""

import re
import warnings
from pathlib import Path

import psycopg
from psycopg import sql
from yoyo import get_backend, read_migrations  # pyright: ignore[reportUnknownVariableType]

from events.read_model import ReadModel
from events.service import Service
from events.settings import Settings

LOG = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME = 7_010_041


def migrate(service: Service, settings: Settings) -> None:
    """Creates or upgrades everything that the service has in its database."""
    folders = [LOG, *([service.migrations] if service.migrations else [])]
    with psycopg.connect(settings.database_url, autocommit=True) as guard:
        guard.execute("select pg_advisory_lock(%s)", (_ONE_AT_A_TIME,))
        # A plain scheme makes yoyo ask for psycopg2.
        backend = get_backend(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", settings.database_url))
        try:
            backend.break_lock()  # left by a run that was killed: nobody else migrates while we hold the guard
            for folder in folders:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)  # yoyo's own
                    migrations = backend.to_apply(read_migrations(str(folder)))
                    backend.apply_migrations(migrations)
        finally:
            backend.connection.close()
        for read_model in service.read_models:
            create_tables(guard, read_model, read_model.schema)


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
