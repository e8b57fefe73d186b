"""From a notice of what left to fulfillments in Shopify: which of its fulfillment orders, how many units. Pure.

One fulfillment holds units of one assigned location and names one carrier.
Source: https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/fulfillmentCreate, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.shopify.facts import numeric_id
from hub.domain.shipping import ShipmentNotice, ShippedPackage
from hub.sdk import errors

Json = Mapping[str, Any]

DEAD = frozenset({"CANCELLED", "ERROR", "FAILURE"})
"""States of a fulfillment that has not taken place."""

CLOCKS_APART = timedelta(minutes=1)
"""By how much Shopify's clock, which shows whole seconds, may be behind the hub's."""


@dataclass(slots=True)
class OpenLine:
    """Units of one order line that one fulfillment order still has to ship."""

    id: str
    order_line: str
    remaining: int


@dataclass(frozen=True, slots=True)
class FulfillmentOrder:
    """`creatable` says whether Shopify lets a fulfillment be made of it now; `location` is the numeric place id."""

    id: str
    status: str
    location: str
    creatable: bool
    lines: tuple[OpenLine, ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Packages of one carrier: their tracking numbers and pages, and units by order line."""

    company: str | None
    numbers: tuple[str, ...]
    urls: tuple[str, ...]
    units: Mapping[str, int]


@dataclass(slots=True)
class Draft:
    """One fulfillment to be made: units by fulfillment order and by its line."""

    parcel: Parcel
    picks: dict[str, dict[str, int]] = field(default_factory=dict)

    def as_input(self, *, notify: bool) -> dict[str, Any]:
        """The FulfillmentInput of the mutation."""
        tracking: dict[str, Any] = {}
        if self.parcel.company:
            tracking["company"] = self.parcel.company
        if self.parcel.numbers:
            tracking["numbers"] = list(self.parcel.numbers)
        if self.parcel.urls and len(self.parcel.urls) == len(self.parcel.numbers):  # they are paired by position
            tracking["urls"] = list(self.parcel.urls)
        made: dict[str, Any] = {
            "notifyCustomer": notify,
            "lineItemsByFulfillmentOrder": [
                {
                    "fulfillmentOrderId": order,
                    "fulfillmentOrderLineItems": [{"id": line, "quantity": units} for line, units in lines.items()],
                }
                for order, lines in self.picks.items()
            ],
        }
        return {**made, "trackingInfo": tracking} if tracking else made


def parcels(notice: ShipmentNotice) -> list[Parcel]:
    """The packages of a notice, put together by carrier."""
    by_carrier: dict[str | None, list[ShippedPackage]] = {}
    for package in notice.packages:
        by_carrier.setdefault(package.carrier, []).append(package)
    return [_parcel(carrier, packages) for carrier, packages in by_carrier.items()]


def _parcel(carrier: str | None, packages: Iterable[ShippedPackage]) -> Parcel:
    numbers, urls, units = [], [], dict[str, int]()
    for package in packages:
        if package.tracking_number and package.tracking_number not in numbers:
            numbers.append(package.tracking_number)
            if package.tracking_url:
                urls.append(package.tracking_url)
        for line, quantity in package.lines:
            units[line] = units.get(line, 0) + quantity
    return Parcel(carrier, tuple(numbers), tuple(urls), units)


def made_before(fulfillments: Iterable[Json], parcel: Parcel, shipped_at: datetime) -> str:
    """The id of the fulfillment that was made of this parcel before, or "".

    It carries one of the parcel's tracking numbers. A parcel without any is known by its units: a fulfillment without
    tracking that has the same ones, and was made after the goods left.
    """
    for one in fulfillments:
        numbers = {info["number"] for info in one.get("trackingInfo") or () if info.get("number")}
        if one.get("status") in DEAD:
            continue
        if numbers.intersection(parcel.numbers):
            return numeric_id(one["id"])
        untracked = not numbers and not parcel.numbers
        is_later = datetime.fromisoformat(one["createdAt"]) >= shipped_at - CLOCKS_APART
        if untracked and is_later and _units(one) == parcel.units:
            return numeric_id(one["id"])
    return ""


def shipped_in(fulfillments: Iterable[Json], parcel: Parcel) -> str:
    """The id of the last fulfillment that has units of the parcel's lines, or ""."""
    found = ""
    for one in fulfillments:
        if one.get("status") not in DEAD and parcel.units.keys() & _units(one).keys():
            found = numeric_id(one["id"])
    return found


def _units(fulfillment: Json) -> dict[str, int]:
    """Units by order line in a fulfillment."""
    found: dict[str, int] = {}
    for row in (fulfillment.get("fulfillmentLineItems") or {}).get("nodes") or ():
        line = numeric_id(row["lineItem"]["id"])
        found[line] = found.get(line, 0) + int(row["quantity"] or 0)
    return found


def drafts(orders: Sequence[FulfillmentOrder], parcel: Parcel, location: str | None) -> list[Draft]:
    """One fulfillment per assigned location, taking the units of `parcel` from what is still open.

    Fulfillment orders of `location`, where the goods left from, are used up first. The remaining units of `orders`
    are taken off, so that a second parcel cannot use them again. Raises Rejected naming the line that is short, and
    saying when a hold is the reason.
    """
    preferred = sorted(orders, key=lambda order: (not order.creatable, order.location != (location or "")))
    by_place: dict[str, Draft] = {}
    for order_line, units in parcel.units.items():
        left = units
        for order in preferred:
            left -= _take(order, order_line, left, by_place, parcel)
        if left:
            raise _short(orders, order_line, units, left)
    return list(by_place.values())


def _take(order: FulfillmentOrder, order_line: str, units: int, drafts_: dict[str, Draft], parcel: Parcel) -> int:
    taken = 0
    for line in order.lines:
        here = min(line.remaining, units - taken)
        if not order.creatable or line.order_line != order_line or here <= 0:
            continue
        draft = drafts_.setdefault(order.location, Draft(parcel))
        draft.picks.setdefault(order.id, {})[line.id] = here
        line.remaining -= here
        taken += here
    return taken


def _short(orders: Sequence[FulfillmentOrder], order_line: str, units: int, left: int) -> errors.Rejected:
    waiting = {order.status for order in orders for line in order.lines if line.order_line == order_line}
    if waiting & {"ON_HOLD", "SCHEDULED"}:
        state = "on hold" if "ON_HOLD" in waiting else "scheduled for later"
        return errors.Rejected(f"line {order_line} is {state} in Shopify: release it there first", "ON_HOLD")
    return errors.Rejected(
        f"line {order_line}: {units} units left, but Shopify has only {units - left} of them still to fulfil",
        "EXCEEDS_REMAINING",
        order_line,
    )
