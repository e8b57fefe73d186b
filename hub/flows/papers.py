"""Papers: what goes out, written from what the database holds at the moment of sending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub import schemas
from hub.domain.documents import Address, Customer, Dimensions, Order, OrderLine
from hub.domain.kits import share_minor
from hub.domain.ledgers import Posting
from hub.domain.shipping import (
    FulfillmentRequest,
    LabelRequest,
    RequestLine,
    ShipmentNotice,
    ShippedPackage,
)
from hub.flows import bill, kits
from hub.flows.runtime import Runtime
from hub.store import catalog, connections, orders, references, shipments
from hub.store.catalog import LocationRow
from hub.store.connections import ConnectionRow
from hub.store.database import Tx
from hub.store.orders import FoState, LineState, OrderState


@dataclass(frozen=True, slots=True)
class Folder:
    """An order with all that papers are written from."""

    state: OrderState
    order: Order
    channel: ConnectionRow
    locations: Mapping[str, LocationRow]
    variants: Mapping[str, dict[str, Any]]

    def stated(self, line_id: str) -> OrderLine | None:
        """The channel's own line; None when the channel has dropped it since."""
        external_id = self.state.line(line_id).external_id
        return next((line for line in self.order.lines if line.external_id == external_id), None)

    def fo(self, fo_id: str) -> FoState:
        return next(fo for fo in self.state.fos if fo.id == fo_id)


def folder(tx: Tx, order_id: str) -> Folder:
    """Read an order for writing papers; nothing is locked."""
    state = orders.load(tx, [order_id], lock=False)[order_id]
    variant_ids = {row.variant_id for fo in state.fos for row in fo.lines}
    return Folder(
        state,
        schemas.parse("order.v1", state.document),
        connections.get(tx, state.connection_id),
        {row.id: row for row in catalog.locations(tx)},
        catalog.variants(tx, variant_ids),
    )


def request_lines(papers: Folder, fo: FoState) -> tuple[RequestLine, ...]:
    """The lines of a fulfillment order for whoever packs it."""
    lines = []
    for row in fo.lines:
        variant, stated = papers.variants[row.variant_id], papers.stated(row.order_line_id)
        bought = papers.state.line(row.order_line_id)
        lines.append(
            RequestLine(
                reference=row.id,
                sku=variant["sku"],
                quantity=row.quantity - row.cancelled,
                title=variant["title"] or bought.title,
                channel_line=bought.external_id,
                weight_g=variant["weight_g"] or (stated.weight_g if stated else None),
                price_minor=_unit_price_minor(papers, bought),
                hs_code=variant["hs_code"] or (stated.hs_code if stated else None),
                origin_country=variant["origin_country"] or (stated.origin_country if stated else None),
                properties=stated.properties if stated else (),
                configuration=stated.configuration if stated else None,
            )
        )
    return tuple(line for line in lines if line.quantity > 0)


def _unit_price_minor(papers: Folder, bought: LineState) -> int:
    """What one unit was sold for; a component of a kit has its share of the kit's price."""
    if bought.kit_line_id is None:
        return bought.total_minor // max(1, bought.ordered)
    kit = papers.state.line(bought.kit_line_id)
    return share_minor(papers.state.lines, kit, kit.total_minor)


def fulfillment_request(papers: Folder, fo_id: str) -> FulfillmentRequest:
    fo, order = papers.fo(fo_id), papers.order
    charge = order.shipping[0] if order.shipping else None
    return FulfillmentRequest(
        number=fo.number,
        order_number=order.number,
        order_external_id=order.external_id,
        currency=order.currency,
        lines=request_lines(papers, fo),
        ship_to=_parcel_to(papers, fo),
        email=_email(order),
        warehouse=papers.locations[fo.location_id].warehouse,
        service=(charge.code or charge.title) if charge else None,
        ship_by=order.schedule.ship_by if order.schedule else None,
        note=order.note,
        total_minor=order.totals.total_minor,
        channel=papers.channel.name,
    )


DEFAULT_WEIGHT_G = 500  # of a parcel whose articles have no weight


def label_request(papers: Folder, fo_id: str) -> LabelRequest:
    """One parcel with everything of the fulfillment order in it."""
    fo = papers.fo(fo_id)
    lines = request_lines(papers, fo)
    weight = sum((line.weight_g or 0) * line.quantity for line in lines)
    location = papers.locations[fo.location_id]
    return LabelRequest(
        reference=fo.number,
        ship_from=schemas.structure(Address, {"name": location.name, **(location.address or {})}),
        ship_to=_parcel_to(papers, fo),
        weight_g=weight or DEFAULT_WEIGHT_G,
        currency=papers.order.currency,
        lines=lines,
        dimensions=_box(papers, fo),
    )


def _box(papers: Folder, fo: FoState) -> Dimensions | None:
    """The article's own box when a single unit is shipped; otherwise the carrier connection's default."""
    if len(fo.lines) != 1 or fo.lines[0].quantity != 1:
        return None
    variant = papers.variants[fo.lines[0].variant_id]
    sides = (variant["length_mm"], variant["width_mm"], variant["height_mm"])
    return Dimensions(*sides) if all(sides) else None


def shipment_notice(tx: Tx, papers: Folder, shipment_id: str, reference: str) -> ShipmentNotice:
    """What the channel is told of one shipment; units are counted by the channel's own lines."""
    row = shipments.get(tx, shipment_id)
    sold = kits.told_lines(tx, papers.state)
    fo = papers.fo(row["fo_id"])
    told = [
        ShippedPackage(
            tracking_number=one["tracking_number"],
            carrier=one["carrier"] or None,
            lines=sold[one["id"]],
            tracking_url=one["tracking_url"] or None,
            service=one["service"] or None,
        )
        for one in shipments.packages(tx, [shipment_id])
        if sold.get(one["id"])
    ]
    place = references.external_location(tx, papers.channel.id, fo.location_id)
    shipped_at: datetime = row["shipped_at"] or row["created_at"]
    moment = shipped_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return ShipmentNotice(reference, papers.order.external_id, moment, tuple(told), location=place)


def posting(tx: Tx, runtime: Runtime, papers: Folder, row: Mapping[str, Any]) -> Posting:
    """The sales order as the channel states it, or an invoice with the lines that were decided for it."""
    order, kind = papers.order, row["payload"]["kind"]
    is_invoice = kind == "invoice"
    lines = bill.read(row["payload"]) if is_invoice else tuple(bill.all_lines(papers.state, order))
    included = order.totals.taxes_included
    total = sum(line.total_minor for line in lines)
    if not included:
        total += sum(tax.amount_minor for line in lines for tax in line.taxes)
    return Posting(
        kind=kind,
        reference=row["reference"],
        order_number=order.number,
        channel=papers.channel.name,
        currency=order.currency,
        date=runtime.clock().date().isoformat() if is_invoice else order.placed_at.date().isoformat(),
        customer=order.customer or Customer(name=ship_to(order).name),
        bill_to=order.billing_address or ship_to(order),
        ship_to=ship_to(order),
        lines=lines,
        total_minor=total,
        taxes_included=included,
        order_ref=references.external_id(tx, row["connection_id"], "sales_order", papers.state.id),
    )


def ship_to(order: Order) -> Address:
    return order.shipping_address or order.billing_address or Address()


def _parcel_to(papers: Folder, fo: FoState) -> Address:
    """Where the parcel goes: to the customer, or to the store where it is collected."""
    if fo.deliver_to_id is None:
        return ship_to(papers.order)
    store, name = papers.locations[fo.deliver_to_id], ship_to(papers.order).name
    said = {"country": store.country, **(store.address or {}), "company": store.name}
    return schemas.structure(Address, {**said, "name": f"{name or papers.order.number} (to be collected)"})


def _email(order: Order) -> str | None:
    return (order.customer.email if order.customer else None) or ship_to(order).email
