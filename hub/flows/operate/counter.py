"""The counter: customers collect in a store, what was sent there or lay there already."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub.domain import kits
from hub.domain.changes import SetMethod
from hub.domain.fulfillment import MoveRefusedError
from hub.domain.holds import NOTHING
from hub.domain.rejections import NOT_COLLECTED
from hub.flows import lots, machine, owed, refuse, track
from hub.flows.change import restate, restate_lines
from hub.flows.desk import Desk
from hub.flows.enter import conclude
from hub.flows.operate.errors import NotDoneError
from hub.flows.operate.orders import at_desk, not_held
from hub.flows.operate.shipping import find_fo, not_asked_back
from hub.flows.recall import take_back
from hub.flows.route import end_pickup_holds, reserve_unrouted, route_known
from hub.flows.runtime import Runtime
from hub.flows.ship import Parcel, everything, ship
from hub.store.orders import FoState, OrderState

COLLECT_WITHIN = timedelta(days=7)  # how long goods wait at the counter, unless they are given more time
NOBODY = "nobody collected it"


def ready_for_collection(runtime: Runtime, order_id: str, fo_number: str, *, person: str) -> bool:
    """Say that the goods wait at the counter; False when they do already.

    Raises NotDoneError for a fulfillment order that is not for collection, was ended, has not arrived at the store, or
    is stopped by a hold.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        fo = _at_counter(state, fo_number)
        if fo.ready_at is not None:
            return False
        if fo.method == "ship_to_store" and not any(row.shipped for row in fo.lines):
            raise NotDoneError(f"{fo.number} has not left {desk.locations[fo.location_id].code} yet")
        not_held(state, fo, "ship")
        if fo.method == "pickup":
            _begin(desk, state, fo)
        fo.ready_at, fo.collect_by, fo.changed = desk.now, desk.now + COLLECT_WITHIN, True
        until = f"{fo.collect_by:%Y-%m-%d %H:%M} UTC"
        said = f"{fo.number} waits at {_store(desk, fo)} to be collected until {until}."
        desk.tell(state.id, ("fo", fo.id), "ready", said)
        return True

    return at_desk(runtime, order_id, person, work)


def collected(runtime: Runtime, order_id: str, fo_number: str, *, person: str) -> bool:
    """Say that the customer has the goods; False when that was said before.

    Raises NotDoneError before they are ready.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        fo = _at_counter(state, fo_number)
        if fo.collected_at is not None:
            return False
        if fo.ready_at is None:
            raise NotDoneError(f"{fo.number} is not ready to be collected yet: say so first")
        fo.collected_at, fo.changed = desk.now, True
        _end_hold(desk, state, fo, "the goods were collected")
        not_held(state, fo, "ship")
        desk.tell(state.id, ("fo", fo.id), "collected", f"{fo.number} was collected at {_store(desk, fo)}.")
        units = everything(fo)
        if fo.method == "pickup":
            ship(
                desk,
                state,
                fo,
                [Parcel(units, carrier="Collected")],
                connection_id=None,
                external_id=None,
                shipped_at=desk.now,
                status="delivered",
            )
        for row in fo.lines:
            line = state.line(row.order_line_id)
            line.delivered, line.changed = min(line.shipped, line.delivered + row.shipped), True
        return True

    return at_desk(runtime, order_id, person, work)


def not_collected(runtime: Runtime, order_id: str, fo_number: str, *, person: str) -> bool:
    """Confirm that goods which nobody collected are back on the store's shelf; False when that was said before.

    What had lain there is free again and its units are cancelled; what had been sent there is booked in. The refund is
    made at the channel. Of what the store was asked to give back only the units that nobody wants any more are
    cancelled, and the others are routed again. Raises NotDoneError for what was collected or is over.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        fo = _at_counter(state, fo_number)
        if fo.ready_at is None:
            return False
        if fo.collected_at is not None:
            raise NotDoneError(f"{fo.number} was collected")
        store = _store(desk, fo)
        fo.ready_at, fo.collect_by, fo.changed = None, None, True
        _end_hold(desk, state, fo, "the goods are back on the shelf")
        said = f"{fo.number} was not collected and is back on the shelf of {store}."
        if fo.is_asked_back:
            track.stopped(desk, state, fo, NOBODY)
        elif fo.method == "pickup":
            _give_up(desk, state, fo)
            said += " Refund it at the channel."
        else:
            _book_in(desk, fo)
            _ask_refund(desk, state, fo)
            said += " Refund it at the channel."
        desk.tell(state.id, ("fo", fo.id), "not_collected", said)
        reserve_unrouted(desk, state)
        conclude(desk, state)
        return True

    return at_desk(runtime, order_id, person, work)


def collect_until(runtime: Runtime, order_id: str, fo_number: str, day: date, *, person: str) -> bool:
    """Let goods wait at the counter until the end of a day, in the store's zone; False when they do so already.

    Raises NotDoneError for what does not wait at a counter, and for a day that is over.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        fo = _at_counter(state, fo_number)
        if fo.ready_at is None or fo.collected_at is not None:
            raise NotDoneError(f"{fo.number} does not wait at a counter")
        store = desk.locations[fo.deliver_to_id or fo.location_id]
        until = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(store.zone)).astimezone(UTC)
        if until <= desk.now:
            raise NotDoneError(f"{day} is over at {store.code}: give a day that is still to come")
        if fo.collect_by == until:
            return False
        fo.collect_by, fo.changed = until, True
        _end_hold(desk, state, fo, "it was given more time")
        said = f"{fo.number} waits at {store.code} to be collected until the end of {day}."
        desk.tell(state.id, ("fo", fo.id), "more_time", said)
        return True

    return at_desk(runtime, order_id, person, work)


def collect_elsewhere(runtime: Runtime, order_id: str, code: str, *, person: str) -> bool:
    """Let the customer collect at another location, by its code; False when it is that one already.

    What has not left is taken back first, as with every change of the way of delivery.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        store = next((one for one in desk.locations.values() if one.code == code), None)
        if store is None or not store.picks_up:
            able = ", ".join(one.code for one in desk.locations.values() if one.picks_up) or "none yet"
            raise NotDoneError(f"nobody can collect at {code!r}; customers can collect at: {able}")
        if state.method == "pickup" and state.pickup_location_id == store.id:
            return False
        _deliver_by(desk, state, "pickup", store.id, f"It is collected at {code} instead.")
        return True

    return at_desk(runtime, order_id, person, work)


def ship_instead(runtime: Runtime, order_id: str, *, person: str) -> bool:
    """Ship what was to be collected; False when it is shipped already. Raises NotDoneError without an address.

    What has not left is taken back first.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        if state.method == "ship":
            return False
        if not (state.document.get("shipping_address") or {}).get("country"):
            raise NotDoneError("the order has no delivery address: enter one first")
        _deliver_by(desk, state, "ship", None, "It is shipped instead of collected.")
        return True

    return at_desk(runtime, order_id, person, work)


def _deliver_by(desk: Desk, state: OrderState, method: str, store_id: str | None, said: str) -> None:
    """Change how everything that has not left reaches the customer, and route it so.

    What a place is at work on is asked back, and goes the new way when the place has stopped.
    """
    if state.lifecycle not in {"pending", "open"}:
        raise NotDoneError(f"the order is {state.lifecycle}")
    restate(desk, state, [SetMethod(method, desk.locations[store_id].code if store_id else "")])
    state.method, state.pickup_location_id = method, store_id
    state.changes |= {"method": method, "pickup_location_id": store_id}
    desk.tell(state.id, ("order", state.id), "method", said)
    end_pickup_holds(desk, state, said)
    take_back(desk, state, "the way of delivery changed")
    route_known(desk, state)
    reserve_unrouted(desk, state)
    conclude(desk, state)


def _at_counter(state: OrderState, fo_number: str) -> FoState:
    fo = find_fo(state, fo_number)
    if fo.method == "ship":
        raise NotDoneError(f"{fo.number} is shipped to the customer, not collected")
    if fo.exec_status == "cancelled":
        raise NotDoneError(f"{fo.number} is cancelled: {fo.reason}")
    if fo.reason_code == NOT_COLLECTED.code:
        raise NotDoneError(f"{fo.number} is back on the shelf: {fo.reason}")
    return fo


def _begin(desk: Desk, state: OrderState, fo: FoState) -> None:
    """Putting the goods aside is taking the work on."""
    not_asked_back(desk, fo)
    if fo.request_status != "accepted":
        try:
            refuse.accept(desk, state, fo)
        except MoveRefusedError as error:
            raise NotDoneError(str(error)) from error


def _give_up(desk: Desk, state: OrderState, fo: FoState) -> None:
    """Nobody wants what lay at the counter any more; the order says so, whatever its channel goes on saying."""
    before = {line.id: line.wanted for line in state.lines}
    for row in fo.lines:
        state.line(row.order_line_id).unwanted += row.live
    refuse.give_back(desk, state, fo, NOBODY, NOT_COLLECTED)
    machine.answer(fo, "cancellation_accepted")
    kits.follow(state.lines)
    restate_lines(desk, state, before)


def _book_in(desk: Desk, fo: FoState) -> None:
    """Goods that were sent to the store for collection are the store's own now."""
    fo.reason, fo.reason_code, fo.changed = NOBODY, NOT_COLLECTED.code, True
    for row in fo.lines:
        if row.shipped:
            position = desk.stock.position(str(fo.deliver_to_id), row.variant_id)
            key, cause = f"uncollected:{row.id}", ("fo_line", row.id)
            said = "not collected"
            desk.stock.move(position, row.shipped, None, "available", kind="adjust", cause=cause, key=key, reason=said)
    lots.put_back(desk, fo, str(fo.deliver_to_id))


def _ask_refund(desk: Desk, state: OrderState, fo: FoState) -> None:
    """Have somebody give the money back for goods that are the store's now: for the order they have left."""
    goods = ", ".join(f"{row.shipped} x {row.sku}" for row in fo.lines if row.shipped)
    channel = desk.connections[state.connection_id].name
    reason = f"Refund at {channel} what was paid for {goods}: nobody collected {fo.number}."
    handle = f"uncollected:{fo.id}"
    desk.put_on_hold(state, owed.KIND, reason, handle=handle, source="counter", blocks=NOTHING)


def _store(desk: Desk, fo: FoState) -> str:
    return desk.locations[fo.deliver_to_id or fo.location_id].code


def _end_hold(desk: Desk, state: OrderState, fo: FoState, said: str) -> None:
    for held in [one for one in state.holds if one.handle == f"not_collected:{fo.id}"]:
        desk.end_hold(state, held, f"The hold (not collected) ended: {said}.")
