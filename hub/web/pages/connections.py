"""Connections: what can be connected, what is, and how it fares."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.flows import operate
from hub.flows.operate import CheckFailedError, NotDoneError, SettingsError
from hub.plugins import BrokenPluginError, ConfigError, LoadedPlugin, UnknownPluginError
from hub.sdk import CheckResult, secret_names
from hub.store import catalog
from hub.store.connections import UnknownConnectionError
from hub.store.views import connections as connection_view
from hub.store.views.connections import ConnectionDetail
from hub.web import forms
from hub.web.context import caller, console

blueprint = Blueprint("connections", __name__, url_prefix="/connections")

CATEGORIES = {
    "shop": "Shops",
    "marketplace": "Marketplaces",
    "threepl": "3PL",
    "carrier": "Carriers",
    "erp": "ERP",
    "files": "Files",
    "payments": "Payments",
}


@blueprint.get("/")
def listing() -> Any:
    runtime = console().runtime
    with runtime.db.read() as tx:
        found = connection_view.every(tx, runtime.clock(), operate.intervals(runtime))
    plugins = sorted(
        runtime.registry.plugins, key=lambda one: (list(CATEGORIES).index(one.manifest.category), one.name)
    )
    labels = {plugin.name: plugin.manifest.label for plugin in plugins}
    return render_template(
        "connections/list.html",
        found=found,
        plugins=plugins,
        broken=runtime.registry.broken,
        categories=CATEGORIES,
        labels=labels,
    )


@blueprint.route("/add/<plugin>", methods=["GET", "POST"])
def add(plugin: str) -> Any:
    loaded = _plugin(plugin)
    if request.method == "GET":
        return _add_page(loaded, loaded.manifest.label, {}, (), "")
    values = forms.read(loaded.manifest.config_schema, request.form)
    name = request.form.get("name", "").strip()[:120]
    try:
        made = operate.add_connection(
            console().runtime, plugin, name, values, person=caller().actor, check="untested" not in request.form
        )
    except SettingsError as error:
        return _add_page(loaded, name, values, error.errors, "Some settings are not right yet."), 422
    except CheckFailedError as error:
        return _add_page(loaded, name, values, _errors_of(error.result), _said(error.result)), 422
    except NotDoneError as error:
        return _add_page(loaded, name, values, (), str(error)), 409
    flash(f"{made.name} is connected{f' to {made.account_label}' if made.account_label else ''}.", "done")
    return redirect(url_for("connections.show", key=made.id))


def _add_page(
    loaded: LoadedPlugin, name: str, values: dict[str, Any], errors: tuple[ConfigError, ...], failure: str
) -> str:
    schema = loaded.manifest.config_schema
    plain = {key: value for key, value in values.items() if key not in secret_names(schema)}
    return render_template(
        "connections/add.html",
        plugin=loaded,
        name=name,
        groups=forms.groups(schema, plain, errors),
        errors=errors,
        name_error=_for("name", errors),
        failure=failure,
        retype=bool(errors or failure),
    )


@blueprint.get("/<key>")
def show(key: str) -> Any:
    return _page(key)


def _page(
    key: str,
    values: dict[str, Any] | None = None,
    errors: tuple[ConfigError, ...] = (),
    test: CheckResult | None = None,
) -> str:
    runtime, detail = console().runtime, _detail(key)
    row = detail.view.row
    try:
        plugin: LoadedPlugin | None = runtime.plugin(row)
        why = ""
    except UnknownPluginError as error:
        plugin, why = None, str(error)
    except BrokenPluginError as error:
        plugin, why = None, error.plugin.traceback
    stored = {name for name, is_set in (detail.secrets or {}).items() if is_set}
    if not errors and row.status_field and row.status not in ("active", "paused"):
        errors = (ConfigError(row.status_field, row.status_reason),)
    schema = plugin.manifest.config_schema if plugin else {}
    with runtime.db.read() as tx:
        locations = catalog.locations(tx)
    base = console().settings.public_url or request.host_url.rstrip("/")
    return render_template(
        "connections/show.html",
        detail=detail,
        row=row,
        plugin=plugin,
        why=why,
        groups=forms.groups(schema, row.config if values is None else values, errors, stored),
        errors=errors,
        name_error=_for("name", errors),
        test=test,
        test_words=_said(test) if test else "",
        address=operate.webhook_address(runtime, row, base),
        is_public=bool(console().settings.public_url),
        locations=locations,
    )


@blueprint.post("/<key>")
def change(key: str) -> Any:
    row = _detail(key).view.row
    loaded = _plugin(row.plugin)
    schema = loaded.manifest.config_schema
    values = forms.read(schema, request.form)
    plain = {name: value for name, value in values.items() if name not in secret_names(schema)}
    threshold = request.form.get("stock_threshold", "0").strip() or "0"
    if not threshold.isdecimal() or len(threshold) > 6:
        wrong = ConfigError("stock_threshold", "Units kept from this channel must be a whole number of 0 or more.")
        return _page(key, plain, (wrong,)), 422
    try:
        result = operate.change_connection(
            console().runtime,
            row.id,
            values,
            person=caller().actor,
            name=request.form.get("name", "").strip()[:120] or row.name,
            stock_threshold=int(threshold),
            publish_stock="publish_stock" in request.form,
        )
    except SettingsError as error:
        return _page(key, plain, error.errors), 422
    except NotDoneError as error:
        flash(str(error), "error")
        return _back(row.id)
    flash("The settings are saved. " + _said(result), "done" if result.ok else "error")
    return _back(row.id)


@blueprint.post("/<key>/check")
def check(key: str) -> Any:
    """Try the connection, and say in words what came of it."""
    row = _detail(key).view.row
    result = operate.check_connection(console().runtime, row.id, person=caller().actor)
    if request.headers.get("HX-Request"):
        return render_template("connections/test.html", test=result, test_words=_said(result))
    flash(_said(result), "done" if result.ok else "error")
    return _back(row.id)


@blueprint.post("/<key>/pause")
def pause(key: str) -> Response:
    operate.pause(console().runtime, _detail(key).view.row.id, person=caller().actor)
    flash("Paused: what arrives is kept and waits, and nothing is sent, until it is resumed.", "done")
    return _back(key)


@blueprint.post("/<key>/resume")
def resume(key: str) -> Response:
    operate.resume(console().runtime, _detail(key).view.row.id, person=caller().actor)
    flash("Resumed: what waited is taken and sent now.", "done")
    return _back(key)


@blueprint.post("/<key>/sync")
def sync(key: str) -> Response:
    try:
        streams = operate.sync_now(console().runtime, _detail(key).view.row.id, person=caller().actor)
        flash(f"Reading now: {', '.join(streams)}." if streams else "This connection has nothing to be read.", "done")
    except NotDoneError as error:
        flash(str(error), "error")
    return _back(key)


@blueprint.post("/<key>/release")
def release(key: str) -> Response:
    units = operate.release_outbox(console().runtime, _detail(key).view.row.id, person=caller().actor)
    flash(f"{units} messages that were held back are looked up and sent.", "done")
    return _back(key)


@blueprint.post("/<key>/webhooks")
def webhooks(key: str) -> Response:
    """Have the platform send to this hub."""
    try:
        url = console().settings.public_url
        anew = "anew" in request.form
        key_ = _detail(key).view.row.id
        topics = operate.provision_webhooks(console().runtime, key_, url, person=caller().actor, anew=anew)
        flash(f"Webhooks {'were made anew' if anew else 'are sent'} for {', '.join(topics)}.", "done")
    except NotDoneError as error:
        flash(str(error), "error")
    return _back(key)


@blueprint.route("/<key>/places", methods=["GET", "POST"])
def places(key: str) -> Any:
    """Which of our locations each place of the account is."""
    runtime, row = console().runtime, _detail(key).view.row
    try:
        if request.method == "POST":
            chosen = {
                name.removeprefix("place:"): code for name, code in request.form.items() if name.startswith("place:")
            }
            operate.link_places(
                runtime, row.id, {place: code for place, code in chosen.items() if code}, person=caller().actor
            )
            flash("The places are linked.", "done")
            return _back(key)
        offered = operate.places(runtime, row.id)
    except NotDoneError as error:
        flash(str(error), "error")
        return _back(key)
    with runtime.db.read() as tx:
        locations = catalog.locations(tx)
    return render_template("connections/places.html", row=row, offered=offered, locations=locations)


def _back(key: str) -> Response:
    return redirect(url_for("connections.show", key=key))


def _detail(key: str) -> ConnectionDetail:
    runtime = console().runtime
    with runtime.db.read() as tx:
        try:
            return connection_view.detail(tx, key, runtime.clock(), operate.intervals(runtime), runtime.keyring)
        except UnknownConnectionError:
            abort(404)


def _plugin(name: str) -> LoadedPlugin:
    try:
        return console().runtime.registry.get(name)
    except (UnknownPluginError, BrokenPluginError):
        abort(404)


def _for(field: str, errors: tuple[ConfigError, ...]) -> str:
    return next((error.message for error in errors if error.field == field), "")


def _errors_of(result: CheckResult) -> tuple[ConfigError, ...]:
    return (ConfigError(result.field, result.error),) if result.field else ()


def _said(result: CheckResult) -> str:
    """How a test went, in words."""
    if result.ok:
        said = f"It works. The account is {result.label or result.unique_id}." if result.label else "It works."
        return f"{said} But: {result.warning}" if result.warning else said
    what = {
        "auth_rejected": "The sign-in was refused",
        "missing_permission": "The sign-in is right but may not do enough",
        "config_invalid": "A setting is wrong",
        "transient": "There was no answer; try again in a moment",
        "unavailable": "The connector cannot be used",
        "defect": "The connector failed",
    }.get(result.error_code, "It does not work")
    return f"{what}: {result.error}" if result.error else f"{what}."
