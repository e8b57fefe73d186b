"""Telling Shopify absolute stock figures, each only where the figure there is still the one last told.

Shopify takes a batch as a whole or not at all, so what it refuses is set aside and the rest is sent again.
A key that was answered with success gives that answer again and does nothing; one that was refused is spent and wants
another key, whatever the figures.
Sources: https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/inventorySetQuantities, read 2026-11-22,
https://shopify.dev/docs/api/usage/idempotent-requests and
https://shopify.dev/changelog/posts/adding-idempotency-for-inventory-adjustments-and-refund-mutations, read 2026-11-30.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson

from connectors.shopify import queries
from connectors.shopify.client import Admin, gid
from hub.domain.shipping import ItemResult, StockUpdate
from hub.sdk import errors

STALE = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
REASON = "correction"


class StockPush:
    """One batch of figures on its way to Shopify; `key` is the same on every repetition of the batch."""

    def __init__(self, admin: Admin, updates: Sequence[StockUpdate], key: str) -> None:
        self._admin = admin
        self._updates = updates
        self._key = key
        self._results: dict[int, ItemResult] = {}

    def send(self) -> list[ItemResult]:
        """One result per update, in order. Safe to call again: the key covers the figures too."""
        items = self._inventory_items()
        waiting = [place for place in items if self._is_complete(place)]
        renewed = ""
        while waiting:
            refused, spent = self._try(waiting, items, renewed)
            if spent and renewed:
                raise errors.Transient("Shopify refuses a fresh idempotency key of a stock update")
            if spent:  # an earlier attempt was refused and did nothing, so any new key is as good as its own
                renewed = uuid4().hex
            elif not refused:
                break
            waiting = [place for place in waiting if place not in refused]
        return [self._results.get(place, ItemResult()) for place in range(len(self._updates))]

    def _inventory_items(self) -> dict[int, str]:
        """The inventory item of each update, looked up by variant where the update does not name it."""
        places = list(enumerate(self._updates))
        items = {place: gid("InventoryItem", one.inventory_item) for place, one in places if one.inventory_item}
        unknown = {place: gid("ProductVariant", one.listing) for place, one in places if place not in items}
        if not unknown:
            return items
        nodes = self._admin.read(queries.INVENTORY_ITEMS_OF_VARIANTS, ids=list(unknown.values()))["nodes"]
        for place, node in zip(unknown, nodes, strict=True):
            if node and node.get("inventoryItem"):
                items[place] = node["inventoryItem"]["id"]
            else:
                self._results[place] = ItemResult(f"Shopify knows no variant {self._updates[place].listing}")
        return dict(sorted(items.items()))

    def _is_complete(self, place: int) -> bool:
        if self._updates[place].location:
            return True
        self._results[place] = ItemResult("Shopify keeps stock by location, and no location is linked")
        return False

    def _try(self, waiting: Sequence[int], items: Mapping[int, str], renewed: str) -> tuple[set[int], bool]:
        """Send what is waiting. Gives the places that were refused, and whether the key was spent before."""
        quantities = [self._quantity(place, items[place]) for place in waiting]
        key = _key_of(self._key, quantities, renewed)
        given = {"name": "available", "reason": REASON, "quantities": quantities}
        answer = self._admin.write(queries.SET_QUANTITIES, repeatable=True, input=given, key=key)
        refused: set[int] = set()
        for said in answer.get("userErrors") or ():
            code = str(said.get("code") or "")
            if code == "IDEMPOTENCY_CONCURRENT_REQUEST":
                raise errors.Transient(str(said["message"]), 5.0)
            if code in {"IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"}:
                return set(), True
            for place in _places(said.get("field"), waiting):
                refused.add(place)
                self._results[place] = self._result(place, items[place], code, str(said["message"]))
        return refused, False

    def _quantity(self, place: int, item: str) -> dict[str, Any]:
        update = self._updates[place]
        return {
            "inventoryItemId": item,
            "locationId": gid("Location", update.location),
            "quantity": update.quantity,
            # Since 2026-04 this must be said even where nothing is compared.
            "changeFromQuantity": update.previous,
        }

    def _result(self, place: int, item: str, code: str, message: str) -> ItemResult:
        if code not in STALE:
            return ItemResult(f"{message} ({code})" if code else message)
        found = self._available(item, gid("Location", self._updates[place].location))
        return ItemResult(f"{message} ({code})", actual=found)

    def _available(self, item: str, location: str) -> int | None:
        data = self._admin.read(queries.AVAILABLE, item=item, location=location)
        level = (data.get("inventoryItem") or {}).get("inventoryLevel") or {}
        return next((row["quantity"] for row in level.get("quantities") or () if row["name"] == "available"), None)


def _key_of(key: str, quantities: Sequence[Mapping[str, Any]], renewed: str) -> str:
    """A key for exactly these figures: Shopify refuses a key that comes with other ones."""
    figures = orjson.dumps([key, quantities, renewed], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(figures).hexdigest()


def _places(path: Sequence[str] | None, waiting: Sequence[int]) -> list[int]:
    """The places that a user error is about: the numbered one of its path, or all of them."""
    number = next((int(step) for step in path or () if str(step).isdigit()), None)
    if number is None or number >= len(waiting):
        return list(waiting)
    return [waiting[number]]
