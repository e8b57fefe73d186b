"""Transfers: write, keep, ship, receive, settle, cancel."""

from __future__ import annotations

from datetime import date

from hub.domain.stock_states import MOST_UNITS
from hub.domain.transfers import CONDITIONS, NEXT
from hub.flows.operate import transfers as operate
from hub.flows.operate.transfers import Missing, Received
from hub.store.views import transfers as transfers_view
from hub.store.views.transfers import TransferDetail, TransferQuery, TransferRow
from hub.web.api import shapes
from hub.web.api.operation import PAGED, Call, Operation, closed, page_of, read
from hub.web.api.shapes import Json, many, maybe, moment, obj, ref, text, whole
from hub.web.context import caller, console

MOST_LINES = 1_000

_HEAD = {
    "number": text("Number."),
    "source": text("Code of the location that units leave."),
    "destination": text("Code of the location that they go to."),
    "status": text("Status.", enum=sorted(NEXT)),
    "expected_on": maybe(text("Day on which it should arrive.", format="date")),
    "shipped_at": maybe(moment("When it left.")),
    "created_at": moment("When it was written."),
    "created_by": text("By whom."),
    "note": text("Note."),
    "carrier": text("Who carries it."),
    "tracking_number": text("The carrier's number."),
    "quantity": whole("Units that are to be sent."),
    "shipped": whole("Units that left."),
    "received": whole("Of these, units that arrived."),
    "expected": whole("Units that left and of which nothing is known since."),
}
_LINE = {
    "quantity": whole("Units that are to be sent."),
    "shipped": whole("Units that left."),
    "received": whole("Of these, units that arrived."),
    "lost": whole("Units that are lost."),
    "back_to_source": whole("Units that are back where they left."),
    "expected": whole("Units that are still expected."),
    "over": whole("Units that arrived beyond what left."),
    "mis_shipped": whole("Units that arrived though the article was never on the transfer."),
}
TRANSFER = obj("A transfer between two of our locations, in short.", **_HEAD)
TRANSFER_DETAIL = obj(
    "A transfer.",
    **_HEAD,
    lines=many(obj("An article.", sku=text("Our SKU."), tracking=text("none, lot or serial."), **_LINE)),
    differences=many(
        obj("Where what arrived is not what left.", sku=text("Our SKU."), kind=text("over, under or mis_shipped."),
            units=whole("Units.")),
    ),
    next=many(text("A status that it can go to."), "What can follow."),
)  # fmt: skip
COMPONENTS: dict[str, Json] = {"Transfer": TRANSFER, "TransferDetail": TRANSFER_DETAIL}


def _row(row: TransferRow) -> Json:
    return {name: getattr(row, name) for name in _HEAD}


def _detail(found: TransferDetail) -> Json:
    lines = [
        {"sku": one.sku, "tracking": one.tracking, **{name: getattr(one.line, name) for name in _LINE}}
        for one in found.lines
    ]
    different = [{"sku": one.sku, "kind": one.kind, "units": one.units} for one in found.differences]
    return {**_row(found.row), "lines": lines, "differences": different, "next": list(NEXT[found.row.status])}


def _known(number: str) -> TransferDetail:
    found: TransferDetail = read(lambda tx: transfers_view.detail(tx, number))
    return found


def list_transfers(call: Call) -> Json:
    query = TransferQuery(
        call.query.get("status", ""),
        call.query.get("location", ""),
        call.query.get("after", ""),
        call.query.get("limit", 50),
    )
    return page_of(read(lambda tx: transfers_view.find(tx, query)), _row)


def get_transfer(call: Call) -> Json:
    return _detail(_known(call.path["transfer"]))


def create_transfer(call: Call) -> Json:
    expected = call.body.get("expected_on")
    number = operate.create_transfer(
        console().runtime,
        call.body["source"],
        call.body["destination"],
        _units(call),
        person=caller().actor,
        note=call.body.get("note", ""),
        expected_on=date.fromisoformat(expected) if expected else None,
        key=call.key,
    )
    return _detail(_known(number))


def change_transfer(call: Call) -> Json:
    number = _known(call.path["transfer"]).row.number
    operate.change_transfer(console().runtime, number, _units(call), person=caller().actor)
    return _detail(_known(number))


def _units(call: Call) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in call.body["lines"]:
        units[line["sku"]] = units.get(line["sku"], 0) + line["units"]
    return units


def ready_transfer(call: Call) -> Json:
    number = _known(call.path["transfer"]).row.number
    operate.make_ready(console().runtime, number, person=caller().actor)
    return _detail(_known(number))


def ship_transfer(call: Call) -> Json:
    number = _known(call.path["transfer"]).row.number
    lines = call.body.get("lines")
    operate.ship_transfer(
        console().runtime,
        number,
        person=caller().actor,
        units=None if lines is None else _units(call),
        serials={line["sku"]: line.get("serials", ()) for line in lines or ()},
        carrier=call.body.get("carrier", ""),
        tracking_number=call.body.get("tracking_number", ""),
    )
    return _detail(_known(number))


def receive_transfer(call: Call) -> Json:
    number = _known(call.path["transfer"]).row.number
    rows = [
        Received(
            one["sku"],
            one["units"],
            one.get("condition", "good"),
            one.get("lot", ""),
            date.fromisoformat(one["expires_on"]) if one.get("expires_on") else None,
            tuple(one.get("serials", ())),
        )
        for one in call.body.get("lines", ())
    ] or None
    operate.receive_transfer(console().runtime, number, rows, person=caller().actor, receipt=call.key)
    return _detail(_known(number))


def close_transfer(call: Call) -> Json:
    number = _known(call.path["transfer"]).row.number
    missing = [
        Missing(
            one["sku"],
            one.get("lost", 0),
            one.get("back_to_source", 0),
            tuple(one.get("back_serials", ())),
            tuple(one.get("lost_serials", ())),
        )
        for one in call.body.get("lines", ())
    ]
    operate.close_short(console().runtime, number, missing, person=caller().actor)
    return _detail(_known(number))


def cancel_transfer(call: Call) -> Json:
    number = _known(call.path["transfer"]).row.number
    operate.cancel_transfer(console().runtime, number, person=caller().actor, reason=call.body.get("reason", ""))
    return _detail(_known(number))


_SKU = text("Our SKU.", minLength=1, maxLength=120)
_UNITS = whole("Units.", minimum=1, maximum=MOST_UNITS)
_SERIALS = many(text("A serial number.", minLength=1, maxLength=120), maxItems=MOST_LINES)
_LINES = many(closed(("sku", "units"), sku=_SKU, units=_UNITS), maxItems=MOST_LINES)
_CODE = text("Code of a location.", minLength=1, maxLength=40)
_SHIPPED = closed(("sku", "units"), sku=_SKU, units={**_UNITS, "minimum": 0}, serials=_SERIALS)
_ARRIVED = closed(
    ("sku", "units"),
    sku=_SKU,
    units=_UNITS,
    condition=text("In which condition.", enum=list(CONDITIONS), default="good"),
    lot=text("Lot, when it is not one of those that left.", maxLength=80),
    expires_on=text("Day on which the lot expires.", format="date"),
    serials=_SERIALS,
)
_MISSING = closed(
    ("sku",),
    sku=_SKU,
    lost=whole("Units that are lost.", minimum=0, maximum=MOST_UNITS),
    back_to_source=whole("Units that are back where they left.", minimum=0, maximum=MOST_UNITS),
    back_serials=_SERIALS,
    lost_serials=_SERIALS,
)

OPERATIONS = (
    Operation(
        "list_transfers", "GET", "/transfers", "List transfers", shapes.page_of("Transfer"), list_transfers,
        query={
            "status": text("A status, or open.", enum=["open", *sorted(NEXT)]),
            "location": text("Code of either end.", maxLength=40),
            **PAGED,
        },
    ),
    Operation(
        "get_transfer", "GET", "/transfers/{transfer}", "Read a transfer", ref("TransferDetail"), get_transfer,
        refusals=(404,),
    ),
    Operation(
        "create_transfer", "POST", "/transfers", "Write a transfer", ref("TransferDetail"), create_transfer,
        body=closed(
            ("source", "destination", "lines"), source=_CODE, destination=_CODE, lines=_LINES,
            note=text("Note.", maxLength=1000), expected_on=text("Day on which it should arrive.", format="date"),
        ),
        refusals=(409,), status=201, takes_key=True,
    ),
    Operation(
        "change_transfer", "PUT", "/transfers/{transfer}/lines", "Give a draft other lines", ref("TransferDetail"),
        change_transfer, body=closed(("lines",), lines=_LINES), refusals=(404, 409),
    ),
    Operation(
        "ready_transfer", "POST", "/transfers/{transfer}/ready", "Keep its units at the source",
        ref("TransferDetail"), ready_transfer, refusals=(404, 409),
        about="They are not sold from now on. Safe to repeat.",
    ),
    Operation(
        "ship_transfer", "POST", "/transfers/{transfer}/ship", "The goods leave", ref("TransferDetail"), ship_transfer,
        body=closed(
            (), lines=many(_SHIPPED, maxItems=MOST_LINES), carrier=text("Who carries it.", maxLength=80),
            tracking_number=text("The carrier's number.", maxLength=120),
        ),
        needs_body=False, refusals=(404, 409),
        about="Without `lines` everything leaves; units that are not named are free again. Safe to repeat.",
    ),
    Operation(
        "receive_transfer", "POST", "/transfers/{transfer}/receive", "Units arrived", ref("TransferDetail"),
        receive_transfer, body=closed((), lines=many(_ARRIVED, minItems=1, maxItems=MOST_LINES)),
        needs_body=False, refusals=(404, 409), takes_key=True,
        about="As many times as it takes; each Idempotency-Key counts once. Without `lines` all that is still expected "
        "is there, in good condition.",
    ),
    Operation(
        "close_transfer", "POST", "/transfers/{transfer}/close", "Close it although units are missing",
        ref("TransferDetail"), close_transfer, body=closed((), lines=many(_MISSING, maxItems=MOST_LINES)),
        needs_body=False, refusals=(404, 409), about="Missing units that are not named are still expected.",
    ),
    Operation(
        "cancel_transfer", "POST", "/transfers/{transfer}/cancel", "Cancel what has not left", ref("TransferDetail"),
        cancel_transfer, body=closed((), reason=text("Why.", maxLength=200)), needs_body=False, refusals=(404, 409),
    ),
)  # fmt: skip
