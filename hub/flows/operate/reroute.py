"""Routing by hand: look again for places, and take a location out of action."""

from __future__ import annotations

from datetime import datetime

from hub.flows import deadlines
from hub.flows.desk import Desk
from hub.flows.enter import conclude
from hub.flows.operate.errors import NotDoneError, actor, still_to_come
from hub.flows.operate.orders import at_desk
from hub.flows.recall import release, withdrawn
from hub.flows.refill import offer_again
from hub.flows.route import reserve_unrouted, route_known
from hub.flows.runtime import Runtime
from hub.store import catalog, events, routing
from hub.store.orders import OrderState


def route_order(runtime: Runtime, order_id: str, *, person: str) -> bool:
    """Look for places for what has none yet; False when nothing changes. Safe to repeat."""

    def work(desk: Desk, state: OrderState) -> bool:
        if not route_known(desk, state, only_if_possible=True):
            return False
        reserve_unrouted(desk, state)
        conclude(desk, state)
        return True

    return at_desk(runtime, order_id, person, work)


def set_outage(runtime: Runtime, code: str, until: datetime | None, *, person: str, reason: str = "") -> int:
    """Take a location out of action until a moment, or (None) back into it; returns how many orders were moved.

    Work that it was not told of goes elsewhere at once. Work that it has stays, and can be called back order by order.
    Raises NotDoneError for a location that does not exist and for a moment that is over.
    """
    now = runtime.clock()
    still_to_come(until, now)
    with runtime.db.begin() as tx:
        try:
            location = catalog.location_by_code(tx, code)
        except KeyError as error:
            raise NotDoneError(f"there is no location {code!r}") from error
        catalog.change_location(tx, location.id, outage_until=until)
        why = f": {reason}" if reason else ""
        said = "is back in action" if until is None else f"is out of action until {until:%Y-%m-%d %H:%M} UTC{why}"
        events.tell(tx, ("location", location.id), "outage", actor(person), f"{code} {said}.", now)
        affected = routing.unbegun_at(tx, location.id) if until is not None else []
        if until is None:
            offer_again(tx)
    runtime.wake("refill")
    doing = "moving it away from a place that is out of action"
    return deadlines.for_each(
        runtime, affected, lambda desk, state: _move_away(desk, state, location.id), doing, person
    )


def _move_away(desk: Desk, state: OrderState, location_id: str) -> bool:
    """Route elsewhere what the location was not told of; False when it knows of everything."""
    mine = [fo for fo in state.fos if fo.location_id == location_id and fo.exec_status in {"scheduled", "open"}]
    freed = [fo for fo in mine if fo.method != "pickup" and withdrawn(desk, fo)]
    for fo in freed:
        release(desk, state, fo, f"{desk.locations[location_id].code} is out of action")
    if freed:
        route_known(desk, state, parent=freed[0].id)
        reserve_unrouted(desk, state)
        conclude(desk, state)
    return bool(freed)
