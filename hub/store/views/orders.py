"""The list of orders: search, filters, and what a row shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, union_all

from hub.domain.holds import NOTHING
from hub.domain.phase import OrderFacts, Work, fulfillment, phase
from hub.store.database import Tx, utcnow
from hub.store.rows import chunks
from hub.store.tables import (
    connection,
    fulfillment_order,
    hold,
    order_line,
    orders,
    package,
    shipment,
)
from hub.store.views.holds import OutOfReach, out_of_reach
from hub.store.views.pages import Page, before, cursor_after, cut, size

Only = Literal["", "open", "on_hold", "overdue", "backordered", "in_fulfilment", "completed", "cancelled"]
FILTERS: tuple[Only, ...] = get_args(Only)
SHOWN_SKUS = 2
LAST = "\U0010ffff"  # sorts behind every text that starts the same


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """What to look for; everything given has to be true.

    `text` is an order number (with or without "#", or its beginning), an e-mail address, a SKU, a tracking number, the
    channel's id of the order, or a part of the customer's name. `only` is one of FILTERS. `after` is the `next` of
    the page before.
    """

    text: str = ""
    lifecycle: tuple[str, ...] = ()
    only: Only = ""
    connection_id: str = ""
    hold_kind: str = ""  # only orders with an active hold of this kind
    now: datetime | None = None  # by which a hold is overdue; None is this moment
    placed_from: datetime | None = None
    placed_to: datetime | None = None  # exclusive
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class HoldBrief:
    id: str
    kind: str
    reason: str
    blocks: str
    target_type: str
    target_id: str
    assignee: str
    due_at: datetime | None
    auto_release_at: datetime | None
    beyond: tuple[OutOfReach, ...] = ()  # what it comes too late for


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order as the list shows it. `skus` are the first ones, `more_skus` how many further lines there are."""

    id: str
    number: str
    connection_id: str
    channel: str
    plugin: str
    external_id: str
    placed_at: datetime
    ship_by: date | None
    customer: str
    email: str
    city: str
    country: str
    skus: tuple[str, ...]
    more_skus: int
    units: int
    total_minor: int
    currency: str
    payment: str
    lifecycle: str
    phase: str
    fulfillment: str
    test: bool
    holds: tuple[HoldBrief, ...] = ()


@dataclass(slots=True)
class _Parts:
    """What the other tables know of one order."""

    names: list[str] = field(default_factory=list)
    units: list[int] = field(default_factory=lambda: [0] * 5)  # ordered, cancelled, routed, shipped, delivered
    asked: int = 0
    unfillable: int = 0  # in a queue, where a person decides
    holds: list[HoldBrief] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)


_ROW = [
    orders.c[name]
    for name in (
        "id", "number", "connection_id", "external_id", "placed_at", "ship_by", "customer_name", "email", "city",
        "country", "total_minor", "currency", "payment_status", "lifecycle", "test",
    )
]  # fmt: skip


def find(tx: Tx, query: OrderQuery) -> Page[OrderRow]:
    """A page of orders, newest first. Raises BadCursorError."""
    limit = size(query.limit)
    statement: Select[Any] = select(*_ROW, connection.c.name.label("channel"), connection.c.plugin).join(
        connection, connection.c.id == orders.c.connection_id
    )
    statement = _narrow(tx, statement, query)
    if query.after:
        statement = statement.where(before(orders.c.placed_at, orders.c.id, query.after))
    found = tx.execute(statement.order_by(orders.c.placed_at.desc(), orders.c.id.desc()).limit(limit + 1)).all()
    rows, more = cut(found, limit)
    parts = _parts(tx, [row.id for row in rows])
    return Page(
        tuple(_row(row, parts[row.id]) for row in rows),
        cursor_after(rows[-1].placed_at, rows[-1].id) if more else None,
    )


def count(tx: Tx, query: OrderQuery, most: int = 10_000) -> int:
    """How many orders a query finds; counting stops at `most`."""
    inner = _narrow(tx, select(orders.c.id), query).limit(most).subquery()
    return int(tx.execute(select(func.count()).select_from(inner)).scalar_one())


def ids_of(tx: Tx, text: str) -> list[str]:
    """The orders that a person means by an id, a number (with or without "#") or a channel's id; newest first."""
    names = _spellings(text)
    query = select(orders.c.id).where(
        or_(
            orders.c.id == text,
            orders.c.number.in_(names),
            orders.c.connection_id.in_(select(connection.c.id)) & (orders.c.external_id == text),
        )
    )
    return list(tx.execute(query.order_by(orders.c.placed_at.desc()).limit(20)).scalars())


def of_fo(tx: Tx, number: str) -> str | None:
    """The order of a fulfillment order, by its number; None when there is none."""
    query = select(fulfillment_order.c.order_id).where(fulfillment_order.c.number == number)
    found: str | None = tx.execute(query).scalar()
    return found


def rows_of(tx: Tx, ids: Collection[str]) -> dict[str, OrderRow]:
    """Rows by order id."""
    parts = _parts(tx, ids)
    found: dict[str, OrderRow] = {}
    for part in chunks(ids):
        query = select(*_ROW, connection.c.name.label("channel"), connection.c.plugin)
        joined = query.join(connection, connection.c.id == orders.c.connection_id).where(orders.c.id.in_(part))
        found.update((row.id, _row(row, parts[row.id])) for row in tx.execute(joined))
    return found


def _narrow(tx: Tx, statement: Select[Any], query: OrderQuery) -> Select[Any]:
    where: list[ColumnElement[bool]] = []
    if query.text.strip():
        where.append(_means(tx, query.text.strip()))
    if query.lifecycle:
        where.append(orders.c.lifecycle.in_(query.lifecycle))
    if query.only:
        where.append(_only(query.only, query.now or utcnow()))
    if query.hold_kind:
        active = (hold.c.state == "active") & (hold.c.kind == query.hold_kind)
        where.append(orders.c.id.in_(select(hold.c.order_id).where(active)))
    if query.connection_id:
        where.append(orders.c.connection_id == query.connection_id)
    if query.placed_from is not None:
        where.append(orders.c.placed_at >= query.placed_from)
    if query.placed_to is not None:
        where.append(orders.c.placed_at < query.placed_to)
    return statement.where(*where)


def _only(name: Only, now: datetime) -> ColumnElement[bool]:
    match name:
        case "open":
            return orders.c.lifecycle.in_(("pending", "open"))
        case "on_hold":
            return orders.c.id.in_(select(hold.c.order_id).where(hold.c.state == "active", hold.c.blocks != NOTHING))
        case "overdue":
            late = (hold.c.state == "active") & (hold.c.due_at <= now)
            return orders.c.id.in_(select(hold.c.order_id).where(late))
        case "backordered":
            waits = exists().where(
                order_line.c.order_id == orders.c.id,
                order_line.c.ships.is_(True),
                order_line.c.ordered > order_line.c.cancelled + order_line.c.routed,
            )
            return (orders.c.lifecycle == "open") & waits
        case "in_fulfilment":
            live = fulfillment_order.c.exec_status.in_(("scheduled", "open", "in_progress"))
            return orders.c.id.in_(select(fulfillment_order.c.order_id).where(live))
        case "completed" | "cancelled":
            return orders.c.lifecycle == name
        case _:
            raise ValueError(f"orders can be filtered by {', '.join(filter(None, FILTERS))}, not by {name!r}")


def _spellings(text: str) -> list[str]:
    bare = text.lstrip("#")
    return sorted({text, bare, f"#{bare}", text.upper(), f"#{bare.upper()}"})


def _means(tx: Tx, text: str) -> ColumnElement[bool]:
    """Whether an order is one that a text may mean."""
    by_index = orders.c.id.in_(_matching(tx, text))
    if not _may_be_name(text):
        return by_index
    # No index helps with a part of a name; the list is read newest first and ends with the first full page.
    part = f"%{_escaped(text.lower())}%"
    return or_(by_index, func.lower(orders.c.customer_name).like(part, escape="\\"))


def _matching(tx: Tx, text: str) -> Any:
    """Ids of the orders that a text may mean, each way of meaning by its own index."""
    ways: list[Select[Any]] = [
        select(orders.c.id).where(or_(*(_begins(tx, orders.c.number, name) for name in _spellings(text)))),
        # One look per connection, since the unique index starts with it.
        select(orders.c.id).where(orders.c.connection_id.in_(select(connection.c.id)), orders.c.external_id == text),
        select(order_line.c.order_id).where(order_line.c.sku.in_(sorted({text, text.upper()}))),
        select(shipment.c.order_id)
        .join(package, package.c.shipment_id == shipment.c.id)
        .where(package.c.tracking_number.in_(sorted({text, text.upper(), text.replace(" ", "").upper()}))),
    ]
    if "@" in text or _may_be_name(text):
        ways.append(select(orders.c.id).where(_begins(tx, orders.c.email, text.lower())))
    return union_all(*ways)


def _may_be_name(text: str) -> bool:
    return len(text) >= 3 and "@" not in text and not any(letter.isdigit() for letter in text)


def _begins(tx: Tx, column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """`column` begins with `text`, in the words that each database answers from its index."""
    if tx.dialect.name == "postgresql":
        return column.like(f"{_escaped(text)}%", escape="\\")
    return (column >= text) & (column < text + LAST)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _parts(tx: Tx, ids: Collection[str]) -> dict[str, _Parts]:
    """Lines, holds and fulfillment orders of the orders, one query per table."""
    found = {order_id: _Parts() for order_id in ids}
    for part in chunks(ids):
        _add_lines(tx, part, found)
        columns = [hold.c[name] for name in HoldBrief.__slots__ if name != "beyond"]
        active = select(hold.c.order_id, *columns).where(hold.c.order_id.in_(part), hold.c.state == "active")
        held = tx.execute(active.order_by(hold.c.id)).all()
        beyond = out_of_reach(tx, {row.order_id for row in held})
        for order_id, *about in held:
            brief = HoldBrief(*about)
            found[order_id].holds.append(replace(brief, beyond=beyond.get(brief.id, ())))
        fo = fulfillment_order.c
        states = select(fo.order_id, fo.exec_status, fo.request_status).where(fo.order_id.in_(part))
        for order_id, exec_status, request_status in tx.execute(states):
            found[order_id].work.append(Work(exec_status, request_status))
    return found


def _add_lines(tx: Tx, part: list[str], found: dict[str, _Parts]) -> None:
    line = order_line.c
    query = select(
        line.order_id, line.sku, line.title, line.ordered, line.cancelled, line.routed, line.shipped, line.delivered,
        line.ships, line.waits_as,
    )  # fmt: skip
    for row in tx.execute(query.where(line.order_id.in_(part)).order_by(line.order_id, line.line_no)):
        one = found[row.order_id]
        one.names.append(row.sku or row.title)
        one.asked += row.ordered - row.cancelled
        if row.ships:
            one.unfillable += row.ordered - row.cancelled - row.routed if row.waits_as == "queue" else 0
            for place, units in enumerate((row.ordered, row.cancelled, row.routed, row.shipped, row.delivered)):
                one.units[place] += units


def _row(row: Any, parts: _Parts) -> OrderRow:
    ordered, cancelled, routed, shipped, delivered = parts.units
    known = OrderFacts(
        row.lifecycle,
        ordered,
        cancelled,
        routed,
        shipped,
        delivered,
        any(one.blocks != NOTHING for one in parts.holds),
        tuple(parts.work),
        parts.unfillable,
    )
    return OrderRow(
        id=row.id,
        number=row.number,
        connection_id=row.connection_id,
        channel=row.channel,
        plugin=row.plugin,
        external_id=row.external_id,
        placed_at=row.placed_at,
        ship_by=row.ship_by,
        customer=row.customer_name,
        email=row.email,
        city=row.city,
        country=row.country,
        skus=tuple(parts.names[:SHOWN_SKUS]),
        more_skus=max(0, len(parts.names) - SHOWN_SKUS),
        units=parts.asked,
        total_minor=row.total_minor,
        currency=row.currency,
        payment=row.payment_status,
        lifecycle=row.lifecycle,
        phase=phase(known),
        fulfillment=fulfillment(known),
        test=row.test,
        holds=tuple(parts.holds),
    )
