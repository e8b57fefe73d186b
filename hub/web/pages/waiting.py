"""Waiting orders: what waits for what since when, the day promised, and whose customers are to be told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.flows.operate import NotDoneError
from hub.flows.operate import waiting as wait
from hub.store.views import supply as supply_view
from hub.store.views.supply import WaitingQuery
from hub.web.context import caller, console

blueprint = Blueprint("waiting", __name__, url_prefix="/waiting")

PER_PAGE = 50
TABS = (
    ("", "All"),
    ("backorder", "Backorders"),
    ("preorder", "Pre-orders"),
    ("queue", "Queues"),
    ("to_tell", "To tell"),
)


@blueprint.get("/")
def listing() -> Any:
    return _page()


def _page(error: str = "") -> str:
    only = request.values.get("only", "")[:20]
    query = WaitingQuery(
        request.values.get("sku", "").strip()[:120],
        only if only in supply_view.WAITS else "",
        to_tell=only == "to_tell",
        after=request.values.get("after", "")[:500],
        limit=PER_PAGE,
    )
    with console().runtime.db.read() as tx:
        page, counts = supply_view.waiting(tx, query), supply_view.waiting_counts(tx)
    counts[""] = sum(counts.get(one, 0) for one in supply_view.WAITS)
    tabs = [(key, name, counts.get(key, 0)) for key, name in TABS]
    return render_template("supply/waiting.html", page=page, query=query, tabs=tabs, only=only, error=error)


@blueprint.post("/told")
def told() -> Any:
    lines = [one[:36] for one in request.form.getlist("line")]
    done = wait.mark_told(console().runtime, lines, person=caller().actor)
    flash(
        f"Noted for {done} lines." if done else "Tick the lines whose customers were told.", "done" if done else "error"
    )
    return _back()


@blueprint.post("/<order_id>/<line_id>/until")
def until(order_id: str, line_id: str) -> Any:
    text = request.form.get("day", "").strip()
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
        wait.set_cancel_date(console().runtime, order_id, line_id, at, person=caller().actor)
    except ValueError:
        return _page(f"{text!r} is no day; write it as 2026-09-01"), 422
    except NotDoneError as error:
        return _page(str(error)), 422
    flash("Noted.", "done")
    return _back()


@blueprint.post("/<order_id>/<line_id>/release")
def release(order_id: str, line_id: str) -> Any:
    try:
        wait.release_from_queue(console().runtime, order_id, line_id, person=caller().actor)
    except NotDoneError as error:
        return _page(str(error)), 422
    flash("The line is out of its queue.", "done")
    return _back()


def _back() -> Any:
    return redirect(url_for("waiting.listing", only=request.form.get("only", "")[:20] or None))
