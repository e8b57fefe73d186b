"""What the field maps of Amazon cannot say: money, ship-by days, quantities that are still wanted. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.marketplaces.amazon import figures
from connectors.marketplaces.amazon.figures import Charges
from connectors.marketplaces.amazon.marketplaces import MARKETPLACES

_FEES = {"GIFT_WRAP": ("gift_wrap", "Gift wrap"), "COD_FEE": ("fee", "Cash on delivery"), "OTHER": ("other", "Other")}
_UNPRICED = ("PENDING", "PENDING_AVAILABILITY", "CANCELLED")
_REPLACES = ("REPLACEMENT_ORIGINAL_ID", "EXCHANGE_ORIGINAL_ID")


@dataclass(frozen=True, slots=True)
class Books:
    """The money of a whole order; `total` is what the customer pays, in minor units of `currency`."""

    currency: str
    items: tuple[Charges, ...]
    tips: int
    total: int
    taxes_included: bool


def is_v0(order: Mapping[str, Any]) -> bool:
    """Whether an order is in the shape of Orders v0, joined with its items."""
    return "Order" in order


def join_v0(order: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An order of Orders v0 and its items as one record, the form that the v0 map reads."""
    return {"Order": dict(order), "OrderItems": [dict(item) for item in items]}


def revision(stated: str) -> str:
    """A moment in UTC with microseconds, of fixed width, to be compared as text."""
    moment = datetime.fromisoformat(stated).astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def currency(order: Mapping[str, Any]) -> str | None:
    """The order's currency: as stated with its money, else the marketplace's (orders without prices), else None."""
    for money in _stated_money(order):
        code = money.get("currencyCode") or money.get("CurrencyCode")
        if code:
            return str(code)
    place = MARKETPLACES.get(_marketplace(order))
    return place.currency if place else None


def books(order: Mapping[str, Any]) -> Books:
    """The money of an order of either API version. Raises ValueError when an amount cannot be read."""
    code = currency(order) or ""
    if is_v0(order):
        return _books_v0(order, code)
    items = tuple(charges(item, order, code) for item in order.get("orderItems") or ())
    tips = figures.tips(order, code)
    grand = (order.get("proceeds") or {}).get("grandTotal")
    total = figures.amount(grand, code) + sum(item.unstated for item in items) if grand else figures.total(items) + tips
    return Books(code, items, tips, total, any(item.included for item in items))


def _books_v0(order: Mapping[str, Any], code: str) -> Books:
    stated = order["Order"].get("OrderTotal")
    total = figures.amount(stated, code)
    read = [figures.read_v0(item, code) for item in order.get("OrderItems") or ()]
    items = tuple(figures.settle(read, total if stated else None, tax_on_top=_tax_on_top(order)))
    total += sum(item.unstated for item in items)
    return Books(code, items, 0, total if stated else figures.total(items), any(item.included for item in items))


def charges(item: Mapping[str, Any], order: Mapping[str, Any], code: str) -> Charges:
    """The money of one item of Orders 2026-01-01.

    An order that is ready to ship and states no proceeds at all, as when the application may not see them, is priced
    by its unit prices; pending, cancelled and replacement orders cost nothing until Amazon says so.
    """
    if not item.get("proceeds") and not order.get("proceeds") and not _is_free(order):
        return figures.from_unit_price(item, code)
    stated = figures.stated_total(item, code)
    return figures.settle([figures.read(item, code)], stated, tax_on_top=_tax_on_top(order))[0]


def item_charges(item: Mapping[str, Any], order: Mapping[str, Any]) -> Charges:
    """The money of one item, for the line that it becomes."""
    if is_v0(order):
        place = next(place for place, other in enumerate(order["OrderItems"]) if other is item)
        return books(order).items[place]
    return charges(item, order, currency(order) or "")


def line_subtotal_minor(item: Any, env: Any) -> int:
    """All ordered units before discounts."""
    return item_charges(item, env.root).charge.get("ITEM", 0)


def line_total_minor(item: Any, env: Any) -> int:
    """All ordered units after discounts."""
    return item_charges(item, env.root).net("ITEM")


def line_discounts(item: Any, env: Any) -> list[dict[str, Any]]:
    """The discount on the article, named by its promotions: Amazon states one sum for all of them."""
    amount = item_charges(item, env.root).off.get("ITEM", 0)
    if not amount:
        return []
    named = (item.get("promotion") or {}).get("breakdowns") or ()
    titles = [entry["promotionId"] for entry in named if entry.get("promotionId")] or item.get("PromotionIds") or []
    return [{"amount_minor": amount, **({"title": ", ".join(titles)} if titles else {})}]


def line_taxes(item: Any, env: Any) -> list[dict[str, Any]]:
    """Tax on the article; title is the reporting scheme (IOSS, UOSS) where one is stated."""
    return _taxes([item_charges(item, env.root)], "ITEM", _scheme(item))


def line_quantity(item: Any, _env: Any) -> int:
    """Units still wanted: none of a cancelled item, unless Amazon still counts some as shipped or to be shipped."""
    ordered = int(item["quantityOrdered"])
    if not (item.get("cancellation") or {}).get("cancellationExecution"):
        return ordered
    counts = item.get("fulfillment") or {}
    return min(ordered, int(counts.get("quantityFulfilled") or 0) + int(counts.get("quantityUnfulfilled") or 0))


def shipping(order: Any, _env: Any) -> list[dict[str, Any]]:
    """One charge for the whole order, with the promised speed as its code, also when shipping is free."""
    money = books(order)
    level = (order.get("fulfillment") or {}).get("fulfillmentServiceLevel")
    if is_v0(order):
        level = order["Order"].get("ShipmentServiceLevelCategory")
    amount = sum(item.net("SHIPPING") for item in money.items)
    off = sum(item.off.get("SHIPPING", 0) for item in money.items)
    taxes = _taxes(money.items, "SHIPPING", "Tax")
    if not (level or amount or taxes):
        return []
    charge: dict[str, Any] = {"amount_minor": amount}
    if level:
        charge |= {"title": level.replace("_", " ").capitalize(), "code": level}
    if off:
        charge["discounts"] = [{"amount_minor": off}]
    return [charge | ({"taxes": taxes} if taxes else {})]


def fees(order: Any, _env: Any) -> list[dict[str, Any]]:
    """Gift wrap, cash-on-delivery fee, other charges and tips, each summed over the order."""
    money = books(order)
    made: list[dict[str, Any]] = []
    for part, (kind, title) in _FEES.items():
        amount = sum(item.net(part) for item in money.items)
        taxes = _taxes(money.items, part, "Tax")
        if amount or taxes:
            made.append({"kind": kind, "title": title, "amount_minor": amount} | ({"taxes": taxes} if taxes else {}))
    return [*made, {"kind": "tip", "title": "Delivery tip", "amount_minor": money.tips}] if money.tips else made


def promise(moment: Any, env: Any) -> dict[str, str] | None:
    """The day of a moment at the marketplace; None where the marketplace, and so its day, is not known."""
    place = MARKETPLACES.get(_marketplace(env.root))
    if place is None:
        return None
    day = datetime.fromisoformat(moment).astimezone(ZoneInfo(place.zone)).date()
    return {"date": day.isoformat(), "zone": place.zone}


def residential(kind: Any, _env: Any) -> bool | None:
    """Whether an address is a home; None for pickup points and whatever else is said."""
    return {"RESIDENTIAL": True, "COMMERCIAL": False}.get(str(kind).upper())


def zone(order: Any, _env: Any) -> str | None:
    """The marketplace's time zone."""
    place = MARKETPLACES.get(_marketplace(order))
    return place.zone if place else None


def payment_status(order: Any, _env: Any) -> str:
    """Amazon takes the money before it releases an order, so whatever is past pending is paid.

    Cash on delivery is collected by the carrier after shipping: those are terms, to be shipped before they are paid.
    A status that is not known says nothing about money.
    """
    head = order["Order"] if is_v0(order) else order
    status = str(head.get("OrderStatus") or (head.get("fulfillment") or {}).get("fulfillmentStatus") or "")
    status = status.replace("_", "").upper()
    if status in {"PENDING", "PENDINGAVAILABILITY"}:
        return "unpaid"
    if status in {"CANCELLED", "CANCELED"}:
        return "voided"
    if status not in {"UNSHIPPED", "PARTIALLYSHIPPED", "SHIPPED", "UNFULFILLABLE", "INVOICEUNCONFIRMED"}:
        return "unknown"
    return "terms" if _is_cash_on_delivery(head) else "paid"


def payments(order: Any, env: Any) -> list[dict[str, Any]]:
    """How the order was paid, in the order's currency; amounts in another one are left out."""
    head = order["Order"] if is_v0(order) else order
    if payment_status(order, env) != "paid":
        return []
    made = []
    for entry in (head.get("payment") or {}).get("paymentExecutions") or head.get("PaymentExecutionDetail") or ():
        money = entry.get("paymentAmount") or entry.get("Payment")
        if not money or (money.get("currencyCode") or money.get("CurrencyCode")) != currency(order):
            continue
        named = {
            "gateway": entry.get("paymentMethod") or entry.get("PaymentMethod"),
            "reference": entry.get("authorizationCode") or entry.get("AuthorizationCode"),
        }
        figure = figures.amount(money, currency(order) or "")
        known = {name: value for name, value in named.items() if value}
        made.append({"kind": "sale", "amount_minor": figure, "status": "succeeded", **known})
    return made


def tags(order: Any, _env: Any) -> list[str]:
    """Programs, and what a person has to know before shipping: replacements, wishes to cancel, unknown states."""
    known = [str(program) for program in order.get("programs") or ()]
    if _replaced(order):
        known.append("REPLACEMENT")
    if any((item.get("cancellation") or {}).get("cancellationRequest") for item in order.get("orderItems") or ()):
        known.append("CANCEL_REQUESTED")
    return known


def _taxes(items: Sequence[Charges], part: str, title: str) -> list[dict[str, Any]]:
    made = []
    for included, withheld in ((False, False), (False, True), (True, False), (True, True)):
        fitting = [item for item in items if (item.included, item.withheld) == (included, withheld)]
        amount = sum(item.tax.get(part, 0) for item in fitting)
        if amount:
            made.append(
                {"title": title, "amount_minor": amount, "included": included}
                | ({"channel_liable": True} if withheld else {})
            )
    return made


def _scheme(item: Mapping[str, Any]) -> str:
    for entry in (item.get("tax") or {}).get("taxCalculationBreakdowns") or ():
        if entry.get("reportingScheme"):
            return str(entry["reportingScheme"])
    return str(item.get("DeemedResellerCategory") or "Tax")


def _stated_money(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if is_v0(order):
        prices = [item.get("ItemPrice") for item in order.get("OrderItems") or ()]
        return [money for money in (order["Order"].get("OrderTotal"), *prices) if money]
    found = [(order.get("proceeds") or {}).get("grandTotal")]
    for item in order.get("orderItems") or ():
        found.append((item.get("proceeds") or {}).get("proceedsTotal"))
        found += [entry.get("subtotal") for entry in (item.get("proceeds") or {}).get("breakdowns") or ()]
        found.append(((item.get("product") or {}).get("price") or {}).get("unitPrice"))
    return [money for money in found if money]


def _marketplace(order: Mapping[str, Any]) -> str:
    if is_v0(order):
        return str(order["Order"].get("MarketplaceId") or "")
    return str((order.get("salesChannel") or {}).get("marketplaceId") or "")


def _tax_on_top(order: Mapping[str, Any]) -> bool:
    place = MARKETPLACES.get(_marketplace(order))
    return place is not None and place.tax_on_top


def _replaced(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [other for other in order.get("associatedOrders") or () if other.get("associationType") in _REPLACES]


def _is_free(order: Mapping[str, Any]) -> bool:
    status = (order.get("fulfillment") or {}).get("fulfillmentStatus")
    return status in _UNPRICED or bool(_replaced(order))


def _is_cash_on_delivery(head: Mapping[str, Any]) -> bool:
    executions = (head.get("payment") or {}).get("paymentExecutions") or ()
    stated = {entry.get("paymentMethod") for entry in executions} | {head.get("PaymentMethod")}
    return bool(stated & {"CashOnDelivery", "COD"})


TRANSFORMS: dict[str, Callable[..., Any]] = {
    "currency": lambda order, _env: currency(order),
    "taxes_included": lambda order, _env: books(order).taxes_included,
    "total_minor": lambda order, _env: books(order).total,
    "line_subtotal_minor": line_subtotal_minor,
    "line_total_minor": line_total_minor,
    "line_discounts": line_discounts,
    "line_taxes": line_taxes,
    "line_quantity": line_quantity,
    "shipping": shipping,
    "fees": fees,
    "promise": promise,
    "residential": residential,
    "zone": zone,
    "payment_status": payment_status,
    "payments": payments,
    "tags": tags,
}
"""What the field maps may name, as amazon.<name>; each is called with the value and the map's env."""
