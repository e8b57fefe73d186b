"""Stock counts for people: the list, and one with its differences in units and in money."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, or_, select

from hub.domain.counts import correction
from hub.store import events
from hub.store.database import Tx
from hub.store.rows import chunks
from hub.store.tables import (
    location,
    stock_count,
    stock_count_line,
    stock_position,
    supplier,
    supplier_item,
    variant,
)
from hub.store.views.pages import Page, cursor_after, cut, read_cursor, size

OPEN = ("draft", "assigned", "counting", "review", "recount")


class UnknownCountError(KeyError):
    """There is no such count."""

    def __str__(self) -> str:
        return f"there is no count {self.args[0]!r}"


@dataclass(frozen=True, slots=True)
class CountQuery:
    """Which counts: `status` a status, "open" or "" for all; `location` a code."""

    status: str = ""
    location: str = ""
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class CountRow:
    """A stock count in short."""

    id: str
    number: str
    location: str
    status: str
    assignee: str
    note: str
    blind: bool
    created_at: datetime
    created_by: str
    applied_at: datetime | None
    applied_by: str | None
    articles: int
    counted: int  # articles with a figure


@dataclass(frozen=True, slots=True)
class CountLineView:
    """An article of a count. `seen` was in the books when it was counted, at ledger position `seen_version`."""

    sku: str
    title: str
    barcode: str | None
    tracking: str
    counted: int | None
    seen: int | None
    seen_version: int | None
    on_hand: int  # now
    counted_by: str
    counted_at: datetime | None
    round: int
    recount: bool
    applied: int | None
    lots: dict[str, Any] | None
    cost_minor: int | None  # of one unit, when a supplier's price is known
    currency: str | None

    @property
    def difference(self) -> int | None:
        """Units that were booked, or would be now."""
        if self.applied is not None or self.counted is None:
            return self.applied
        return correction(self.counted, self.seen or 0, self.on_hand)

    @property
    def value_minor(self) -> int | None:
        """The difference in minor units of `currency`."""
        if self.difference is None or self.cost_minor is None:
            return None
        return self.difference * self.cost_minor


@dataclass(frozen=True, slots=True)
class CountDetail:
    """A stock count with everything that is known of it; events newest first."""

    row: CountRow
    lines: tuple[CountLineView, ...]
    events: tuple[dict[str, Any], ...]

    @property
    def more(self) -> int:
        return sum(one.difference for one in self.lines if (one.difference or 0) > 0 and one.difference is not None)

    @property
    def fewer(self) -> int:
        return -sum(one.difference for one in self.lines if (one.difference or 0) < 0 and one.difference is not None)

    @property
    def values(self) -> dict[str, int]:
        """The differences in money, by currency."""
        found: dict[str, int] = {}
        for one in self.lines:
            if one.value_minor and one.currency:
                found[one.currency] = found.get(one.currency, 0) + one.value_minor
        return found

    @property
    def uncounted(self) -> int:
        return sum(one.counted is None for one in self.lines)

    @property
    def to_recount(self) -> int:
        return sum(one.recount for one in self.lines)

    @property
    def shows_books(self) -> bool:
        """Whether people may see what the books say: not while a blind count is being counted."""
        return not self.row.blind or self.row.status in ("review", "applied")


def find(tx: Tx, query: CountQuery) -> Page[CountRow]:
    """A page of counts, newest first. Raises BadCursorError."""
    limit = size(query.limit)
    statement = _heads()
    if query.status == "open":
        statement = statement.where(stock_count.c.status.in_(OPEN))
    elif query.status:
        statement = statement.where(stock_count.c.status == query.status)
    if query.location:
        statement = statement.where(location.c.code == query.location)
    if query.after:
        statement = statement.where(stock_count.c.id < read_cursor(query.after, 1)[0])
    heads = tx.execute(statement.order_by(stock_count.c.id.desc()).limit(limit + 1)).all()
    found, more = cut(heads, limit)
    return Page(tuple(_rows(tx, found)), cursor_after(found[-1].id) if more else None)


def detail(tx: Tx, key: str) -> CountDetail:
    """One count by its number or id. Raises UnknownCountError."""
    head = tx.execute(_heads().where(or_(stock_count.c.number == key, stock_count.c.id == key))).first()
    if head is None:
        raise UnknownCountError(key)
    return CountDetail(_rows(tx, [head])[0], _lines(tx, head), tuple(events.of_entity(tx, head.id)))


def _heads() -> Any:
    names = ("id", "number", "status", "assignee", "note", "blind", "created_at", "created_by", "applied_at")
    return select(
        *(stock_count.c[name] for name in names),
        stock_count.c.applied_by,
        stock_count.c.location_id,
        location.c.code.label("location"),
    ).join(location, location.c.id == stock_count.c.location_id)


def _rows(tx: Tx, heads: Sequence[Any]) -> list[CountRow]:
    sums = _sums(tx, [head.id for head in heads])
    return [
        CountRow(
            head.id,
            head.number,
            head.location,
            head.status,
            head.assignee,
            head.note,
            head.blind,
            head.created_at,
            head.created_by,
            head.applied_at,
            head.applied_by,
            *sums.get(head.id, (0, 0)),
        )
        for head in heads
    ]


def _sums(tx: Tx, ids: Collection[str]) -> dict[str, tuple[int, int]]:
    line = stock_count_line.c
    found: dict[str, tuple[int, int]] = {}
    for part in chunks(ids):
        counted = func.sum(case((line.counted.is_not(None), 1), else_=0))
        query = select(line.stock_count_id, func.count(), counted).where(line.stock_count_id.in_(part))
        found |= {row[0]: (int(row[1]), int(row[2])) for row in tx.execute(query.group_by(line.stock_count_id))}
    return found


def _lines(tx: Tx, head: Any) -> tuple[CountLineView, ...]:
    here = (stock_position.c.variant_id == stock_count_line.c.variant_id) & (
        stock_position.c.location_id == head.location_id
    )
    query = (
        select(
            stock_count_line,
            variant.c.sku,
            variant.c.title,
            variant.c.barcode,
            variant.c.tracking,
            func.coalesce(stock_position.c.on_hand, 0).label("on_hand"),
        )
        .join(variant, variant.c.id == stock_count_line.c.variant_id)
        .outerjoin(stock_position, here)
        .where(stock_count_line.c.stock_count_id == head.id)
        .order_by(variant.c.sku)
    )
    rows = tx.execute(query).all()
    costs = _costs(tx, [row.variant_id for row in rows])
    return tuple(
        CountLineView(
            row.sku,
            row.title,
            row.barcode,
            row.tracking,
            row.counted,
            row.seen_on_hand,
            row.seen_version,
            row.on_hand,
            row.counted_by,
            row.counted_at,
            row.round,
            row.recount,
            row.applied,
            row.lots,
            *costs.get(row.variant_id, (None, None)),
        )
        for row in rows
    )


def _costs(tx: Tx, variant_ids: Collection[str]) -> dict[str, tuple[int, str]]:
    """What a unit costs at the preferred supplier, or else at the one that is cheapest; with its currency."""
    found: dict[str, tuple[int, str]] = {}
    for part in chunks(variant_ids):
        query = (
            select(supplier_item.c.variant_id, supplier_item.c.cost_minor, supplier.c.currency)
            .join(supplier, supplier.c.id == supplier_item.c.supplier_id)
            .where(supplier_item.c.variant_id.in_(part), supplier_item.c.cost_minor > 0)
            .order_by(supplier_item.c.preferred, supplier_item.c.cost_minor.desc())
        )
        found |= {row[0]: (row[1], row[2]) for row in tx.execute(query)}
    return found
