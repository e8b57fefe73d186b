"""What happened to an order, and what is still to be told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from hub.store.database import Tx
from hub.store.tables import connection, entity_event, outbox


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened, or a message on its way out.

    `source` is "event" or "outbox"; the last six fields are those of an outbox row.
    """

    at: datetime
    source: str
    kind: str
    actor: str
    message: str
    data: dict[str, Any] | None = None
    outbox_id: str | None = None
    status: str | None = None
    attempts: int | None = None
    next_at: datetime | None = None
    settled_at: datetime | None = None
    error: str = ""

    @property
    def is_error(self) -> bool:
        return self.status in {"dead", "rejected", "unknown"} or self.kind in {
            "held",
            "rejected",
            "overshipped",
            "failed",
        }


def timeline(tx: Tx, order_id: str) -> tuple[TimelineEntry, ...]:
    """What happened to an order and what is still to be told of it, newest first."""
    found = [
        (row.at, row.id, TimelineEntry(row.at, "event", row.kind, row.actor, row.message, row.data))
        for row in tx.execute(select(entity_event).where(entity_event.c.order_id == order_id))
    ]
    sent = select(outbox, connection.c.name.label("to")).join(connection, connection.c.id == outbox.c.connection_id)
    for row in tx.execute(sent.where(outbox.c.order_id == order_id)):
        entry = TimelineEntry(
            at=row.created_at,
            source="outbox",
            kind=row.operation,
            actor="hub",
            message=f"{row.operation.replace('_', ' ').capitalize()} to {row.to}: {_STATUS_WORDS[row.status]}",
            data={"reference": row.reference, "external_id": row.external_id},
            outbox_id=row.id,
            status=row.status,
            attempts=row.attempts,
            next_at=row.next_at if row.status in {"pending", "retry_wait", "unknown"} else None,
            settled_at=row.settled_at,
            error=row.error or "",
        )
        found.append((row.created_at, row.id, entry))
    found.sort(key=lambda one: one[:2], reverse=True)
    return tuple(entry for _, _, entry in found)


_STATUS_WORDS = {
    "pending": "waits to be sent",
    "sending": "is being sent",
    "delivered": "done",
    "retry_wait": "will be tried again",
    "dead": "given up",
    "unknown": "outcome unknown, being looked up",
    "rejected": "refused",
    "superseded": "withdrawn",
    "held": "held back",
    "set_aside": "set aside",
}
