"""Amend: what the channel changed on an order that is known, cancellation included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hub import schemas
from hub.domain.documents import Order
from hub.flows import kits
from hub.flows.desk import Desk
from hub.flows.enter import (
    Articles,
    Incoming,
    adjustments,
    conclude,
    decide,
    header,
    new_line,
)
from hub.flows.recall import call_back, recall
from hub.flows.route import reserve_unrouted
from hub.store import orders
from hub.store.database import new_id
from hub.store.orders import LineState, OrderState
from hub.store.tables import order_adjustment


def amend(desk: Desk, incoming: Incoming, state: OrderState, articles: Articles) -> str:
    """Apply a newer document to a known order; returns the outcome.

    An older one is `stale`, the same one `no_change`. A cancelled order stays cancelled: when the channel opens it
    again that is a `conflict` for a person.
    """
    if incoming.order.revision < state.revision:
        return "stale"
    incoming = complete(incoming, state.document)
    order = incoming.order
    if incoming.hash == state.document_hash:
        if state.lifecycle not in {"pending", "open"}:
            return "no_change"
        link_articles(desk, state, order, articles)
        return "no_change" if not any(line.changed for line in state.lines) else _settle(desk, state, order)
    if state.remote_status == "cancelled" and order.status != "cancelled":
        if order.revision == state.revision:
            return "stale"
        desk.put_on_hold(
            state, "remote_conflict", "The channel opened a cancelled order again.", handle="reopened", source="channel"
        )
        return "conflict"
    if order.revision > state.revision:
        desk.news.add(incoming.inbox_id)
    moved = _ship_to(incoming.document) != _ship_to(state.document)
    _take_over(desk, incoming, state)
    if order.status == "cancelled":
        cancel(desk, state, order.cancel_reason or "cancelled at the channel")
        return "applied"
    _amend_lines(desk, state, order, articles)
    if moved:
        call_back(desk, state, "the delivery address changed")
    return _settle(desk, state, order)


# What a channel tells by poll and leaves out of its webhooks: silence does not take it back.
TOLD_BY_POLL = ("payments", "gift_cards", "risk", "pickup_location")


def complete(incoming: Incoming, before: Mapping[str, Any]) -> Incoming:
    """The incoming document with what the known one says and it does not."""
    kept = {name: before[name] for name in TOLD_BY_POLL if name in before and name not in incoming.document}
    if not kept:
        return incoming
    document = {**incoming.document, **kept}
    order: Order = schemas.parse("order.v1", document)
    return replace(incoming, document=document, order=order, hash=schemas.fingerprint(document))


def _ship_to(document: Mapping[str, Any]) -> Any:
    return document.get("shipping_address")


def _settle(desk: Desk, state: OrderState, order: Order) -> str:
    release_entry_holds(desk, state)
    decide(desk, state, order)
    return "held_unmapped" if any(one.kind == "unmapped" for one in state.holds) else "applied"


def _take_over(desk: Desk, incoming: Incoming, state: OrderState) -> None:
    order = incoming.order
    state.revision, state.remote_status = order.revision, order.status
    state.changes |= header(order) | {"document": incoming.document, "document_hash": incoming.hash}
    state.document = incoming.document
    state.changes["inbox_id"] = incoming.inbox_id
    orders.drop_adjustments(desk.tx, state.id)
    for adjustment in adjustments(order):
        desk.rows.add(order_adjustment, id=new_id(), order_id=state.id, **adjustment)


def _amend_lines(desk: Desk, state: OrderState, order: Order, articles: Articles) -> None:
    """Bring the lines to the channel's quantities: more units are added, fewer are recalled."""
    known = {line.external_id: line for line in state.lines}
    seen: set[str] = set()
    said: list[str] = []
    for index, stated in enumerate(order.lines):
        seen.add(stated.external_id)
        fresh = new_line(state, order, index, articles)
        line = known.get(stated.external_id)
        if line is None:
            fresh.line_no = len(state.lines)
            state.lines.append(fresh)
            said.append(f"{fresh.ordered} x {fresh.sku or fresh.title} added")
            continue
        line.variant_id = line.variant_id or fresh.variant_id
        line.sku, line.title, line.total_minor = fresh.sku, fresh.title, fresh.total_minor
        line.changed = True
        said += _bring_to(desk, state, line, fresh.ordered)
    for line in state.lines:
        if line.external_id not in seen and line.kit_line_id is None:
            said += _bring_to(desk, state, line, 0)
    if said:
        desk.tell(state.id, ("order", state.id), "edited", f"The channel changed the order: {'; '.join(said)}.")
    else:
        desk.tell(state.id, ("order", state.id), "updated", "The channel updated the order; its lines are the same.")


def _bring_to(desk: Desk, state: OrderState, line: LineState, units: int) -> Iterable[str]:
    """Set the units still wanted on a line; what was shipped cannot be taken back here."""
    if kits.is_kit(state, line):
        yield from kits.bring_to(desk, state, line, units, "the channel reduced the order")
        return
    live = line.ordered - line.cancelled
    if units > live:
        line.ordered += units - live
        line.changed = True
        yield f"{units - live} x {line.sku or line.title} more"
    elif units < live:
        surplus = live - units
        loose = min(surplus, line.ordered - line.cancelled - line.routed)
        line.cancelled += loose
        line.changed = True
        if surplus > loose:
            recall(desk, state, {line.id: surplus - loose}, "the channel reduced the order")
        yield f"{surplus} x {line.sku or line.title} fewer"


def cancel(desk: Desk, state: OrderState, reason: str, *, by: str = "the channel") -> None:
    """Cancel everything that has not shipped; work that was handed over is asked back. Safe to call twice."""
    state.remote_status = "cancelled"
    state.changes["remote_status"] = "cancelled"
    desk.tell(state.id, ("order", state.id), "cancel_requested", f"Cancelled by {by}: {reason}.")
    for line in state.lines:
        loose = line.ordered - line.cancelled - line.routed
        if loose > 0:
            line.cancelled += loose
            line.changed = True
    shipped = [line for line in state.lines if line.shipped]
    recall(desk, state, {line.id: line.routed - line.shipped for line in state.lines}, reason)
    if shipped:
        desk.put_on_hold(
            state,
            "cancel_too_late",
            f"Cancelled by {by} after goods had left.",
            handle="cancel_after_shipping",
            source="channel",
            blocks="ship",
        )
    reserve_unrouted(desk, state)
    release_entry_holds(desk, state)
    conclude(desk, state)


def link_articles(desk: Desk, state: OrderState, order: Order, articles: Articles) -> None:
    """Link lines whose article has become known since."""
    known = {line.external_id: line for line in state.lines}
    for index, stated in enumerate(order.lines):
        line = known.get(stated.external_id)
        fresh = new_line(state, order, index, articles)
        if line is not None and line.variant_id is None and fresh.variant_id is not None:
            # What the channel took back stays counted as cancelled; what it still wants is in units of the article now.
            line.variant_id, line.ordered, line.changed = fresh.variant_id, line.cancelled + fresh.ordered, True
            desk.tell(state.id, ("order_line", line.id), "linked", f"{line.sku or line.title} is linked to an article.")


def release_entry_holds(desk: Desk, state: OrderState) -> None:
    """Release what the entry checks found; they are made again on the new facts."""
    for one in state.holds:
        if one.source == "entry":
            orders.release_hold(desk.tx, one.id, desk.actor, desk.now)
    state.holds = [one for one in state.holds if one.source != "entry"]
