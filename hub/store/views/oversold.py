"""Positions that have promised more than there is: the orders at risk, and what could be done for each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, false, func, select

from hub.domain.oversold import Repair, propose
from hub.store import purchasing
from hub.store.database import Tx
from hub.store.orders import LIVE_EXEC
from hub.store.rows import chunks
from hub.store.tables import (
    connection,
    cursor,
    fo_line,
    fulfillment_order,
    location,
    order_line,
    orders,
    reservation,
    stock_move,
    stock_position,
    supplier_item,
    variant,
)
from hub.store.views import reservations
from hub.store.views.reservations import ReservationView

MOST = 500  # positions looked at


@dataclass(frozen=True, slots=True)
class AtRisk:
    """An order that cannot be served. `fo_number` is its fulfillment order here, "" for one that has no place yet.

    `may_have_left`: its place had it when it counted what is left.
    """

    order_id: str
    number: str
    channel: str
    placed_at: datetime
    units: int
    fo_id: str = ""
    fo_number: str = ""
    request_status: str = ""
    may_have_left: bool = False
    repair: Repair | None = None


@dataclass(frozen=True, slots=True)
class Oversold:
    """A position with `missing` units promised and not there. `at` is when it last moved.

    `orders` are the fulfillment orders that the shortage hits, newest first, as many as cover it; `waiting` the orders
    that wait for the same article without a place. `kept` is what is kept there for others, newest first: a person, a
    checkout, a transfer. `elsewhere` are free units by location, `incoming` those on their way.
    """

    position_id: str
    variant_id: str
    sku: str
    title: str
    location: str
    missing: int
    incoming: int
    at: datetime
    elsewhere: dict[str, int]
    orders: tuple[AtRisk, ...]
    waiting: tuple[AtRisk, ...]
    kept: tuple[ReservationView, ...]


def find(tx: Tx, position_id: str = "") -> list[Oversold]:
    """Every position that is short, or this one, worst first.

    A 3PL's count may come before its notice of what it shipped. Units that it may have shipped before it counted are
    not missing until its notices were read that far; then they are.
    """
    found = _positions(tx, position_id)
    articles = {row.variant_id for row in found}
    committed, read_to = _committed(tx, [row.id for row in found]), _read_to(tx, {row.handler_id for row in found})
    waiting, free, bought = _waiting(tx, articles), _free(tx, articles), _bought(tx, articles)
    kept = reservations.at_places(tx, articles)
    shorts = []
    for row in found:
        elsewhere = {code: units for code, units in free.get(row.variant_id, {}).items() if code != row.code}
        live = committed.get(row.id, [])
        is_awaited = row.stated_at is not None and read_to.get(row.handler_id, row.stated_at) < row.stated_at
        left = [one for one in live if is_awaited and one.may_have_left]
        missing = row.oversold - sum(one.units for one in left)
        if missing <= 0:
            continue
        hit = _hit([one for one in live if one not in left], missing)
        units = [one.units for one in hit]
        repairs = propose(units, missing, elsewhere, row.incoming, buyable=row.variant_id in bought)
        shorts.append(
            Oversold(
                row.id, row.variant_id, row.sku, row.title, row.code, missing, row.incoming, row.at, elsewhere,
                tuple(replace(one, repair=repair) for one, repair in zip(hit, repairs, strict=True)),
                tuple(waiting.get(row.variant_id, ())),
                tuple(one for one in kept if (one.sku, one.location) == (row.sku, row.code)),
            )
        )  # fmt: skip
    return shorts


@dataclass(frozen=True, slots=True)
class Backlog:
    """An article of which `missing` units more are promised from the network than may wait. `waiting` are the orders
    that wait for it, newest first, as many as cover that.
    """

    sku: str
    promised: int
    missing: int
    waiting: tuple[AtRisk, ...]


def backlog(tx: Tx) -> list[Backlog]:
    """Articles with a backorder limit that more is promised of, by SKU."""
    promised = func.sum(reservation.c.quantity)
    query = (
        select(variant.c.id, variant.c.sku, variant.c.backorder_limit, promised)
        .join(reservation, reservation.c.variant_id == variant.c.id)
        .where(variant.c.backorder_limit.is_not(None), reservation.c.state == "active")
        .where(reservation.c.location_id.is_(None))
        .group_by(variant.c.id, variant.c.sku, variant.c.backorder_limit)
        .having(promised > variant.c.backorder_limit)
        .order_by(variant.c.sku)
    )
    rows = [(row[0], row[1], int(row[2]), int(row[3])) for row in tx.execute(query)]
    articles = {row[0] for row in rows}
    free, coming = _free(tx, articles), purchasing.ahead(tx, articles)
    missing = {
        key: promised - limit - sum(free.get(key, {}).values()) - coming.get(key, 0) for key, _, limit, promised in rows
    }
    waiting = _waiting(tx, [key for key, units in missing.items() if units > 0])
    return [
        Backlog(sku, promised, missing[key], tuple(_hit(waiting.get(key, []), missing[key])))
        for key, sku, _, promised in rows
        if missing[key] > 0
    ]


def _positions(tx: Tx, position_id: str) -> list[Any]:
    moved = select(func.max(stock_move.c.at)).where(stock_move.c.position_id == stock_position.c.id).scalar_subquery()
    position = stock_position.c
    query = (
        select(position.id, position.variant_id, variant.c.sku, variant.c.title, location.c.code)
        .add_columns(position.oversold, position.incoming, position.stated_at, location.c.handler_id, moved.label("at"))
        .join(variant, variant.c.id == position.variant_id)
        .join(location, location.c.id == position.location_id)
        .where(position.oversold > 0)
    )
    if position_id:
        query = query.where(position.id == position_id)
    return list(tx.execute(query.order_by(position.oversold.desc(), position.id).limit(MOST)))


def _committed(tx: Tx, position_ids: Collection[str]) -> dict[str, list[AtRisk]]:
    """Live fulfillment orders by position, newest first."""
    live = fo_line.c.quantity - fo_line.c.shipped - fo_line.c.cancelled
    fo = fulfillment_order.c
    may_have_left = and_(
        fo.handling == "threepl", fo.request_status != "unsubmitted", fo.created_at <= stock_position.c.stated_at
    )
    found: dict[str, list[AtRisk]] = {}
    for part in chunks(position_ids):
        query = (
            select(fo_line.c.position_id, orders.c.id, orders.c.number, connection.c.name, orders.c.placed_at, live)
            .add_columns(fo.id, fo.number, fo.request_status, func.coalesce(may_have_left, false()))
            .join(fulfillment_order, fo.id == fo_line.c.fo_id)
            .join(stock_position, stock_position.c.id == fo_line.c.position_id)
            .join(orders, orders.c.id == fo.order_id)
            .join(connection, connection.c.id == orders.c.connection_id)
            .where(fo_line.c.position_id.in_(part), fo.exec_status.in_(sorted(LIVE_EXEC)), live > 0)
            .order_by(orders.c.placed_at.desc(), fo.id.desc())
        )
        for row in tx.execute(query):
            found.setdefault(row[0], []).append(AtRisk(*row[1:]))
    return found


def _read_to(tx: Tx, connection_ids: Collection[str | None]) -> dict[str, datetime]:
    """Up to when everything that is read of these connections was read; those of which something never was are left
    out.
    """
    query = (
        select(cursor.c.connection_id, func.min(cursor.c.synced_to))
        .where(cursor.c.connection_id.in_(sorted(filter(None, connection_ids))))
        .group_by(cursor.c.connection_id)
        .having(func.count(cursor.c.synced_to) == func.count())
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def _hit(newest_first: list[AtRisk], missing: int) -> list[AtRisk]:
    """As many of the newest as cover the shortage; what comes back anyhow counts first."""
    found: list[AtRisk] = []
    for one in sorted(newest_first, key=lambda one: one.request_status != "cancellation_requested"):
        if missing <= 0:
            break
        missing -= one.units
        found.append(one)
    return sorted(found, key=newest_first.index)


def _waiting(tx: Tx, variant_ids: Collection[str]) -> dict[str, list[AtRisk]]:
    """Orders that wait for these articles without a place, newest first."""
    found: dict[str, list[AtRisk]] = {}
    for part in chunks(variant_ids):
        query = (
            select(reservation.c.variant_id, orders.c.id, orders.c.number, connection.c.name, orders.c.placed_at)
            .add_columns(reservation.c.quantity)
            .join(order_line, order_line.c.id == reservation.c.owner_id)
            .join(orders, orders.c.id == order_line.c.order_id)
            .join(connection, connection.c.id == orders.c.connection_id)
            .where(reservation.c.variant_id.in_(part), reservation.c.state == "active")
            .where(reservation.c.location_id.is_(None))
            .order_by(orders.c.placed_at.desc(), orders.c.id.desc())
        )
        for row in tx.execute(query):
            found.setdefault(row[0], []).append(AtRisk(*row[1:]))
    return found


def _free(tx: Tx, variant_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """Free units by article and location, where one ships from."""
    found: dict[str, dict[str, int]] = {}
    for part in chunks(variant_ids):
        query = (
            select(stock_position.c.variant_id, location.c.code, stock_position.c.available)
            .join(location, location.c.id == stock_position.c.location_id)
            .where(stock_position.c.variant_id.in_(part), stock_position.c.available > 0)
            .where(location.c.active.is_(True), location.c.ships.is_(True))
        )
        for row in tx.execute(query):
            found.setdefault(row[0], {})[row[1]] = row[2]
    return found


def _bought(tx: Tx, variant_ids: Collection[str]) -> set[str]:
    """Those of the articles that some supplier sells."""
    found: set[str] = set()
    for part in chunks(variant_ids):
        found |= set(
            tx.execute(select(supplier_item.c.variant_id).where(supplier_item.c.variant_id.in_(part))).scalars()
        )
    return found
