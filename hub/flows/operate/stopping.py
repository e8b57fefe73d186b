"""Stopping by hand: what a location that was asked to stop has to say."""

from __future__ import annotations

from hub.flows import recall, track
from hub.flows.desk import Desk
from hub.flows.operate.errors import NotDoneError
from hub.flows.operate.orders import at_desk
from hub.flows.operate.shipping import find_fo, nobody_else
from hub.flows.runtime import Runtime
from hub.store.orders import FoState, OrderState


def ask_back(runtime: Runtime, order_id: str, fo_number: str, *, person: str) -> bool:
    """Ask whoever has a fulfillment order to stop it; False when that was asked before.

    What nobody was told of is taken back at once. When it has stopped, what is still wanted of it is routed again, as
    far as no hold keeps it. Raises NotDoneError when it is over.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        fo = find_fo(state, fo_number)
        if fo.request_status == "cancellation_requested":
            return False
        if not fo.is_live:
            raise NotDoneError(f"{fo.number} is {fo.exec_status.replace('_', ' ')}: there is nothing left to stop")
        if recall.withdrawn(desk, fo):
            recall.release(desk, state, fo, "asked back")
            track.route_again(desk, state, fo)
        else:
            recall.ask_back(desk, state, fo, "asked back")
        return True

    return at_desk(runtime, order_id, person, work)


def stopped_by_hand(runtime: Runtime, order_id: str, fo_number: str, *, person: str) -> bool:
    """Say that a location has stopped a fulfillment order as it was asked; False when that was said before.

    Its units are free again: those that nobody wants are cancelled, the others are routed again. It is no refusal, so
    the location may get them once more. Raises NotDoneError when nobody asked it to stop, or when a handler has to say.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        fo = find_fo(state, fo_number)
        if fo.request_status == "cancellation_accepted":
            return False
        _was_asked(desk, fo)
        track.stopped(desk, state, fo, "stopped as it was asked")
        return True

    return at_desk(runtime, order_id, person, work)


def too_late_by_hand(runtime: Runtime, order_id: str, fo_number: str, *, person: str) -> bool:
    """Say that it is too late to stop a fulfillment order; False when that was said before.

    The order is held for somebody to deal with the customer. Raises NotDoneError as `stopped_by_hand`.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        fo = find_fo(state, fo_number)
        if fo.request_status == "cancellation_rejected":
            return False
        _was_asked(desk, fo)
        track.refused_to_stop(desk, state, fo, "")
        return True

    return at_desk(runtime, order_id, person, work)


def _was_asked(desk: Desk, fo: FoState) -> None:
    """Raises NotDoneError when the location was not asked to stop, or is not the one to say so."""
    if not fo.is_asked_back:
        raise NotDoneError(f"nobody waits for {desk.locations[fo.location_id].code} to stop {fo.number}")
    nobody_else(desk, fo)
