"""Transfers: the list, one, and its next step as buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.domain.transfers import CONDITIONS, MEANING, NEXT
from hub.flows.operate import NotDoneError
from hub.flows.operate import transfers as operate
from hub.flows.operate.files import whole
from hub.flows.operate.lots import expiry
from hub.flows.operate.transfers import Missing, Received
from hub.store import catalog
from hub.store.database import new_id
from hub.store.views import transfers as view
from hub.store.views.transfers import TransferQuery, UnknownTransferError
from hub.web.answers import missing
from hub.web.context import caller, console

blueprint = Blueprint("transfers", __name__, url_prefix="/transfers")

TABS = (("open", "Open"), ("received", "Received"), ("closed_short", "Closed short"), ("cancelled", "Cancelled"))


@blueprint.get("/")
def listing() -> Any:
    return _list()


def _list(error: str = "", given: dict[str, str] | None = None) -> str:
    wanted = request.args.get("status", "open")
    status = wanted if wanted in NEXT else "open"
    location = request.args.get("location", "")[:40]
    query = TransferQuery(status, location, request.args.get("after", "")[:500])
    with console().runtime.db.read() as tx:
        page = view.find(tx, query)
        locations = catalog.locations(tx)
    return render_template(
        "transfers/list.html",
        page=page,
        query=query,
        tabs=TABS,
        locations=locations,
        error=error,
        given=given or {name: request.args.get(name, "")[:5000] for name in ("source", "destination", "lines")},
        key=new_id(),
    )


@blueprint.post("/")
def add() -> Any:
    given = {name: request.form.get(name, "").strip()[:20_000] for name in ("source", "destination", "lines", "note")}
    try:
        number = operate.create_transfer(
            console().runtime,
            given["source"],
            given["destination"],
            read_lines(given["lines"]),
            person=caller().actor,
            note=given["note"][:1000],
            expected_on=expiry(request.form.get("expected_on", "")),
            key=request.form.get("key", ""),
        )
    except NotDoneError as error:
        return _list(f"{error}.", given), 422
    flash(f"{number} is written. Make it ready to keep its units.", "done")
    return redirect(url_for("transfers.show", number=number))


def read_lines(text: str) -> dict[str, int]:
    """Units by SKU from lines such as "MUG 12"; "MUG;12", "MUG,12" and "MUG=12" are the same. Raises NotDoneError."""
    found: dict[str, int] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        sku, _, units = line.replace("\t", " ").replace(";", " ").replace(",", " ").replace("=", " ").rpartition(" ")
        count = whole(units)
        if not sku.strip() or count is None or count < 0:
            raise NotDoneError(f"write {line[:80]!r} as SKU, a blank and whole units")
        found[sku.strip()] = found.get(sku.strip(), 0) + count
    return found


@blueprint.get("/<number>")
def show(number: str) -> Any:
    return _page(number)


def _page(number: str, error: str = "") -> str:
    with console().runtime.db.read() as tx:
        found = view.detail(tx, number)
    return render_template(
        "transfers/show.html",
        found=found,
        row=found.row,
        next=NEXT[found.row.status],
        meaning=MEANING[found.row.status],
        conditions=CONDITIONS,
        error=error,
        given=request.form,
        key=new_id(),
    )


def _done(number: str, act: Callable[[], object], said: str) -> Any:
    """Do a step, and show the transfer with what came of it."""
    try:
        act()
    except NotDoneError as error:
        return _page(number, f"{error}."), 422
    flash(said, "done")
    return redirect(url_for("transfers.show", number=number))


def _known(number: str) -> view.TransferDetail:
    with console().runtime.db.read() as tx:
        return view.detail(tx, number)


@blueprint.post("/<number>/lines")
def lines(number: str) -> Any:
    _known(number)
    text = request.form.get("lines", "")[:20_000]

    def change() -> None:
        operate.change_transfer(console().runtime, number, read_lines(text), person=caller().actor)

    return _done(number, change, "The lines are changed.")


@blueprint.post("/<number>/ready")
def ready(number: str) -> Any:
    _known(number)
    return _done(
        number,
        lambda: operate.make_ready(console().runtime, number, person=caller().actor),
        "Its units are kept at the source. Ship it when they leave.",
    )


@blueprint.post("/<number>/ship")
def ship(number: str) -> Any:
    found = _known(number)
    form = request.form

    def leave() -> None:
        units = {one.sku: _whole(form.get(f"units:{one.id}", "0"), one.sku) for one in found.lines}
        serials = {
            one.sku: form.get(f"serials:{one.id}", "").split() for one in found.lines if one.tracking == "serial"
        }
        operate.ship_transfer(
            console().runtime,
            number,
            person=caller().actor,
            units=units,
            serials=serials,
            carrier=form.get("carrier", "").strip(),
            tracking_number=form.get("tracking_number", "").strip(),
        )

    return _done(number, leave, "It is on its way; the destination expects its units.")


@blueprint.post("/<number>/receive")
def receive(number: str) -> Any:
    found = _known(number)

    def arrive() -> None:
        rows = None
        if "all" not in request.form:
            rows = [row for one in found.lines for row in _arrived(one)]
            rows += [Received(sku, units) for sku, units in read_lines(request.form.get("other", "")).items()]
        operate.receive_transfer(
            console().runtime, number, rows, person=caller().actor, receipt=request.form.get("key", "")
        )

    return _done(number, arrive, "The receipt is booked.")


def _arrived(one: view.TransferLineView) -> list[Received]:
    form = request.form
    lot = form.get(f"lot:{one.id}", "").strip()[:80]
    expires_on = expiry(form.get(f"expires:{one.id}", ""))
    serials = tuple(form.get(f"serials:{one.id}", "").split())
    found = []
    for condition in CONDITIONS:
        units = _whole(form.get(f"{condition}:{one.id}", "") or "0", one.sku)
        if units:
            found.append(Received(one.sku, units, condition, lot, expires_on, serials[:units]))
            serials = serials[units:]
    if serials:
        raise NotDoneError(f"{one.sku}: {len(serials)} serial numbers are given beyond the units")
    return found


@blueprint.post("/<number>/close")
def close(number: str) -> Any:
    found = _known(number)
    form = request.form

    def settle() -> None:
        rows = [
            Missing(
                one.sku,
                _whole(form.get(f"lost:{one.id}", "") or "0", one.sku),
                _whole(form.get(f"back:{one.id}", "") or "0", one.sku),
                tuple(form.get(f"back_serials:{one.id}", "").split()),
                tuple(form.get(f"lost_serials:{one.id}", "").split()),
            )
            for one in found.lines
            if one.line.expected
        ]
        operate.close_short(console().runtime, number, rows, person=caller().actor)

    return _done(number, settle, "It is closed short.")


@blueprint.post("/<number>/cancel")
def cancel(number: str) -> Any:
    _known(number)
    reason = request.form.get("reason", "").strip()[:200]
    return _done(
        number,
        lambda: operate.cancel_transfer(console().runtime, number, person=caller().actor, reason=reason),
        "It is cancelled.",
    )


def _whole(text: str, sku: str) -> int:
    if not text.strip().isdecimal() or len(text) > 9:
        raise NotDoneError(f"{sku}: enter whole units")
    return int(text)


@blueprint.errorhandler(UnknownTransferError)
def _gone(_error: Exception) -> Any:
    return missing()
