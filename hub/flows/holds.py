"""Holds that end by themselves."""

from __future__ import annotations

from hub.flows.desk import Desk
from hub.flows.operate.orders import at_desk, route_on
from hub.flows.runtime import Runtime
from hub.store import holds
from hub.store.orders import OrderState

AT_ONCE = 200


def expire_holds(runtime: Runtime) -> int:
    """End the holds whose time is over, and let their orders go on; returns how many. Safe to call twice."""
    with runtime.db.read() as tx:
        due = holds.to_expire(tx, runtime.clock(), AT_ONCE)
    return sum(_expire(runtime, hold_id, order_id) for hold_id, order_id in due)


def _expire(runtime: Runtime, hold_id: str, order_id: str) -> bool:
    def work(desk: Desk, state: OrderState) -> bool:
        held = next((one for one in state.holds if one.id == hold_id), None)
        if held is None:
            return False
        said = f"The hold ({held.kind.replace('_', ' ')}) ended by itself: its time was over."
        desk.end_hold(state, held, said, state="expired")
        route_on(desk, state)
        return True

    return at_desk(runtime, order_id, "", work, by="clock")
