"""Changes of orders: asked for, decided, kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from hub.store.database import Tx
from hub.store.rows import Rows, chunks
from hub.store.tables import order_change


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change as it stands."""

    id: str
    order_id: str
    kind: str
    source: str
    status: str
    actions: list[dict[str, Any]]
    preview: Mapping[str, Any]
    preview_hash: str
    delta_minor: int
    currency: str
    reason: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: str | None


_COLUMNS = [order_change.c[name] for name in ChangeRow.__slots__]


def put(rows: Rows, change: ChangeRow) -> None:
    """Write a change together with the rows of what it does."""
    rows.add(order_change, **{name: getattr(change, name) for name in ChangeRow.__slots__})


def get(tx: Tx, change_id: str) -> ChangeRow | None:
    row = tx.execute(select(*_COLUMNS).where(order_change.c.id == change_id)).first()
    return None if row is None else ChangeRow(*row)


def requested(tx: Tx, order_ids: Collection[str]) -> dict[str, ChangeRow]:
    """The change that waits for a decision, by order id."""
    found: dict[str, ChangeRow] = {}
    for part in chunks(order_ids):
        query = select(*_COLUMNS).where(order_change.c.order_id.in_(part), order_change.c.status == "requested")
        found.update((row.order_id, ChangeRow(*row)) for row in tx.execute(query))
    return found


def of_order(tx: Tx, order_id: str) -> list[ChangeRow]:
    """All changes of an order, newest first."""
    query = select(*_COLUMNS).where(order_change.c.order_id == order_id).order_by(order_change.c.id.desc())
    return [ChangeRow(*row) for row in tx.execute(query)]


def decide(tx: Tx, change_id: str, status: str, by: str, now: datetime) -> bool:
    """End a requested change; False when it was ended before."""
    done = tx.execute(
        update(order_change)
        .where(order_change.c.id == change_id, order_change.c.status == "requested")
        .values(status=status, decided_at=now, decided_by=by[:120])
        .returning(order_change.c.id)
    )
    return done.first() is not None


def to_expire(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Orders whose requested change has waited too long, the longest first."""
    query = (
        select(order_change.c.order_id)
        .where(order_change.c.status == "requested", order_change.c.expires_at <= now)
        .order_by(order_change.c.expires_at, order_change.c.id)
        .limit(limit)
    )
    return list(tx.execute(query).scalars())
