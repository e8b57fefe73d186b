"""The timeline: what was done, by whom, and why, for things that are not an order's as well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, insert, or_, select

from hub.domain.problems import normalised
from hub.store.database import Tx, new_id
from hub.store.rows import as_dicts
from hub.store.tables import entity_event


def tell(
    tx: Tx,
    entity: tuple[str, str],
    kind: str,
    actor: str,
    message: str,
    now: datetime,
    *,
    order_id: str | None = None,
    **data: Any,
) -> None:
    """Write one line. `entity` is (type, id), such as ("connection", …)."""
    tell_all(tx, [(entity, order_id, message, data or None)], kind, actor, now)


def tell_all(
    tx: Tx,
    lines: Sequence[tuple[tuple[str, str], str | None, str, dict[str, Any] | None]],
    kind: str,
    actor: str,
    now: datetime,
) -> None:
    """Write many lines of one kind: (entity, order id, message, data) each."""
    rows = [
        {
            "id": new_id(),
            "order_id": order_id,
            "entity_type": entity[0],
            "entity_id": entity[1],
            "kind": kind,
            "actor": actor[:120],
            "message": message,
            "data": data,
            "at": now,
        }
        for entity, order_id, message, data in lines
    ]
    if rows:
        tx.execute(insert(entity_event), rows)


FAILED = "failed"


def tell_failure(tx: Tx, entity: tuple[str, str], message: str, now: datetime) -> None:
    """Write that the hub itself failed at something; not again while nothing else has happened to it since."""
    said = select(entity_event.c.kind, entity_event.c.message).where(about(entity_event, entity[1]))
    newest = tx.execute(said.order_by(entity_event.c.id.desc()).limit(1)).first()
    if newest is None or newest.kind != FAILED or normalised(newest.message) != normalised(message):
        tell(tx, entity, FAILED, "hub", message, now, order_id=entity[1] if entity[0] == "order" else None)


def about(event: FromClause, entity_id: Any) -> ColumnElement[bool]:
    """The lines of one thing: of an order with all that belongs to it."""
    return or_(event.c.entity_id == entity_id, event.c.order_id == entity_id)


def of_entity(tx: Tx, entity_id: str, limit: int = 100) -> list[dict[str, Any]]:
    """What happened to one thing, newest first."""
    query = select(entity_event).where(entity_event.c.entity_id == entity_id).order_by(entity_event.c.id.desc())
    return as_dicts(tx.execute(query.limit(limit)).all())
