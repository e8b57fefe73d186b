"""What has to add up between stock and what it is kept for, and between orders and what was shipped of them.

Everything here only reads. Each question is one statement, so that what is booked meanwhile is in both sides or in
none, and finds what is too much as well as what is too little.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, exists, func, literal, select, union_all

from hub.domain.purchasing import OPEN
from hub.store.database import Tx
from hub.store.orders import LIVE_EXEC
from hub.store.purchasing import TO_COME
from hub.store.tables import (
    fo_line,
    fulfillment_order,
    order_line,
    orders,
    package_line,
    purchase_order,
    purchase_order_line,
    reservation,
    stock_position,
    transfer,
    transfer_line,
)

MOST = 1_000  # findings of one question

Finding = dict[str, Any]


def every(tx: Tx) -> list[Finding]:
    """All that does not add up; empty when the books are right."""
    return [*owners(tx), *counters(tx)]


def owners(tx: Tx) -> list[Finding]:
    """Positions whose committed, reserved or incoming units are not the sum of what they belong to.

    Committed units belong to fulfillment orders that live, reserved ones to active reservations of the location,
    incoming ones to purchase orders that are open and to transfers on their way.
    """
    return [
        *_owned(tx, "committed", _in_fulfillment()),
        *_owned(tx, "reserved", _in_reservations()),
        *_owned(tx, "incoming", _bought(), _on_the_way()),
    ]


def counters(tx: Tx) -> list[Finding]:
    """Order lines whose routed and shipped units are not those of their fulfillment orders, and fulfillment lines whose
    shipped units are not those of their packages.

    A kit line is left out: its components are what is routed, and it follows them.
    """
    return [*_lines(tx), *_packages(tx)]


NONE = literal(0)


def _owned(tx: Tx, state: str, *owned: Select[Any]) -> list[Finding]:
    """Where a state of the stock and what it belongs to differ; `owned` give (location, variant, nothing, units)."""
    position = stock_position.c
    here = select(position.location_id, position.variant_id, position[state].label("held"), NONE.label("owned"))
    both = union_all(here.where(position[state] != 0), *owned).subquery()
    key = both.c.location_id, both.c.variant_id
    held, kept = func.sum(both.c.held), func.sum(both.c.owned)
    query = select(*key, held.label("held"), kept.label("owned")).group_by(*key).having(held != kept).order_by(*key)
    return [
        {"kind": "owners", "state": state, **row, "held": int(row["held"]), "owned": int(row["owned"])}
        for row in tx.execute(query.limit(MOST)).mappings()
    ]


def _in_fulfillment() -> Select[Any]:
    live = fo_line.c.quantity - fo_line.c.shipped - fo_line.c.cancelled
    return (
        select(fulfillment_order.c.location_id, fo_line.c.variant_id, NONE, live)
        .join(fulfillment_order, fulfillment_order.c.id == fo_line.c.fo_id)
        .where(fulfillment_order.c.exec_status.in_(LIVE_EXEC), live > 0)
    )


def _in_reservations() -> Select[Any]:
    what = reservation.c
    mine = select(what.location_id, what.variant_id, NONE, what.quantity)
    return mine.where(what.state == "active", what.location_id.is_not(None))


def _bought() -> Select[Any]:
    return (
        select(purchase_order.c.location_id, purchase_order_line.c.variant_id, NONE, TO_COME)
        .join(purchase_order, purchase_order.c.id == purchase_order_line.c.purchase_order_id)
        .where(purchase_order.c.status.in_(OPEN), TO_COME > 0)
    )


def _on_the_way() -> Select[Any]:
    what = transfer_line.c
    left = what.shipped - what.received - what.lost - what.back_to_source
    return (
        select(transfer.c.to_location_id, what.variant_id, NONE, left)
        .join(transfer, transfer.c.id == what.transfer_id)
        .where(left > 0)
    )


def _lines(tx: Tx) -> list[Finding]:
    line, row = order_line.c, fo_line.c
    part = order_line.alias("part")
    mine = select(line.id, line.routed, line.shipped, NONE.label("placed"), NONE.label("left")).where(
        ~exists().where(part.c.kit_line_id == line.id), (line.routed != 0) | (line.shipped != 0)
    )
    theirs = select(row.order_line_id, NONE, NONE, row.quantity - row.cancelled, row.shipped)
    both = union_all(mine, theirs).subquery()
    routed, shipped, placed, left = (func.sum(both.c[name]) for name in ("routed", "shipped", "placed", "left"))
    wrong = (
        select(both.c.id, routed.label("routed"), shipped.label("shipped"), placed.label("placed"), left.label("left"))
        .group_by(both.c.id)
        .having((routed != placed) | (shipped != left))
        .limit(MOST)
        .subquery()
    )
    query = (
        select(wrong, orders.c.id.label("order_id"), orders.c.number, line.sku)
        .join(order_line, line.id == wrong.c.id)
        .join(orders, orders.c.id == line.order_id)
        .order_by(wrong.c.id)
    )
    found = []
    for one in tx.execute(query).mappings():
        for counter, other in (("routed", "placed"), ("shipped", "left")):
            if one[counter] != one[other]:
                found.append(_counter(one, counter, one[counter], one[other]))
    return found


def _packages(tx: Tx) -> list[Finding]:
    row = fo_line.c
    mine = select(row.id, row.shipped, NONE.label("packed")).where(row.shipped != 0)
    theirs = select(package_line.c.fo_line_id, NONE, package_line.c.quantity)
    both = union_all(mine, theirs).subquery()
    shipped, packed = func.sum(both.c.shipped), func.sum(both.c.packed)
    wrong = (
        select(both.c.id, shipped.label("shipped"), packed.label("packed"))
        .group_by(both.c.id)
        .having(shipped != packed)
        .limit(MOST)
        .subquery()
    )
    query = (
        select(wrong, orders.c.id.label("order_id"), orders.c.number, order_line.c.sku)
        .join(fo_line, row.id == wrong.c.id)
        .join(order_line, order_line.c.id == row.order_line_id)
        .join(orders, orders.c.id == order_line.c.order_id)
        .order_by(wrong.c.id)
    )
    return [_counter(one, "packed", one["shipped"], one["packed"]) for one in tx.execute(query).mappings()]


def _counter(one: Any, counter: str, here: Any, there: Any) -> Finding:
    order = {"order_id": one["order_id"], "order": one["number"], "sku": one["sku"]}
    return {"kind": "counters", "counter": counter, **order, "counted": int(here), "found": int(there)}
