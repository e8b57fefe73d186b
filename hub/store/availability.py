"""What the availability of a listing rests on, read in bulk: shelves, kits, supply, promises and the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update

from hub.domain.availability import (
    Article,
    Channel,
    Confidence,
    Filter,
    Item,
    Kind,
    Offer,
    Part,
    Rule,
    RuleBook,
    Shelf,
    confidence_of,
    kit_demand,
    publish,
)
from hub.domain.purchasing import OPEN
from hub.store import listings
from hub.store.connections import ConnectionRow
from hub.store.database import Tx, new_id
from hub.store.ledger import mark_listings
from hub.store.purchasing import TO_COME
from hub.store.rows import chunks
from hub.store.tables import (
    availability_rule,
    connection,
    inbox,
    kit_component,
    listing,
    location,
    product,
    purchase_order,
    purchase_order_line,
    stock_position,
    supply_promise,
    variant,
)

IMPLAUSIBLE = "implausible_feed"  # why figures of a feed are parked
ACCEPTED = "accepted_feed"  # a person has said that such figures are right


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A stored rule. `filter` is as `hub.domain.availability.Filter.of` reads it."""

    id: str
    position: int
    kind: str
    value: int
    connection_id: str | None
    location_group: str | None
    filter: Mapping[str, Any] | None
    note: str
    active: bool
    channel: str | None  # the connection's name

    def rule(self) -> Rule:
        return Rule(
            self.id,
            self.position,
            cast("Kind", self.kind),
            self.value,
            self.connection_id,
            self.location_group,
            Filter.of(self.filter),
        )


_RULE = [connection.c.name if name == "channel" else availability_rule.c[name] for name in RuleRow.__slots__]


def rules(tx: Tx) -> list[RuleRow]:
    """All rules in their order, also those that are switched off."""
    query = (
        select(*_RULE)
        .outerjoin(connection, connection.c.id == availability_rule.c.connection_id)
        .order_by(availability_rule.c.position)
    )
    return [RuleRow(*row) for row in tx.execute(query)]


def active_rules(tx: Tx) -> list[Rule]:
    return [row.rule() for row in rules(tx) if row.active]


def store_rules(tx: Tx, wanted: Sequence[RuleRow], now: datetime) -> None:
    """Bring the table to these rules, in this order; positions are numbered anew from 1."""
    known = {row.id for row in rules(tx)}
    tx.execute(update(availability_rule).values(position=-availability_rule.c.position))
    for gone in known - {row.id for row in wanted}:
        tx.execute(delete(availability_rule).where(availability_rule.c.id == gone))
    for position, row in enumerate(wanted, start=1):
        values = {name: getattr(row, name) for name in RuleRow.__slots__ if name not in ("id", "channel")}
        values |= {"position": position, "updated_at": now}
        if row.id in known:
            tx.execute(update(availability_rule).where(availability_rule.c.id == row.id).values(**values))
        else:
            tx.execute(insert(availability_rule).values(id=row.id, created_at=now, **values))


def channel_of(row: ConnectionRow) -> Channel:
    return Channel(row.id, row.location_group, row.stock_threshold)


@dataclass(frozen=True, slots=True)
class Component:
    """A component of a kit: so many units of an article in one kit."""

    variant_id: str
    sku: str
    title: str
    quantity: int
    keep_together: bool


def recipes(tx: Tx, variant_ids: Collection[str]) -> dict[str, tuple[Component, ...]]:
    """The components of those of the variants that are kits, in the one order in which stock is locked."""
    found: dict[str, list[Component]] = defaultdict(list)
    for part in chunks(variant_ids):
        query = (
            select(
                kit_component.c.kit_variant_id,
                kit_component.c.component_variant_id,
                variant.c.sku,
                variant.c.title,
                kit_component.c.quantity,
                kit_component.c.keep_together,
            )
            .join(variant, variant.c.id == kit_component.c.component_variant_id)
            .where(kit_component.c.kit_variant_id.in_(part))
            .order_by(kit_component.c.kit_variant_id, kit_component.c.component_variant_id)
        )
        for kit_id, *rest in tx.execute(query):
            found[kit_id].append(Component(*rest))
    return {kit_id: tuple(parts) for kit_id, parts in found.items()}


def kits_with(tx: Tx, variant_id: str) -> list[str]:
    """SKUs of the kits that this article is a component of."""
    query = (
        select(variant.c.sku)
        .join(kit_component, kit_component.c.kit_variant_id == variant.c.id)
        .where(kit_component.c.component_variant_id == variant_id)
    )
    return list(tx.execute(query.order_by(variant.c.sku)).scalars())


def change_article(tx: Tx, variant_id: str, now: datetime, **values: Any) -> None:
    """Set columns of an article that its figures depend on: tags, preorderable, backorder_limit."""
    tx.execute(update(variant).where(variant.c.id == variant_id).values(updated_at=now, **values))


def store_recipe(tx: Tx, kit_id: str, parts: Mapping[str, int], *, keep_together: bool) -> None:
    """Make a variant a kit of (component variant: units), or with none a plain article again."""
    tx.execute(delete(kit_component).where(kit_component.c.kit_variant_id == kit_id))
    rows = [
        {
            "id": new_id(),
            "kit_variant_id": kit_id,
            "component_variant_id": component,
            "quantity": units,
            "keep_together": keep_together,
        }
        for component, units in parts.items()
    ]
    if rows:
        tx.execute(insert(kit_component), rows)
    owner = select(variant.c.product_id).where(variant.c.id == kit_id).scalar_subquery()
    tx.execute(update(product).where(product.c.id == owner).values(kind="kit" if rows else "stock"))


@dataclass(frozen=True, slots=True)
class _Place:
    code: str
    groups: frozenset[str]
    stale_after_min: int | None
    fed_at: datetime | None


@dataclass(slots=True)
class Stockroom:
    """Everything that the figures of some variants rest on, as it stood at one moment."""

    now: datetime
    places: dict[str, _Place]
    articles: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)  # SKU and tags by variant
    shelves: dict[str, dict[str, tuple[int, Confidence]]] = field(default_factory=dict)  # by variant and place
    kits: dict[str, tuple[Component, ...]] = field(default_factory=dict)
    unrouted: dict[str, int] = field(default_factory=dict)
    # By variant and group-carrying place: what is on its way, and of it what was promised.
    supply: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)

    def item(self, row: Mapping[str, Any], group: str | None = None) -> Item:
        """A listing's row as something to reckon with, for a channel that sells from this group."""
        variant_id = row["variant_id"]
        article = self._article(variant_id, row["product_type"] or "")
        parts = self.kits.get(variant_id, ())
        if parts:
            promised = [(self.unrouted.get(part.variant_id, 0), part.quantity) for part in parts]
            shelves, demand, coming = self._kit_shelves(parts), kit_demand(promised), 0
        else:
            shelves, demand = self._shelves(variant_id), self.unrouted.get(variant_id, 0)
            coming, covered = self._supply(variant_id, group)
            demand = max(0, demand - covered)
        return Item(article, shelves, coming, demand, row["pack_size"], row["published_quantity"])

    def _article(self, variant_id: str, product_type: str = "") -> Article:
        sku, tags = self.articles[variant_id]
        return Article(sku, tags, product_type)

    def _shelves(self, variant_id: str) -> list[Shelf]:
        return sorted(
            Shelf(self.places[place].code, available, self.places[place].groups, confidence)
            for place, (available, confidence) in self.shelves.get(variant_id, {}).items()
        )

    def _kit_shelves(self, parts: Sequence[Component]) -> list[Shelf]:
        """The kit at every place that has ever had one of its components."""
        here = {place for part in parts for place in self.shelves.get(part.variant_id, {})}
        found = []
        for place in here:
            held = [self.shelves.get(part.variant_id, {}).get(place, (0, "fresh")) for part in parts]
            stock = tuple(
                Part(self._article(part.variant_id), available, part.quantity)
                for part, (available, _) in zip(parts, held, strict=True)
            )
            worst = max((confidence for _, confidence in held), key=_CONFIDENCES.index)
            found.append(Shelf(self.places[place].code, 0, self.places[place].groups, worst, stock))
        return sorted(found, key=lambda shelf: shelf.code)

    def _supply(self, variant_id: str, group: str | None) -> tuple[int, int]:
        """Units on order that may be promised still, and those promised already, at the places of a group."""
        lines = [
            (coming, promised)
            for place, coming, promised in self.supply.get(variant_id, ())
            if place in self.places and (group is None or group in self.places[place].groups)
        ]
        return sum(max(0, coming - promised) for coming, promised in lines), sum(
            min(coming, promised) for coming, promised in lines
        )


_CONFIDENCES: tuple[Confidence, ...] = ("fresh", "stale", "unknown")


def stockroom(tx: Tx, variant_ids: Collection[str], now: datetime) -> Stockroom:
    """Read what the figures of these variants rest on, in a fixed number of queries."""
    kits = recipes(tx, variant_ids)
    wanted = set(variant_ids) | {part.variant_id for parts in kits.values() for part in parts}
    found = Stockroom(now, _places(tx), kits=kits)
    preorderable = set()
    for part in chunks(wanted):
        query = select(variant.c.id, variant.c.sku, variant.c.tags, variant.c.preorderable)
        for row in tx.execute(query.where(variant.c.id.in_(part))):
            found.articles[row.id] = (row.sku, frozenset(row.tags or ()))
            if row.preorderable:
                preorderable.add(row.id)
    _read_shelves(tx, wanted, found)
    found.unrouted = listings.unrouted(tx, wanted)
    if preorderable:
        found.supply = _supply(tx, preorderable)
    return found


def offers(tx: Tx, channel: ConnectionRow, rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, Offer]:
    """What a channel is to be told of these listings of its, by listing id."""
    known = stockroom(tx, {row["variant_id"] for row in rows}, now)
    book = RuleBook(active_rules(tx), channel_of(channel))
    return {row["id"]: publish(book, known.item(row, channel.location_group)) for row in rows}


def _places(tx: Tx) -> dict[str, _Place]:
    """Locations whose stock is sold: those that are switched on and ship or hand over."""
    query = select(
        location.c.id, location.c.code, location.c.groups, location.c.stale_after_min, location.c.fed_at
    ).where(location.c.active.is_(True), or_(location.c.ships.is_(True), location.c.picks_up.is_(True)))
    return {row.id: _Place(row.code, frozenset(row.groups or ()), *row[3:]) for row in tx.execute(query)}


def _read_shelves(tx: Tx, variant_ids: Collection[str], found: Stockroom) -> None:
    for part in chunks(variant_ids):
        query = select(
            stock_position.c.variant_id,
            stock_position.c.location_id,
            stock_position.c.available,
            stock_position.c.verified_at,
        ).where(stock_position.c.variant_id.in_(part))
        for variant_id, location_id, available, verified_at in tx.execute(query):
            place = found.places.get(location_id)
            if place is not None:
                trust = confidence_of(verified_at, place.fed_at, place.stale_after_min, found.now)
                found.shelves.setdefault(variant_id, {})[location_id] = (available, trust)


def _supply(tx: Tx, variant_ids: Collection[str]) -> dict[str, list[tuple[str, int, int]]]:
    """(location, units to come, units promised of them) of every open purchase order line, by variant."""
    line, promised = purchase_order_line.c, func.coalesce(func.sum(supply_promise.c.quantity), 0)
    found: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for part in chunks(variant_ids):
        query = (
            select(line.variant_id, purchase_order.c.location_id, TO_COME.label("coming"), promised.label("promised"))
            .join(purchase_order, purchase_order.c.id == line.purchase_order_id)
            .outerjoin(supply_promise, supply_promise.c.purchase_order_line_id == line.id)
            .where(line.variant_id.in_(part), purchase_order.c.status.in_(OPEN))
            .group_by(line.id, purchase_order.c.location_id)
        )
        for row in tx.execute(query):
            if row.coming > 0:
                found[row.variant_id].append((row.location_id, int(row.coming), int(row.promised)))
    return dict(found)


def mark_due(tx: Tx, *, connection_id: str | None = None, variant_ids: Collection[str] | None = None) -> None:
    """Note that published figures may be out of date: of a channel, of some variants, of both, or all of them."""
    where: list[ColumnElement[bool]] = [listing.c.variant_id.is_not(None)]
    if connection_id is not None:
        where.append(listing.c.connection_id == connection_id)
    for part in [None] if variant_ids is None else chunks(variant_ids):
        these = and_(*where, *([] if part is None else [listing.c.variant_id.in_(part)]))
        theirs = select(listing.c.id).where(these).order_by(listing.c.id).with_for_update()
        tx.execute(update(listing).where(listing.c.id.in_(theirs)).values(stock_rev=listing.c.stock_rev + 1))


def told_listings(tx: Tx, after: str = "", limit: int = 2_000) -> list[dict[str, Any]]:
    """Linked listings of channels that are told stock, by id, from after this one."""
    columns = [listing.c[name] for name in _TOLD]
    query = (
        select(*columns)
        .join(connection, connection.c.id == listing.c.connection_id)
        .where(
            listing.c.variant_id.is_not(None),
            listing.c.external_id.not_like("sku:%"),
            connection.c.publish_stock.is_(True),
            listing.c.id > after,
        )
        .order_by(listing.c.id)
        .limit(limit)
    )
    return [dict(row._mapping) for row in tx.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name for it


_TOLD = ("id", "connection_id", "external_id", "sku", "product_type", "variant_id", "pack_size", "published_quantity")


def on_hand(tx: Tx, variant_ids: Collection[str]) -> dict[tuple[str, str], int]:
    """Units on hand by (location, variant), without a lock."""
    found: dict[tuple[str, str], int] = {}
    for part in chunks(variant_ids):
        columns = (stock_position.c.location_id, stock_position.c.variant_id, stock_position.c.on_hand)
        for row in tx.execute(select(*columns).where(stock_position.c.variant_id.in_(part))):
            found[row[0], row[1]] = row[2]
    return found


def verified_at(tx: Tx, position_ids: Collection[str]) -> dict[str, datetime]:
    """As of when somebody last said how many units lie at these positions; where nobody did is left out."""
    found: dict[str, datetime] = {}
    position = stock_position.c
    for part in chunks(position_ids):
        query = select(position.id, position.verified_at).where(
            position.id.in_(part), position.verified_at.is_not(None)
        )
        found |= {row[0]: row[1] for row in tx.execute(query)}
    return found


def verified(tx: Tx, said: Mapping[str, datetime], now: datetime, *, by_feed: bool = False) -> bool:
    """Somebody has said how many units lie at these positions: (position: as of when). The newest counts.

    Where a figure was held back until then, its listings become due; True when some did.
    """
    held: set[str] = set()
    for part in chunks(said):
        query = (
            select(
                stock_position.c.id, stock_position.c.variant_id, stock_position.c.verified_at,
                location.c.fed_at, location.c.stale_after_min,
            )
            .join(location, location.c.id == stock_position.c.location_id)
            .where(stock_position.c.id.in_(part), location.c.stale_after_min.is_not(None))
        )  # fmt: skip
        for row in tx.execute(query):
            if confidence_of(row.verified_at, row.fed_at, row.stale_after_min, now) != "fresh":
                held.add(row.variant_id)
    at_once: dict[datetime, list[str]] = {}  # figures are mostly read together
    for key, as_of in sorted(said.items()):
        at_once.setdefault(as_of, []).append(key)
    for as_of, keys in at_once.items():
        newer = or_(stock_position.c.verified_at.is_(None), stock_position.c.verified_at < as_of)
        values = {"verified_at": as_of} | ({"stated_at": as_of} if by_feed else {})
        for part in chunks(keys):
            tx.execute(update(stock_position).where(stock_position.c.id.in_(part), newer).values(values))
    if held:
        mark_listings(tx, held)
    return bool(held)


def fed(tx: Tx, connection_id: str, now: datetime) -> bool:
    """A feed was read to the end: what it did not mention is as it was. True when figures that were held back are due.

    Not while some of its figures are parked as implausible: then nobody knows what is there.
    """
    parked = select(inbox.c.id).where(
        inbox.c.connection_id == connection_id, inbox.c.status == "dead", inbox.c.error_code == IMPLAUSIBLE
    )
    if tx.execute(parked.limit(1)).first() is not None:
        return False
    places = select(location.c.id, location.c.fed_at, location.c.stale_after_min)
    overdue = [
        row.id
        for row in tx.execute(places.where(location.c.handler_id == connection_id))
        if row.stale_after_min is not None
        and (row.fed_at is None or now - row.fed_at > timedelta(minutes=row.stale_after_min))
    ]
    tx.execute(update(location).where(location.c.handler_id == connection_id).values(fed_at=now))
    if not overdue:
        return False
    here = select(stock_position.c.variant_id).where(
        stock_position.c.location_id.in_(overdue), stock_position.c.verified_at.is_not(None)
    )
    mark_listings(tx, set(tx.execute(here).scalars()))
    return True


def distrust(tx: Tx, connection_id: str) -> None:
    """A feed has told something implausible: what it did not mention is no longer confirmed by its being read."""
    tx.execute(update(location).where(location.c.handler_id == connection_id).values(fed_at=None))
