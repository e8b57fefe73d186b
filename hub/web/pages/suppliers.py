"""Suppliers: who goods are bought from, and what they sell."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.domain.money import to_decimal, to_minor
from hub.flows.operate import NotDoneError
from hub.flows.operate import suppliers as sell
from hub.flows.operate.files import whole
from hub.flows.operate.suppliers import Offer
from hub.store import suppliers
from hub.store.suppliers import UnknownSupplierError
from hub.web.answers import missing
from hub.web.context import caller, console

blueprint = Blueprint("suppliers", __name__, url_prefix="/suppliers")

TEXTS = ("name", "email", "note")
WHOLES = {"lead_time_days": "14", "review_days": "7"}
OFFER = ("sku", "supplier_sku", "cost", "pack_size", "min_quantity", "lead_time_days")


@blueprint.get("/")
def listing() -> Any:
    return _list({})


def _list(given: dict[str, str], error: str = "") -> str:
    with console().runtime.db.read() as tx:
        found = suppliers.every(tx)
    return render_template("supply/suppliers.html", found=found, given=given, error=error)


@blueprint.post("/")
def add() -> Any:
    given = _given("code", "currency")
    try:
        values = _values(given, given["currency"])
        sell.add_supplier(console().runtime, given["code"], currency=given["currency"], person=caller().actor, **values)
    except NotDoneError as error:
        return _list(given, str(error)), 422
    flash(f"The supplier {given['code']} is added. Say what it sells.", "done")
    return redirect(url_for("suppliers.show", code=given["code"]))


def _given(*more: str) -> dict[str, str]:
    names = (*more, *TEXTS, *WHOLES, "min_order")
    return {name: request.form.get(name, "").strip()[:2000] for name in names}


def _values(given: dict[str, str], currency: str) -> dict[str, Any]:
    values: dict[str, Any] = {name: given[name][:255] for name in TEXTS}
    values["name"] = values["name"] or given.get("code", "")
    values |= {name: _whole(given[name] or default) for name, default in WHOLES.items()}
    return values | {"min_order_minor": _minor(given["min_order"], currency)}


def _whole(text: str) -> int:
    found = whole(text)
    if found is None:
        raise NotDoneError(f"{text!r} is no whole number")
    return found


def _minor(text: str, currency: str) -> int:
    """An amount in minor units. Raises NotDoneError."""
    try:
        return to_minor(text or "0", currency.upper())
    except ValueError as error:
        raise NotDoneError(str(error)) from error


@blueprint.get("/<code>")
def show(code: str) -> Any:
    return _page(code, {}, {})


def _page(code: str, given: dict[str, str], offer: dict[str, str], error: str = "") -> str:
    with console().runtime.db.read() as tx:
        found = suppliers.get(tx, code)
        items = suppliers.items(tx, found.id)
    given = given or {
        **{name: str(getattr(found, name)) for name in (*TEXTS, *WHOLES)},
        "min_order": str(to_decimal(found.min_order_minor, found.currency)),
    }
    return render_template("supply/supplier.html", supplier=found, items=items, given=given, offer=offer, error=error)


@blueprint.post("/<code>")
def change(code: str) -> Any:
    with console().runtime.db.read() as tx:
        found = suppliers.get(tx, code)
    given = _given()
    try:
        values = {**_values(given, found.currency), "active": "active" in request.form}
        sell.change_supplier(console().runtime, found.id, values, person=caller().actor)
    except NotDoneError as error:
        return _page(code, given, {}, str(error)), 422
    flash(f"{found.code} is changed.", "done")
    return redirect(url_for("suppliers.show", code=found.code))


@blueprint.post("/<code>/articles")
def offer(code: str) -> Any:
    with console().runtime.db.read() as tx:
        found = suppliers.get(tx, code)
    given = {name: request.form.get(name, "").strip()[:120] for name in OFFER}
    try:
        lead = _whole(given["lead_time_days"]) if given["lead_time_days"] else None
        one = Offer(
            given["sku"],
            _minor(given["cost"], found.currency),
            _whole(given["pack_size"] or "1"),
            _whole(given["min_quantity"] or "0"),
            given["supplier_sku"],
            lead,
            preferred="preferred" in request.form,
        )
        wrong = sell.set_offers(console().runtime, found.id, [one], person=caller().actor)
    except NotDoneError as error:
        return _page(code, {}, given, str(error)), 422
    if wrong:
        return _page(code, {}, given, wrong[one.sku]), 422
    flash(f"{found.code} sells {one.sku}.", "done")
    return redirect(url_for("suppliers.show", code=found.code))


@blueprint.post("/<code>/drop")
def drop(code: str) -> Any:
    sku = request.form.get("sku", "")[:120]
    with console().runtime.db.read() as tx:
        found = suppliers.get(tx, code)
    sell.drop_offer(console().runtime, found.id, sku, person=caller().actor)
    flash(f"{found.code} sells {sku} no more.", "done")
    return redirect(url_for("suppliers.show", code=found.code))


@blueprint.errorhandler(UnknownSupplierError)
def _gone(_error: Exception) -> Any:
    return missing()
