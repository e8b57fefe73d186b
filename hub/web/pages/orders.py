"""Orders: the list, one order, its raw data, its labels, and what may be done to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from hub import schemas
from hub.domain import changes
from hub.domain.holds import REASONS as HOLD_REASONS
from hub.domain.rejections import REASONS
from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store import catalog, connections, shipments
from hub.store.database import Tx
from hub.store.views import holds as holds_view
from hub.store.views import order as order_view
from hub.store.views import orders as orders_view
from hub.store.views.lots import left_with
from hub.store.views.order import OrderDetail, UnknownOrderError
from hub.store.views.orders import OrderQuery
from hub.web.answers import missing
from hub.web.context import caller, console
from hub.web.pages.next_step import next_step

blueprint = Blueprint("orders", __name__, url_prefix="/orders")

TABS: tuple[tuple[orders_view.Only, str], ...] = (
    ("", "All"),
    ("open", "Open"),
    ("on_hold", "On hold"),
    ("overdue", "Overdue holds"),
    ("backordered", "Backordered"),
    ("in_fulfilment", "In fulfilment"),
    ("completed", "Completed"),
    ("cancelled", "Cancelled"),
)
COUNTED = 1000  # above this a tab says "1000+"
PER_PAGE = 50


@blueprint.get("/")
def listing() -> Any:
    query = _query()
    with console().runtime.db.read() as tx:
        page = orders_view.find(tx, query)
        counts = _counts(tx, query)
        channels = connections.every(tx)
        hold_kinds = holds_view.kinds(tx)
    return render_template(
        "orders/list.html",
        page=page,
        query=query,
        tabs=TABS,
        counts=counts,
        counted=COUNTED,
        channels=channels,
        hold_kinds=hold_kinds,
        now=console().runtime.clock(),
    )


def _query() -> OrderQuery:
    only = request.args.get("only", "")
    if only not in orders_view.FILTERS:
        abort(404)
    return OrderQuery(
        text=request.args.get("q", "")[:200],
        only=only,
        connection_id=request.args.get("channel", "")[:36],
        hold_kind=request.args.get("hold", "")[:32],
        now=console().runtime.clock(),
        after=request.args.get("after", "")[:500],
        limit=PER_PAGE,
    )


def _counts(tx: Tx, query: OrderQuery) -> dict[str, int]:
    """How many orders each tab would show for the same search."""
    bare = replace(query, after="")
    return {only: orders_view.count(tx, replace(bare, only=only), COUNTED + 1) for only, _ in TABS}


@blueprint.get("/<order_id>")
def show(order_id: str) -> Any:
    detail = detail_of(order_id)
    with console().runtime.db.read() as tx:
        left = left_with(tx, order_id)
        counters = [one.code for one in catalog.locations(tx) if one.picks_up and one.active]
    return render_template(
        "orders/show.html",
        order=detail,
        left=left,
        counters=counters,
        reasons=REASONS.values(),
        hold_kinds=HOLD_REASONS,
        channel_says=_channel_says(detail),
        now=console().runtime.clock(),
        step=next_step(detail),
        shows_contact=caller().may("ops"),
        tab="order",
    )


@blueprint.get("/<order_id>/raw")
def raw(order_id: str) -> Any:
    return render_template("orders/raw.html", order=detail_of(order_id), tab="raw")


@blueprint.get("/<order_id>/labels/<package_id>")
def label(order_id: str, package_id: str) -> Response:
    """A label as a file: it is never shown inside the console, and nothing in it may run."""
    package = next(
        (one for ship in detail_of(order_id).shipments for one in ship.packages if one.id == package_id), None
    )
    with console().runtime.db.read() as tx:
        found = shipments.label(tx, package_id) if package is not None else None
    if found is None or package is None:
        abort(404)
    content, kind = found
    suffix = kind.lower() if kind.isalnum() else "bin"
    number = "".join(mark for mark in package.tracking_number or package.id if mark.isalnum() or mark == "-")
    response = Response(content, content_type=_TYPES.get(suffix, "application/octet-stream"))
    response.headers["Content-Disposition"] = f'attachment; filename="label-{number}.{suffix}"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


_TYPES = {"pdf": "application/pdf", "png": "image/png", "zpl": "text/plain; charset=utf-8"}


def detail_of(order_id: str) -> OrderDetail:
    with console().runtime.db.read() as tx:
        try:
            return order_view.detail(tx, order_id)
        except UnknownOrderError:
            abort(404)


def _channel_says(detail: OrderDetail) -> list[str]:
    """What the channel still says otherwise than the order here."""
    if detail.channel_document is None:
        return []
    return changes.differences(*(schemas.parse("order.v1", one) for one in (detail.channel_document, detail.document)))


@blueprint.post("/<order_id>/cancel")
def cancel(order_id: str) -> Any:
    reason = request.form.get("reason", "").strip()[:200]
    done = operate.cancel_order(console().runtime, order_id, reason, person=caller().actor)
    said = "What had not left is cancelled; what was handed over is asked back." if done else "It was cancelled before."
    flash(said, "done")
    return back(order_id)


@blueprint.errorhandler(NotDoneError)
def not_done(error: NotDoneError) -> Any:
    """An action that makes no sense as things stand: back to the order, with the reason."""
    order_id = (request.view_args or {}).get("order_id", "")
    with console().runtime.db.read() as tx:
        known = bool(orders_view.rows_of(tx, [order_id]))
    if not known:
        return missing()
    flash(f"{str(error)[:1].upper()}{str(error)[1:]}.", "error")
    return back(order_id)


def back(order_id: str) -> Any:
    return redirect(url_for("orders.show", order_id=order_id))
