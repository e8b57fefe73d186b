"""What was wanted and what lay there, day by day and in bulk: the facts that reordering rests on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from hub.domain.reorder import History, Position
from hub.store.database import Tx
from hub.store.tables import (
    fo_line,
    fulfillment_order,
    location,
    order_line,
    orders,
    product,
    purchase_order,
    purchase_order_line,
    stock_move,
    stock_position,
    transfer,
    transfer_line,
    variant,
)

NETWORK = ""  # all places together
Where = tuple[str, str]  # (variant, location), or (variant, NETWORK)


@dataclass(slots=True)
class Facts:
    """What is known of every stocked article, in the network and at each place."""

    first: date  # of the window
    days: int
    skus: dict[str, tuple[str, str]]  # (SKU, title) by variant
    demand: dict[Where, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    in_stock: dict[Where, int] = field(default_factory=dict)  # a bit for each day of the window
    positions: dict[Where, Position] = field(default_factory=dict)

    def history(self, where: Where) -> History:
        return History(self.days, self.demand.get(where, {}), self.in_stock.get(where, 0))

    def position(self, where: Where) -> Position:
        return self.positions.get(where, Position(0))


def read(tx: Tx, now: datetime, days: int) -> Facts:
    """All facts of the `days` before today (UTC), and the stock as it is now. A dozen queries, whatever the number."""
    first = now.astimezone(UTC).date() - timedelta(days=days)
    facts = Facts(first, days, _articles(tx))
    _wanted(tx, facts)
    _routed(tx, facts)
    _stocked(tx, facts)
    _positions(tx, facts)
    return facts


def _articles(tx: Tx) -> dict[str, tuple[str, str]]:
    query = (
        select(variant.c.id, variant.c.sku, variant.c.title)
        .join(product, product.c.id == variant.c.product_id)
        .where(product.c.kind == "stock")
        .order_by(variant.c.sku)
    )
    return {row[0]: (row[1], row[2]) for row in tx.execute(query)}


def _day(tx: Tx, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The day of a moment, in UTC, as text."""
    if tx.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD")
    return func.strftime("%Y-%m-%d", column)


def _bounds(facts: Facts, column: ColumnElement[Any]) -> ColumnElement[bool]:
    start = datetime.combine(facts.first, time(), UTC)
    return and_(column >= start, column < start + timedelta(days=facts.days))


def _index(facts: Facts, day: str) -> int:
    return (date.fromisoformat(day) - facts.first).days


def _wanted(tx: Tx, facts: Facts) -> None:
    """Units of order lines, cancelled ones left out, by the day they were placed: the demand of the network."""
    day = _day(tx, orders.c.placed_at)
    query = (
        select(order_line.c.variant_id, day, func.sum(order_line.c.ordered - order_line.c.cancelled))
        .join(orders, orders.c.id == order_line.c.order_id)
        .where(_bounds(facts, orders.c.placed_at), orders.c.test.is_(False), order_line.c.ships.is_(True))
        .where(order_line.c.variant_id.is_not(None), order_line.c.ordered > order_line.c.cancelled)
        .group_by(order_line.c.variant_id, day)
    )
    for variant_id, when, units in tx.execute(query):
        facts.demand[variant_id, NETWORK][_index(facts, when)] = int(units)


def _routed(tx: Tx, facts: Facts) -> None:
    """Units that each place was given to ship, by the day their orders were placed: the demand of a place."""
    day = _day(tx, orders.c.placed_at)
    fo = fulfillment_order.c
    query = (
        select(fo_line.c.variant_id, fo.location_id, day, func.sum(fo_line.c.quantity - fo_line.c.cancelled))
        .join(fulfillment_order, fo.id == fo_line.c.fo_id)
        .join(orders, orders.c.id == fo.order_id)
        .where(_bounds(facts, orders.c.placed_at), orders.c.test.is_(False), fo_line.c.quantity > fo_line.c.cancelled)
        .group_by(fo_line.c.variant_id, fo.location_id, day)
    )
    for variant_id, location_id, when, units in tx.execute(query):
        facts.demand[variant_id, location_id][_index(facts, when)] = int(units)


def _stocked(tx: Tx, facts: Facts) -> None:
    """On which days each position had something to sell, reckoned backwards from now through the ledger.

    A day counts when there was something at its beginning or something came in its course.
    """
    day = _day(tx, stock_move.c.at)
    came = case((stock_move.c.to_state == "available", stock_move.c.quantity), else_=0)
    went = case((stock_move.c.from_state == "available", stock_move.c.quantity), else_=0)
    query = (
        select(stock_move.c.position_id, day.label("day"), func.sum(came), func.sum(went))
        .where(stock_move.c.at >= datetime.combine(facts.first, time(), UTC))
        .where((stock_move.c.to_state == "available") | (stock_move.c.from_state == "available"))
        .group_by(stock_move.c.position_id, day)
        .order_by(stock_move.c.position_id, day.desc())
    )
    moved: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for position_id, when, units_in, units_out in tx.execute(query):
        moved[position_id].append((_index(facts, when), int(units_in), int(units_out)))
    columns = (stock_position.c.id, stock_position.c.variant_id, stock_position.c.location_id)
    for position_id, variant_id, location_id, available in tx.execute(select(*columns, stock_position.c.available)):
        mask = stocked_days(available, moved.get(position_id, []), facts.days)
        facts.in_stock[variant_id, location_id] = mask
        facts.in_stock[variant_id, NETWORK] = facts.in_stock.get((variant_id, NETWORK), 0) | mask


def stocked_days(available: int, moved: list[tuple[int, int, int]], days: int) -> int:
    """A bit for each of `days` on which there was something to sell.

    `available` is what there is now, `moved` are (day, units in, units out), the latest day first; days after the
    window may be among them.
    """
    mask, after = 0, days  # days from `after` on are done
    for day, units_in, units_out in moved:
        if available > 0:
            mask |= _span(day + 1, after)
        before = available - units_in + units_out
        if day < days and (before > 0 or units_in > 0):
            mask |= 1 << day
        available, after = before, min(day, after)
    return mask | (_span(0, after) if available > 0 else 0)


def _span(first: int, end: int) -> int:
    """Bits of the days `first` up to `end`."""
    return ((1 << (end - first)) - 1) << first if end > first else 0


def _positions(tx: Tx, facts: Facts) -> None:
    drafted, waiting = _drafted(tx), _waiting(tx)
    stock: dict[Where, tuple[int, int]] = dict.fromkeys(drafted, (0, 0))
    stock |= {(variant_id, NETWORK): (0, 0) for variant_id in waiting}
    query = select(
        stock_position.c.variant_id, stock_position.c.location_id, stock_position.c.available, stock_position.c.incoming
    ).join(location, location.c.id == stock_position.c.location_id)
    for variant_id, location_id, available, incoming in tx.execute(query.where(location.c.active.is_(True))):
        stock[variant_id, location_id] = (available, incoming)
        everywhere = stock.get((variant_id, NETWORK), (0, 0))
        stock[variant_id, NETWORK] = (everywhere[0] + available, everywhere[1] + incoming)
    for where, (available, incoming) in stock.items():
        queue = waiting.get(where[0], 0) if where[1] == NETWORK else 0
        facts.positions[where] = Position(available, incoming, drafted.get(where, 0), queue)


def _drafted(tx: Tx) -> dict[Where, int]:
    """Units on drafts: of purchase orders for the network and their place, of transfers for their place, and of those
    that are packed for the network too.
    """
    found: dict[Where, int] = defaultdict(int)
    bought = (
        select(purchase_order_line.c.variant_id, purchase_order.c.location_id, func.sum(purchase_order_line.c.ordered))
        .join(purchase_order, purchase_order.c.id == purchase_order_line.c.purchase_order_id)
        .where(purchase_order.c.status == "draft")
        .group_by(purchase_order_line.c.variant_id, purchase_order.c.location_id)
    )
    for variant_id, location_id, units in tx.execute(bought):
        found[variant_id, location_id] += int(units)
        found[variant_id, NETWORK] += int(units)
    moved = (
        select(
            transfer_line.c.variant_id, transfer.c.to_location_id, transfer.c.status, func.sum(transfer_line.c.quantity)
        )
        .join(transfer, transfer.c.id == transfer_line.c.transfer_id)
        .where(transfer.c.status.in_(("draft", "ready")))
        .group_by(transfer_line.c.variant_id, transfer.c.to_location_id, transfer.c.status)
    )
    for variant_id, location_id, status, units in tx.execute(moved):
        found[variant_id, location_id] += int(units)
        if status == "ready":  # no longer available where they lie, and not on their way yet
            found[variant_id, NETWORK] += int(units)
    return found


def _waiting(tx: Tx) -> dict[str, int]:
    """Units that open orders wait for, by variant."""
    line = order_line.c
    query = (
        select(line.variant_id, func.sum(line.ordered - line.cancelled - line.routed))
        .join(orders, orders.c.id == line.order_id)
        .where(orders.c.lifecycle.in_(("pending", "open")), line.ships.is_(True), line.variant_id.is_not(None))
        .where(line.ordered - line.cancelled - line.routed > 0)
        .group_by(line.variant_id)
    )
    return {row[0]: int(row[1]) for row in tx.execute(query)}


def movers(tx: Tx) -> frozenset[str]:
    """Places that send and take transfers."""
    query = select(location.c.id).where(location.c.active.is_(True), location.c.transfers.is_(True))
    return frozenset(tx.execute(query).scalars())
