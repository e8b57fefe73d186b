"""Holds: on one order or many, and the list of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.flows import operate
from hub.flows.desk import HoldTerms
from hub.flows.operate import HoldOn, NotDoneError
from hub.store.views import holds as holds_view
from hub.store.views import orders as orders_view
from hub.store.views.holds import HoldQuery
from hub.web.context import caller, console
from hub.web.pages.orders import back, not_done

blueprint = Blueprint("holds", __name__, url_prefix="/orders")
blueprint.register_error_handler(NotDoneError, not_done)


@blueprint.get("/holds")
def listing() -> Any:
    return _list()


def _list(**more: Any) -> str:
    query = HoldQuery(
        kind=request.args.get("kind", "")[:32],
        assignee=request.args.get("assignee", "").strip()[:120],
        overdue=request.args.get("overdue") == "1",
        after=request.args.get("after", "")[:500],
    )
    with console().runtime.db.read() as tx:
        page = holds_view.find(tx, query, console().runtime.clock())
        kinds = holds_view.kinds(tx)
    return render_template("orders/held.html", page=page, query=query, kinds=kinds, **{"done": (), **more})


@blueprint.post("/<order_id>/hold")
def hold(order_id: str) -> Any:
    form = request.form
    reason = form.get("reason", "").strip()[:200]
    if not reason:
        flash("Say why the order has to wait.", "error")
        return back(order_id)
    part, _, name = form.get("target", "").partition(":")
    on = HoldOn(
        kind=form.get("kind", "manual")[:32],
        blocks=form.get("blocks", "routing")[:16],
        line=name if part == "line" else "",
        fo=name if part == "fo" else "",
        terms=_terms(),
    )
    done = operate.hold_order(console().runtime, order_id, reason, person=caller().actor, on=on)
    flash("It is on hold." if done else "It is on hold for this reason already.", "done")
    for said in operate.out_of_reach(console().runtime, order_id):
        flash(f"{said}. Ask it back below, under Holds.", "error")
    return back(order_id)


def _terms() -> HoldTerms:
    form = request.form
    who, note = form.get("assignee", "").strip()[:120], form.get("note", "").strip()[:200]
    return HoldTerms(who, _moment("due"), _moment("until"), note)


def _moment(name: str) -> datetime | None:
    """A moment as the browser sends it, which is without a zone: UTC. What is none is left out."""
    try:
        return datetime.fromisoformat(request.form.get(name, "")).replace(tzinfo=UTC)
    except ValueError:
        return None


@blueprint.post("/<order_id>/holds/<hold_id>/terms")
def change(order_id: str, hold_id: str) -> Any:
    done = operate.look_after_hold(console().runtime, hold_id, _terms(), person=caller().actor)
    flash("The hold is changed." if done else "The hold has ended meanwhile.", "done" if done else "error")
    return back(order_id)


@blueprint.post("/<order_id>/holds/<hold_id>/release")
def release(order_id: str, hold_id: str) -> Any:
    note = request.form.get("note", "").strip()[:200]
    done = operate.release_hold(console().runtime, order_id, hold_id, person=caller().actor, note=note)
    flash("The hold is released and the order goes on." if done else "The hold was released before.", "done")
    return back(order_id)


@blueprint.post("/hold")
def hold_many() -> Any:
    ids = request.form.getlist("order")[:500]
    reason = request.form.get("reason", "").strip()[:200]
    if not ids or not reason:
        flash("Choose orders, and say why they have to wait.", "error")
        return redirect(url_for("orders.listing"))
    on = HoldOn(blocks=request.form.get("blocks", "routing")[:16])
    done = operate.hold_orders(console().runtime, ids, reason, person=caller().actor, on=on)
    with console().runtime.db.read() as tx:
        rows = orders_view.rows_of(tx, ids)
    names = [rows[one.id].number if one.id in rows else one.id for one in done]
    return _list(done=list(zip(names, done, strict=True)), did="On hold")


@blueprint.post("/holds/release")
def release_many() -> Any:
    ids = request.form.getlist("hold")[:500]
    if not ids:
        flash("Choose the holds that are to be released.", "error")
        return redirect(url_for("holds.listing"))
    with console().runtime.db.read() as tx:
        names = holds_view.names_of(tx, ids)
    note = request.form.get("note", "").strip()[:200]
    done = operate.release_holds(console().runtime, ids, person=caller().actor, note=note)
    return _list(done=[(names.get(one.id, one.id), one) for one in done], did="Released")
