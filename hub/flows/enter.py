"""Enter: an order the hub has not seen before, and what both new and known orders have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub import schemas
from hub.domain import entry
from hub.domain.documents import Order
from hub.domain.entry import Facts, Twin
from hub.domain.kits import follow
from hub.flows import bill, kits
from hub.flows.desk import Desk
from hub.flows.route import reserve_unrouted, route
from hub.store import orders as orders_store
from hub.store.database import new_id
from hub.store.numbers import number
from hub.store.orders import LineState, Lookalike, OrderState
from hub.store.tables import order_adjustment, orders


@dataclass(frozen=True, slots=True)
class Incoming:
    """An order as it arrived, mapped and validated. `hash` tells whether two documents are the same."""

    inbox_id: str
    connection_id: str
    document: dict[str, Any]
    order: Order
    hash: str


# Our article and the units in one sold pack, by (connection, listing id) and by SKU.
Articles = Mapping[tuple[str, str], tuple[str, int]]


def enter(desk: Desk, incoming: Incoming, articles: Articles) -> OrderState:
    """Store a new order, hold it or route it, and tell the ERP of it."""
    order = incoming.order
    state = OrderState(
        new_id(),
        incoming.connection_id,
        order.external_id,
        order.number,
        order.revision,
        incoming.hash,
        incoming.document,
        "pending",
        order.status,
        order.currency,
        order.placed_at,
    )
    for index in range(len(order.lines)):
        state.lines.append(new_line(state, order, index, articles))
    state.ship_by, state.promise_on = promised_days(order)
    state.route_after = _not_before(order)
    row = desk.rows.add(orders, **_order_row(desk, incoming, state))
    for adjustment in adjustments(order):
        desk.rows.add(order_adjustment, id=new_id(), order_id=state.id, **adjustment)
    channel = desk.connections[incoming.connection_id].name
    desk.tell(
        state.id, ("order", state.id), "received", f"{order.number} arrived from {channel}.", inbox=incoming.inbox_id
    )
    desk.news.add(incoming.inbox_id)
    if order.partial:
        desk.asks.add((incoming.connection_id, order.external_id))
    decide(desk, state, order)
    desk.add_lookalike(_lookalike(state, order))
    row.update({name: getattr(state, name) for name in _DECIDED})
    desk.add_lines(state)
    return state


def decide(desk: Desk, state: OrderState, order: Order) -> None:
    """Move a pending order on: cancelled, finished elsewhere, on hold, or open and routed."""
    if order.status == "cancelled":
        state.lifecycle = "cancelled"
        for line in state.lines:
            line.cancelled, line.changed = line.ordered - line.shipped, True
        return
    kits.explode(desk, state)
    check_entry(desk, state, order)
    if state.lifecycle == "pending" and not state.is_blocked("routing"):
        state.lifecycle = "open"
        post_sales_order(desk, state)
    if state.lifecycle == "open":
        route(desk, state, order.shipping_address, order.market or "")
    reserve_unrouted(desk, state)
    conclude(desk, state)
    state.changes["lifecycle"] = state.lifecycle


def check_entry(desk: Desk, state: OrderState, order: Order) -> None:
    """Hold the order for everything that is not right with it, and end the holds of what is right by now.

    What a person has released stays released for as long as it rests on the same facts.
    """
    if state.lifecycle not in {"pending", "open"} or order.status == "cancelled":
        end_findings(desk, state)
        return
    chosen = desk.connections[state.connection_id].entry_checks or {}
    found = {one.handle: one for one in entry.findings(order, _facts(desk, state, order), desk.entry_checks, chosen)}
    end_findings(desk, state, but=found.keys())
    lines = {line.external_id: line.id for line in state.lines}
    for one in found.values():
        if (entry.SOURCE, one.handle) not in state.dismissed:
            desk.put_on_hold(
                state,
                one.kind,
                one.reason,
                handle=one.handle,
                source=entry.SOURCE,
                blocks=one.blocks,
                target=("line", lines[one.line]) if one.line in lines else None,
            )


def end_findings(desk: Desk, state: OrderState, but: Collection[str] = ()) -> None:
    """End what the checks held the order for, but for the handles that are found still."""
    for held in [one for one in state.holds if one.source == entry.SOURCE and one.handle not in but]:
        desk.end_hold(state, held, f"The hold ({held.kind.replace('_', ' ')}) ended: it is not so any more.")


def _facts(desk: Desk, state: OrderState, order: Order) -> Facts:
    unmapped = (
        line.sku or line.title or line.external_id for line in state.lines if line.ships and not line.variant_id
    )
    me = _lookalike(state, order)
    twins = (
        Twin(other.order_id, other.number, other.placed_at)
        for other in desk.lookalikes.get(me.likeness, ())
        if me.email and other.order_id < me.order_id
    )
    placed = frozenset(line.external_id for line in state.lines if line.routed > line.shipped)
    return Facts(tuple(unmapped), tuple(twins), placed)


def _lookalike(state: OrderState, order: Order) -> Lookalike:
    return _likeness(order, state.id, entry.signature(state.document))


def _likeness(order: Order, order_id: str = "", bought: tuple[tuple[str, int], ...] = ()) -> Lookalike:
    """What of an order others are compared by."""
    email, total = header(order)["email"], order.totals.total_minor
    return Lookalike(order_id, order.number, email, order.currency, total, order.placed_at, bought)


def look_for_twins(desk: Desk, documents: Collection[Order]) -> None:
    """Read, in one go, the orders that these may be twins of."""
    chosen = ((row.entry_checks or {}).get("twin", {}).get("minutes") for row in desk.connections.values())
    within = timedelta(minutes=max((entry.TWIN_MINUTES, *filter(None, chosen))))
    for one in orders_store.lookalikes(desk.tx, [_likeness(order) for order in documents], within):
        desk.add_lookalike(one)


def conclude(desk: Desk, state: OrderState) -> None:
    """Close an open order when every unit is shipped or cancelled and nobody is working on it."""
    follow(state.lines)
    if state.lifecycle not in {"open", "pending"} or any(fo.is_live for fo in state.fos):
        return
    if any(line.ships and line.ordered > line.cancelled + line.shipped for line in state.lines):
        return
    shipped = sum(line.shipped for line in state.lines)
    if not shipped and all(line.cancelled >= line.ordered for line in state.lines):
        state.lifecycle = "cancelled"
        desk.tell(state.id, ("order", state.id), "cancelled", "The order is cancelled; nothing was shipped.")
    elif state.lifecycle == "open":
        state.lifecycle = "completed"
        desk.tell(state.id, ("order", state.id), "completed", "Every unit is shipped or cancelled.")
        if shipped:
            post_invoice(desk, state)
    state.changes["lifecycle"] = state.lifecycle


def post_sales_order(desk: Desk, state: OrderState) -> None:
    """Tell every ERP of the order."""
    for ledger in desk.ledgers:
        _post(desk, state, ledger.id, "sales_order", "SO")


def post_invoice(desk: Desk, state: OrderState) -> None:
    """Have every ERP invoice what was shipped and is on no invoice yet; an order that has grown gets another one."""
    order: Order = schemas.parse("order.v1", state.document)
    for ledger in desk.ledgers:
        earlier = [one["payload"] for one in desk.sent(ledger.id, state.id) if one["payload"]["kind"] == "invoice"]
        lines = bill.next_lines(state, order, earlier)
        if lines:
            _post(desk, state, ledger.id, "invoice", "INV", len(earlier) + 1, lines=lines)


def _post(desk: Desk, state: OrderState, ledger_id: str, kind: str, prefix: str, turn: int = 0, **payload: Any) -> None:
    """`turn` is which invoice of the order it is; the sales order goes before them all."""
    # The number of one channel can be that of another; its own tail keeps the reference unique.
    reference = number(f"{prefix}-{state.number.lstrip('#')}"[:60], state.origin)
    desk.send(
        ledger_id,
        "post",
        fact=f"{kind}:{state.origin}:{turn}",
        subject_id=state.id,
        order_id=state.id,
        reference=f"{reference}-{turn}" if turn > 1 else reference,
        turn=turn,
        kind=kind,
        **payload,
    )


def new_line(state: OrderState, order: Order, index: int, articles: Articles) -> LineState:
    """A line of the canonical order as one of ours, linked to an article where one is known."""
    line = order.lines[index]
    ours = entry.ships_by_us(order, index) and order.status != "closed"
    found = articles.get((state.connection_id, line.external_variant_id or "")) or articles.get(
        (state.connection_id, f"sku:{line.sku}")
    )
    variant_id, pack = found or (None, 1)
    return LineState(
        new_id(),
        state.id,
        index,
        line.external_id,
        line.sku or "",
        variant_id,
        line.title or "",
        line.quantity * pack,
        0,
        0,
        0,
        0,
        line.total_minor,
        line.group_key,
        ours,
        is_new=True,
    )


def article_keys(order: Order) -> tuple[set[str], set[str]]:
    """Listing ids and SKUs that an order names."""
    return (
        {line.external_variant_id for line in order.lines if line.external_variant_id},
        {line.sku for line in order.lines if line.sku},
    )


def adjustments(order: Order) -> list[dict[str, Any]]:
    """What the order costs besides its lines: shipping, fees, and taxes where prices do not contain them."""
    found = [
        {"kind": "shipping", "title": charge.title or "Shipping", "amount_minor": charge.amount_minor}
        for charge in order.shipping
    ]
    found += [
        {"kind": fee.kind, "title": fee.title or fee.kind.capitalize(), "amount_minor": fee.amount_minor}
        for fee in order.fees
    ]
    added = 0 if order.totals.taxes_included else entry.added_tax_minor(order)
    if added:
        found.append({"kind": "tax", "title": "Tax", "amount_minor": added})
    return found


def header(order: Order) -> dict[str, Any]:
    """Columns of the order that follow the channel's document."""
    customer, address = order.customer, order.shipping_address
    email = (customer.email if customer else None) or (address.email if address else None) or ""
    name = (customer.name if customer else None) or (address.name if address else None) or ""
    ship_by, promise_on = promised_days(order)
    return {
        "number": order.number,
        "revision": order.revision,
        "remote_status": order.status,
        "payment_status": order.payment_status,
        "fulfilled_by": order.fulfilled_by,
        "test": order.test,
        "ship_by": ship_by,
        "promise_on": promise_on,
        "currency": order.currency,
        "total_minor": order.totals.total_minor,
        "computed_minor": entry.computed_total_minor(order),
        "email": email.lower(),
        "customer_name": name,
        "country": (address.country if address else None) or "",
        "city": (address.city if address else None) or "",
        "cancelled_at": order.cancelled_at,
    }


# Columns that are known once it is routed.
_DECIDED = ("lifecycle", "method", "pickup_location_id", "route_after", "asks_adviser")


def promised_days(order: Order) -> tuple[date | None, date | None]:
    """The days by which it has to leave and to arrive, as the customer was promised."""
    said = order.schedule
    leave, arrive = (said.ship_by, said.deliver_by) if said else (None, None)
    return leave.date if leave else None, arrive.date if arrive else None


def _not_before(order: Order) -> datetime | None:
    """When it may be routed at the earliest: on the day from which it is to be shipped."""
    day = order.schedule.ship_after if order.schedule else None
    return datetime.combine(day.date, time(), ZoneInfo(day.zone)).astimezone(UTC) if day else None


def _order_row(desk: Desk, incoming: Incoming, state: OrderState) -> dict[str, Any]:
    return {
        "id": state.id,
        "connection_id": state.connection_id,
        "external_id": state.external_id,
        "document_hash": state.document_hash,
        "inbox_id": incoming.inbox_id,
        "document": incoming.document,
        **{name: getattr(state, name) for name in _DECIDED},
        "placed_at": state.placed_at,
        "created_at": desk.now,
        "updated_at": desk.now,
        **header(incoming.order),
    }


def variant_ids(states: Collection[OrderState], articles: Articles) -> set[str]:
    """Every variant that may be touched: those of the articles and those of known orders."""
    found = {variant_id for variant_id, _ in articles.values()}
    return found | {line.variant_id for state in states for line in state.lines if line.variant_id}


def wanted(incoming: Sequence[Incoming]) -> dict[str, tuple[set[str], set[str]]]:
    """Listing ids and SKUs by connection."""
    keys: dict[str, tuple[set[str], set[str]]] = {}
    for one in incoming:
        listings, skus = article_keys(one.order)
        known = keys.setdefault(one.connection_id, (set(), set()))
        known[0].update(listings)
        known[1].update(skus)
    return keys
