"""Shipments as Amazon's confirmShipment wants them. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

from hub.domain.shipping import ShipmentNotice, ShippedPackage
from hub.sdk import errors


def package_detail(notice: ShipmentNotice, package: ShippedPackage, number: int) -> dict[str, Any]:
    """One package as confirmShipment wants it. Raises Rejected without a tracking number: Amazon requires one."""
    if not package.tracking_number:
        raise errors.Rejected("Amazon confirms no package without a tracking number", field="tracking_number")
    detail: dict[str, Any] = {
        "packageReferenceId": package_reference(notice.reference, number),
        **carrier(package.carrier),
        "trackingNumber": package.tracking_number,
        "shipDate": notice.shipped_at,
        "orderItems": [{"orderItemId": line, "quantity": units} for line, units in package.lines if units > 0],
    }
    if package.service:
        detail["shippingMethod"] = package.service
    if notice.location:
        detail["shipFromSupplySourceId"] = notice.location
    return detail


def package_reference(reference: str, number: int) -> str:
    """The id of a package at Amazon: a positive number, unique in its order, the same on every try.

    Submitting it again edits the package instead of adding one, which is what makes confirming safe to repeat.
    Source: https://developer-docs.amazon.com/sp-api/docs/confirm-the-shipment-status, read 2026-11-22.
    """
    digest = hashlib.sha256(f"{reference}/{number}".encode()).digest()
    return str(int.from_bytes(digest[:8]) % 999_999_999 + 1)


_CARRIERS = {
    name.lower().replace(" ", ""): name
    for name in (
        "USPS", "UPS", "UPSMI", "FedEx", "DHL", "DHL Global Mail", "GLS", "DPD", "TNT", "Royal Mail", "Parcelforce",
        "Deutsche Post", "La Poste", "Chronopost", "Poste Italiane", "SDA", "Canada Post", "OnTrac", "Newgistics",
        "Streamlite", "OSM", "Fastway", "Aramex", "India Post", "DTDC", "BlueDart", "FedEx SmartPost",
    )
}  # fmt: skip
_CARRIERS |= {"dhlexpress": "DHL", "dhlparcel": "DHL", "dhlecommerce": "DHL Global Mail", "fedexground": "FedEx"}


def carrier(name: str | None) -> dict[str, str]:
    """Carrier code and name as confirmShipment wants them; one Amazon does not list goes as Other with its name."""
    stated = (name or "").strip()
    code = _CARRIERS.get("".join(letter for letter in stated.lower() if letter.isalnum()))
    return {"carrierCode": code} if code else {"carrierCode": "Other", "carrierName": stated or "Other"}
