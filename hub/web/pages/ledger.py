"""The ledger's own pages: moves by hand, reservations, stock files, audits, and what is oversold."""

from __future__ import annotations

import base64
import io
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.domain.feeds import FILE_PERCENT, emptying
from hub.domain.stock_states import MEANING, OUTSIDE, REASONS, STATES, reason_text
from hub.flows import operate, stock_care
from hub.flows.operate import ImportRow, NotDoneError, ReserveLine, RowResult, stock_file
from hub.flows.operate.files import text_of
from hub.flows.operate.oversold import reroute as reroute_orders
from hub.store import audits, catalog
from hub.store.database import new_id
from hub.store.views import oversold, past
from hub.store.views import reservations as reservation_view
from hub.store.views.reservations import ReservationQuery
from hub.store.views.stock import StockQuery
from hub.web.context import caller, console

blueprint = Blueprint("ledger", __name__, url_prefix="/stock-ledger")

BY_HAND = [state for state in STATES if state not in ("committed", "reserved")]
MOST_BYTES = 700_000  # of a file; larger ones go by the command line or the API
SHOWN_ROWS = 200
OWNERS = {"": "Any", "order_line": "Orders", "checkout": "Checkouts", "transfer": "Transfers", "person": "People"}
RESERVED = {"active": "Active", "converted": "Taken", "released": "Let go", "expired": "Ran out", "": "All"}


@blueprint.get("/reservations")
def reservations() -> Any:
    return _reservations({})


def _reservations(given: dict[str, str], error: str = "") -> str:
    query = ReservationQuery(
        state=request.args.get("state", "active")[:12],
        owner_type=request.args.get("owner_type", "")[:16],
        owner=request.args.get("owner", "")[:80],
        sku=request.args.get("sku", "")[:120],
        after=request.args.get("after", "")[:500],
    )
    with console().runtime.db.read() as tx:
        page = reservation_view.find(tx, query)
        locations = catalog.locations(tx)
    return render_template(
        "ledger/reservations.html", page=page, query=query, locations=locations, states=RESERVED, owners=OWNERS,
        given=given, error=error, key=new_id(), peoples=("checkout", "person"),
    )  # fmt: skip


@blueprint.post("/reservations")
def reserve() -> Any:
    given = {name: request.form.get(name, "").strip()[:120] for name in ("sku", "units", "owner", "location", "hours")}
    if not given["units"].isdecimal() or (given["hours"] and not given["hours"].isdecimal()):
        return _reservations(given, "Enter units and hours as whole numbers."), 422
    until = timedelta(hours=int(given["hours"][:6])) if given["hours"] else None
    try:
        operate.reserve(
            console().runtime,
            [ReserveLine(given["sku"], int(given["units"]), given["location"])],
            ("person", given["owner"]),
            person=caller().actor,
            expires_in=until,
            key=request.form.get("key", ""),
        )
    except NotDoneError as error:
        return _reservations(given, _sentence(error)), 422
    flash(f"{given['units']} units of {given['sku']} are kept for {given['owner']}.", "done")
    return redirect(url_for("ledger.reservations"))


@blueprint.post("/reservations/release")
def release() -> Response:
    try:
        operate.release_reservations(
            console().runtime, [request.form.get("id", "")[:36]], person=caller().actor, reason="released by hand"
        )
        flash("The reservation is released; its units are free again.", "done")
    except NotDoneError as error:
        flash(_sentence(error), "error")
    return redirect(url_for("ledger.reservations"))


@blueprint.get("/move")
def move_form() -> Any:
    return _move({"sku": request.args.get("sku", "")[:120], "location": request.args.get("location", "")[:40]})


def _move(given: dict[str, str], error: str = "") -> str:
    with console().runtime.db.read() as tx:
        locations = catalog.locations(tx)
    return render_template(
        "ledger/move.html", given=given, error=error, locations=locations, states=[*BY_HAND, OUTSIDE], reasons=REASONS,
        meaning=MEANING, key=new_id(),
    )  # fmt: skip


@blueprint.post("/move")
def move() -> Any:
    names = ("sku", "location", "units", "source", "target", "reason", "note", "lot")
    given = {name: request.form.get(name, "").strip()[:200] for name in names}
    if not given["units"].isdecimal():
        return _move(given, "Enter whole units, such as 2."), 422
    allowed = {**{state: state for state in BY_HAND}, "reserved": "reserved", OUTSIDE: None}
    if given["source"] not in allowed or given["target"] not in allowed:
        return _move(given, "Choose where the units are and where they go."), 422
    try:
        operate.move_stock(
            console().runtime,
            given["sku"],
            given["location"],
            int(given["units"]),
            allowed[given["source"]],
            allowed[given["target"]],
            person=caller().actor,
            reason=reason_text(given["reason"], given["note"]),
            lot=given["lot"],
            key=request.form.get("key", ""),
        )
    except NotDoneError as error:
        return _move(given, _sentence(error)), 422
    flash(f"{given['units']} units of {given['sku']} at {given['location']} are moved.", "done")
    return redirect(url_for("stock.show", sku=given["sku"]))


@blueprint.get("/import")
def import_form() -> Any:
    return render_template("ledger/import.html", rows=None, error="", create=False, reason="")


@blueprint.post("/import")
def import_file() -> Any:
    """A file is shown as it would be booked; what is shown is then booked as it is."""
    create, reason = bool(request.form.get("create")), request.form.get("reason", "").strip()[:200] or "import"
    packed = request.form.get("packed", "")
    try:
        content = _unpacked(packed) if packed else _uploaded()
        rows = list(stock_file.read_rows(io.StringIO(text_of(content), newline="")))
    except (NotDoneError, ValueError, zlib.error) as error:
        said = _sentence(error) if isinstance(error, NotDoneError) else "Choose the file once more."
        return _import_again(said, create, reason)
    try:
        results = _booked(rows, content, reason, create=create, dry_run=not packed)
    except NotDoneError as error:
        return render_template(
            "ledger/import.html", rows=None, error=_sentence(error), create=create, reason=reason
        ), 422
    counts = {status: sum(one.status == status for one in results) for status in ("changed", "unchanged", "error")}
    shown = sorted(results, key=lambda one: one.status != "error")[:SHOWN_ROWS]
    return render_template(
        "ledger/import.html", rows=shown, counts=counts, total=len(results), booked=bool(packed), create=create,
        reason=reason, packed=_packed(content), error="", doubt=_doubt(results),
    )  # fmt: skip


def _import_again(error: str, create: bool, reason: str) -> tuple[str, int]:
    """The form once more, with what was wrong."""
    return render_template("ledger/import.html", rows=None, error=error, create=create, reason=reason), 422


def _doubt(results: list[RowResult]) -> str:
    """Why a person should look twice before the rows are booked; empty when there is nothing odd."""
    found = emptying((one.before, one.after) for one in results if one.before is not None and one.after is not None)
    return found.said() if found.is_implausible(FILE_PERCENT) else ""


def _booked(rows: list[ImportRow], content: bytes, reason: str, *, create: bool, dry_run: bool) -> list[RowResult]:
    key = stock_file.key_of(content) if rows and rows[0].is_change else ""
    return operate.import_stock(
        console().runtime,
        rows,
        person=caller().actor,
        reason=reason,
        key=key,
        create_articles=create,
        dry_run=dry_run,
        accept_emptying=bool(request.form.get("accept_emptying")),
    )


def _uploaded() -> bytes:
    file = request.files.get("file")
    content = file.read(MOST_BYTES + 1) if file is not None else b""
    if not content:
        raise NotDoneError("choose a file first")
    if len(content) > MOST_BYTES:
        raise NotDoneError("the file is larger than 700 kB: use `orderhub stock import` or the API")
    return content


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


def _unpacked(text: str) -> bytes:
    opened = zlib.decompressobj()
    content = opened.decompress(base64.b64decode(text, validate=True), MOST_BYTES)
    if opened.unconsumed_tail:
        raise NotDoneError("the file is larger than 700 kB")
    return content


@blueprint.get("/audits")
def audit_list() -> Any:
    with console().runtime.db.read() as tx:
        found = audits.recent(tx)
    return render_template("ledger/audits.html", found=found, said=audits.said)


@blueprint.post("/audits")
def audit() -> Response:
    found = stock_care.audit(console().runtime, actor=caller().actor)
    if found.is_right:
        flash(f"{found.positions} positions and {found.moves} moves were read. Everything adds up.", "done")
    else:
        flash("Something does not add up; nothing was changed.", "error")
    return redirect(url_for("ledger.audit_list"))


@blueprint.get("/past")
def past_stock() -> Any:
    text, error = request.args.get("at", "").strip()[:40], ""
    at = _moment(text) if text else console().runtime.clock()
    if at is None:
        at, error = console().runtime.clock(), "Write the moment as 2026-03-01 00:00 (UTC)."
    query = StockQuery(text=request.args.get("q", "")[:200], after=request.args.get("after", "")[:500])
    with console().runtime.db.read() as tx:
        page = past.find(tx, query, at)
    return render_template("ledger/past.html", page=page, query=query, at=at, text=text, error=error)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@blueprint.get("/oversold/<position_id>")
def short(position_id: str) -> Any:
    with console().runtime.db.read() as tx:
        found = oversold.find(tx, position_id)
    if not found:
        flash("Nothing is oversold there any more.", "done")
        return redirect(url_for("trouble.listing"))
    return render_template("ledger/oversold.html", found=found[0])


@blueprint.post("/oversold/<position_id>")
def reroute(position_id: str) -> Response:
    try:
        done = reroute_orders(
            console().runtime, position_id, person=caller().actor, fo_ids=frozenset(request.form.getlist("fo"))
        )
    except NotDoneError as error:
        flash(_sentence(error), "error")
        return redirect(url_for("ledger.short", position_id=position_id))
    if done.moved:
        flash(f"Routed anew: {', '.join(done.moved)}.", "done")
    if done.asked:
        flash(f"Asked back, to be routed when the place agrees: {', '.join(done.asked)}.", "done")
    return redirect(url_for("ledger.short", position_id=position_id))


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
