"""Route: give every open unit of an order a place to ship from, as far as stock allows."""

from __future__ import annotations

from hub.domain import words
from hub.domain.documents import Address
from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import Destination, Need, Part, Snapshot
from hub.flows.desk import Desk
from hub.flows.promise import note_waiting
from hub.store import orders
from hub.store.database import new_id
from hub.store.orders import FoLineState, FoState, OrderState, fo_number
from hub.store.tables import fo_line, fulfillment_order, reservation, route_decision

MOST_ATTEMPTS = 5


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

    Units without a place stay unrouted, reserved from the network, and wait for stock. After five attempts at one
    order it goes on hold. `parent` is the fulfillment order that is being replaced; `only_if_possible` writes nothing
    when no unit finds a place. Returns whether some did.
    """
    if order.lifecycle != "open" or order.is_blocked("routing"):
        return False
    needs = tuple(
        Need(line.id, line.variant_id, line.unrouted, line.group_key, line.sku)
        for line in order.lines
        if line.variant_id is not None and line.unrouted > 0
    )
    if not needs:
        return False
    if parent is not None and order.attempts >= MOST_ATTEMPTS:
        reason = f"{order.attempts} attempts to find a place have failed."
        desk.put_on_hold(order, "routing_exhausted", reason, handle="routing_exhausted", source="router")
        return False
    sellable = desk.stock.sellable({need.variant_id for need in needs})
    snapshot = Snapshot(
        needs, _destination(ship_to, market), desk.places, sellable, frozenset(order.excluded), desk.rules
    )
    decided = plan(snapshot, desk.rankers, desk.strategies)
    if only_if_possible and not decided.parts:
        return False
    order.attempts += 1
    decision = desk.rows.add(
        route_decision,
        id=new_id(),
        order_id=order.id,
        attempt=order.attempts,
        strategy=decided.strategy,
        inputs_hash=decided.inputs_hash,
        reason=decided.reason,
        trace=dict(decided.trace),
        at=desk.now,
    )
    for part in decided.parts:
        _make_fulfillment_order(desk, order, part, parent)
    desk.tell(order.id, ("order", order.id), "routed", decided.reason, decision=decision["id"])
    if decided.remainder:
        units = sum(rest.units for rest in decided.remainder)
        desk.tell(order.id, ("order", order.id), "backordered", f"Waiting for stock: {words.units(units)}.")
    desk.stock.changed_variants |= {need.variant_id for need in needs}
    return bool(decided.parts)


def _destination(address: Address | None, market: str) -> Destination:
    if address is None:
        return Destination(market=market)
    return Destination(address.country or "", market, address.latitude, address.longitude)


def _make_fulfillment_order(desk: Desk, order: OrderState, part: Part, parent: str | None) -> None:
    location = desk.locations[part.place_id]
    fo = FoState(
        new_id(),
        fo_number(),
        order.id,
        location.id,
        location.handler_id,
        location.handling,
        "open",
        "unsubmitted",
        None,
        "",
    )
    desk.rows.add(
        fulfillment_order,
        id=fo.id,
        number=fo.number,
        order_id=order.id,
        location_id=location.id,
        handler_id=location.handler_id,
        handling=location.handling,
        exec_status="open",
        request_status="unsubmitted",
        parent_id=parent,
        created_at=desk.now,
        updated_at=desk.now,
    )
    for line_id, units in part.units.items():
        fo.lines.append(_commit_line(desk, order, fo, line_id, units))
    order.fos.append(fo)
    _hand_over(desk, order, fo)


def _commit_line(desk: Desk, order: OrderState, fo: FoState, line_id: str, units: int) -> FoLineState:
    line = order.line(line_id)
    assert line.variant_id is not None  # noqa: S101 - only mapped lines are needs
    position = desk.stock.position(fo.location_id, line.variant_id)
    row = FoLineState(new_id(), fo.id, line.id, line.variant_id, position.id, units, 0, 0)
    desk.rows.add(
        fo_line,
        id=row.id,
        fo_id=fo.id,
        order_line_id=line.id,
        variant_id=line.variant_id,
        position_id=position.id,
        quantity=units,
    )
    desk.stock.move(
        position, units, "available", "committed", kind="commit", cause=("fo_line", row.id), key=f"commit:{row.id}"
    )
    line.routed += units
    line.changed = True
    return row


def _hand_over(desk: Desk, order: OrderState, fo: FoState) -> None:
    """Tell whoever packs it: the 3PL gets the order, a carrier sells a label; by hand nobody is told."""
    if fo.handler_id is None or fo.handling == "manual":
        return
    operation = {"threepl": "submit", "label": "buy_label"}[fo.handling]
    desk.send(
        fo.handler_id,
        operation,
        fact=fo.id,
        subject_id=fo.id,
        order_id=order.id,
        reference=fo.number,
        fo_id=fo.id,
    )


def reserve_unrouted(desk: Desk, order: OrderState) -> None:
    """Keep units that have no place yet from being offered elsewhere, instead of what was reserved for them before."""
    orders.convert_reservations(desk.tx, [line.id for line in order.lines if not line.is_new])
    for line in order.lines:
        note_waiting(desk, order, line)
    if order.lifecycle in {"cancelled", "completed"}:
        return
    for line in order.lines:
        if line.variant_id is not None and line.unrouted > 0:
            desk.rows.add(
                reservation,
                id=new_id(),
                owner_type="order_line",
                owner_id=line.id,
                variant_id=line.variant_id,
                quantity=line.unrouted,
                created_at=desk.now,
            )
            desk.stock.changed_variants.add(line.variant_id)
