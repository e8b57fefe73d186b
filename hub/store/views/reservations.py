"""Reservations for people: who keeps what, where, and until when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from hub.store.database import Tx
from hub.store.rows import chunks
from hub.store.tables import location, order_line, orders, reservation, transfer, variant
from hub.store.views.pages import Page, before, cursor_after, cut, size


@dataclass(frozen=True, slots=True)
class ReservationQuery:
    """Which reservations; "" means any. `sku` is one article, `owner` one owner's name or id."""

    state: str = "active"
    owner_type: str = ""
    owner: str = ""
    sku: str = ""
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ReservationView:
    """Units kept for an owner. `location` "": from the network. `order_id` and `number` are of what it belongs to."""

    id: str
    owner_type: str
    owner_id: str
    sku: str
    location: str
    units: int
    state: str
    expires_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    reason: str
    order_id: str | None
    number: str

    @property
    def whom(self) -> str:
        """For whom, as people call it."""
        return self.number or self.owner_id


def find(tx: Tx, query: ReservationQuery) -> Page[ReservationView]:
    """A page of reservations, newest first. Raises BadCursorError."""
    limit = size(query.limit)
    statement = _all()
    for column, wanted in (
        (reservation.c.state, query.state),
        (reservation.c.owner_type, query.owner_type),
        (reservation.c.owner_id, query.owner),
        (variant.c.sku, query.sku),
    ):
        if wanted:
            statement = statement.where(column == wanted)
    if query.after:
        statement = statement.where(before(reservation.c.created_at, reservation.c.id, query.after))
    ordered = statement.order_by(reservation.c.created_at.desc(), reservation.c.id.desc()).limit(limit + 1)
    rows, more = cut([_view(row) for row in tx.execute(ordered)], limit)
    return Page(tuple(rows), cursor_after(rows[-1].created_at, rows[-1].id) if more else None)


def at_places(tx: Tx, variant_ids: Collection[str]) -> list[ReservationView]:
    """What is kept of these articles on shelves, for whomever, newest first."""
    row = reservation.c
    kept = _all().where(row.state == "active", row.location_id.is_not(None))
    ordered = kept.order_by(row.created_at.desc(), row.id.desc())
    return [_view(one) for part in chunks(variant_ids) for one in tx.execute(ordered.where(row.variant_id.in_(part)))]


def named(tx: Tx, ids: list[str]) -> list[ReservationView]:
    """These reservations, in this order; an id that is none is left out."""
    found = {row.id: _view(row) for row in tx.execute(_all().where(reservation.c.id.in_(ids)))}
    return [found[one] for one in ids if one in found]


def _all() -> Select[Any]:
    row = reservation.c
    return (
        select(row.id, row.owner_type, row.owner_id, variant.c.sku, location.c.code, row.quantity, row.state)
        .add_columns(row.expires_at, row.created_at, row.ended_at, row.reason)
        .add_columns(order_line.c.order_id, orders.c.number, transfer.c.number.label("transfer"))
        .join(variant, variant.c.id == row.variant_id)
        .outerjoin(location, location.c.id == row.location_id)
        .outerjoin(order_line, order_line.c.id == row.owner_id)
        .outerjoin(orders, orders.c.id == order_line.c.order_id)
        .outerjoin(transfer, transfer.c.id == row.owner_id)
    )


def _view(row: Any) -> ReservationView:
    return ReservationView(
        row.id,
        row.owner_type,
        row.owner_id,
        row.sku,
        row.code or "",
        row.quantity,
        row.state,
        row.expires_at,
        row.created_at,
        row.ended_at,
        row.reason,
        row.order_id,
        row.number or row.transfer or "",
    )
