"""The list of active holds, over all orders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, or_, select

from hub.domain.holds import NOTHING
from hub.store.database import Tx
from hub.store.orders import LIVE_EXEC
from hub.store.outbox import MAKES_WORK
from hub.store.rows import chunks
from hub.store.tables import connection, fo_line, fulfillment_order, hold, order_line, orders, outbox
from hub.store.views.pages import Page, cursor_after, cut, read_cursor, size


@dataclass(frozen=True, slots=True)
class HoldRow:
    """An active hold. `target` is what it lies on, in words for people; "" for the whole order."""

    id: str
    order_id: str
    number: str
    channel: str
    kind: str
    reason: str
    blocks: str
    target: str
    source: str
    assignee: str
    due_at: datetime | None
    auto_release_at: datetime | None
    note: str
    created_at: datetime
    is_overdue: bool
    beyond: tuple[OutOfReach, ...] = ()  # what it comes too late for


@dataclass(frozen=True, slots=True)
class HoldQuery:
    """What to look for; everything given has to be true. `after` is the `next` of the page before."""

    kind: str = ""
    assignee: str = ""
    overdue: bool = False
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """A fulfillment order that somebody outside has already, whatever a hold says: it ships from there unless it is
    asked back. `handler` is the name of the connection.
    """

    number: str
    handler: str

    @property
    def said(self) -> str:
        return f"{self.number} is already with {self.handler}; this hold does not stop it"


def out_of_reach(tx: Tx, order_ids: Collection[str]) -> dict[str, tuple[OutOfReach, ...]]:
    """What the active holds of these orders would stop and come too late for, by hold id."""
    fo, handed_over = fulfillment_order.c, outbox.c
    on_the_way = exists().where(
        handed_over.subject_id == fo.id,
        handed_over.operation.in_(MAKES_WORK),
        handed_over.status.in_(("sending", "unknown")),
    )
    holds_units_of = exists().where(
        fo_line.c.fo_id == fo.id,
        fo_line.c.order_line_id == hold.c.target_id,
        fo_line.c.quantity > fo_line.c.shipped + fo_line.c.cancelled,
    )
    found: dict[str, list[OutOfReach]] = {}
    for part in chunks(order_ids):
        query = (
            select(hold.c.id, fo.number, connection.c.name)
            .join(fulfillment_order, fo.order_id == hold.c.order_id)
            .join(connection, connection.c.id == fo.handler_id)
            .where(
                hold.c.order_id.in_(part),
                hold.c.state == "active",
                hold.c.blocks != NOTHING,
                fo.handling != "manual",
                fo.exec_status.in_(sorted(LIVE_EXEC)),
                or_(fo.request_status.in_(("submitted", "accepted", "cancellation_rejected")), on_the_way),
                or_(hold.c.target_id == hold.c.order_id, hold.c.target_id == fo.id, holds_units_of),
            )
            .order_by(hold.c.id, fo.id)
        )
        for hold_id, number, handler in tx.execute(query):
            found.setdefault(hold_id, []).append(OutOfReach(number, handler))
    return {hold_id: tuple(those) for hold_id, those in found.items()}


def find(tx: Tx, query: HoldQuery, now: datetime) -> Page[HoldRow]:
    """A page of active holds, the oldest first. Raises BadCursorError."""
    limit = size(query.limit)
    line, fo = order_line.c, fulfillment_order.c
    names = ("id", "order_id", "kind", "reason", "blocks", "source", "assignee", "due_at", "auto_release_at", "note",
             "created_at")  # fmt: skip
    statement = (
        select(
            *(hold.c[name] for name in names),
            orders.c.number,
            connection.c.name.label("channel"),
            func.coalesce(fo.number, line.sku, line.title, "").label("target"),
        )
        .join(orders, orders.c.id == hold.c.order_id)
        .join(connection, connection.c.id == orders.c.connection_id)
        .outerjoin(order_line, line.id == hold.c.target_id)
        .outerjoin(fulfillment_order, fo.id == hold.c.target_id)
        .where(hold.c.state == "active")
    )
    if query.after:
        statement = statement.where(hold.c.id > read_cursor(query.after, 1)[0])
    if query.kind:
        statement = statement.where(hold.c.kind == query.kind)
    if query.assignee:
        statement = statement.where(hold.c.assignee == query.assignee)
    if query.overdue:
        statement = statement.where(hold.c.due_at <= now)
    rows, more = cut(tx.execute(statement.order_by(hold.c.id).limit(limit + 1)).all(), limit)
    beyond = out_of_reach(tx, {row.order_id for row in rows})
    found = tuple(
        HoldRow(
            **row._mapping,  # noqa: SLF001 - SQLAlchemy's public name for it
            is_overdue=row.due_at is not None and row.due_at <= now,
            beyond=beyond.get(row.id, ()),
        )
        for row in rows
    )
    return Page(found, cursor_after(rows[-1].id) if more else None)


def kinds(tx: Tx) -> dict[str, int]:
    """How many active holds there are of each kind."""
    query = select(hold.c.kind, func.count()).where(hold.c.state == "active").group_by(hold.c.kind)
    return {row[0]: int(row[1]) for row in tx.execute(query.order_by(hold.c.kind))}


def names_of(tx: Tx, hold_ids: Collection[str]) -> dict[str, str]:
    """What people call these holds, by id: kind and order number."""
    found: dict[str, str] = {}
    for part in chunks(hold_ids):
        query = select(hold.c.id, hold.c.kind, orders.c.number).join(orders, orders.c.id == hold.c.order_id)
        rows = tx.execute(query.where(hold.c.id.in_(part)))
        found.update((row[0], f"{row[2]}, {row[1].replace('_', ' ')}") for row in rows)
    return found
