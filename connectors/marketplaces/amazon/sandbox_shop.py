"""The shop behind Amazon's stand-in, and what a demo does there: offer, order, release, cancel, look."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.marketplaces.amazon.marketplaces import MARKETPLACES
from connectors.marketplaces.amazon.sandbox_shapes import iso, made_item, made_order
from hub.testing import Sandbox

ADDRESS = {
    "name": "Robin Example",
    "addressLine1": "1 Example Street",
    "city": "Springfield",
    "stateOrRegion": "IL",
    "postalCode": "62701",
    "countryCode": "US",
    "addressType": "RESIDENTIAL",
}


@dataclass(slots=True)
class Shop(Sandbox):
    """`orders` and `listings` hold what it knows, by id and SKU. `clock` gives aware UTC."""

    name: str = "amazon"
    marketplace: str = "ATVPDKIKX0DER"
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    listings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add_listing(
        self,
        sku: str,
        title: str = "",
        *,
        price: str = "20.00",
        quantity: int = 0,
        product_type: str = "PRODUCT",
        by_amazon: bool = False,
        at: datetime | None = None,
    ) -> None:
        """Offer a SKU. `by_amazon` makes it one that Amazon's warehouses ship."""
        now = iso(at or self.clock())
        self.listings[sku] = {
            "sku": sku,
            "title": title or f"Example {sku}",
            "asin": f"B0{uuid.uuid5(uuid.NAMESPACE_URL, sku).hex[:8].upper()}",
            "price": price,
            "quantity": quantity,
            "product_type": product_type,
            "by_amazon": by_amazon,
            "created": now,
            "updated": now,
        }

    def place_order(
        self,
        lines: Sequence[tuple[str, int]],
        *,
        status: str = "UNSHIPPED",
        shipping: str = "0.00",
        tax: str = "0.00",
        discount: str = "0.00",
        gift_wrap: str = "0.00",
        address: Mapping[str, Any] | None = None,
        buyer: str = "Robin Example",
        at: datetime | None = None,
    ) -> str:
        """Order (SKU, units) of listings; returns the order id.

        Shipping, tax, discount and gift wrap fall on the first item. Unless said otherwise the order is five minutes
        old, so that Amazon's two minutes of silence are over. A pending order has neither prices nor an address.
        """
        with self.lock:
            number = f"{len(self.orders) + 1:07d}"
            currency = MARKETPLACES[self.marketplace].currency
            by_amazon = all(self.listings[sku]["by_amazon"] for sku, _ in lines)
            moment = at or self.clock() - timedelta(minutes=5)
            extra = {"SHIPPING": shipping, "GIFT_WRAP": gift_wrap, "TAX": tax, "DISCOUNT": discount}
            items = [
                made_item(f"{number}{place:07d}", self.listings[sku], units, extra if place == 1 else {}, currency)
                for place, (sku, units) in enumerate(lines, 1)
            ]
            order_id = f"902-{number}-{number}"
            self.orders[order_id] = made_order(
                order_id,
                items,
                status,
                moment,
                address or ADDRESS,
                buyer,
                marketplace=self.marketplace,
                by_amazon=by_amazon,
            )
            return order_id

    def release_order(self, order: str) -> None:
        """Payment of a pending order went through: it may be shipped."""
        self._change(order, "UNSHIPPED")

    def cancel_order(self, order: str, reason: str = "Buyer requested cancellation") -> None:
        """Cancel a whole order on the buyer's wish."""
        self._change(order, "CANCELLED")
        for item in self.orders[order]["orderItems"]:
            item["cancellation"] = {"cancellationExecution": {"cancelledBy": "BUYER", "cancelReason": reason}}
            item["fulfillment"] |= {"quantityUnfulfilled": 0}

    def packages(self, order: str) -> list[dict[str, Any]]:
        """What was confirmed as shipped."""
        return list(self.orders[order].get("packages", ()))

    def status(self, order: str) -> str:
        return str(self.orders[order]["fulfillment"]["fulfillmentStatus"])

    def quantity(self, sku: str) -> int:
        """The stock that the shop shows for a SKU."""
        return int(self.listings[sku]["quantity"])

    def count_shipped(self, order: dict[str, Any]) -> None:
        """Bring items and status of an order in line with its packages."""
        for item in order["orderItems"]:
            shipped = sum(
                packed["quantity"]
                for package in order["packages"]
                for packed in package["packageItems"]
                if packed["orderItemId"] == item["orderItemId"]
            )
            item["fulfillment"] |= {
                "quantityFulfilled": shipped,
                "quantityUnfulfilled": item["quantityOrdered"] - shipped,
            }
        left = sum(item["fulfillment"]["quantityUnfulfilled"] for item in order["orderItems"])
        order["fulfillment"]["fulfillmentStatus"] = "PARTIALLY_SHIPPED" if left else "SHIPPED"
        order["lastUpdatedTime"] = iso(self.clock())

    def _change(self, order: str, status: str) -> None:
        with self.lock:
            known = self.orders[order]
            known["fulfillment"]["fulfillmentStatus"] = status
            # Five minutes back as new orders are, but never before the change that is already there.
            moment = iso(self.clock() - timedelta(minutes=5))
            later = datetime.fromisoformat(known["lastUpdatedTime"]) + timedelta(seconds=1)
            known["lastUpdatedTime"] = max(moment, iso(later))
