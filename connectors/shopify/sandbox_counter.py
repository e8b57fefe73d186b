"""What people do in the sandbox's shop: put articles on sale, buy, change their minds, call off."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.shopify.sandbox_shop import (
    ADDRESS,
    CUSTOMER,
    Applied,
    FulfillmentOrder,
    Line,
    Location,
    Order,
    Payment,
    Product,
    Refund,
    Refused,
    Shop,
    Variant,
    Wish,
)
from hub.domain.money import distribute, exponent

Json = dict[str, Any]


class Counter:
    """The part of the sandbox that people use; it brings the methods, the sandbox has the shop and its lock."""

    __slots__ = ()

    state: Shop
    lock: threading.RLock

    def add_location(self, name: str, country: str = "US", *, active: bool = True) -> Location:
        """Open a place that keeps stock. There is one called Springfield from the beginning."""
        return self.state.add_location(name, country, active=active)

    def add_product(
        self,
        sku: str,
        price: str | Decimal = "10.00",
        *,
        title: str = "",
        stock: int | Mapping[int, int] = 0,
        grams: int = 250,
        gift_card: bool = False,
        ships: bool = True,
        options: Mapping[str, str] | None = None,
        product: Product | None = None,
        **more: Any,
    ) -> Variant:
        """Put an article on sale; `stock` is at the first location, or by location id. `product` adds a variant."""
        with self.lock:
            ids = self.state.ids
            if product is None:
                product = Product(next(ids), title or sku, self.state.now(), gift_card=gift_card, ships=ships, **more)
                self.state.products.append(product)
            name = title if options is None else " / ".join(options.values())
            made = Variant(next(ids), next(ids), sku, name or "Default Title", Decimal(price), grams=grams)
            made.options = options or {"Title": "Default Title"}
            made.tracked = not gift_card
            product.variants.append(made)
            shelves = stock if isinstance(stock, Mapping) else {self.state.locations[0].id: stock}
            for place, units in shelves.items():
                self.state.stock[made.item, place] = units
            return made

    def place_order(
        self,
        lines: Sequence[Wish],
        *,
        customer: Mapping[str, Any] | None = CUSTOMER,
        ship_to: Mapping[str, Any] | None = ADDRESS,
        bill_to: Mapping[str, Any] | None = None,
        currency: str = "",
        rate: str = "1",
        tax_rate: str = "0",
        tax_title: str = "Sales tax",
        taxes_included: bool = False,
        shipping: str = "0",
        shipping_title: str = "Standard",
        shipping_code: str = "standard",
        shipping_discount: str = "0",
        discount: tuple[str, str] | None = None,
        sale: tuple[str, str] | None = None,
        tip: str = "0",
        paid: str = "PAID",
        gateway: str = "shopify_payments",
        gift_card: str = "0",
        pickup_at: Location | None = None,
        **more: Any,
    ) -> Order:
        """Buy; each order is another customer's unless one is given.

        `discount` is (code, amount), `sale` (title, amount), both spread over the lines by their worth.

        `currency` is what the customer sees at `rate` per unit of the shop's; orders are kept in the shop's currency.
        `gift_card` is the part of the price that a gift card pays. `more` are further fields of `Order`: note,
        attributes, tags, risk, test, source, unexplained.
        """
        with self.lock:
            now, number = self.state.now(), next(self.state.numbers)
            if customer is CUSTOMER:
                letters = "".join("abcdefghij"[int(digit)] for digit in str(number))
                customer = {**CUSTOMER, "email": f"ada.{letters}@example.com"}
            buyer = None if customer is None else {"id": _customer_id(customer), **customer}
            order = Order(
                id=next(self.state.ids),
                number=number,
                placed=now,
                updated=now,
                lines=[self.state.line(wish) for wish in lines],
                customer=buyer,
                ship_to=None if pickup_at else _whole(ship_to),
                bill_to=_whole(bill_to or ship_to),
                currency=self.state.currency,
                customer_currency=currency or self.state.currency,
                rate=Decimal(rate),
                taxes_included=taxes_included,
                tax_rate=Decimal(tax_rate),
                tax_title=tax_title,
                shipping=Decimal(shipping),
                shipping_title="" if shipping_title == "" else pickup_at.name if pickup_at else shipping_title,
                shipping_code="pickup" if pickup_at else shipping_code,
                shipping_id=next(self.state.ids),
                shipping_discount=Decimal(shipping_discount),
                method="PICK_UP" if pickup_at else "SHIPPING",
                tip=Decimal(tip),
                paid=paid,
                **more,
            )
            if sale:
                _spread(order, Applied(Decimal(sale[1]), title=sale[0]))
            if discount:
                _spread(order, Applied(Decimal(discount[1]), code=discount[0]))
            if order.shipping_discount:
                order.applied.append(Applied(order.shipping_discount, title="Shipping offer"))
            self.state.assign(order, order.lines, pickup_at)
            if paid == "PAID":
                self._pay(order, gateway, Decimal(gift_card))
            self.state.orders[order.id] = order
            return order

    def edit_order(
        self,
        order_id: int,
        units: Mapping[str, int] | None = None,
        *,
        add: Sequence[Wish] = (),
        ship_to: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Order:
        """Change an order: `units` still wanted by SKU, lines to `add`, an address, a note, tags or attributes.

        Raises Refused when units have left already.
        """
        with self.lock:
            order = self.state.order(order_id)
            for sku, wanted in (units or {}).items():
                self._set_units(order, next(line for line in order.lines if line.sku == sku), wanted)
            added = [self.state.line(wish) for wish in add]
            order.lines += added
            self.state.assign(order, added)
            if ship_to is not None:
                order.ship_to = _whole(ship_to)
            for name, value in changes.items():
                setattr(order, name, value)
            self.state.touch(order)
            return order

    def cancel_order(self, order_id: int, reason: str = "customer", *, refund: bool = True) -> Order:
        """Call an order off and give the money back. Raises Refused when something has been fulfilled."""
        with self.lock:
            order = self.state.order(order_id)
            if any(one.status == "SUCCESS" for one in order.fulfillments):
                raise Refused("Cannot cancel a fulfilled order")
            paid = sum((one.amount for one in order.payments if one.kind == "SALE"), Decimal(0))
            self._refund(order, [(line, line.wanted) for line in order.lines], paid if refund else Decimal(0))
            order.shipping_now, order.tip = Decimal(0), Decimal(0)
            order.cancelled, order.cancel_reason = self.state.now(), reason
            order.paid = "REFUNDED" if paid and refund else "VOIDED"
            for one in order.fulfillment_orders:
                one.status = "CANCELLED"
            self.state.touch(order)
            return order

    def refund_order(
        self, order_id: int, units: Mapping[str, int], *, amount: str, shipping: str = "0", restock: bool = True
    ) -> Order:
        """Give money back for units by SKU that have not left, and so much of the shipping."""
        with self.lock:
            order = self.state.order(order_id)
            by_sku = {line.sku: line for line in order.lines}
            self._refund(order, [(by_sku[sku], n) for sku, n in units.items()], Decimal(amount), restock=restock)
            if Decimal(shipping):
                order.shipping_now = order.shipping_current - Decimal(shipping)
            order.paid = "PARTIALLY_REFUNDED"
            self.state.touch(order)
            return order

    def hold(
        self, order_id: int, skus: Sequence[str] = (), *, reason: str = "Other", held: bool = True
    ) -> FulfillmentOrder:
        """Put what is open of an order on hold, or release it; `skus` are put apart first. What was done last."""
        with self.lock:
            order = self.state.order(order_id)
            chosen = [one for one in self._parts(order, skus) if one.status in {"OPEN", "ON_HOLD"}]
            for one in chosen:
                one.status = "ON_HOLD" if held else "OPEN"
                one.holds = {next(self.state.ids): reason} if held else {}
                self.state.touch_work(order, one)
            return chosen[-1]

    def schedule(self, order_id: int, at: datetime | None, skus: Sequence[str] = ()) -> FulfillmentOrder:
        """Let what is open of an order be shipped from a day on, or now; `skus` are put apart first."""
        with self.lock:
            order = self.state.order(order_id)
            chosen = [one for one in self._parts(order, skus) if one.status in {"OPEN", "SCHEDULED"}]
            for one in chosen:
                one.status, one.fulfil_at = ("OPEN", None) if at is None else ("SCHEDULED", at)
                self.state.touch_work(order, one)
            return chosen[-1]

    def _parts(self, order: Order, skus: Sequence[str]) -> list[FulfillmentOrder]:
        """The fulfillment orders of an order, or those of some of its SKUs, which get one of their own."""
        if not skus:
            return list(order.fulfillment_orders)
        return [part for one in list(order.fulfillment_orders) for part in self._part(order, one, skus)]

    def _part(self, order: Order, one: FulfillmentOrder, skus: Sequence[str]) -> list[FulfillmentOrder]:
        mine = [row for row in one.lines if row.line.sku in skus]
        if not mine or len(mine) == len(one.lines):
            return [one] if mine else []
        one.lines = [row for row in one.lines if row not in mine]
        self.state.touch_work(order, one)
        apart = FulfillmentOrder(next(self.state.ids), one.location, one.method, mine, one.updated)
        order.fulfillment_orders.append(apart)
        return [apart]

    def fulfillments(self, order_id: int | str) -> list[Json]:
        """What has been fulfilled of an order: id, tracking, company, units by line id, whether mail was sent."""
        return [
            {
                "id": str(one.id),
                "numbers": list(one.numbers),
                "company": one.company,
                "units": {str(line.id): units for line, units in one.units},
                "notified": one.notified,
            }
            for one in self.state.order(order_id).fulfillments
        ]

    def available(self, sku: str, location: Location | None = None) -> int:
        """What the shop may still sell of a SKU at a location, by default the first."""
        found = self.state.by_sku(sku)
        if found is None:
            raise KeyError(sku)
        return self.state.stock[found[1].item, (location or self.state.locations[0]).id]

    def _pay(self, order: Order, gateway: str, by_card: Decimal) -> None:
        total = order.sums(current=True).total
        if by_card:
            order.payments.append(
                Payment(next(self.state.ids), "SALE", by_card, "gift_card", order.placed, account="•••• 4f2a")
            )
        if total > by_card:
            order.payments.append(Payment(next(self.state.ids), "SALE", total - by_card, gateway, order.placed))

    def _refund(
        self, order: Order, units: Sequence[tuple[Line, int]], amount: Decimal, *, restock: bool = True
    ) -> None:
        for line, taken in units:
            self.state.take_off(order, line, taken, restock=restock)
        gateway = order.payments[0].gateway if order.payments else "manual"
        now = self.state.now()
        payment = Payment(next(self.state.ids), "REFUND", amount, gateway, now) if amount else None
        if payment:
            order.payments.append(payment)
        order.refunds.append(Refund(next(self.state.ids), now, list(units), payment))

    def _set_units(self, order: Order, line: Line, wanted: int) -> None:
        if wanted > line.ordered:
            raise Refused("add a line for more units")
        if wanted < line.wanted:
            self._refund(order, [(line, line.wanted - wanted)], Decimal(0))


def _spread(order: Order, applied: Applied) -> None:
    """Give every line its share of a discount, by worth, to the minor unit."""
    order.applied.append(applied)
    unit = Decimal(1).scaleb(-exponent(order.currency))
    worth = [int(line.price * line.ordered / unit) for line in order.lines]
    for line, share in zip(order.lines, distribute(int(applied.amount / unit), worth), strict=True):
        if share:
            line.shares[len(order.applied) - 1] = share * unit


def _whole(address: Mapping[str, Any] | None) -> Json | None:
    return None if address is None else dict(address)


def _customer_id(customer: Mapping[str, Any]) -> int:
    """The same person has the same id whenever they buy."""
    said = str(customer.get("email") or sorted(customer.items()))
    return 6_000_000_000 + int.from_bytes(hashlib.sha256(said.encode()).digest()[:4], "big")
