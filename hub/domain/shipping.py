"""What is asked of whoever ships, and what they answer: 3PLs, warehouses and carriers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.domain.documents import Address, DatePromise, Dimensions, Property


@dataclass(frozen=True, slots=True)
class RequestLine:
    """Units of one article to ship.

    `reference` is the hub's fulfillment line id, `channel_line` the line id at the channel. `price_minor` is the
    customs and insurance value of one unit in the request's currency.
    """

    reference: str
    sku: str
    quantity: int
    title: str = ""
    channel_line: str = ""
    weight_g: int | None = None
    price_minor: int = 0
    hs_code: str | None = None
    origin_country: str | None = None
    properties: tuple[Property, ...] = ()
    configuration: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class FulfillmentRequest:
    """One fulfillment order as it is handed to a 3PL or warehouse.

    `number` is unique in the hub and is what look-ups by reference use. `warehouse` is the fulfiller's own id of
    the location, from the location's settings, or "".
    """

    number: str
    order_number: str
    order_external_id: str
    currency: str
    lines: tuple[RequestLine, ...]
    ship_to: Address
    email: str | None = None
    warehouse: str = ""
    service: str | None = None
    ship_by: DatePromise | None = None
    note: str | None = None
    total_minor: int = 0
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The fulfiller has the request under `ref`; `accepted` is None when it decides later."""

    ref: str
    accepted: bool | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Answer to a cancellation; `accepted` is None when the fulfiller decides later."""

    accepted: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """One parcel that needs a label.

    `reference` is unique in the hub and is what look-ups use. Amounts are minor units of `currency`. `service` None
    asks for the cheapest. `label_format` is PDF, PNG or ZPL.
    """

    reference: str
    ship_from: Address
    ship_to: Address
    weight_g: int
    currency: str
    lines: tuple[RequestLine, ...]
    dimensions: Dimensions | None = None
    carrier: str | None = None
    service: str | None = None
    label_format: str = "PDF"


@dataclass(frozen=True, slots=True)
class Rate:
    """A price for one service; `amount_minor` in minor units of `currency`; `days` is the transit estimate."""

    ref: str
    carrier: str
    service: str
    amount_minor: int
    currency: str
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A bought label. `ref` is the carrier's id of the shipment, used to void and to look up."""

    ref: str
    carrier: str
    service: str
    tracking_number: str
    amount_minor: int
    currency: str
    label_format: str
    label: bytes = b""
    label_url: str | None = None
    tracking_url: str | None = None
    tracker_ref: str | None = None


@dataclass(frozen=True, slots=True)
class ShippedPackage:
    """A package as the channel is told of it; `lines` are (channel line id, units)."""

    tracking_number: str | None
    carrier: str | None
    lines: tuple[tuple[str, int], ...]
    tracking_url: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class ShipmentNotice:
    """What the channel is told when goods of one fulfillment order left.

    `reference` is unique in the hub. `shipped_at` is an RFC 3339 time in UTC. `location` is the channel's own id of
    the place they left from, when the location is linked to one.
    """

    reference: str
    order_external_id: str
    shipped_at: str
    packages: tuple[ShippedPackage, ...]
    location: str | None = None
    notify_customer: bool = True


@dataclass(frozen=True, slots=True)
class StockUpdate:
    """An absolute figure for one listing: what the channel may sell from now on.

    `listing` is the variant or listing id at the channel, `inventory_item` the id under which it keeps stock where
    that differs, `location` the channel's own place id ("" for channels without places). `previous` is the figure
    that the hub last told and the channel confirmed, for compare-and-set; None when never told. `as_of` is an
    RFC 3339 time in UTC.
    """

    listing: str
    sku: str
    quantity: int
    as_of: str
    inventory_item: str = ""
    location: str = ""
    previous: int | None = None
    product_type: str = ""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """Outcome for one item of a batch, in the order of the batch.

    `error` is None for success; `retry` says whether the same item may be sent again unchanged.
    `actual` is the figure found at the channel when a compare-and-set failed.
    """

    error: str | None = None
    retry: bool = False
    actual: int | None = None
