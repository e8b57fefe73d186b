"""Locations: where goods lie and who packs them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.flows import operate
from hub.flows.operate import NotDoneError, SettingsError
from hub.plugins import ConfigError
from hub.store import catalog, connections
from hub.web.answers import missing
from hub.web.context import caller, console

blueprint = Blueprint("locations", __name__, url_prefix="/locations")

HANDLINGS = (
    ("manual", "People pack it and say so here or by API"),
    ("label", "Our own place: the hub buys a label at the carrier connection"),
    ("threepl", "A 3PL packs: the hub hands the order over to its connection"),
)
NEEDS_HANDLER = {"label": "Carrier", "threepl": "FulfillmentTarget"}
TEXTS = (
    "code",
    "name",
    "country",
    "handling",
    "handler",
    "warehouse",
    "line1",
    "postal_code",
    "city",
    "region",
    "rank",
)


@blueprint.get("/")
def listing() -> Any:
    return _page({}, {})


@blueprint.post("/")
def add() -> Any:
    given = {name: request.form.get(name, "").strip()[:120] for name in TEXTS}
    errors = _errors(given)
    if errors:
        return _page(given, errors), 422
    address = {name: given[name] for name in ("line1", "postal_code", "city", "region") if given[name]}
    values: dict[str, Any] = {
        "name": given["name"] or given["code"],
        "country": given["country"].upper(),
        "handling": given["handling"],
        "kind": "3pl" if given["handling"] == "threepl" else "warehouse",
        "warehouse": given["warehouse"],
        "rank": int(given["rank"] or 100),
        "address": {**address, "country": given["country"].upper()} if address else None,
    }
    try:
        operate.add_location(
            console().runtime, given["code"], person=caller().actor, handler=given["handler"], **values
        )
    except NotDoneError as error:
        return _page(given, {"code": str(error)}), 422
    flash(f"The location {given['code']} is added. Enter its stock on the pages of the articles.", "done")
    return redirect(url_for("locations.listing"))


@blueprint.get("/<code>")
def show(code: str) -> Any:
    return _settings(code, {}, {})


@blueprint.post("/<code>")
def change(code: str) -> Any:
    given = {name: request.form.get(name, "").strip()[:20_000] for name in (*WORDS, *LISTS, *NUMBERS, *JSONS)}
    given |= {name: "on" if request.form.get(name) else "" for name in SWITCHES}
    try:
        values = _values(given)
        done = operate.change_location(console().runtime, code, values, person=caller().actor)
    except SettingsError as error:
        errors = {one.field.partition("/")[0]: f"{one.field}: {one.message}" for one in error.errors}
        return _settings(code, given, errors), 422
    except NotDoneError:
        return missing()
    flash(f"Changed: {', '.join(done).replace('_', ' ')}." if done else "It is set so already.", "done")
    return redirect(url_for("locations.show", code=code))


@blueprint.post("/<code>/outage")
def outage(code: str) -> Any:
    text = request.form.get("until", "").strip()
    try:
        until = datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
        reason = request.form.get("reason", "").strip()[:200]
        moved = operate.set_outage(console().runtime, code, until, person=caller().actor, reason=reason)
        flash(f"It is out of action; {moved} orders were moved." if until else "It is back in action.", "done")
    except ValueError:
        flash("Write the moment such as 2026-12-24T18:00.", "error")
    except NotDoneError as error:
        flash(f"{str(error)[:1].upper()}{str(error)[1:]}.", "error")
    return redirect(url_for("locations.show", code=code))


WORDS = ("name", "zone")
LISTS = ("groups", "serves")
NUMBERS = ("rank", "capacity_per_day", "answer_within_min", "stale_after_min", "latitude", "longitude")
JSONS = ("calendar", "costs", "attributes")
SWITCHES = ("active", "ships", "picks_up", "transfers", "takes_returns", "is_default")


def _values(given: dict[str, str]) -> dict[str, Any]:
    """Settings as typed into the form. Raises SettingsError for what is no number or no JSON."""
    values: dict[str, Any] = {name: given[name] for name in WORDS if given[name]}
    values |= {name: [one.strip() for one in given[name].split(",") if one.strip()] or None for name in LISTS}
    values |= {name: bool(given[name]) for name in SWITCHES}
    wrong = []
    for name in (*NUMBERS, *JSONS):
        if name == "rank" and not given[name]:
            continue
        try:
            values[name] = json.loads(given[name]) if given[name] else None
        except ValueError:
            what = "a number" if name in NUMBERS else "JSON; see the example"
            wrong.append(ConfigError(name, f"it is not {what}"))
    if wrong:
        raise SettingsError(wrong)
    return values


def _settings(code: str, given: dict[str, str], errors: dict[str, str]) -> Any:
    """A location with its settings as they stand, or as somebody typed them."""
    try:
        row = operate.location(console().runtime, code)
    except NotDoneError:
        return missing()
    typed = given or {name: _text(value) for name, value in operate.settings_of(row).items()}
    out = row.outage_until if row.outage_until and row.outage_until > console().runtime.clock() else None
    return render_template("locations/show.html", location=row, typed=typed, errors=errors, out=out)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, Mapping):
        return json.dumps(value, indent=1, ensure_ascii=False)
    return "" if value is None else str(value)


def _errors(given: dict[str, str]) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", given["code"]):
        errors["code"] = "A code has up to 40 letters, digits, - or _, such as BERLIN-1."
    if not re.fullmatch(r"[A-Za-z]{2}", given["country"]):
        errors["country"] = "The country is its two letters, such as DE."
    if given["handling"] not in dict(HANDLINGS):
        errors["handling"] = "Choose who packs."
    elif given["handling"] in NEEDS_HANDLER and given["handler"] not in {
        key for key, _ in _handlers(given["handling"])
    }:
        errors["handler"] = "Choose the connection that does it; connect one first if there is none."
    if given["rank"] and not re.fullmatch(r"[0-9]{1,5}", given["rank"]):
        errors["rank"] = "The rank is a whole number; lower ones are asked first."
    if given["handling"] == "manual":
        given["handler"] = ""
    return errors


def _handlers(handling: str) -> list[tuple[str, str]]:
    """(id, name) of the connections that can do it."""
    runtime, wanted = console().runtime, NEEDS_HANDLER[handling]
    able = {plugin.name for plugin in runtime.registry.plugins if wanted in plugin.capabilities}
    with runtime.db.read() as tx:
        return [(one.id, one.name) for one in connections.every(tx) if one.plugin in able]


def _page(given: dict[str, str], errors: dict[str, str]) -> str:
    with console().runtime.db.read() as tx:
        found = catalog.locations(tx)
        names = {one.id: one.name for one in connections.every(tx)}
    return render_template(
        "locations/list.html",
        found=found,
        now=console().runtime.clock(),
        names=names,
        given=given,
        errors=errors,
        handlings=HANDLINGS,
        handlers=[("", "nobody"), *_handlers("threepl"), *_handlers("label")],
    )
