"""What waiting order lines were promised, and the goods on order that the promises rest on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, delete, func, insert, select, update

from hub.domain.promises import Promise, Supply, Waiting
from hub.domain.purchasing import OPEN
from hub.store.database import Tx, new_id
from hub.store.purchasing import TO_COME
from hub.store.routing import TURN, read_turn
from hub.store.rows import chunks
from hub.store.tables import (
    location,
    order_line,
    orders,
    purchase_order,
    purchase_order_line,
    stock_position,
    supply_promise,
)

PROMISED = ("backorder", "preorder")  # a queue waits for a person, not for goods


@dataclass(frozen=True, slots=True)
class Line:
    """A waiting order line with what it was promised so far."""

    variant_id: str
    number: str
    sku: str
    promised_on: date | None
    waiting: Waiting


def variants(tx: Tx) -> set[str]:
    """Articles that somebody waits for or was promised."""
    waiting = select(order_line.c.variant_id).where(
        order_line.c.waits_as.in_(PROMISED), order_line.c.variant_id.is_not(None)
    )
    promised = select(order_line.c.variant_id).join(supply_promise, supply_promise.c.order_line_id == order_line.c.id)
    return {str(one) for one in tx.execute(waiting.union(promised)).scalars() if one is not None}


def supplies(tx: Tx, variant_ids: Collection[str]) -> dict[str, list[Supply]]:
    """Units to come, by variant, into places that ship; a line without a day takes that of its order."""
    line, head = purchase_order_line.c, purchase_order.c
    query = (
        select(line.variant_id, line.id, TO_COME, func.coalesce(line.promise_on, head.expected_on))
        .join(purchase_order, head.id == line.purchase_order_id)
        .join(location, location.c.id == head.location_id)
        .where(head.status.in_(OPEN), TO_COME > 0, location.c.active.is_(True), location.c.ships.is_(True))
    )
    found: dict[str, list[Supply]] = defaultdict(list)
    for part in chunks(variant_ids):
        for variant_id, line_id, count, due in tx.execute(query.where(line.variant_id.in_(part))):
            found[variant_id].append(Supply(line_id, int(count), due))
    return found


def on_shelf(tx: Tx, variant_ids: Collection[str]) -> dict[str, int]:
    """Units that lie free at places that ship, by variant: they are about to be given to those who wait."""
    position = stock_position.c
    query = (
        select(position.variant_id, func.sum(position.available))
        .join(location, location.c.id == position.location_id)
        .where(position.available > 0, location.c.active.is_(True), location.c.ships.is_(True))
        .group_by(position.variant_id)
    )
    return {
        row[0]: int(row[1])
        for part in chunks(variant_ids)
        for row in tx.execute(query.where(position.variant_id.in_(part)))
    }


def lines(tx: Tx, variant_ids: Collection[str]) -> list[Line]:
    """Order lines of these articles that wait for goods."""
    line = order_line.c
    units = line.ordered - line.cancelled - line.routed
    query = (
        select(
            line.variant_id,
            orders.c.number,
            line.sku,
            line.promised_on,
            line.id.label("line_id"),
            units.label("units"),
            *TURN,
        )
        .join(orders, orders.c.id == line.order_id)
        .where(line.waits_as.in_(PROMISED), units > 0, orders.c.lifecycle.in_(("pending", "open")))
    )
    return [
        Line(row[0], row[1], row[2], row[3], Waiting(row.line_id, read_turn(row, row.units), row.units))
        for part in chunks(variant_ids)
        for row in tx.execute(query.where(line.variant_id.in_(part)))
    ]


def shares(tx: Tx, variant_ids: Collection[str]) -> dict[tuple[str, str], tuple[int, date | None]]:
    """(units, day) by (order line, purchase order line), as written."""
    query = select(
        supply_promise.c.order_line_id,
        supply_promise.c.purchase_order_line_id,
        supply_promise.c.quantity,
        supply_promise.c.promised_on,
    ).join(order_line, order_line.c.id == supply_promise.c.order_line_id)
    return {
        (row[0], row[1]): (row[2], row[3])
        for part in chunks(variant_ids)
        for row in tx.execute(query.where(order_line.c.variant_id.in_(part)))
    }


def lock_orders(tx: Tx, order_ids: Collection[str]) -> None:
    """Lock orders in the order in which every step locks them."""
    for part in chunks(order_ids):
        tx.execute(
            select(orders.c.id).where(orders.c.id.in_(part)).order_by(orders.c.id).with_for_update(key_share=True)
        )


def write_shares(
    tx: Tx,
    before: Mapping[tuple[str, str], tuple[int, date | None]],
    promises: Collection[Promise],
    now: datetime,
) -> int:
    """Make what is written into what is meant; returns how many rows changed."""
    after = {(share.line_id, share.supply_id): (share.units, share.due) for one in promises for share in one.shares}
    gone = [key for key in before if key not in after]
    fresh = [key for key in after if key not in before]
    other = [key for key in after if key in before and after[key] != before[key]]
    mine = (supply_promise.c.order_line_id == bindparam("line")) & (
        supply_promise.c.purchase_order_line_id == bindparam("supply")
    )
    if gone:
        tx.execute(delete(supply_promise).where(mine), [{"line": line, "supply": supply} for line, supply in gone])
    if other:
        tx.execute(
            update(supply_promise).where(mine).values(quantity=bindparam("units"), promised_on=bindparam("due")),
            [{"line": key[0], "supply": key[1], "units": after[key][0], "due": after[key][1]} for key in other],
        )
    if fresh:
        tx.execute(
            insert(supply_promise),
            [
                {"id": new_id(), "order_line_id": key[0], "purchase_order_line_id": key[1], "created_at": now}
                | {"quantity": after[key][0], "promised_on": after[key][1]}
                for key in fresh
            ],
        )
    return len(gone) + len(fresh) + len(other)


def set_days(tx: Tx, days: Sequence[tuple[str, date | None]]) -> None:
    """Write the promised day of order lines: (line, day)."""
    if days:
        tx.execute(
            update(order_line).where(order_line.c.id == bindparam("key")).values(promised_on=bindparam("due")),
            [{"key": line_id, "due": due} for line_id, due in days],
        )


@dataclass(frozen=True, slots=True)
class Told:
    """An order line whose customer was told of a day; None is that there is none any more."""

    line_id: str
    order_id: str
    due: date | None


def mark_told(tx: Tx, line_ids: Collection[str]) -> list[Told]:
    """The customers of these lines were told of the day that now stands; gives the lines to which that is news."""
    line, done = order_line.c, list[Told]()
    for part in chunks(line_ids):
        news = line.id.in_(part) & line.promised_on.is_distinct_from(line.told_on)
        marked = update(order_line).where(news).values(told_on=line.promised_on)
        done += [Told(*row) for row in tx.execute(marked.returning(line.id, line.order_id, line.promised_on))]
    return done


def overdue(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Orders with lines whose waiting units are to be cancelled by now."""
    line = order_line.c
    query = (
        select(line.order_id)
        .join(orders, orders.c.id == line.order_id)
        .where(line.waits_as.is_not(None), line.auto_cancel_at <= now, orders.c.lifecycle.in_(("pending", "open")))
        .where(line.ordered - line.cancelled - line.routed > 0)
        .distinct()
        .order_by(line.order_id)
    )
    return list(tx.execute(query.limit(limit)).scalars())
