"""Fulfillment orders, shipments and packages of one order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from hub.domain.rejections import NOT_COLLECTED
from hub.store import shipments
from hub.store.database import Tx
from hub.store.rows import chunks
from hub.store.tables import (
    connection,
    fo_line,
    fulfillment_order,
    location,
    package,
    package_line,
    shipment,
    tracking_event,
    variant,
)


@dataclass(frozen=True, slots=True)
class FoLineView:
    order_line_id: str
    sku: str
    quantity: int
    shipped: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class FoView:
    """A fulfillment order; `handler` is the connection that packs or sells the label, None when it is done by hand."""

    id: str
    number: str
    location: str
    location_name: str
    handling: str
    handler: str | None
    handler_id: str | None
    exec_status: str
    request_status: str
    external_id: str | None
    parent_id: str | None
    reason: str
    reason_code: str | None
    method: str  # ship, pickup or ship_to_store
    deliver_to: str | None  # code of the store that it is sent to for collection
    fulfil_at: datetime | None
    answer_by: datetime | None
    ship_on: date | None
    deliver_on: date | None
    ready_at: datetime | None
    collect_by: datetime | None
    collected_at: datetime | None
    created_at: datetime
    lines: tuple[FoLineView, ...]

    @property
    def left(self) -> tuple[tuple[str, int], ...]:
        """SKU and units of what is still to be shipped, an article only once."""
        units = {line.sku: 0 for line in self.lines}
        for line in self.lines:
            units[line.sku] += line.quantity - line.shipped - line.cancelled
        return tuple((sku, count) for sku, count in units.items() if count)

    @property
    def has_left(self) -> bool:
        """Whether some of it was shipped."""
        return any(line.shipped for line in self.lines)

    @property
    def is_open(self) -> bool:
        """Whether the people of a place still have something to do with it."""
        is_over = self.exec_status == "cancelled" or self.reason_code == NOT_COLLECTED.code
        waits = self.method != "ship" and self.collected_at is None and not is_over
        by_hand = self.handling == "manual" and self.exec_status in {"scheduled", "open", "in_progress"}
        return by_hand or (waits and self.has_left)


@dataclass(frozen=True, slots=True)
class ScanView:
    at: datetime
    code: str
    message: str
    place: str


@dataclass(frozen=True, slots=True)
class PackageView:
    """A package; `cost_minor` is in minor units of `currency`. `has_label` says that a label can be printed."""

    id: str
    tracking_number: str | None
    tracking_url: str
    carrier: str
    service: str
    status: str
    weight_g: int | None
    cost_minor: int | None
    currency: str | None
    label_format: str | None
    has_label: bool
    units: tuple[tuple[str, int], ...]  # SKU and units
    scans: tuple[ScanView, ...]


@dataclass(frozen=True, slots=True)
class ShipmentView:
    id: str
    fo_id: str
    fo_number: str
    told_by: str | None
    external_id: str | None
    status: str
    carrier: str
    service: str
    shipped_at: datetime | None
    packages: tuple[PackageView, ...]


def fulfillment_orders(tx: Tx, order_id: str) -> tuple[FoView, ...]:
    fo, store = fulfillment_order.c, location.alias("store")
    place = (location.c.code, location.c.name.label("place"), store.c.code.label("store"))
    query = (
        select(fulfillment_order, *place, connection.c.name.label("handler"))
        .join(location, location.c.id == fo.location_id)
        .outerjoin(store, store.c.id == fo.deliver_to_id)
        .outerjoin(connection, connection.c.id == fo.handler_id)
        .where(fo.order_id == order_id)
        .order_by(fo.id)
    )
    rows = tx.execute(query).all()
    lines: dict[str, list[FoLineView]] = {row.id: [] for row in rows}
    for part in chunks(lines):
        part_of = (
            select(fo_line, variant.c.sku)
            .join(variant, variant.c.id == fo_line.c.variant_id)
            .where(fo_line.c.fo_id.in_(part))
            .order_by(fo_line.c.id)
        )
        for row in tx.execute(part_of):
            lines[row.fo_id].append(FoLineView(row.order_line_id, row.sku, row.quantity, row.shipped, row.cancelled))
    return tuple(
        FoView(
            row.id,
            row.number,
            row.code,
            row.place,
            row.handling,
            row.handler,
            row.handler_id,
            row.exec_status,
            row.request_status,
            row.external_id,
            row.parent_id,
            row.reason,
            row.reason_code,
            row.method,
            row.store,
            row.fulfil_at,
            row.answer_by,
            row.ship_on,
            row.deliver_on,
            row.ready_at,
            row.collect_by,
            row.collected_at,
            row.created_at,
            tuple(lines[row.id]),
        )
        for row in rows
    )


def shipments_of(tx: Tx, order_id: str) -> tuple[ShipmentView, ...]:
    query = (
        select(shipment, fulfillment_order.c.number, connection.c.name.label("told_by"))
        .join(fulfillment_order, fulfillment_order.c.id == shipment.c.fo_id)
        .outerjoin(connection, connection.c.id == shipment.c.connection_id)
        .where(shipment.c.order_id == order_id)
        .order_by(shipment.c.id)
    )
    rows = tx.execute(query).all()
    packages = _packages(tx, [row.id for row in rows])
    return tuple(
        ShipmentView(
            row.id,
            row.fo_id,
            row.number,
            row.told_by,
            row.external_id,
            row.status,
            row.carrier,
            row.service,
            row.shipped_at,
            tuple(packages.get(row.id, ())),
        )
        for row in rows
    )


def _packages(tx: Tx, shipment_ids: list[str]) -> dict[str, list[PackageView]]:
    rows = shipments.packages(tx, shipment_ids)
    ids = [row["id"] for row in rows]
    labelled, units, scans = _labelled(tx, ids), _units(tx, ids), _scans(tx, ids)
    found: dict[str, list[PackageView]] = {}
    for row in rows:
        found.setdefault(row["shipment_id"], []).append(
            PackageView(
                row["id"],
                row["tracking_number"],
                row["tracking_url"],
                row["carrier"],
                row["service"],
                row["status"],
                row["weight_g"],
                row["cost_minor"],
                row["currency"],
                row["label_format"],
                row["id"] in labelled,
                tuple(units.get(row["id"], ())),
                tuple(scans.get(row["id"], ())),
            )
        )
    return found


def _labelled(tx: Tx, ids: list[str]) -> set[str]:
    found: set[str] = set()
    for part in chunks(ids):
        query = select(package.c.id).where(package.c.id.in_(part), package.c.label.is_not(None))
        found |= set(tx.execute(query).scalars())
    return found


def _units(tx: Tx, ids: list[str]) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for part in chunks(ids):
        query = (
            select(package_line.c.package_id, variant.c.sku, package_line.c.quantity)
            .join(fo_line, fo_line.c.id == package_line.c.fo_line_id)
            .join(variant, variant.c.id == fo_line.c.variant_id)
            .where(package_line.c.package_id.in_(part))
            .order_by(variant.c.sku)
        )
        for row in tx.execute(query):
            found.setdefault(row.package_id, []).append((row.sku, row.quantity))
    return found


def _scans(tx: Tx, ids: list[str]) -> dict[str, list[ScanView]]:
    found: dict[str, list[ScanView]] = {}
    for part in chunks(ids):
        query = select(tracking_event).where(tracking_event.c.package_id.in_(part)).order_by(tracking_event.c.at.desc())
        for row in tx.execute(query):
            found.setdefault(row.package_id, []).append(ScanView(row.at, row.code, row.message, row.place))
    return found
