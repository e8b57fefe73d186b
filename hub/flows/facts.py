"""Facts that are no orders: stock figures, listings and the life of a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hub.domain.documents import Product, StockLevel, Variant
from hub.domain.feeds import Emptying
from hub.flows import feed_guard
from hub.flows.runtime import Runtime
from hub.store import availability, catalog, connections, inbox, listings
from hub.store.connections import ConnectionRow
from hub.store.database import Tx
from hub.store.ledger import StockBook, moves_since
from hub.store.lots import tracked

if TYPE_CHECKING:
    from hub.flows.intake import Read

Outcome = tuple[str, str, str | None]
KEPT_BY_LOT = "kept_by_lot"  # why a figure is parked: it does not say which lots or numbered units it is of
PRIVACY_TOPICS = frozenset({"customers/data_request", "customers/redact", "shop/redact"})


def apply(runtime: Runtime, tx: Tx, batch: Sequence[Read], doors: set[str]) -> list[Outcome]:
    """Apply stock figures, products and lifecycle events; returns an outcome per row."""
    figures = [one for one in batch if one.kind == "inventory"]
    outcomes = take_stock(runtime, tx, figures, doors) if figures else []
    for one in batch:
        if one.kind == "product":
            outcomes.append(_list_product(tx, one, doors))
        elif one.kind == "lifecycle" and one.row["topic"] in PRIVACY_TOPICS:
            # Somebody has to answer these within 30 days, so they wait where problems wait.
            inbox.park(tx, one.row["id"], "privacy_request", "A person's data is asked for.", None, runtime.clock())
        elif one.kind == "lifecycle":
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


def take_stock(runtime: Runtime, tx: Tx, batch: Sequence[Read], doors: set[str]) -> list[Outcome]:
    """Apply figures that warehouses and 3PLs state for our locations; returns an outcome per row that is not parked.

    A channel's own figure is only the echo of what it was told, since the hub is the authority for stock. Of a feed
    that takes most articles to nothing, all is parked that has come when it is noticed, and what follows closely.
    """
    known = {row.id: row for row in connections.every(tx)}
    outcomes: list[Outcome] = []
    stated: list[_Stated] = []
    for connection_id in sorted({one.row["connection_id"] for one in batch}):
        mine = [one for one in batch if one.row["connection_id"] == connection_id]
        said, rest = _stated(tx, connection_id, mine)
        outcomes += rest
        unseen = [one for one in said if one.read.row["error_code"] != availability.ACCEPTED]
        found = _doubt(runtime, tx, known[connection_id], [one.read for one in unseen])
        if found is not None:
            _park(runtime, tx, connection_id, unseen, found)
            said = [one for one in said if one not in unseen]
        stated += said
    return outcomes + _book(runtime, tx, stated, doors)


@dataclass(frozen=True, slots=True)
class _Stated:
    """A figure for one of our positions."""

    read: Read
    location_id: str
    variant_id: str

    @property
    def as_of(self) -> datetime:
        """When the figure held: no clock of a source makes it newer than its arrival here."""
        level: StockLevel = self.read.value
        arrived: datetime = self.read.row["received_at"]
        return min(level.as_of, arrived)


def _stated(tx: Tx, connection_id: str, batch: Sequence[Read]) -> tuple[list[_Stated], list[Outcome]]:
    """The figures that are for one of our positions, and what became of the others."""
    levels: list[StockLevel] = [one.value for one in batch]
    echoes = listings.told(tx, connection_id, {name for level in levels for name in _names(level)})
    places = catalog.locations_by_external(tx, connection_id, {level.location for level in levels})
    theirs = {place.id for place in catalog.locations(tx) if place.handler_id == connection_id}
    articles = catalog.variants_by_sku(tx, {level.sku for level in levels if level.sku})
    said: list[_Stated] = []
    rest: list[Outcome] = []
    for one, level in zip(batch, levels, strict=True):
        location_id, variant_id = places.get(level.location, ""), articles.get(level.sku or "")
        if not echoes.isdisjoint(_names(level)):
            rest.append((one.row["id"], "no_change", None))
        elif location_id not in theirs or level.on_hand is None:
            rest.append((one.row["id"], "ignored", None))
        elif variant_id is None:
            rest.append((one.row["id"], "held_unmapped", None))
        else:
            said.append(_Stated(one, location_id, variant_id))
    return said, rest


def _names(level: StockLevel) -> set[str]:
    return {name for name in (level.external_variant_id, level.sku) if name}


def _doubt(runtime: Runtime, tx: Tx, connection: ConnectionRow, batch: Sequence[Read]) -> Emptying | None:
    levels = {one.row["id"]: one.value for one in batch}
    streams = sorted({one.row["stream"] for one in batch})
    return feed_guard.doubt(runtime, tx, connection, levels, streams) if levels else None


def _park(runtime: Runtime, tx: Tx, connection_id: str, said: Sequence[_Stated], found: Emptying) -> None:
    """Leave a feed to a person; published figures stay as they are."""
    words = (
        f"{found.emptied} of {found.stocked} articles that had stock would go to nothing ({found.percent} percent). "
        + (f"{found.booked} of them were booked before that was seen." if found.booked else "Nothing of it was booked.")
    )
    availability.distrust(tx, connection_id)
    for one in said:
        inbox.park(tx, one.read.row["id"], availability.IMPLAUSIBLE, words, None, runtime.clock())


def _book(runtime: Runtime, tx: Tx, stated: Sequence[_Stated], doors: set[str]) -> list[Outcome]:
    """Bring positions to what was stated for them, the oldest first.

    A figure tells what was there as of a moment: what came and left since is added to it. When somebody has said
    meanwhile how many there are, a figure of before is stale.
    """
    if not stated:
        return []
    now, outcomes = runtime.clock(), list[Outcome]()
    book = StockBook.open(tx, {one.variant_id for one in stated}, now, "feed")
    positions = {(one.location_id, one.variant_id): book.position(one.location_id, one.variant_id) for one in stated}
    kept_by = tracked(tx, {one.read.value.sku for one in stated})
    known = availability.verified_at(tx, {position.id for position in positions.values()})
    in_turn = sorted(stated, key=lambda one: one.as_of)
    oldest: dict[str, datetime] = {}
    for one in reversed(in_turn):
        oldest[positions[one.location_id, one.variant_id].id] = one.as_of
    moves = moves_since(tx, oldest)
    said: dict[str, datetime] = {}
    for one in in_turn:
        row_id, position = one.read.row["id"], positions[one.location_id, one.variant_id]
        if position.id in known and known[position.id] > one.as_of:
            outcomes.append((row_id, "stale", one.variant_id))
            continue
        since = sum(units for at, units in moves.get(position.id, ()) if at > one.as_of)
        units: int = one.read.value.on_hand
        there = max(0, units + since)  # what the feed no longer counts cannot leave as well
        if one.read.value.sku in kept_by:
            if position.on_hand not in (units, there):
                _leave_to_count(tx, one, kept_by[one.read.value.sku], position.on_hand, now)
                continue
            there = position.on_hand  # what was counted since may be what the feed had stated
        book.actor = f"connection:{one.read.row['connection_id']}"
        change = set_on_hand(
            book,
            one.location_id,
            one.variant_id,
            there,
            ("inbox", row_id),
            key=row_id,
            reason="feed" if units >= 0 else f"feed: {units} are stated, so none is there",
            as_of=one.as_of,
        )
        said[position.id] = one.as_of
        outcomes.append((row_id, "applied" if change else "no_change", one.variant_id))
    book.flush()
    fresh = availability.verified(tx, said, now, by_feed=True)
    if fresh or any(outcome == "applied" for _, outcome, _ in outcomes):
        doors |= {"stock", "refill"}
    return outcomes


def _leave_to_count(tx: Tx, one: _Stated, tracking: str, on_hand: int, now: datetime) -> None:
    """A feed does not say which lot or which numbered units came or went: a person has to."""
    level = one.read.value
    words = (
        f"{level.sku} is kept by {tracking}, and {level.on_hand} units are stated where the books have {on_hand}."
        " Nothing of it was booked."
    )
    inbox.park(tx, one.read.row["id"], KEPT_BY_LOT, words, None, now)


def set_on_hand(
    book: StockBook,
    location_id: str,
    variant_id: str,
    on_hand: int,
    cause: tuple[str, str],
    *,
    key: str,
    reason: str,
    as_of: datetime | None = None,
) -> int:
    """Bring a position to `on_hand` units by a ledger move; returns the difference. `key` makes it happen once.

    `as_of` is when the figure held, where that was before now.
    """
    position = book.position(location_id, variant_id)
    change = on_hand - position.on_hand
    if change:
        # The goods are gone whatever was promised: available may fall below zero, and the shortage shows as oversold.
        book.move(
            position,
            abs(change),
            None if change > 0 else "available",
            "available" if change > 0 else None,
            kind="adjust",
            cause=cause,
            key=f"adjust:{key}",
            reason=reason,
            by_fact=True,
            outright=True,
            occurred_at=as_of,
        )
    return change


def _lifecycle(tx: Tx, one: Read) -> Outcome:
    if one.row["topic"] != "app/uninstalled":
        return (one.row["id"], "ignored", None)
    seen = connections.get(tx, one.row["connection_id"])
    if _happened_at(one) <= seen.signed_in_at:
        return (one.row["id"], "stale", None)  # the app was installed again since
    reason = "The app was removed at the channel. Install it again and sign in."
    connections.stop(tx, seen, "needs_sign_in", reason)
    return (one.row["id"], "applied", None)


def _happened_at(one: Read) -> datetime:
    """When the channel says that it happened, or else when it was received."""
    try:
        stated = datetime.fromisoformat(one.row["revision"])
    except ValueError:
        stated = None
    received: datetime = one.row["received_at"]
    return received if stated is None or stated.tzinfo is None else min(stated, received)
