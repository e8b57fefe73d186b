"""Bringing a database to the schema that this version of the hub needs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, cast, delete, func, insert, select
from sqlalchemy.dialects.postgresql import OID

from hub.store.database import Database, Tx, utcnow
from hub.store.locks import alone, has_table


class SchemaError(Exception):
    """The database has no schema, or not the one this version needs; the message says what to do."""


SCRIPTS = str(files("hub.store").joinpath("migrations"))


def _config(tx: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
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
            with _rebuilding(db) as tx:
                command.upgrade(_config(tx), "head")
    return before


@contextmanager
def _rebuilding(db: Database) -> Iterator[Tx]:
    """One transaction in which tables may be made anew.

    SQLite changes a table by copying it and dropping the old one, and with foreign keys on that drops, or refuses to
    drop, what refers to its rows. So they are off meanwhile, which can only be said outside of a transaction, and are
    looked at before the commit, as SQLite's own procedure wants it:
    https://www.sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes
    """
    if not db.is_sqlite:
        with db.begin() as tx:
            yield tx
        return
    with db.turn, db.writer.connect() as tx:
        file = tx.connection.driver_connection
        assert isinstance(file, sqlite3.Connection)  # noqa: S101 - the dialect was looked at above
        file.execute("PRAGMA foreign_keys=OFF")
        try:
            with tx.begin():
                yield tx
                lost = tx.exec_driver_sql("PRAGMA foreign_key_check").all()
                if lost:
                    tables = ", ".join(sorted({row[0] for row in lost}))
                    raise SchemaError(
                        f"after the migration rows of {tables} would refer to nothing: nothing was changed"
                    )
        finally:
            file.execute("PRAGMA foreign_keys=ON")


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
    require_known(db)
    found = current(db)
    if found is None:
        raise SchemaError("the database is empty: run `orderhub migrate` first")
    if found != head():
        raise SchemaError(f"the database has the older schema {found}: run `orderhub migrate`")


def require_known(db: Database) -> None:
    """Raises SchemaError when a newer version of the hub has made the schema, or a restore has not ended."""
    if not db.is_sqlite and has_table(db, _begun.name):
        raise SchemaError("a backup was being restored, and that did not end: run `orderhub restore` again")
    found = current(db)
    if found is not None:
        require_revision(found, "the database")


def require_revision(found: str, what: str) -> None:
    """Raises SchemaError for a schema that this version does not know."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found not in known:
        raise SchemaError(f"{what} has the newer schema {found}: install the version of Orderhub that made it")


# PostgreSQL is restored in place by its own tools, in several steps. While this table is there, nothing is started:
# it is in no backup, so that it outlasts the tables that are replaced.
_begun = Table("restore_begun", MetaData(), Column("over", BigInteger))


def begin_restore(db: Database) -> None:
    """Let nothing be started on a PostgreSQL database until `end_restore`. Safe to repeat."""
    with db.begin() as tx:
        _begun.create(tx, checkfirst=True)
        tx.execute(delete(_begun))
        tx.execute(insert(_begun).values(over=_made(tx)))


def give_up_restore(db: Database) -> None:
    """A restore has failed: let the hub be started again if the tables are those that there were before it."""
    with db.begin() as tx:
        if tx.execute(select(_begun.c.over)).scalar_one() == _made(tx):
            _begun.drop(tx)


def end_restore(tx: Tx) -> None:
    """What was restored is safe to start."""
    _begun.drop(tx, checkfirst=True)


def _made(tx: Tx) -> int | None:
    """PostgreSQL's own number of a table of ours, which changes when it is replaced; None when there is none."""
    found: int | None = tx.execute(select(cast(func.to_regclass("alembic_version"), OID))).scalar_one()
    return found
