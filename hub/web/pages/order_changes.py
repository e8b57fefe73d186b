"""Changes of an order: the form, the preview, and its confirmation."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from hub.domain.changes import AddLine, Ask, CancelOrder, SetMethod, SetQuantity, ShipTo
from hub.domain.money import to_minor
from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store import catalog
from hub.store import changes as change_store
from hub.store.changes import ChangeRow
from hub.store.views.order import OrderDetail
from hub.web.context import caller, console
from hub.web.pages.orders import back, detail_of, not_done

blueprint = Blueprint("changes", __name__, url_prefix="/orders")
blueprint.register_error_handler(NotDoneError, not_done)

ADDRESS_FIELDS = (
    ("name", "Name"),
    ("company", "Company"),
    ("line1", "Street and number"),
    ("line2", "Second line"),
    ("postal_code", "Postal code"),
    ("city", "Town"),
    ("region", "State or province"),
    ("country", "Country, two letters"),
    ("phone", "Telephone"),
    ("email", "E-mail"),
)


@blueprint.get("/<order_id>/change")
def edit(order_id: str) -> Any:
    return _form(detail_of(order_id))


@blueprint.post("/<order_id>/change")
def ask(order_id: str) -> Any:
    detail = detail_of(order_id)
    reason = request.form.get("reason", "").strip()[:200]
    try:
        if not reason:
            raise NotDoneError("say why the order is changed")  # noqa: TRY301 - one place tells what is wrong
        asked = operate.change_order(
            console().runtime, order_id, _asks(detail, reason), person=caller().actor, reason=reason
        )
    except NotDoneError as error:
        return _form(detail, f"{str(error)[:1].upper()}{str(error)[1:]}."), 422
    return redirect(url_for("changes.show", order_id=order_id, change_id=asked.id))


def _form(detail: OrderDetail, error: str = "") -> str:
    with console().runtime.db.read() as tx:
        counters = [one.code for one in catalog.locations(tx) if one.picks_up and one.active]
    shipped = {one.external_id: one.shipped for one in detail.lines}
    document = detail.document
    return render_template(
        "orders/edit.html",
        order=detail,
        lines=[{**one, "shipped": shipped.get(one["external_id"], 0)} for one in document["lines"]],
        address=document.get("shipping_address") or {},
        address_fields=ADDRESS_FIELDS,
        method=document.get("delivery_method", "ship"),
        taxes_included=document["totals"]["taxes_included"],
        counters=counters,
        given=request.form,
        error=error,
    )


def _asks(detail: OrderDetail, reason: str) -> list[Ask]:
    """What the form asks for, beyond how the order is. Raises NotDoneError for what cannot be read."""
    if request.form.get("cancel"):
        return [CancelOrder(reason)]
    asks: list[Ask] = []
    for line in detail.document["lines"]:
        wanted = request.form.get(f"line:{line['external_id']}", str(line["quantity"])).strip()
        if not wanted.isdecimal() or len(wanted) > 9:
            raise NotDoneError(f"{wanted!r} is no quantity")
        if int(wanted) != line["quantity"]:
            asks.append(SetQuantity(line["external_id"], int(wanted)))
    asks += _added(detail.document["currency"])
    asks += _address(detail.document.get("shipping_address") or {})
    method, _, location = request.form.get("method", "")[:60].partition(":")
    if method and (method, location) != (detail.document.get("delivery_method", "ship"), ""):
        asks.append(SetMethod(method, location))
    return asks


def _added(currency: str) -> list[Ask]:
    sku = request.form.get("add_sku", "").strip()[:120]
    if not sku:
        return []
    quantity = request.form.get("add_quantity", "1").strip()
    if not quantity.isdecimal() or len(quantity) > 9:
        raise NotDoneError(f"{quantity!r} is no quantity")
    try:
        price = to_minor(request.form.get("add_price", "").strip(), currency)
        tax = to_minor(request.form.get("add_tax", "").strip() or "0", currency)
    except ValueError as error:
        raise NotDoneError(f"say what one {sku} costs: {error}") from error
    return [AddLine("", sku, int(quantity), price, tax)]


def _address(before: dict[str, Any]) -> list[Ask]:
    typed = {name: request.form.get(f"to_{name}", "").strip()[:255] for name, _ in ADDRESS_FIELDS}
    if all(text == str(before.get(name, "")) for name, text in typed.items()):
        return []
    # Where the place moves, what was known of the old one, such as its coordinates, does not hold any more.
    return [ShipTo({name: text for name, text in typed.items() if text})]


@blueprint.get("/<order_id>/changes/<change_id>")
def show(order_id: str, change_id: str) -> Any:
    return render_template("orders/change.html", order=detail_of(order_id), change=_row(order_id, change_id))


@blueprint.post("/<order_id>/changes/<change_id>/confirm")
def confirm(order_id: str, change_id: str) -> Any:
    row = _row(order_id, change_id)
    done = operate.confirm_change(
        console().runtime, row.id, person=caller().actor, seen=request.form.get("seen", "")[:64]
    )
    flash("The order is changed." if done else "The change was ended before.", "done")
    return back(order_id)


@blueprint.post("/<order_id>/changes/<change_id>/end")
def end(order_id: str, change_id: str) -> Any:
    row = _row(order_id, change_id)
    declined = request.form.get("how") == "declined"
    done = operate.end_change(console().runtime, row.id, person=caller().actor, declined=declined)
    said = "The change is declined." if declined else "The change is taken back."
    flash(said if done else "The change was ended before.", "done")
    return back(order_id)


def _row(order_id: str, change_id: str) -> ChangeRow:
    with console().runtime.db.read() as tx:
        row = change_store.get(tx, change_id)
    if row is None or row.order_id != order_id:
        abort(404)
    return row
