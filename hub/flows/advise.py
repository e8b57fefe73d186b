"""Advise: ask the address outside that decides where orders ship from, then route by its answer.

Routing decides inside a transaction, where nobody may be called. An order whose rules leave the decision to an address
outside is therefore put by, marked, and routed here a moment later: read, ask, and decide under the locks.
"""

from __future__ import annotations

from hub.flows.deadlines import for_each
from hub.flows.desk import Desk
from hub.flows.enter import conclude
from hub.flows.route import reserve_unrouted, route_known
from hub.flows.runtime import Runtime
from hub.flows.snapshot import routing_view, told_by
from hub.flows.strategies import Advice
from hub.store import orders, rehearsals, routing
from hub.store.orders import OrderState

AT_ONCE = 10  # orders asked for in one call
NO_ADDRESS = Advice(why_not="no address is set to ask: ORDERHUB_ROUTING_URL")


def advise(runtime: Runtime) -> int:
    """Route orders that wait for a decision from outside; returns how many were. Call until it returns 0.

    An order whose address does not answer in time, or not well, is routed by rank. Safe to call twice and to be
    killed at any point: the mark goes with the decision.
    """
    with runtime.db.read() as tx:
        waiting = routing.asking(tx, AT_ONCE)
    done = 0
    for order_id in waiting:
        advice = _ask(runtime, order_id)

        def decide(desk: Desk, order: OrderState, advice: Advice = advice) -> bool:
            _route(desk, order, advice)
            return True

        done += for_each(runtime, [order_id], decide, "routing it as was decided outside")
    return done


def _ask(runtime: Runtime, order_id: str) -> Advice:
    """What the address outside says of an order as it stands; no transaction is open while it is asked."""
    if runtime.adviser is None:
        return NO_ADDRESS
    with runtime.db.read() as tx:
        order = orders.load(tx, [order_id], lock=False)[order_id]
        variants = {line.variant_id for line in order.lines if line.variant_id}
        view = routing_view(tx, runtime.clock(), variants)
        snapshot = view.snapshot(order, told_by(order), rehearsals.available(tx, variants))
    return runtime.adviser.ask(snapshot)


def _route(desk: Desk, order: OrderState, advice: Advice) -> None:
    if order.asks_adviser is None:
        return  # somebody else has routed it meanwhile
    desk.advice[order.id] = advice
    parent = order.asks_adviser or None
    order.asks_adviser = order.changes["asks_adviser"] = None
    if route_known(desk, order, parent=parent, only_if_possible=bool(order.attempts) and parent is None):
        conclude(desk, order)
    reserve_unrouted(desk, order)
