"""The canonical documents as frozen values.

Each class mirrors one object of `hub/schemas/*.v1.json`, field by field; the schema files carry the meaning of every
field. Amounts ending in `_minor` are integer minor units of the document's currency, times are aware UTC, absent
means unknown. Build them with `hub.schemas.parse`, which validates first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Address:
    name: str | None = None
    company: str | None = None
    line1: str | None = None
    line2: str | None = None
    line3: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None
    email: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    residential: bool | None = None


@dataclass(frozen=True, slots=True)
class Tax:
    amount_minor: int
    title: str | None = None
    rate: str | None = None
    included: bool | None = None
    jurisdiction: str | None = None
    channel_liable: bool | None = None


@dataclass(frozen=True, slots=True)
class Discount:
    amount_minor: int
    code: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Property:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class DatePromise:
    date: date
    zone: str


@dataclass(frozen=True, slots=True)
class Dimensions:
    length_mm: int
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True)
class OrderLine:
    external_id: str
    quantity: int
    total_minor: int
    sku: str | None = None
    external_product_id: str | None = None
    external_variant_id: str | None = None
    title: str | None = None
    variant_title: str | None = None
    ordered_quantity: int | None = None
    unit_price: str | None = None
    subtotal_minor: int | None = None
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    requires_shipping: bool = True
    gift_card: bool = False
    group_key: str | None = None
    weight_g: int | None = None
    hs_code: str | None = None
    origin_country: str | None = None
    properties: tuple[Property, ...] = ()
    configuration: Mapping[str, Any] | None = None
    fulfilled_by: str = "merchant"


@dataclass(frozen=True, slots=True)
class Payment:
    kind: str
    amount_minor: int
    status: str
    external_id: str | None = None
    gateway: str | None = None
    currency: str | None = None
    at: datetime | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class GiftCard:
    amount_minor: int
    last_digits: str | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    company: str | None = None
    locale: str | None = None
    accepts_marketing: bool | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ShippingCharge:
    amount_minor: int
    external_id: str | None = None
    title: str | None = None
    code: str | None = None
    carrier: str | None = None
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True)
class Fee:
    kind: str
    amount_minor: int
    title: str | None = None
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    taxes_included: bool
    total_minor: int
    subtotal_minor: int | None = None
    discount_minor: int | None = None
    shipping_minor: int | None = None
    tax_minor: int | None = None
    duty_minor: int | None = None
    fee_minor: int | None = None
    tip_minor: int | None = None
    refunded_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    ship_after: DatePromise | None = None
    ship_by: DatePromise | None = None
    deliver_after: DatePromise | None = None
    deliver_by: DatePromise | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    level: str
    score: str | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelHold:
    external_id: str
    reason: str
    until: datetime | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    currency: str
    rate: str
    source: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """order.v1"""

    external_id: str
    number: str
    revision: str
    placed_at: datetime
    currency: str
    status: str
    payment_status: str
    lines: tuple[OrderLine, ...]
    totals: Totals
    updated_at: datetime | None = None
    zone: str | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    test: bool = False
    payments: tuple[Payment, ...] = ()
    gift_cards: tuple[GiftCard, ...] = ()
    customer: Customer | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    delivery_method: str = "ship"
    pickup_location: str | None = None
    shipping: tuple[ShippingCharge, ...] = ()
    fees: tuple[Fee, ...] = ()
    discounts: tuple[Discount, ...] = ()
    schedule: Schedule | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    properties: tuple[Property, ...] = ()
    risk: Risk | None = None
    market: str | None = None
    sales_channel: str | None = None
    fulfilled_by: str = "merchant"
    partial: bool = False
    holds: tuple[ChannelHold, ...] = ()
    withheld: tuple[str, ...] = ()
    fx: ExchangeRate | None = None


@dataclass(frozen=True, slots=True)
class StockLevel:
    """inventory.v1"""

    external_id: str
    location: str
    as_of: datetime
    sku: str | None = None
    external_variant_id: str | None = None
    on_hand: int | None = None
    available: int | None = None
    committed: int | None = None
    incoming: int | None = None
    damaged: int | None = None


@dataclass(frozen=True, slots=True)
class FulfillmentLine:
    quantity: int
    external_id: str | None = None
    reference: str | None = None
    sku: str | None = None
    shipped: int | None = None
    cancelled: int | None = None


@dataclass(frozen=True, slots=True)
class Fulfillment:
    """fulfillment.v1"""

    external_id: str
    status: str
    reference: str | None = None
    revision: str | None = None
    reason: str | None = None
    reason_code: str | None = None
    updated_at: datetime | None = None
    lines: tuple[FulfillmentLine, ...] = ()


@dataclass(frozen=True, slots=True)
class PackageLine:
    quantity: int
    reference: str | None = None
    external_id: str | None = None
    sku: str | None = None


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    code: str
    at: datetime
    external_id: str | None = None
    raw_code: str | None = None
    message: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Package:
    external_id: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    carrier: str | None = None
    service: str | None = None
    weight_g: int | None = None
    dimensions: Dimensions | None = None
    label_url: str | None = None
    cost_minor: int | None = None
    lines: tuple[PackageLine, ...] = ()
    events: tuple[TrackingEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Shipment:
    """shipment.v1"""

    external_id: str
    status: str
    packages: tuple[Package, ...]
    fulfillment_reference: str | None = None
    fulfillment_external_id: str | None = None
    order_external_id: str | None = None
    revision: str | None = None
    carrier: str | None = None
    service: str | None = None
    shipped_at: datetime | None = None
    estimated_delivery: datetime | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    external_id: str
    inventory_external_id: str | None = None
    sku: str | None = None
    barcode: str | None = None
    title: str | None = None
    price: str | None = None
    currency: str | None = None
    weight_g: int | None = None
    dimensions: Dimensions | None = None
    hs_code: str | None = None
    origin_country: str | None = None
    tracked: bool | None = None
    requires_shipping: bool | None = None
    pack_size: int = 1
    options: tuple[Property, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """product.v1"""

    external_id: str
    title: str
    variants: tuple[Variant, ...]
    revision: str | None = None
    description: str | None = None
    vendor: str | None = None
    status: str | None = None
    kind: str | None = None
    tags: tuple[str, ...] = ()
    image_url: str | None = None
