"""Stock counts as they stand, and the writing of what was counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, insert, select, update

from hub.store.database import Tx, new_id
from hub.store.rows import Rows, chunks
from hub.store.tables import stock_count, stock_count_line, stock_position, variant


@dataclass(frozen=True, slots=True)
class CountHead:
    """A stock count, locked."""

    id: str
    number: str
    location_id: str
    status: str
    assignee: str
    blind: bool


@dataclass(slots=True)
class CountLine:
    """One article of a count. `lots` is, of a tracked article, what was counted and seen by lot or serial number."""

    id: str
    variant_id: str
    sku: str
    tracking: str
    counted: int | None
    seen_on_hand: int | None
    seen_version: int | None
    counted_by: str
    counted_at: datetime | None
    round: int
    recount: bool
    lots: dict[str, Any] | None
    applied: int | None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What the books say of an article at a location at this moment."""

    on_hand: int = 0
    version: int = 0


_HEAD = [stock_count.c[name] for name in CountHead.__slots__]
_LINE = [
    variant.c[name] if name in ("sku", "tracking") else stock_count_line.c[name]
    for name in CountLine.__slots__
    if name != "is_new"
]


def add(
    tx: Tx,
    now: datetime,
    *,
    number: str,
    location_id: str,
    note: str,
    blind: bool,
    created_by: str,
) -> str:
    """A new draft without articles; its id."""
    key = new_id()
    tx.execute(
        insert(stock_count).values(
            id=key,
            number=number,
            location_id=location_id,
            note=note,
            blind=blind,
            created_by=created_by,
            created_at=now,
        )
    )
    return key


def id_of(tx: Tx, key: str) -> str | None:
    """The id of a count that is named by its number or its id."""
    query = select(stock_count.c.id).where((stock_count.c.number == key) | (stock_count.c.id == key))
    found: str | None = tx.execute(query).scalar()
    return found


def head(tx: Tx, count_id: str) -> CountHead:
    """The count, locked until the end of the transaction."""
    return CountHead(
        *tx.execute(select(*_HEAD).where(stock_count.c.id == count_id).with_for_update(key_share=True)).one()
    )


def set_head(tx: Tx, count_id: str, **values: Any) -> None:
    tx.execute(
        update(stock_count).where(stock_count.c.id == count_id).values(version=stock_count.c.version + 1, **values)
    )


def stocked(tx: Tx, location_id: str, prefix: str = "") -> list[str]:
    """Variants that the books have at a location, those with a SKU that begins with `prefix`."""
    query = (
        select(stock_position.c.variant_id)
        .join(variant, variant.c.id == stock_position.c.variant_id)
        .where(stock_position.c.location_id == location_id, stock_position.c.on_hand != 0)
        .order_by(variant.c.sku)
    )
    if prefix:
        query = query.where(func.substr(variant.c.sku, 1, len(prefix)) == prefix)
    return list(tx.execute(query).scalars())


def add_lines(tx: Tx, count_id: str, variant_ids: Sequence[str], round_: int = 1) -> None:
    """Put articles on a count."""
    rows = Rows()
    for variant_id in variant_ids:
        rows.add(stock_count_line, id=new_id(), stock_count_id=count_id, variant_id=variant_id, round=round_)
    rows.flush(tx)


def find_articles(tx: Tx, codes: Collection[str]) -> dict[str, tuple[str, str, str]]:
    """(variant, SKU, tracking) by what was typed or scanned: a SKU, or else a barcode that only one article has."""
    found: dict[str, tuple[str, str, str]] = {}
    doubtful: set[str] = set()
    for part in chunks(codes):
        names = (variant.c.id, variant.c.sku, variant.c.tracking, variant.c.barcode)
        query = select(*names).where(variant.c.sku.in_(part) | variant.c.barcode.in_(part))
        rows = tx.execute(query).all()
        for row in rows:
            if row.barcode in part:
                doubtful |= {row.barcode} & set(found)
                found[row.barcode] = (row.id, row.sku, row.tracking)
        for code in doubtful:
            found.pop(code, None)
        found |= {row.sku: (row.id, row.sku, row.tracking) for row in rows if row.sku in part}
    return found


def lines(tx: Tx, count_id: str, *where: ColumnElement[bool], limit: int | None = None) -> list[CountLine]:
    """The lines of a count by SKU."""
    query = (
        select(*_LINE)
        .join(variant, variant.c.id == stock_count_line.c.variant_id)
        .where(stock_count_line.c.stock_count_id == count_id, *where)
        .order_by(variant.c.sku)
        .limit(limit)
    )
    return [CountLine(*row) for row in tx.execute(query)]


def lines_of(tx: Tx, count_id: str, variant_ids: Collection[str]) -> dict[str, CountLine]:
    """The lines of these variants, by variant."""
    found: dict[str, CountLine] = {}
    for part in chunks(variant_ids):
        found |= {one.variant_id: one for one in lines(tx, count_id, stock_count_line.c.variant_id.in_(part))}
    return found


def to_apply(tx: Tx, count_id: str, *, zero: bool, limit: int) -> list[CountLine]:
    """Lines whose correction is to be booked; those that were not counted only when they count as `zero`."""
    where = [stock_count_line.c.applied.is_(None), stock_count_line.c.recount.is_(False)]
    if not zero:
        where.append(stock_count_line.c.counted.is_not(None))
    return lines(tx, count_id, *where, limit=limit)


def corrected_since(tx: Tx, count_id: str, variant_ids: Collection[str]) -> set[str]:
    """Those of these variants of which somebody has said outright how many there are since they were counted."""
    found: set[str] = set()
    for part in chunks(variant_ids):
        query = (
            select(stock_count_line.c.variant_id)
            .join(stock_count, stock_count.c.id == stock_count_line.c.stock_count_id)
            .join(
                stock_position,
                and_(
                    stock_position.c.location_id == stock_count.c.location_id,
                    stock_position.c.variant_id == stock_count_line.c.variant_id,
                ),
            )
            .where(
                stock_count_line.c.stock_count_id == count_id,
                stock_count_line.c.variant_id.in_(part),
                stock_position.c.corrected > func.coalesce(stock_count_line.c.seen_version, 0),
            )
        )
        found |= set(tx.execute(query).scalars())
    return found


def uncounted(tx: Tx, count_id: str) -> list[CountLine]:
    return lines(tx, count_id, stock_count_line.c.counted.is_(None))


def to_recount(tx: Tx, count_id: str) -> list[str]:
    """SKUs that are to be counted once more."""
    return [one.sku for one in lines(tx, count_id, stock_count_line.c.recount.is_(True))]


def has_figure(tx: Tx, count_id: str) -> bool:
    """Whether anything was counted."""
    return bool(lines(tx, count_id, stock_count_line.c.counted.is_not(None), limit=1))


def has_begun(tx: Tx, count_id: str) -> bool:
    """Whether corrections of it are in the books."""
    query = select(stock_count_line.c.id).where(
        stock_count_line.c.stock_count_id == count_id, stock_count_line.c.applied.is_not(None)
    )
    return tx.execute(query.limit(1)).first() is not None


def current_round(tx: Tx, count_id: str) -> int:
    query = select(func.max(stock_count_line.c.round)).where(stock_count_line.c.stock_count_id == count_id)
    return int(tx.execute(query).scalar() or 1)


def seen(tx: Tx, location_id: str, variant_ids: Collection[str]) -> dict[str, Seen]:
    """What the books say of these variants now; those that were never there are zero."""
    found = dict.fromkeys(variant_ids, Seen())
    for part in chunks(variant_ids):
        query = select(stock_position.c.variant_id, stock_position.c.on_hand, stock_position.c.version).where(
            stock_position.c.location_id == location_id, stock_position.c.variant_id.in_(part)
        )
        found |= {row[0]: Seen(row[1], row[2]) for row in tx.execute(query)}
    return found


def see_all(tx: Tx, count_id: str, location_id: str) -> None:
    """Note for everything that is not counted yet what the books say now."""
    here = (
        stock_position.c.location_id == location_id,
        stock_position.c.variant_id == stock_count_line.c.variant_id,
    )
    tx.execute(
        update(stock_count_line)
        .where(stock_count_line.c.stock_count_id == count_id, stock_count_line.c.counted.is_(None))
        .values(
            seen_on_hand=func.coalesce(select(stock_position.c.on_hand).where(*here).scalar_subquery(), 0),
            seen_version=func.coalesce(select(stock_position.c.version).where(*here).scalar_subquery(), 0),
        )
    )


def flag(tx: Tx, count_id: str, variant_ids: Collection[str]) -> None:
    """Have these articles counted once more."""
    for part in chunks(variant_ids):
        tx.execute(
            update(stock_count_line)
            .where(stock_count_line.c.stock_count_id == count_id, stock_count_line.c.variant_id.in_(part))
            .values(recount=True)
        )


def begin_round(tx: Tx, count_id: str, round_: int) -> None:
    """Forget the figures of what is to be counted once more."""
    tx.execute(
        update(stock_count_line)
        .where(stock_count_line.c.stock_count_id == count_id, stock_count_line.c.recount.is_(True))
        .values(
            counted=None,
            counted_by="",
            counted_at=None,
            round=round_,
            recount=False,
            lots=None,
        )
    )


_ENTRY = ("counted", "seen_on_hand", "seen_version", "counted_by", "counted_at", "recount", "lots")


def save_entries(tx: Tx, count_id: str, entries: Sequence[CountLine]) -> None:
    """Write what was counted."""
    rows = Rows()
    for one in (one for one in entries if one.is_new):
        values: Mapping[str, Any] = {name: getattr(one, name) for name in _ENTRY}
        rows.add(
            stock_count_line,
            id=one.id,
            stock_count_id=count_id,
            variant_id=one.variant_id,
            round=one.round,
            **values,
        )
    rows.flush(tx)
    known = [one for one in entries if not one.is_new]
    if known:
        tx.execute(
            update(stock_count_line)
            .where(stock_count_line.c.id == bindparam("key"))
            .values({name: bindparam(f"new_{name}", type_=stock_count_line.c[name].type) for name in _ENTRY}),
            [{"key": one.id, **{f"new_{name}": getattr(one, name) for name in _ENTRY}} for one in known],
        )


def save_applied(tx: Tx, applied: Sequence[CountLine]) -> None:
    """Write which corrections were booked."""
    if applied:
        tx.execute(
            update(stock_count_line)
            .where(stock_count_line.c.id == bindparam("key"))
            .values(applied=bindparam("booked"), counted=bindparam("figure")),
            [{"key": one.id, "booked": one.applied, "figure": one.counted} for one in applied],
        )
