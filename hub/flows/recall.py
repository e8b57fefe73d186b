"""Recall: take units back from the places that were to ship them."""

from __future__ import annotations

from collections.abc import Mapping

from hub.flows.desk import Desk
from hub.store import outbox
from hub.store.orders import FoLineState, FoState, OrderState


def recall(desk: Desk, order: OrderState, surplus: Mapping[str, int], reason: str) -> None:
    """Take back `surplus` units by line, whole fulfillment orders at a time.

    A fulfillment order that was not handed over is cancelled at once: its units are cancelled up to the surplus and
    the others are routed again. One that was handed over is asked back, and nothing moves until the answer.
    """
    left = {line_id: units for line_id, units in surplus.items() if units > 0}
    for fo in sorted(order.fos, key=_handed_over):
        touched = {line.order_line_id for line in fo.lines if line.live and left.get(line.order_line_id, 0) > 0}
        if not fo.is_live or not touched:
            continue
        for line in fo.lines:
            left[line.order_line_id] = left.get(line.order_line_id, 0) - line.live
        if fo.request_status == "cancellation_requested":
            continue
        if _withdrawn(desk, fo):
            release(desk, order, fo, reason)
            _cancel_units(order, fo, surplus)
        else:
            ask_back(desk, order, fo, reason, {line_id: surplus[line_id] for line_id in touched})


def call_back(desk: Desk, order: OrderState, reason: str) -> None:
    """Ask everything back that was handed over; what has not left yet leaves with the new facts by itself."""
    for fo in order.fos:
        if not fo.is_live or fo.request_status == "cancellation_requested":
            continue
        if fo.request_status == "unsubmitted" and (fo.handler_id is None or outbox.waits(desk.tx, fo.id)):
            continue
        ask_back(desk, order, fo, reason, {})


def _handed_over(fo: FoState) -> tuple[bool, str]:
    return (fo.request_status != "unsubmitted", fo.id)


def _withdrawn(desk: Desk, fo: FoState) -> bool:
    """Whether nobody outside knows of the fulfillment order, or can any more."""
    if fo.request_status != "unsubmitted":
        return False
    if fo.handler_id is None or fo.handling == "manual":
        return True
    return bool(outbox.withdraw(desk.tx, fo.id, ("submit", "buy_label"), desk.now))


def release(desk: Desk, order: OrderState, fo: FoState, reason: str, *, status: str = "cancelled") -> None:
    """End a fulfillment order and give its unshipped units back to stock and to the order, once."""
    for row in fo.lines:
        units = row.live
        if units <= 0:
            continue
        desk.stock.move(
            desk.stock.position(fo.location_id, row.variant_id),
            units,
            "committed",
            "available",
            kind="release",
            cause=("fo_line", row.id),
            key=f"release:{row.id}",
            reason=reason,
        )
        row.cancelled += units
        row.changed = True
        line = order.line(row.order_line_id)
        line.routed -= units
        line.changed = True
    fo.exec_status = "closed" if any(row.shipped for row in fo.lines) else status
    fo.reason, fo.changed = reason, True
    code = desk.locations[fo.location_id].code
    desk.tell(order.id, ("fo", fo.id), "fo_cancelled", f"{fo.number} at {code} is cancelled: {reason}.")


def _cancel_units(order: OrderState, fo: FoState, surplus: Mapping[str, int]) -> None:
    """Of the units that came back, cancel those that nobody wants any more."""
    for row in fo.lines:
        cancel_surplus(order, row, surplus.get(row.order_line_id, 0))


def cancel_surplus(order: OrderState, row: FoLineState, wanted: int) -> None:
    """Cancel up to `wanted` units of the row's order line among those that are free again."""
    line = order.line(row.order_line_id)
    units = min(wanted, row.cancelled, line.ordered - line.cancelled - line.routed)
    if units > 0:
        line.cancelled += units
        line.changed = True


def ask_back(desk: Desk, order: OrderState, fo: FoState, reason: str, units: Mapping[str, int]) -> None:
    """Ask the handler to stop; `units` by order line will be cancelled when it agrees."""
    fo.request_status, fo.changed = "cancellation_requested", True
    code = desk.locations[fo.location_id].code
    desk.tell(order.id, ("fo", fo.id), "cancel_asked", f"{code} was asked to stop {fo.number}: {reason}.")
    if fo.handler_id is None:
        return
    desk.send(
        fo.handler_id,
        "void" if fo.handling == "label" else "cancel",
        fact=fo.id,
        subject_id=fo.id,
        order_id=order.id,
        reference=fo.number,
        fo_id=fo.id,
        reason=reason,
        units=dict(units),
    )
