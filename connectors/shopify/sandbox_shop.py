"""The sandbox's shop: products, stock by location, orders and what happens to them. Nothing here speaks HTTP.

Amounts are decimals in the shop's currency. What an order costs now is worked out from its units as Shopify does it:
the sum is exact and rounded once, so shares of single lines may be off by a minor unit.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hub.domain.money import exponent

ADDRESS = {
    "name": "Ada Example",
    "address1": "1 Example Street",
    "city": "Springfield",
    "province": "Illinois",
    "province_code": "IL",
    "zip": "62701",
    "country": "United States",
    "country_code": "US",
    "phone": "+12175550100",
}
CUSTOMER = {"first_name": "Ada", "last_name": "Example", "email": "ada@example.com", "phone": "+12175550100"}

Wish = tuple[str, int] | Mapping[str, Any]
"""A line to order: (sku, units), or an object with sku, quantity and what else `Line` has."""


class Refused(Exception):
    """Shopify would not do this; the text is what it would say."""


@dataclass(slots=True)
class Variant:
    id: int
    item: int
    sku: str
    title: str
    price: Decimal
    barcode: str = ""
    grams: int = 0
    tracked: bool = True
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Product:
    id: int
    title: str
    updated: datetime
    variants: list[Variant] = field(default_factory=list)
    vendor: str = "Demo"
    description: str = ""
    status: str = "ACTIVE"
    tags: list[str] = field(default_factory=list)
    gift_card: bool = False
    ships: bool = True


@dataclass(slots=True)
class Location:
    id: int
    name: str
    country: str = "US"
    active: bool = True


@dataclass(slots=True)
class Applied:
    """A discount of an order: one with a code, or one that the shop gave by itself under a title."""

    amount: Decimal
    code: str = ""
    title: str = ""


@dataclass(slots=True)
class Line:
    """`ordered` units ever, `wanted` of them still; `shares` are discounts for all ordered units, by their place."""

    id: int
    title: str
    price: Decimal
    ordered: int
    wanted: int
    sku: str = ""
    product: Product | None = None
    variant: Variant | None = None
    shares: dict[int, Decimal] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    ships: bool = True
    gift_card: bool = False
    taxed: bool = True
    grams: int = 0
    service: str = "manual"
    duty: Decimal = Decimal(0)
    hs_code: str = ""
    origin: str = ""

    def cost(self, units: int) -> Decimal:
        """What so many units cost after discounts, not rounded."""
        taken = sum(self.shares.values(), Decimal(0))
        return self.price * units - (taken * units / self.ordered if self.ordered else 0)


@dataclass(slots=True)
class OpenUnits:
    id: int
    line: Line
    total: int
    remaining: int


@dataclass(slots=True)
class FulfillmentOrder:
    id: int
    location: Location
    method: str
    lines: list[OpenUnits]
    updated: datetime
    status: str = "OPEN"
    holds: dict[int, str] = field(default_factory=dict)  # why it is held, by the hold's id
    fulfil_at: datetime | None = None


@dataclass(slots=True)
class Fulfillment:
    id: int
    created: datetime
    units: list[tuple[Line, int]]
    company: str = ""
    numbers: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    notified: bool = False
    status: str = "SUCCESS"


@dataclass(slots=True)
class Payment:
    id: int
    kind: str
    amount: Decimal
    gateway: str
    at: datetime
    status: str = "SUCCESS"
    account: str = ""


@dataclass(slots=True)
class Refund:
    id: int
    at: datetime
    units: list[tuple[Line, int]]
    payment: Payment | None


@dataclass(slots=True)
class Order:
    id: int
    number: int
    placed: datetime
    updated: datetime
    lines: list[Line]
    customer: Mapping[str, Any] | None
    ship_to: Mapping[str, Any] | None
    bill_to: Mapping[str, Any] | None
    currency: str
    customer_currency: str
    rate: Decimal
    taxes_included: bool
    tax_rate: Decimal
    tax_title: str
    shipping: Decimal
    shipping_title: str
    shipping_code: str
    shipping_id: int
    shipping_discount: Decimal = Decimal(0)
    shipping_now: Decimal | None = None
    method: str = "SHIPPING"
    tip: Decimal = Decimal(0)
    unexplained: Decimal = Decimal(0)  # in its total and in nothing else, as faulty apps have written it
    applied: list[Applied] = field(default_factory=list)
    paid: str = "PAID"
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    fulfillment_orders: list[FulfillmentOrder] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    note: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    risk: str = "LOW"
    test: bool = False
    source: str = "web"
    cancelled: datetime | None = None
    cancel_reason: str = ""
    closed: datetime | None = None

    @property
    def name(self) -> str:
        return f"#{self.number}"

    @property
    def shipping_first(self) -> Decimal:
        """Shipping after its discounts, before anything was given back."""
        return self.shipping - self.shipping_discount

    @property
    def shipping_current(self) -> Decimal:
        return self.shipping_first if self.shipping_now is None else self.shipping_now

    def rounded(self, amount: Decimal) -> Decimal:
        return amount.quantize(Decimal(1).scaleb(-exponent(self.currency)), ROUND_HALF_UP)

    def tax_in(self, cost: Decimal) -> Decimal:
        """The tax that lies on a cost, or in it where prices include it; not rounded."""
        return cost - cost / (1 + self.tax_rate) if self.taxes_included else cost * self.tax_rate

    def line_tax(self, line: Line) -> Decimal:
        """The tax of all ordered units of a line."""
        return self.rounded(self.tax_in(line.cost(line.ordered))) if line.taxed else Decimal(0)

    @property
    def shipping_tax(self) -> Decimal:
        return self.rounded(self.tax_in(self.shipping_first))

    def sums(self, *, current: bool) -> Sums:
        """The order's totals, now or before anything was taken off."""
        units = [(line, line.wanted if current else line.ordered) for line in self.lines]
        shipping = self.shipping_current if current else self.shipping_first
        taxes = sum((self.line_tax(line) * n / line.ordered for line, n in units if line.ordered), Decimal(0))
        if self.shipping_first:
            taxes += self.shipping_tax * shipping / self.shipping_first
        subtotal = self.rounded(sum((line.cost(n) for line, n in units), Decimal(0)))
        full = sum((line.price * n for line, n in units), Decimal(0))
        duties = self.rounded(sum((line.duty * n / line.ordered for line, n in units if line.ordered), Decimal(0)))
        tax = self.rounded(taxes)
        total = subtotal + shipping + duties + self.tip + (0 if self.taxes_included else tax) + self.unexplained
        return Sums(subtotal, full - subtotal + self.shipping_discount, tax, duties, total)


@dataclass(frozen=True, slots=True)
class Sums:
    subtotal: Decimal
    discount: Decimal
    tax: Decimal
    duties: Decimal
    total: Decimal


@dataclass(slots=True)
class Shop:
    """`stock` holds what may be sold, by (inventory item, location)."""

    currency: str
    clock: Callable[[], datetime]
    products: list[Product] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)
    stock: dict[tuple[int, int], int] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(7_000_000_001))
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    def now(self) -> datetime:
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def add_location(self, name: str, country: str = "US", *, active: bool = True) -> Location:
        self.locations.append(Location(next(self.ids), name, country, active))
        return self.locations[-1]

    def variants(self) -> Iterator[tuple[Product, Variant]]:
        return ((product, variant) for product in self.products for variant in product.variants)

    def by_sku(self, sku: str) -> tuple[Product, Variant] | None:
        return next((pair for pair in self.variants() if pair[1].sku == sku), None)

    def order(self, order_id: int | str) -> Order:
        """The order with an id. Raises KeyError."""
        return self.orders[int(order_id)]

    def touch(self, order: Order) -> None:
        """Two changes within one second get two times, so that the later one can be told apart."""
        order.updated = self._next_time(order)

    def touch_work(self, order: Order, one: FulfillmentOrder) -> None:
        """A fulfillment order changes without its order being changed."""
        one.updated = self._next_time(order)

    def _next_time(self, order: Order) -> datetime:
        last = max(order.updated, *(one.updated for one in order.fulfillment_orders))
        return max(self.now(), last + timedelta(seconds=1))

    def line(self, wish: Wish) -> Line:
        given: dict[str, Any] = {"sku": wish[0], "quantity": wish[1]} if isinstance(wish, tuple) else dict(wish)
        known = self.by_sku(given["sku"]) if given.get("sku") else None
        product, variant = known or (None, None)
        units = int(given.pop("quantity", 1))
        amounts: dict[str, Any] = {name: Decimal(str(given.pop(name))) for name in ("price", "duty") if name in given}
        made: dict[str, Any] = {"title": given.get("sku") or "Custom item", "price": Decimal(0), **given}
        if product and variant:
            made = {
                "title": product.title,
                "price": variant.price,
                "grams": variant.grams,
                "ships": product.ships,
                "gift_card": product.gift_card,
                "taxed": not product.gift_card,
                **given,
            }
        made.update(amounts)
        return Line(next(self.ids), ordered=units, wanted=units, product=product, variant=variant, **made)

    def assign(self, order: Order, lines: Sequence[Line], at: Location | None = None) -> None:
        """Give lines to locations that have them, take their units from what may be sold, open fulfillment orders."""
        groups: dict[int, list[OpenUnits]] = {}
        for line in lines:
            if line.variant and line.variant.tracked:
                place = at or self._place_with(line)
                key = (line.variant.item, place.id)
                self.stock[key] = self.stock.get(key, 0) - line.wanted
            else:
                place = at or self.locations[0]
            if line.ships and line.wanted:
                groups.setdefault(place.id, []).append(OpenUnits(next(self.ids), line, line.wanted, line.wanted))
        places = {place.id: place for place in self.locations}
        order.fulfillment_orders += [
            FulfillmentOrder(next(self.ids), places[place], order.method, open_, order.updated)
            for place, open_ in groups.items()
        ]

    def _place_with(self, line: Line) -> Location:
        active = [place for place in self.locations if place.active]
        item = line.variant.item if line.variant else 0
        enough = (place for place in active if self.stock.get((item, place.id), 0) >= line.wanted)
        return next(enough, active[0])

    def take_off(self, order: Order, line: Line, units: int, *, restock: bool = True) -> None:
        """Remove units that have not shipped from a line, and put them back on sale. Raises Refused."""
        open_ = [(one, row) for one in order.fulfillment_orders for row in one.lines if row.line is line]
        if line.ships and sum(row.remaining for _, row in open_) < units:
            raise Refused("Quantity to remove is more than what is still unfulfilled")
        line.wanted -= units
        for one, row in open_:
            here = min(units, row.remaining)
            row.remaining, row.total, units = row.remaining - here, row.total - here, units - here
            if restock and line.variant:
                key = (line.variant.item, one.location.id)
                self.stock[key] = self.stock.get(key, 0) + here
            if not any(row.remaining for row in one.lines):
                one.status = "CLOSED" if any(row.total for row in one.lines) else "CANCELLED"
