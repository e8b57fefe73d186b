"""Stock per article: where it lies, what each channel was told, and how it came to be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from hub.domain.availability import Confidence, Offer, RuleBook, confidence_of, publish
from hub.store import availability, connections
from hub.store.database import Tx, utcnow
from hub.store.rows import chunks
from hub.store.tables import (
    connection,
    fo_line,
    fulfillment_order,
    listing,
    location,
    orders,
    stock_move,
    stock_position,
    variant,
)
from hub.store.views.pages import Page, cursor_after, cut, read_cursor, size


class UnknownArticleError(KeyError):
    """There is no article of this SKU."""

    def __str__(self) -> str:
        return f"there is no article with the SKU {self.args[0]!r}"


@dataclass(frozen=True, slots=True)
class StockQuery:
    """Which articles; `text` is in the SKU (from its beginning), in the title or is the barcode.

    `short` leaves only articles of which something was promised that is not there, or of which nothing is free.
    """

    text: str = ""
    location_id: str = ""
    short: bool = False
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class PositionView:
    """Units of one article at one location."""

    location_id: str
    location: str
    on_hand: int
    available: int
    committed: int
    reserved: int
    damaged: int
    quality_hold: int
    safety_stock: int
    incoming: int
    oversold: int
    verified_at: datetime | None  # as of when a feed, a count or a person last said how many there are
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class ChannelStock:
    """What one channel was last told of one article. `is_due` says that a newer figure waits to be told.

    `offer` is our reckoning of now, in packs, with every step that leads to it; None where the channel is told nothing
    because it keeps no stock of ours.
    """

    listing_id: str
    connection_id: str
    channel: str
    external_id: str
    sku: str
    pack_size: int
    told: int | None
    told_at: datetime | None
    is_due: bool
    next_at: datetime | None
    failures: int
    error: str
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class KitPart:
    """A component: so many units in one kit."""

    sku: str
    title: str
    quantity: int


@dataclass(frozen=True, slots=True)
class StockRow:
    """One article. `unrouted` are units promised to orders that have no location yet."""

    variant_id: str
    sku: str
    title: str
    barcode: str | None
    positions: tuple[PositionView, ...]
    channels: tuple[ChannelStock, ...]
    unrouted: int
    parts: tuple[KitPart, ...]  # what it is a kit of; none when it is a plain article
    keep_together: bool  # all components of a kit leave from one location
    tags: tuple[str, ...]  # words that rules look for
    preorderable: bool  # sold against open purchase orders
    backorder_limit: int | None  # units that may be promised and are neither there nor on order; None: any number
    tracking: str  # how its units are told apart: none, lot or serial

    @property
    def on_hand(self) -> int:
        return sum(one.on_hand for one in self.positions)

    @property
    def available(self) -> int:
        return sum(one.available for one in self.positions)

    @property
    def committed(self) -> int:
        return sum(one.committed for one in self.positions)


@dataclass(frozen=True, slots=True)
class MoveView:
    """One line of the ledger; None for a state is the world outside. `actor` names a connection as people call it.

    `order_id`, `order` and `fo` name the order and its fulfillment order when the move was for one.
    """

    id: str
    at: datetime
    location: str
    kind: str
    quantity: int
    from_state: str | None
    to_state: str | None
    cause_type: str
    cause_id: str
    reason: str
    actor: str
    order_id: str | None
    order: str | None
    fo: str | None


_MOVE: dict[str, ColumnElement[Any]] = dict(stock_move.c.items()) | {
    "location": location.c.code, "order_id": orders.c.id, "order": orders.c.number, "fo": fulfillment_order.c.number,
}  # fmt: skip
_ARTICLE = [
    variant.c[name] for name in ("id", "sku", "title", "barcode", "tags", "preorderable", "backorder_limit", "tracking")
]


def find(tx: Tx, query: StockQuery, now: datetime | None = None) -> Page[StockRow]:
    """A page of articles by SKU; how fresh figures are is said for `now`. Raises BadCursorError."""
    limit = size(query.limit)
    statement = select(*_ARTICLE).where(*matches(query))
    if query.after:
        statement = statement.where(variant.c.sku > read_cursor(query.after, 1)[0])
    found = tx.execute(statement.order_by(variant.c.sku).limit(limit + 1)).all()
    rows, more = cut(found, limit)
    return Page(_rows(tx, rows, now or utcnow()), cursor_after(rows[-1].sku) if more else None)


def matches(query: StockQuery) -> list[ColumnElement[bool]]:
    """What the articles of a query have in common."""
    found: list[ColumnElement[bool]] = []
    if query.text.strip():
        text = query.text.strip()
        plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").lower()
        found.append(
            or_(
                func.lower(variant.c.sku).like(f"{plain}%", escape="\\"),
                func.lower(variant.c.title).like(f"%{plain}%", escape="\\"),
                variant.c.barcode == text,
            )
        )
    if query.location_id:
        here = select(stock_position.c.variant_id).where(stock_position.c.location_id == query.location_id)
        found.append(variant.c.id.in_(here))
    if query.short:
        free = select(stock_position.c.variant_id).where(stock_position.c.available > 0)
        missing = select(stock_position.c.variant_id).where(stock_position.c.oversold > 0)
        found.append(or_(variant.c.id.not_in(free), variant.c.id.in_(missing)))
    return found


def article(tx: Tx, sku: str, now: datetime | None = None) -> StockRow:
    """One article, as `find` shows it. Raises UnknownArticleError."""
    query = select(*_ARTICLE).where(variant.c.sku == sku)
    row = tx.execute(query).first()
    if row is None:
        raise UnknownArticleError(sku)
    return _rows(tx, [row], now or utcnow())[0]


def ledger(tx: Tx, sku: str, after: str = "", limit: int = 50) -> Page[MoveView]:
    """The moves of one article, newest first. Raises UnknownArticleError or BadCursorError."""
    limit = size(limit)
    variant_id = tx.execute(select(variant.c.id).where(variant.c.sku == sku)).scalar()
    if variant_id is None:
        raise UnknownArticleError(sku)
    statement = (
        select(*(_MOVE[name].label(name) for name in MoveView.__slots__))
        .select_from(stock_move)
        .join(stock_position, stock_position.c.id == stock_move.c.position_id)
        .join(location, location.c.id == stock_position.c.location_id)
        .outerjoin(fo_line, and_(stock_move.c.cause_type == "fo_line", fo_line.c.id == stock_move.c.cause_id))
        .outerjoin(fulfillment_order, fulfillment_order.c.id == fo_line.c.fo_id)
        .outerjoin(orders, orders.c.id == fulfillment_order.c.order_id)
        .where(stock_position.c.variant_id == variant_id)
    )
    if after:
        statement = statement.where(stock_move.c.id < read_cursor(after, 1)[0])
    names = {f"connection:{one.id}": f"connection:{one.name}" for one in connections.every(tx)}
    lines = tx.execute(statement.order_by(stock_move.c.id.desc()).limit(limit + 1)).mappings()
    found = [MoveView(**{**line, "actor": names.get(line["actor"], line["actor"])}) for line in lines]
    rows, more = cut(found, limit)
    return Page(tuple(rows), cursor_after(rows[-1].id) if more else None)


def _rows(tx: Tx, rows: Collection[Any], now: datetime) -> tuple[StockRow, ...]:
    ids = [row.id for row in rows]
    positions, known = _positions(tx, ids, now), availability.stockroom(tx, ids, now)
    channels = _channels(tx, ids, known)
    return tuple(
        StockRow(
            row.id,
            row.sku,
            row.title,
            row.barcode,
            tuple(positions.get(row.id, ())),
            tuple(channels.get(row.id, ())),
            known.unrouted.get(row.id, 0),
            tuple(KitPart(part.sku, part.title, part.quantity) for part in known.kits.get(row.id, ())),
            all(part.keep_together for part in known.kits.get(row.id, ())),
            tuple(row.tags or ()),
            row.preorderable,
            row.backorder_limit,
            row.tracking,
        )
        for row in rows
    )


_UNITS = (
    "on_hand", "available", "committed", "reserved", "damaged", "quality_hold", "safety_stock", "incoming", "oversold",
)  # fmt: skip


def _positions(tx: Tx, variant_ids: Collection[str], now: datetime) -> dict[str, list[PositionView]]:
    found: dict[str, list[PositionView]] = {}
    units = [stock_position.c[name] for name in _UNITS]
    trust = (stock_position.c.verified_at, location.c.fed_at, location.c.stale_after_min)
    for part in chunks(variant_ids):
        query = (
            select(stock_position.c.variant_id, location.c.id, location.c.code, *trust, *units)
            .join(location, location.c.id == stock_position.c.location_id)
            .where(stock_position.c.variant_id.in_(part))
            .order_by(location.c.code)
        )
        for row in tx.execute(query):
            confidence = confidence_of(row.verified_at, row.fed_at, row.stale_after_min, now)
            counted = {name: getattr(row, name) for name in _UNITS}
            position = PositionView(row.id, row.code, **counted, verified_at=row.verified_at, confidence=confidence)
            found.setdefault(row.variant_id, []).append(position)
    return found


def _channels(tx: Tx, variant_ids: Collection[str], known: availability.Stockroom) -> dict[str, list[ChannelStock]]:
    found: dict[str, list[ChannelStock]] = {}
    channels, rules = {row.id: row for row in connections.every(tx)}, availability.active_rules(tx)
    books = {key: RuleBook(rules, availability.channel_of(row)) for key, row in channels.items()}
    for part in chunks(variant_ids):
        query = (
            select(listing, connection.c.name.label("channel"))
            .join(connection, connection.c.id == listing.c.connection_id)
            .where(listing.c.variant_id.in_(part))
            .order_by(connection.c.name, listing.c.external_id)
        )
        for row in tx.execute(query).mappings():
            channel = channels[row["connection_id"]]
            is_told = channel.publish_stock and not row["external_id"].startswith("sku:")
            item = known.item(dict(row), channel.location_group)
            found.setdefault(row["variant_id"], []).append(
                ChannelStock(
                    listing_id=row["id"],
                    connection_id=row["connection_id"],
                    channel=row["channel"],
                    external_id=row["external_id"],
                    sku=row["sku"],
                    pack_size=row["pack_size"],
                    told=row["published_quantity"],
                    told_at=row["published_at"],
                    is_due=is_told and row["stock_rev"] > row["published_rev"],
                    next_at=row["publish_next_at"],
                    failures=row["publish_failures"],
                    error=row["publish_error"],
                    offer=publish(books[channel.id], item) if is_told else None,
                )
            )
    return found
