"""What Amazon refuses, for its stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

ORDER_DATA = frozenset(
    (
        "BUYER", "RECIPIENT", "PROCEEDS", "EXPENSE", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX",
        "PAYMENT", "FULFILLMENT_ORDERS",
    )
)  # fmt: skip
SEARCH_PARAMETERS = frozenset(
    (
        "createdAfter", "createdBefore", "lastUpdatedAfter", "lastUpdatedBefore", "fulfillmentStatuses",
        "marketplaceIds", "fulfilledBy", "maxResultsPerPage", "paginationToken", "includedData",
    )
)  # fmt: skip


class Refusal(Exception):
    """An answer of 400 and above, in Amazon's shape."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details


def parts(text: str | None) -> tuple[str, ...]:
    """The items of a comma-delimited list."""
    return tuple(part for part in (text or "").split(",") if part)


def check_search(args: Mapping[str, str], now: datetime, youngest: timedelta) -> tuple[datetime, datetime]:
    """The span of a search for orders. Raises Refusal."""
    unknown = set(args) - SEARCH_PARAMETERS
    if unknown:
        raise _invalid(f"Unknown parameter {min(unknown)}.")
    if ("createdAfter" in args) == ("lastUpdatedAfter" in args):
        raise _invalid("Exactly one of createdAfter and lastUpdatedAfter must be provided.")
    kind, other = ("created", "lastUpdated") if "createdAfter" in args else ("lastUpdated", "created")
    if f"{other}Before" in args:
        raise _invalid(f"{other}Before may not be combined with {kind}After.")
    if set(parts(args.get("includedData"))) - ORDER_DATA:
        raise _invalid("includedData has an unknown value.")
    if len(parts(args.get("marketplaceIds"))) > 50:
        raise _invalid("marketplaceIds may hold 50 values.")
    size = args.get("maxResultsPerPage", "100")
    if not size.isdecimal() or not 1 <= int(size) <= 100:
        raise _invalid("maxResultsPerPage must be between 1 and 100.")
    after = _moment(args[f"{kind}After"], f"{kind}After")
    before = _moment(args[f"{kind}Before"], f"{kind}Before") if f"{kind}Before" in args else now - youngest
    if before > now - youngest:
        raise _invalid(f"{kind}Before must be at least two minutes before the time of the request.")
    if before < after:
        raise _invalid(f"{kind}Before must be equal to or after {kind}After.")
    return after, before


def check_confirmation(body: Any, order: Mapping[str, Any], marketplace: str) -> None:
    """Raises Refusal for a confirmation that Amazon would not take."""
    if not isinstance(body, dict) or not isinstance(body.get("packageDetail"), dict):
        raise _invalid("Please check the missing or invalid field [packageDetail].")
    if body.get("marketplaceId") != marketplace:
        raise _invalid("Please check the missing or invalid field [marketplaceId].")
    detail = body["packageDetail"]
    for name in ("packageReferenceId", "carrierCode", "trackingNumber", "shipDate", "orderItems"):
        if not detail.get(name):
            raise _invalid(f"Please check the missing field [packageDetail.{name}].")
    reference = detail["packageReferenceId"]
    if not isinstance(reference, str) or not reference.isdecimal() or int(reference) < 1:
        raise _invalid("PackageReferenceId: is invalid, must be a positive numeric value.")
    if detail["carrierCode"] == "Other" and not detail.get("carrierName"):
        raise _invalid("carrierName is required when carrierCode is Other.")
    _moment(detail["shipDate"], "packageDetail.shipDate")
    if order["fulfillment"]["fulfilledBy"] != "MERCHANT":
        raise _invalid("The order is fulfilled by Amazon.")
    if order["fulfillment"]["fulfillmentStatus"] in {"PENDING", "PENDING_AVAILABILITY", "CANCELLED"}:
        raise _invalid(f"An order that is {order['fulfillment']['fulfillmentStatus']} cannot be confirmed.")
    _check_units(detail, order)


def _check_units(detail: Mapping[str, Any], order: Mapping[str, Any]) -> None:
    """Units of all packages together, an edited one counted once, may not be more than were ordered."""
    left = {item["orderItemId"]: item["quantityOrdered"] for item in order["orderItems"]}
    for package in order["packages"]:
        if package["packageReferenceId"] != detail["packageReferenceId"]:
            for packed in package["packageItems"]:
                left[packed["orderItemId"]] -= packed["quantity"]
    if not any(left.values()):
        raise _invalid(
            "Failed to create package due to not finding a matching package or order already fulfilled. "
            "(errorMetric=PackageToUpdateNotFound)"
        )
    for item in detail["orderItems"]:
        if item.get("orderItemId") not in left:
            raise _invalid(f"The order has no item {item.get('orderItemId')}.")
        quantity = item.get("quantity")
        if not isinstance(quantity, int) or quantity < 1 or quantity > left[item["orderItemId"]]:
            raise _invalid(f"The quantity of item {item['orderItemId']} is more than what is left to ship.")


def check_patch(body: Any, sku: str, listings: Mapping[str, Any]) -> tuple[int | None, list[dict[str, Any]]]:
    """The figure that a patch sets, and the issues that make it invalid. Raises Refusal when it cannot be read."""
    if not isinstance(body, dict) or not body.get("productType") or not isinstance(body.get("patches"), list):
        raise _invalid("Request has missing or invalid parameters and cannot be parsed.")
    quantity: int | None = None
    for patch in body["patches"]:
        if patch.get("op") not in {"add", "replace", "merge", "delete"} or not patch.get("path"):
            raise _invalid("Request has missing or invalid parameters and cannot be parsed.")
        if patch["path"] != "/attributes/fulfillment_availability":
            return None, [_issue("90000900", "The attributes are invalid.", patch["path"].rpartition("/")[2])]
        values = patch.get("value")
        if not isinstance(values, list) or not values:
            raise _invalid("Value is missing for patch at index of 0.")
        if not values[0].get("fulfillment_channel_code"):
            return None, [_issue("90220", "'fulfillment_channel_code' is required but not supplied.")]
        quantity = values[0].get("quantity")
        if not isinstance(quantity, int) or quantity < 0:
            return None, [_issue("90244", "The value specified for 'quantity' is invalid.")]
    if sku not in listings:
        return None, [_issue("8560", f"SKU {sku} does not match any listing of the seller.", "sku")]
    return quantity, []


def _issue(code: str, message: str, attribute: str = "fulfillment_availability") -> dict[str, Any]:
    return {
        "code": code,
        "message": message,
        "severity": "ERROR",
        "attributeNames": [attribute],
        "categories": ["INVALID_ATTRIBUTE"],
    }


def _invalid(message: str) -> Refusal:
    return Refusal(400, "InvalidInput", message)


def _moment(text: Any, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise _invalid(f"{name} must be in ISO 8601 format.") from None
    if moment.tzinfo is None:
        raise _invalid(f"{name} must be in ISO 8601 format.")
    return moment
