"""Deadlines: what becomes of orders and fulfillment orders when a moment comes and nobody has done anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from hub.domain.routing.rules import in_turn
from hub.flows import refuse
from hub.flows.desk import Desk, open_desk
from hub.flows.enter import conclude
from hub.flows.handover import open_scheduled
from hub.flows.route import reserve_unrouted, route_known
from hub.flows.runtime import Runtime
from hub.flows.together import Task, together
from hub.store import orders, routing, rules
from hub.store.database import Tx
from hub.store.orders import OrderState

AT_ONCE = 50  # orders in one transaction
ACTOR = "clock"


def route_rested(runtime: Runtime) -> int:
    """Route open orders whose grace period is over or whose day has come, in their turn; returns how many."""
    with runtime.db.read() as tx:
        sort = rules.published(tx).rules.sort
        due = [turn.id for turn in in_turn(routing.due_to_route(tx, runtime.clock()), sort)]
    _, failed = each(runtime, due, _route_rested, "routing it when its time had come")
    return len(due) - len(failed)


def _route_rested(desk: Desk, order: OrderState) -> None:
    if not _is_due(order.route_after, desk.now):
        return  # somebody else has looked at it meanwhile
    order.route_after = order.changes["route_after"] = None
    if route_known(desk, order):
        conclude(desk, order)
    reserve_unrouted(desk, order)


def open_due(runtime: Runtime) -> int:
    """Hand scheduled fulfillment orders over whose time has come; returns of how many orders."""

    def work(desk: Desk, order: OrderState) -> None:
        for fo in order.fos:
            if fo.exec_status == "scheduled" and _is_due(fo.fulfil_at, desk.now):
                open_scheduled(desk, order, fo)

    return _each_due(runtime, _due_by("fulfil_at"), work, "handing over what is due")


def time_out_unanswered(runtime: Runtime) -> int:
    """Take work away from places that have not answered in time, and route it again; returns of how many orders."""

    def work(desk: Desk, order: OrderState) -> None:
        for fo in list(order.fos):
            if fo.exec_status != "open" or fo.request_status != "submitted" or not _is_due(fo.answer_by, desk.now):
                continue
            if fo.by_hand and order.stops(fo, "submit"):
                desk.ask_people(order, fo)  # it was flagged from another order's work: its time stands still as well
            else:
                refuse.time_out(desk, order, fo)

    return _each_due(runtime, _due_by("answer_by"), work, "taking back what was not answered in time")


def flag_uncollected(runtime: Runtime) -> int:
    """Hold orders whose goods wait at a counter for too long; returns how many. A person books them back."""

    def work(desk: Desk, order: OrderState) -> None:
        for fo in order.fos:
            if fo.ready_at is not None and fo.collected_at is None and _is_due(fo.collect_by, desk.now):
                code = desk.locations[fo.deliver_to_id or fo.location_id].code
                reason = (
                    f"{fo.number} waits at {code} and was to be collected by now. Put it back, or give it another day."
                )
                handle = f"not_collected:{fo.id}"
                desk.put_on_hold(order, "not_collected", reason, handle=handle, source="clock", blocks="ship")

    return _each_due(runtime, _due_by("collect_by"), work, "noting that nobody has collected it")


def _due_by(column: str) -> Callable[[Tx, datetime, int], list[str]]:
    return lambda tx, now, limit: routing.due_orders(tx, column, now, limit)


def _is_due(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _each_due(
    runtime: Runtime,
    due: Callable[[Tx, datetime, int], list[str]],
    work: Callable[[Desk, OrderState], object],
    doing: str,
) -> int:
    """Do the work for orders that are due, many in one transaction, until none is left; returns for how many."""
    done, failed = 0, set[str]()
    while True:
        with runtime.db.read() as tx:
            found = [one for one in due(tx, runtime.clock(), AT_ONCE + len(failed)) if one not in failed]
        _, bad = each(runtime, found, work, doing)
        failed.update(bad)
        done += len(found) - len(bad)
        if len(found) < AT_ONCE:
            return done


def for_each(
    runtime: Runtime,
    order_ids: Sequence[str],
    work: Callable[[Desk, OrderState], object],
    doing: str,
    person: str = "",
) -> int:
    """Do the work for orders, many in one transaction; returns for how many it answered something true.

    One that it fails for keeps no other from it; what failed stands among the problems.
    """
    return each(runtime, order_ids, work, doing, person)[0]


def each(
    runtime: Runtime,
    order_ids: Sequence[str],
    work: Callable[[Desk, OrderState], object],
    doing: str,
    person: str = "",
) -> tuple[int, list[str]]:
    """As `for_each`, with the orders that it failed for."""

    def at_desk(part: Sequence[str]) -> int:
        with runtime.db.begin() as tx:
            states = orders.load(tx, part)
            variants = {line.variant_id for state in states.values() for line in state.lines if line.variant_id}
            desk = open_desk(runtime, tx, variants, actor=f"person:{person}"[:120] if person else ACTOR)
            desk.orders = dict(states)
            done = sum(bool(work(desk, states[one])) for one in part if one in states)
            desk.flush()
        runtime.wake_all(desk.wakes)
        return done

    task = Task(doing, at_desk, lambda order_id: ("order", order_id))
    done, failed = 0, list[str]()
    for start in range(0, len(order_ids), AT_ONCE):
        counts, bad = together(runtime, order_ids[start : start + AT_ONCE], task)
        done, failed = done + sum(counts), failed + bad
    return done, failed
