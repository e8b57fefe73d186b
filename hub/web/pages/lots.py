"""Lots and serial numbers: what expires next, where something is and where it went, and what may be sold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.domain.lots import TRACKING, Marks
from hub.flows.operate import NotDoneError
from hub.flows.operate import lots as operate
from hub.flows.operate.files import whole
from hub.store import catalog
from hub.store.database import new_id
from hub.store.lots import tracked
from hub.store.views import lots as view
from hub.store.views.lots import Trace, UnknownLotError
from hub.web.context import caller, console

blueprint = Blueprint("lots", __name__, url_prefix="/lots")


@blueprint.get("/")
def listing() -> Any:
    return _page(request.args.get("q", "").strip()[:120])


def _page(text: str, error: str = "", given: Mapping[str, str] | None = None) -> str:
    with console().runtime.db.read() as tx:
        kept_by = tracked(tx, [text]).get(text, "none")
        locations = catalog.locations(tx) if kept_by != "none" else []
        lots = view.of_article(tx, text) if text else view.first_to_expire(tx)
        serials = view.serials_of(tx, text) if text else []
        try:
            traces: list[Trace] = view.trace(tx, text) if text else []
        except UnknownLotError:
            traces = []
    today = console().runtime.clock().date()
    return render_template(
        "lots/list.html",
        text=text,
        lots=lots,
        serials=serials,
        traces=traces,
        today=today,
        tracking=TRACKING,
        kept_by=kept_by,
        locations=locations,
        given=given or {},
        key=new_id(),
        shows_contact=caller().may("ops"),
        error=error,
    )


@blueprint.post("/track")
def track() -> Any:
    sku, tracking = request.form.get("sku", "").strip()[:120], request.form.get("tracking", "")
    try:
        operate.track_article(console().runtime, sku, tracking, person=caller().actor)
    except NotDoneError as error:
        return _page("", f"{error}."), 422
    told = "without lots" if tracking == "none" else f"by {tracking}. Count what is on hand, so that it has one"
    flash(f"{sku} is kept {told}.", "done")
    return redirect(url_for("lots.listing", q=sku))


@blueprint.post("/adjust")
def adjust() -> Any:
    names = ("sku", "location", "units", "lot", "expires_on", "serials", "reason")
    given = {name: request.form.get(name, "").strip()[:5000] for name in names}
    change = whole(given["units"])
    if change is None:
        return _page(given["sku"], "Enter whole units, such as 12 or -3.", given), 422
    try:
        marks = Marks(given["lot"], operate.expiry(given["expires_on"]), tuple(given["serials"].split()))
        operate.adjust_lot(
            console().runtime,
            given["sku"],
            given["location"],
            marks,
            change,
            person=caller().actor,
            reason=given["reason"][:200],
            key=request.form.get("key", ""),
        )
    except NotDoneError as error:
        return _page(given["sku"], f"{error}.", given), 422
    flash(f"{given['sku']} at {given['location']}: {change:+d} units are booked.", "done")
    return redirect(url_for("lots.listing", q=given["sku"]))


@blueprint.post("/block")
def block() -> Any:
    sku, code, reason = (request.form.get(name, "").strip()[:200] for name in ("sku", "code", "reason"))
    try:
        if reason:
            held = operate.block_lot(console().runtime, sku, code, person=caller().actor, reason=reason)
        else:
            return _page(code, "Say why: the reason is kept for ever."), 422
    except NotDoneError as error:
        return _page(code, f"{error}."), 422
    flash(f"Lot {code} is sold no more; {held or 0} units are held back.", "done")
    return redirect(url_for("lots.listing", q=code))


@blueprint.post("/unblock")
def unblock() -> Any:
    sku, code = (request.form.get(name, "").strip()[:120] for name in ("sku", "code"))
    try:
        freed = operate.unblock_lot(console().runtime, sku, code, person=caller().actor)
    except NotDoneError as error:
        return _page(code, f"{error}."), 422
    flash(f"Lot {code} may be sold; {freed or 0} units are free again.", "done")
    return redirect(url_for("lots.listing", q=code))


@blueprint.post("/record/<order_id>")
def record(order_id: str) -> Any:
    """Serial numbers that were not said as the goods left."""
    names = ("fo", "sku", "serials")
    fo, sku, serials = (request.form.get(name, "").strip()[:5000] for name in names)
    try:
        operate.record_serials(console().runtime, order_id, fo, sku, serials.split(), person=caller().actor)
        flash("The serial numbers are recorded.", "done")
    except NotDoneError as error:
        flash(f"{error}.", "error")
    return redirect(url_for("orders.show", order_id=order_id))
