"""The money of an order: what Amazon states per item, brought into one form.

Amazon's pages do not say whether an item's charge is before or after its discount, nor whether it contains its tax;
both differ between marketplaces. The stated totals decide: of the four readings the first that sums up to the stated
total is taken. Where none does, charges count as before discounts and without tax, and the sums show the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.domain.money import to_minor

PARTS = ("ITEM", "SHIPPING", "GIFT_WRAP", "COD_FEE", "OTHER")


@dataclass(frozen=True, slots=True)
class Charges:
    """The money of one order item in minor units; discounts as positive figures.

    `charge`, `off` and `tax` are by part (ITEM, SHIPPING, ...). `withheld` says that Amazon remits the tax itself.
    After `settle`, `charge` is before discounts, `included` says whether charges contain the tax, and `unstated` is
    tax that the customer paid on top and that the stated total leaves out.
    """

    charge: Mapping[str, int]
    off: Mapping[str, int]
    tax: Mapping[str, int]
    withheld: bool = False
    included: bool = False
    unstated: int = 0

    def net(self, part: str) -> int:
        """What a part costs after its discount."""
        return self.charge.get(part, 0) - self.off.get(part, 0)


def read(item: Mapping[str, Any], currency: str) -> Charges:
    """The charges of an item of Orders 2026-01-01. A type that is not known counts as OTHER."""
    charge: dict[str, int] = {}
    off: dict[str, int] = {}
    tax: dict[str, int] = {}
    for entry in _breakdowns(item):
        amount = _money(entry.get("subtotal"), currency)
        kind = entry.get("type")
        if kind == "TAX":
            _add_detailed(tax, entry, amount, currency)
        elif kind == "DISCOUNT":
            _add_detailed(off, entry, abs(amount), currency)
        else:
            part = kind if kind in PARTS else "OTHER"
            charge[part] = charge.get(part, 0) + amount
    return Charges(charge, off, tax, _is_withheld(item))


def read_v0(item: Mapping[str, Any], currency: str) -> Charges:
    """The charges of an item of Orders v0, whose price already counts all units."""
    buyer = item.get("BuyerInfo") or {}

    def of(name: str, source: Mapping[str, Any] = item) -> int:
        return _money(source.get(name), currency)

    charge = {
        "ITEM": of("ItemPrice"),
        "SHIPPING": of("ShippingPrice"),
        "GIFT_WRAP": of("GiftWrapPrice", buyer),
        "COD_FEE": of("CODFee"),
    }
    off = {
        "ITEM": abs(of("PromotionDiscount")),
        "SHIPPING": abs(of("ShippingDiscount")),
        "COD_FEE": abs(of("CODFeeDiscount")),
    }
    tax = {
        "ITEM": of("ItemTax") - abs(of("PromotionDiscountTax")),
        "SHIPPING": of("ShippingTax") - abs(of("ShippingDiscountTax")),
        "GIFT_WRAP": of("GiftWrapTax", buyer),
    }
    withheld = (item.get("TaxCollection") or {}).get("Model") == "MarketplaceFacilitator"
    return Charges(charge, off, tax, withheld)


def from_unit_price(item: Mapping[str, Any], currency: str) -> Charges:
    """Charges of an item that states a unit price and nothing else."""
    price = ((item.get("product") or {}).get("price") or {}).get("unitPrice")
    return Charges({"ITEM": _money(price, currency) * int(item.get("quantityOrdered") or 0)}, {}, {})


def settle(items: Sequence[Charges], stated: int | None, *, tax_on_top: bool) -> list[Charges]:
    """The same charges in the reading that sums up to `stated`; `tax_on_top` is the marketplace's custom.

    A total without the tax means that prices contain it, except where tax is put on top of prices and Amazon keeps
    it: there the total is what the seller gets, and the customer paid the tax besides.
    """
    charges = sum(sum(item.charge.values()) for item in items)
    off = sum(sum(item.off.values()) for item in items)
    tax = sum(sum(item.tax.values()) for item in items)
    for gross in (True, False):
        base = charges - off if gross else charges
        if stated == base + tax:
            return [_in_reading(item, gross=gross, included=False) for item in items]
        if stated == base:
            on_top = tax_on_top and all(item.withheld for item in items if sum(item.tax.values()))
            return [_in_reading(item, gross=gross, included=not on_top, unstated=on_top) for item in items]
    return list(items)


def total(items: Iterable[Charges]) -> int:
    """What the customer pays for all parts of all items."""
    return sum(
        sum(item.net(part) for part in PARTS) + (0 if item.included else sum(item.tax.values())) for item in items
    )


def stated_total(item: Mapping[str, Any], currency: str) -> int | None:
    """The total that Amazon states for an item of Orders 2026-01-01."""
    amount = (item.get("proceeds") or {}).get("proceedsTotal")
    return _money(amount, currency) if amount else None


def tips(order: Mapping[str, Any], currency: str) -> int:
    """Tips for the delivery, which stand on the order and on no item."""
    entries = (order.get("proceeds") or {}).get("breakdowns") or ()
    return sum(_money(entry.get("subtotal"), currency) for entry in entries if entry.get("type") == "DELIVERY_TIP")


def amount(value: Mapping[str, Any] | None, currency: str) -> int:
    """Minor units of a Money of either API version; 0 where there is none.

    Raises ValueError for an amount in another currency than the order's or with too many decimals.
    """
    return _money(value, currency)


def _in_reading(item: Charges, *, gross: bool, included: bool, unstated: bool = False) -> Charges:
    before = item.charge
    if not gross:
        before = {part: item.charge.get(part, 0) + item.off.get(part, 0) for part in PARTS}
    left_out = sum(item.tax.values()) if unstated else 0
    return replace(item, charge=before, included=included, unstated=left_out)


def _breakdowns(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (item.get("proceeds") or {}).get("breakdowns") or ()


def _add_detailed(to: dict[str, int], entry: Mapping[str, Any], amount: int, currency: str) -> None:
    """Spread an amount over its parts; what the details leave, or say of discounts, belongs to the article."""
    left = amount
    for detail in entry.get("detailedBreakdowns") or ():
        part = detail.get("subtype")
        if part in PARTS and part != "ITEM":
            share = _money(detail.get("value"), currency)
            share = abs(share) if entry.get("type") == "DISCOUNT" else share
            to[part] = to.get(part, 0) + share
            left -= share
    to["ITEM"] = to.get("ITEM", 0) + left


def _is_withheld(item: Mapping[str, Any]) -> bool:
    collections = (item.get("tax") or {}).get("taxCollections") or ()
    return any(collection.get("model") == "MARKETPLACE_FACILITATOR" for collection in collections)


def _money(value: Mapping[str, Any] | None, currency: str) -> int:
    if not value:
        return 0
    stated = value.get("currencyCode") or value.get("CurrencyCode") or currency
    figure = value.get("amount", value.get("Amount"))
    if stated != currency:
        raise ValueError(f"{figure} {stated} in an order in {currency}")
    return to_minor("0" if figure is None else str(figure), currency)
