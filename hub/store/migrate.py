"""Bringing a database to the schema that this version of the hub needs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hub.store.database import Database, utcnow
from hub.store.locks import alone


class SchemaError(Exception):
    """The database has no schema, or not the one this version needs; the message says what to do."""


def _config(tx: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("hub.store").joinpath("migrations")))
    config.attributes["connection"] = tx
    return config


def head() -> str:
    """The newest schema revision this version knows."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None  # noqa: S101 - there is always a first migration
    return newest


def current(db: Database) -> str | None:
    """The database's schema revision; None for an empty one."""
    with db.reader.connect() as tx:
        return MigrationContext.configure(tx).get_current_revision()


def upgrade(db: Database, say: Callable[[str], None] = lambda _: None) -> str | None:
    """Bring the database to the newest schema in one transaction; returns the revision it had.

    Safe to call twice, and by two processes at once.
    """
    with alone(db, "migrate"):
        before = current(db)
        if before != head():
            say(f"migrating from {before or 'nothing'} to {head()}")
            with db.begin() as tx:
                command.upgrade(_config(tx), "head")
    return before


def copy_aside(db: Database) -> Path | None:
    """Copy a SQLite database beside itself, as it stood before a migration; None where there is no file to copy.

    Consistent while others write. PostgreSQL is backed up by its own tools.
    """
    name = db.writer.url.database
    if not db.is_sqlite or not name or not Path(name).exists():
        return None
    copy = Path(f"{name}.{current(db) or 'empty'}-{utcnow():%Y%m%dT%H%M%S}")
    target = sqlite3.connect(copy)
    try:
        with db.reader.connect() as tx:
            source = tx.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)  # noqa: S101 - the dialect was looked at above
            source.backup(target)
    finally:
        target.close()
    return copy


def require_current(db: Database) -> None:
    """Raises SchemaError, saying what to do, unless the schema is the one this version needs."""
    found = current(db)
    if found is None:
        raise SchemaError("the database is empty: run `orderhub migrate` first")
    require_known(db)
    if found != head():
        raise SchemaError(f"the database has the older schema {found}: run `orderhub migrate`")


def require_known(db: Database) -> None:
    """Raises SchemaError when a newer version of the hub has made the schema."""
    found = current(db)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaError(f"the database has the newer schema {found}: install the version of Orderhub that made it")
