"""Locations: where goods lie and who packs them."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store import catalog, connections
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
        names=names,
        given=given,
        errors=errors,
        handlings=HANDLINGS,
        handlers=[("", "nobody"), *_handlers("threepl"), *_handlers("label")],
    )
