"""Track: what 3PLs and carriers say of fulfillment orders and parcels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from hub.domain import tracking
from hub.domain.documents import Fulfillment, FulfillmentLine, Package, PackageLine, Shipment
from hub.domain.rejections import reason_for
from hub.flows import machine, refuse
from hub.flows.desk import Desk, open_desk
from hub.flows.enter import conclude
from hub.flows.recall import release
from hub.flows.route import reserve_unrouted, route_known
from hub.flows.runtime import Runtime
from hub.flows.ship import Parcel, everything, ship
from hub.store import orders, shipments
from hub.store.database import Tx
from hub.store.orders import FoState, OrderState
from hub.store.shipments import Key

if TYPE_CHECKING:
    from hub.flows.intake import Read

Outcome = tuple[str, str, str | None]
LEFT = frozenset({"shipped", "in_transit", "out_for_delivery", "delivered", "exception", "returned", "lost"})


def apply(runtime: Runtime, tx: Tx, batch: Sequence[Read], doors: set[str]) -> list[Outcome]:
    """Apply shipment and fulfillment records; returns an outcome per row."""
    if not batch:
        return []
    known = shipments.orders_of(tx, {key for one in batch for key in _keys(one)})
    states = orders.load(tx, {order_id for places in known.values() for order_id, _ in places})
    variants = {line.variant_id for state in states.values() for line in state.lines if line.variant_id}
    desk = open_desk(runtime, tx, variants, actor="tracking")
    desk.orders = dict(states)
    outcomes: list[Outcome] = []
    for one in batch:
        places = next((known[key] for key in _keys(one) if key in known), [])
        said = [_apply(desk, states[order_id], fo_id, one) for order_id, fo_id in places]
        outcome = "applied" if "applied" in said else "no_change" if said else "ignored"
        outcomes.append((one.row["id"], outcome, places[0][0] if places else None))
    desk.flush()
    doors |= desk.wakes
    return outcomes


def _apply(desk: Desk, order: OrderState, fo_id: str, one: Read) -> str:
    fo = next(fo for fo in order.fos if fo.id == fo_id)
    if one.kind == "fulfillment":
        return fulfillment(desk, order, fo, one.value)
    return _shipment(desk, order, fo, one.row["connection_id"], one.value)


def _keys(one: Read) -> list[Key]:
    """What a record is found by, the surest first."""
    value, connection_id = one.value, one.row["connection_id"]
    if isinstance(value, Fulfillment):
        return _named([("number", value.reference), ("external", connection_id, value.external_id)])
    return _named(
        [
            ("number", value.fulfillment_reference),
            ("external", connection_id, value.fulfillment_external_id),
            ("shipment", connection_id, value.external_id),
            *(("tracking", package.tracking_number) for package in value.packages),
        ]
    )


def _named(keys: Sequence[tuple[str | None, ...]]) -> list[Key]:
    return [tuple(filter(None, key)) for key in keys if key[-1]]


def fulfillment(desk: Desk, order: OrderState, fo: FoState, said: Fulfillment) -> str:
    if not fo.is_live:
        return _too_late(desk, order, fo, said)
    match said.status:
        case "accepted" | "in_progress":
            return _accepted(desk, order, fo)
        case "rejected":
            text = said.reason or ""
            refuse.refuse(desk, order, fo, reason_for(said.reason_code, text), text, _refused(fo, said.lines))
        case "cancelled":
            stopped(desk, order, fo, said.reason or "cancelled by the fulfiller")
        case "cancellation_rejected":
            refused_to_stop(desk, order, fo, said.reason or "")
        case "on_hold":
            desk.tell(
                order.id, ("fo", fo.id), "fo_on_hold", f"{fo.number} is on hold there: {said.reason or 'no reason'}."
            )
        case _:
            return "no_change"
    return "applied"


def _refused(fo: FoState, lines: Collection[FulfillmentLine]) -> dict[str, int]:
    """Units by fulfillment line that a fulfiller says will not ship. Where these are all of them, it names none."""
    named: dict[str, int] = {}
    for line in lines:
        left = line.cancelled or 0
        for row in fo.lines:
            if row.id == line.reference or (line.reference is None and row.sku == line.sku):
                taken = min(left, row.live - named.get(row.id, 0))
                named[row.id] = named.get(row.id, 0) + taken
                left -= taken
    found = {line_id: units for line_id, units in named.items() if units}
    return {} if found == everything(fo) else found


def _accepted(desk: Desk, order: OrderState, fo: FoState) -> str:
    if fo.request_status not in {"submitted", "unsubmitted"}:
        return "no_change"
    refuse.accept(desk, order, fo)
    return "applied"


def _too_late(desk: Desk, order: OrderState, fo: FoState, said: Fulfillment) -> str:
    """A place that was given up on begins after all, or goes on."""
    if fo.request_status != "timed_out":
        return "no_change"
    match said.status:
        case "accepted" | "in_progress" | "shipped":
            refuse.answered_late(desk, order, fo, "accepted")
        case "cancellation_rejected":
            refused_to_stop(desk, order, fo, said.reason or "")
        case _:
            return "no_change"
    return "applied"


def stopped(desk: Desk, order: OrderState, fo: FoState, reason: str) -> None:
    """The place agreed to stop: its units go back; those that nobody wants are cancelled, the others routed again."""
    for held in [one for one in order.holds if one.handle in {f"too_late:{fo.id}", f"not_collected:{fo.id}"}]:
        desk.end_hold(order, held, f"The hold ({held.kind.replace('_', ' ')}) ended: {fo.number} was stopped.")
    release(desk, order, fo, reason)
    machine.answer(fo, "cancellation_accepted")
    route_again(desk, order, fo)


def refused_to_stop(desk: Desk, order: OrderState, fo: FoState, reason: str) -> None:
    """Too late: the parcel leaves, and a person has to deal with the customer. Safe to call twice.

    The answer may come after the place was given up on, so that the goods may leave twice; or after they have left,
    which has put the order on hold already.
    """
    if fo.request_status == "cancellation_rejected":
        return
    code = desk.locations[fo.location_id].code
    said = f"{code} could not stop {fo.number}: {reason or 'it is too far along'}."
    if fo.is_live:
        machine.answer(fo, "cancellation_rejected")
        refuse.too_late(desk, order, fo, said)
        return
    desk.tell(order.id, ("fo", fo.id), "cancel_refused", said)
    if fo.request_status == "timed_out":
        refuse.answered_late(desk, order, fo, "could not stop")


def route_again(desk: Desk, order: OrderState, fo: FoState) -> None:
    """Route what came back, with the address the order now has."""
    if order.remote_status != "cancelled":
        route_known(desk, order, parent=fo.id)
    reserve_unrouted(desk, order)
    conclude(desk, order)


def _shipment(desk: Desk, order: OrderState, fo: FoState, connection_id: str, said: Shipment) -> str:
    changed = False
    known = shipments.known(desk.tx, connection_id, said.external_id, fo.id)
    numbers = {package.tracking_number for package in said.packages if package.tracking_number}
    here = shipments.by_tracking(desk.tx, fo.id, numbers)
    if known is None and not here and said.status in LEFT and fo.live_units:
        parcels = [_parcel(fo, package, said, len(said.packages)) for package in said.packages]
        ship(
            desk,
            order,
            fo,
            parcels or [Parcel(everything(fo), carrier=said.carrier or "")],
            connection_id=connection_id,
            external_id=said.external_id,
            shipped_at=said.shipped_at or desk.now,
        )
        desk.add_lines(order)
        desk.rows.flush(desk.tx)  # the scans below belong to packages that have to be there
        here = shipments.by_tracking(desk.tx, fo.id, numbers)
        changed = True
    if known is None and not here and said.status in LEFT and fo.request_status == "timed_out":
        refuse.answered_late(desk, order, fo, "shipped")
        changed = True
    if said.status == "voided" and known is not None and known["status"] != "voided":
        shipments.set_shipment(desk.tx, known["id"], status="voided", updated_at=desk.now)
        reason = f"The shipment {said.external_id} was voided after it had been reported as shipped."
        desk.put_on_hold(
            order, "shipment_voided", reason, handle=f"voided:{known['id']}", source="fulfiller", blocks="ship"
        )
        changed = True
    for package in said.packages:
        changed |= _scans(desk, order, package, here)
    return "applied" if changed else "no_change"


def _parcel(fo: FoState, package: Package, said: Shipment, count: int) -> Parcel:
    units = _units(fo, package.lines) if package.lines or count > 1 else everything(fo)
    return Parcel(
        units,
        package.tracking_number,
        package.tracking_url or "",
        package.carrier or said.carrier or "",
        package.service or said.service or "",
        package.weight_g,
        package.cost_minor,
        said.currency if package.cost_minor is not None else None,
    )


def _units(fo: FoState, lines: Collection[PackageLine]) -> dict[str, int]:
    """Units by fulfillment line: by our own line id where the fulfiller kept it, otherwise by article."""
    known = {row.id: row for row in fo.lines}
    skus = {line.sku for line in lines}
    units: dict[str, int] = {}
    for line in lines:
        if line.reference in known:
            units[line.reference] = units.get(line.reference, 0) + line.quantity
            continue
        left = line.quantity
        for row in fo.lines:
            if len(skus) > 1 and row.sku != line.sku:
                continue
            take = min(left, row.live - units.get(row.id, 0))
            if take > 0:
                units[row.id] = units.get(row.id, 0) + take
                left -= take
    return units


def _scans(desk: Desk, order: OrderState, said: Package, here: Collection[Mapping[str, object]]) -> bool:
    """Keep new scans and move the package along; late and repeated ones move nothing backwards."""
    row = next((one for one in here if one["tracking_number"] == said.tracking_number), None)
    if row is None or not said.events:
        return False
    package_id, shipment_id, before = str(row["id"]), str(row["shipment_id"]), str(row["status"])
    if not shipments.add_events(desk.tx, package_id, [(tracking.event_hash(event), event) for event in said.events]):
        return False
    status = tracking.package_status(before, shipments.events(desk.tx, package_id))
    if status != before:
        shipments.set_status(desk.tx, package_id, shipment_id, status)
        latest = max(said.events, key=lambda event: event.at)
        words = status.replace("_", " ")
        desk.tell(
            order.id,
            ("package", package_id),
            "tracking",
            f"{said.tracking_number}: {words}. {latest.message or ''}".strip(),
        )
        if status == "delivered":
            _delivered(desk, order, package_id)
    return True


def _delivered(desk: Desk, order: OrderState, package_id: str) -> None:
    rows = {row.id: row for fo in order.fos for row in fo.lines}
    for line in shipments.lines(desk.tx, [package_id]):
        bought = order.line(rows[line["fo_line_id"]].order_line_id)
        bought.delivered = min(bought.shipped, bought.delivered + line["quantity"])
        bought.changed = True
