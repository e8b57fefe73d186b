"""What monitors want to know: how much waits, for how long, and what stands still. One set of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select

from hub.store import inbox as inbox_store
from hub.store import listings
from hub.store import outbox as outbox_store
from hub.store.database import Tx
from hub.store.tables import connection, cursor, hold, inbox, listing, orders, outbox, webhook_rejection

OPEN_OUTBOX = ("pending", "retry_wait", "sending", "unknown")


@dataclass(frozen=True, slots=True)
class Health:
    """How one connection fares. Ages and lags are seconds, None when there is nothing that could be late."""

    name: str
    plugin: str
    status: str
    breaker_open: bool
    failures: int
    publish_waiting: int  # listings whose channel was not told the newest figure
    publish_lag_s: float | None
    webhooks: int
    duplicates: int
    rejected: int
    found_by_sweep: int
    synced_age_s: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    inbox: dict[str, int]
    outbox: dict[str, int]
    orders: dict[str, int]
    holds: dict[str, int]
    inbox_oldest_s: float
    outbox_oldest_s: float
    connections: list[Health]

    @property
    def problems(self) -> int:
        """Rows that wait for a person."""
        parked = self.inbox.get("dead", 0)
        return parked + sum(self.outbox.get(status, 0) for status in ("dead", "rejected", "unknown"))


def figures(tx: Tx, now: datetime) -> Figures:
    """Everything at once, from a handful of grouped queries."""
    return Figures(
        inbox_store.counts(tx),
        outbox_store.counts(tx),
        _grouped(tx, orders.c.lifecycle),
        _grouped(tx, hold.c.kind, hold.c.state == "active"),
        _age(tx, func.min(inbox.c.received_at), and_(*inbox_store.TAKEN), now),
        _age(tx, func.min(outbox.c.created_at), outbox.c.status.in_(OPEN_OUTBOX), now),
        _healths(tx, now),
    )


def _grouped(tx: Tx, column: Any, where: Any = None) -> dict[str, int]:
    query = select(column, func.count()).group_by(column)
    if where is not None:
        query = query.where(where)
    return {row[0]: int(row[1]) for row in tx.execute(query)}


def _age(tx: Tx, oldest: Any, where: Any, now: datetime) -> float:
    found: datetime | None = tx.execute(select(oldest).where(where)).scalar()
    return 0.0 if found is None else max(0.0, (now - found).total_seconds())


def _healths(tx: Tx, now: datetime) -> list[Health]:
    told_at = func.min(listing.c.published_at)
    late = _by_connection(tx, listing, func.count(), told_at, where=listings.TO_TELL)
    hooks = _by_connection(tx, inbox, func.count(), func.sum(inbox.c.duplicates), where=inbox.c.source == "webhook")
    refused = _by_connection(tx, webhook_rejection, func.count())
    swept = _by_connection(tx, cursor, func.sum(cursor.c.found_by_sweep), func.min(cursor.c.synced_to))
    found = []
    for row in tx.execute(select(connection).order_by(connection.c.name)).mappings():
        waiting, oldest = late.get(row["id"], (0, None))
        received, duplicates = hooks.get(row["id"], (0, 0))
        by_sweep, synced = swept.get(row["id"], (0, None))
        found.append(
            Health(
                row["name"],
                row["plugin"],
                row["status"],
                row["open_until"] is not None and row["open_until"] > now,
                row["failures"],
                int(waiting),
                None if oldest is None else (now - oldest).total_seconds(),
                int(received),
                int(duplicates or 0),
                int(refused.get(row["id"], (0,))[0]),
                int(by_sweep or 0),
                None if synced is None else (now - synced).total_seconds(),
            )
        )
    return found


def _by_connection(tx: Tx, table: Any, *columns: Any, where: Any = None) -> dict[str, tuple[Any, ...]]:
    query = select(table.c.connection_id, *columns).group_by(table.c.connection_id)
    if where is not None:
        query = query.where(where)
    return {row[0]: tuple(row[1:]) for row in tx.execute(query)}
