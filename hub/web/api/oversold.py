"""Oversold: positions that have promised more than is there, and the repair."""

from __future__ import annotations

from hub.flows.operate import oversold as operate
from hub.store.views import oversold as view
from hub.store.views.oversold import AtRisk, Oversold
from hub.web.api.operation import Call, Operation, closed, read
from hub.web.api.shapes import Json, many, maybe, moment, obj, ref, text, whole
from hub.web.context import caller, console
from hub.web.problems import Problem

_AT_RISK = obj(
    "An order that cannot be served.",
    order_id=text("Our id."),
    number=text("The channel's number."),
    channel=text("Name of the connection."),
    placed_at=moment("When it was placed."),
    units=whole("Units."),
    fulfillment_order=text("Number; empty for an order that has no place yet."),
    repair=maybe(
        obj("What is proposed.", kind=text("reroute, transfer, wait, buy, cancel or keep."), words=text("In words."))
    ),
)
OVERSOLD = obj(
    "A position with units that are promised and not there.",
    id=text("Id of the position."),
    sku=text("Our SKU."),
    title=text("Title."),
    location=text("Code."),
    missing=whole("Units that are promised and not there."),
    incoming=whole("Units on their way there."),
    at=moment("When it last moved."),
    elsewhere={"type": "object", "description": "Free units by code.", "additionalProperties": {"type": "integer"}},
    orders=many(_AT_RISK, "Fulfillment orders that the shortage hits, newest first."),
    waiting=many(_AT_RISK, "Orders that wait for the article without a place."),
    kept=many(
        obj("Units.", id=text("Id of the reservation."), whom=text("For whom."), units=whole("Units.")),
        "What is kept there for a person, a checkout or a transfer, newest first.",
    ),
)
COMPONENTS: dict[str, Json] = {"Oversold": OVERSOLD}


def list_oversold(_call: Call) -> Json:
    return {"rows": [_oversold(one) for one in read(view.find)]}


def reroute_oversold(call: Call) -> Json:
    position_id = call.path["position_id"]
    found = read(lambda tx: view.find(tx, position_id))
    if not found:
        raise Problem(404, "Nothing is oversold there; it may be solved.")
    ids = {one.fo_number: one.fo_id for one in found[0].orders}
    numbers = call.body.get("fulfillment_orders", [])
    if unknown := sorted(set(numbers) - set(ids)):
        words = f"{', '.join(unknown)} is not at risk there"
        raise Problem(422, "The request is not right.", [{"path": "/body/fulfillment_orders", "message": words}])
    chosen = frozenset(ids[number] for number in numbers)
    done = operate.reroute(console().runtime, position_id, person=caller().actor, fo_ids=chosen)
    return {"moved": list(done.moved), "asked": list(done.asked), "gone": list(done.gone)}


def _oversold(one: Oversold) -> Json:
    plain = {
        name: getattr(one, name) for name in ("sku", "title", "location", "missing", "incoming", "at", "elsewhere")
    }
    orders, waiting = map(_at_risk, one.orders), map(_at_risk, one.waiting)
    kept = [{"id": row.id, "whom": row.whom, "units": row.units} for row in one.kept]
    return {"id": one.position_id, **plain, "orders": list(orders), "waiting": list(waiting), "kept": kept}


def _at_risk(one: AtRisk) -> Json:
    plain = {name: getattr(one, name) for name in ("order_id", "number", "channel", "placed_at", "units")}
    repair = {"kind": one.repair.kind, "words": one.repair.words} if one.repair else None
    return {**plain, "fulfillment_order": one.fo_number, "repair": repair}


OPERATIONS = (
    Operation(
        "list_oversold", "GET", "/oversold", "List what is promised and not there, with a repair for each order",
        obj("All of it, worst first.", rows=many(ref("Oversold"))), list_oversold,
    ),
    Operation(
        "reroute_oversold", "POST", "/oversold/{position_id}/reroute", "Send orders at risk from other places",
        obj(
            "What became of the fulfillment orders, by number.", moved=many(text("Routed anew.")),
            asked=many(text("Asked back, and routed when the place agrees.")), gone=many(text("Ended meanwhile.")),
        ),
        reroute_oversold,
        body=closed(
            fulfillment_orders=many(
                text("Number.", maxLength=40), "Only these; by default all that are proposed for it.", maxItems=500
            )
        ),
        needs_body=False, refusals=(404, 409), about="Safe to repeat.",
    ),
)  # fmt: skip
