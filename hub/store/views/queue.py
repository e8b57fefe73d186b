"""A location's queue: what its people have to accept, pack, and hand to customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select

from hub.domain.holds import STOPPED_BY
from hub.domain.rejections import NOT_COLLECTED
from hub.store import holds
from hub.store.database import Tx
from hub.store.rows import chunks
from hub.store.tables import fo_line, fulfillment_order, location, orders, variant

MOST = 200  # shown at a time, those that have to be answered first on top


@dataclass(frozen=True, slots=True)
class Task:
    """A fulfillment order as the people at a location see it. `units` are (SKU, title, whole units)."""

    id: str
    number: str
    order_id: str
    order_number: str
    customer: str
    method: str
    exec_status: str
    request_status: str
    answer_by: datetime | None
    ready_at: datetime | None
    collect_by: datetime | None
    sent_from: str  # code of the place that sends it here for collection; "" for what lies here
    has_left: bool
    held: str  # kind of the hold that stops it; "" when nothing does
    units: tuple[tuple[str, str, int], ...]
    left: tuple[tuple[str, int], ...]  # SKU and units of what is still to be shipped, an article only once

    @property
    def is_waiting(self) -> bool:
        """Whether it lies at the counter."""
        return self.ready_at is not None


def at(tx: Tx, location_id: str) -> list[Task]:
    """What is to be done by hand at a location, by when it has to be answered and then by age."""
    fo = fulfillment_order.c
    here = and_(
        fo.location_id == location_id,
        fo.handling == "manual",
        fo.method != "ship_to_store",
        fo.exec_status.in_(("open", "in_progress")),
    )
    leaving = and_(
        fo.location_id == location_id,
        fo.handling == "manual",
        fo.method == "ship_to_store",
        fo.exec_status.in_(("open", "in_progress")),
    )
    coming = and_(
        fo.deliver_to_id == location_id,
        fo.method == "ship_to_store",
        fo.exec_status.in_(("closed", "in_progress")),
        fo.collected_at.is_(None),
        func.coalesce(fo.reason_code, "") != NOT_COLLECTED.code,
    )
    query = (
        select(fulfillment_order, orders.c.number.label("order_number"), orders.c.customer_name, location.c.code)
        .join(orders, orders.c.id == fo.order_id)
        .join(location, location.c.id == fo.location_id)
        .where(or_(here, leaving, coming))
        .order_by(fo.answer_by.is_(None), fo.answer_by, fo.created_at, fo.id)
        .limit(MOST)
    )
    rows = tx.execute(query).all()
    units: dict[str, list[tuple[str, str, int]]] = {row.id: [] for row in rows}
    left: dict[str, dict[str, int]] = {row.id: {} for row in rows}
    shipped: set[str] = set()
    for part in chunks(units):
        lines = select(fo_line, variant.c.sku, variant.c.title).join(variant, variant.c.id == fo_line.c.variant_id)
        for line in tx.execute(lines.where(fo_line.c.fo_id.in_(part)).order_by(variant.c.sku)):
            units[line.fo_id].append((line.sku, line.title, line.quantity - line.cancelled))
            if line.shipped:
                shipped.add(line.fo_id)
            if to_ship := line.quantity - line.cancelled - line.shipped:
                left[line.fo_id][line.sku] = left[line.fo_id].get(line.sku, 0) + to_ship
    stopped = holds.stopping(tx, [(row.id, row.order_id) for row in rows], STOPPED_BY["ship"])
    return [
        Task(
            row.id,
            row.number,
            row.order_id,
            row.order_number,
            row.customer_name,
            row.method,
            row.exec_status,
            row.request_status,
            row.answer_by,
            row.ready_at,
            row.collect_by,
            row.code if row.location_id != location_id else "",
            row.id in shipped,
            stopped.get(row.id, ""),
            tuple(units[row.id]),
            tuple(left[row.id].items()),
        )
        for row in rows
    ]
