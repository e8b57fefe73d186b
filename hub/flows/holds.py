"""Holds that end by themselves."""

from __future__ import annotations

from hub.flows.deadlines import for_each
from hub.flows.desk import Desk
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
