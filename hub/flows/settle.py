"""Settle: what follows from the answer to a delivery, in the transaction that ends its row."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hub.domain.ledgers import Posted
from hub.domain.rejections import OTHER, reason_for
from hub.domain.shipping import Cancelled, Label, Submitted
from hub.flows import machine, refuse, track
from hub.flows.desk import Desk, open_desk
from hub.flows.runtime import Runtime
from hub.flows.ship import Parcel, everything, ship
from hub.sdk import errors
from hub.store import orders, outbox, references
from hub.store.database import Tx
from hub.store.orders import FoState, OrderState

NEVER_ARRIVED = Cancelled(accepted=True, reason="it was never handed over")

Row = dict[str, Any]


def success(runtime: Runtime, tx: Tx, row: Row, result: Any, doors: set[str]) -> None:
    """End a delivered row and do what follows. Does nothing when the row was ended before."""
    if not outbox.settle(
        tx, row["id"], "delivered", runtime.clock(), external_id=ref_of(result), error="", error_code=None
    ):
        return
    desk, order = _desk(runtime, tx, row)
    _FOLLOWS[row["operation"]](desk, order, row, result)
    desk.flush()
    doors |= desk.wakes


def done_before(operation: str, ref: str) -> Any | None:
    """What an operation answers that the vendor did before, under `ref`; None when that is not enough to go on.

    A label or a document has more to it than an id: the look-up brings it.
    """
    known: dict[str, Any] = {"cancel": Cancelled(True), "void": True, "confirm": ref}
    return Submitted(ref) if operation == "submit" and ref else known.get(operation)


def rejected(runtime: Runtime, tx: Tx, row: Row, error: errors.ConnectorError, doors: set[str]) -> None:
    """The vendor said no. A place that refuses is routed around; everything else waits for a person."""
    now = runtime.clock()
    said = {"error_code": error.code, "error": str(error)[:4000]}
    if not outbox.settle(tx, row["id"], "rejected", now, claim=row["claim"], **said):
        return
    desk, order = _desk(runtime, tx, row)
    desk.tell(order.id, ("outbox", row["id"]), "rejected", f"{_name(desk, row)} refused: {error}")
    if row["operation"] in outbox.MAKES_WORK:
        fo = _fo(order, row)
        if fo.is_live and fo.request_status == "cancellation_requested":
            track.stopped(desk, order, fo, str(error))
        elif fo.is_live:
            refuse.refuse(desk, order, fo, reason_for(error.code, str(error)), str(error))
    elif row["operation"] in {"cancel", "void"}:
        _goes_on(desk, order, row, str(error))
    desk.flush()
    doors |= desk.wakes


def _desk(runtime: Runtime, tx: Tx, row: Row) -> tuple[Desk, OrderState]:
    states = orders.load(tx, [row["order_id"]])
    order = states[row["order_id"]]
    variants = {line.variant_id for line in order.lines if line.variant_id}
    desk = open_desk(runtime, tx, variants, actor="delivery")
    desk.orders = dict(states)
    return desk, order


def _fo(order: OrderState, row: Row) -> FoState:
    return next(fo for fo in order.fos if fo.id == row["payload"]["fo_id"])


def _name(desk: Desk, row: Row) -> str:
    return desk.connections[row["connection_id"]].name


def ref_of(result: Any) -> str | None:
    """The vendor's id of what was done, where the answer has one."""
    if isinstance(result, str):
        return result or None
    ref = getattr(result, "ref", None)
    return str(ref) if ref else None


def _submitted(desk: Desk, order: OrderState, row: Row, result: Submitted) -> None:
    fo = _fo(order, row)
    fo.external_id, fo.changed = result.ref, True
    desk.tell(order.id, ("fo", fo.id), "submitted", f"{_name(desk, row)} has {fo.number} as {result.ref}.")
    if fo.request_status != "unsubmitted":
        return  # it is being called back; the cancellation goes next
    machine.answer(fo, "submitted")
    if result.accepted:
        refuse.accept(desk, order, fo)
    elif result.accepted is False:
        refuse.refuse(desk, order, fo, OTHER, "refused on submission")
    else:
        desk.start_clock(fo)


def _cancelled(desk: Desk, order: OrderState, row: Row, result: Cancelled) -> None:
    fo = _fo(order, row)
    if result.accepted is False:
        _goes_on(desk, order, row, result.reason)
    elif result.accepted and fo.is_live:
        track.stopped(desk, order, fo, row["payload"]["reason"])


def _goes_on(desk: Desk, order: OrderState, row: Row, reason: str) -> None:
    """It cannot be stopped; a label that was bought while that was asked is what the parcel leaves with."""
    fo = _fo(order, row)
    track.refused_to_stop(desk, order, fo, reason)
    kept = outbox.kept_result(desk.tx, fo.id, "buy_label") if fo.is_live else None
    if kept is not None:
        _leave(desk, order, fo, row["connection_id"], Label(**{**kept, "label": b64decode(kept["label"])}))


def _labelled(desk: Desk, order: OrderState, row: Row, result: Label) -> None:
    fo = _fo(order, row)
    fo.external_id, fo.changed = result.ref, True
    if fo.request_status == "cancellation_requested":
        # It is given back by the void that goes next, and kept in case the carrier does not take it.
        outbox.keep_result(desk.tx, row["id"], {**asdict(result), "label": b64encode(result.label).decode()})
        return
    _leave(desk, order, fo, row["connection_id"], result)


def _leave(desk: Desk, order: OrderState, fo: FoState, connection_id: str, result: Label) -> None:
    """Everything leaves with a label: it is shipped as soon as that is bought."""
    parcel = Parcel(
        everything(fo),
        result.tracking_number,
        result.tracking_url or "",
        result.carrier,
        result.service,
        cost_minor=result.amount_minor,
        currency=result.currency,
        tracker_id=result.tracker_ref,
        label=result.label,
        label_format=result.label_format,
    )
    ship(
        desk,
        order,
        fo,
        [parcel],
        connection_id=connection_id,
        external_id=result.ref,
        shipped_at=desk.now,
        status="labelled",
    )


def _voided(desk: Desk, order: OrderState, row: Row, result: bool) -> None:
    _cancelled(desk, order, row, Cancelled(result, "" if result else "the carrier does not take the label back"))


def _confirmed(desk: Desk, order: OrderState, row: Row, result: str) -> None:
    shipment_id = row["payload"]["shipment_id"]
    if result:
        references.remember(desk.tx, row["connection_id"], "fulfillment", result, shipment_id)
    desk.tell(order.id, ("shipment", shipment_id), "confirmed", f"{_name(desk, row)} knows of the shipment.")


def _posted(desk: Desk, order: OrderState, row: Row, result: Posted) -> None:
    kind = row["payload"]["kind"]
    references.remember(desk.tx, row["connection_id"], kind, result.ref, order.id, result.number)
    words = kind.replace("_", " ")
    desk.tell(order.id, ("order", order.id), "posted", f"{_name(desk, row)} booked the {words} as {result.number}.")


_FOLLOWS: dict[str, Callable[[Desk, OrderState, Row, Any], None]] = {
    "submit": _submitted,
    "cancel": _cancelled,
    "buy_label": _labelled,
    "void": _voided,
    "confirm": _confirmed,
    "post": _posted,
}
