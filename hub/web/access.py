"""Who may do what: one table from route to the least role, and the guard that reads it before every view.

A route that is not in the table is refused to everybody, and a test fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask import Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from hub.store import people
from hub.web import sessions
from hub.web.context import Caller, Role, console
from hub.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may ask: anybody, a person with a session, or a program with a key; and the least role of the last two."""

    by: Literal["anyone", "session", "key"]
    role: Role = "viewer"


ANYONE = Rule("anyone")


def person(role: Role) -> Rule:
    return Rule("session", role)


def key(role: Role) -> Rule:
    return Rule("key", role)


RULES: dict[str, Rule] = {
    # Outside: these carry their own proof (a signature, a one-time token, a password) or tell nothing secret.
    "ingress.take": ANYONE,
    "assets.file": ANYONE,
    "health.healthz": ANYONE,
    "health.metrics": ANYONE,
    "signin.sign_in": ANYONE,
    "signin.first_run": ANYONE,
    "signin.new_password": ANYONE,
    "api.document": ANYONE,
    "api.manual": ANYONE,
    # The console.
    "signin.sign_out": person("viewer"),
    "home.start": person("viewer"),
    "orders.listing": person("viewer"),
    "orders.show": person("viewer"),
    "orders.why": person("viewer"),
    "orders.raw": person("ops"),
    "orders.label": person("packer"),
    "holds.change": person("ops"),
    "holds.release": person("ops"),
    "holds.hold": person("ops"),
    "holds.listing": person("viewer"),
    "holds.hold_many": person("ops"),
    "holds.release_many": person("ops"),
    "changes.edit": person("ops"),
    "changes.ask": person("ops"),
    "changes.show": person("ops"),
    "changes.confirm": person("ops"),
    "changes.end": person("ops"),
    "fulfillment.at": person("packer"),
    "fulfillment.accept": person("packer"),
    "fulfillment.refuse": person("packer"),
    "fulfillment.ask_back": person("ops"),
    "fulfillment.stopped": person("packer"),
    "fulfillment.too_late": person("packer"),
    "fulfillment.ship": person("packer"),
    "fulfillment.ready": person("packer"),
    "fulfillment.collected": person("packer"),
    "fulfillment.not_collected": person("packer"),
    "fulfillment.collect_until": person("packer"),
    "fulfillment.route": person("ops"),
    "fulfillment.collect_elsewhere": person("ops"),
    "fulfillment.ship_instead": person("ops"),
    "orders.cancel": person("manager"),
    "connections.listing": person("viewer"),
    "connections.add": person("manager"),
    "connections.show": person("viewer"),
    "connections.change": person("manager"),
    "connections.check": person("ops"),
    "connections.pause": person("manager"),
    "connections.resume": person("manager"),
    "connections.sync": person("ops"),
    "connections.release": person("manager"),
    "connections.webhooks": person("manager"),
    "connections.places": person("manager"),
    "checks.show": person("manager"),
    "checks.choose": person("manager"),
    "trouble.listing": person("viewer"),
    "trouble.arrival": person("ops"),
    "trouble.delivery": person("ops"),
    "trouble.replay": person("ops"),
    "trouble.show": person("viewer"),
    "trouble.set_aside": person("ops"),
    "trouble.close": person("ops"),
    "trouble.retry": person("ops"),
    "trouble.resolve": person("manager"),
    "trouble.link": person("ops"),
    "stock.listing": person("viewer"),
    "stock.show": person("viewer"),
    "stock.adjust": person("ops"),
    "ledger.reservations": person("viewer"),
    "ledger.reserve": person("ops"),
    "ledger.release": person("ops"),
    "ledger.move_form": person("ops"),
    "ledger.move": person("ops"),
    "ledger.import_form": person("ops"),
    "ledger.import_file": person("ops"),
    "ledger.audit_list": person("viewer"),
    "ledger.audit": person("ops"),
    "ledger.past_stock": person("viewer"),
    "ledger.short": person("viewer"),
    "ledger.reroute": person("ops"),
    "availability.listing": person("viewer"),
    "availability.add_rule": person("manager"),
    "availability.change_rule": person("manager"),
    "availability.set_channel": person("manager"),
    "availability.set_kit": person("manager"),
    "availability.set_location": person("manager"),
    "availability.set_article": person("manager"),
    "availability.decide_feed": person("manager"),
    "transfers.listing": person("viewer"),
    "transfers.show": person("viewer"),
    "transfers.add": person("ops"),
    "transfers.lines": person("ops"),
    "transfers.ready": person("ops"),
    "transfers.ship": person("ops"),
    "transfers.receive": person("packer"),
    "transfers.close": person("ops"),
    "transfers.cancel": person("ops"),
    "counts.listing": person("viewer"),
    "counts.show": person("viewer"),
    "counts.add": person("ops"),
    "counts.assign": person("ops"),
    "counts.start": person("packer"),
    "counts.enter": person("packer"),
    "counts.upload": person("packer"),
    "counts.review": person("packer"),
    "counts.recount": person("ops"),
    "counts.apply": person("manager"),
    "counts.cancel": person("ops"),
    "lots.listing": person("viewer"),
    "lots.adjust": person("ops"),
    "lots.track": person("manager"),
    "lots.block": person("ops"),
    "lots.unblock": person("manager"),
    "lots.record": person("packer"),
    "purchasing.listing": person("viewer"),
    "purchasing.new": person("ops"),
    "purchasing.add": person("ops"),
    "purchasing.show": person("viewer"),
    "purchasing.lines_csv": person("viewer"),
    "purchasing.change": person("ops"),
    "purchasing.place": person("ops"),
    "purchasing.acknowledge": person("ops"),
    "purchasing.dates": person("ops"),
    "purchasing.receive": person("packer"),
    "purchasing.cancel": person("manager"),
    "purchasing.close_short": person("manager"),
    "purchasing.close": person("ops"),
    "suppliers.listing": person("viewer"),
    "suppliers.add": person("manager"),
    "suppliers.show": person("viewer"),
    "suppliers.change": person("manager"),
    "suppliers.offer": person("ops"),
    "suppliers.drop": person("ops"),
    "reorder.listing": person("viewer"),
    "reorder.draft": person("ops"),
    "reorder.policy": person("ops"),
    "waiting.listing": person("viewer"),
    "waiting.told": person("ops"),
    "waiting.until": person("ops"),
    "waiting.release": person("ops"),
    "locations.listing": person("viewer"),
    "locations.add": person("manager"),
    "locations.show": person("viewer"),
    "locations.change": person("manager"),
    "locations.outage": person("ops"),
    "routing.listing": person("viewer"),
    "routing.show": person("viewer"),
    "routing.draft": person("ops"),
    "routing.edit": person("ops"),
    "routing.change": person("ops"),
    "routing.text": person("ops"),
    "routing.change_text": person("ops"),
    "routing.rehearse": person("ops"),
    "routing.rehearsal": person("viewer"),
    "routing.publish": person("manager"),
    "routing.trial": person("ops"),
    "settings.show": person("viewer"),
    "settings.change_password": person("viewer"),
    "settings.sign_out_everywhere": person("viewer"),
    "settings.sign_out_everybody": person("owner"),
    "settings.add_person": person("owner"),
    "settings.change_person": person("owner"),
    "settings.make_link": person("owner"),
    "settings.add_key": person("owner"),
    "settings.revoke_key": person("owner"),
    # The API.
    "api.list_orders": key("viewer"),
    "api.get_order": key("viewer"),
    "api.cancel_order": key("manager"),
    "api.list_holds": key("viewer"),
    "api.hold_order": key("ops"),
    "api.hold_orders": key("ops"),
    "api.release_hold": key("ops"),
    "api.release_holds": key("ops"),
    "api.change_hold": key("ops"),
    "api.change_order": key("ops"),
    "api.list_changes": key("ops"),
    "api.confirm_change": key("ops"),
    "api.decline_change": key("ops"),
    "api.take_back_change": key("ops"),
    "api.get_entry_checks": key("viewer"),
    "api.choose_entry_checks": key("manager"),
    "api.accept_fulfillment_order": key("packer"),
    "api.refuse_fulfillment_order": key("packer"),
    "api.ask_back_fulfillment_order": key("ops"),
    "api.fulfillment_order_stopped": key("packer"),
    "api.fulfillment_order_too_late": key("packer"),
    "api.ship_fulfillment_order": key("packer"),
    "api.ready_for_collection": key("packer"),
    "api.collected": key("packer"),
    "api.not_collected": key("packer"),
    "api.collect_until": key("packer"),
    "api.route_order": key("ops"),
    "api.collect_elsewhere": key("ops"),
    "api.ship_instead": key("ops"),
    "api.list_locations": key("viewer"),
    "api.add_location": key("manager"),
    "api.get_location": key("viewer"),
    "api.change_location": key("manager"),
    "api.set_outage": key("ops"),
    "api.list_stock": key("viewer"),
    "api.get_stock": key("viewer"),
    "api.adjust_stock": key("ops"),
    "api.set_stock": key("ops"),
    "api.move_stock": key("ops"),
    "api.list_moves": key("viewer"),
    "api.list_past_stock": key("viewer"),
    "api.list_reservations": key("viewer"),
    "api.reserve": key("ops"),
    "api.extend_reservations": key("ops"),
    "api.release_reservations": key("ops"),
    "api.convert_reservations": key("ops"),
    "api.list_audits": key("viewer"),
    "api.audit_stock": key("ops"),
    "api.get_availability": key("viewer"),
    "api.set_kit": key("manager"),
    "api.list_availability_rules": key("viewer"),
    "api.add_availability_rule": key("manager"),
    "api.change_availability_rule": key("manager"),
    "api.remove_availability_rule": key("manager"),
    "api.set_channel_stock": key("manager"),
    "api.set_location_stock": key("manager"),
    "api.set_article": key("manager"),
    "api.list_doubted_feeds": key("viewer"),
    "api.accept_feed": key("manager"),
    "api.refuse_feed": key("manager"),
    "api.list_suppliers": key("viewer"),
    "api.get_supplier": key("viewer"),
    "api.add_supplier": key("manager"),
    "api.change_supplier": key("manager"),
    "api.set_supplier_articles": key("ops"),
    "api.set_stock_policy": key("ops"),
    "api.list_purchase_orders": key("viewer"),
    "api.get_purchase_order": key("viewer"),
    "api.add_purchase_order": key("ops"),
    "api.change_purchase_order": key("ops"),
    "api.place_purchase_order": key("ops"),
    "api.acknowledge_purchase_order": key("ops"),
    "api.move_purchase_order_dates": key("ops"),
    "api.receive_purchase_order": key("packer"),
    "api.cancel_purchase_order": key("manager"),
    "api.close_purchase_order_short": key("manager"),
    "api.close_purchase_order": key("ops"),
    "api.get_reorder": key("viewer"),
    "api.draft_reorder": key("ops"),
    "api.list_waiting": key("viewer"),
    "api.mark_told": key("ops"),
    "api.set_cancel_date": key("ops"),
    "api.release_from_queue": key("ops"),
    "api.list_stock_alerts": key("viewer"),
    "api.list_transfers": key("viewer"),
    "api.get_transfer": key("viewer"),
    "api.create_transfer": key("ops"),
    "api.change_transfer": key("ops"),
    "api.ready_transfer": key("ops"),
    "api.ship_transfer": key("ops"),
    "api.receive_transfer": key("packer"),
    "api.close_transfer": key("ops"),
    "api.cancel_transfer": key("ops"),
    "api.list_counts": key("viewer"),
    "api.get_count": key("viewer"),
    "api.create_count": key("ops"),
    "api.assign_count": key("ops"),
    "api.start_count": key("packer"),
    "api.enter_counts": key("packer"),
    "api.review_count": key("packer"),
    "api.recount": key("ops"),
    "api.apply_count": key("manager"),
    "api.cancel_count": key("ops"),
    "api.list_lots": key("viewer"),
    "api.trace_lot": key("viewer"),
    "api.list_left": key("viewer"),
    "api.record_serials": key("packer"),
    "api.track_article": key("manager"),
    "api.adjust_lot": key("ops"),
    "api.block_lot": key("ops"),
    "api.unblock_lot": key("manager"),
    "api.list_connections": key("viewer"),
    "api.get_connection": key("viewer"),
    "api.add_connection": key("manager"),
    "api.change_connection": key("manager"),
    "api.check_connection": key("ops"),
    "api.pause_connection": key("manager"),
    "api.resume_connection": key("manager"),
    "api.sync_connection": key("ops"),
    "api.set_webhooks": key("manager"),
    "api.link_sku": key("ops"),
    "api.list_oversold": key("viewer"),
    "api.reroute_oversold": key("ops"),
    "api.list_rules": key("viewer"),
    "api.get_rules": key("viewer"),
    "api.create_rules": key("ops"),
    "api.change_rules": key("ops"),
    "api.validate_rules": key("viewer"),
    "api.diff_rules": key("viewer"),
    "api.rehearse_rules": key("ops"),
    "api.get_rehearsal": key("viewer"),
    "api.try_rules": key("ops"),
    "api.publish_rules": key("manager"),
    "api.list_decisions": key("viewer"),
    "api.get_decision": key("viewer"),
    "api.list_problems": key("viewer"),
    "api.replay_problem": key("ops"),
    "api.set_aside_problem": key("ops"),
    "api.resolve_message": key("manager"),
}


def guard() -> BaseResponse | None:
    """Runs before every view. An address that does not exist has no endpoint and is answered with 404 later."""
    if request.endpoint is None:
        return None
    rule = _rule(request.endpoint)
    if rule is None:
        abort(403)
    if rule.by == "anyone":
        return None
    if rule.by == "key":
        g.caller = _by_key()
        if not g.caller.may(rule.role):
            raise Problem(403, f"The key's role is {g.caller.role}; this takes {rule.role}.")
        return None
    found = sessions.find()
    if found is None:
        return _to_sign_in()
    g.caller = found
    if not found.may(rule.role):
        abort(403)
    return None


def _rule(endpoint: str) -> Rule | None:
    if endpoint == "health.metrics" and console().settings.metrics_need_key:
        return key("viewer")
    return RULES.get(endpoint)


def _by_key() -> Caller:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Problem(401, "Send an API key: Authorization: Bearer ohk_…")
    hub = console().runtime
    with hub.db.read() as tx:
        row = people.key_row(tx, text.strip())
    if row is None:
        raise Problem(401, "The API key is unknown or was revoked.")
    now = hub.clock()
    if row.last_used_at is None or row.last_used_at < now - people.SEEN_EVERY:
        with hub.db.begin() as tx:
            people.key_used(tx, row.id, now)
    return Caller(row.id, f"key {row.name} …{row.hint}", row.role)


def _to_sign_in() -> BaseResponse:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    target = url_for("signin.sign_in", next=wanted or None)
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": target})
    return redirect(target)
