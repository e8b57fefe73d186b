"""Routing: the rules and their editor, rehearsals, publishing, and why an order went where it went."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from hub.domain.documents import Address
from hub.domain.routing import rules as domain
from hub.domain.routing.rules import RuleSet
from hub.flows import operate, rulefile
from hub.flows.operate import ChangedMeanwhileError, NotDoneError
from hub.flows.rehearse import LAST_ORDERS, Answer
from hub.flows.replay import Replayed, replay
from hub.flows.rulefile import RuleFileError, RuleMistake
from hub.store import routing, rules
from hub.store.database import Tx
from hub.store.rules import RuleSetRow, UnknownRehearsalError, UnknownRulesError
from hub.store.views import decisions as decisions_view
from hub.store.views import order as order_view
from hub.store.views import orders as orders_view
from hub.store.views.order import OrderDetail, UnknownOrderError
from hub.store.views.orders import OrderQuery
from hub.web import rule_form, rule_words
from hub.web.answers import missing
from hub.web.context import caller, console
from hub.web.pages import orders as orders_page

blueprint = Blueprint("routing", __name__, url_prefix="/routing")

MOST_YAML = 200_000
TRIAL = ("order", "skus", "country", "postal_code", "latitude", "longitude")  # fields of a try
FIGURES = (
    ("shipments", "Shipments", "less"),
    ("split_orders", "Orders in several parcels", "less"),
    ("unfilled_units", "Units without a place", "less"),
    ("unfilled_orders", "Orders that wait for units", "less"),
    ("cost_minor", "Cost, minor units", "less"),
    ("late_shipments", "Late shipments", "less"),
    ("km", "Kilometres", "less"),
    ("stock_outs", "Shelves emptied", "less"),
)


@blueprint.get("/")
def listing() -> Any:
    with console().runtime.db.read() as tx:
        found = rules.versions(tx)
    return render_template("routing/list.html", found=found)


@blueprint.get("/rules/<key>")
def show(key: str) -> Any:
    runtime = console().runtime
    with runtime.db.read() as tx:
        row = rules.find(tx, key)
        published = rules.published(tx)
        tries = rules.rehearsals(tx, row.document_hash)
        fitting = operate.fitting_rehearsal(runtime, tx, row) if row.id else None
        unheard = operate.unheard_of(tx, row.rules)
    return render_template(
        "routing/show.html",
        row=row,
        changes=domain.changes(published.rules, row.rules),
        published=published,
        tries=tries,
        fitting=fitting,
        unheard=unheard,
        say=rule_words,
        yaml=rulefile.write(row.rules),
        orders=LAST_ORDERS,
    )


@blueprint.post("/rules/<key>/draft")
def draft(key: str) -> Any:
    """A new draft that says what a version says."""
    with console().runtime.db.read() as tx:
        row = rules.find(tx, key)
    made = operate.save_draft(console().runtime, row.rules, person=caller().actor, note=f"From {row.key}.")
    return redirect(url_for("routing.edit", key=made.key))


@blueprint.get("/rules/<key>/edit")
def edit(key: str) -> Any:
    row = _draft(key)
    return _form(row, domain.document(row.rules), row.note, row.document_hash)


@blueprint.post("/rules/<key>/edit")
def change(key: str) -> Any:
    """Save the form, or do what one of its buttons says and show it again."""
    row = _draft(key)
    document = {**rule_form.document_of(request.form.to_dict()), "name": row.name}
    note, act = request.form.get("note", "").strip()[:500], request.form.get("act", "save")
    seen = request.form.get("seen", "")[:64]
    if act != "save":
        return _form(row, rule_form.changed(document, act), note, seen)
    try:
        return _saved(row, rulefile.checked(document), note, seen)
    except RuleFileError as error:
        return _form(row, document, note, seen, error.mistakes), 422
    except ChangedMeanwhileError:
        return _form(row, document, note, row.document_hash, is_overtaken=True), 409


@blueprint.get("/rules/<key>/yaml")
def text(key: str) -> Any:
    row = _draft(key)
    return _yaml(row, rulefile.write(row.rules), row.document_hash)


@blueprint.post("/rules/<key>/yaml")
def change_text(key: str) -> Any:
    row = _draft(key)
    given = request.form.get("yaml", "").replace("\r\n", "\n")
    if len(given) > MOST_YAML:
        abort(413)
    seen = request.form.get("seen", "")[:64]
    try:
        return _saved(row, operate.check_rules(given), row.note, seen)
    except RuleFileError as error:
        return _yaml(row, given, seen, error.mistakes), 422
    except ChangedMeanwhileError:
        return _yaml(row, given, row.document_hash, is_overtaken=True), 409


def _draft(key: str) -> RuleSetRow:
    """The draft that is to be changed. Raises NotDoneError for what is none."""
    with console().runtime.db.read() as tx:
        row = rules.find(tx, key)
    if row.status != "draft":
        raise NotDoneError(f"{row.key} is {row.status} and stays as it is; make a draft of it")
    return row


def _saved(row: RuleSetRow, found: RuleSet, note: str, seen: str) -> Any:
    operate.change_draft(console().runtime, row.id or "", found, person=caller().actor, note=note, seen=seen)
    flash(f"{row.key} is saved. It decides nothing until it is rehearsed and published.", "done")
    return redirect(url_for("routing.show", key=row.key))


def _form(
    row: RuleSetRow,
    document: dict[str, Any],
    note: str,
    seen: str,
    mistakes: Sequence[RuleMistake] = (),
    *,
    is_overtaken: bool = False,
) -> str:
    """The editor. `seen` is the hash of what the draft said when the person began, `is_overtaken` that it changed."""
    form = rule_form.shown(document, mistakes)
    rest = rule_form.elsewhere(form, mistakes)
    return render_template(
        "routing/edit.html",
        row=row,
        form=form,
        note=note,
        seen=seen,
        mistakes=mistakes,
        rest=rest,
        is_overtaken=is_overtaken,
    )


def _yaml(
    row: RuleSetRow, given: str, seen: str, mistakes: Sequence[RuleMistake] = (), *, is_overtaken: bool = False
) -> str:
    return render_template(
        "routing/yaml.html",
        row=row,
        text=given,
        seen=seen,
        mistakes=mistakes,
        lines=given.splitlines(),
        is_overtaken=is_overtaken,
    )


@blueprint.post("/rules/<key>/rehearse")
def rehearse(key: str) -> Any:
    given = request.form.get("orders", str(LAST_ORDERS)).strip()
    orders = int(given) if given.isascii() and given.isdecimal() and len(given) < 7 else 0
    asked = operate.start_rehearsal(console().runtime, key, person=caller().actor, orders=orders)
    return redirect(url_for("routing.rehearsal", rehearsal_id=asked.id))


@blueprint.get("/rehearsals/<rehearsal_id>")
def rehearsal(rehearsal_id: str) -> Any:
    runtime = console().runtime
    with runtime.db.read() as tx:
        found = rules.get_rehearsal(tx, rehearsal_id)
        rows = [one for one in rules.versions(tx) if one.document_hash == found.draft_hash and one.id]
        row = next(iter(rows), None)
        fitting = operate.fitting_rehearsal(runtime, tx, row) if row and row.status != "published" else None
    sums = found.figures or {}
    places = sorted({code for side in ("baseline", "draft") for code in sums.get(side, {}).get("locations", {})})
    most = max(
        (
            one["shipments"]
            for side in ("baseline", "draft")
            for one in sums.get(side, {}).get("locations", {}).values()
        ),
        default=1,
    )
    return render_template(
        "routing/rehearsal.html", found=found, row=row, fitting=fitting, figures=FIGURES, places=places, most=most
    )


@blueprint.post("/rules/<key>/publish")
def publish(key: str) -> Any:
    row = operate.publish_rules(
        console().runtime, key, person=caller().actor, rehearsal_id=request.form.get("rehearsal", "")[:36]
    )
    flash(f"{row.key} counts from now on.", "done")
    return redirect(url_for("routing.listing"))


@blueprint.get("/rules/<key>/try")
def trial(key: str) -> Any:
    """One order by these rules and by those that count: a real one by its number, or one that nobody placed."""
    given = {name: request.args.get(name, "").strip()[:200] for name in TRIAL}
    with console().runtime.db.read() as tx:
        row = rules.find(tx, key)
    error, sides = "", None
    try:
        if given["order"]:
            sides = operate.try_order(console().runtime, key, _order_called(given["order"]))
        elif given["skus"]:
            sides = operate.try_skus(console().runtime, key, _wanted(given["skus"]), _address(given))
    except NotDoneError as refused:
        error = str(refused)
    answers = [] if sides is None else [_answer(one) for one in sides]
    page = render_template("routing/try.html", row=row, given=given, error=error, answers=answers)
    return (page, 422) if error else page


def _address(given: Mapping[str, str]) -> Address:
    """Where an order that nobody placed would go. Raises NotDoneError."""
    return Address(
        country=given["country"].upper() or None,
        postal_code=given["postal_code"] or None,
        latitude=_degrees(given["latitude"], 90),
        longitude=_degrees(given["longitude"], 180),
    )


def _degrees(text: str, most: int) -> float | None:
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,12})?", text) or abs(float(text)) > most:
        raise NotDoneError(f"{text!r} are no degrees: write a number from -{most} to {most}, such as 40.71")
    return float(text)


def _order_called(number: str) -> str:
    """Id of the one order of this number. Raises NotDoneError."""
    with console().runtime.db.read() as tx:
        if orders_view.rows_of(tx, [number]):
            return number
        found = orders_view.find(tx, OrderQuery(text=number, limit=2)).rows
    if len(found) != 1:
        raise NotDoneError(f"{'several orders are' if found else 'no order is'} called {number!r}")
    return found[0].id


def _wanted(text: str) -> list[tuple[str, int]]:
    """SKUs with units, such as "MUG 2, TEE". Raises NotDoneError."""
    found = []
    for one in filter(None, map(str.strip, text.split(","))):
        sku, _, units = one.rpartition(" ")
        if not sku:
            sku, units = one, "1"
        if not units.isascii() or not units.isdecimal() or len(units) > 6:
            raise NotDoneError(f"{one!r} is not a SKU and its units, such as MUG 2")
        found.append((sku.strip(), int(units)))
    return found


def _answer(found: Answer) -> dict[str, Any]:
    """One side as the page shows it."""
    codes = {place.id: place.code for place in found.snapshot.places}
    skus = {need.line_id: need.sku for need in found.snapshot.needs}
    return {
        "routing": found.routing,
        "reason": found.plan.reason,
        "trace": found.plan.trace,
        "skus": skus,
        "where": {codes[part.place_id]: {skus[line]: n for line, n in part.units.items()} for part in found.plan.parts},
    }


@orders_page.blueprint.get("/<order_id>/why")
def why(order_id: str) -> Any:
    """Every decision on an order, newest first; the one that `again` names is decided again and compared."""
    runtime, again = console().runtime, request.args.get("again", "")
    with runtime.db.read() as tx:
        order = _order(tx, order_id)
        found = decisions_view.of_order(tx, order_id)
        attempt = next((one.attempt for one in found if str(one.attempt) == again), None)
        stored = None if attempt is None else routing.decision(tx, order_id, attempt)
    replayed: Replayed | None = replay(stored, runtime.rankers, runtime.strategies) if stored else None
    skus = {line.id: line.article or line.sku for line in order.lines}
    return render_template(
        "routing/why.html", order=order, found=found, attempt=attempt, replayed=replayed, skus=skus, tab="why"
    )


def _order(tx: Tx, order_id: str) -> OrderDetail:
    try:
        return order_view.detail(tx, order_id)
    except UnknownOrderError:
        abort(404)


@blueprint.errorhandler(UnknownRulesError)
@blueprint.errorhandler(UnknownRehearsalError)
def _gone(_error: Exception) -> Any:
    return missing()


@blueprint.errorhandler(NotDoneError)
def _not_done(error: NotDoneError) -> Any:
    """An action that makes no sense as things stand: back to the rules, with the reason."""
    flash(f"{str(error)[:1].upper()}{str(error)[1:]}.", "error")
    key = (request.view_args or {}).get("key", "")
    return redirect(url_for("routing.show", key=key) if key else url_for("routing.listing"))
