"""Telling Shopify what left, at most once.

Shopify takes no idempotency key for fulfillments. Before anything is made, the order's fulfillments are read: one with
the same tracking number, or none left to fulfil, means that it has been done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from connectors.shopify import queries
from connectors.shopify.client import PAGE, Admin, gid, refusal
from connectors.shopify.facts import numeric_id
from connectors.shopify.fulfilling import (
    DEAD,
    Draft,
    FulfillmentOrder,
    OpenLine,
    Parcel,
    drafts,
    made_before,
    parcels,
    shipped_in,
)
from hub.domain.shipping import ShipmentNotice
from hub.sdk import errors

LOOK_BACK = timedelta(days=2)  # how far back a bare tracking number is looked for
LOOK_THROUGH = 4  # pages of orders, the last changed ones first: what was just fulfilled is among them
ORDERS_PER_PAGE = 25


def confirm(admin: Admin, notice: ShipmentNotice) -> str:
    """The ids of the fulfillments made, with commas. Safe to repeat.

    Raises AlreadyDone when everything had been told before, Rejected when Shopify has fewer units left to fulfil,
    NotFound for an unknown order.
    """
    fulfillments, orders = _state(admin, notice.order_external_id)
    shipped_at = datetime.fromisoformat(notice.shipped_at)
    done, planned = [], list[Draft]()
    for parcel in parcels(notice):
        before = made_before(fulfillments, parcel, shipped_at) or _all_shipped(fulfillments, orders, parcel)
        if before:
            done.append(before)
        else:
            planned += drafts(orders, parcel, notice.location)
    made = [_create(admin, draft, notify=notice.notify_customer) for draft in planned]
    if not made:
        ref = ",".join(done)
        raise errors.AlreadyDone(f"fulfilled before as {ref}", ref)
    return ",".join([*done, *made])


def find(admin: Admin, reference: str, now: datetime) -> str | None:
    """The fulfillment with a tracking number. `reference` is "order id/tracking number" or the number alone.

    A number alone is looked for among the hundred orders that changed last, within two days, for Shopify has no search
    by it. What cannot be found so, `confirm` finds by itself before it makes anything.
    """
    order_id, _, number = reference.rpartition("/")
    if order_id:
        try:
            fulfillments, _ = _state(admin, order_id)
        except errors.NotFound:
            return None
        return _tracked(fulfillments, number)
    since = (now - LOOK_BACK).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    recent = f"updated_at:>='{since}'"
    pages = admin.pages(queries.TRACKED_FULFILLMENTS, lambda data: data["orders"], first=ORDERS_PER_PAGE, query=recent)
    found = (_tracked(node["fulfillments"], number) for page in islice(pages, LOOK_THROUGH) for node in page["nodes"])
    return next((ref for ref in found if ref), None)


def _tracked(fulfillments: Iterable[Mapping[str, Any]], number: str) -> str | None:
    for one in fulfillments:
        if one["status"] not in DEAD and any(info.get("number") == number for info in one["trackingInfo"]):
            return numeric_id(one["id"])
    return None


def _state(admin: Admin, order_id: str) -> tuple[list[dict[str, Any]], list[FulfillmentOrder]]:
    fulfillments: list[dict[str, Any]] = []
    orders: list[FulfillmentOrder] = []

    def take(data: Mapping[str, Any]) -> Any:
        if data["order"] is None:
            raise errors.NotFound(f"Shopify knows no order {order_id}")
        fulfillments[:] = data["order"]["fulfillments"]
        return data["order"]["fulfillmentOrders"]

    for page in admin.pages(queries.FULFILLMENT_ORDERS, take, id=gid("Order", order_id), first=10, lines=50):
        orders += [_fulfillment_order(admin, node) for node in page["nodes"]]
    return fulfillments, orders


def _fulfillment_order(admin: Admin, node: Mapping[str, Any]) -> FulfillmentOrder:
    rows = list(node["lineItems"]["nodes"])
    page = node["lineItems"]["pageInfo"]
    if page["hasNextPage"]:
        more = admin.pages(
            queries.FULFILLMENT_ORDER_LINES,
            lambda data: (data["fulfillmentOrder"] or {}).get("lineItems"),
            page["endCursor"],
            id=node["id"],
            first=PAGE,
        )
        rows += [row for part in more for row in part["nodes"]]
    place = node["assignedLocation"]["location"] or {}
    return FulfillmentOrder(
        id=node["id"],
        status=node["status"],
        location=numeric_id(place["id"]) if place.get("id") else "",
        creatable=any(one["action"] == "CREATE_FULFILLMENT" for one in node["supportedActions"]),
        lines=tuple(OpenLine(row["id"], numeric_id(row["lineItem"]["id"]), row["remainingQuantity"]) for row in rows),
    )


def _all_shipped(fulfillments: Iterable[Mapping[str, Any]], orders: Iterable[FulfillmentOrder], parcel: Parcel) -> str:
    """A fulfillment that has the parcel's lines, when nothing of them is left to fulfil; else ""."""
    left = any(line.remaining for order in orders for line in order.lines if line.order_line in parcel.units)
    return "" if left else shipped_in(fulfillments, parcel)


def _create(admin: Admin, draft: Draft, *, notify: bool) -> str:
    answer = admin.write(queries.CREATE_FULFILLMENT, fulfillment=draft.as_input(notify=notify))
    no = refusal(answer)
    if no is not None:
        raise no
    made = answer.get("fulfillment")
    if not made:
        raise errors.OutcomeUnknown("Shopify names no fulfillment")
    return numeric_id(made["id"])
