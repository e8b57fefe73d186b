"""Transfers for people: the list, and one with its lines and what happened to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select

from hub.domain.transfers import Difference, Line, differences
from hub.store import events
from hub.store.database import Tx
from hub.store.rows import chunks
from hub.store.tables import location, transfer, transfer_line, variant
from hub.store.views.pages import Page, cursor_after, cut, read_cursor, size

OPEN = ("draft", "ready", "in_transit", "partially_received")


class UnknownTransferError(KeyError):
    """There is no such transfer."""

    def __str__(self) -> str:
        return f"there is no transfer {self.args[0]!r}"


@dataclass(frozen=True, slots=True)
class TransferQuery:
    """Which transfers: `status` a status, "open" or "" for all; `location` the code of either end."""

    status: str = ""
    location: str = ""
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A transfer in short; units are whole units of all its articles."""

    id: str
    number: str
    source: str
    destination: str
    status: str
    expected_on: date | None
    shipped_at: datetime | None
    created_at: datetime
    created_by: str
    note: str
    carrier: str
    tracking_number: str
    articles: int
    quantity: int
    shipped: int
    received: int
    expected: int  # left and not heard of since


@dataclass(frozen=True, slots=True)
class TransferLineView:
    """An article on a transfer; `tracking` says whether its lot or serial numbers are asked for."""

    id: str
    variant_id: str
    title: str
    tracking: str
    line: Line

    @property
    def sku(self) -> str:
        return self.line.sku


@dataclass(frozen=True, slots=True)
class TransferDetail:
    """A transfer with everything that is known of it; events newest first."""

    row: TransferRow
    lines: tuple[TransferLineView, ...]
    differences: tuple[Difference, ...]
    events: tuple[dict[str, Any], ...]


_FROM, _TO = location.alias("source"), location.alias("destination")
_COUNTERS = ("quantity", "shipped", "received", "lost", "back_to_source", "over", "mis_shipped")


def find(tx: Tx, query: TransferQuery) -> Page[TransferRow]:
    """A page of transfers, newest first. Raises BadCursorError."""
    limit = size(query.limit)
    statement = _heads()
    if query.status == "open":
        statement = statement.where(transfer.c.status.in_(OPEN))
    elif query.status:
        statement = statement.where(transfer.c.status == query.status)
    if query.location:
        statement = statement.where(or_(_FROM.c.code == query.location, _TO.c.code == query.location))
    if query.after:
        statement = statement.where(transfer.c.id < read_cursor(query.after, 1)[0])
    heads = tx.execute(statement.order_by(transfer.c.id.desc()).limit(limit + 1)).all()
    found, more = cut(heads, limit)
    return Page(tuple(_rows(tx, found)), cursor_after(found[-1].id) if more else None)


def detail(tx: Tx, key: str) -> TransferDetail:
    """One transfer by its number or id. Raises UnknownTransferError."""
    head = tx.execute(_heads().where(or_(transfer.c.number == key, transfer.c.id == key))).first()
    if head is None:
        raise UnknownTransferError(key)
    query = (
        select(transfer_line, variant.c.sku, variant.c.title, variant.c.tracking)
        .join(variant, variant.c.id == transfer_line.c.variant_id)
        .where(transfer_line.c.transfer_id == head.id)
        .order_by(variant.c.sku)
    )
    lines = tuple(
        TransferLineView(
            row["id"],
            row["variant_id"],
            row["title"],
            row["tracking"],
            Line(row["sku"], **{name: row[name] for name in _COUNTERS}),
        )
        for row in tx.execute(query).mappings()
    )
    found = tuple(differences(head.status, [one.line for one in lines]))
    return TransferDetail(_rows(tx, [head])[0], lines, found, tuple(events.of_entity(tx, head.id)))


def _heads() -> Any:
    names = ("id", "number", "status", "expected_on", "shipped_at", "created_at", "created_by", "note", "carrier")
    return (
        select(
            *(transfer.c[name] for name in names),
            transfer.c.tracking_number,
            _FROM.c.code.label("source"),
            _TO.c.code.label("destination"),
        )
        .join(_FROM, _FROM.c.id == transfer.c.from_location_id)
        .join(_TO, _TO.c.id == transfer.c.to_location_id)
    )


def _rows(tx: Tx, heads: Collection[Any]) -> list[TransferRow]:
    sums = _sums(tx, [head.id for head in heads])
    return [
        TransferRow(
            head.id,
            head.number,
            head.source,
            head.destination,
            head.status,
            head.expected_on,
            head.shipped_at,
            head.created_at,
            head.created_by,
            head.note,
            head.carrier,
            head.tracking_number,
            *sums.get(head.id, (0, 0, 0, 0, 0)),
        )
        for head in heads
    ]


def _sums(tx: Tx, ids: Collection[str]) -> dict[str, tuple[int, int, int, int, int]]:
    line = transfer_line.c
    found: dict[str, tuple[int, int, int, int, int]] = {}
    for part in chunks(ids):
        query = (
            select(
                line.transfer_id,
                func.count(),
                func.sum(line.quantity),
                func.sum(line.shipped),
                func.sum(line.received),
                func.sum(line.shipped - line.received - line.lost - line.back_to_source),
            )
            .where(line.transfer_id.in_(part))
            .group_by(line.transfer_id)
        )
        for key, articles, *units in tx.execute(query):
            quantity, shipped, received, expected = (int(one) for one in units)
            found[key] = (articles, quantity, shipped, received, expected)
    return found
