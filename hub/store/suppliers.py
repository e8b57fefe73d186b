"""Suppliers, the articles they sell, and how each article is kept in stock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update

from hub.store.database import Tx, insert_new, new_id
from hub.store.rows import chunks
from hub.store.tables import stock_policy, supplier, supplier_item, variant


class UnknownSupplierError(KeyError):
    """There is no such supplier."""

    def __str__(self) -> str:
        return f"there is no supplier {self.args[0]!r}"


@dataclass(frozen=True, slots=True)
class Supplier:
    """Who goods are bought from; amounts are whole minor units of `currency`."""

    id: str
    code: str
    name: str
    email: str
    currency: str
    lead_time_days: int
    review_days: int
    min_order_minor: int
    note: str
    active: bool


@dataclass(frozen=True, slots=True)
class Item:
    """An article at a supplier; `cost_minor` per unit, in the supplier's currency."""

    supplier_id: str
    variant_id: str
    sku: str
    title: str
    supplier_sku: str
    cost_minor: int
    pack_size: int
    min_quantity: int
    lead_time_days: int | None
    preferred: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """How an article is kept; None for a location is every location."""

    variant_id: str
    location_id: str | None
    low_threshold: int | None = None
    reorder_point: int | None = None
    max_units: int | None = None
    service_level: int = 95


_SUPPLIER = [supplier.c[name] for name in Supplier.__slots__]
_ITEM = [variant.c[name] if name in ("sku", "title") else supplier_item.c[name] for name in Item.__slots__]
_POLICY = [stock_policy.c[name] for name in Policy.__slots__]


def every(tx: Tx) -> list[Supplier]:
    """All suppliers by code."""
    return [Supplier(*row) for row in tx.execute(select(*_SUPPLIER).order_by(supplier.c.code))]


def get(tx: Tx, key: str) -> Supplier:
    """One supplier by its code or id. Raises UnknownSupplierError."""
    row = tx.execute(select(*_SUPPLIER).where(or_(supplier.c.code == key, supplier.c.id == key))).first()
    if row is None:
        raise UnknownSupplierError(key)
    return Supplier(*row)


def add(tx: Tx, now: datetime, **values: Any) -> str | None:
    """A new supplier; its id, None when the code is taken."""
    row = {"id": new_id(), "created_at": now, **values}
    return next(iter(insert_new(tx, supplier, [row], supplier.c.id)), None)


def change(tx: Tx, supplier_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(supplier).where(supplier.c.id == supplier_id).values(**values))


def items(tx: Tx, supplier_id: str) -> list[Item]:
    """What a supplier sells, by SKU."""
    query = select(*_ITEM).join(variant, variant.c.id == supplier_item.c.variant_id)
    found = tx.execute(query.where(supplier_item.c.supplier_id == supplier_id).order_by(variant.c.sku))
    return [Item(*row) for row in found]


def best_items(tx: Tx) -> dict[str, Item]:
    """Where each article is bought, by variant: the preferred supplier, else the cheapest pack of an active one."""
    query = (
        select(*_ITEM)
        .join(variant, variant.c.id == supplier_item.c.variant_id)
        .join(supplier, supplier.c.id == supplier_item.c.supplier_id)
        .where(supplier.c.active.is_(True))
        .order_by(supplier_item.c.preferred.desc(), supplier_item.c.cost_minor, supplier.c.code)
    )
    found: dict[str, Item] = {}
    for row in tx.execute(query):
        found.setdefault(row.variant_id, Item(*row))
    return found


def set_items(tx: Tx, supplier_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Say what a supplier sells: known articles are changed, others added. Each row has a variant_id.

    Articles are of one preferred supplier at most: the others lose the mark.
    """
    known = {row.variant_id for row in items(tx, supplier_id)}
    _write(tx, [{**row, "supplier_id": supplier_id} for row in rows], known)
    mine = [row["variant_id"] for row in rows if row.get("preferred")]
    for part in chunks(mine):
        others = supplier_item.c.variant_id.in_(part) & (supplier_item.c.supplier_id != supplier_id)
        tx.execute(update(supplier_item).where(others).values(preferred=False))


def _write(tx: Tx, rows: list[dict[str, Any]], known: Collection[str]) -> None:
    fresh = [{"id": new_id(), **row} for row in rows if row["variant_id"] not in known]
    if fresh:
        tx.execute(insert(supplier_item), fresh)
    changed = [row for row in rows if row["variant_id"] in known]
    if changed:
        names = [name for name in changed[0] if name not in ("supplier_id", "variant_id")]
        statement = (
            update(supplier_item)
            .where(
                supplier_item.c.supplier_id == bindparam("of"),
                supplier_item.c.variant_id == bindparam("article"),
            )
            .values({name: bindparam(f"new_{name}") for name in names})
        )
        tx.execute(
            statement,
            [
                {"of": row["supplier_id"], "article": row["variant_id"], **{f"new_{name}": row[name] for name in names}}
                for row in changed
            ],
        )


def drop_item(tx: Tx, supplier_id: str, variant_id: str) -> bool:
    """A supplier sells an article no more; False when it never did."""
    done = tx.execute(
        delete(supplier_item)
        .where(supplier_item.c.supplier_id == supplier_id, supplier_item.c.variant_id == variant_id)
        .returning(supplier_item.c.id)
    )
    return done.first() is not None


def policies(tx: Tx) -> dict[tuple[str, str | None], Policy]:
    """How articles are kept, by (variant, location); None is every location."""
    return {(row.variant_id, row.location_id): Policy(*row) for row in tx.execute(select(*_POLICY))}


def set_policy(tx: Tx, policy: Policy, now: datetime) -> None:
    """Keep an article this way from now on."""
    theirs = (stock_policy.c.variant_id == policy.variant_id) & (
        stock_policy.c.location_id.is_(None)
        if policy.location_id is None
        else stock_policy.c.location_id == policy.location_id
    )
    values = {name: getattr(policy, name) for name in Policy.__slots__} | {"updated_at": now}
    done = tx.execute(update(stock_policy).where(theirs).values(**values).returning(stock_policy.c.id)).first()
    if done is None:
        tx.execute(insert(stock_policy).values(id=new_id(), **values))
