"""Past orders and the stock that rehearsals start from."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from hub.store.database import Tx
from hub.store.rows import chunks
from hub.store.tables import fo_line, fulfillment_order, order_line, orders, stock_position


def last_orders(tx: Tx, most: int) -> list[str]:
    """Ids of the last orders that the hub routes, oldest first: not test orders, and nothing that is cancelled."""
    lines = select(order_line.c.id).where(
        order_line.c.order_id == orders.c.id,
        order_line.c.ships.is_(True),
        order_line.c.variant_id.is_not(None),
        order_line.c.ordered > order_line.c.cancelled,
    )
    query = (
        select(orders.c.id)
        .where(orders.c.lifecycle.in_(("open", "completed")), orders.c.test.is_(False), lines.exists())
        .order_by(orders.c.placed_at.desc(), orders.c.id.desc())
        .limit(most)
    )
    return list(tx.execute(query).scalars())[::-1]


def available(tx: Tx, variant_ids: Collection[str]) -> dict[tuple[str, str], int]:
    """Units that may be taken now, by (location, variant); nothing is locked."""
    found: dict[tuple[str, str], int] = {}
    what = stock_position.c
    for part in chunks(variant_ids):
        query = select(what.location_id, what.variant_id, what.available).where(what.variant_id.in_(part))
        found.update(((row[0], row[1]), row[2]) for row in tx.execute(query) if row[2] > 0)
    return found


def taken_by(tx: Tx, order_ids: Collection[str]) -> dict[tuple[str, str], int]:
    """Units that orders hold at locations or were sent from there, by (location, variant)."""
    found: dict[tuple[str, str], int] = {}
    for part in chunks(order_ids):
        query = (
            select(
                fulfillment_order.c.location_id,
                fo_line.c.variant_id,
                func.sum(fo_line.c.quantity - fo_line.c.cancelled),
            )
            .join(fo_line, fo_line.c.fo_id == fulfillment_order.c.id)
            .where(fulfillment_order.c.order_id.in_(part))
            .group_by(fulfillment_order.c.location_id, fo_line.c.variant_id)
        )
        for location_id, variant_id, units in tx.execute(query):
            found[location_id, variant_id] = found.get((location_id, variant_id), 0) + int(units)
    return found
