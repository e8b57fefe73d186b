"""Orders that wait: until when they may, whether their customers were told, and out of a queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.flows.desk import Desk
from hub.flows.operate.errors import NotDoneError, actor, still_to_come
from hub.flows.operate.orders import at_desk, route_on
from hub.flows.promise import note_waiting, repromise
from hub.flows.runtime import Runtime
from hub.store import events, promises
from hub.store.orders import LineState, OrderState


def set_cancel_date(runtime: Runtime, order_id: str, line_id: str, at: datetime | None, *, person: str) -> bool:
    """The waiting units of a line are cancelled at that moment, never by None. Raises NotDoneError, also for a moment
    that is over.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        line = _waiting(state, line_id)
        still_to_come(at, desk.now)
        if line.auto_cancel_at == at:
            return False
        line.auto_cancel_at, line.changed = at, True
        until = f"until {at:%Y-%m-%d %H:%M} UTC, then its units are cancelled" if at else "as long as it takes"
        desk.tell(state.id, ("order_line", line.id), "cancel_date_set", f"{line.sku} waits {until}.")
        return True

    return at_desk(runtime, order_id, person, work)


def release_from_queue(runtime: Runtime, order_id: str, line_id: str, *, person: str) -> bool:
    """Take a line out of its queue and look for a place; False when it is in none. Raises NotDoneError."""

    def work(desk: Desk, state: OrderState) -> bool:
        line = _waiting(state, line_id)
        if line.waits_as != "queue":
            return False
        said = f"{line.sku} was taken out of the queue {line.queue}."
        desk.tell(state.id, ("order_line", line.id), "queue_left", said)
        note_waiting(desk, state, line, "backorder")
        route_on(desk, state)
        return True

    done = at_desk(runtime, order_id, person, work)
    if done:
        repromise(runtime)
    return done


def _waiting(state: OrderState, line_id: str) -> LineState:
    line = next((one for one in state.lines if one.id == line_id), None)
    if line is None or line.waits_as is None:
        raise NotDoneError("this line does not wait for anything")
    return line


def mark_told(runtime: Runtime, line_ids: Sequence[str], *, person: str) -> int:
    """The customers of these order lines know the day that now stands; returns how many of them did not before."""
    with runtime.db.begin() as tx:
        told = promises.mark_told(tx, line_ids)
        rows = [
            (("order_line", one.line_id), one.order_id, f"The customer was told of {one.due or 'no day'}.", None)
            for one in told
        ]
        events.tell_all(tx, rows, "promise_told", actor(person), runtime.clock())
    return len(told)
