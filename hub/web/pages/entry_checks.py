"""The entry checks of a connection: which run, and with what limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.flows import operate
from hub.flows.operate import ChosenCheck, SettingsError
from hub.plugins import ConfigError
from hub.store import connections
from hub.store.connections import UnknownConnectionError
from hub.web import forms
from hub.web.answers import missing
from hub.web.context import caller, console

blueprint = Blueprint("checks", __name__, url_prefix="/connections")
JOIN = "__"  # between a check and its setting, in names of the form


@blueprint.get("/<key>/checks")
def show(key: str) -> Any:
    return _page(key)


@blueprint.post("/<key>/checks")
def choose(key: str) -> Any:
    checks = operate.checks_of(console().runtime, key)
    wanted = _read(checks)
    try:
        changed = operate.choose_checks(console().runtime, key, wanted, person=caller().actor)
    except SettingsError as error:
        return _page(key, wanted, error.errors), 422
    flash("The entry checks are changed." if changed else "They were so before.", "done")
    return redirect(url_for("connections.show", key=key))


def _read(checks: Sequence[ChosenCheck]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in checks:
        typed = forms.read(_schema(one), request.form)
        own = {name: typed.get(f"{one.name}{JOIN}{name}") for name in one.check.settings}
        found[one.name] = {"on": typed[f"{one.name}{JOIN}on"], **own}
    return found


def _schema(one: ChosenCheck) -> dict[str, Any]:
    """The settings of a check as a form has them; switching it on comes first."""
    switch = {"type": "boolean", "title": "Run this check", "x-hub": {"order": 0}}
    rules = {f"{one.name}{JOIN}{name}": rule for name, rule in one.check.settings.items()}
    return {"type": "object", "properties": {f"{one.name}{JOIN}on": switch, **rules}}


def _page(key: str, wanted: Mapping[str, Mapping[str, Any]] | None = None, wrong: Sequence[ConfigError] = ()) -> str:
    runtime = console().runtime
    with runtime.db.read() as tx:
        row = connections.get(tx, key)
    groups = []
    for one in operate.checks_of(runtime, key):
        values = {"on": one.on, **one.settings, **(wanted or {}).get(one.name, {})}
        errors = [
            ConfigError(error.field.replace(".", JOIN, 1), error.message)
            for error in wrong
            if error.field.split(".")[0] == one.name
        ]
        named = {f"{one.name}{JOIN}{name}": value for name, value in values.items() if value is not None}
        groups.append((one, forms.groups(_schema(one), named, errors)))
    return render_template("connections/checks.html", row=row, checks=groups)


@blueprint.errorhandler(UnknownConnectionError)
def _unknown(_error: UnknownConnectionError) -> Any:
    return missing()
