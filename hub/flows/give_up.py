"""Give up: cancel units that have waited as long as they may."""

from __future__ import annotations

from hub.domain import kits, words
from hub.flows.change import restate_lines
from hub.flows.deadlines import for_each
from hub.flows.desk import Desk
from hub.flows.enter import conclude
from hub.flows.route import reserve_unrouted
from hub.flows.runtime import Runtime
from hub.store import promises
from hub.store.orders import OrderState

AT_ONCE = 50  # orders in one call


def cancel_overdue(runtime: Runtime) -> int:
    """Cancel the waiting units of lines whose day has come; returns how many orders it were. Safe to call twice.

    Only units without a place are cancelled; those that are being packed leave. The channel is not told.
    """
    with runtime.db.read() as tx:
        due = promises.overdue(tx, runtime.clock(), AT_ONCE)
    return for_each(runtime, due, _give_up, "cancelling what has waited long enough")


def _give_up(desk: Desk, order: OrderState) -> bool:
    before = {line.id: line.wanted for line in order.lines}
    for line in order.lines:
        due = line.auto_cancel_at
        if line.waits_as is None or due is None or due > desk.now or line.unrouted <= 0:
            continue
        units = line.unrouted
        line.cancelled += units
        line.changed = True
        said = f"{words.units(units)} of {line.sku} waited until {due:%Y-%m-%d %H:%M} UTC and are cancelled."
        desk.tell(order.id, ("order_line", line.id), "gave_up", said, units=units)
    kits.follow(order.lines)
    restate_lines(desk, order, before)
    reserve_unrouted(desk, order)
    conclude(desk, order)
    return True
