"""Facts that are no orders: stock figures, listings and the life of a connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub.domain.documents import Product, StockLevel, Variant
from hub.flows.runtime import Runtime
from hub.store import catalog, connections, inbox
from hub.store.database import Tx
from hub.store.ledger import StockBook, last_move_at
from hub.store.listings import last_published

if TYPE_CHECKING:
    from hub.flows.intake import Read

Outcome = tuple[str, str, str | None]
PRIVACY_TOPICS = frozenset({"customers/data_request", "customers/redact", "shop/redact"})


def apply(runtime: Runtime, tx: Tx, batch: Sequence[Read], doors: set[str]) -> list[Outcome]:
    """Apply stock figures, products and lifecycle events; returns an outcome per row."""
    outcomes: list[Outcome] = []
    for one in batch:
        if one.kind == "product":
            outcomes.append(_list_product(tx, one, doors))
        elif one.kind == "inventory":
            outcomes.append(_take_stock(runtime, tx, one, doors))
        elif one.row["topic"] in PRIVACY_TOPICS:
            # Somebody has to answer these within 30 days, so they wait where problems wait.
            inbox.park(tx, one.row["id"], "privacy_request", "A person's data is asked for.", None, runtime.clock())
        else:
            outcomes.append(_lifecycle(tx, one))
    return outcomes


def _list_product(tx: Tx, one: Read, doors: set[str]) -> Outcome:
    product: Product = one.value
    items = [
        {
            "external_id": variant.external_id,
            "inventory_external_id": variant.inventory_external_id,
            "sku": variant.sku or "",
            "title": " - ".join(filter(None, (product.title, variant.title))),
            "product_type": _option(variant, "product_type"),
            "pack_size": variant.pack_size,
        }
        for variant in product.variants
        if variant.tracked is not False  # the channel keeps no stock of ours for it
    ]
    if catalog.store_listings(tx, one.row["connection_id"], items):
        doors.add("stock")
    return (one.row["id"], "applied", None)


def _option(variant: Variant, name: str) -> str | None:
    """A value that a channel needs again with every stock figure, such as Amazon's product type."""
    return next((option.value for option in variant.options if option.name == name), None)


def _take_stock(runtime: Runtime, tx: Tx, one: Read, doors: set[str]) -> Outcome:
    """Apply a figure that a warehouse or 3PL states for one of our locations.

    A channel's own figure is only the echo of what it was told, since the hub is the authority for stock.
    """
    level: StockLevel = one.value
    connection_id, row_id = one.row["connection_id"], one.row["id"]
    if last_published(tx, connection_id, level.external_variant_id or "", level.sku or "") is not None:
        return (row_id, "no_change", None)
    location_id = catalog.locations_by_external(tx, connection_id, [level.location]).get(level.location)
    location = next((place for place in catalog.locations(tx) if place.id == location_id), None)
    if location is None or location.handler_id != connection_id or level.on_hand is None:
        return (row_id, "ignored", None)
    variant_id = catalog.variants_by_sku(tx, [level.sku or ""]).get(level.sku or "")
    if variant_id is None:
        return (row_id, "held_unmapped", None)
    book = StockBook.open(tx, {variant_id}, runtime.clock(), f"connection:{connection_id}")
    if last_move_at(tx, book.position(location.id, variant_id).id) > level.as_of:
        return (row_id, "stale", variant_id)  # older than what we know: it must not bring sold units back
    changed = set_on_hand(book, location.id, variant_id, level.on_hand, ("inbox", row_id), key=row_id, reason="feed")
    book.flush()
    if changed:
        doors |= {"stock", "refill"}
    return (row_id, "applied" if changed else "no_change", variant_id)


def set_on_hand(
    book: StockBook, location_id: str, variant_id: str, on_hand: int, cause: tuple[str, str], *, key: str, reason: str
) -> int:
    """Bring a position to `on_hand` units by a ledger move; returns the difference. `key` makes it happen once."""
    position = book.position(location_id, variant_id)
    change = on_hand - position.on_hand
    if change > 0:
        book.move(position, change, None, "available", kind="adjust", cause=cause, key=f"adjust:{key}", reason=reason)
    elif change < 0:
        # The goods are gone whatever was promised: available may fall below zero, and the shortage shows as oversold.
        book.move(
            position,
            -change,
            "available",
            None,
            kind="adjust",
            cause=cause,
            key=f"adjust:{key}",
            reason=reason,
            by_fact=True,
        )
    return change


def _lifecycle(tx: Tx, one: Read) -> Outcome:
    if one.row["topic"] == "app/uninstalled":
        reason = "The app was removed at the channel. Install it again and sign in."
        connections.set_status(tx, one.row["connection_id"], "needs_sign_in", reason)
        return (one.row["id"], "applied", None)
    return (one.row["id"], "ignored", None)
