"""Refuse: a place says no, or says nothing in time. What follows for stock, order and place is the reason's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from hub.domain import words
from hub.domain.holds import EVERYTHING, NOTHING
from hub.domain.rejections import OTHER, Effect, Reason
from hub.flows import machine
from hub.flows.desk import Desk
from hub.flows.enter import conclude
from hub.flows.handover import count_answer
from hub.flows.lots import note_damaged, note_missing
from hub.flows.recall import ask_to_stop, cancel_unwanted
from hub.flows.route import reserve_unrouted, route_known
from hub.store import catalog, reservations, routing
from hub.store.database import Tx, insert_new, new_id
from hub.store.lots import LotBook
from hub.store.orders import FoLineState, FoState, OrderState
from hub.store.reservations import Wanted
from hub.store.tables import entity_event, hold

COOL_DOWN = timedelta(hours=4)  # a place that is closed or has too much to do gets nothing new for so long
DISPLAY = "display"  # owner of units that stay at a place to be shown

# Where committed units go, and what the ledger calls it; None is out of stock. All others are released.
_GOES_TO: Mapping[Effect, tuple[str | None, str]] = {
    "zero": (None, "adjust"),
    "lose": (None, "adjust"),
    "damage": ("damaged", "adjust"),
}


def refuse(
    desk: Desk,
    order: OrderState,
    fo: FoState,
    reason: Reason,
    text: str = "",
    named: Mapping[str, int] | None = None,
) -> None:
    """The place said no: book what the reason means for its stock, and route the order again where that is right.

    `named` are the units that it is said of, by fulfillment line, where somebody has said which: the others are free
    and the place may be asked for them again. Of a reason that is of articles, of which there are several, nobody
    knows otherwise what is wrong with which: nothing is written off, and somebody has to look. Raises MoveRefusedError
    for a fulfillment order that has ended.
    """
    units = _said_of(fo, reason, named)
    said = _in_words(fo, reason, text, named)
    machine.answer(fo, "rejected" if fo.request_status in {"unsubmitted", "submitted"} else "cancellation_accepted")
    _count_refused(fo, units)
    give_back(desk, order, fo, said, reason, units)
    count_answer(desk, fo, accepted=False)
    _remember(desk, order, fo, reason, said)
    if not units:
        _have_it_looked_at(desk, order, fo, said)
    go_on(desk, order, fo, reason, said)


def _said_of(fo: FoState, reason: Reason, named: Mapping[str, int] | None) -> Mapping[str, int]:
    """Units by fulfillment line that a refusal is about; none when it is about one of several articles."""
    if named or (reason.is_of_articles and len({row.variant_id for row in fo.lines if row.live}) > 1):
        return named or {}
    return {row.id: row.live for row in fo.lines if row.live}


def _in_words(fo: FoState, reason: Reason, text: str, named: Mapping[str, int] | None) -> str:
    if reason.code == OTHER.code and not named:
        return text or "refused without a reason"
    units = {row.sku: 0 for row in fo.lines if (named or {}).get(row.id)}
    for row in fo.lines:
        if row.sku in units:
            units[row.sku] += (named or {}).get(row.id, 0)
    of = f" ({', '.join(f'{count} x {sku}' for sku, count in units.items())})" if units else ""
    return f"{reason.says}{of}" + (f": {text}" if text else "")


def _count_refused(fo: FoState, units: Mapping[str, int]) -> None:
    """Count what a place has said no to: everything, where nobody knows to what."""
    for row in fo.lines:
        row.refused += units.get(row.id, 0) if units else row.live
        row.changed = True


def _have_it_looked_at(desk: Desk, order: OrderState, fo: FoState, said: str) -> None:
    """Something is wrong with the stock of the place, and nobody has said with which article."""
    code, skus = desk.locations[fo.location_id].code, ", ".join(sorted({row.sku for row in fo.lines if row.refused}))
    reason = (
        f"{code} refused {fo.number} ({said}) and did not say which article it meant. Nothing was written off: find out"
        f" what is there of {skus}, and correct it."
    )
    handle = f"stock_to_check:{fo.id}"
    desk.put_on_hold(order, "stock_to_check", reason, handle=handle, source="fulfiller", blocks=NOTHING)


def accept(desk: Desk, order: OrderState, fo: FoState) -> None:
    """The place said yes. Raises MoveRefusedError where it cannot any more."""
    machine.answer(fo, "accepted")
    machine.work(fo, "in_progress")
    fo.answer_by = None
    count_answer(desk, fo, accepted=True)
    code = desk.locations[fo.location_id].code
    desk.tell(order.id, ("fo", fo.id), "accepted", f"{code} accepted {fo.number}.")


def time_out(desk: Desk, order: OrderState, fo: FoState) -> None:
    """The place has not answered in time: its units go elsewhere, and it is asked to stop."""
    code = desk.locations[fo.location_id].code
    said = f"{code} has not answered by {fo.answer_by:%Y-%m-%d %H:%M} UTC" if fo.answer_by else f"{code} did not answer"
    machine.answer(fo, "timed_out")
    _count_refused(fo, {})
    give_back(desk, order, fo, said, SILENCE)
    count_answer(desk, fo, accepted=False)
    _exclude(desk, order, fo, said)
    if fo.external_id is not None:
        ask_to_stop(desk, order, fo, said)
    go_on(desk, order, fo, SILENCE, said)


SILENCE = Reason("timed_out", "It did not answer in time", "", "release")


def answered_late(desk: Desk, order: OrderState, fo: FoState, said: str) -> None:
    """A place begins after its time was over: the goods may leave twice, so a person decides."""
    code = desk.locations[fo.location_id].code
    reason = f"{code} {said} {fo.number} after its units had gone elsewhere: see that the goods do not leave twice."
    desk.put_on_hold(order, "late_accept", reason, handle=f"late_accept:{fo.id}", source="fulfiller", blocks="ship")


def too_late(desk: Desk, order: OrderState, fo: FoState, said: str) -> None:
    """What was to be stopped leaves all the same: a person has to deal with the customer."""
    desk.put_on_hold(order, "cancel_too_late", said, handle=f"too_late:{fo.id}", source="fulfiller", blocks="ship")


def give_back(
    desk: Desk, order: OrderState, fo: FoState, said: str, reason: Reason, units: Mapping[str, int] | None = None
) -> None:
    """End a fulfillment order, once: its units are free, but for `units` by line, which go where the reason sends them.

    The order wants all of them again.
    """
    if units and reason.is_of_articles:
        lots = LotBook.open(desk.tx, {row.variant_id for row in fo.lines if row.id in units}, desk.now, desk.actor)
        for row in fo.lines:
            if row.id in units:
                _book(desk, lots, order, fo, row, units[row.id], said, reason)
        lots.flush()
    for row in fo.lines:
        if row.live:
            _take(desk, order, fo, row, row.live, "available", said, kind="release", key=f"release:{row.id}")
        cancel_unwanted(order.line(row.order_line_id))
    machine.work(fo, "closed" if any(row.shipped for row in fo.lines) else "cancelled")
    fo.reason, fo.reason_code, fo.answer_by, fo.changed = said, reason.code, None, True
    code = desk.locations[fo.location_id].code
    desk.tell(order.id, ("fo", fo.id), "refused", f"{code} does not ship {fo.number}: {said}.", reason=reason.code)


def _take(
    desk: Desk,
    order: OrderState,
    fo: FoState,
    row: FoLineState,
    units: int,
    to_state: str | None,
    said: str,
    *,
    kind: str,
    key: str,
) -> None:
    """Take committed units off a fulfillment line, to a state of the stock or out of it; the order wants them again."""
    position = desk.stock.position(fo.location_id, row.variant_id)
    desk.stock.move(position, units, "committed", to_state, kind=kind, cause=("fo_line", row.id), key=key, reason=said)
    row.cancelled += units
    row.changed = True
    line = order.line(row.order_line_id)
    line.routed -= units
    line.changed = True


def _book(
    desk: Desk, lots: LotBook, order: OrderState, fo: FoState, row: FoLineState, units: int, said: str, reason: Reason
) -> None:
    """What the reason means for units that were promised to a line."""
    to_state, kind = _GOES_TO.get(reason.effect, ("available", "release"))
    _take(desk, order, fo, row, units, to_state, said, kind=kind, key=f"refuse:{row.id}")
    if reason.effect == "display":
        kept = [Wanted(row.variant_id, units, fo.location_id)]
        reservations.reserve(desk.tx, desk.stock, kept, ("person", DISPLAY), expires_at=None, reason=said)
    if reason.effect == "zero":
        units += _write_off(desk, order, fo, row, said)
    if reason.effect == "damage":
        note_damaged(desk, lots, order, fo, row, units)
    elif to_state is None:
        note_missing(desk, lots, order, fo, row, units)


def _write_off(desk: Desk, order: OrderState, fo: FoState, row: FoLineState, said: str) -> int:
    """The shelf is empty: nothing is available here any more, and what others were promised is at risk.

    Returns how many units were available.
    """
    position = desk.stock.position(fo.location_id, row.variant_id)
    units = max(0, position.available)
    if units:
        key = f"write-off:{row.id}"
        cause = ("fo_line", row.id)
        desk.stock.move(position, units, "available", None, kind="adjust", cause=cause, key=key, reason=said)
    code = desk.locations[fo.location_id].code
    for other_id, other_fo, number in routing.others_committed(desk.tx, position.id, fo.id):
        if other_id != order.id:
            said = f"{code} says that {row.sku} is not there, which {number} waits for."
            desk.at_the_end(("flag", other_id, number), partial(_flag, desk, other_id, other_fo, said))
    return units


def _flag(desk: Desk, order_id: str, fo_id: str, reason: str, tx: Tx) -> None:
    """Hold the fulfillment order of another order whose goods may not be there; the hold ends with it.

    The order is not locked, so nothing else of it changes. Its messages are looked at once more just before they leave,
    so that none slips by.
    """
    row = {
        "id": new_id(),
        "order_id": order_id,
        "target_type": "fo",
        "target_id": fo_id,
        "kind": "at_risk",
        "reason": reason,
        "handle": "at_risk",
        "source": "stock",
        "blocks": "ship",
        "state": "active",
        "created_at": desk.now,
    }
    if insert_new(tx, hold, [row], hold.c.id):
        said = {"entity_type": "fo", "entity_id": fo_id, "kind": "at_risk", "message": reason}
        event = {"id": new_id(), "order_id": order_id, **said, "actor": desk.actor, "data": None, "at": desk.now}
        tx.execute(entity_event.insert().values(**event))


def _remember(desk: Desk, order: OrderState, fo: FoState, reason: Reason, said: str) -> None:
    """What the hub does not ask of the place again."""
    location = desk.locations[fo.location_id]
    until = desk.now + COOL_DOWN if reason.closes else None
    if until is not None and (location.outage_until is None or location.outage_until < until):
        desk.at_the_end(("location", location.id), lambda tx: catalog.close_until(tx, location.id, until))
        desk.locations = {**desk.locations, location.id: replace(location, outage_until=until)}
        desk.tell(
            order.id, ("location", location.id), "outage", f"{location.code} gets nothing new for a while: {said}."
        )
    if reason.learns:
        address = order.document.get("shipping_address") or {}
        country, postal = address.get("country") or "", address.get("postal_code") or ""
        routing.learn_exclusion(desk.tx, location.id, country, postal, said, f"fo:{fo.number}", desk.now)
    if reason.excludes:
        _exclude(desk, order, fo, said, for_a_while=reason.closes)


def _exclude(desk: Desk, order: OrderState, fo: FoState, said: str, *, for_a_while: bool = False) -> None:
    lines = [row.order_line_id for row in fo.lines if row.refused == row.cancelled]  # of others it has some
    until = desk.now + COOL_DOWN if for_a_while else None
    routing.exclude(desk.tx, lines, fo.location_id, said, desk.now, until)
    pairs = {(line, fo.location_id) for line in lines}
    if until is None:
        order.excluded |= pairs
    else:
        order.rests |= dict.fromkeys(pairs, until)


def go_on(desk: Desk, order: OrderState, fo: FoState, reason: Reason, said: str) -> None:
    """Route the order again, or hold it for a person where no other place can help."""
    code = desk.locations[fo.location_id].code
    if order.remote_status == "cancelled":
        pass
    elif fo.method == "pickup" and order.pickup_location_id == fo.location_id:
        choices = "Choose another store, have it shipped instead, or cancel and refund."
        words_ = f"{code} cannot have {words.units(sum(row.refused for row in fo.lines))} ready: {said}. {choices}"
        desk.put_on_hold(order, "pickup_refused", words_, handle=f"pickup_refused:{fo.id}", source="fulfiller")
    elif reason.hold:
        what = f"{code} says: {said}. Put it right, then release the hold."
        handle = f"{reason.hold}:{fo.id}"
        desk.put_on_hold(order, reason.hold, what, handle=handle, source="fulfiller", blocks=EVERYTHING)
    elif reason.routes_again:
        route_known(desk, order, parent=fo.id)
    reserve_unrouted(desk, order)
    conclude(desk, order)
