"""A database that fails where it is told to, for tests of what is left over then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from hub.store.database import Database
from hub.store.errors import OperationalError

GONE = OperationalError("", {}, Exception("server closed the connection unexpectedly"))


@contextmanager
def failing(db: Database, error: Exception, says: str, named: str = "", times: int = 1_000) -> Iterator[list[str]]:
    """So many times a statement that says this, and names that among its values, ends with `error`; yields them."""
    hit: list[str] = []

    def fail(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if says in statement and named in str(parameters) and len(hit) < times:
            hit.append(statement)
            raise error

    engines = {id(engine): engine for engine in (db.writer, db.reader)}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", fail)
    try:
        yield hit
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", fail)
