"""Stock: what lies where, what each channel was told and when, and how it came to be."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.flows.operate.files import whole
from hub.store import catalog
from hub.store.database import new_id
from hub.store.views import stock as stock_view
from hub.store.views.stock import StockQuery, UnknownArticleError
from hub.web.answers import missing
from hub.web.context import caller, console

blueprint = Blueprint("stock", __name__, url_prefix="/stock")

PER_PAGE = 50


@blueprint.get("/")
def listing() -> Any:
    query = StockQuery(
        text=request.args.get("q", "")[:200],
        location_id=request.args.get("location", "")[:36],
        short=bool(request.args.get("short")),
        after=request.args.get("after", "")[:500],
        limit=PER_PAGE,
    )
    with console().runtime.db.read() as tx:
        page = stock_view.find(tx, query, console().runtime.clock())
        locations = catalog.locations(tx)
    places = sorted({one.location for row in page.rows for one in row.positions})
    return render_template("stock/list.html", page=page, query=query, locations=locations, places=places)


@blueprint.get("/<path:sku>")
def show(sku: str) -> Any:
    return _page(sku)


def _page(sku: str, error: str = "", given: dict[str, str] | None = None) -> str:
    with console().runtime.db.read() as tx:
        row = stock_view.article(tx, sku, console().runtime.clock())
        moves = stock_view.ledger(tx, sku, request.args.get("after", "")[:500])
        locations = catalog.locations(tx)
    # The key makes a form count once, however often it is sent.
    return render_template(
        "stock/show.html", row=row, moves=moves, locations=locations, error=error, given=given or {}, key=new_id()
    )


@blueprint.post("/<path:sku>")
def adjust(sku: str) -> Any:
    given = {name: request.form.get(name, "").strip()[:200] for name in ("location", "units", "how", "reason")}
    units = whole(given["units"])
    if units is None:
        return _page(sku, "Enter whole units, such as 12 or -3.", given), 422
    if not given["reason"]:
        return _page(sku, "Say why: the ledger keeps the reason for ever.", given), 422
    # A figure is one of what lay there when the page was opened; a change is right whatever lies there now.
    seen = whole(request.form.get(f"seen:{given['location']}", "0"))
    wanted = {"set_to": units, "expected": seen} if given["how"] == "set" else {"change": units}
    try:
        done = operate.adjust_stock(
            console().runtime,
            sku,
            given["location"],
            person=caller().actor,
            reason=given["reason"],
            key=request.form.get("key", ""),
            **wanted,
        )
    except NotDoneError as error:
        return _page(sku, str(error), given), 422
    flash(f"{sku} at {given['location']}: {done.before} is now {done.after}.", "done")
    return redirect(url_for("stock.show", sku=sku))


@blueprint.errorhandler(UnknownArticleError)
def _gone(_error: Exception) -> Any:
    return missing()
