"""The bare script: the very rows that intake wrote, written again by the driver's own executemany and nothing else.

It is what any program would have to pay for these rows on this database, in batches of the same size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB

from benchmarks.databases import Ground
from benchmarks.usage import Usage, measured
from hub.store.database import Database, open_database
from hub.store.tables import metadata

WRITTEN = (
    "orders", "order_line", "order_adjustment", "entity_event", "route_decision", "fulfillment_order", "fo_line",
    "stock_move", "outbox", "hold", "reservation",
)  # fmt: skip
STANDING = ("connection", "product", "variant", "location", "listing", "stock_position", "inbox")
POSITION = ("on_hand", "available", "committed", "reserved", "damaged", "quality_hold", "safety_stock", "oversold")

Row = Mapping[str, Any]


@dataclass(slots=True)
class Batch:
    """What one transaction of the bare script writes."""

    inserts: dict[str, list[tuple[Any, ...]]]
    positions: list[tuple[Any, ...]]
    variants: list[tuple[Any, ...]]
    inbox: list[tuple[Any, ...]]


def copy(ground: Ground, done: Database, size: int) -> tuple[Usage, dict[str, int]]:
    """Write what stands in `done` once more, on a fresh database; what it took, and rows inserted by table."""
    standing = {name: _rows(done, metadata.tables[name]) for name in STANDING}
    written = {name: _rows(done, metadata.tables[name]) for name in WRITTEN}
    written["stock_move"] = [row for row in written["stock_move"] if row["cause_type"] != "benchmark"]
    batches = _batches(written, {row["id"]: row for row in standing["stock_position"]}, size)
    db = open_database(ground.fresh())
    raw = db.writer.raw_connection()
    try:
        if not db.is_sqlite:
            raw.driver_connection.autocommit = True  # type: ignore[union-attr]  # BEGIN is sent as written
        mark = "?" if db.is_sqlite else "%s"
        _run(raw.cursor(), {name: _tuples(rows) for name, rows in standing.items()}, standing, mark)
        cursor = raw.cursor()
        cursor.execute("BEGIN")
        cursor.execute("UPDATE inbox SET status = 'received', processed_at = NULL, attempts = 0")
        cursor.execute("COMMIT")
        with measured(ground.server_cpu_s) as usage:
            for batch in batches:
                _write(cursor, batch, written, mark)
    finally:
        raw.close()
        db.dispose()
    return usage, {name: len(rows) for name, rows in written.items() if rows}


def _rows(db: Database, table: Table) -> list[Row]:
    """All rows as the driver gives them, JSON as text."""
    names = [
        f"{column.name}::text AS {column.name}"
        if not db.is_sqlite and isinstance(column.type.dialect_impl(db.writer.dialect), JSONB)
        else column.name
        for column in table.columns
    ]
    with db.read() as tx:
        found = tx.exec_driver_sql(f"SELECT {', '.join(names)} FROM {table.name}")  # noqa: S608 - our own names
        return [dict(row) for row in found.mappings()]


def _tuples(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows]


def _batches(written: Mapping[str, Sequence[Row]], positions: Mapping[str, Row], size: int) -> list[Batch]:
    """The rows of `size` orders each."""
    number = {
        row["id"]: place // size for place, row in enumerate(sorted(written["orders"], key=lambda row: row["id"]))
    }
    order_of = {row["id"]: row["id"] for row in written["orders"]}
    for name, parent in (("order_line", "order_id"), ("fulfillment_order", "order_id"), ("fo_line", "fo_id")):
        order_of |= {row["id"]: order_of[row[parent]] for row in written[name]}
    owner = {"orders": "id", "fo_line": "fo_id", "stock_move": "cause_id", "reservation": "owner_id"}
    batches = [Batch(defaultdict(list), [], [], []) for _ in range(max(number.values()) + 1)]
    touched: list[set[str]] = [set() for _ in batches]
    for name, rows in written.items():
        for row in rows:
            place = number[order_of[row[owner.get(name, "order_id")]]]
            batches[place].inserts[name].append(tuple(row.values()))
            if name == "stock_move":
                touched[place].add(row["position_id"])
            if name == "orders":
                batches[place].inbox.append((row["created_at"], row["inbox_id"]))
    for batch, ids in zip(batches, touched, strict=True):
        batch.positions = [(*(positions[one][name] for name in POSITION), one) for one in sorted(ids)]
        batch.variants = [(one,) for one in sorted({positions[one]["variant_id"] for one in ids})]
    return batches


def _run(
    cursor: Any, inserts: Mapping[str, Sequence[tuple[Any, ...]]], shapes: Mapping[str, Sequence[Row]], mark: str
) -> None:
    """Insert rows in one transaction, table by table."""
    cursor.execute("BEGIN")
    _insert(cursor, inserts, shapes, mark)
    cursor.execute("COMMIT")


def _insert(
    cursor: Any, inserts: Mapping[str, Sequence[tuple[Any, ...]]], shapes: Mapping[str, Sequence[Row]], mark: str
) -> None:
    for name, rows in inserts.items():
        if rows:
            columns = list(shapes[name][0])
            places = ", ".join([mark] * len(columns))
            sql = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - our own names
            cursor.executemany(sql.replace("(partition,", '("partition",'), rows)


def _write(cursor: Any, batch: Batch, shapes: Mapping[str, Sequence[Row]], mark: str) -> None:
    """One batch, one transaction."""
    cursor.execute("BEGIN")
    columns = ", ".join(f"{name} = {mark}" for name in POSITION)
    cursor.executemany(
        f"UPDATE stock_position SET {columns}, version = version + 1 WHERE id = {mark}",  # noqa: S608 - our own names
        batch.positions,
    )
    cursor.executemany(
        f"UPDATE listing SET stock_rev = stock_rev + 1 WHERE variant_id = {mark}",  # noqa: S608 - our own names
        batch.variants,
    )
    _insert(cursor, batch.inserts, shapes, mark)
    cursor.executemany(
        "UPDATE inbox SET status = 'done', outcome = 'applied', attempts = attempts + 1, "  # noqa: S608 - our own names
        f"processed_at = {mark} WHERE id = {mark}",
        batch.inbox,
    )
    cursor.execute("COMMIT")
