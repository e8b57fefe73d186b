"""Webhooks: their signature and what they tell. Pure.

The signature is base64 HMAC-SHA256 over the raw body with the secret that webhook_create gave, one per webhook, so a
connection has several. There is no topic header: the body says its kind. The pages of the webhooks show the answer that
is expected, and since April 2026 a webhook whose deliveries keep failing is switched off. Sources:
https://developer.shiphero.com/webhooks/, read 2026-11-22 and again 2026-11-30.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.threepl.shiphero.translate import level_id, stamp
from hub.sdk import Event, WebhookRequest, WebhookResponse, errors
from hub.sdk.signatures import require_hmac

SIGNATURE = "x-shiphero-hmac-sha256"
MESSAGE_ID = "x-shiphero-message-id"
SHIPMENT = "Shipment Update"
INVENTORY = "Inventory Update"
ORDER_KINDS = ("Order Canceled", "Order Allocated", "Order Deallocated", "Order Packed Out")
ACCEPTED = WebhookResponse(200, b'{"code":"200","Status":"Success"}')
WANTED = (SHIPMENT, INVENTORY, *ORDER_KINDS)


def verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """Raises SignatureInvalid."""
    require_hmac(secrets, request.raw, request.headers.get(SIGNATURE))


def events(request: WebhookRequest, received: datetime) -> list[Event]:
    """What a delivery tells. `received` stands in for the time where ShipHero states none. Raises Malformed."""
    body = _body(request.raw)
    kind = _kind(body)
    message = request.headers.get(MESSAGE_ID) or hashlib.sha256(request.raw).hexdigest()[:32]
    if str(body.get("test", "0")) == "1":
        return [Event("", "", f"{kind} (test)", message)]
    try:
        if kind == SHIPMENT:
            return [_shipment(body, message)]
        if kind == INVENTORY:
            return [_level(item, message, received) for item in body["inventory"]]
        if kind in ORDER_KINDS:
            return [_order(body, kind, message, received)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.Malformed(f"{kind}: {type(error).__name__}: {error}") from error
    return [Event("", str(body.get("order_uuid") or ""), kind, message)]


def _body(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise errors.Malformed(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise errors.Malformed("the body is no object")
    return body


def _kind(body: Mapping[str, Any]) -> str:
    inner = body.get("fulfillment")
    kind = body.get("webhook_type") or (inner.get("webhook_type") if isinstance(inner, dict) else None)
    if not isinstance(kind, str):
        raise errors.Malformed("the body does not say its webhook_type")
    return kind


def _shipment(body: Mapping[str, Any], message: str) -> Event:
    fulfillment = body["fulfillment"]
    packages = len(fulfillment.get("packages") or [1])
    # The same form as the mark of a polled shipment, so that the poll which sees nothing new adds nothing.
    revision = f"{stamp(fulfillment['created_at'])}-{packages:03d}-000-000-000"
    return Event("shipments_webhook", str(fulfillment["shipment_uuid"]), SHIPMENT, message, revision)


def _level(item: Mapping[str, Any], message: str, received: datetime) -> Event:
    if not item.get("updated_warehouse"):  # sums over all warehouses say nothing of one place; the poll tells
        return Event("", str(item["sku"]), INVENTORY, f"{message}:{item['sku']}")
    identity = level_id(item)
    body = {**item, "read_at": received.isoformat()}
    return Event("inventory_webhook", identity, INVENTORY, f"{message}:{identity}", stamp(received.isoformat()), body)


def _order(body: Mapping[str, Any], kind: str, message: str, received: datetime) -> Event:
    at = stamp(str(body.get("allocated_at") or body.get("deallocated_at") or received.isoformat()))
    return Event("orders_webhook", str(body["order_uuid"]), kind, message, at, {**body, "told_at": at})
