"""Problems: everything that stands still, grouped, with what to do about it. Nothing has a second hiding place."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store import connections
from hub.store.views import doors, problems
from hub.store.views import order as order_view
from hub.store.views.doors import InboxDetail, OutboxDetail, UnknownRowError
from hub.store.views.order import LineView, UnknownOrderError
from hub.store.views.orders import rows_of
from hub.store.views.problems import Problem
from hub.web.answers import missing
from hub.web.context import caller, console

blueprint = Blueprint("trouble", __name__, url_prefix="/problems")

SHOWN_ORDERS = 20
_OF_ARRIVALS = ("trouble.replay", "trouble.set_aside")


@blueprint.get("/")
def listing() -> Any:
    runtime, only = console().runtime, request.args.get("connection", "")[:36]
    with runtime.db.read() as tx:
        found = problems.find(tx, runtime.clock(), connection_id=only)
        channels = connections.every(tx)
    yours = [one for one in found if one.move == "yours"]
    theirs = [one for one in found if one.move != "yours"]
    return render_template("trouble/list.html", yours=yours, theirs=theirs, channels=channels, only=only)


@blueprint.get("/<fingerprint>")
def show(fingerprint: str) -> Any:
    runtime = console().runtime
    with runtime.db.read() as tx:
        found = problems.by_fingerprint(tx, runtime.clock(), fingerprint)
        if found is None:
            return render_template("trouble/gone.html"), 404
        orders = list(rows_of(tx, found.order_ids[:SHOWN_ORDERS]).values())
        sample: InboxDetail | OutboxDetail | None = None
        line: LineView | None = None
        if found.kind == "inbox":
            sample = doors.inbox_row(tx, found.ids[0])
        elif found.kind == "outbox":
            sample = doors.outbox_row(tx, found.ids[0])
        elif found.kind == "hold" and found.what == "unmapped" and orders:
            line = _unlinked(order_view.detail(tx, found.order_ids[0]).lines, found.error)
    first = next((one for one in orders if one.id == found.order_ids[0]), None) if orders else None
    return render_template(
        "trouble/show.html", problem=found, orders=orders, sample=sample, line=line, first=first, may=_may(found)
    )


def _unlinked(lines: tuple[LineView, ...], reason: str) -> LineView | None:
    """The line that the hold is about: its reason begins with what the channel calls it."""
    waiting = [one for one in lines if one.ships and one.variant_id is None]
    about = (one for one in waiting if reason.startswith((one.sku or one.title or one.external_id) + " "))
    return next(about, waiting[0] if waiting else None)


def _may(problem: Problem) -> dict[str, bool]:
    """What can be done about a problem by a button."""
    return {
        "replay": problem.kind == "inbox",
        "retry": problem.kind == "outbox" and problem.error_code != "" and not _is_unknown(problem),
        "resolve": problem.kind == "outbox" and _is_unknown(problem),
    }


def _is_unknown(problem: Problem) -> bool:
    with console().runtime.db.read() as tx:
        return doors.outbox_row(tx, problem.ids[0]).row.status == "unknown"


@blueprint.get("/arrivals/<row_id>")
def arrival(row_id: str) -> Any:
    with console().runtime.db.read() as tx:
        found = doors.inbox_row(tx, row_id)
        order = rows_of(tx, [found.row.entity_id]).get(found.row.entity_id) if found.row.entity_id else None
    return render_template("trouble/arrival.html", found=found, row=found.row, order=order)


@blueprint.get("/deliveries/<row_id>")
def delivery(row_id: str) -> Any:
    with console().runtime.db.read() as tx:
        found = doors.outbox_row(tx, row_id)
    return render_template("trouble/delivery.html", found=found, row=found.row)


@blueprint.post("/replay")
def replay() -> Response:
    """Handle arrivals again: those named, or all that a problem is made of."""
    done = operate.replay(console().runtime, ids=_chosen("inbox"), person=caller().actor)
    flash(f"{_rows(len(done))} handled again. What still fails comes back here.", "done")
    return _back()


@blueprint.post("/set-aside")
def set_aside() -> Response:
    reason = request.form.get("reason", "").strip()[:200]
    done = operate.dismiss(console().runtime, _chosen("inbox"), person=caller().actor, reason=reason)
    flash(f"{_rows(len(done))} set aside. They can still be read and replayed.", "done")
    return _back()


@blueprint.post("/deliveries/set-aside")
def close() -> Response:
    """Do nothing any more about messages that were given up or refused."""
    reason = request.form.get("reason", "").strip()[:200]
    done = operate.set_aside(console().runtime, _chosen("outbox"), person=caller().actor, reason=reason)
    if done.done:
        flash(f"{_rows(len(done.done))} set aside. They can still be read and sent.", "done")
    for why in sorted({why for _, why in done.refused}):
        units = sum(1 for _, other in done.refused if other == why)
        flash(f"{_rows(units)} not set aside: {why}.", "error")
    return _back()


@blueprint.post("/retry")
def retry() -> Response:
    done = operate.retry(console().runtime, _chosen("outbox"), person=caller().actor)
    if done.sent:
        flash(f"{_rows(len(done.sent))} sent again.", "done")
    for reason in sorted({reason for _, reason in done.refused}):
        units = sum(1 for _, why in done.refused if why == reason)
        flash(f"{_rows(units)} not sent: {reason}.", "error")
    return _back()


@blueprint.post("/deliveries/<row_id>/resolve")
def resolve(row_id: str) -> Response:
    """A person has looked it up at the vendor and says what became of it."""
    entered = {
        name: request.form.get(name, "").strip()[:120]
        for name in ("external_id", "number", "tracking_number", "carrier")
    }
    happened = request.form.get("happened")
    if happened not in ("yes", "no"):
        flash("Say whether it happened.", "error")
        return redirect(url_for("trouble.delivery", row_id=row_id))
    again = operate.resolve(console().runtime, row_id, happened=happened == "yes", person=caller().actor, **entered)
    follows = "Everything that follows from it is done." if happened == "yes" else "Nobody wants it any more."
    flash(f"Noted. {'It is sent again.' if again else follows}", "done")
    return redirect(url_for("trouble.delivery", row_id=row_id))


@blueprint.post("/link")
def link() -> Response:
    """Say which article of ours a line of an order is; every order that waits for it is handled again."""
    runtime, form = console().runtime, request.form
    try:
        with runtime.db.read() as tx:
            detail = order_view.detail(tx, form.get("order_id", ""))
    except UnknownOrderError:
        abort(404)
    line = next((one for one in detail.lines if one.id == form.get("line_id")), None)
    if line is None:
        abort(404)
    pack = form.get("pack_size", "1").strip()
    if not pack.isdecimal() or not 1 <= int(pack[:6]) <= 10_000:
        raise NotDoneError("the units in one pack are a whole number from 1 to 10,000")
    listing = "" if line.sku else _listing_of(detail.document, line.external_id)
    done = operate.link_sku(
        runtime,
        detail.row.connection_id,
        line.sku,
        person=caller().actor,
        article=form.get("sku", "").strip()[:120],
        external_id=listing,
        title=line.title,
        pack_size=int(pack),
        create=form.get("make") == "yes",
    )
    units = len(done.order_ids)
    flash(f"Linked to {done.article}. {units} {'order goes' if units == 1 else 'orders go'} on.", "done")
    return redirect(url_for("orders.show", order_id=detail.row.id))


def _listing_of(document: dict[str, Any], line_id: str) -> str:
    """The channel's listing of a line that has no SKU."""
    lines = {line.get("external_id"): line.get("external_variant_id") for line in document.get("lines", ())}
    return str(lines.get(line_id) or "")


def _chosen(kind: str) -> tuple[str, ...]:
    """The rows a form is about: one by its id, or all of a problem by its fingerprint."""
    if request.form.get("id"):
        return (request.form["id"][:36],)
    runtime = console().runtime
    with runtime.db.read() as tx:
        found = problems.by_fingerprint(tx, runtime.clock(), request.form.get("problem", ""))
    return found.ids if found is not None and found.kind == kind else ()


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count} rows are"


def _back() -> Response:
    row_id = request.form.get("id", "")[:36]
    if row_id and request.form.get("stay"):
        return redirect(
            url_for(f"trouble.{'arrival' if request.endpoint in _OF_ARRIVALS else 'delivery'}", row_id=row_id)
        )
    return redirect(url_for("trouble.listing"))


@blueprint.errorhandler(UnknownRowError)
def _gone(_error: UnknownRowError) -> Any:
    return missing()


@blueprint.errorhandler(NotDoneError)
def _not_done(error: NotDoneError) -> Any:
    flash(f"{str(error)[:1].upper()}{str(error)[1:]}.", "error")
    row_id = (request.view_args or {}).get("row_id")
    if row_id:
        return redirect(url_for("trouble.delivery", row_id=row_id))
    if request.form.get("order_id"):
        return redirect(url_for("orders.show", order_id=request.form["order_id"][:36]))
    return redirect(url_for("trouble.listing"))
