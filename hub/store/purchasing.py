"""Purchase orders with their lines, and the writing of what changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, or_, select, update

from hub.domain.purchasing import OPEN, Line
from hub.store.database import Tx, insert_new, new_id
from hub.store.rows import chunks
from hub.store.tables import (
    location,
    promise_change,
    purchase_order,
    purchase_order_line,
    supplier,
    variant,
)


class UnknownPurchaseError(KeyError):
    """There is no such purchase order."""

    def __str__(self) -> str:
        return f"there is no purchase order {self.args[0]!r}"


@dataclass(slots=True)
class LineState:
    """A line of a purchase order; `cost_minor` per unit, in the order's currency."""

    id: str
    variant_id: str
    sku: str
    title: str
    tracking: str
    ordered: int
    acknowledged: int | None
    received: int
    rejected: int
    closed: int
    cost_minor: int
    promise_on: date | None

    @property
    def units(self) -> Line:
        """As the rules see it."""
        return Line(self.ordered, self.acknowledged, self.received, self.rejected, self.closed)

    @property
    def open(self) -> int:
        """Units still to come."""
        return self.units.open


@dataclass(slots=True)
class PurchaseState:
    """A purchase order with everything that decides what may happen to it next."""

    id: str
    number: str
    supplier_id: str
    supplier: str
    location_id: str
    location: str
    status: str
    currency: str
    expected_on: date | None
    over_percent: int
    note: str
    created_by: str
    ordered_at: datetime | None
    created_at: datetime
    lines: list[LineState] = field(default_factory=list)

    def line(self, sku: str) -> LineState | None:
        return next((one for one in self.lines if one.sku == sku), None)


_CODES = {"supplier": supplier.c.code, "location": location.c.code}
_HEAD = [
    _CODES[name] if name in _CODES else purchase_order.c[name] for name in PurchaseState.__slots__ if name != "lines"
]
_LINE = [
    variant.c[name] if name in ("sku", "title", "tracking") else purchase_order_line.c[name]
    for name in LineState.__slots__
]
# Units of a line that are still expected.
TO_COME = (
    func.coalesce(purchase_order_line.c.acknowledged, purchase_order_line.c.ordered)
    - purchase_order_line.c.closed
    - purchase_order_line.c.received
)
_COUNTERS = ("ordered", "acknowledged", "received", "rejected", "closed", "cost_minor", "promise_on")


def add(tx: Tx, lines: Sequence[Mapping[str, Any]], now: datetime, **head: Any) -> str | None:
    """A new draft; its id, None when the number is taken. A line has variant_id, ordered, cost_minor and promise_on."""
    row = {"id": new_id(), "status": "draft", "created_at": now, "updated_at": now, **head}
    made = next(iter(insert_new(tx, purchase_order, [row], purchase_order.c.id)), None)
    if made is not None:
        add_lines(tx, made, lines)
    return made


def add_lines(tx: Tx, purchase_id: str, lines: Sequence[Mapping[str, Any]]) -> None:
    rows = [{"id": new_id(), "purchase_order_id": purchase_id, **line} for line in lines]
    if rows:
        tx.execute(insert(purchase_order_line), rows)


def drop_lines(tx: Tx, line_ids: Collection[str]) -> None:
    """Take lines off a draft, which nothing refers to yet but the history of their dates."""
    for part in chunks(line_ids):
        tx.execute(delete(promise_change).where(promise_change.c.purchase_order_line_id.in_(part)))
        tx.execute(delete(purchase_order_line).where(purchase_order_line.c.id.in_(part)))


def load(tx: Tx, key: str, *, lock: bool = True) -> PurchaseState:
    """One purchase order by number or id, locked until the transaction ends. Raises UnknownPurchaseError."""
    wanted = or_(purchase_order.c.number == key, purchase_order.c.id == key)
    if lock:
        tx.execute(select(purchase_order.c.id).where(wanted).with_for_update(key_share=True))
    query = (
        select(*_HEAD)
        .join(supplier, supplier.c.id == purchase_order.c.supplier_id)
        .join(location, location.c.id == purchase_order.c.location_id)
    )
    row = tx.execute(query.where(wanted)).first()
    if row is None:
        raise UnknownPurchaseError(key)
    state = PurchaseState(*row)
    lines = select(*_LINE).join(variant, variant.c.id == purchase_order_line.c.variant_id)
    for line in tx.execute(lines.where(purchase_order_line.c.purchase_order_id == state.id).order_by(variant.c.sku)):
        state.lines.append(LineState(*line))
    return state


def save(tx: Tx, state: PurchaseState, now: datetime) -> None:
    """Write what a purchase order and its lines now say."""
    head = {
        name: getattr(state, name)
        for name in ("number", "location_id", "status", "expected_on", "over_percent", "note", "ordered_at")
    }
    tx.execute(
        update(purchase_order)
        .where(purchase_order.c.id == state.id)
        .values(**head, updated_at=now, version=purchase_order.c.version + 1)
    )
    if state.lines:
        tx.execute(
            update(purchase_order_line)
            .where(purchase_order_line.c.id == bindparam("key"))
            .values({name: bindparam(f"new_{name}") for name in _COUNTERS}),
            [{"key": line.id, **{f"new_{name}": getattr(line, name) for name in _COUNTERS}} for line in state.lines],
        )


def note_dates(
    tx: Tx, moved: Sequence[tuple[str, date | None, date | None]], reason: str, actor: str, now: datetime
) -> None:
    """Keep the history of the days promised: (line, from, to)."""
    rows = [
        {"id": new_id(), "purchase_order_line_id": line_id, "from_on": before, "to_on": after}
        | {"reason": reason, "actor": actor, "at": now}
        for line_id, before, after in moved
    ]
    if rows:
        tx.execute(insert(promise_change), rows)


def open_units(tx: Tx, variant_ids: Collection[str] | None = None) -> dict[str, int]:
    """Units still to come from suppliers, by variant; of all articles when none are named."""
    query = _expected()
    if variant_ids is None:
        return {row[0]: int(row[1]) for row in tx.execute(query)}
    return _of(tx, query, variant_ids)


def ahead(tx: Tx, variant_ids: Collection[str]) -> dict[str, int]:
    """Units that may be sold before they come: of articles sold ahead, on their way to places that are switched on."""
    query = (
        _expected()
        .join(variant, variant.c.id == purchase_order_line.c.variant_id)
        .join(location, location.c.id == purchase_order.c.location_id)
        .where(variant.c.preorderable.is_(True), location.c.active.is_(True))
    )
    return _of(tx, query, variant_ids)


def _expected() -> Select[Any]:
    """Units still to come, by variant."""
    line = purchase_order_line.c
    return (
        select(line.variant_id, func.sum(TO_COME))
        .join(purchase_order, purchase_order.c.id == line.purchase_order_id)
        .where(purchase_order.c.status.in_(OPEN), TO_COME > 0)
        .group_by(line.variant_id)
    )


def _of(tx: Tx, query: Select[Any], variant_ids: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in chunks(variant_ids):
        theirs = query.where(purchase_order_line.c.variant_id.in_(part))
        found.update((row[0], int(row[1])) for row in tx.execute(theirs))
    return found


def preorderable(tx: Tx) -> frozenset[str]:
    """Articles that may be sold before they come and of which some are on order."""
    known = set(tx.execute(select(variant.c.id).where(variant.c.preorderable.is_(True))).scalars())
    return frozenset(known & open_units(tx).keys()) if known else frozenset()
