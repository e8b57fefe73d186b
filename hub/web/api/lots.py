"""Lots and serial numbers: where they are, where they went, and what may be sold."""

from __future__ import annotations

from datetime import date

from hub.domain.lots import TRACKING, Marks
from hub.domain.stock_states import MOST_UNITS
from hub.flows.operate import lots as operate
from hub.store.views import lots as lots_view
from hub.store.views import order as order_view
from hub.store.views import stock as stock_view
from hub.store.views.lots import LeftWith, LotPlace, LotView, Trace
from hub.web.api.operation import REASON, Call, Operation, closed, may_see_contact, read
from hub.web.api.shapes import Json, many, maybe, moment, obj, ref, text, truth, whole
from hub.web.context import caller, console
from hub.web.problems import Problem

_PLACE = obj(
    "Units at one location.",
    location=text("Code."),
    units=whole("Units."),
    held=whole("Of these, in quality hold because the lot may not be sold."),
    to_inspect=whole("Of these, in quality hold until somebody has looked at them."),
    damaged=whole("Of these, not fit to be sold."),
)
LOT = obj(
    "A lot of one article.",
    sku=text("Our SKU."),
    code=text("The lot."),
    expires_on=maybe(text("Last day on which it may be sold.", format="date")),
    blocked=truth("Whether it is sold no more."),
    places=many(_PLACE),
)
TRACE = obj(
    "Where a lot or a numbered unit is, and with which orders it left.",
    kind=text("lot or serial."),
    sku=text("Our SKU."),
    code=text("The lot or the serial number."),
    expires_on=maybe(text("Last day on which it may be sold.", format="date")),
    blocked=truth("Whether it is sold no more."),
    status=text("Of a serial number: in_stock, shipped, returned or scrapped."),
    places=many(_PLACE),
    transfers=many(text("Number of a transfer it was on.")),
    orders=many(
        obj(
            "An order that it left with.", order_id=text("Our id."), number=text("The channel's number."),
            channel=text("The channel."), placed_at=moment("When it was placed."),
            email=maybe(text("The customer's e-mail address; null for those who may not see it.")),
            fulfillment_order=text("Number."), units=whole("Units."),
        )
    ),
)  # fmt: skip
LEFT = obj(
    "What is known of the units of an article with lots or serial numbers that left with a fulfillment order.",
    fulfillment_order=text("Number."),
    sku=text("Our SKU."),
    tracking=text("lot or serial."),
    units=whole("Units that left."),
    marks=many(
        obj(
            "A lot or a serial number.", code=text("The lot or the serial number."), units=whole("Units."),
            expires_on=maybe(text("Last day on which it may be sold.", format="date")),
        )
    ),
    missing=whole("Units of which the lot or the serial number is not recorded."),
)  # fmt: skip
COMPONENTS: dict[str, Json] = {"Lot": LOT, "Trace": TRACE, "LeftWith": LEFT}


def _place(one: LotPlace) -> Json:
    return {name: getattr(one, name) for name in ("location", "units", "held", "to_inspect", "damaged")}


def _lot(one: LotView) -> Json:
    return {
        "sku": one.sku, "code": one.code, "expires_on": one.expires_on, "blocked": one.blocked,
        "places": [_place(place) for place in one.places],
    }  # fmt: skip


def _trace(one: Trace, *, contact: bool) -> Json:
    return {
        "kind": one.kind, "sku": one.sku, "code": one.code, "expires_on": one.expires_on, "blocked": one.blocked,
        "status": one.status, "places": [_place(place) for place in one.places], "transfers": list(one.travels),
        "orders": [
            {
                "order_id": left.order_id, "number": left.order_number, "channel": left.channel,
                "placed_at": left.placed_at, "email": left.email if contact else None,
                "fulfillment_order": left.fo_number, "units": left.units,
            }
            for left in one.departures
        ],
    }  # fmt: skip


def list_lots(call: Call) -> Json:
    sku = call.query.get("sku", "")
    _article(sku)
    return {"rows": [_lot(one) for one in read(lambda tx: lots_view.of_article(tx, sku))]}


def trace_lot(call: Call) -> Json:
    contact = may_see_contact()
    found = read(lambda tx: lots_view.trace(tx, call.path["code"], call.query.get("sku", "")))
    return {"rows": [_trace(one, contact=contact) for one in found]}


def track_article(call: Call) -> Json:
    _article(call.body["sku"])
    done = operate.track_article(console().runtime, call.body["sku"], call.body["tracking"], person=caller().actor)
    return {"changed": done}


def adjust_lot(call: Call) -> Json:
    _article(call.body["sku"])
    expires = call.body.get("expires_on")
    marks = Marks(
        call.body.get("lot", ""),
        date.fromisoformat(expires) if expires else None,
        tuple(call.body.get("serials", ())),
    )
    done = operate.adjust_lot(
        console().runtime,
        call.body["sku"],
        call.body["location"],
        marks,
        call.body["change"],
        person=caller().actor,
        reason=call.body["reason"],
        key=call.key,
    )
    return {"changed": done}


def block_lot(call: Call) -> Json:
    _article(call.body["sku"])
    held = operate.block_lot(
        console().runtime, call.body["sku"], call.path["code"], person=caller().actor, reason=call.body["reason"]
    )
    return {"units": held or 0}


def unblock_lot(call: Call) -> Json:
    _article(call.body["sku"])
    freed = operate.unblock_lot(console().runtime, call.body["sku"], call.path["code"], person=caller().actor)
    return {"units": freed or 0}


def list_left(call: Call) -> Json:
    order_id = call.path["order_id"]
    read(lambda tx: order_view.detail(tx, order_id))
    return {"rows": [_left(one) for one in read(lambda tx: lots_view.left_with(tx, order_id))]}


def record_serials(call: Call) -> Json:
    found = read(lambda tx: order_view.detail(tx, call.path["order_id"]))
    if call.path["number"] not in {one.number for one in found.fulfillment_orders}:
        raise Problem(404, "The order has no such fulfillment order.")
    done = operate.record_serials(
        console().runtime,
        call.path["order_id"],
        call.path["number"],
        call.body["sku"],
        call.body["serials"],
        person=caller().actor,
    )
    return {"changed": done}


def _left(one: LeftWith) -> Json:
    marks = [{"code": code, "units": units, "expires_on": expires} for code, units, expires in one.marks]
    return {
        "fulfillment_order": one.fo_number, "sku": one.sku, "tracking": one.tracking, "units": one.shipped,
        "marks": marks, "missing": one.missing,
    }  # fmt: skip


def _article(sku: str) -> None:
    """Raises UnknownArticleError."""
    read(lambda tx: stock_view.article(tx, sku))


_SKU = text("Our SKU.", minLength=1, maxLength=120)
_CHANGED = obj("What was done.", changed=truth("False when it was so before."))
_UNITS = obj("What was done.", units=whole("Units that were held back, or given free."))

OPERATIONS = (
    Operation(
        "list_lots", "GET", "/lots", "List the lots of an article", obj("The lots.", rows=many(ref("Lot"))), list_lots,
        query={"sku": _SKU}, refusals=(404,), about="What expires first comes first.",
    ),
    Operation(
        "trace_lot", "GET", "/lots/{code}/trace", "Where a lot or a serial number is, and where it went",
        obj("One row for each article that has this code.", rows=many(ref("Trace"))), trace_lot,
        query={"sku": text("Only of this article.", maxLength=120)}, refusals=(404,),
        about="The recall list: every order that units of it left with.",
    ),
    Operation(
        "list_left", "GET", "/orders/{order_id}/lots", "List the lots and serial numbers that left with an order",
        obj("One row for each article of a fulfillment order.", rows=many(ref("LeftWith"))), list_left, refusals=(404,),
    ),
    Operation(
        "record_serials", "POST", "/orders/{order_id}/fulfillment-orders/{number}/serials",
        "Say which serial numbers left", _CHANGED, record_serials,
        body=closed(
            ("sku", "serials"), sku=_SKU,
            serials=many(text("A serial number.", minLength=1, maxLength=120), minItems=1, maxItems=1000),
        ),
        refusals=(404, 409), about="When that was not said as they left. Safe to repeat.",
    ),
    Operation(
        "track_article", "POST", "/lots/tracking", "Keep an article by lot or serial number", _CHANGED, track_article,
        body=closed(("sku", "tracking"), sku=_SKU, tracking=text("How.", enum=list(TRACKING))), refusals=(404, 409),
    ),
    Operation(
        "adjust_lot", "POST", "/lots/adjust", "Correct the units of a lot", _CHANGED, adjust_lot,
        body=closed(
            ("sku", "location", "change", "reason"), sku=_SKU,
            location=text("Code of the location.", minLength=1, maxLength=40),
            change=whole("So many more, or fewer.", minimum=-MOST_UNITS, maximum=MOST_UNITS), reason=REASON,
            lot=text("The lot.", maxLength=80), expires_on=text("Last day on which it may be sold.", format="date"),
            serials=many(text("A serial number.", minLength=1, maxLength=120), maxItems=1000),
        ),
        refusals=(404, 409), takes_key=True,
    ),
    Operation(
        "block_lot", "POST", "/lots/{code}/block", "Sell a lot no more", _UNITS, block_lot,
        body=closed(("sku", "reason"), sku=_SKU, reason=REASON), refusals=(404, 409),
        about="Its units go into quality hold at once. Safe to repeat.",
    ),
    Operation(
        "unblock_lot", "POST", "/lots/{code}/unblock", "Sell a lot again", _UNITS, unblock_lot,
        body=closed(("sku",), sku=_SKU), refusals=(404, 409),
    ),
)  # fmt: skip
