"""Refill: when units of an article become available, give them to the orders that wait for them, in their turn.

Orders wait for other things than stock as well: a place that is full, closed or cooling down, rules that leave it out.
Whatever ends that has free units offered again, and so does the clock every quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.routing.rules import in_turn
from hub.flows.desk import Desk, open_desk
from hub.flows.enter import conclude
from hub.flows.route import reserve_unrouted, route_known
from hub.flows.runtime import Runtime
from hub.flows.together import Task, together
from hub.store import ledger, orders, routing, rules
from hub.store.database import Tx
from hub.store.orders import OrderState

POSITIONS = 200  # looked at in one call
AT_ONCE = 50  # orders in one transaction


def refill(runtime: Runtime) -> int:
    """Route again what waits for units that have come in; returns how many positions rose. Call until it returns 0.

    Units come from deliveries, counts, and orders that were cancelled or made smaller. An order for which there is
    still no place is left as it is. Safe to call twice and to be killed at any point: a position is only marked as
    looked after at the end, and a rise that happens meanwhile makes it due again.
    """
    with runtime.db.read() as tx:
        risen = ledger.risen(tx, POSITIONS)
        variants = {variant_id for _, variant_id, _ in risen}
        sort = rules.published(tx).rules.sort
        waiting = [turn.id for turn in in_turn(routing.waiting(tx, variants), sort)]
    task = Task(
        "giving it units that have come in", lambda ids: _hand_out(runtime, ids, variants), lambda one: ("order", one)
    )
    for start in range(0, len(waiting), AT_ONCE):
        left, _ = together(runtime, waiting[start : start + AT_ONCE], task)
        if left and not left[-1]:
            break
    with runtime.db.begin() as tx:
        for position_id, _, rises in risen:
            ledger.refilled(tx, position_id, rises)
    return len(risen)


def look_again(runtime: Runtime) -> int:
    """Offer what is free to every order that waits for it; returns of how many articles. Safe to call twice."""
    with runtime.db.begin() as tx:
        wanted = offer_again(tx)
    runtime.wake("refill")
    return len(wanted)


def offer_again(tx: Tx) -> set[str]:
    """Have free units of all articles that orders wait for offered to them; returns these articles."""
    wanted = routing.waited_for(tx)
    ledger.look_again(tx, wanted)
    return wanted


def _hand_out(runtime: Runtime, order_ids: Sequence[str], variants: set[str]) -> bool:
    """Route these orders in their order; False when there is nothing left to hand out."""
    with runtime.db.begin() as tx:
        states = orders.load(tx, order_ids)
        desk = _desk(runtime, tx, list(states.values()), variants)
        for order_id in order_ids:
            if order_id in states:
                _route(desk, states[order_id])
        left = bool(desk.stock.sellable(variants))
        desk.flush()
    runtime.wake_all(desk.wakes)
    return left


def _desk(runtime: Runtime, tx: Tx, states: list[OrderState], variants: set[str]) -> Desk:
    needed = {line.variant_id for state in states for line in state.lines if line.variant_id}
    desk = open_desk(runtime, tx, needed | variants, actor="refill")
    desk.orders = {state.id: state for state in states}
    return desk


def _route(desk: Desk, order: OrderState) -> None:
    if route_known(desk, order, only_if_possible=True):
        reserve_unrouted(desk, order)
        conclude(desk, order)
