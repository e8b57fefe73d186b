"""The sandbox's things in Shopify's two shapes: GraphQL objects with functions for connections, and REST payloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from connectors.shopify.sandbox_graphql import QueryError
from connectors.shopify.sandbox_shop import (
    Fulfillment,
    FulfillmentOrder,
    Line,
    Location,
    Order,
    Product,
    Refund,
    Shop,
    Variant,
)

Json = dict[str, Any]

_EASTERN = timezone(timedelta(hours=-5))
_APPLICATIONS = {True: "DiscountCodeApplication", False: "AutomaticDiscountApplication"}
_CATEGORIES = {"PICK_UP": "pick_up", "LOCAL": "local"}


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def connection(rows: Sequence[Any], render: Callable[[Any], Any]) -> Callable[..., Json]:
    """A connection over rows: one page at a time, cursors are positions. Refuses what Shopify refuses at run time."""

    def page(first: int | None = None, last: int | None = None, after: str | None = None, **_: Any) -> Json:
        if first is None and last is None:
            raise QueryError("you must provide one of first or last", "BAD_REQUEST")
        wanted = first or last or 0
        if not 0 < wanted <= 250:
            raise QueryError("first must be between 1 and 250", "BAD_REQUEST")
        start = int(after) + 1 if after else 0
        if last is not None and first is None:
            start = max(len(rows) - last, 0)
        found = rows[start : start + wanted]
        end = start + len(found)
        cursor = str(end - 1) if found else None
        return {
            "nodes": [render(row) for row in found],
            "pageInfo": {"hasNextPage": end < len(rows), "hasPreviousPage": start > 0, "endCursor": cursor},
        }

    return page


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
        "displayFulfillmentStatus": _fulfilled(order),
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
        "shippingLines": connection(_shipping_rows(order), _graph_shipping),
        "fulfillmentOrders": connection(order.fulfillment_orders, graph_fulfillment_order),
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


def graph_fulfillment_order(one: FulfillmentOrder) -> Json:
    actions = ["CREATE_FULFILLMENT", "HOLD", "MOVE"] if one.status in {"OPEN", "IN_PROGRESS"} else []
    return {
        "__typename": "FulfillmentOrder",
        "id": gid("FulfillmentOrder", one.id),
        "status": one.status,
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


def rest_order(order: Order) -> Json:
    """An order as webhooks carry it: no transactions, no risk, no fulfillment orders."""
    now, first = order.sums(current=True), order.sums(current=False)
    full = sum((line.price * line.ordered for line in order.lines), Decimal(0))
    return {
        "id": order.id,
        "admin_graphql_api_id": gid("Order", order.id),
        "name": order.name,
        "number": order.number - 1000,
        "order_number": order.number,
        "created_at": _local(order.placed),
        "processed_at": _local(order.placed),
        "updated_at": _local(order.updated),
        "cancelled_at": _local(order.cancelled),
        "cancel_reason": order.cancel_reason or None,
        "closed_at": _local(order.closed),
        "confirmed": True,
        "test": order.test,
        "currency": order.currency,
        "presentment_currency": order.customer_currency,
        "financial_status": order.paid.lower(),
        "fulfillment_status": {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}.get(_fulfilled(order)),
        "email": (order.customer or {}).get("email") or "",
        "phone": (order.customer or {}).get("phone"),
        "contact_email": (order.customer or {}).get("email"),
        "note": order.note or None,
        "note_attributes": [{"name": name, "value": value} for name, value in order.attributes.items()],
        "tags": ", ".join(order.tags),
        "customer_locale": "en-US",
        "buyer_accepts_marketing": False,
        "source_name": order.source,
        "location_id": None,
        "taxes_included": order.taxes_included,
        "duties_included": False,
        "payment_gateway_names": sorted({one.gateway for one in order.payments}),
        "discount_codes": [
            {"code": one.code, "amount": str(order.rounded(one.amount)), "type": "fixed_amount"}
            for one in order.applied
            if one.code
        ],
        "discount_applications": [_rest_applied(one.code, one.title, one.amount) for one in order.applied],
        "subtotal_price": _text(order, first.subtotal),
        "total_line_items_price": _text(order, full),
        "total_discounts": _text(order, first.discount),
        "total_tax": _text(order, first.tax),
        "total_price": _text(order, first.total),
        "total_price_set": _rest_bag(order, first.total),
        "total_tip_received": _text(order, order.tip),
        "current_subtotal_price": _text(order, now.subtotal),
        "current_total_discounts": _text(order, now.discount),
        "current_total_tax": _text(order, now.tax),
        "current_total_price": _text(order, now.total),
        "current_total_additional_fees_set": None,
        "current_total_duties_set": _rest_bag(order, now.duties) if now.duties else None,
        "tax_lines": [_rest_tax(order, first.tax)] if first.tax else [],
        "customer": _rest_customer(order),
        "billing_address": _rest_address(order.bill_to),
        "shipping_address": _rest_address(order.ship_to),
        "fulfillments": [],
        "refunds": [_rest_refund(one) for one in order.refunds],
        "line_items": [_rest_line(order, line) for line in order.lines],
        "shipping_lines": [_rest_shipping(one) for one in _shipping_rows(order)],
    }


def rest_product(product: Product) -> Json:
    names = list(product.variants[0].options) if product.variants else []
    return {
        "id": product.id,
        "admin_graphql_api_id": gid("Product", product.id),
        "title": product.title,
        "body_html": product.description,
        "vendor": product.vendor,
        "status": product.status.lower(),
        "tags": ", ".join(product.tags),
        "updated_at": _local(product.updated),
        "options": [{"name": name, "position": place} for place, name in enumerate(names, 1)],
        "image": None,
        "images": [],
        "variants": [
            {
                "id": one.id,
                "inventory_item_id": one.item,
                "sku": one.sku,
                "barcode": one.barcode or None,
                "title": one.title,
                "price": str(one.price),
                **{f"option{place}": value for place, value in enumerate(one.options.values(), 1)},
            }
            for one in product.variants
        ],
    }


def rest_level(shop: Shop, item: int, location: int) -> Json:
    return {
        "inventory_item_id": item,
        "location_id": location,
        "available": shop.stock[item, location],
        "updated_at": _local(shop.now()),
        "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{location}?inventory_item_id={item}",
    }


def _shipping_rows(order: Order) -> list[Order]:
    return [order] if order.shipping_title else []


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
        "discountAllocations": [_graph_share(order, place, amount) for place, amount in _shipping_shares(order)],
        "taxLines": [_graph_tax(order, order.shipping_tax)] if order.shipping_tax else [],
    }


def _rest_shipping(order: Order) -> Json:
    return {
        "id": order.shipping_id,
        "title": order.shipping_title,
        "code": order.shipping_code,
        "source": "shopify",
        "carrier_identifier": None,
        "is_removed": False,
        "price": _text(order, order.shipping),
        "discounted_price": _text(order, order.shipping_first),
        "current_discounted_price_set": _rest_bag(order, order.shipping_current),
        "discount_allocations": [_rest_share(order, place, amount) for place, amount in _shipping_shares(order)],
        "tax_lines": [_rest_tax(order, order.shipping_tax)] if order.shipping_tax else [],
    }


def _shipping_shares(order: Order) -> list[tuple[int, Decimal]]:
    """A discount on shipping stands behind those on lines in the order's list."""
    return [(len(order.applied) - 1, order.shipping_discount)] if order.shipping_discount else []


def _graph_share(order: Order, place: int, amount: Decimal) -> Json:
    applied = order.applied[place]
    said = {"code": applied.code} if applied.code else {"title": applied.title}
    kind = _APPLICATIONS[bool(applied.code)]
    return {
        "allocatedAmountSet": _bag(order, amount),
        "discountApplication": {"__typename": kind, "index": place, **said},
    }


def _rest_share(order: Order, place: int, amount: Decimal) -> Json:
    return {"amount": _text(order, amount), "discount_application_index": place}


def _rest_applied(code: str, title: str, amount: Decimal) -> Json:
    said = {"type": "discount_code", "code": code} if code else {"type": "automatic", "title": title}
    return {**said, "value": str(amount), "value_type": "fixed_amount", "allocation_method": "across"}


def _rest_line(order: Order, line: Line) -> Json:
    tax = order.line_tax(line)
    duty: Json = {
        "id": line.id,
        "harmonized_system_code": line.hs_code or None,
        "country_code_of_origin": line.origin or None,
        "shop_money": {"amount": _text(order, line.duty), "currency_code": order.currency},
        "tax_lines": [],
    }
    return {
        "id": line.id,
        "admin_graphql_api_id": gid("LineItem", line.id),
        "title": line.title,
        "variant_title": line.variant.title if line.variant else None,
        "name": line.title,
        "sku": line.sku,
        "product_id": line.product.id if line.product else None,
        "variant_id": line.variant.id if line.variant else None,
        "quantity": line.ordered,
        "current_quantity": line.wanted,
        "price": _text(order, line.price),
        "total_discount": "0.00",
        "grams": line.grams,
        "requires_shipping": line.ships,
        "gift_card": line.gift_card,
        "taxable": line.taxed,
        "fulfillment_service": line.service,
        "fulfillment_status": None,
        "properties": [{"name": name, "value": value} for name, value in line.properties.items()],
        "discount_allocations": [_rest_share(order, place, amount) for place, amount in line.shares.items()],
        "tax_lines": [_rest_tax(order, tax)] if tax else [],
        "duties": [duty] if line.duty else [],
    }


def _rest_refund(refund: Refund) -> Json:
    paid = refund.payment
    transactions = (
        [] if paid is None else [{"id": paid.id, "kind": "refund", "status": "success", "amount": str(paid.amount)}]
    )
    rows = [{"line_item_id": line.id, "quantity": units, "restock_type": "cancel"} for line, units in refund.units]
    return {
        "id": refund.id,
        "created_at": _local(refund.at),
        "refund_line_items": rows,
        "transactions": transactions,
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


def _fulfilled(order: Order) -> str:
    shipped = sum(units for one in order.fulfillments if one.status == "SUCCESS" for _, units in one.units)
    left = sum(row.remaining for one in order.fulfillment_orders for row in one.lines)
    return "UNFULFILLED" if not shipped else "PARTIALLY_FULFILLED" if left else "FULFILLED"


def _graph_risk(order: Order) -> Json:
    facts = [{"description": "The billing address differs from the card's", "sentiment": "NEGATIVE"}]
    assessment = {"riskLevel": order.risk, "facts": facts if order.risk in {"MEDIUM", "HIGH"} else []}
    return {"recommendation": "CANCEL" if order.risk == "HIGH" else "ACCEPT", "assessments": [assessment]}


def _graph_customer(order: Order) -> Json | None:
    if order.customer is None:
        return None
    email, phone = order.customer.get("email"), order.customer.get("phone")
    return {
        "legacyResourceId": str(order.customer["id"]),
        "firstName": order.customer.get("first_name"),
        "lastName": order.customer.get("last_name"),
        "note": None,
        "tags": list(order.customer.get("tags") or ()),
        "defaultEmailAddress": {"emailAddress": email} if email else None,
        "defaultPhoneNumber": {"phoneNumber": phone} if phone else None,
    }


def _rest_customer(order: Order) -> Json | None:
    if order.customer is None:
        return None
    names = ("id", "first_name", "last_name", "email", "phone")
    tags = ", ".join(order.customer.get("tags") or ())
    return {**{name: order.customer.get(name) for name in names}, "note": None, "tags": tags}


def _graph_address(address: Mapping[str, Any] | None) -> Json | None:
    if address is None:
        return None
    same = ("name", "company", "address1", "address2", "city", "province", "zip", "country", "phone")
    return {
        **{name: address.get(name) for name in same},
        "provinceCode": address.get("province_code"),
        "countryCodeV2": address.get("country_code"),
        "latitude": address.get("latitude"),
        "longitude": address.get("longitude"),
    }


def _rest_address(address: Mapping[str, Any] | None) -> Json | None:
    if address is None:
        return None
    names = ("company", "address1", "address2", "city", "province", "zip", "country", "phone", "latitude", "longitude")
    also = ("name", "province_code", "country_code")
    return {name: address.get(name) for name in (*names, *also)}


def _graph_tax(order: Order, amount: Decimal) -> Json:
    return {
        "title": order.tax_title,
        "rate": float(order.tax_rate),
        "channelLiable": False,
        "priceSet": _bag(order, amount),
    }


def _rest_tax(order: Order, amount: Decimal) -> Json:
    return {
        "title": order.tax_title,
        "rate": float(order.tax_rate),
        "channel_liable": False,
        "price": _text(order, amount),
    }


def _bag(order: Order, amount: Decimal) -> Json:
    """Amounts of GraphQL carry no needless zeros, but one place at least."""
    seen = order.rounded(amount * order.rate)
    return {
        "shopMoney": {"amount": _short(order.rounded(amount)), "currencyCode": order.currency},
        "presentmentMoney": {"amount": _short(seen), "currencyCode": order.customer_currency},
    }


def _rest_bag(order: Order, amount: Decimal) -> Json:
    seen = order.rounded(amount * order.rate)
    return {
        "shop_money": {"amount": _text(order, amount), "currency_code": order.currency},
        "presentment_money": {"amount": str(seen), "currency_code": order.customer_currency},
    }


def _short(amount: Decimal) -> str:
    whole, _, places = f"{amount:f}".partition(".")
    return f"{whole}.{places.rstrip('0') or '0'}"


def _text(order: Order, amount: Decimal) -> str:
    return f"{order.rounded(amount):f}"


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(_EASTERN).isoformat()
