"""Orders that a channel is to be asked for, since its messages leave something out or name them only.

One row per order however often it is named. An order that came in part waits with its row: nothing of it is handed over
before the row ends, which it does when the whole of the order is taken in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, or_, select, update

from hub.store.database import Tx, insert_new
from hub.store.rows import as_dicts, chunks
from hub.store.tables import connection, inquiry, orders


def put(tx: Tx, connection_id: str, external_ids: Collection[str], now: datetime, *, waits: bool = False) -> None:
    """Have these asked for now. `waits` says that they came in part."""
    named = sorted(set(external_ids))
    rows = [{"connection_id": connection_id, "external_id": one, "next_at": now, "waits": waits} for one in named]
    new = set(insert_new(tx, inquiry, rows, inquiry.c.external_id))
    again: dict[str, Any] = {"times": inquiry.c.times + 1, "next_at": now, "failures": 0}
    for part in chunks([one for one in named if one not in new]):
        these = (inquiry.c.connection_id == connection_id) & inquiry.c.external_id.in_(part)
        tx.execute(update(inquiry).where(these).values(**again, **({"waits": True} if waits else {})))


def due(tx: Tx, connection_id: str, now: datetime, limit: int) -> list[dict[str, Any]]:
    """The oldest that are due."""
    query = (
        select(inquiry)
        .where(inquiry.c.connection_id == connection_id, inquiry.c.next_at <= now)
        .order_by(inquiry.c.next_at, inquiry.c.external_id)
        .limit(limit)
    )
    return as_dicts(tx.execute(query).all())


def answered(tx: Tx, rows: Sequence[dict[str, Any]], again: datetime) -> None:
    """These were told, as they were named then. What waits is asked for `again` should nothing come of it."""
    tx.execute(
        delete(inquiry).where(_as_named(), inquiry.c.waits.is_(False)),
        [_key(row) for row in rows],
    )
    tx.execute(update(inquiry).where(_as_named()).values(next_at=again), [_key(row) for row in rows])


def put_off(tx: Tx, row: dict[str, Any], until: datetime, error: str) -> None:
    """There was no answer."""
    later = {"next_at": until, "failures": inquiry.c.failures + 1, "error": error[:2000]}
    tx.execute(update(inquiry).where(_as_named()).values(**later), _key(row))


def end(tx: Tx, whole: Collection[tuple[str, str]]) -> None:
    """All is known of these (connection, its id), or never will be."""
    by_connection: dict[str, set[str]] = {}
    for connection_id, external_id in whole:
        by_connection.setdefault(connection_id, set()).add(external_id)
    for connection_id, external_ids in by_connection.items():
        for part in chunks(external_ids):
            mine = (inquiry.c.connection_id == connection_id, inquiry.c.external_id.in_(part))
            tx.execute(delete(inquiry).where(*mine))


def waiting(tx: Tx, order_ids: Collection[str]) -> set[str]:
    """Those of the orders that came in part and are asked for still."""
    found: set[str] = set()
    for part in chunks(order_ids):
        query = (
            select(orders.c.id)
            .join(
                inquiry,
                (inquiry.c.connection_id == orders.c.connection_id) & (inquiry.c.external_id == orders.c.external_id),
            )
            .where(orders.c.id.in_(part), inquiry.c.waits.is_(True))
        )
        found |= set(tx.execute(query).scalars())
    return found


def due_connections(tx: Tx, now: datetime) -> list[str]:
    """Connections that something is to be asked of."""
    query = (
        select(inquiry.c.connection_id)
        .join(connection, connection.c.id == inquiry.c.connection_id)
        .where(
            inquiry.c.next_at <= now,
            connection.c.status == "active",
            or_(connection.c.open_until.is_(None), connection.c.open_until <= now),
        )
        .distinct()
    )
    return sorted(tx.execute(query).scalars())


def _as_named() -> Any:
    return (
        (inquiry.c.connection_id == bindparam("of"))
        & (inquiry.c.external_id == bindparam("named"))
        & (inquiry.c.times == bindparam("so_often"))
    )


def _key(row: dict[str, Any]) -> dict[str, Any]:
    return {"of": row["connection_id"], "named": row["external_id"], "so_often": row["times"]}
