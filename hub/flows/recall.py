"""Recall: take units back from the places that were to ship them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hub.flows import machine
from hub.flows.desk import Desk
from hub.store import outbox
from hub.store.orders import FoState, LineState, OrderState


def recall(desk: Desk, order: OrderState, surplus: Mapping[str, int], reason: str) -> None:
    """Take back `surplus` units by line, whole fulfillment orders at a time; they are the lines' unwanted units.

    A fulfillment order that was not handed over is cancelled at once: of its units the unwanted ones are cancelled and
    the others are routed again. One that was handed over is asked back, and nothing moves until the answer.
    """
    for fo in touched(order, surplus):
        if withdrawn(desk, fo):
            release(desk, order, fo, reason)
        else:
            ask_back(desk, order, fo, reason)


def touched(order: OrderState, surplus: Mapping[str, int]) -> list[FoState]:
    """The fulfillment orders that have to be called back for `surplus` units by line, and are not called back yet.

    Those that nobody was told of come first.
    """
    left = {line_id: units for line_id, units in surplus.items() if units > 0}
    found = []
    for fo in sorted((one for one in order.fos if one.is_live), key=_called_last):
        if not any(line.live and left.get(line.order_line_id, 0) > 0 for line in fo.lines):
            continue
        for line in fo.lines:
            left[line.order_line_id] = left.get(line.order_line_id, 0) - line.live
        if fo.request_status != "cancellation_requested":
            found.append(fo)
    return found


def _called_last(fo: FoState) -> tuple[int, str]:
    """What comes back anyhow is counted first, then what nobody was told of."""
    first = {"cancellation_requested": 0, "unsubmitted": 1}
    return (first.get(fo.request_status, 2), fo.id)


def take_back(desk: Desk, order: OrderState, reason: str) -> None:
    """Take everything back that has not left, to be routed anew; what was handed over is asked back."""
    for fo in [one for one in order.fos if one.is_live and one.request_status != "cancellation_requested"]:
        if withdrawn(desk, fo):
            release(desk, order, fo, reason)
        else:
            ask_back(desk, order, fo, reason)


def keep_back(desk: Desk, order: OrderState, lines: Collection[str] | None, reason: str) -> None:
    """Take back what nobody was told of and nobody has begun of some lines, or of all: they are not to be worked on.

    The units are the order's again. What is free of them is routed anew, and the rest when it is let go.
    """
    for fo in [one for one in order.fos if one.exec_status in {"scheduled", "open"}]:
        names = {order.line(row.order_line_id).kit_line_id or row.order_line_id for row in fo.lines if row.live}
        if (lines is None or names.intersection(lines)) and withdrawn(desk, fo):
            release(desk, order, fo, reason)


def withdrawn(desk: Desk, fo: FoState) -> bool:
    """Whether nobody outside knows of the fulfillment order, or can any more."""
    if fo.handler_id is None or fo.handling == "manual":
        return fo.request_status in {"unsubmitted", "submitted"}
    if fo.request_status != "unsubmitted":
        return False
    return bool(outbox.withdraw(desk.tx, fo.id, outbox.MAKES_WORK, desk.now))


def release(desk: Desk, order: OrderState, fo: FoState, reason: str) -> None:
    """End a fulfillment order and give its unshipped units back to stock and to the order, once.

    Those of them that nobody wants any more are cancelled.
    """
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
        cancel_unwanted(line)
    machine.work(fo, "closed" if any(row.shipped for row in fo.lines) else "cancelled")
    fo.reason, fo.answer_by, fo.changed = reason, None, True
    code = desk.locations[fo.location_id].code
    desk.tell(order.id, ("fo", fo.id), "fo_cancelled", f"{fo.number} at {code} is cancelled: {reason}.")


def cancel_unwanted(line: LineState) -> None:
    """Cancel units that nobody wants, as far as their places have given them back."""
    units = min(line.unwanted, line.ordered - line.cancelled - line.routed)
    if units > 0:
        line.cancelled += units
        line.unwanted -= units
        line.changed = True


def ask_back(desk: Desk, order: OrderState, fo: FoState, reason: str) -> None:
    """Ask the handler to stop; when it agrees, its units come back, and the unwanted ones are cancelled."""
    machine.answer(fo, "cancellation_requested")
    code = desk.locations[fo.location_id].code
    desk.tell(order.id, ("fo", fo.id), "cancel_asked", f"{code} was asked to stop {fo.number}: {reason}.")
    ask_to_stop(desk, order, fo, reason)


def ask_to_stop(desk: Desk, order: OrderState, fo: FoState, reason: str) -> None:
    """Tell the handler, where there is one. Each time is a matter of its own: one that refused may be asked again."""
    if fo.handler_id is None:
        return
    operation = "void" if fo.handling == "label" else "cancel"
    asked = sum(one["operation"] == operation for one in desk.sent(fo.handler_id, fo.id))
    desk.send(
        fo.handler_id,
        operation,
        fact=f"{fo.id}:{asked + 1}",
        subject_id=fo.id,
        order_id=order.id,
        reference=fo.number,
        turn=asked + 1,
        fo_id=fo.id,
        reason=reason,
    )
