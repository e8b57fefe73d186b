"""The shapes in which Amazon's stand-in answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.marketplaces.amazon.marketplaces import MARKETPLACES
from hub.domain.money import exponent

_SHOWN_BY = {
    "BUYER": ("buyer",),
    "RECIPIENT": ("recipient",),
    "PROCEEDS": ("proceeds",),
    "FULFILLMENT": ("fulfillment",),
    "PACKAGES": ("packages",),
    "TAX": ("tax",),
    "CANCELLATION": ("cancellation",),
}


def shown(order: Mapping[str, Any], data: Sequence[str]) -> dict[str, Any]:
    """An order with the asked parts; a pending one without money and address, as Amazon keeps them back."""
    hidden = {name for key, names in _SHOWN_BY.items() if key not in data for name in names}
    if str(order["fulfillment"]["fulfillmentStatus"]).startswith("PENDING"):
        hidden |= {"proceeds", "recipient", "buyer"}
    items = [{name: value for name, value in item.items() if name not in hidden} for item in order["orderItems"]]
    return {name: value for name, value in order.items() if name not in hidden} | {"orderItems": items}


def made_item(
    item_id: str, listing: Mapping[str, Any], units: int, extra: Mapping[str, str], currency: str
) -> dict[str, Any]:
    """An order item; `extra` are further charges by type, a discount as a positive figure."""
    goods = Decimal(listing["price"]) * units
    breakdowns = [{"type": "ITEM", "subtotal": money(goods, currency)}]
    total = goods
    for kind, figure in extra.items():
        amount = Decimal(figure)
        if amount:
            signed = -amount if kind == "DISCOUNT" else amount
            entry: dict[str, Any] = {"type": kind, "subtotal": money(signed, currency)}
            if kind in {"TAX", "DISCOUNT"}:
                entry["detailedBreakdowns"] = [{"subtype": "ITEM", "value": money(signed, currency)}]
            breakdowns.append(entry)
            total += signed
    collected = {"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services, Inc."}
    return {
        "orderItemId": item_id,
        "quantityOrdered": units,
        "product": {
            "asin": listing["asin"],
            "title": listing["title"],
            "sellerSku": listing["sku"],
            "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"},
            "price": {"unitPrice": money(Decimal(listing["price"]), currency)},
        },
        "proceeds": {"proceedsTotal": money(total, currency), "breakdowns": breakdowns},
        "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": units},
        "tax": {"taxCollections": [collected]} if Decimal(extra.get("TAX", "0")) else {},
    }


def made_order(
    order_id: str,
    items: list[dict[str, Any]],
    status: str,
    moment: datetime,
    address: Mapping[str, Any],
    buyer: str,
    *,
    marketplace: str,
    by_amazon: bool,
) -> dict[str, Any]:
    """A whole order; it is shown in part, as asked for."""
    place = MARKETPLACES[marketplace]
    total = sum((Decimal(item["proceeds"]["proceedsTotal"]["amount"]) for item in items), Decimal(0))
    return {
        "orderId": order_id,
        "createdTime": iso(moment),
        "lastUpdatedTime": iso(moment),
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": marketplace,
            "marketplaceName": f"Amazon {place.country}",
        },
        "buyer": {"buyerName": buyer, "buyerEmail": f"buyer-{order_id[-7:]}@marketplace.example.com"},
        "recipient": {"deliveryAddress": dict(address)},
        "proceeds": {"grandTotal": money(total, place.currency)},
        "fulfillment": {
            "fulfillmentStatus": status,
            "fulfilledBy": "AMAZON" if by_amazon else "MERCHANT",
            "fulfillmentServiceLevel": "STANDARD",
            "shipByWindow": {
                "earliestDateTime": iso(moment),
                "latestDateTime": iso(moment + timedelta(days=2)),
            },
            "deliverByWindow": {
                "earliestDateTime": iso(moment + timedelta(days=4)),
                "latestDateTime": iso(moment + timedelta(days=6)),
            },
        },
        "orderItems": items,
        "packages": [],
    }


def shown_listing(listing: Mapping[str, Any], data: Sequence[str], marketplace: str) -> dict[str, Any]:
    """A listing with the asked parts."""
    price = money(Decimal(listing["price"]), MARKETPLACES[marketplace].currency)
    channel = "AMAZON_NA" if listing["by_amazon"] else "DEFAULT"
    summary = {
        "marketplaceId": marketplace,
        "asin": listing["asin"],
        "productType": listing["product_type"],
        "conditionType": "new_new",
        "status": ["BUYABLE", "DISCOVERABLE"],
        "itemName": listing["title"],
        "createdDate": listing["created"],
        "lastUpdatedDate": listing["updated"],
    }
    parts_of = {
        "summaries": [summary],
        "offers": [{"marketplaceId": marketplace, "offerType": "B2C", "price": price}],
        "fulfillmentAvailability": [{"fulfillmentChannelCode": channel, "quantity": listing["quantity"]}],
        "issues": [],
    }
    return {"sku": listing["sku"]} | {name: parts_of[name] for name in data if name in parts_of}


def money(amount: Decimal, currency: str) -> dict[str, str]:
    return {"amount": f"{amount:.{exponent(currency)}f}", "currencyCode": currency}


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
