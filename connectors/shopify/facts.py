"""Reading the money of an order out of its two shapes: GraphQL (polled) and REST (webhooks).

Amounts are those in the shop's currency throughout: Shopify states every one of them in it, and taxes, refunds and
payouts are consistent there. What the customer saw in another currency is kept as the order's exchange rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.shopify.amounts import DiscountShare, DutyShare, LineFacts, OrderFacts, ShippingFacts, TaxShare
from hub.domain.money import to_minor

Json = Mapping[str, Any]

WORK_ID = "gid://shopify/FulfillmentOrder/"
KEPT_BACK = frozenset({"ON_HOLD", "SCHEDULED"})
"""States of a fulfillment order that is not to be shipped now."""


def order_facts(order: Json) -> OrderFacts:
    """The money of an order in either shape. Raises ValueError naming what cannot be read."""
    return _Graph(order).facts() if "lineItems" in order else _Rest(order).facts()


def numeric_id(value: Any) -> str:
    """The number in a global id such as gid://shopify/Order/17, or the plain id as text."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"{value!r} is not an id")  # noqa: TRY004 - wrong data, not a wrong call
    return str(value).rsplit("/", 1)[-1].partition("?")[0]


def revision_of(order: Json) -> str:
    """When the order was last changed, or a part of it that people are to ship, as text that can be compared.

    Shopify puts a fulfillment order on hold and lets it go without a word of the order itself.
    """
    parts = _nodes(order.get("fulfillmentOrders"))
    times = [order["updatedAt"], *(one["updatedAt"] for one in parts if one.get("updatedAt"))]
    return max(instant(time) for time in times)


def instant(text: Any) -> str:
    """A time as text in UTC. Raises ValueError for one that cannot be read."""
    moment = datetime.fromisoformat(str(text)).astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def decimal_text(value: Any) -> str:
    """A number of JSON as plain decimal text, never with an exponent."""
    try:
        number = Decimal(repr(value) if isinstance(value, float) else str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a number")
    return f"{number:f}"


def is_tip(title: Any, *, sold: Any, ships: Any) -> bool:
    """Shopify books a tip as a line of its own, which is no product and is not shipped."""
    return title == "Tip" and not sold and not ships


class _Graph:
    def __init__(self, order: Json) -> None:
        self.order = order
        self.currency = str(order["currencyCode"])

    def facts(self) -> OrderFacts:
        order = self.order
        return OrderFacts(
            lines=tuple(self._line(line) for line in order["lineItems"]["nodes"]),
            shipping=tuple(self._shipping(charge) for charge in _nodes(order.get("shippingLines"))),
            taxes_included=bool(order.get("taxesIncluded")),
            duties_included=bool(order.get("dutiesIncluded")),
            order_taxes=self._taxes(order.get("taxLines")),
            tip=self._stated("totalTipReceivedSet") or 0,
            extra_fees=self._stated("currentTotalAdditionalFeesSet") or 0,
            total=self._money(order["currentTotalPriceSet"]),
            first_total=self._money(order["totalPriceSet"]),
            subtotal=self._stated("currentSubtotalPriceSet"),
            tax=self._stated("currentTotalTaxSet"),
            discount=self._stated("currentTotalDiscountsSet"),
            refunded=self._stated("totalRefundedSet"),
            named_discounts=(),
        )

    def _line(self, line: Json) -> LineFacts:
        wanted = int(line["currentQuantity"])
        return LineFacts(
            external_id=numeric_id(line["id"]),
            ordered=int(line["quantity"]),
            wanted=wanted,
            subtotal=self._minor(Decimal(line["originalUnitPriceSet"]["shopMoney"]["amount"]) * wanted),
            discounts=self._discounts(line.get("discountAllocations")),
            taxes=self._taxes(line.get("taxLines")),
            duties=tuple(
                DutyShare(self._money(duty["price"]), self._taxes(duty.get("taxLines")))
                for duty in line.get("duties") or ()
            ),
            is_tip=is_tip(
                line["title"], sold=line.get("product") or line.get("variant"), ships=line["requiresShipping"]
            ),
        )

    def _shipping(self, charge: Json) -> ShippingFacts:
        return ShippingFacts(
            external_id=numeric_id(charge["id"]) if charge.get("id") else None,
            amount=self._money(charge["currentDiscountedPriceSet"]),
            charged=self._money(charge["discountedPriceSet"]),
            title=charge.get("title"),
            code=charge.get("code"),
            carrier=charge.get("carrierIdentifier"),
            discounts=self._discounts(charge.get("discountAllocations")),
            taxes=self._taxes(charge.get("taxLines")),
        )

    def _discounts(self, allocations: Iterable[Json] | None) -> tuple[DiscountShare, ...]:
        shares = []
        for one in allocations or ():
            applied = one["discountApplication"]
            amount = self._money(one["allocatedAmountSet"])
            shares.append(DiscountShare(amount, applied.get("index"), applied.get("code"), applied.get("title")))
        return tuple(share for share in shares if share.amount)

    def _taxes(self, taxes: Iterable[Json] | None) -> tuple[TaxShare, ...]:
        return tuple(
            TaxShare(self._money(tax["priceSet"]), tax.get("title"), _rate(tax.get("rate")), tax.get("channelLiable"))
            for tax in taxes or ()
        )

    def _stated(self, name: str) -> int | None:
        bag = self.order.get(name)
        return None if bag is None else self._money(bag)

    def _money(self, bag: Json) -> int:
        return self._minor(bag["shopMoney"]["amount"])

    def _minor(self, amount: Any) -> int:
        return to_minor(decimal_text(amount), self.currency)


class _Rest:
    def __init__(self, order: Json) -> None:
        self.order = order
        self.currency = str(order["currency"])
        self.applications: Sequence[Json] = order.get("discount_applications") or ()

    def facts(self) -> OrderFacts:
        order = self.order
        total = self._first("current_total_price", "total_price")
        if total is None:
            raise ValueError("the order states no total_price")
        lines = [line for line in order.get("line_items") or () if line.get("id") is not None]
        kept = [charge for charge in order.get("shipping_lines") or () if not charge.get("is_removed")]
        return OrderFacts(
            lines=tuple(self._line(line) for line in lines),
            shipping=tuple(self._shipping(charge) for charge in kept),
            taxes_included=bool(order.get("taxes_included")),
            duties_included=bool(order.get("duties_included")),
            order_taxes=self._taxes(order.get("tax_lines")),
            tip=self._first("total_tip_received") or 0,
            extra_fees=self._bag(order.get("current_total_additional_fees_set")) or 0,
            total=total,
            first_total=self._first("total_price") or total,
            subtotal=self._first("current_subtotal_price"),
            tax=self._first("current_total_tax", "total_tax"),
            discount=self._first("current_total_discounts", "total_discounts"),
            refunded=self._refunded(),
            named_discounts=tuple(
                DiscountShare(self._minor(one.get("amount") or 0), code=one.get("code"))
                for one in order.get("discount_codes") or ()
            ),
        )

    def _line(self, line: Json) -> LineFacts:
        ordered = int(line["quantity"])
        stated = line.get("current_quantity")
        wanted = ordered - self._refunded_units(line["id"]) if stated is None else int(stated)
        return LineFacts(
            external_id=numeric_id(line["id"]),
            ordered=ordered,
            wanted=max(wanted, 0),
            subtotal=self._minor(Decimal(decimal_text(line["price"])) * max(wanted, 0)),
            discounts=self._discounts(line.get("discount_allocations")),
            taxes=self._taxes(line.get("tax_lines")),
            duties=tuple(self._duty(duty) for duty in line.get("duties") or ()),
            is_tip=bool(line.get("tip"))
            or is_tip(
                line.get("title"),
                sold=line.get("product_id") or line.get("variant_id"),
                ships=line.get("requires_shipping"),
            ),
        )

    def _shipping(self, charge: Json) -> ShippingFacts:
        discounts = self._discounts(charge.get("discount_allocations"))
        listed = self._minor(charge["price"])
        charged = self._minor(charge["discounted_price"]) if charge.get("discounted_price") is not None else None
        if charged is None:
            charged = listed - sum(share.amount for share in discounts)
        now = self._bag(charge.get("current_discounted_price_set"))
        return ShippingFacts(
            external_id=numeric_id(charge["id"]) if charge.get("id") is not None else None,
            amount=charged if now is None else now,
            charged=charged,
            title=charge.get("title"),
            code=charge.get("code"),
            carrier=charge.get("carrier_identifier"),
            discounts=discounts,
            taxes=self._taxes(charge.get("tax_lines")),
        )

    def _discounts(self, allocations: Iterable[Json] | None) -> tuple[DiscountShare, ...]:
        shares = []
        for one in allocations or ():
            place = int(one["discount_application_index"])
            applied = self.applications[place] if place < len(self.applications) else {}
            shares.append(DiscountShare(self._minor(one["amount"]), place, applied.get("code"), applied.get("title")))
        return tuple(share for share in shares if share.amount)

    def _taxes(self, taxes: Iterable[Json] | None) -> tuple[TaxShare, ...]:
        return tuple(
            TaxShare(self._minor(tax["price"]), tax.get("title"), _rate(tax.get("rate")), tax.get("channel_liable"))
            for tax in taxes or ()
        )

    def _duty(self, duty: Json) -> DutyShare:
        price = duty.get("shop_money") or duty["price_set"]["shop_money"]
        return DutyShare(self._minor(price["amount"]), self._taxes(duty.get("tax_lines")))

    def _refunded_units(self, line_id: Any) -> int:
        """Units of a line that refunds took off, for payloads from before current_quantity."""
        refunded = [row for refund in self.order.get("refunds") or () for row in refund.get("refund_line_items") or ()]
        return sum(int(row["quantity"]) for row in refunded if row.get("line_item_id") == line_id)

    def _refunded(self) -> int | None:
        refunds = self.order.get("refunds")
        if refunds is None:
            return None
        paid_back = [payment for refund in refunds for payment in refund.get("transactions") or ()]
        return sum(
            self._minor(payment["amount"])
            for payment in paid_back
            if payment.get("kind") == "refund" and payment.get("status") == "success"
        )

    def _first(self, *names: str) -> int | None:
        stated = next((self.order[name] for name in names if self.order.get(name) is not None), None)
        return None if stated is None else self._minor(stated)

    def _bag(self, bag: Json | None) -> int | None:
        return self._minor(bag["shop_money"]["amount"]) if bag else None

    def _minor(self, amount: Any) -> int:
        return to_minor(decimal_text(amount), self.currency)


def _nodes(connection: Json | None) -> Sequence[Json]:
    return (connection or {}).get("nodes") or ()


def _rate(value: Any) -> str | None:
    return None if value is None else decimal_text(value)
