"""Parcels of the sandbox on their way: trackers, their scans, and the signed events about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCANS = {
    "unknown": ("", "unknown", None),
    "pre_transit": ("Shipping label created, carrier awaiting item", "label_created", "from"),
    "in_transit": ("Arrived at carrier facility", "arrived_at_facility", "from"),
    "out_for_delivery": ("Out for delivery", "out_for_delivery", "to"),
    "available_for_pickup": ("Available for pickup", "available_for_pickup", "to"),
    "delivered": ("Delivered, in or at mailbox", "arrived_at_destination", "to"),
    "return_to_sender": ("Return to sender", "return", "to"),
    "failure": ("Delivery cannot be made", "delivery_exception", "to"),
    "cancelled": ("Label cancelled", "cancelled", None),
    "error": ("Tracking stopped", "error", None),
}

Json = Mapping[str, Any]


def new_tracker(ref: str, code: str, carrier: str, at: str, shipment: Json | None, url: str) -> dict[str, Any]:
    """A tracker without scans; `shipment` is what the label was bought for, None for a label from elsewhere."""
    return {
        "id": ref,
        "object": "Tracker",
        "mode": "test",
        "tracking_code": code,
        "status": "unknown",
        "status_detail": "unknown",
        "created_at": at,
        "updated_at": at,
        "signed_by": None,
        "weight": shipment["parcel"]["weight"] if shipment else None,
        "est_delivery_date": None,
        "shipment_id": shipment["id"] if shipment else None,
        "carrier": carrier,
        "tracking_details": [],
        "fees": [],
        "carrier_detail": None,
        "finalized": False,
        "is_return": False,
        "public_url": url,
    }


def scan(tracker: Json, status: str, at: str, shipment: Json | None) -> dict[str, Any]:
    """The tracker after one more scan. A status that the vendor does not document is scanned all the same."""
    message, detail, end = SCANS.get(status, (status.replace("_", " ").capitalize(), status, None))
    where = shipment[f"{end}_address"] if shipment and end else {}
    entry = {
        "object": "TrackingDetail",
        "message": message,
        "description": message,
        "status": status,
        "status_detail": detail,
        "datetime": at,
        "source": tracker["carrier"],
        "carrier_code": "",
        "tracking_location": {
            "object": "TrackingLocation",
            **{key: where.get(key) for key in ("city", "state", "country", "zip")},
        },
    }
    return {
        **tracker,
        "status": status,
        "status_detail": detail,
        "updated_at": at,
        "finalized": status in {"delivered", "return_to_sender", "cancelled"},
        "tracking_details": [*tracker["tracking_details"], entry],
    }


def event(ref: str, topic: str, at: str, tracker: Json, url: str) -> dict[str, Any]:
    """An event as it is posted to a webhook."""
    return {
        "id": ref,
        "object": "Event",
        "description": topic,
        "mode": "test",
        "previous_attributes": {},
        "created_at": at,
        "updated_at": at,
        "pending_urls": [url],
        "completed_urls": [],
        "user_id": "user_5a4d0b0e7c9f4f0d8f3c2b1a09876543",
        "status": "pending",
        "result": tracker,
    }
