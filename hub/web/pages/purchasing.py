"""Purchase orders: what is on order, what arrived of it, and what was said of its days."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from hub.domain.money import to_decimal
from hub.domain.purchasing import CHANGES_DATES, CONDITIONS, MOVES, OPEN, TAKES_GOODS
from hub.flows.operate import NotDoneError
from hub.flows.operate import purchasing as buy
from hub.flows.operate.files import whole
from hub.flows.operate.purchasing import Confirmed, Delivered, Wanted
from hub.store import catalog, suppliers
from hub.store.database import new_id
from hub.store.purchasing import LineState, PurchaseState, UnknownPurchaseError
from hub.store.views import supply as supply_view
from hub.store.views.supply import PurchaseQuery
from hub.web.answers import missing
from hub.web.context import caller, console

blueprint = Blueprint("purchasing", __name__, url_prefix="/purchase-orders")

PER_PAGE = 50
TABS = (("open", "To come"), ("draft", "Drafts"), ("received", "Received"), ("", "All"))
FIELDS = ("supplier", "location", "lines", "expected_on", "over_percent", "note")


@blueprint.get("/")
def listing() -> Any:
    query = PurchaseQuery(
        request.args.get("q", "")[:120],
        request.args.get("status", "open")[:20],
        request.args.get("after", "")[:500],
        PER_PAGE,
    )
    with console().runtime.db.read() as tx:
        page, counts = supply_view.purchases(tx, query), supply_view.counts(tx)
    many = {"open": sum(counts.get(one, 0) for one in OPEN), "": sum(counts.values())}
    tabs = [(status, name, many.get(status, counts.get(status, 0))) for status, name in TABS]
    return render_template("supply/purchases.html", page=page, query=query, tabs=tabs)


@blueprint.get("/new")
def new() -> Any:
    return _form({name: request.args.get(name, "")[:2000] for name in FIELDS})


@blueprint.post("/new")
def add() -> Any:
    given = {name: request.form.get(name, "").strip()[:20_000] for name in FIELDS}
    try:
        made = buy.draft_purchase(
            console().runtime,
            given["supplier"],
            given["location"],
            _lines(given["lines"]),
            person=caller().actor,
            expected_on=_day(given["expected_on"]),
            over_percent=_whole(given["over_percent"] or "0"),
            note=given["note"],
            key=request.form.get("key", ""),
        )
    except NotDoneError as error:
        return _form(given, str(error)), 422
    flash(f"{made} is drafted. Check it, then order it.", "done")
    return redirect(url_for("purchasing.show", number=made))


def _form(given: dict[str, str], error: str = "") -> str:
    with console().runtime.db.read() as tx:
        sellers = [one for one in suppliers.every(tx) if one.active]
        places = [one for one in catalog.locations(tx) if one.active]
    return render_template(
        "supply/purchase_new.html", given=given, error=error, suppliers=sellers, locations=places, key=new_id()
    )


def _lines(text: str) -> list[Wanted]:
    """Lines such as "MUG 12". Raises NotDoneError."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        sku, _, units = line.replace(";", " ").replace("\t", " ").rpartition(" ")
        if not sku:
            raise NotDoneError(f"write {line!r} as a SKU and units, such as MUG 12")
        found.append(Wanted(sku.strip(), _whole(units)))
    if not found:
        raise NotDoneError("write at least one line, such as MUG 12")
    return found


def _whole(text: str) -> int:
    """Raises NotDoneError."""
    found = whole(text)
    if found is None:
        raise NotDoneError(f"{text!r} is no whole number")
    return found


def _day(text: str) -> date | None:
    """Raises NotDoneError."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise NotDoneError(f"{text!r} is no day; write it as 2026-09-01") from error


@blueprint.get("/<number>")
def show(number: str) -> Any:
    return _page(number)


def _page(number: str, error: str = "") -> str:
    with console().runtime.db.read() as tx:
        found = supply_view.purchase(tx, number)
        seller = suppliers.get(tx, found.order.supplier_id)
    status = found.order.status
    return render_template(
        "supply/purchase.html",
        found=found,
        order=found.order,
        seller=seller,
        error=error,
        given=request.form,
        key=new_id(),
        takes_goods=status in TAKES_GOODS,
        moves_dates=status in CHANGES_DATES,
        next=MOVES[status],
    )


@blueprint.get("/<number>/lines.csv")
def lines_csv(number: str) -> Any:
    with console().runtime.db.read() as tx:
        found = supply_view.purchase(tx, number)
        theirs = {one.variant_id: one.supplier_sku for one in suppliers.items(tx, found.order.supplier_id)}
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(("sku", "supplier_sku", "title", "units", "received", "to_come", "cost", "currency", "promise_on"))
    for one in found.order.lines:
        cost = to_decimal(one.cost_minor, found.order.currency)
        out.writerow(
            (_cell(one.sku), _cell(theirs.get(one.variant_id, "")), _cell(one.title), one.ordered, one.received,
             one.open, cost, found.order.currency, one.promise_on or "")
        )  # fmt: skip
    name = f"{found.order.number}.csv".replace('"', "")
    return Response(
        text.getvalue(), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


@blueprint.post("/<number>/lines")
def change(number: str) -> Any:
    lines = request.form.get("lines", "")[:20_000]
    return _do(
        number,
        lambda: buy.change_purchase(console().runtime, number, _lines(lines), person=caller().actor),
        "The draft is changed.",
    )


@blueprint.post("/<number>/order")
def place(number: str) -> Any:
    return _do(
        number,
        lambda: buy.place_purchase(console().runtime, number, person=caller().actor),
        f"{number} is ordered; its units are incoming.",
    )


@blueprint.post("/<number>/acknowledge")
def acknowledge(number: str) -> Any:
    def work() -> None:
        order = _order(number)
        given = [(line.sku, _field("units", line), _field("due", line)) for line in order.lines]
        said = [
            Confirmed(sku, _whole(units) if units else None, _day(due)) for sku, units, due in given if units or due
        ]
        buy.acknowledge(console().runtime, number, said, person=caller().actor, reason="as confirmed")

    return _do(number, work, "The confirmation is noted.")


@blueprint.post("/<number>/dates")
def dates(number: str) -> Any:
    def work() -> None:
        day, reason = _day(request.form.get("to", "").strip()), request.form.get("reason", "").strip()[:200]
        if day is None or not reason:
            raise NotDoneError("give the new day and say why")
        days = {request.form.get("sku", "")[:120]: day}
        buy.move_dates(console().runtime, number, days, person=caller().actor, reason=reason)

    return _do(number, work, "The days are moved. Customers whose promise changed are under Waiting orders.")


@blueprint.post("/<number>/receive")
def receive(number: str) -> Any:
    def work() -> None:
        rows = None
        if "all" not in request.form:
            rows = [row for line in _order(number).lines for row in _delivered(line)]
        receipt = request.form.get("key", "")
        buy.receive_purchase(console().runtime, number, rows, person=caller().actor, receipt=receipt)

    return _do(number, work, "The goods are booked, and go to the orders that wait for them.")


def _delivered(line: LineState) -> list[Delivered]:
    serials, used, found = _field("serials", line).split(), 0, []
    for condition in CONDITIONS:
        units = _field(condition, line)
        count = _whole(units) if units else 0
        if count:
            mine = () if condition == "sent_back" else tuple(serials[used : used + count])
            used += len(mine)
            lot = "" if condition == "sent_back" else _field("lot", line)
            found.append(Delivered(line.sku, count, condition, lot, _day(_field("expires_on", line)), mine))
    if len(serials) > used:
        raise NotDoneError(f"{line.sku}: {len(serials)} serial numbers are given for {used} units")
    return found


def _field(name: str, line: LineState) -> str:
    return request.form.get(f"{name}:{line.id}", "").strip()[:4000]


def _order(number: str) -> PurchaseState:
    with console().runtime.db.read() as tx:
        return supply_view.purchase(tx, number).order


@blueprint.post("/<number>/cancel")
def cancel(number: str) -> Any:
    reason = request.form.get("reason", "").strip()[:200]
    return _do(
        number,
        lambda: buy.cancel_purchase(console().runtime, number, reason, person=caller().actor),
        f"{number} is cancelled.",
    )


@blueprint.post("/<number>/close-short")
def close_short(number: str) -> Any:
    reason = request.form.get("reason", "").strip()[:200]
    return _do(
        number,
        lambda: buy.close_purchase_short(console().runtime, number, reason, person=caller().actor),
        f"{number} is closed short.",
    )


@blueprint.post("/<number>/close")
def close(number: str) -> Any:
    return _do(
        number,
        lambda: buy.close_purchase(console().runtime, number, person=caller().actor),
        f"{number} is closed.",
    )


def _do(number: str, work: Callable[[], Any], said: str) -> Any:
    _order(number)
    try:
        work()
    except NotDoneError as error:
        return _page(number, str(error)), 422
    flash(said, "done")
    return redirect(url_for("purchasing.show", number=number))


@blueprint.errorhandler(UnknownPurchaseError)
def _gone(_error: Exception) -> Any:
    return missing()
