"""Reorder: what runs low, what to buy or to move, and the numbers that say so."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.flows.operate import NotDoneError
from hub.flows.operate import reorder as drafts
from hub.flows.operate import suppliers as sell
from hub.flows.reorder import Reckoning, UnknownPlaceError, reckon
from hub.store import catalog
from hub.store.database import new_id
from hub.store.views import supply as supply_view
from hub.web.answers import missing
from hub.web.context import caller, console

blueprint = Blueprint("reorder", __name__, url_prefix="/reorder")

KEPT_S = 60.0  # a reckoning of tens of thousands of articles takes seconds
MOST_ROWS = 200
ALERTS = 20
POLICY = ("low_threshold", "reorder_point", "max_units", "service_level")


@blueprint.get("/")
def listing() -> Any:
    return _page()


def _page(error: str = "") -> str:
    at = request.values.get("location", "")[:40]
    found = _reckoned(at)
    with console().runtime.db.read() as tx:
        places = [one for one in catalog.locations(tx) if one.active]
        low = supply_view.alerts(tx, limit=ALERTS)
    return render_template(
        "supply/reorder.html",
        found=found,
        needs=found.needs[:MOST_ROWS],
        locations=places,
        low=low,
        at=at,
        error=error,
        given=request.form,
        key=new_id(),
    )


def _reckoned(at: str) -> Reckoning:
    found: Reckoning = console().remembered(
        f"reorder:{at}", KEPT_S, time.monotonic, lambda: reckon(console().runtime, at)
    )
    return found


@blueprint.post("/draft")
def draft() -> Any:
    """Draft what is ticked: purchase orders, or transfers."""
    runtime, to, key = console().runtime, request.form.get("to", "")[:40], request.form.get("key", "")
    try:
        if request.form.get("how") == "move":
            picked = [one.rpartition("@") for one in request.form.getlist("move")]
            moved = {(source, sku): _units(f"from:{sku}") for sku, _, source in picked}
            made = drafts.draft_transfers(runtime, moved, to, person=caller().actor, key=key)
        else:
            bought = {sku: _units(f"units:{sku}") for sku in request.form.getlist("buy")}
            made = drafts.draft_purchases(runtime, bought, to, person=caller().actor, key=key)
    except NotDoneError as error:
        return _page(str(error)), 422
    _forget()
    flash(f"Drafted: {', '.join(made.numbers)}.", "done")
    for words in made.warnings:
        flash(words, "error")
    if request.form.get("how") == "move":
        return redirect(url_for("transfers.listing"))
    return redirect(url_for("purchasing.listing", status="draft"))


def _units(name: str) -> int:
    text = request.form.get(name, "").strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise NotDoneError(f"{text!r} is no number of units")
    return int(text)


@blueprint.post("/policy")
def policy() -> Any:
    """How an article is kept."""
    given = {name: request.form.get(name, "").strip() for name in POLICY}
    sku, place = request.form.get("sku", "").strip()[:120], request.form.get("place", "")[:40]
    try:
        values = {name: _units(name) for name in POLICY if given[name]}
        sell.set_policy(console().runtime, sku, place, person=caller().actor, **values)
    except NotDoneError as error:
        return _page(str(error)), 422
    _forget()
    flash(f"{sku} is kept so from now on.", "done")
    return redirect(url_for("reorder.listing", location=request.form.get("location", "")[:40] or None))


def _forget() -> None:
    for name in [name for name in console().cached if name.startswith("reorder:")]:
        console().cached.pop(name, None)


@blueprint.errorhandler(UnknownPlaceError)
def _gone(_error: Exception) -> Any:
    return missing()
