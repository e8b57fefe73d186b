"""One process at a time, for as long as a block runs."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, inspect, select

from hub.store.database import Database


@contextmanager
def alone(db: Database, name: str) -> Iterator[None]:
    """Wait until no other process is in a block of this name. PostgreSQL gives it up when the process dies.

    SQLite has one process and one writer, so there is nothing to wait for.
    """
    if db.is_sqlite:
        yield
        return
    key = zlib.crc32(f"orderhub:{name}".encode())
    with db.writer.connect() as connection:
        connection.execute(select(func.pg_advisory_lock(key)))
        try:
            yield
        finally:
            connection.execute(select(func.pg_advisory_unlock(key)))


def has_table(db: Database, name: str) -> bool:
    """Whether the database has a table, ours or a library's."""
    return inspect(db.reader).has_table(name)
