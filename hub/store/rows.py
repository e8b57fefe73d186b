"""Rows collected during a transaction and written in bulk at its end, parents before children."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, insert, update

from hub.store.database import Tx
from hub.store.tables import metadata

_ORDER = {table.name: position for position, table in enumerate(metadata.sorted_tables)}
CHUNK = 900  # values in one IN list; SQLite's old limit was 999


class Rows:
    """What a transaction is going to insert."""

    def __init__(self) -> None:
        self._by_table: dict[Table, list[dict[str, Any]]] = defaultdict(list)

    def add(self, table: Table, **values: Any) -> dict[str, Any]:
        """Remember one row; the dict may still be changed until `flush`. All rows of a table need the same columns."""
        self._by_table[table].append(values)
        return values

    def of(self, table: Table) -> list[dict[str, Any]]:
        return self._by_table[table]

    def flush(self, tx: Tx) -> None:
        for table in sorted(self._by_table, key=lambda table: _ORDER[table.name]):
            rows = self._by_table[table]
            if rows:
                tx.execute(insert(table), rows)
        self._by_table.clear()


def chunks(values: Collection[str]) -> list[list[str]]:
    """Distinct values in lists short enough for one IN."""
    ordered = sorted(set(values))
    return [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]


def as_dicts(rows: Collection[Any]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def write_changed(tx: Tx, table: Any, states: Sequence[Any], names: Sequence[str], **more: Any) -> None:
    """Write these fields of changed states, in the order of their ids."""
    if not states:
        return
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    statement = update(table).where(table.c.id == bindparam("key")).values(**values, **more)
    rows = [
        {"key": one.id, **{f"new_{name}": getattr(one, name) for name in names}}
        for one in sorted(states, key=lambda one: str(one.id))
    ]
    tx.execute(statement, rows)
