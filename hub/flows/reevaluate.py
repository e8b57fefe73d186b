"""Re-evaluate: look again at work that no place has begun, and adopt a plan that is strictly better."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hub.domain.routing.plan import plan
from hub.domain.routing.price import parcel_price
from hub.domain.routing.shapes import Part, Snapshot
from hub.flows.desk import Desk, open_desk
from hub.flows.enter import conclude
from hub.flows.recall import release, withdrawn
from hub.flows.route import reserve_unrouted, route_known
from hub.flows.runtime import Runtime
from hub.flows.snapshot import told_by
from hub.flows.together import Task, together
from hub.store import orders, routing, rules
from hub.store.orders import FoState, OrderState

MOST = 200  # orders in one call
BETTER = "another plan is better by now"


class _KeepError(Exception):
    """Things stay as they are; the transaction is undone."""


def reevaluate(runtime: Runtime) -> int:
    """Route again what a better plan was found for; returns how many orders were moved. Off unless the rules say so.

    Better is fewer parcels, or as many at a lower cost; a parcel that no lane takes is worse than any price. Units are
    given back and committed again in one transaction, which is undone when they would not all have a place again. An
    order that was looked at rests for the rules' cool-down, so that it does not go back and forth.
    """
    now = runtime.clock()
    with runtime.db.read() as tx:
        how = rules.published(tx).rules.reevaluate
        if not how.after_minutes:
            return 0
        before, rested = now - timedelta(minutes=how.after_minutes), now - timedelta(minutes=how.cool_down_minutes)
        found = routing.untouched(tx, before, rested, MOST)
    task = Task("looking for a better plan", lambda ids: _look_again(runtime, ids[0]), lambda one: ("order", one))
    return sum(moved for order_id in found for moved in together(runtime, [order_id], task)[0])


def _look_again(runtime: Runtime, order_id: str) -> bool:
    try:
        with runtime.db.begin() as tx:
            states = orders.load(tx, [order_id])
            order = states[order_id]
            variants = {line.variant_id for line in order.lines if line.variant_id}
            desk = open_desk(runtime, tx, variants, actor="router")
            desk.orders = dict(states)
            _move(desk, order)
            desk.flush()
    except _KeepError:
        with runtime.db.begin() as tx:
            routing.looked_at(tx, order_id, runtime.clock())
        return False
    runtime.wake_all(desk.wakes)
    return True


def _move(desk: Desk, order: OrderState) -> None:
    """Give the units back and route them again. Raises _KeepError when that is no better, or not possible."""
    mine = [fo for fo in order.fos if _is_untouched(fo)]
    if not mine or order.lifecycle != "open" or order.is_blocked("routing") or order.remote_status == "cancelled":
        raise _KeepError
    snapshot = _as_if_free(desk, order, mine)
    decided = plan(snapshot, desk.rankers, desk.strategies)
    now = [Part(fo.location_id, {row.order_line_id: row.live for row in fo.lines}) for fo in mine]
    if decided.remainder or _worth(decided.parts, snapshot) >= _worth(now, snapshot):
        raise _KeepError
    waiting = {line.id: line.unrouted for line in order.lines}
    for fo in mine:
        if not withdrawn(desk, fo):
            raise _KeepError
        release(desk, order, fo, BETTER)
    route_known(desk, order, parent=mine[0].id)
    if any(line.unrouted > waiting[line.id] for line in order.lines):
        raise _KeepError  # something had a place and would have none
    reserve_unrouted(desk, order)
    conclude(desk, order)


def _is_untouched(fo: FoState) -> bool:
    untouched = fo.exec_status == "open" and fo.request_status == "unsubmitted" and fo.method == "ship"
    return untouched and not any(row.shipped for row in fo.lines)


def _as_if_free(desk: Desk, order: OrderState, mine: list[FoState]) -> Snapshot:
    """The order's snapshot as if its open work had not been given out."""
    rows = [(fo, row) for fo in mine for row in fo.lines if row.live]
    units: dict[str, int] = {}
    free = desk.stock.sellable({row.variant_id for _, row in rows})
    for fo, row in rows:
        units[row.order_line_id] = units.get(row.order_line_id, 0) + row.live
        key = (fo.location_id, row.variant_id)
        free[key] = free.get(key, 0) + row.live
    return desk.view.snapshot(order, told_by(order), free, units=units)


def _worth(parts: Sequence[Part], snapshot: Snapshot) -> tuple[int, int, int]:
    """Parcels, those of them that no lane takes, and what the others cost; lower is better."""
    needs = {need.line_id: need for need in snapshot.needs}
    places = {place.id: place for place in snapshot.places}
    prices = []
    for part in parts:
        load = [(needs[line], units) for line, units in part.units.items() if units]
        prices.append(parcel_price(places[part.place_id], load, snapshot))
    priced = [price for price in prices if price is not None]
    return len(prices), len(prices) - len(priced), sum(priced)
