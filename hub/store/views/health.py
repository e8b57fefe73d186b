"""Figures that show whether somebody works: the oldest rows that are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from hub.store.database import Tx
from hub.store.inbox import TAKEN
from hub.store.tables import connection, inbox, listing, orders, outbox
from hub.store.views import oversold as short


@dataclass(frozen=True, slots=True)
class OldestWaiting:
    """Since when the oldest row of each kind has been due; None when nothing is. What is held or paused is not due."""

    inbox: datetime | None
    outbox: datetime | None
    stock: datetime | None


def oldest_waiting(tx: Tx, now: datetime) -> OldestWaiting:
    able = connection.c.status == "active", connection.c.outbox_held.is_(False)
    came = select(func.min(func.coalesce(inbox.c.next_at, inbox.c.received_at))).where(
        *TAKEN, or_(inbox.c.next_at.is_(None), inbox.c.next_at <= now)
    )
    goes = (
        select(func.min(outbox.c.next_at))
        .join(connection, connection.c.id == outbox.c.connection_id)
        .where(outbox.c.status.in_(("pending", "retry_wait")), outbox.c.next_at <= now, *able)
    )
    told = (
        select(func.min(listing.c.publish_next_at))
        .join(connection, connection.c.id == listing.c.connection_id)
        .where(
            listing.c.stock_rev > listing.c.published_rev,
            listing.c.variant_id.is_not(None),
            listing.c.publish_next_at <= now,
            connection.c.publish_stock.is_(True),
            *able,
        )
    )
    return OldestWaiting(tx.execute(came).scalar(), tx.execute(goes).scalar(), tx.execute(told).scalar())


def oversold(tx: Tx) -> int:
    """Units that are promised and are not there."""
    return sum(one.missing for one in short.find(tx))


def is_used(tx: Tx) -> bool:
    """Whether the database holds anything of anybody."""
    return any(tx.execute(select(table.c.id).limit(1)).first() is not None for table in (connection, orders))
