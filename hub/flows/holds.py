"""Holds that end by themselves."""

from __future__ import annotations

from hub import schemas
from hub.domain.documents import Order
from hub.flows.deadlines import for_each
from hub.flows.desk import Desk
from hub.flows.enter import decide, look_for_twins
from hub.flows.operate.orders import route_on
from hub.flows.runtime import Runtime
from hub.store import holds
from hub.store.orders import OrderState

AT_ONCE = 200


def expire_holds(runtime: Runtime) -> int:
    """End the holds whose time is over, and let their orders go on; returns of how many orders. Safe to call twice."""
    with runtime.db.read() as tx:
        due = holds.to_expire(tx, runtime.clock(), AT_ONCE)
    over = {hold_id for hold_id, _ in due}

    def work(desk: Desk, state: OrderState) -> bool:
        mine = [one for one in state.holds if one.id in over]
        for held in mine:
            said = f"The hold ({held.kind.replace('_', ' ')}) ended by itself: its time was over."
            desk.end_hold(state, held, said, state="expired")
        if mine:
            route_on(desk, state)
        return bool(mine)

    return for_each(runtime, sorted({order_id for _, order_id in due}), work, "ending a hold whose time was over")


def let_twins_go(runtime: Runtime) -> int:
    """Check orders again whose twin is cancelled by now; returns how many. Safe to call twice.

    Nothing of their own has changed, so nobody else would look at them.
    """
    with runtime.db.read() as tx:
        due = holds.lost_twins(tx, AT_ONCE)

    def work(desk: Desk, state: OrderState) -> bool:
        order: Order = schemas.parse("order.v1", state.document)
        look_for_twins(desk, [order])
        decide(desk, state, order)
        return True

    return for_each(runtime, due, work, "letting it go when its twin was cancelled")
