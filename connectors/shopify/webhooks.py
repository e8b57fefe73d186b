"""Deliveries of Shopify: the signature over the raw bytes, and what each topic tells. Pure.

The signature covers the body only, so the shop in the headers is compared with the connection's as well.
Source: https://shopify.dev/docs/apps/build/webhooks/subscribe/https, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.shopify.facts import WORK_ID
from hub.sdk import Event, WebhookRequest, errors
from hub.sdk.signatures import require_hmac

SIGNATURE = "x-shopify-hmac-sha256"
TOPIC = "x-shopify-topic"
SHOP = "x-shopify-shop-domain"
EVENT_ID = "x-shopify-event-id"
DELIVERY_ID = "x-shopify-webhook-id"
# A delivery that is repeated for hours says here when it was made first.
# Source: https://shopify.dev/changelog/updates-to-webhook-retry-mechanism, read 2026-11-30.
TRIGGERED_AT = "x-shopify-triggered-at"

ORDER_TOPICS = frozenset(
    {
        "orders/create",
        "orders/updated",
        "orders/cancelled",
        "orders/paid",
        "orders/fulfilled",
        "orders/partially_fulfilled",
    }
)
WORK_TOPICS = frozenset(
    {
        "fulfillment_orders/placed_on_hold",
        "fulfillment_orders/hold_released",
        "fulfillment_orders/rescheduled",
        "fulfillment_orders/scheduled_fulfillment_order_ready",
        "fulfillment_orders/moved",
        "fulfillment_orders/cancelled",
    }
)
PRODUCT_TOPICS = frozenset({"products/create", "products/update"})
PRIVACY_TOPICS = frozenset({"customers/data_request", "customers/redact", "shop/redact"})

SUBSCRIBED = (
    "ORDERS_CREATE",
    "ORDERS_UPDATED",
    "ORDERS_CANCELLED",
    "FULFILLMENT_ORDERS_PLACED_ON_HOLD",
    "FULFILLMENT_ORDERS_HOLD_RELEASED",
    "FULFILLMENT_ORDERS_RESCHEDULED",
    "FULFILLMENT_ORDERS_SCHEDULED_FULFILLMENT_ORDER_READY",
    "FULFILLMENT_ORDERS_MOVED",
    "FULFILLMENT_ORDERS_CANCELLED",
    "INVENTORY_LEVELS_UPDATE",
    "PRODUCTS_CREATE",
    "PRODUCTS_UPDATE",
    "APP_UNINSTALLED",
)
"""Topics to subscribe to. The privacy topics cannot be subscribed to by call: they stand in the app's settings.

orders/edited is left out: it carries nothing but line ids, and orders/updated comes with every edit.
"""


def verify(request: WebhookRequest, secrets: Sequence[str], shop: str) -> None:
    """Check the signature and that the delivery is for `shop`. Raises SignatureInvalid."""
    require_hmac(secrets, request.raw, request.headers.get(SIGNATURE))
    stated = request.headers.get(SHOP)
    if stated is not None and stated.strip().lower() != shop.strip().lower():
        raise errors.SignatureInvalid(f"the delivery is for the shop {stated!r}, not for {shop!r}")


def events(request: WebhookRequest) -> list[Event]:
    """The one event of a delivery. Raises Malformed when the body or the topic cannot be read."""
    topic = request.headers.get(TOPIC, "").strip().lower()
    if not topic:
        raise errors.Malformed("the delivery names no topic")
    body = _object(request.raw)
    event_id = request.headers.get(EVENT_ID) or request.headers.get(DELIVERY_ID) or ""
    if topic in ORDER_TOPICS:
        return [Event("orders_webhook", _id(body, "id"), topic, event_id, _revision(body))]
    if topic in WORK_TOPICS:
        return [Event("fulfillment_orders", _work_id(body), topic, event_id)]
    if topic in PRODUCT_TOPICS:
        return [Event("products_webhook", _id(body, "id"), topic, event_id, _revision(body))]
    if topic == "inventory_levels/update":
        level = f"{_id(body, 'inventory_item_id')}:{_id(body, 'location_id')}"
        return [Event("inventory_levels", level, topic, event_id, _revision(body))]
    if topic in PRIVACY_TOPICS or topic == "app/uninstalled":
        return [
            Event("lifecycle", _subject(body, request), topic, event_id, _moment(request.headers.get(TRIGGERED_AT)))
        ]
    if topic == "orders/edited":
        return [Event("", str((body.get("order_edit") or {}).get("order_id") or ""), topic, event_id)]
    return [Event("", str(body.get("id") or ""), topic, event_id)]


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise errors.Malformed(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise errors.Malformed("the body is not a JSON object")
    return body


def _id(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
        raise errors.Malformed(f"the body has no {name}")
    return str(value)


def _work_id(body: Mapping[str, Any]) -> str:
    """The first fulfillment order that the body names: all of one delivery belong to one order."""
    named = (str(part.get("id") or "") for part in body.values() if isinstance(part, dict))
    found = next((one for one in named if one.startswith(WORK_ID)), "")
    if not found:
        raise errors.Malformed("the body names no fulfillment order")
    return found


def _revision(body: Mapping[str, Any]) -> str:
    """The time of the last change, or "" when the body states none."""
    return _moment(body.get("updated_at"))


def _moment(stated: Any) -> str:
    """A moment as text that can be compared, or ""."""
    try:
        moment = datetime.fromisoformat(str(stated))
    except ValueError:
        return ""
    if moment.tzinfo is None:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _subject(body: Mapping[str, Any], request: WebhookRequest) -> str:
    """Whom a lifecycle event is about: the customer where there is one, else the shop."""
    customer = body.get("customer")
    if isinstance(customer, dict) and customer.get("id"):
        return str(customer["id"])
    return str(body.get("shop_domain") or body.get("myshopify_domain") or request.headers.get(SHOP) or "")
