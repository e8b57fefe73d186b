"""Lots and serial numbers for people: where they lie, and with which orders they left."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from hub.domain.rejections import NOT_COLLECTED
from hub.store.database import Tx
from hub.store.rows import chunks
from hub.store.tables import (
    connection,
    fo_line,
    fulfillment_order,
    location,
    lot,
    lot_move,
    lot_position,
    orders,
    serial_number,
    transfer,
    transfer_line,
    variant,
)


class UnknownLotError(KeyError):
    """There is no lot and no serial number of this code."""

    def __str__(self) -> str:
        return f"there is no lot and no serial number {self.args[0]!r}"


@dataclass(frozen=True, slots=True)
class LotPlace:
    """Units of a lot at one location. Of these `held` are in quality hold because the lot is not to be sold, and
    `to_inspect` because somebody has to look at them; `damaged` ones are not fit to be sold.
    """

    location: str
    units: int
    held: int = 0
    to_inspect: int = 0
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class LotView:
    """A lot of one article."""

    id: str
    sku: str
    title: str
    code: str
    expires_on: date | None
    blocked: bool
    places: tuple[LotPlace, ...]

    @property
    def units(self) -> int:
        return sum(one.units for one in self.places)


@dataclass(frozen=True, slots=True)
class Departure:
    """Units of a lot, or a numbered unit, that left with an order: a line of a recall list."""

    order_id: str
    order_number: str
    channel: str
    placed_at: datetime
    email: str | None
    fo_number: str
    units: int


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a lot or a numbered unit is, and where it went. `status` is that of the number, "" of a lot."""

    kind: str  # lot or serial
    sku: str
    title: str
    code: str
    expires_on: date | None
    blocked: bool
    status: str
    places: tuple[LotPlace, ...]
    travels: tuple[str, ...]  # numbers of transfers it is or was on
    departures: tuple[Departure, ...]


@dataclass(frozen=True, slots=True)
class LeftWith:
    """What is known of the units of a tracked article that left with a fulfillment order."""

    fo_number: str
    sku: str
    tracking: str
    shipped: int
    marks: tuple[tuple[str, int, date | None], ...]  # lot or serial number, units, expiry

    @property
    def missing(self) -> int:
        """Units of which the lot or the serial number is not recorded."""
        return self.shipped - sum(units for _, units, _ in self.marks)


def of_article(tx: Tx, sku: str) -> list[LotView]:
    """The lots of an article, what expires first before the rest; those that are used up are left out."""
    query = select(lot, variant.c.sku, variant.c.title).join(variant, variant.c.id == lot.c.variant_id)
    rows = tx.execute(query.where(variant.c.sku == sku)).all()
    places = _places(tx, [row.id for row in rows])
    found = [
        LotView(row.id, row.sku, row.title, row.code, row.expires_on, row.blocked, places.get(row.id, ()))
        for row in rows
        if row.id in places
    ]
    return sorted(found, key=lambda one: (one.expires_on or date.max, one.code))


def first_to_expire(tx: Tx, limit: int = 100) -> list[LotView]:
    """Lots in stock, what expires first before the rest."""
    in_stock = select(lot_position.c.lot_id).where(lot_position.c.units > 0)
    query = (
        select(lot, variant.c.sku, variant.c.title)
        .join(variant, variant.c.id == lot.c.variant_id)
        .where(lot.c.id.in_(in_stock))
        .order_by(lot.c.expires_on.is_(None), lot.c.expires_on, variant.c.sku, lot.c.code)
        .limit(limit)
    )
    rows = tx.execute(query).all()
    places = _places(tx, [row.id for row in rows])
    return [
        LotView(row.id, row.sku, row.title, row.code, row.expires_on, row.blocked, places.get(row.id, ()))
        for row in rows
    ]


def serials_of(tx: Tx, sku: str) -> list[tuple[str, str]]:
    """(serial number, location) of the units of an article that are in stock."""
    query = (
        select(serial_number.c.code, location.c.code)
        .join(variant, variant.c.id == serial_number.c.variant_id)
        .join(location, location.c.id == serial_number.c.location_id)
        .where(variant.c.sku == sku)
        .order_by(serial_number.c.code)
    )
    return [(row[0], row[1]) for row in tx.execute(query)]


def trace(tx: Tx, code: str, sku: str = "") -> list[Trace]:
    """Everything of this code, lots and serial numbers, of one article or of all. Raises UnknownLotError."""
    found = [*_lots(tx, code, sku), *_serials(tx, code, sku)]
    if not found:
        raise UnknownLotError(code)
    return found


def _lots(tx: Tx, code: str, sku: str) -> list[Trace]:
    query = select(lot, variant.c.sku, variant.c.title).join(variant, variant.c.id == lot.c.variant_id)
    query = query.where(lot.c.code == code, *([variant.c.sku == sku] if sku else []))
    rows = tx.execute(query.order_by(variant.c.sku)).all()
    places = _places(tx, [row.id for row in rows])
    return [
        Trace(
            "lot",
            row.sku,
            row.title,
            row.code,
            row.expires_on,
            row.blocked,
            "",
            places.get(row.id, ()),
            _travels_of_lot(tx, row.id),
            _departures_of_lot(tx, row.id),
        )
        for row in rows
    ]


def _places(tx: Tx, lot_ids: Collection[str]) -> dict[str, tuple[LotPlace, ...]]:
    found: dict[str, list[LotPlace]] = {}
    for part in chunks(lot_ids):
        here = lot_position.c
        query = (
            select(here.lot_id, location.c.code, here.units, here.held, here.to_inspect, here.damaged)
            .join(location, location.c.id == lot_position.c.location_id)
            .where(lot_position.c.lot_id.in_(part), lot_position.c.units > 0)
            .order_by(location.c.code)
        )
        for lot_id, *place in tx.execute(query):
            found.setdefault(lot_id, []).append(LotPlace(*place))
    return {lot_id: tuple(places) for lot_id, places in found.items()}


def _travels_of_lot(tx: Tx, lot_id: str) -> tuple[str, ...]:
    query = (
        select(transfer.c.number)
        .join(transfer_line, transfer_line.c.transfer_id == transfer.c.id)
        .join(lot_move, lot_move.c.cause_id == transfer_line.c.id)
        .where(lot_move.c.lot_id == lot_id, lot_move.c.cause_type == "transfer_line")
        .distinct()
        .order_by(transfer.c.number)
    )
    return tuple(tx.execute(query).scalars())


_DEPARTURE = (
    orders.c.id,
    orders.c.number,
    connection.c.name,
    orders.c.placed_at,
    orders.c.email,
    fulfillment_order.c.number.label("fo"),
)


def _departures_of_lot(tx: Tx, lot_id: str) -> tuple[Departure, ...]:
    query = (
        select(*_DEPARTURE, -func.sum(lot_move.c.quantity))
        .join(fo_line, fo_line.c.id == lot_move.c.cause_id)
        .join(fulfillment_order, fulfillment_order.c.id == fo_line.c.fo_id)
        .join(orders, orders.c.id == fulfillment_order.c.order_id)
        .join(connection, connection.c.id == orders.c.connection_id)
        .where(lot_move.c.lot_id == lot_id, lot_move.c.cause_type == "fo_line")
        .group_by(*_DEPARTURE)
        .having(func.sum(lot_move.c.quantity) < 0)
        .order_by(orders.c.placed_at, orders.c.id)
    )
    return tuple(Departure(*row[:6], int(row[6])) for row in tx.execute(query))


def _serials(tx: Tx, code: str, sku: str) -> list[Trace]:
    query = (
        select(serial_number, variant.c.sku, variant.c.title, location.c.code.label("place"))
        .join(variant, variant.c.id == serial_number.c.variant_id)
        .outerjoin(location, location.c.id == serial_number.c.location_id)
        .where(serial_number.c.code == code, *([variant.c.sku == sku] if sku else []))
        .order_by(variant.c.sku)
    )
    return [
        Trace(
            "serial",
            row.sku,
            row.title,
            row.code,
            None,
            blocked=False,
            status=row.status,
            places=(LotPlace(row.place, 1),) if row.place else (),
            travels=_travel_of_line(tx, row.transfer_line_id),
            departures=_departures_of_line(tx, row.fo_line_id),
        )
        for row in tx.execute(query).all()
    ]


def _travel_of_line(tx: Tx, line_id: str | None) -> tuple[str, ...]:
    query = select(transfer.c.number).join(transfer_line, transfer_line.c.transfer_id == transfer.c.id)
    return tuple(tx.execute(query.where(transfer_line.c.id == line_id)).scalars()) if line_id else ()


def _departures_of_line(tx: Tx, line_id: str | None) -> tuple[Departure, ...]:
    query = (
        select(*_DEPARTURE)
        .join(fulfillment_order, fulfillment_order.c.order_id == orders.c.id)
        .join(fo_line, fo_line.c.fo_id == fulfillment_order.c.id)
        .join(connection, connection.c.id == orders.c.connection_id)
        .where(fo_line.c.id == line_id)
    )
    return tuple(Departure(*row, 1) for row in tx.execute(query)) if line_id else ()


def left_with(tx: Tx, order_id: str) -> list[LeftWith]:
    """The lots and serial numbers that left with an order, by fulfillment order and article."""
    query = (
        select(fo_line.c.id, fulfillment_order.c.number, variant.c.sku, variant.c.tracking, fo_line.c.shipped)
        .join(fulfillment_order, fulfillment_order.c.id == fo_line.c.fo_id)
        .join(variant, variant.c.id == fo_line.c.variant_id)
        .where(
            fulfillment_order.c.order_id == order_id,
            variant.c.tracking != "none",
            fo_line.c.shipped > 0,
            func.coalesce(fulfillment_order.c.reason_code, "") != NOT_COLLECTED.code,
        )
        .order_by(fulfillment_order.c.number, variant.c.sku)
    )
    rows = tx.execute(query).all()
    marks = _marks(tx, [row[0] for row in rows])
    return [LeftWith(*row[1:], tuple(marks.get(row[0], ()))) for row in rows]


def _marks(tx: Tx, line_ids: Collection[str]) -> dict[str, list[tuple[str, int, date | None]]]:
    found: dict[str, list[tuple[str, int, date | None]]] = {}
    for part in chunks(line_ids):
        lots = (
            select(lot_move.c.cause_id, lot.c.code, -func.sum(lot_move.c.quantity), lot.c.expires_on)
            .join(lot, lot.c.id == lot_move.c.lot_id)
            .where(lot_move.c.cause_id.in_(part), lot_move.c.cause_type == "fo_line")
            .group_by(lot_move.c.cause_id, lot.c.code, lot.c.expires_on)
            .having(func.sum(lot_move.c.quantity) < 0)
            .order_by(lot.c.code)
        )
        for line_id, code, units, expires_on in tx.execute(lots):
            found.setdefault(line_id, []).append((code, int(units), expires_on))
        numbers = select(serial_number.c.fo_line_id, serial_number.c.code).where(serial_number.c.fo_line_id.in_(part))
        for line_id, code in tx.execute(numbers.order_by(serial_number.c.code)):
            found.setdefault(line_id, []).append((code, 1, None))
    return found
