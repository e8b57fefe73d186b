"""Telling Shopify what left, at most once.

Shopify takes no idempotency key for fulfillments. Before anything is made, the order's fulfillments are read: one with
the same tracking number, or none left to fulfil, means that it has been done. So a call whose answer was lost is simply
made again: there is no other way to look it up, for Shopify keeps no reference of ours with a fulfillment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.shopify import queries
from connectors.shopify.client import PAGE, Admin, gid, refusal
from connectors.shopify.facts import numeric_id
from connectors.shopify.fulfilling import (
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
