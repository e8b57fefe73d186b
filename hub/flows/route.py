"""Route: give every open unit of an order a place to ship from, as far as stock allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from hub.domain import words
from hub.domain.documents import Address
from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import Plan, Remainder, Snapshot
from hub.flows import replay
from hub.flows.desk import Desk
from hub.flows.handover import Errand, make_fulfillment_order
from hub.flows.promise import note_waiting
from hub.flows.snapshot import Told, told_by
from hub.flows.strategies import OUTSIDE, Advice, with_advice
from hub.store import catalog, reservations, routing
from hub.store.database import new_id
from hub.store.orders import OrderState
from hub.store.tables import reservation, route_decision

NOT_THERE = {"out_of_stock", "kept_for_others"}  # codes of units for which no other place would help

NEXT_TRY = "Release the hold to ask the places that are left, or change the order."

Units = dict[tuple[str, str], int]  # by location and variant


def route(
    desk: Desk,
    order: OrderState,
    ship_to: Address | None,
    market: str = "",
    *,
    parent: str | None = None,
    only_if_possible: bool = False,
) -> bool:
    """Plan the unrouted units of an open order, commit the stock and make the fulfillment orders.

    Units without a place stay unrouted, reserved from the network, and wait as the rules say. After too many refusals
    a line goes on hold. `parent` is the fulfillment order that is being replaced; `only_if_possible` writes nothing
    when no unit finds a place. Returns whether some did.
    """
    if not order.attempts and not _has_counter(desk, order):
        take_method(desk, order)
    if not _is_ready(desk, order) or not _may_go_on(desk, order, parent):
        return False
    errand = Errand("pickup" if order.method == "pickup" else "ship", order.pickup_location_id, parent)
    decisions = [_decide(desk, order, ship_to, market, errand, only_if_possible=only_if_possible)]
    store = desk.locations.get(errand.store or "")
    if errand.method == "pickup" and store is not None and store.transfers:
        # What the store has not got comes from elsewhere and is collected there all the same.
        errand = Errand("ship_to_store", store.id, parent)
        decisions.append(_decide(desk, order, ship_to, market, errand, only_if_possible=True))
    made = [one for one in decisions if one is not None]
    if made:
        _leave_all(desk, order, made[-1].remainder)
    return any(one.parts for one in made)


def route_known(desk: Desk, order: OrderState, *, parent: str | None = None, only_if_possible: bool = False) -> bool:
    """Route a known order by the document it now has; as `route`."""
    told = told_by(order)
    return route(desk, order, told.ship_to, told.market, parent=parent, only_if_possible=only_if_possible)


def take_method(desk: Desk, order: OrderState) -> None:
    """Deliver as the order's document says. The place of collection is a linked one, or one with that code."""
    collects = order.document.get("delivery_method") == "pickup"
    said = str(order.document.get("pickup_location") or "") if collects else ""
    store = catalog.locations_by_external(desk.tx, order.connection_id, [said]).get(said) if said else None
    if said and store is None:
        store = next((one.id for one in desk.locations.values() if one.code == said), None)
    method = "pickup" if collects else "ship"
    if (order.method, order.pickup_location_id) != (method, store):
        order.method, order.pickup_location_id = method, store
        order.changes |= {"method": method, "pickup_location_id": store}
        end_pickup_holds(desk, order, "it is delivered in another way.")


def end_pickup_holds(desk: Desk, order: OrderState, said: str) -> None:
    """Nobody has to say any more where the customer collects."""
    for held in [one for one in order.holds if one.kind in {"pickup_refused", "pickup_location"}]:
        desk.end_hold(order, held, f"The hold ({held.kind.replace('_', ' ')}) ended: {said}")


def _is_ready(desk: Desk, order: OrderState) -> bool:
    """The gate: an open order that no hold keeps back, and whose time has come."""
    if order.lifecycle != "open" or order.is_blocked("routing"):
        return False
    rests_until = order.route_after
    if not order.attempts and desk.view.rules.grace_minutes:
        grace = order.placed_at + timedelta(minutes=desk.view.rules.grace_minutes)
        rests_until = max(grace, rests_until or grace)
    if rests_until is None or rests_until <= desk.now:
        return True
    if rests_until != order.route_after:
        order.route_after = order.changes["route_after"] = rests_until
        desk.tell(order.id, ("order", order.id), "rests", f"It is routed at {rests_until:%Y-%m-%d %H:%M} UTC.")
    return False


def _may_go_on(desk: Desk, order: OrderState, parent: str | None) -> bool:
    """Whether there is something to route and somewhere to route it; otherwise it goes on hold."""
    _hold_exhausted(desk, order, parent)
    if not any(line.variant_id is not None and order.to_route(line) > 0 for line in order.lines):
        return False
    if not any(one.active for one in desk.locations.values()):
        reason = "There is no location that could ship. Add one, then release the hold."
        desk.put_on_hold(order, "no_location", reason, handle="no_location", source="router")
        return False
    if order.method == "pickup" and not _has_counter(desk, order):
        store = desk.locations.get(order.pickup_location_id or "")
        reason = "The place where the customer collects is not linked to a location of ours: link it, then release."
        if store is not None:
            reason = (
                f"Nobody can collect at {store.code}: choose another place or have it shipped, or release it later."
            )
        desk.put_on_hold(order, "pickup_location", reason, handle="pickup_location", source="router")
        return False
    return True


def _has_counter(desk: Desk, order: OrderState) -> bool:
    """Whether customers can collect where this order is to be collected."""
    store = desk.locations.get(order.pickup_location_id or "")
    return store is not None and store.active and store.picks_up


def _hold_exhausted(desk: Desk, order: OrderState, parent: str | None) -> None:
    """Hold the lines of a refused fulfillment order that as many places have refused by now as rules let be asked."""
    refused = [fo for fo in order.fos if fo.reason_code is not None]
    for row in next((fo.lines for fo in refused if fo.id == parent), ()):
        line = order.line(row.order_line_id)
        times = sum(any(one.order_line_id == line.id and one.refused for one in fo.lines) for fo in refused)
        if order.to_route(line) > 0 and times >= desk.view.rules.most_attempts:
            reason = f"{times} attempts to find a place for {line.sku or line.title} have failed. {NEXT_TRY}"
            target = ("line", line.id)
            desk.put_on_hold(
                order, "routing_exhausted", reason, handle="routing_exhausted", source="router", target=target
            )


def _decide(
    desk: Desk, order: OrderState, ship_to: Address | None, market: str, errand: Errand, *, only_if_possible: bool
) -> Plan | None:
    """One decision for all that has no place yet, and the fulfillment orders it makes; None when there is none."""
    wanted = Counter[str]()
    for line in order.lines:
        if line.variant_id is not None and order.to_route(line) > 0:
            wanted[line.variant_id] += order.to_route(line)
    if not wanted:
        return None
    free, kept = _free(desk, order, wanted)
    snapshot = desk.view.snapshot(
        order,
        Told(ship_to, market, frozenset(order.document.get("tags", ())), order.document["totals"]["total_minor"]),
        free,
        kept=kept,
        method="pickup" if errand.method == "pickup" else "ship",
        destination=_store_address(desk, errand.store) if errand.method == "ship_to_store" else None,
    )
    advice = desk.advice.get(order.id)
    if advice is None and snapshot.rules.strategy == OUTSIDE:
        _put_by(desk, order, errand)
        return None
    decided = plan(snapshot, desk.rankers, with_advice(desk.strategies, advice))
    if only_if_possible and not decided.parts:
        return None
    _write_decision(desk, order, snapshot, decided, advice)
    for part in decided.parts:
        make_fulfillment_order(desk, order, part, errand)
    desk.stock.changed_variants |= wanted.keys()
    return decided


def _free(desk: Desk, order: OrderState, wanted: Mapping[str, int]) -> tuple[Units, Units]:
    """Units that the order may take now, and those that are kept from it.

    What is kept for others who came before stays on the shelf, wherever it lies: where there is not enough for all, the
    places with fewest units are left out first.
    """
    free = desk.stock.sellable(wanted)
    kept: Units = {}
    before = desk.backlog.before(order, {variant_id for _, variant_id in free})
    for variant_id, units in before.items():
        here = {key: there for key, there in free.items() if key[1] == variant_id and desk.locations[key[0]].sells}
        left = max(0, sum(here.values()) - units)
        short = sum(here.values()) - left if left < wanted[variant_id] else 0
        for key in sorted(here, key=lambda key: (here[key], desk.locations[key[0]].code)):
            left_there = kept[key] = min(short, here[key])
            free[key] -= left_there
            short -= left_there
    return _without_nothing(free), _without_nothing(kept)


def _without_nothing(units: Units) -> Units:
    return {key: count for key, count in units.items() if count}


def _put_by(desk: Desk, order: OrderState, errand: Errand) -> None:
    """Leave the decision to the address outside, which is asked when this transaction is over."""
    if order.asks_adviser is None:
        order.asks_adviser = order.changes["asks_adviser"] = errand.parent or ""
    desk.wakes.add("advise")


def _store_address(desk: Desk, store_id: str | None) -> Address:
    """Where the store is, as a destination."""
    store = desk.locations[str(store_id)]
    return Address(
        country=store.country,
        postal_code=(store.address or {}).get("postal_code"),
        latitude=store.latitude,
        longitude=store.longitude,
    )


def _write_decision(desk: Desk, order: OrderState, snapshot: Snapshot, decided: Plan, advice: Advice | None) -> None:
    order.attempts += 1
    decision_id = new_id()
    if order.attempts > 1:
        routing.supersede(desk.tx, order.id, decision_id)
    desk.rows.add(
        route_decision,
        id=decision_id,
        order_id=order.id,
        attempt=order.attempts,
        strategy=decided.strategy,
        inputs_hash=decided.inputs_hash,
        reason=decided.reason,
        trace=dict(decided.trace),
        network_hash=replay.keep_network(desk, snapshot),
        inputs=replay.packed(snapshot, advice),
        rule_set_id=desk.view.rule_set_id,
        superseded_by=None,
        at=desk.now,
    )
    desk.tell(order.id, ("order", order.id), "routed", decided.reason, decision=decision_id)


def _leave_all(desk: Desk, order: OrderState, remainder: Sequence[Remainder]) -> None:
    """Say what waits when every decision is made."""
    for rest in remainder:
        _leave(desk, order, rest)
    for what, is_there in (("stock", False), ("a place that can ship it", True)):
        units = sum(rest.units for rest in remainder if (rest.code not in NOT_THERE) is is_there)
        if units:
            desk.tell(order.id, ("order", order.id), "backordered", f"Waiting for {what}: {words.units(units)}.")


def _leave(desk: Desk, order: OrderState, rest: Remainder) -> None:
    """Let units without a place wait as the rules say."""
    line = order.line(rest.line_id)
    then, _, argument = rest.then.partition(":")
    if then == "hold":
        reason = f"No place was found for {words.units(rest.units)} of {line.sku or line.title}: {rest.reason}."
        desk.put_on_hold(order, "unfillable", reason, handle=f"unfillable:{line.id}", source="router")
    elif then == "auto_cancel" and line.auto_cancel_at is None:
        line.auto_cancel_at, line.changed = desk.now + timedelta(days=int(argument)), True
    note_waiting(desk, order, line, rest.then if then == "queue" else "backorder")


def reserve_unrouted(desk: Desk, order: OrderState) -> None:
    """Keep units that have no place yet from being offered elsewhere, instead of what was reserved for them before.

    Safe to call again: each line keeps one reservation, of what it still waits for.
    """
    for line in order.lines:
        note_waiting(desk, order, line)
    is_over = order.lifecycle in {"cancelled", "completed"}
    wanted = {
        line.id: (line.variant_id, line.unrouted)
        for line in order.lines
        if line.variant_id is not None and line.unrouted > 0 and not is_over
    }
    mine = {line.id for line in order.lines}
    pending = desk.rows.of(reservation)
    pending[:] = [row for row in pending if row["owner_id"] not in mine]
    known = [line.id for line in order.lines if not line.is_new]
    taken = {line.id for line in order.lines if line.routed and not is_over}
    stays, freed = reservations.keep_for_lines(desk.tx, known, wanted, taken, desk.now)
    for variant_id in freed:
        desk.stock.let_go(variant_id)
    desk.stock.changed_variants |= {line.variant_id for line in order.lines if line.variant_id is not None}
    for line in order.lines:
        desk.backlog.keep(order, line, wanted.get(line.id, ("", 0))[1])
    for line_id, (variant_id, units) in wanted.items():
        if line_id not in stays:
            desk.rows.add(
                reservation,
                id=new_id(),
                owner_type="order_line",
                owner_id=line_id,
                variant_id=variant_id,
                quantity=units,
                created_at=desk.now,
            )
