"""Purchase orders, orders that wait, and alerts of low stock, as pages show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from hub.domain.purchasing import MOVES, OPEN
from hub.store import events, purchasing
from hub.store.database import Tx
from hub.store.purchasing import TO_COME, PurchaseState
from hub.store.rows import chunks
from hub.store.tables import (
    location,
    order_line,
    orders,
    promise_change,
    purchase_order,
    purchase_order_line,
    stock_alert,
    supplier,
    supply_promise,
    variant,
)
from hub.store.views.pages import Page, before, cursor_after, cut, read_cursor, read_moment, size

STATUSES = tuple(MOVES)
WAITS = ("backorder", "preorder", "queue")


@dataclass(frozen=True, slots=True)
class PurchaseQuery:
    """Which purchase orders. `status` is one of STATUSES, or "open" for those of which goods are expected.

    `text` is the beginning of a number, a supplier's code, or a SKU.
    """

    text: str = ""
    status: str = ""
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class PurchaseRow:
    """A purchase order in short; `total_minor` of what was ordered."""

    id: str
    number: str
    supplier: str
    location: str
    status: str
    currency: str
    created_at: datetime
    ordered_at: datetime | None
    lines: int
    ordered: int
    received: int
    rejected: int
    open: int
    total_minor: int
    due: date | None  # when the next of its goods are expected


@dataclass(frozen=True, slots=True)
class DateChange:
    """A day that a supplier moved."""

    sku: str
    from_on: date | None
    to_on: date | None
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PurchaseDetail:
    """A purchase order with what happened to it, newest first."""

    order: PurchaseState
    dates: tuple[DateChange, ...]
    timeline: tuple[dict[str, Any], ...]

    @property
    def total_minor(self) -> int:
        return sum(line.ordered * line.cost_minor for line in self.order.lines)


@dataclass(frozen=True, slots=True)
class WaitingQuery:
    """Which waiting lines. `to_tell` leaves those whose customers do not know the day that now stands."""

    sku: str = ""
    waits_as: str = ""
    queue: str = ""
    to_tell: bool = False
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Behind:
    """Goods on order that a line was promised."""

    number: str
    units: int
    due: date | None


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """An order line with units that wait, and what for."""

    line_id: str
    order_id: str
    number: str
    email: str
    sku: str
    title: str
    units: int
    waits_as: str
    queue: str | None
    since: datetime  # when the order was placed
    promised_on: date | None
    told_on: date | None
    auto_cancel_at: datetime | None
    behind: tuple[Behind, ...]

    @property
    def is_news(self) -> bool:
        """Whether the customer does not know the day that now stands."""
        return self.promised_on != self.told_on


@dataclass(frozen=True, slots=True)
class AlertRow:
    """A position that runs low."""

    id: str
    sku: str
    title: str
    location: str
    kind: str
    units: int
    threshold: int
    raised_at: datetime


def purchases(tx: Tx, query: PurchaseQuery) -> Page[PurchaseRow]:
    """A page of purchase orders, newest first. Raises BadCursorError."""
    limit, head = size(query.limit), purchase_order.c
    statement = (
        select(
            head.id, head.number, supplier.c.code, location.c.code, head.status, head.currency, head.created_at,
            head.ordered_at, head.expected_on,
        )
        .join(supplier, supplier.c.id == head.supplier_id)
        .join(location, location.c.id == head.location_id)
    )  # fmt: skip
    if query.status:
        wanted = OPEN if query.status == "open" else (query.status,)
        statement = statement.where(head.status.in_(wanted))
    if query.text.strip():
        text = query.text.strip()
        plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        with_sku = (
            select(purchase_order_line.c.purchase_order_id)
            .join(variant, variant.c.id == purchase_order_line.c.variant_id)
            .where(variant.c.sku == text)
        )
        statement = statement.where(
            or_(head.number.like(f"{plain}%", escape="\\"), supplier.c.code == text, head.id.in_(with_sku))
        )
    if query.after:
        statement = statement.where(before(head.created_at, head.id, query.after))
    found = tx.execute(statement.order_by(head.created_at.desc(), head.id.desc()).limit(limit + 1)).all()
    rows, more = cut(found, limit)
    sums = _sums(tx, [row[0] for row in rows])
    return Page(
        tuple(_purchase_row(row, sums.get(row[0])) for row in rows),
        cursor_after(rows[-1][6], rows[-1][0]) if more else None,
    )


def _sums(tx: Tx, ids: Collection[str]) -> dict[str, Any]:
    line, found = purchase_order_line.c, dict[str, Any]()
    for part in chunks(ids):
        query = (
            select(
                line.purchase_order_id,
                func.count(),
                func.sum(line.ordered),
                func.sum(line.received),
                func.sum(line.rejected),
                func.sum(line.ordered * line.cost_minor),
            )
            .where(line.purchase_order_id.in_(part))
            .group_by(line.purchase_order_id)
        )
        sums = {row[0]: tuple(int(value) for value in row[1:]) for row in tx.execute(query)}
        coming = (
            select(line.purchase_order_id, func.sum(TO_COME), func.min(line.promise_on))
            .where(line.purchase_order_id.in_(part), TO_COME > 0)
            .group_by(line.purchase_order_id)
        )
        left = {row[0]: (int(row[1]), row[2]) for row in tx.execute(coming)}
        found |= {key: (*values, *left.get(key, (0, None))) for key, values in sums.items()}
    return found


def _purchase_row(row: Sequence[Any], sums: Sequence[Any] | None) -> PurchaseRow:
    *figures, due = sums or (0, 0, 0, 0, 0, 0, None)
    lines, ordered, received, rejected, total, left = figures
    facts: tuple[Any, ...] = (*row[:8], lines, ordered, received, rejected, left, total, due or row[8])
    return PurchaseRow(*facts)


def counts(tx: Tx) -> dict[str, int]:
    """How many purchase orders are in each state."""
    query = select(purchase_order.c.status, func.count()).group_by(purchase_order.c.status)
    return {row[0]: row[1] for row in tx.execute(query)}


def purchase(tx: Tx, key: str) -> PurchaseDetail:
    """One purchase order by number or id. Raises UnknownPurchaseError."""
    state = purchasing.load(tx, key, lock=False)
    query = (
        select(*(variant.c.sku if name == "sku" else promise_change.c[name] for name in DateChange.__slots__))
        .join(purchase_order_line, purchase_order_line.c.id == promise_change.c.purchase_order_line_id)
        .join(variant, variant.c.id == purchase_order_line.c.variant_id)
        .where(purchase_order_line.c.purchase_order_id == state.id)
        .order_by(promise_change.c.id.desc())
    )
    dates = tuple(DateChange(*row) for row in tx.execute(query))
    return PurchaseDetail(state, dates, tuple(events.of_entity(tx, state.id)))


def waiting(tx: Tx, query: WaitingQuery) -> Page[WaitingRow]:
    """A page of waiting lines, the order placed first at the top. Raises BadCursorError."""
    limit, line = size(query.limit), order_line.c
    units = line.ordered - line.cancelled - line.routed
    statement = (
        select(
            line.id, line.order_id, orders.c.number, orders.c.email, func.coalesce(variant.c.sku, line.sku), line.title,
            units, line.waits_as, line.queue, orders.c.placed_at, line.promised_on, line.told_on, line.auto_cancel_at,
        )
        .join(orders, orders.c.id == line.order_id)
        .outerjoin(variant, variant.c.id == line.variant_id)
        .where(line.waits_as.is_not(None), units > 0, orders.c.lifecycle.in_(("pending", "open")))
    )  # fmt: skip
    if query.sku:
        statement = statement.where(variant.c.sku == query.sku)
    if query.waits_as:
        statement = statement.where(line.waits_as == query.waits_as)
    if query.queue:
        statement = statement.where(line.queue == query.queue)
    if query.to_tell:
        statement = statement.where(line.promised_on.is_distinct_from(line.told_on))
    if query.after:
        at, last = read_cursor(query.after, 2)
        when = read_moment(at)
        later = or_(orders.c.placed_at > when, and_(orders.c.placed_at == when, line.id > last))
        statement = statement.where(later)
    found = tx.execute(statement.order_by(orders.c.placed_at, line.id).limit(limit + 1)).all()
    rows, more = cut(found, limit)
    behind = _behind(tx, [row[0] for row in rows])
    return Page(
        tuple(_waiting_row(row, behind.get(row[0], ())) for row in rows),
        cursor_after(rows[-1][9], rows[-1][0]) if more else None,
    )


def _waiting_row(row: Sequence[Any], behind: Collection[Behind]) -> WaitingRow:
    facts: tuple[Any, ...] = (*row, tuple(behind))
    return WaitingRow(*facts)


def _behind(tx: Tx, line_ids: Collection[str]) -> dict[str, list[Behind]]:
    found: dict[str, list[Behind]] = defaultdict(list)
    share = supply_promise.c
    query = (
        select(share.order_line_id, purchase_order.c.number, share.quantity, share.promised_on)
        .join(purchase_order_line, purchase_order_line.c.id == share.purchase_order_line_id)
        .join(purchase_order, purchase_order.c.id == purchase_order_line.c.purchase_order_id)
        .order_by(share.promised_on, purchase_order.c.number)
    )
    for part in chunks(line_ids):
        for row in tx.execute(query.where(share.order_line_id.in_(part))):
            found[row[0]].append(Behind(*row[1:]))
    return found


def waiting_counts(tx: Tx) -> dict[str, int]:
    """How many lines wait as what; "to_tell" is how many customers do not know the day that now stands."""
    line = order_line.c
    query = (
        select(line.waits_as, func.count(), func.count().filter(line.promised_on.is_distinct_from(line.told_on)))
        .join(orders, orders.c.id == line.order_id)
        .where(line.waits_as.is_not(None), line.ordered > line.cancelled + line.routed)
        .where(orders.c.lifecycle.in_(("pending", "open")))
        .group_by(line.waits_as)
    )
    rows = tx.execute(query).all()
    return {row[0]: row[1] for row in rows} | {"to_tell": sum(row[2] for row in rows)}


def alerts(tx: Tx, after: str = "", limit: int = 50) -> Page[AlertRow]:
    """Positions that run low, the latest alert first. Raises BadCursorError."""
    limit, columns = size(limit), {"sku": variant.c.sku, "title": variant.c.title, "location": location.c.code}
    statement = (
        select(*(columns[name] if name in columns else stock_alert.c[name] for name in AlertRow.__slots__))
        .join(variant, variant.c.id == stock_alert.c.variant_id)
        .join(location, location.c.id == stock_alert.c.location_id)
        .where(stock_alert.c.cleared_at.is_(None))
    )
    if after:
        statement = statement.where(before(stock_alert.c.raised_at, stock_alert.c.id, after))
    found = tx.execute(statement.order_by(stock_alert.c.raised_at.desc(), stock_alert.c.id.desc()).limit(limit + 1))
    rows, more = cut([AlertRow(*row) for row in found], limit)
    return Page(tuple(rows), cursor_after(rows[-1].raised_at, rows[-1].id) if more else None)
