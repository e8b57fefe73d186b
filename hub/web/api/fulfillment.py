"""Fulfillment orders: what places answer, what customers collect, and the settings of locations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from hub import schemas
from hub.domain.rejections import REASONS
from hub.domain.stock_states import MOST_UNITS
from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store import catalog
from hub.store.catalog import LocationRow
from hub.store.views import order as order_view
from hub.web.api import shapes
from hub.web.api.operation import Call, Operation, closed, may_see_contact, moment, read
from hub.web.api.shapes import Json, many, ref, text, whole
from hub.web.context import caller, console
from hub.web.problems import Problem

_ORDER = "/orders/{order_id}"
_FO = f"{_ORDER}/fulfillment-orders/{{number}}"


def _order(call: Call) -> Json:
    contact = may_see_contact()
    return shapes.order_detail(read(lambda tx: order_view.detail(tx, call.path["order_id"])), contact=contact)


def _known(call: Call) -> None:
    """Raises the 404 of an order or fulfillment order that does not exist."""
    found = read(lambda tx: order_view.detail(tx, call.path["order_id"]))
    if call.path["number"] not in {one.number for one in found.fulfillment_orders}:
        raise Problem(404, "The order has no such fulfillment order.")


def _by_hand(work: Callable[..., bool]) -> Callable[[Call], Json]:
    """An operation on one fulfillment order that takes nothing else."""

    def do(call: Call) -> Json:
        _known(call)
        work(console().runtime, call.path["order_id"], call.path["number"], person=caller().actor)
        return _order(call)

    return do


def refuse(call: Call) -> Json:
    _known(call)
    operate.refuse_by_hand(
        console().runtime,
        call.path["order_id"],
        call.path["number"],
        call.body.get("note", ""),
        person=caller().actor,
        code=call.body["reason"],
        units=_named(call),
    )
    return _order(call)


def _named(call: Call) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in call.body.get("lines", ()):
        units[line["sku"]] = units.get(line["sku"], 0) + line["units"]
    return units


def collect_until(call: Call) -> Json:
    _known(call)
    day = date.fromisoformat(call.body["day"])
    operate.collect_until(console().runtime, call.path["order_id"], call.path["number"], day, person=caller().actor)
    return _order(call)


def ship(call: Call) -> Json:
    _known(call)
    operate.ship_by_hand(
        console().runtime,
        call.path["order_id"],
        call.path["number"],
        person=caller().actor,
        carrier=call.body.get("carrier", ""),
        tracking_number=call.body.get("tracking_number", ""),
        serials=call.body.get("serials", {}),
    )
    return _order(call)


def route_order(call: Call) -> Json:
    _order(call)
    operate.route_order(console().runtime, call.path["order_id"], person=caller().actor)
    return _order(call)


def collect_elsewhere(call: Call) -> Json:
    _order(call)
    operate.collect_elsewhere(console().runtime, call.path["order_id"], call.body["location"], person=caller().actor)
    return _order(call)


def ship_instead(call: Call) -> Json:
    _order(call)
    operate.ship_instead(console().runtime, call.path["order_id"], person=caller().actor)
    return _order(call)


def list_locations(_call: Call) -> Json:
    return {"rows": [_location(one) for one in read(catalog.locations)], "next": None}


def add_location(call: Call) -> Json:
    values = {name: value for name, value in call.body.items() if name != "code"}
    operate.add_location(
        console().runtime,
        call.body["code"],
        person=caller().actor,
        handler=values.pop("handler", ""),
        **{"name": call.body["code"], **values},
    )
    return _location(operate.location(console().runtime, call.body["code"]))


def get_location(call: Call) -> Json:
    try:
        return _location(operate.location(console().runtime, call.path["location"]))
    except NotDoneError as error:
        raise Problem(404, "There is no such location.") from error


def _location(row: LocationRow) -> Json:
    until = row.outage_until.isoformat().replace("+00:00", "Z") if row.outage_until else None
    return {"code": row.code, "outage_until": until, "settings": operate.settings_of(row)}


def change_location(call: Call) -> Json:
    get_location(call)
    operate.change_location(console().runtime, call.path["location"], call.body, person=caller().actor)
    return get_location(call)


def set_outage(call: Call) -> Json:
    get_location(call)
    until = moment(call.body.get("until"), "until")
    reason = call.body.get("reason", "")
    operate.set_outage(console().runtime, call.path["location"], until, person=caller().actor, reason=reason)
    return get_location(call)


_REFUSALS = (404, 409)
_ADDRESS = ("line1", "line2", "postal_code", "city", "region", "country", "phone")
_LOCATION: Json = {
    "type": "object",
    "description": "A location with all that can be set of it.",
    "properties": {
        "code": {"type": "string", "description": "Code."},
        "outage_until": {"type": ["string", "null"], "description": "Out of action until then.", "format": "date-time"},
        "settings": {"type": "object", "description": "As `location-settings.v1` says.", "additionalProperties": True},
    },
    "required": ["code", "outage_until", "settings"],
    "additionalProperties": False,
}
COMPONENTS: dict[str, Json] = {"Location": _LOCATION}
_SETTINGS: Json = schemas.schema("location-settings.v1")["properties"]
_OF_NEW = ("name", "kind", "zone", "country", "latitude", "longitude", "markets", "rank")  # what a new one may be told


def _fo(name: str, path: str, summary: str, work: Callable[..., bool], about: str = "") -> Operation:
    return Operation(
        name, "POST", f"{_FO}/{path}", summary, ref("OrderDetail"), _by_hand(work), refusals=_REFUSALS,
        about=f"{about} Safe to repeat.".strip(),
    )  # fmt: skip


OPERATIONS = (
    _fo("accept_fulfillment_order", "accept", "A location takes it on", operate.accept_by_hand),
    Operation(
        "refuse_fulfillment_order", "POST", f"{_FO}/refuse", "A location cannot ship it", ref("OrderDetail"), refuse,
        body=closed(
            ("reason",),
            reason=text("One of the rejection reasons.", enum=list(REASONS)),
            note=text("In your own words.", maxLength=200),
            lines=many(
                closed(
                    ("sku", "units"),
                    sku=text("Our SKU.", minLength=1, maxLength=120),
                    units=whole("Units that it is said of.", minimum=1, maximum=MOST_UNITS),
                ),
                "What it is said of; absent is all. Has to be said for a reason of articles when there are several.",
            ),
        ),
        refusals=_REFUSALS,
        about="The reason says what becomes of the stock and whether another place is asked. Units that are not named "
        "are free again, and the location may be asked for them.",
    ),
    _fo(
        "ask_back_fulfillment_order", "ask-back", "Ask whoever has it to stop", operate.ask_back,
        "What nobody was told of is taken back at once. When it has stopped, what is still wanted of it is routed "
        "again, as far as no hold keeps it.",
    ),
    _fo(
        "fulfillment_order_stopped", "stopped", "A location has stopped as it was asked", operate.stopped_by_hand,
        "No refusal: what is still wanted of it is routed again, and the location may get it once more.",
    ),
    _fo(
        "fulfillment_order_too_late", "too-late", "It is too late to stop it", operate.too_late_by_hand,
        "The order is held as `cancel_too_late`.",
    ),
    Operation(
        "ship_fulfillment_order", "POST", f"{_FO}/ship", "Everything of it has left", ref("OrderDetail"), ship,
        body=closed(
            carrier=text("Who carries it.", maxLength=80),
            tracking_number=text("Tracking number.", maxLength=120),
            serials={
                "type": "object",
                "description": "Serial numbers by SKU, of articles that have them; they can be recorded later.",
                "additionalProperties": many(text("A serial number.", minLength=1, maxLength=120), maxItems=1000),
            },
        ),
        needs_body=False, refusals=_REFUSALS,
        about="For places that nobody else serves. Stock, channel and ERP follow. Safe to repeat.",
    ),
    _fo("ready_for_collection", "ready", "It waits at the counter", operate.ready_for_collection),
    _fo("collected", "collected", "The customer has it", operate.collected),
    _fo(
        "not_collected", "not-collected", "Nobody collected it and it is back on the shelf", operate.not_collected,
        "The refund is made at the channel.",
    ),
    Operation(
        "collect_until", "POST", f"{_FO}/collect-until", "Give the customer more time", ref("OrderDetail"),
        collect_until, body=closed(("day",), day=text("It may be collected until the end of this day.", format="date")),
        refusals=_REFUSALS, about="Ends the hold of what was to be collected by now. Safe to repeat.",
    ),
    Operation(
        "route_order", "POST", f"{_ORDER}/route", "Look for places again", ref("OrderDetail"), route_order,
        refusals=_REFUSALS, about="For units without a place. Nothing changes when there is none. Safe to repeat.",
    ),
    Operation(
        "collect_elsewhere", "POST", f"{_ORDER}/collect-elsewhere", "Collect at another store", ref("OrderDetail"),
        collect_elsewhere, body=closed(("location",), location=text("Code.", minLength=1, maxLength=40)),
        refusals=_REFUSALS,
    ),
    Operation(
        "ship_instead", "POST", f"{_ORDER}/ship-instead", "Ship what was to be collected", ref("OrderDetail"),
        ship_instead, refusals=_REFUSALS,
    ),
    Operation(
        "list_locations", "GET", "/locations", "List all locations by code", shapes.page_of("Location"), list_locations
    ),
    Operation(
        "add_location", "POST", "/locations", "Add a location", ref("Location"), add_location,
        body=closed(
            ("code", "country"),
            code=text("Short code, such as BERLIN-1.", pattern="^[A-Za-z0-9_-]{1,40}$"),
            **{name: _SETTINGS[name] for name in _OF_NEW},
            handling=text("Who packs what ships from it.", enum=["manual", "threepl", "label"], default="manual"),
            handler=text("Connection of the 3PL or carrier, by name or id.", maxLength=120),
            warehouse=text("The handler's own id of the place.", maxLength=120),
            address={
                **closed(**{name: text("As on a label.", maxLength=200) for name in _ADDRESS}),
                "description": "Where it is, for labels.",
            },
        ),
        status=201, refusals=_REFUSALS, about="Its other settings are changed afterwards.",
    ),
    Operation(
        "get_location", "GET", "/locations/{location}", "Read a location's settings", ref("Location"), get_location,
        refusals=(404,),
    ),
    Operation(
        "change_location", "PATCH", "/locations/{location}", "Change a location's settings", ref("Location"),
        change_location, body=closed(**_SETTINGS), refusals=(404, 409),
        about="Only what is given changes; null forgets a value.",
    ),
    Operation(
        "set_outage", "POST", "/locations/{location}/outage", "Take a location out of action, or back", ref("Location"),
        set_outage, refusals=_REFUSALS,
        body=closed(
            until=text("Until then; absent: it is back in action.", format="date-time"),
            reason=text("Why; kept for ever.", maxLength=200),
        ),
        needs_body=False, about="What it was not told of goes to other locations at once.",
    ),
)  # fmt: skip
