"""Shipments, packages and their tracking events."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from hub.domain.documents import TrackingEvent
from hub.store.database import Tx, insert_new, new_id
from hub.store.rows import as_dicts, chunks
from hub.store.tables import connection, fulfillment_order, package, package_line, shipment, tracking_event

RECYCLED_AFTER = timedelta(days=30)  # carriers give a number to another parcel after months

Key = tuple[str, ...]  # what something is found by: the kind of name and the name
Place = tuple[str, str]  # (order id, fulfillment order id)


def orders_of(tx: Tx, keys: Collection[Key]) -> dict[Key, list[Place]]:
    """Fulfillment orders by ("number", its number), ("external", connection, its id there), ("shipment", connection,
    its shipment's id there) or ("tracking", number). One parcel may carry the goods of several.
    """
    found: dict[Key, list[Place]] = {}
    fo = fulfillment_order.c
    for part in chunks({key[1] for key in keys if key[0] == "number"}):
        for row in tx.execute(select(fo.number, fo.order_id, fo.id).where(fo.number.in_(part))):
            found["number", row[0]] = [(row[1], row[2])]
    for name, connection_id in {key[:2] for key in keys if key[0] in {"external", "shipment"}}:
        names = {key[2] for key in keys if key[:2] == (name, connection_id)}
        for external_id, place in _of_connection(tx, name, connection_id, names):
            found.setdefault((name, connection_id, external_id), []).append(place)
    for number, places in _by_number(tx, {key[1] for key in keys if key[0] == "tracking"}).items():
        found["tracking", number] = places
    return found


def _of_connection(tx: Tx, name: str, connection_id: str, names: Collection[str]) -> Iterator[tuple[str, Place]]:
    fo, told = fulfillment_order.c, shipment.c
    queries = {
        "external": (select(fo.external_id, fo.order_id, fo.id).where(fo.handler_id == connection_id), fo.external_id),
        "shipment": (
            select(told.external_id, told.order_id, told.fo_id).where(told.connection_id == connection_id),
            told.external_id,
        ),
    }
    query, column = queries[name]
    for part in chunks(names):
        for row in tx.execute(query.where(column.in_(part))):
            yield row[0], (row[1], row[2])


def _by_number(tx: Tx, tracking_numbers: Collection[str]) -> dict[str, list[Place]]:
    """Of those that have had a tracking number the ones that have it now: the newest, and what left along with it."""
    rows: dict[str, list[tuple[datetime, Place]]] = {}
    for part in chunks(tracking_numbers):
        joined = select(package.c.tracking_number, shipment.c.created_at, shipment.c.order_id, shipment.c.fo_id).join(
            shipment, shipment.c.id == package.c.shipment_id
        )
        for number, at, order_id, fo_id in tx.execute(joined.where(package.c.tracking_number.in_(part))):
            rows.setdefault(number, []).append((at, (order_id, fo_id)))
    found = {}
    for number, of_number in rows.items():
        newest = max(at for at, _ in of_number)
        found[number] = sorted({place for at, place in of_number if newest - at < RECYCLED_AFTER})
    return found


def known(tx: Tx, connection_id: str, external_id: str, fo_id: str) -> dict[str, Any] | None:
    """The shipment of a fulfillment order that a connection told of before."""
    mine = (shipment.c.connection_id == connection_id, shipment.c.external_id == external_id)
    row = tx.execute(select(shipment).where(*mine, shipment.c.fo_id == fo_id)).first()
    return None if row is None else as_dicts([row])[0]


def packages(tx: Tx, shipment_ids: Collection[str]) -> list[dict[str, Any]]:
    """Packages without their label bytes."""
    columns = [column for column in package.c if column.name != "label"]
    found: list[dict[str, Any]] = []
    for part in chunks(shipment_ids):
        query = select(*columns).where(package.c.shipment_id.in_(part)).order_by(package.c.id)
        found += as_dicts(tx.execute(query).all())
    return found


def lines(tx: Tx, package_ids: Collection[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for part in chunks(package_ids):
        found += as_dicts(tx.execute(select(package_line).where(package_line.c.package_id.in_(part))).all())
    return found


def contents(tx: Tx, order_id: str) -> list[tuple[str, list[tuple[str, int]]]]:
    """(package, [(fulfillment line, units)]) of all shipments of an order, in the order they were recorded."""
    query = (
        select(package.c.id, package_line.c.fo_line_id, package_line.c.quantity)
        .join(shipment, shipment.c.id == package.c.shipment_id)
        .join(package_line, package_line.c.package_id == package.c.id)
        .where(shipment.c.order_id == order_id)
        .order_by(package.c.id, package_line.c.id)
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for row in tx.execute(query):
        found.setdefault(row[0], []).append((row[1], row[2]))
    return list(found.items())


def by_tracking(tx: Tx, fo_id: str, numbers: Collection[str]) -> list[dict[str, Any]]:
    """Packages of a fulfillment order by tracking number, without their label bytes."""
    columns = [column for column in package.c if column.name != "label"]
    found: list[dict[str, Any]] = []
    for part in chunks(numbers):
        query = select(*columns).join(shipment, shipment.c.id == package.c.shipment_id)
        mine = query.where(shipment.c.fo_id == fo_id, package.c.tracking_number.in_(part))
        found += as_dicts(tx.execute(mine.order_by(package.c.id)).all())
    return found


def add_events(tx: Tx, package_id: str, events: Collection[tuple[str, TrackingEvent]]) -> int:
    """Keep scans that are new; `events` are (hash, event). Returns how many were new."""
    rows = [
        {
            "id": new_id(),
            "package_id": package_id,
            "event_hash": digest,
            "code": event.code,
            "raw_code": (event.raw_code or "")[:80],
            "message": event.message or "",
            "place": event.place or "",
            "at": event.at,
        }
        for digest, event in events
    ]
    return len(insert_new(tx, tracking_event, rows, tracking_event.c.id))


def events(tx: Tx, package_id: str) -> list[TrackingEvent]:
    """All scans of a package by carrier time."""
    query = select(tracking_event).where(tracking_event.c.package_id == package_id).order_by(tracking_event.c.at)
    return [
        TrackingEvent(row.code, row.at, raw_code=row.raw_code, message=row.message, place=row.place)
        for row in tx.execute(query)
    ]


def set_status(tx: Tx, package_id: str, shipment_id: str, status: str) -> None:
    """The package's status; the shipment follows it when all its packages agree."""
    tx.execute(update(package).where(package.c.id == package_id).values(status=status))
    others = set(tx.execute(select(package.c.status).where(package.c.shipment_id == shipment_id)).scalars())
    if others == {status}:
        tx.execute(update(shipment).where(shipment.c.id == shipment_id).values(status=status))


def set_shipment(tx: Tx, shipment_id: str, **values: Any) -> None:
    tx.execute(update(shipment).where(shipment.c.id == shipment_id).values(**values))


def label(tx: Tx, package_id: str) -> tuple[bytes, str] | None:
    """Label bytes and their format."""
    row = tx.execute(select(package.c.label, package.c.label_format).where(package.c.id == package_id)).first()
    return None if row is None or row[0] is None else (row[0], row[1] or "PDF")


def get(tx: Tx, shipment_id: str) -> dict[str, Any]:
    return as_dicts([tx.execute(select(shipment).where(shipment.c.id == shipment_id)).one()])[0]


def claim_silent(
    tx: Tx, connection_id: str, before: datetime, now: datetime, final: Collection[str], limit: int
) -> list[str]:
    """Trackers of parcels on their way that nobody has asked for since `before`; they are noted as asked now."""
    query = (
        select(package.c.id, package.c.tracker_id)
        .join(shipment, shipment.c.id == package.c.shipment_id)
        .where(*_silent(before, final), shipment.c.connection_id == connection_id)
        .order_by(package.c.id)
        .limit(limit)
        .with_for_update(of=package, skip_locked=True)
    )
    rows = tx.execute(query).all()
    tx.execute(update(package).where(package.c.id.in_([row[0] for row in rows])).values(followed_at=now))
    return [row[1] for row in rows]


def silent_connections(tx: Tx, before: datetime, final: Collection[str]) -> list[str]:
    """Connections that have such parcels."""
    query = (
        select(shipment.c.connection_id)
        .join(package, package.c.shipment_id == shipment.c.id)
        .join(connection, connection.c.id == shipment.c.connection_id)
        .where(*_silent(before, final), connection.c.status == "active")
        .distinct()
    )
    return sorted(tx.execute(query).scalars())


def _silent(before: datetime, final: Collection[str]) -> tuple[Any, ...]:
    return (
        package.c.tracker_id.is_not(None),
        package.c.status.not_in(list(final)),
        func.coalesce(package.c.followed_at, shipment.c.created_at) < before,
    )
