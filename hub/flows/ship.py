"""Ship: goods leave a location, and stock, order, channel and ERP follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.domain import kits, words
from hub.flows import machine
from hub.flows.desk import Desk
from hub.flows.enter import conclude
from hub.flows.handover import count_answer
from hub.flows.kits import unknown_to_channel
from hub.flows.lots import note_departure
from hub.flows.refuse import too_late
from hub.store.database import new_id
from hub.store.ledger import TOLD_LATER, Position
from hub.store.numbers import number
from hub.store.orders import LASTING, FoLineState, FoState, OrderState
from hub.store.tables import package, package_line, shipment

CLOCKS_APART = timedelta(seconds=10)  # so much a fulfiller's clock may differ from ours


@dataclass(frozen=True, slots=True)
class Parcel:
    """A package that is to be recorded; `units` are whole units by fulfillment line, `serials` their numbers."""

    units: Mapping[str, int]
    tracking_number: str | None = None
    tracking_url: str = ""
    carrier: str = ""
    service: str = ""
    weight_g: int | None = None
    cost_minor: int | None = None
    currency: str | None = None
    tracker_id: str | None = None
    label: bytes | None = None
    label_format: str | None = None
    serials: Mapping[str, Sequence[str]] = field(default_factory=dict)


def ship(
    desk: Desk,
    order: OrderState,
    fo: FoState,
    parcels: Sequence[Parcel],
    *,
    connection_id: str | None,
    external_id: str | None,
    shipped_at: datetime,
    status: str = "handed_over",
) -> str:
    """Record that `parcels` left: stock falls, counters rise, the channel is told. Returns the shipment's id.

    Units beyond what the fulfillment order still holds are left out and said in the timeline. What leaves although its
    place was asked to stop is a person's business.
    """
    asked_back = fo.request_status == "cancellation_requested"
    shipment_id = new_id()
    first = parcels[0]
    desk.rows.add(
        shipment,
        id=shipment_id,
        fo_id=fo.id,
        order_id=order.id,
        connection_id=connection_id,
        external_id=external_id,
        status=status,
        carrier=first.carrier[:80],
        service=first.service[:80],
        shipped_at=shipped_at,
        created_at=desk.now,
        updated_at=desk.now,
    )
    mark = shipment_mark(fo, external_id)
    rows, told = {row.id: row for row in fo.lines}, kits.shipped_as_sold(order.lines, unknown_to_channel(order))
    before = {row.id: row.shipped for row in fo.lines}
    shipped = sum(_record(desk, order, fo, rows, shipment_id, parcel, status, shipped_at) for parcel in parcels)
    if fo.request_status in {"unsubmitted", "submitted"}:
        count_answer(desk, fo, accepted=True)
        machine.answer(fo, "accepted")
    machine.work(fo, "in_progress" if fo.live_units else "closed")
    if not fo.live_units:
        machine.answer(fo, "closed")
    fo.answer_by, fo.changed = None, True
    _tell(desk, order, fo, parcels, shipped)
    if asked_back:
        code = desk.locations[fo.location_id].code
        too_late(desk, order, fo, f"{code} shipped {fo.number} although it was asked to stop.")
    left = {row.id: row.shipped - before[row.id] for row in fo.lines}
    serials = {line: codes for parcel in parcels for line, codes in parcel.serials.items()}
    note_departure(desk, order, fo, shipment_id, left, serials)
    if order.connection_id in desk.confirmers and kits.shipped_as_sold(order.lines, unknown_to_channel(order)) > told:
        desk.send(
            order.connection_id,
            "confirm",
            fact=mark,
            subject_id=shipment_id,
            order_id=order.id,
            reference=mark,
            shipment_id=shipment_id,
        )
    conclude(desk, order)
    return shipment_id


def shipment_mark(fo: FoState, external_id: str | None) -> str:
    """The name of a fulfillment order's next shipment outside, by its handler's id or by what left before it."""
    left = sum(row.shipped for row in fo.lines)
    return number("SH", f"{fo.number}:{external_id or f'after {left}'}", letters=LASTING)


def _record(
    desk: Desk,
    order: OrderState,
    fo: FoState,
    rows: Mapping[str, FoLineState],
    shipment_id: str,
    parcel: Parcel,
    status: str,
    shipped_at: datetime,
) -> int:
    package_id = new_id()
    desk.rows.add(
        package,
        id=package_id,
        shipment_id=shipment_id,
        tracking_number=parcel.tracking_number,
        tracker_id=parcel.tracker_id,
        tracking_url=parcel.tracking_url,
        carrier=parcel.carrier[:80],
        service=parcel.service[:80],
        status=status,
        weight_g=parcel.weight_g,
        cost_minor=parcel.cost_minor,
        currency=parcel.currency,
        label=parcel.label,
        label_format=parcel.label_format,
    )
    total = 0
    for line_id, units in parcel.units.items():
        row = rows[line_id]
        leaving = min(units, row.live)
        if leaving < units:
            message = f"{fo.number} reports {words.units(units - leaving)} too many, which are not booked."
            desk.tell(order.id, ("fo", fo.id), "overshipped", message)
        if leaving > 0:
            _take_out(desk, order, fo, row, leaving, package_id, shipped_at)
            total += leaving
    return total


def _take_out(
    desk: Desk, order: OrderState, fo: FoState, row: FoLineState, units: int, package_id: str, shipped_at: datetime
) -> None:
    line_key = new_id()
    desk.rows.add(package_line, id=line_key, package_id=package_id, fo_line_id=row.id, quantity=units)
    position, cause = desk.stock.position(fo.location_id, row.variant_id), ("fo_line", row.id)
    before, left_at = position.on_hand, min(shipped_at, desk.now)
    desk.stock.move(
        position, units, "committed", None, kind="ship", cause=cause, key=f"ship:{line_key}", occurred_at=left_at
    )
    found = units - (before - position.on_hand)
    twice = _gone_before(desk, fo, position, units, shipped_at) - found
    if twice > 0:
        # The place's figure has taken them from what is available; they must not leave the books once more.
        said = "the last figure of the place had them as gone"
        desk.stock.move(
            position, twice, None, "available", kind="adjust", cause=cause, key=f"{TOLD_LATER}{line_key}", reason=said,
            occurred_at=left_at,
        )  # fmt: skip
    row.shipped += units
    row.changed = True
    line = order.line(row.order_line_id)
    line.shipped += units
    line.unwanted = min(line.unwanted, line.routed - line.shipped)  # it left although nobody wants it any more
    line.changed = True


def _gone_before(desk: Desk, fo: FoState, position: Position, units: int, shipped_at: datetime) -> int:
    """Of the units that left, those that the last figure of the location's feed no longer counted.

    A 3PL's count may come before its notice of the shipment. By when they left one sees whether it still counted
    them. Where that cannot be believed, being before the order or in the future, or is too close to tell, it is seen
    by what the feed has taken away since the order came.
    """
    asked_at, counted_at = fo.created_at or desk.now, position.stated_at
    if counted_at is None:
        return 0
    if asked_at <= shipped_at <= desk.now and abs(shipped_at - counted_at) > CLOCKS_APART:
        return units if shipped_at < counted_at else 0
    return min(units, desk.stock.taken_by_feed(position, asked_at))


def _tell(desk: Desk, order: OrderState, fo: FoState, parcels: Sequence[Parcel], units: int) -> None:
    numbers = ", ".join(filter(None, (parcel.tracking_number for parcel in parcels)))
    code = desk.locations[fo.location_id].code
    by = f" with {parcels[0].carrier} {numbers}".rstrip() if numbers else ""
    desk.tell(order.id, ("fo", fo.id), "shipped", f"{words.units(units)} left {code}{by} ({fo.number}).")


def everything(fo: FoState) -> dict[str, int]:
    """All units that a fulfillment order still holds, by fulfillment line."""
    return {row.id: row.live for row in fo.lines if row.live}
