"""Bringing a database to the schema that this version of the hub needs."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hub.store.database import Database


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
    """Bring the database to the newest schema in one transaction; returns the revision it had. Safe to call twice."""
    before = current(db)
    if before != head():
        say(f"migrating from {before or 'nothing'} to {head()}")
        with db.begin() as tx:
            command.upgrade(_config(tx), "head")
    return before


def require_current(db: Database) -> None:
    """Raises SchemaError, saying what to do, unless the schema is the one this version needs."""
    found = current(db)
    if found is None:
        raise SchemaError("the database is empty: run `orderhub migrate` first")
    if found != head():
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        if found in known:
            raise SchemaError(f"the database has the older schema {found}: run `orderhub migrate`")
        raise SchemaError(f"the database has the newer schema {found}: install the version of Orderhub that made it")
