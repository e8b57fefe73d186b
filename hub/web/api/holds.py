"""Holds: on an order or a part of it, one or many, and the list of them."""

from __future__ import annotations

from hub.domain.holds import BLOCKS
from hub.flows import operate
from hub.flows.desk import HoldTerms
from hub.flows.operate import Done, HoldOn
from hub.store.views import holds as holds_view
from hub.store.views import order as order_view
from hub.store.views.holds import HoldQuery, HoldRow
from hub.web.api import shapes
from hub.web.api.operation import PAGED, REASON, Call, Operation, closed, may_see_contact, moment, page_of, read
from hub.web.api.shapes import BEYOND, Json, many, maybe, obj, picked, ref, text, truth
from hub.web.context import caller, console
from hub.web.problems import Problem


def _order(call: Call) -> Json:
    contact = may_see_contact()
    return shapes.order_detail(read(lambda tx: order_view.detail(tx, call.path["order_id"])), contact=contact)


def _terms(body: Json) -> HoldTerms:
    return HoldTerms(
        assignee=body.get("assignee", ""),
        due_at=moment(body.get("due_at"), "due_at"),
        auto_release_at=moment(body.get("auto_release_at"), "auto_release_at"),
        note=body.get("note", ""),
    )


def _how(body: Json) -> HoldOn:
    return HoldOn(
        kind=body.get("kind", "manual"),
        blocks=body.get("blocks", "routing"),
        line=body.get("line", ""),
        fo=body.get("fulfillment_order", ""),
        handle=body.get("handle", ""),
        terms=_terms(body),
    )


def hold_order(call: Call) -> Json:
    _order(call)
    operate.hold_order(
        console().runtime, call.path["order_id"], call.body["reason"], person=caller().actor, on=_how(call.body)
    )
    return _order(call)


def release_hold(call: Call) -> Json:
    found = read(lambda tx: order_view.detail(tx, call.path["order_id"]))
    if call.path["hold_id"] not in {one.id for one in found.holds}:
        raise Problem(404, "The order has no such hold.")
    operate.release_hold(
        console().runtime,
        call.path["order_id"],
        call.path["hold_id"],
        person=caller().actor,
        note=call.body.get("note", ""),
    )
    return _order(call)


def list_holds(call: Call) -> Json:
    query = HoldQuery(
        kind=call.query.get("kind", ""),
        assignee=call.query.get("assignee", ""),
        overdue=call.query.get("overdue", False),
        after=call.query.get("after", ""),
        limit=call.query.get("limit", 50),
    )
    now = console().runtime.clock()
    return page_of(read(lambda tx: holds_view.find(tx, query, now)), _row)


def _row(row: HoldRow) -> Json:
    return picked(row, HOLD_ROW)


def hold_many(call: Call) -> Json:
    done = operate.hold_orders(
        console().runtime, call.body["orders"], call.body["reason"], person=caller().actor, on=_how(call.body)
    )
    return _results(done)


def release_many(call: Call) -> Json:
    done = operate.release_holds(
        console().runtime, call.body["holds"], person=caller().actor, note=call.body.get("note", "")
    )
    return _results(done)


def _results(done: list[Done]) -> Json:
    return {"rows": [picked(one, _ONE) for one in done]}


def change_hold(call: Call) -> Json:
    changed = operate.look_after_hold(console().runtime, call.path["hold_id"], _terms(call.body), person=caller().actor)
    if not changed:
        raise Problem(404, "There is no active hold of this id.")
    return {"changed": True}


HOLD_ROW = obj(
    "An active hold in the list.",
    id=text("Id."),
    order_id=text("Our id of the order."),
    number=text("The channel's number of the order."),
    channel=text("Name of the connection."),
    kind=text("Kind, such as unmapped, unpaid or manual."),
    reason=text("In words."),
    blocks=text("The step it holds up: routing, release, label, ship, everything, or nothing."),
    target=text("The SKU or fulfillment order it lies on; empty for the whole order."),
    source=text("Who made it: entry, person, router, fulfiller, channel."),
    assignee=text("Who looks after it; empty for nobody."),
    due_at=maybe(shapes.moment("Until when somebody should have.")),
    auto_release_at=maybe(shapes.moment("When it ends by itself.")),
    note=text("For people."),
    created_at=shapes.moment("Since when."),
    is_overdue=truth("Whether its day has passed."),
    beyond=BEYOND,
)
_ONE = obj(
    "One.",
    id=text("The id that was given."),
    done=truth("False when there was nothing to do, or it could not be done."),
    error=text("Why it could not be done; empty otherwise."),
    note=text("What has to be known beside, such as what a hold comes too late for."),
)
_RESULT = obj("What became of each, in the order they were given.", rows=many(_ONE))
COMPONENTS = {"HoldRow": HOLD_ROW}
_TERMS = {
    "assignee": text("Who looks after it.", maxLength=120),
    "due_at": text("Until when somebody should have, with its offset.", format="date-time"),
    "auto_release_at": text("It ends by itself then.", format="date-time"),
    "note": text("For people.", maxLength=1000),
}
_HOW = {
    "kind": text("What people filter by, such as customer or payment.", minLength=1, maxLength=32, default="manual"),
    "blocks": text("The step it holds up.", enum=list(BLOCKS), default="routing"),
    "handle": text("Tells several holds of one kind apart.", maxLength=80),
    **_TERMS,
}
_NOTE = text("For the timeline.", maxLength=200)


def _ids(what: str) -> Json:
    return many(text("Id.", maxLength=36), what, minItems=1, maxItems=500)


OPERATIONS = (
    Operation(
        "list_holds", "GET", "/holds", "List active holds", shapes.page_of("HoldRow"), list_holds,
        query={
            "kind": text("Only of this kind.", maxLength=32),
            "assignee": text("Only those that this person looks after.", maxLength=120),
            "overdue": truth("Only those whose day has passed."),
            **PAGED,
        },
    ),
    Operation(
        "hold_orders", "POST", "/holds", "Hold many orders", _RESULT, hold_many,
        body=closed(("orders", "reason"), orders=_ids("Our ids."), reason=REASON, **_HOW),
        about="Each for itself: one that cannot be held does not keep the others from it.",
    ),
    Operation(
        "release_holds", "POST", "/holds/release", "Release many holds", _RESULT, release_many,
        body=closed(("holds",), holds=_ids("Ids of holds."), note=_NOTE),
        about="Each for itself. The orders go on at once, unless other holds keep them.",
    ),
    Operation(
        "change_hold", "PATCH", "/holds/{hold_id}", "Say who looks after a hold, and until when",
        obj("Done.", changed=truth("Always true.")), change_hold, body=closed(**_TERMS), refusals=(404,),
        about="What is left out is cleared.",
    ),
    Operation(
        "hold_order", "POST", "/orders/{order_id}/holds", "Hold an order or a part of it", ref("OrderDetail"),
        hold_order,
        body=closed(
            ("reason",),
            reason=REASON,
            line=text("A line: its id, its number in the order, or its SKU.", maxLength=255),
            fulfillment_order=text("The number of a fulfillment order.", maxLength=40),
            **_HOW,
        ),
        refusals=(404, 409), about="One hold per target and handle while it is active. Safe to repeat.",
    ),
    Operation(
        "release_hold", "POST", "/orders/{order_id}/holds/{hold_id}/release", "Release a hold", ref("OrderDetail"),
        release_hold, body=closed(note=_NOTE), needs_body=False, refusals=(404, 409),
        about="The order goes on at once, unless another hold keeps it. Safe to repeat.",
    ),
)  # fmt: skip
