"""Fulfillment orders: a location's queue, and what its people and the order's page may say of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from hub.domain.rejections import REASONS
from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store import catalog
from hub.store.views import queue
from hub.web.context import caller, console

blueprint = Blueprint("fulfillment", __name__, url_prefix="/fulfillment")


@blueprint.get("/queue/<code>")
def at(code: str) -> Any:
    """What the people at a location have to do."""
    with console().runtime.db.read() as tx:
        try:
            location = catalog.location_by_code(tx, code)
        except KeyError:
            abort(404)
        tasks = queue.at(tx, location.id)
    return render_template("locations/queue.html", location=location, tasks=tasks, reasons=REASONS.values())


def _act(order_id: str, work: Callable[..., bool], done: str, **more: Any) -> Any:
    """Do it, say what came of it, and go back to the page it was asked on."""
    number = request.form.get("number", "")[:40]
    try:
        changed = work(console().runtime, order_id, number, person=caller().actor, **more)
        flash(done if changed else "That was said before.", "done")
    except NotDoneError as error:
        flash(f"{str(error)[:1].upper()}{str(error)[1:]}.", "error")
    return _back(order_id)


def _back(order_id: str) -> Any:
    code = request.form.get("queue", "")[:40]
    return redirect(url_for("fulfillment.at", code=code) if code else url_for("orders.show", order_id=order_id))


@blueprint.post("/<order_id>/accept")
def accept(order_id: str) -> Any:
    return _act(order_id, operate.accept_by_hand, "It is taken on.")


@blueprint.post("/<order_id>/refuse")
def refuse(order_id: str) -> Any:
    note, code = request.form.get("note", "").strip()[:200], request.form.get("reason", "")[:32]

    def work(runtime: Any, order: str, number: str, *, person: str) -> bool:
        return operate.refuse_by_hand(runtime, order, number, note, person=person, code=code, units=_named())

    return _act(order_id, work, "It is refused, and booked as the reason says.")


def _named() -> dict[str, int]:
    """Units by SKU of what the form names. Raises NotDoneError for what is no number of units."""
    typed = {
        name.removeprefix("units:"): text.strip() for name, text in request.form.items() if name.startswith("units:")
    }
    wrong = next((text for text in typed.values() if text and not (text.isdecimal() and len(text) <= 9)), None)
    if wrong is not None:
        raise NotDoneError(f"{wrong[:40]!r} is no number of units")
    return {sku: int(text) for sku, text in typed.items() if text and int(text)}


@blueprint.post("/<order_id>/ask-back")
def ask_back(order_id: str) -> Any:
    return _act(order_id, operate.ask_back, "It is asked back. Until it has stopped, it may still leave.")


@blueprint.post("/<order_id>/stopped")
def stopped(order_id: str) -> Any:
    return _act(order_id, operate.stopped_by_hand, "It is stopped. What is still wanted of it is routed again.")


@blueprint.post("/<order_id>/too-late")
def too_late(order_id: str) -> Any:
    return _act(order_id, operate.too_late_by_hand, "It leaves. The order is on hold until the customer was asked.")


@blueprint.post("/<order_id>/ship")
def ship(order_id: str) -> Any:
    form = request.form
    carrier, tracking = form.get("carrier", "").strip()[:80], form.get("tracking", "").strip()[:120]
    done = "It is booked as shipped, and the channel is told."
    return _act(order_id, operate.ship_by_hand, done, carrier=carrier, tracking_number=tracking)


@blueprint.post("/<order_id>/ready")
def ready(order_id: str) -> Any:
    return _act(order_id, operate.ready_for_collection, "It waits at the counter.")


@blueprint.post("/<order_id>/collected")
def collected(order_id: str) -> Any:
    return _act(order_id, operate.collected, "The customer has it.")


@blueprint.post("/<order_id>/not-collected")
def not_collected(order_id: str) -> Any:
    return _act(order_id, operate.not_collected, "It is back on the shelf. Refund it at the channel.")


@blueprint.post("/<order_id>/collect-until")
def collect_until(order_id: str) -> Any:
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        flash("Say until which day it may be collected.", "error")
        return _back(order_id)
    return _act(order_id, operate.collect_until, f"It may be collected until the end of {day}.", day=day)


@blueprint.post("/<order_id>/route")
def route(order_id: str) -> Any:
    def work(runtime: Any, order: str, _number: str, *, person: str) -> bool:
        found = operate.route_order(runtime, order, person=person)
        if not found:
            raise NotDoneError("there is still no place that has the goods; the order waits as it is")
        return found

    return _act(order_id, work, "Places were found.")


@blueprint.post("/<order_id>/collect-elsewhere")
def collect_elsewhere(order_id: str) -> Any:
    code = request.form.get("location", "")[:40]

    def work(runtime: Any, order: str, _number: str, *, person: str) -> bool:
        return operate.collect_elsewhere(runtime, order, code, person=person)

    return _act(order_id, work, f"It is collected at {code}.")


@blueprint.post("/<order_id>/ship-instead")
def ship_instead(order_id: str) -> Any:
    def work(runtime: Any, order: str, _number: str, *, person: str) -> bool:
        return operate.ship_instead(runtime, order, person=person)

    return _act(order_id, work, "It is shipped instead.")
