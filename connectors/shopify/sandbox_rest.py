"""The sandbox's things as webhooks carry them: the REST shape, with times of the shop's own zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from connectors.shopify.sandbox_shapes import Json, fulfilled, gid, shipping_rows, shipping_shares
from connectors.shopify.sandbox_shop import Line, Order, Product, Refund, Shop

_EASTERN = timezone(timedelta(hours=-5))


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
        "fulfillment_status": {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}.get(fulfilled(order)),
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
        "shipping_lines": [_rest_shipping(one) for one in shipping_rows(order)],
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
        "discount_allocations": [_rest_share(order, place, amount) for place, amount in shipping_shares(order)],
        "tax_lines": [_rest_tax(order, order.shipping_tax)] if order.shipping_tax else [],
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


def _rest_customer(order: Order) -> Json | None:
    if order.customer is None:
        return None
    names = ("id", "first_name", "last_name", "email", "phone")
    tags = ", ".join(order.customer.get("tags") or ())
    return {**{name: order.customer.get(name) for name in names}, "note": None, "tags": tags}


def _rest_address(address: Mapping[str, Any] | None) -> Json | None:
    if address is None:
        return None
    names = ("company", "address1", "address2", "city", "province", "zip", "country", "phone", "latitude", "longitude")
    also = ("name", "province_code", "country_code")
    return {name: address.get(name) for name in (*names, *also)}


def _rest_tax(order: Order, amount: Decimal) -> Json:
    return {
        "title": order.tax_title,
        "rate": float(order.tax_rate),
        "channel_liable": False,
        "price": _text(order, amount),
    }


def _rest_bag(order: Order, amount: Decimal) -> Json:
    seen = order.rounded(amount * order.rate)
    return {
        "shop_money": {"amount": _text(order, amount), "currency_code": order.currency},
        "presentment_money": {"amount": str(seen), "currency_code": order.customer_currency},
    }


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(_EASTERN).isoformat()


def _text(order: Order, amount: Decimal) -> str:
    return f"{order.rounded(amount):f}"
