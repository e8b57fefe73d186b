"""Orders: hold, release, cancel."""

from __future__ import annotations

from collections.abc import Callable, Collection

from hub import schemas
from hub.domain.documents import Order
from hub.flows import amend
from hub.flows.desk import Desk, open_desk
from hub.flows.enter import conclude, post_sales_order
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.route import reserve_unrouted, route
from hub.flows.runtime import Runtime
from hub.store import orders
from hub.store.ledger import StockConflictError
from hub.store.orders import OrderState

TRIES = 3


def release_hold(runtime: Runtime, order_id: str, hold_id: str, *, person: str, note: str = "") -> bool:
    """Release one hold and let the order go on; False when it was released before. Raises NotDoneError.

    Should the channel change the order, it is checked again, and may be held again for the same reason.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        held = next((one for one in state.holds if one.id == hold_id), None)
        if held is None:
            return False
        orders.release_hold(desk.tx, hold_id, desk.actor, desk.now)
        state.holds.remove(held)
        words = held.kind.replace("_", " ")
        said = f"The hold ({words}) was released by {person}" + (f": {note}" if note else ".")
        desk.tell(state.id, ("order", state.id), "released", said, hold=hold_id)
        route_on(desk, state)
        return True

    return at_desk(runtime, order_id, person, work)


def hold_order(runtime: Runtime, order_id: str, reason: str, *, person: str) -> bool:
    """Keep an order from being routed; False when it is held for this reason already."""

    def work(desk: Desk, state: OrderState) -> bool:
        if state.lifecycle not in {"pending", "open"}:
            raise NotDoneError(f"the order is {state.lifecycle}")
        before = len(state.holds)
        desk.put_on_hold(state, "manual", reason, handle=f"manual:{reason}"[:80], source="person")
        return len(state.holds) > before

    return at_desk(runtime, order_id, person, work)


def cancel_order(runtime: Runtime, order_id: str, reason: str, *, person: str) -> bool:
    """Cancel all that has not left; False when it was cancelled before. Raises NotDoneError when all of it has left.

    What was handed over is asked back. The channel is not told: an order that is cancelled here and not there is held
    as a conflict as soon as the channel changes it.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        if state.lifecycle == "cancelled" or state.remote_status == "cancelled":
            return False
        if state.lifecycle == "completed":
            raise NotDoneError("everything has left already; what remains is a return")
        amend.cancel(desk, state, reason or "no reason given", by=person)
        return True

    return at_desk(runtime, order_id, person, work)


def route_on(desk: Desk, state: OrderState) -> None:
    """Let an order go on that no hold keeps from being routed: open it, and give its units places."""
    document: Order = schemas.parse("order.v1", state.document)
    if state.lifecycle == "pending" and not state.is_blocked("routing") and document.status == "open":
        state.lifecycle = "open"
        state.changes["lifecycle"] = "open"
        post_sales_order(desk, state)
    if state.lifecycle == "open":
        route(desk, state, document.shipping_address, document.market or "")
        reserve_unrouted(desk, state)
        conclude(desk, state)


def at_desk(
    runtime: Runtime,
    order_id: str,
    person: str,
    work: Callable[[Desk, OrderState], bool],
    variants: Collection[str] = (),
) -> bool:
    """Do something with one order in one transaction, again when its stock changed meanwhile.

    `variants` are articles besides the order's own whose stock is needed.
    """
    for _ in range(TRIES):
        try:
            with runtime.db.begin() as tx:
                states = orders.load(tx, [order_id])
                if order_id not in states:
                    raise NotDoneError(f"there is no order {order_id!r}")
                state = states[order_id]
                needed = {line.variant_id for line in state.lines if line.variant_id} | set(variants)
                desk = open_desk(runtime, tx, needed, actor=actor(person))
                desk.orders = dict(states)
                done = work(desk, state)
                desk.flush()
        except StockConflictError:
            continue
        runtime.wake_all(desk.wakes)
        return done
    raise NotDoneError("the stock of its articles keeps changing; try again")
