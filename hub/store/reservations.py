"""Reservations: units kept for an owner until they are taken, let go, or the time is up.

At a location the units lie in the ledger's state `reserved`. From the network (no location) they only count as
promised: channels are told of fewer, and no more may be promised than the network can give.

Lock the stock (`StockBook.open`) before anything here, as every step does: what ends a reservation then meets it once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update

from hub.store import purchasing
from hub.store.database import Tx, new_id
from hub.store.ledger import StockBook
from hub.store.rows import chunks
from hub.store.tables import (
    kit_component,
    location,
    order_line,
    orders,
    reservation,
    transfer,
    variant,
)

OWNERS = ("order_line", "checkout", "transfer", "person")
OVER_TRANSFERS = ("received", "closed_short", "cancelled")


class NotEnoughError(Exception):
    """More units were to be promised than the network can give."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units kept for an owner. `location_id` None: from the network; `expires_at` None: until somebody ends it."""

    id: str
    owner_type: str
    owner_id: str
    variant_id: str
    location_id: str | None
    quantity: int
    state: str
    expires_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    reason: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units to be reserved, at a location or (None) from the network."""

    variant_id: str
    units: int
    location_id: str | None = None


_ROW = [reservation.c[name] for name in Reservation.__slots__]


def lock_articles(tx: Tx, variant_ids: Collection[str]) -> None:
    """Keep two promises of one article from being weighed at the same time, wherever it lies. Call before the stock is
    locked: an article that lies nowhere has no position to lock.
    """
    for part in chunks(variant_ids):
        query = select(variant.c.id).where(variant.c.id.in_(part)).order_by(variant.c.id)
        tx.execute(query.with_for_update(key_share=True))


def find(tx: Tx, reservation_ids: Collection[str]) -> dict[str, Reservation]:
    """Reservations by id, as they stand; not locked."""
    found: dict[str, Reservation] = {}
    for part in chunks(reservation_ids):
        for row in tx.execute(select(*_ROW).where(reservation.c.id.in_(part))):
            found[row.id] = Reservation(*row)
    return found


def under_keys(tx: Tx, keys: Collection[str]) -> dict[str, Reservation]:
    """Reservations that were made under these idempotency keys, by key."""
    found: dict[str, Reservation] = {}
    for part in chunks(keys):
        for row in tx.execute(select(*_ROW).where(reservation.c.idempotency_key.in_(part))):
            found[row.idempotency_key] = Reservation(*row)
    return found


def room(tx: Tx, book: StockBook, variant_ids: Collection[str]) -> dict[str, int | None]:
    """Units of each article that may still be promised from the network; None: any number.

    These are the free units at all locations that are switched on, those that may wait (the article's backorder
    limit), and of an article sold ahead what open purchase orders still bring, less what is promised already.
    `book` has these articles locked; moves made in it and not written yet count.
    """
    shut = set(tx.execute(select(location.c.id).where(location.c.active.is_(False))).scalars())
    free = dict.fromkeys(variant_ids, 0)
    for (location_id, variant_id), units in book.sellable(variant_ids).items():
        free[variant_id] += units if location_id not in shut else 0
    promised, ahead = _promised(tx, variant_ids), purchasing.ahead(tx, variant_ids)
    found: dict[str, int | None] = {}
    for part in chunks(variant_ids):
        query = select(variant.c.id, variant.c.backorder_limit).where(variant.c.id.in_(part))
        for variant_id, limit in tx.execute(query):
            known = free[variant_id] + ahead.get(variant_id, 0) - promised.get(variant_id, 0)
            found[variant_id] = None if limit is None else max(0, known + limit)
    return found


def _promised(tx: Tx, variant_ids: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in chunks(variant_ids):
        query = (
            select(reservation.c.variant_id, func.sum(reservation.c.quantity))
            .where(reservation.c.variant_id.in_(part), _active(), reservation.c.location_id.is_(None))
            .group_by(reservation.c.variant_id)
        )
        found.update((row[0], int(row[1])) for row in tx.execute(query))
    return found


def _active() -> Any:
    return reservation.c.state == "active"


def parts_of(tx: Tx, variant_ids: Collection[str]) -> dict[str, list[tuple[str, int]]]:
    """(component, units in one kit) of those of the articles that are kits."""
    found: dict[str, list[tuple[str, int]]] = {}
    for part in chunks(variant_ids):
        kit = kit_component.c
        query = select(kit.kit_variant_id, kit.component_variant_id, kit.quantity).where(kit.kit_variant_id.in_(part))
        for row in tx.execute(query.order_by(kit.component_variant_id)):
            found.setdefault(row[0], []).append((row[1], row[2]))
    return found


def reserve(
    tx: Tx,
    book: StockBook,
    wanted: Iterable[Wanted],
    owner: tuple[str, str],
    *,
    expires_at: datetime | None,
    reason: str = "",
    key: str = "",
) -> list[Reservation]:
    """Reserve all of `wanted` for one owner (type, id); nothing is booked when it raises inside a transaction.

    `key` makes the request unique: row n of it is stored under "key:n". Raises OutOfStockError when a location has too
    few free units, NotEnoughError when the network has.
    """
    asked = list(wanted)
    left = room(tx, book, {one.variant_id for one in asked if one.location_id is None})
    made = []
    for number, one in enumerate(asked, start=1):
        row = Reservation(
            new_id(), *owner, one.variant_id, one.location_id, one.units, "active", expires_at, book.now, None, reason,
            f"{key}:{number}" if key else None,
        )  # fmt: skip
        if one.location_id is None:
            left[one.variant_id] = _take(left[one.variant_id], one.units)
        else:
            position = book.position(one.location_id, one.variant_id)
            book.move(
                position, one.units, "available", "reserved",
                kind="reserve", cause=("reservation", row.id), key=f"reserve:{row.id}", reason=reason,
            )  # fmt: skip
        book.changed_variants.add(one.variant_id)
        made.append(row)
    if made:
        tx.execute(insert(reservation), [{name: getattr(row, name) for name in Reservation.__slots__} for row in made])
    return made


def _take(left: int | None, units: int) -> int | None:
    if left is None:
        return None
    if units > left:
        raise NotEnoughError(f"{units} units wanted and {left} can be promised")
    return left - units


def keep_for_lines(
    tx: Tx, line_ids: Collection[str], wanted: Mapping[str, tuple[str, int]], taken: Collection[str], now: datetime
) -> tuple[set[str], set[str]]:
    """End what is reserved for these order lines and not wanted any more.

    `wanted` is (variant, units) by line. What ends is "converted" for a line of which units were `taken` to a place,
    and else "released". Returns the lines whose reservation stays, and the articles of which units are let go.
    """
    row, stays, freed, over = reservation.c, set[str](), set[str](), dict[str, list[str]]()
    for part in chunks(line_ids):
        query = select(row.id, row.owner_id, row.variant_id, row.quantity).where(row.owner_id.in_(part), _active())
        for key, line_id, variant_id, units in tx.execute(query.order_by(row.id)):
            if line_id not in stays and wanted.get(line_id) == (variant_id, units):
                stays.add(line_id)
            else:
                state = "converted" if line_id in taken else "released"
                over.setdefault(state, []).append(key)
                if state == "released" and wanted.get(line_id, ("", 0))[1] < units:
                    freed.add(variant_id)
    for state, keys in over.items():
        for part in chunks(keys):
            tx.execute(update(reservation).where(row.id.in_(part), _active()).values(state=state, ended_at=now))
    return stays, freed


def end(tx: Tx, book: StockBook, row: Reservation, state: str, reason: str = "") -> bool:
    """End an active reservation as "released", "expired" or "converted"; its units at a location are free again.

    Whoever converts one commits the units in the same transaction, before anybody else can see them.

    False when it had ended before: however often and by whomever it is ended, its units come back once. One that was
    extended meanwhile does not expire.
    """
    if not _close(tx, row, state, book.now, reason):
        return False
    if row.location_id is not None:
        book.move(
            book.position(row.location_id, row.variant_id), row.quantity, "reserved", "available",
            kind="unreserve", cause=("reservation", row.id), key=f"unreserve:{row.id}", reason=reason or state,
        )  # fmt: skip
    elif state != "converted":
        book.let_go(row.variant_id)
    book.changed_variants.add(row.variant_id)
    return True


def _close(tx: Tx, row: Reservation, state: str, now: datetime, reason: str) -> bool:
    values: dict[str, Any] = {"state": state, "ended_at": now} | ({"reason": reason} if reason else {})
    condition = [reservation.c.id == row.id, _active()]
    if state == "expired":
        condition.append(reservation.c.expires_at <= now)
    return tx.execute(update(reservation).where(*condition).values(**values)).rowcount == 1


def extend(tx: Tx, reservation_id: str, expires_at: datetime | None, now: datetime) -> bool:
    """Keep an active reservation until `expires_at`; False when it has ended or its time is up."""
    alive = or_(reservation.c.expires_at.is_(None), reservation.c.expires_at > now)
    statement = update(reservation).where(reservation.c.id == reservation_id, _active(), alive)
    return tx.execute(statement.values(expires_at=expires_at)).rowcount == 1


def due(tx: Tx, now: datetime, limit: int) -> list[Reservation]:
    """Active reservations whose time is up, oldest first; not locked."""
    query = select(*_ROW).where(_active(), reservation.c.expires_at <= now)
    return [Reservation(*row) for row in tx.execute(query.order_by(reservation.c.expires_at).limit(limit))]


def reserved_at(tx: Tx, location_id: str, variant_id: str) -> int:
    """Units of the position that active reservations hold."""
    query = select(func.coalesce(func.sum(reservation.c.quantity), 0)).where(
        _active(), reservation.c.location_id == location_id, reservation.c.variant_id == variant_id
    )
    return int(tx.execute(query).scalar_one())


def without_owner(tx: Tx, limit: int) -> list[tuple[Reservation, str]]:
    """Active reservations whose owner is gone or has nothing left to wait for, with the reason in words.

    Owners outside the hub (a checkout, a person) cannot be looked up: their reservations end by their time or by hand.
    """
    return [*_of_lost_lines(tx, limit), *_of_lost_transfers(tx, limit)]


def _of_lost_lines(tx: Tx, limit: int) -> list[tuple[Reservation, str]]:
    joined = (
        select(*_ROW, orders.c.lifecycle)
        .outerjoin(order_line, order_line.c.id == reservation.c.owner_id)
        .outerjoin(orders, orders.c.id == order_line.c.order_id)
        .where(
            _active(),
            reservation.c.owner_type == "order_line",
            or_(
                order_line.c.id.is_(None),
                orders.c.lifecycle.in_(("cancelled", "completed")),
                order_line.c.ordered <= order_line.c.cancelled + order_line.c.routed,
            ),
        )
    )
    found = []
    for *row, lifecycle in tx.execute(joined.order_by(reservation.c.id).limit(limit)):
        if lifecycle is None:
            why = "its order line does not exist"
        elif lifecycle in ("cancelled", "completed"):
            why = f"its order is {lifecycle}"
        else:
            why = "every unit of its order line has a place or is cancelled"
        found.append((Reservation(*row), why))
    return found


def _of_lost_transfers(tx: Tx, limit: int) -> list[tuple[Reservation, str]]:
    query = (
        select(*_ROW, transfer.c.status)
        .outerjoin(transfer, transfer.c.id == reservation.c.owner_id)
        .where(
            _active(),
            reservation.c.owner_type == "transfer",
            or_(transfer.c.id.is_(None), transfer.c.status.in_(OVER_TRANSFERS)),
        )
    )
    return [
        (Reservation(*row), "its transfer does not exist" if status is None else f"its transfer is {status}")
        for *row, status in tx.execute(query.order_by(reservation.c.id).limit(limit))
    ]
