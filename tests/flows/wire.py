"""A database that fails where it is told to, for tests of what is left over then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

    def fail_once() -> None:
        raise error

    with _before(db, says, named, times, fail_once, hit):
        yield hit


@contextmanager
def meanwhile(db: Database, says: str, act: Callable[[], None]) -> Iterator[None]:
    """Once, just before a statement that says this, somebody else does something."""
    with _before(db, says, "", 1, act, []):
        yield


@contextmanager
def _before(db: Database, says: str, named: str, times: int, act: Callable[[], None], hit: list[str]) -> Iterator[None]:
    def look(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if says in statement and named in str(parameters) and len(hit) < times:
            hit.append(statement)
            act()

    engines = {id(engine): engine for engine in (db.writer, db.reader)}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", look)
