"""Hand over: make a fulfillment order for what a place is to ship, and tell whoever packs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub.domain.calendar import Calendar, arrives_on, ships_on
from hub.domain.routing.shapes import Part
from hub.flows import machine
from hub.flows.desk import Desk
from hub.store import routing
from hub.store.database import new_id
from hub.store.orders import FoLineState, FoState, OrderState
from hub.store.tables import fo_line, fulfillment_order

LONGEST_WAIT = 60  # days that are looked at for the first day on which work may begin


@dataclass(frozen=True, slots=True)
class Errand:
    """What a fulfillment order is for: `method` is ship, pickup or ship_to_store, `store` where it is collected."""

    method: str = "ship"
    store: str | None = None
    parent: str | None = None  # the fulfillment order that it replaces


def make_fulfillment_order(desk: Desk, order: OrderState, part: Part, errand: Errand) -> FoState:
    """Commit the stock of a part of the plan, and hand it over or put it in the diary."""
    location = desk.locations[part.place_id]
    by_hand = errand.method == "pickup"  # what customers collect is packed at the counter
    fo = FoState(
        new_id(),
        order.next_fo_number(location.id),
        order.id,
        location.id,
        None if by_hand else location.handler_id,
        "manual" if by_hand else location.handling,
        "open",
        "unsubmitted",
        None,
        "",
        method=errand.method,
        deliver_to_id=errand.store if errand.method == "ship_to_store" else None,
        fulfil_at=_fulfil_at(desk, order, location.id),
        created_at=desk.now,
    )
    if fo.fulfil_at is not None:
        fo.exec_status = "scheduled"
    leaves = desk.view.leaves_on(location.id, fo.fulfil_at)
    country = order.document.get("shipping_address", {}).get("country") or ""
    row = desk.rows.add(
        fulfillment_order,
        id=fo.id,
        number=fo.number,
        order_id=order.id,
        location_id=location.id,
        handler_id=fo.handler_id,
        handling=fo.handling,
        exec_status=fo.exec_status,
        request_status=fo.request_status,
        parent_id=errand.parent,
        method=fo.method,
        deliver_to_id=fo.deliver_to_id,
        fulfil_at=fo.fulfil_at,
        answer_by=None,
        ship_on=leaves,
        deliver_on=desk.view.arrives_on(location.id, country, fo.fulfil_at) if fo.method == "ship" else None,
        created_at=desk.now,
        updated_at=desk.now,
    )
    for line_id, units in part.units.items():
        fo.lines.append(_commit_line(desk, order, fo, line_id, units))
    order.fos.append(fo)
    desk.view.took(location.id)
    if fo.exec_status == "open":
        hand_over(desk, order, fo)
        row.update(request_status=fo.request_status, answer_by=fo.answer_by)
        fo.changed = False  # it is inserted as it stands
    return fo


def _commit_line(desk: Desk, order: OrderState, fo: FoState, line_id: str, units: int) -> FoLineState:
    line = order.line(line_id)
    assert line.variant_id is not None  # noqa: S101 - only mapped lines are needs
    position = desk.stock.position(fo.location_id, line.variant_id)
    row = FoLineState(new_id(), fo.id, line.id, line.variant_id, position.id, units, 0, 0)
    desk.rows.add(
        fo_line,
        id=row.id,
        fo_id=fo.id,
        order_line_id=line.id,
        variant_id=line.variant_id,
        position_id=position.id,
        quantity=units,
    )
    desk.stock.move(
        position, units, "available", "committed", kind="commit", cause=("fo_line", row.id), key=f"commit:{row.id}"
    )
    line.routed += units
    line.changed = True
    return row


def hand_over(desk: Desk, order: OrderState, fo: FoState) -> None:
    """Tell whoever packs it: the 3PL gets the order, a carrier sells a label; by hand the place's own queue shows it.

    Where a place has to answer in time, its queue counts as asked once no hold stops the work; a 3PL from when it has
    the order.
    """
    if fo.by_hand:
        desk.ask_people(order, fo)
        return
    assert fo.handler_id is not None  # noqa: S101 - it is not done by hand
    operation = {"threepl": "submit", "label": "buy_label"}[fo.handling]
    desk.send(
        fo.handler_id,
        operation,
        fact=fo.number,
        subject_id=fo.id,
        order_id=order.id,
        reference=fo.number,
        fo_id=fo.id,
    )


def count_answer(desk: Desk, fo: FoState, *, accepted: bool) -> None:
    """Count a yes or a no of the place, for all it ships and for the categories of these articles."""
    articles = routing.articles(desk.tx, {row.variant_id for row in fo.lines})
    where, kinds = fo.location_id, {one.category for one in articles.values()}
    desk.at_the_end(("answer", where), lambda tx: routing.note_answer(tx, where, kinds, desk.now, accepted=accepted))


def open_scheduled(desk: Desk, order: OrderState, fo: FoState) -> None:
    """Its time has come: hand it over."""
    machine.work(fo, "open")
    desk.tell(
        order.id, ("fo", fo.id), "opened", f"{fo.number} is due and goes to {desk.locations[fo.location_id].code}."
    )
    hand_over(desk, order, fo)


def _fulfil_at(desk: Desk, order: OrderState, location_id: str) -> datetime | None:
    """When work may begin for goods that must not arrive before a day; None when that is now.

    Only a place that knows how long its parcels travel can wait: anywhere else waiting would be a guess.
    """
    promise = (order.document.get("schedule") or {}).get("deliver_after")
    calendar = desk.view.calendar(location_id)
    if promise is None or calendar is None:
        return None
    earliest = date.fromisoformat(promise["date"])
    country = order.document.get("shipping_address", {}).get("country") or ""
    day = earliest
    for _ in range(LONGEST_WAIT):
        before = _begin_of(day - timedelta(days=1), calendar)
        arrival = arrives_on(calendar, ships_on(calendar, before), country)
        if arrival is None:
            return None
        if arrival < earliest:
            break
        day -= timedelta(days=1)
    if order.ship_by is not None:
        day = min(day, order.ship_by)
    begins = _begin_of(day, calendar)
    return begins if begins > desk.now else None


def _begin_of(day: date, calendar: Calendar) -> datetime:
    """When a day begins at the place of a calendar."""
    return datetime.combine(day, time(), ZoneInfo(calendar.zone)).astimezone(UTC)
