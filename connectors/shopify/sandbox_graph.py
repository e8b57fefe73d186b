"""The sandbox's things as GraphQL answers them: objects whose connections are functions of their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.shopify.sandbox_shapes import Json, connection, fulfilled, gid, shipping_rows, shipping_shares
from connectors.shopify.sandbox_shop import Fulfillment, FulfillmentOrder, Line, Location, Order, Product, Shop, Variant

_APPLICATIONS = {True: "DiscountCodeApplication", False: "AutomaticDiscountApplication"}
_CATEGORIES = {"PICK_UP": "pick_up", "LOCAL": "local"}


def graph_order(order: Order) -> Json:
    """An order as GraphQL answers it."""
    now, first = order.sums(current=True), order.sums(current=False)
    refunded = sum((one.payment.amount for one in order.refunds if one.payment), Decimal(0))
    return {
        "__typename": "Order",
        "id": gid("Order", order.id),
        "legacyResourceId": str(order.id),
        "name": order.name,
        "createdAt": _utc(order.placed),
        "processedAt": _utc(order.placed),
        "updatedAt": _utc(order.updated),
        "cancelledAt": _utc(order.cancelled),
        "cancelReason": order.cancel_reason.upper() or None,
        "closedAt": _utc(order.closed),
        "test": order.test,
        "currencyCode": order.currency,
        "presentmentCurrencyCode": order.customer_currency,
        "displayFinancialStatus": order.paid,
        "displayFulfillmentStatus": fulfilled(order),
        "email": (order.customer or {}).get("email"),
        "phone": (order.customer or {}).get("phone"),
        "note": order.note or None,
        "tags": order.tags,
        "customerLocale": "en-US",
        "customerAcceptsMarketing": False,
        "sourceName": order.source,
        "taxesIncluded": order.taxes_included,
        "dutiesIncluded": False,
        "discountCodes": [one.code for one in order.applied if one.code],
        "paymentGatewayNames": sorted({one.gateway for one in order.payments}),
        "customAttributes": [{"key": name, "value": value} for name, value in order.attributes.items()],
        "customer": _graph_customer(order),
        "billingAddress": _graph_address(order.bill_to),
        "shippingAddress": _graph_address(order.ship_to),
        "retailLocation": None,
        "totalPriceSet": _bag(order, first.total),
        "totalDiscountsSet": _bag(order, first.discount),
        "totalTaxSet": _bag(order, first.tax),
        "subtotalPriceSet": _bag(order, first.subtotal),
        "totalTipReceivedSet": _bag(order, order.tip),
        "totalRefundedSet": _bag(order, refunded),
        "currentTotalPriceSet": _bag(order, now.total),
        "currentSubtotalPriceSet": _bag(order, now.subtotal),
        "currentTotalDiscountsSet": _bag(order, now.discount),
        "currentTotalTaxSet": _bag(order, now.tax),
        "currentTotalAdditionalFeesSet": None,
        "taxLines": [_graph_tax(order, first.tax)] if first.tax else [],
        "risk": _graph_risk(order),
        "transactions": lambda first=None: [
            {
                "id": gid("OrderTransaction", one.id),
                "kind": one.kind,
                "status": one.status,
                "gateway": one.gateway,
                "createdAt": _utc(one.at),
                "processedAt": _utc(one.at),
                "accountNumber": one.account or None,
                "paymentId": f"pay-{one.id}",
                "amountSet": _bag(order, one.amount),
            }
            for one in order.payments[:first]
        ],
        "shippingLines": connection(shipping_rows(order), _graph_shipping),
        "fulfillmentOrders": connection(order.fulfillment_orders, lambda one: graph_fulfillment_order(order, one)),
        "fulfillments": lambda first=None: [_graph_fulfillment(one) for one in order.fulfillments[:first]],
        "lineItems": connection(order.lines, lambda line: graph_line(order, line)),
    }


def graph_line(order: Order, line: Line) -> Json:
    tax = order.line_tax(line)
    duty: Json = {
        "id": gid("Duty", line.id),
        "harmonizedSystemCode": line.hs_code or None,
        "countryCodeOfOrigin": line.origin or None,
        "price": _bag(order, line.duty),
        "taxLines": [],
    }
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", line.id),
        "title": line.title,
        "variantTitle": line.variant.title if line.variant else None,
        "sku": line.sku or None,
        "quantity": line.ordered,
        "currentQuantity": line.wanted,
        "requiresShipping": line.ships,
        "isGiftCard": line.gift_card,
        "product": {"legacyResourceId": str(line.product.id)} if line.product else None,
        "variant": {"legacyResourceId": str(line.variant.id)} if line.variant else None,
        "weight": {"unit": "KILOGRAMS", "value": line.grams / 1000},
        "fulfillmentService": {"handle": line.service},
        "customAttributes": [{"key": name, "value": value} for name, value in line.properties.items()],
        "originalUnitPriceSet": _bag(order, line.price),
        "discountAllocations": [_graph_share(order, place, amount) for place, amount in line.shares.items()],
        "taxLines": [_graph_tax(order, tax)] if tax else [],
        "duties": [duty] if line.duty else [],
    }


def graph_fulfillment_order(order: Order, one: FulfillmentOrder) -> Json:
    actions = ["CREATE_FULFILLMENT", "HOLD", "MOVE"] if one.status in {"OPEN", "IN_PROGRESS"} else []
    return {
        "__typename": "FulfillmentOrder",
        "id": gid("FulfillmentOrder", one.id),
        "status": one.status,
        "updatedAt": _utc(one.updated),
        "fulfillAt": _utc(one.fulfil_at),
        "fulfillmentHolds": [
            {
                "__typename": "FulfillmentHold",
                "id": gid("FulfillmentHold", number),
                "reason": "OTHER",
                "reasonNotes": None,
                "displayReason": reason,
            }
            for number, reason in one.holds.items()
        ],
        "orderId": gid("Order", order.id),
        "order": lambda: graph_order(order),
        "deliveryMethod": {"methodType": one.method},
        "assignedLocation": {
            "location": {"id": gid("Location", one.location.id), "legacyResourceId": str(one.location.id)}
        },
        "supportedActions": [{"action": action} for action in actions],
        "lineItems": connection(
            one.lines,
            lambda row: {
                "id": gid("FulfillmentOrderLineItem", row.id),
                "remainingQuantity": row.remaining,
                "totalQuantity": row.total,
                "lineItem": {"id": gid("LineItem", row.line.id)},
            },
        ),
    }


def graph_product(shop: Shop, product: Product) -> Json:
    return {
        "__typename": "Product",
        "id": gid("Product", product.id),
        "legacyResourceId": str(product.id),
        "title": product.title,
        "descriptionHtml": product.description,
        "vendor": product.vendor,
        "status": product.status,
        "tags": product.tags,
        "isGiftCard": product.gift_card,
        "updatedAt": _utc(product.updated),
        "media": connection([], lambda row: row),
        "variants": connection(product.variants, lambda variant: graph_variant(shop, product, variant)),
    }


def graph_variant(shop: Shop, product: Product, variant: Variant) -> Json:
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", variant.id),
        "legacyResourceId": str(variant.id),
        "title": variant.title,
        "sku": variant.sku or None,
        "barcode": variant.barcode or None,
        "price": str(variant.price),
        "selectedOptions": [{"name": name, "value": value} for name, value in variant.options.items()],
        "inventoryItem": graph_item(shop, product, variant),
    }


def graph_item(shop: Shop, product: Product, variant: Variant) -> Json:
    def level(locationId: str) -> Json | None:  # noqa: N803 - the vendor's name of the argument
        key = (variant.item, int(locationId.rsplit("/", 1)[-1]))
        if key not in shop.stock:
            return None
        return {"quantities": lambda names: [{"name": name, "quantity": shop.stock[key]} for name in names]}

    return {
        "__typename": "InventoryItem",
        "id": gid("InventoryItem", variant.item),
        "legacyResourceId": str(variant.item),
        "tracked": variant.tracked,
        "requiresShipping": product.ships,
        "harmonizedSystemCode": None,
        "countryCodeOfOrigin": None,
        "measurement": {"weight": {"unit": "GRAMS", "value": float(variant.grams)}},
        "inventoryLevel": level,
    }


def graph_location(place: Location) -> Json:
    names = ("address1", "address2", "city", "provinceCode", "province", "zip", "phone", "latitude", "longitude")
    return {
        "__typename": "Location",
        "id": gid("Location", place.id),
        "legacyResourceId": str(place.id),
        "name": place.name,
        "isActive": place.active,
        "address": {**dict.fromkeys(names), "city": place.name, "countryCode": place.country},
    }


def _graph_shipping(order: Order) -> Json:
    return {
        "__typename": "ShippingLine",
        "id": gid("ShippingLine", order.shipping_id),
        "title": order.shipping_title,
        "code": order.shipping_code,
        "carrierIdentifier": None,
        "deliveryCategory": _CATEGORIES.get(order.method),
        "originalPriceSet": _bag(order, order.shipping),
        "discountedPriceSet": _bag(order, order.shipping_first),
        "currentDiscountedPriceSet": _bag(order, order.shipping_current),
        "discountAllocations": [_graph_share(order, place, amount) for place, amount in shipping_shares(order)],
        "taxLines": [_graph_tax(order, order.shipping_tax)] if order.shipping_tax else [],
    }


def _graph_share(order: Order, place: int, amount: Decimal) -> Json:
    applied = order.applied[place]
    said = {"code": applied.code} if applied.code else {"title": applied.title}
    kind = _APPLICATIONS[bool(applied.code)]
    return {
        "allocatedAmountSet": _bag(order, amount),
        "discountApplication": {"__typename": kind, "index": place, **said},
    }


def _graph_fulfillment(one: Fulfillment) -> Json:
    urls: list[str | None] = [*one.urls, *[None] * len(one.numbers)]
    return {
        "__typename": "Fulfillment",
        "id": gid("Fulfillment", one.id),
        "legacyResourceId": str(one.id),
        "status": one.status,
        "createdAt": _utc(one.created),
        "trackingInfo": [
            {"number": number, "company": one.company or None, "url": url}
            for number, url in zip(one.numbers, urls, strict=False)
        ],
        "fulfillmentLineItems": connection(
            one.units, lambda row: {"quantity": row[1], "lineItem": {"id": gid("LineItem", row[0].id)}}
        ),
    }


def _graph_risk(order: Order) -> Json:
    facts = [{"description": "The billing address differs from the card's", "sentiment": "NEGATIVE"}]
    assessment = {"riskLevel": order.risk, "facts": facts if order.risk in {"MEDIUM", "HIGH"} else []}
    return {"recommendation": "CANCEL" if order.risk == "HIGH" else "ACCEPT", "assessments": [assessment]}


def _graph_customer(order: Order) -> Json | None:
    if order.customer is None:
        return None
    email, phone = order.customer.get("email"), order.customer.get("phone")
    return {
        "__typename": "Customer",
        "legacyResourceId": str(order.customer["id"]),
        "firstName": order.customer.get("first_name"),
        "lastName": order.customer.get("last_name"),
        "note": None,
        "tags": list(order.customer.get("tags") or ()),
        "defaultEmailAddress": {"emailAddress": email} if email else None,
        "defaultPhoneNumber": {"phoneNumber": phone} if phone else None,
    }


def _graph_address(address: Mapping[str, Any] | None) -> Json | None:
    if address is None:
        return None
    same = ("name", "company", "address1", "address2", "city", "province", "zip", "country", "phone")
    return {
        "__typename": "MailingAddress",
        **{name: address.get(name) for name in same},
        "provinceCode": address.get("province_code"),
        "countryCodeV2": address.get("country_code"),
        "latitude": address.get("latitude"),
        "longitude": address.get("longitude"),
    }


def _graph_tax(order: Order, amount: Decimal) -> Json:
    return {
        "title": order.tax_title,
        "rate": float(order.tax_rate),
        "channelLiable": False,
        "priceSet": _bag(order, amount),
    }


def _bag(order: Order, amount: Decimal) -> Json:
    """Amounts of GraphQL carry no needless zeros, but one place at least."""
    seen = order.rounded(amount * order.rate)
    return {
        "shopMoney": {"amount": _short(order.rounded(amount)), "currencyCode": order.currency},
        "presentmentMoney": {"amount": _short(seen), "currencyCode": order.customer_currency},
    }


def _short(amount: Decimal) -> str:
    whole, _, places = f"{amount:f}".partition(".")
    return f"{whole}.{places.rstrip('0') or '0'}"


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
