"""Availability: the rules of what channels are told, what each sells from, kits, and feeds that were doubted."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.domain.availability import KINDS
from hub.flows.operate import NotDoneError
from hub.flows.operate import availability as operate
from hub.flows.operate.availability import Effect, WantedRule
from hub.store import availability as rules
from hub.store import catalog, connections
from hub.store.connections import UnknownConnectionError
from hub.web.answers import missing
from hub.web.context import caller, console

blueprint = Blueprint("availability", __name__, url_prefix="/availability")

KIND_NAMES = {
    "safety": "Keep units at each location (safety stock)",
    "threshold": "Keep units from the channel (threshold)",
    "percent": "Offer a share of what is there (percent)",
    "publish": "Offer it or not (1 or 0)",
}
FIELDS = ("kind", "value", "channel", "location_group", "skus", "sku_prefix", "tags", "product_types", "note")


@blueprint.get("/")
def listing() -> Any:
    return _page()


def _page(
    error: str = "",
    given: dict[str, str] | None = None,
    effect: Effect | None = None,
    pending: dict[str, str] | None = None,
) -> str:
    """The page. `pending` is a change of a rule whose effect is shown and that is not done yet."""
    hub = console().runtime
    with hub.db.read() as tx:
        found = rules.rules(tx)
        known = connections.every(tx)
        places = catalog.locations(tx)
        groups = sorted({name for row in places for name in row.groups or ()})
    able = {plugin.name: plugin.capabilities for plugin in hub.registry.plugins}
    told = [one for one in known if "StockSink" in able.get(one.plugin, ())]
    return render_template(
        "stock/availability.html",
        rules=[(one, operate.said(one)) for one in found],
        channels=told,
        fed=[one for one in known if "StockSource" in able.get(one.plugin, ())],
        places=places,
        groups=groups,
        channel_choices=[("", "every channel"), *((one.name, one.name) for one in told)],
        group_choices=[("", "any"), *((name, name) for name in groups)],
        feeds=operate.doubted_feeds(hub),
        kinds=[(kind, KIND_NAMES[kind]) for kind in KINDS],
        error=error,
        given=given or {},
        effect=effect,
        pending=pending,
    )


@blueprint.post("/rules")
def add_rule() -> Any:
    given = {name: request.form.get(name, "").strip()[:2000] for name in FIELDS}
    if not re.fullmatch(r"[0-9]{1,8}", given["value"]):
        return _page("The value is a whole number of 0 or more.", given), 422
    wanted = WantedRule(
        given["kind"],
        int(given["value"]),
        given["channel"],
        given["location_group"],
        _words(given["skus"]),
        given["sku_prefix"],
        _words(given["tags"]),
        _words(given["product_types"]),
        given["note"][:200],
    )
    try:
        if request.form.get("do") == "preview":
            return _page(given=given, effect=operate.effect_of_adding(console().runtime, wanted))
        row = operate.add_rule(console().runtime, wanted, person=caller().actor)
    except NotDoneError as error:
        return _page(str(error), given), 422
    flash(f"Rule {row.position} is added: {operate.said(row)}.", "done")
    return redirect(url_for("availability.listing"))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[,\n]", text) if word.strip()]


@blueprint.post("/rules/<rule_id>")
def change_rule(rule_id: str) -> Any:
    """Move, switch or remove a rule; its effect is shown first."""
    hub, what, by = console().runtime, request.form.get("what", ""), caller().actor
    to = int(number) if (number := request.form.get("to", "")).isdecimal() and len(number) < 6 else 1
    try:
        if request.form.get("do") != "yes":
            effect = {
                "move": lambda: operate.effect_of_moving(hub, rule_id, to),
                "on": lambda: operate.effect_of_switching(hub, rule_id, active=True),
                "off": lambda: operate.effect_of_switching(hub, rule_id, active=False),
                "remove": lambda: operate.effect_of_removing(hub, rule_id),
            }.get(what, lambda: None)()
            if effect is None:
                return _page("Choose what to do with the rule."), 422
            return _page(effect=effect, pending={"rule_id": rule_id, "what": what, "to": str(to)})
        match what:
            case "move":
                row = operate.move_rule(hub, rule_id, to, person=by)
            case "on" | "off":
                row = operate.switch_rule(hub, rule_id, active=what == "on", person=by)
            case _:
                row = operate.remove_rule(hub, rule_id, person=by)
    except NotDoneError as error:
        return _page(str(error)), 422
    flash(f"Done: {operate.said(row)}.", "done")
    return redirect(url_for("availability.listing"))


@blueprint.post("/channels/<key>")
def set_channel(key: str) -> Any:
    given = {name: request.form.get(name, "").strip() for name in ("stock_threshold", "feed_guard_percent")}
    if any(value and not re.fullmatch(r"[0-9]{1,7}", value) for value in given.values()):
        return _page("Units and percent are whole numbers of 0 or more."), 422
    units, percent = (int(value) if value else None for value in given.values())
    try:
        row = operate.set_channel(
            console().runtime,
            key,
            person=caller().actor,
            location_group=request.form.get("location_group"),
            stock_threshold=units,
            feed_guard_percent=percent,
        )
    except NotDoneError as error:
        return _page(str(error)), 422
    flash(f"{row.name} is changed.", "done")
    return redirect(url_for("availability.listing"))


@blueprint.post("/locations/<code>")
def set_location(code: str) -> Any:
    minutes = request.form.get("stale_after_min", "").strip() or "0"
    if not re.fullmatch(r"[0-9]{1,6}", minutes):
        return _page("Minutes are a whole number; empty is never."), 422
    try:
        operate.set_location(
            console().runtime,
            code,
            person=caller().actor,
            groups=_words(request.form.get("groups", "")[:2000]),
            stale_after_min=int(minutes),
        )
    except NotDoneError as error:
        return _page(str(error)), 422
    flash(f"{code} is changed; channels are told anew.", "done")
    return redirect(url_for("availability.listing"))


@blueprint.post("/articles/<path:sku>")
def set_article(sku: str) -> Any:
    limit = request.form.get("backorder_limit", "").strip()
    if limit and not re.fullmatch(r"[0-9]{1,9}", limit):
        flash("Not done: the backorder limit is a whole number; empty is any number.", "error")
        return redirect(url_for("stock.show", sku=sku))
    try:
        operate.set_article(
            console().runtime,
            sku,
            person=caller().actor,
            tags=_words(request.form.get("tags", "")[:2000]),
            preorderable="preorderable" in request.form,
            backorder_limit=int(limit) if limit else operate.ANY_NUMBER,
        )
    except NotDoneError as error:
        flash(f"Not done: {error}.", "error")
    else:
        flash(f"{sku} is changed; channels are told anew.", "done")
    return redirect(url_for("stock.show", sku=sku))


@blueprint.post("/feeds/<key>")
def decide_feed(key: str) -> Any:
    """Book a doubted feed after all, or set it aside."""
    if request.form.get("what") == "accept":
        count, words = operate.accept_feed(console().runtime, key, person=caller().actor), "are booked now"
    else:
        count, words = operate.refuse_feed(console().runtime, key, person=caller().actor), "were set aside"
    flash(f"{count} figures {words}.", "done")
    return redirect(url_for("availability.listing"))


@blueprint.post("/kits/<path:sku>")
def set_kit(sku: str) -> Any:
    """Bring a kit to the components of the form: one per line, SKU and units."""
    parts: dict[str, int] = {}
    for line in request.form.get("parts", "")[:20_000].splitlines():
        name, _, units = line.strip().rpartition(" ")
        if not line.strip():
            continue
        if not name.strip() or not units.isdecimal() or len(units) > 6:
            flash(f"“{line.strip()[:80]}” is not a SKU and its units in one kit, such as MUG 2.", "error")
            return redirect(url_for("stock.show", sku=sku))
        parts[name.strip()] = int(units)
    try:
        operate.set_kit(
            console().runtime, sku, parts, person=caller().actor, keep_together="keep_together" in request.form
        )
    except NotDoneError as error:
        flash(f"Not done: {error}.", "error")
    else:
        flash(f"{sku} is a kit of {len(parts)} components." if parts else f"{sku} is no kit any more.", "done")
    return redirect(url_for("stock.show", sku=sku))


@blueprint.errorhandler(UnknownConnectionError)
def _gone(_error: Exception) -> Any:
    return missing()
