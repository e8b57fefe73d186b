"""One order with everything that is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from hub.domain.routing.trace import readable
from hub.store import changes
from hub.store.changes import ChangeRow
from hub.store.database import Tx
from hub.store.rows import as_dicts, chunks
from hub.store.tables import (
    connection,
    external_ref,
    hold,
    inbox,
    order_adjustment,
    order_line,
    orders,
    route_decision,
    variant,
)
from hub.store.views.orders import OrderRow, rows_of
from hub.store.views.parcels import FoView, ShipmentView, fulfillment_orders, shipments_of
from hub.store.views.timeline import TimelineEntry, timeline


class UnknownOrderError(KeyError):
    """There is no such order."""

    def __str__(self) -> str:
        return f"there is no order {self.args[0]!r}"


@dataclass(frozen=True, slots=True)
class LineView:
    """An order line; counters are whole units. `article` is our own SKU, None while the line is not linked."""

    id: str
    line_no: int
    external_id: str
    sku: str
    title: str
    article: str | None
    variant_id: str | None
    ordered: int
    cancelled: int
    routed: int
    shipped: int
    delivered: int
    total_minor: int
    ships: bool

    @property
    def unrouted(self) -> int:
        return self.ordered - self.cancelled - self.routed if self.ships else 0


@dataclass(frozen=True, slots=True)
class AdjustmentView:
    kind: str
    title: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class HoldView:
    """A hold, active or ended. `target_id` is that of the order, of a line or of a fulfillment order."""

    id: str
    kind: str
    reason: str
    handle: str
    source: str
    blocks: str
    target_type: str
    target_id: str
    state: str
    assignee: str
    due_at: datetime | None
    auto_release_at: datetime | None
    note: str
    created_at: datetime
    released_at: datetime | None
    released_by: str | None


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """What another system calls this order or a part of it, such as the ERP's document number."""

    connection: str
    connection_id: str
    kind: str
    external_id: str
    number: str
    entity_id: str


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A route decision; `steps` is its trace as lines for people, `trace` as it was stored."""

    attempt: int
    strategy: str
    reason: str
    at: datetime
    steps: tuple[str, ...]
    trace: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawView:
    """What the channel sent, as it came."""

    inbox_id: str
    source: str
    topic: str
    received_at: datetime
    mapping: str | None
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order; `raw` is None when the received body is no longer kept."""

    row: OrderRow
    revision: str
    remote_status: str
    fulfilled_by: str
    computed_minor: int
    cancelled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    lines: tuple[LineView, ...]
    adjustments: tuple[AdjustmentView, ...]
    holds: tuple[HoldView, ...]
    fulfillment_orders: tuple[FoView, ...]
    shipments: tuple[ShipmentView, ...]
    references: tuple[ReferenceView, ...]
    decisions: tuple[DecisionView, ...]
    timeline: tuple[TimelineEntry, ...]  # newest first
    document: dict[str, Any]
    channel_document: dict[str, Any] | None  # what the channel says, where something was changed here
    changes: tuple[ChangeRow, ...]  # newest first
    raw: RawView | None

    @property
    def asked(self) -> ChangeRow | None:
        """The change that waits for a decision."""
        return next((one for one in self.changes if one.status == "requested"), None)


def detail(tx: Tx, order_id: str) -> OrderDetail:
    """Everything about one order, one query per table. Raises UnknownOrderError."""
    head = tx.execute(select(orders).where(orders.c.id == order_id)).mappings().first()
    if head is None:
        raise UnknownOrderError(order_id)
    fos = fulfillment_orders(tx, order_id)
    shipped = shipments_of(tx, order_id)
    entities = [order_id, *(fo.id for fo in fos), *(one.id for one in shipped)]
    return OrderDetail(
        row=rows_of(tx, [order_id])[order_id],
        revision=head["revision"],
        remote_status=head["remote_status"],
        fulfilled_by=head["fulfilled_by"],
        computed_minor=head["computed_minor"],
        cancelled_at=head["cancelled_at"],
        created_at=head["created_at"],
        updated_at=head["updated_at"],
        version=head["version"],
        lines=_lines(tx, order_id),
        adjustments=_adjustments(tx, order_id),
        holds=_holds(tx, order_id),
        fulfillment_orders=fos,
        shipments=shipped,
        references=_references(tx, entities),
        decisions=_decisions(tx, order_id),
        timeline=timeline(tx, order_id),
        document=head["document"],
        channel_document=head["channel_document"],
        changes=tuple(changes.of_order(tx, order_id)),
        raw=_raw(tx, head["inbox_id"]),
    )


_LINE = [variant.c.sku if name == "article" else order_line.c[name] for name in LineView.__slots__]


def _lines(tx: Tx, order_id: str) -> tuple[LineView, ...]:
    query = (
        select(*_LINE)
        .outerjoin(variant, variant.c.id == order_line.c.variant_id)
        .where(order_line.c.order_id == order_id)
        .order_by(order_line.c.line_no)
    )
    return tuple(LineView(*row) for row in tx.execute(query))


def _adjustments(tx: Tx, order_id: str) -> tuple[AdjustmentView, ...]:
    what = order_adjustment.c
    query = select(what.kind, what.title, what.amount_minor).where(what.order_id == order_id).order_by(what.id)
    return tuple(AdjustmentView(*row) for row in tx.execute(query))


def _holds(tx: Tx, order_id: str) -> tuple[HoldView, ...]:
    names = HoldView.__slots__
    query = select(*(hold.c[name] for name in names)).where(hold.c.order_id == order_id)
    return tuple(HoldView(*row) for row in tx.execute(query.order_by(hold.c.state, hold.c.id)))


def _references(tx: Tx, entities: list[str]) -> tuple[ReferenceView, ...]:
    names = {row.id: row.name for row in tx.execute(select(connection.c.id, connection.c.name))}
    rows: list[dict[str, Any]] = []
    for part in chunks(entities):
        rows += as_dicts(tx.execute(select(external_ref).where(external_ref.c.entity_id.in_(part))).all())
    found = (
        ReferenceView(
            names.get(row["connection_id"], row["connection_id"]),
            row["connection_id"],
            row["kind"],
            row["external_id"],
            row["number"] or "",
            row["entity_id"],
        )
        for row in rows
    )
    return tuple(sorted(found, key=lambda one: (one.connection, one.kind, one.external_id)))


def _decisions(tx: Tx, order_id: str) -> tuple[DecisionView, ...]:
    query = (
        select(route_decision).where(route_decision.c.order_id == order_id).order_by(route_decision.c.attempt.desc())
    )
    return tuple(
        DecisionView(row.attempt, row.strategy, row.reason, row.at, tuple(readable(row.trace)), row.trace)
        for row in tx.execute(query)
    )


def _raw(tx: Tx, inbox_id: str) -> RawView | None:
    row = tx.execute(select(inbox).where(inbox.c.id == inbox_id)).first()
    if row is None:
        return None
    return RawView(row.id, row.source, row.topic, row.received_at, row.mapping, row.headers or {}, row.body)
