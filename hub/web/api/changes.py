"""Changes of orders, looked at first and then confirmed, and the entry checks of connections."""

from __future__ import annotations

from hub.domain.changes import STATES
from hub.domain.stock_states import MOST_UNITS
from hub.flows import operate
from hub.flows.change import Preview
from hub.flows.operate import SettingsError
from hub.store import changes as change_store
from hub.store.changes import ChangeRow
from hub.store.views import order as order_view
from hub.web.api import shapes
from hub.web.api.operation import NO_NUL, Call, Operation, closed, read
from hub.web.api.shapes import Json, many, maybe, obj, ref, text, truth, whole
from hub.web.context import caller, console
from hub.web.problems import Problem


def change_order(call: Call) -> Json:
    asks = operate.read_asks(call.body["actions"])
    order_id = call.path["order_id"]
    read(lambda tx: order_view.detail(tx, order_id))
    if call.body.get("preview", False):
        return {"change": None, "preview": _preview(operate.preview_change(console().runtime, order_id, asks))}
    asked = operate.change_order(
        console().runtime, order_id, asks, person=caller().actor, reason=call.body.get("reason", "")
    )
    return {"change": _change(_row(call, asked.id)), "preview": _preview(asked.preview)}


def list_changes(call: Call) -> Json:
    read(lambda tx: order_view.detail(tx, call.path["order_id"]))
    return {"rows": [_change(one) for one in read(lambda tx: change_store.of_order(tx, call.path["order_id"]))]}


def confirm_change(call: Call) -> Json:
    row = _row(call, call.path["change_id"])
    operate.confirm_change(console().runtime, row.id, person=caller().actor, seen=call.body.get("preview_hash", ""))
    return _change(_row(call, row.id))


def decline_change(call: Call) -> Json:
    return _end(call, declined=True)


def take_back_change(call: Call) -> Json:
    return _end(call, declined=False)


def _end(call: Call, *, declined: bool) -> Json:
    row = _row(call, call.path["change_id"])
    note = call.body.get("note", "")
    operate.end_change(console().runtime, row.id, person=caller().actor, declined=declined, note=note)
    return _change(_row(call, row.id))


def _row(call: Call, change_id: str) -> ChangeRow:
    row: ChangeRow | None = read(lambda tx: change_store.get(tx, change_id))
    if row is None or row.order_id != call.path["order_id"]:
        raise Problem(404, "The order has no such change.")
    return row


def _change(row: ChangeRow) -> Json:
    return shapes.picked(row, CHANGE)


def _preview(seen: Preview) -> Json:
    found = seen.as_json()
    return {name: found[name] for name in ("lines", "money", "recalls", "refused", "notes")}


def get_checks(call: Call) -> Json:
    rows = operate.checks_of(console().runtime, call.path["connection_id"])
    return {
        "rows": [
            {"name": one.name, "about": one.check.about, "on": one.on, "settings": dict(one.settings)} for one in rows
        ]
    }


def choose_checks(call: Call) -> Json:
    try:
        operate.choose_checks(console().runtime, call.path["connection_id"], call.body["checks"], person=caller().actor)
    except SettingsError as error:
        wrong = [
            {"path": f"/body/checks/{one.field.replace('.', '/')}", "message": one.message} for one in error.errors
        ]
        raise Problem(422, "Some settings are not right.", wrong) from error
    return get_checks(call)


CHANGE = obj(
    "A change of an order.",
    id=text("Id."),
    kind=text("edit, cancel, address or method."),
    source=text("Who it came from: channel or person."),
    status=text("Where it stands.", enum=list(STATES)),
    reason=text("Why."),
    actions=many({"type": "object"}, "What was asked for."),
    preview_hash=text("Of what was looked at; give it to confirm just that."),
    delta_minor=whole("What it moves the order's price by."),
    currency=text("ISO 4217."),
    created_by=text("Who asked for it."),
    created_at=shapes.moment("When."),
    expires_at=shapes.moment("It lapses then, unless it is confirmed."),
    decided_by=maybe(text("Who decided.")),
    decided_at=maybe(shapes.moment("When.")),
)
PREVIEW = obj(
    "What a change would do.",
    lines=many(
        obj(
            "A line, in the quantity that the order states.",
            line=text("The channel's id of the line."),
            name=text("SKU or title."),
            before=whole("Before."),
            after=whole("After."),
            before_minor=whole("What it costs before."),
            after_minor=whole("What it costs after."),
        )
    ),
    money=obj(
        "In minor units.",
        currency=text("ISO 4217."),
        before_minor=whole("The order before."),
        after_minor=whole("The order after."),
        delta_minor=whole("The difference."),
        paid_minor=maybe(whole("What was paid; null where nobody knows.")),
        refund_minor=whole("To be given back because of the change."),
        collect_minor=whole("To be asked for because of the change."),
    ),
    recalls=many(
        obj(
            "A fulfillment order that is called back.",
            number=text("Number."),
            location=text("Code."),
            what=text("withdrawn before anybody was told, or asked_back from its handler."),
            units=whole("Units."),
        )
    ),
    refused=many(text("Why it cannot be done."), "Empty when it can."),
    notes=many(text("What to know.")),
)
COMPONENTS = {"Change": CHANGE, "ChangePreview": PREVIEW}

_ADDRESS = {
    "type": "object",
    "description": "A canonical address: name, company, line1, city, region, postal_code, country, phone, email …",
    "additionalProperties": {"type": ["string", "number", "boolean"], **NO_NUL},
}
_ACTION = closed(
    ("do",),
    do=text("What.", enum=["set_quantity", "add_line", "ship_to", "set_method", "cancel"]),
    line=text("set_quantity: the channel's id of the line.", maxLength=255),
    quantity=whole("set_quantity, add_line: how many there are to be.", minimum=0, maximum=MOST_UNITS),
    sku=text("add_line: our SKU.", maxLength=120),
    price_minor=whole("add_line: of one, in minor units.", minimum=0),
    tax_minor=whole("add_line: on one, where prices do not contain taxes.", minimum=0),
    address=_ADDRESS,
    method=text("set_method.", enum=["ship", "pickup"]),
    location=text("set_method: code of the location where it is collected.", maxLength=40),
    reason=text("cancel: why.", maxLength=200),
)
_ONE = "/orders/{order_id}/changes/{change_id}"
_NOTE = closed(note=text("For the timeline.", maxLength=200))
_CHECKS = obj(
    "All entry checks, as they apply to the orders of the connection.",
    rows=many(
        obj(
            "A check.",
            name=text("Name."),
            about=text("What it finds."),
            on=truth("Whether it runs."),
            settings={"type": "object", "description": "Its settings, defaults included."},
        )
    ),
)

OPERATIONS = (
    Operation(
        "change_order", "POST", "/orders/{order_id}/changes", "Ask for a change of an order",
        obj("What was asked for, and what it would do.", change=maybe({**CHANGE}), preview=ref("ChangePreview")),
        change_order,
        body=closed(
            ("actions",),
            actions=many(_ACTION, "What is to change, all of it or nothing.", minItems=1, maxItems=200),
            reason=text("Why; kept for ever.", maxLength=200),
            preview=truth("Only look: nothing is kept.", default=False),
        ),
        refusals=(404, 409),
        about="It waits until it is confirmed, and lapses after a day. One change of an order waits at a time.",
    ),
    Operation(
        "list_changes", "GET", "/orders/{order_id}/changes", "List the changes of an order",
        obj("Newest first.", rows=many(ref("Change"))), list_changes, refusals=(404,),
    ),
    Operation(
        "confirm_change", "POST", f"{_ONE}/confirm", "Do a change that was asked for", ref("Change"), confirm_change,
        body=closed(preview_hash=text("Of the preview that was looked at.", maxLength=64)), needs_body=False,
        refusals=(404, 409), about="Refused when the order has changed since, with what has. Safe to repeat.",
    ),
    Operation(
        "decline_change", "POST", f"{_ONE}/decline", "Say no to a change", ref("Change"), decline_change, body=_NOTE,
        needs_body=False, refusals=(404, 409),
    ),
    Operation(
        "take_back_change", "POST", f"{_ONE}/take-back", "Take a change back", ref("Change"), take_back_change,
        body=_NOTE, needs_body=False, refusals=(404, 409),
    ),
    Operation(
        "get_entry_checks", "GET", "/connections/{connection_id}/entry-checks", "Read the entry checks of a connection",
        _CHECKS, get_checks, refusals=(404,),
    ),
    Operation(
        "choose_entry_checks", "PATCH", "/connections/{connection_id}/entry-checks",
        "Choose the entry checks of a connection", _CHECKS, choose_checks,
        body=closed(
            ("checks",),
            checks={
                "type": "object",
                "description": 'By name: {"on": …} and settings; null goes back to the default.',
                "additionalProperties": {"type": "object"},
            },
        ),
        refusals=(404,), about="What is not named stays as it is.",
    ),
)  # fmt: skip
