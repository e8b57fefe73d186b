"""What the API shows: a schema for each thing, and the function that makes one from a read model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.flows.operate import RowResult
from hub.store.views.connections import ConnectionDetail, ConnectionView
from hub.store.views.order import OrderDetail
from hub.store.views.orders import OrderRow
from hub.store.views.problems import Problem
from hub.store.views.stock import StockRow

Json = dict[str, Any]

MOST_ROWS = 10_000
CONTACT = ("email", "phone")


def obj(description: str, /, **properties: Json) -> Json:
    """An object whose properties are all there; one that may be null says so in its type."""
    return {"type": "object", "description": description, "properties": properties, "required": list(properties)}


def text(description: str, **more: Any) -> Json:
    return {"type": "string", "description": description, **more}


def maybe(schema: Json) -> Json:
    return {**schema, "type": [schema["type"], "null"]}


def whole(description: str, **more: Any) -> Json:
    return {"type": "integer", "description": description, **more}


def truth(description: str, **more: Any) -> Json:
    return {"type": "boolean", "description": description, **more}


def moment(description: str) -> Json:
    return text(description, format="date-time")


def many(items: Json, description: str = "", **more: Any) -> Json:
    return {"type": "array", "items": items, **({"description": description} if description else {}), **more}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def page_of(name: str) -> Json:
    after = maybe(text("What `after` takes to get the next page; null on the last."))
    return obj("One page.", rows=many(ref(name)), next=after)


BEYOND = many(
    obj(
        "A fulfillment order that somebody outside has already, so that the hold does not stop it.",
        number=text("Number."),
        handler=text("Who has it."),
    ),
    "What the hold comes too late for; it can be asked back.",
)
HOLD = obj(
    "Why an order waits.",
    id=text("Id."),
    kind=text("Kind, such as unmapped, unpaid or manual."),
    reason=text("In words."),
    blocks=text("The step it holds up: routing, release, label, ship, everything, or nothing."),
    target=text("What it lies on: order, line or fo."),
    target_id=text("Id of that order, line or fulfillment order."),
    assignee=text("Who looks after it; empty for nobody."),
    due_at=maybe(moment("Until when somebody should have.")),
    auto_release_at=maybe(moment("When it ends by itself.")),
    beyond=BEYOND,
)
ORDER = obj(
    "An order in short. Amounts are whole minor units of `currency`.",
    id=text("Our id."),
    number=text("The channel's number."),
    external_id=text("The channel's id."),
    connection=obj("The channel.", id=text("Id."), name=text("Name.")),
    placed_at=moment("When it was placed."),
    ship_by=maybe(text("Day by which it has to leave.", format="date")),
    lifecycle=text("pending, open, completed or cancelled."),
    phase=text("Where it stands, in one word."),
    payment=text("State of payment."),
    fulfillment=text("unfulfilled, partial or fulfilled."),
    currency=text("ISO 4217."),
    total_minor=whole("As the channel states it."),
    customer=text("Name."),
    email=maybe(text("Only for keys of the role ops and above.")),
    country=text("Two letters."),
    city=text("Town."),
    test=truth("Whether it is a test order."),
    units=whole("Units wanted."),
    holds=many(ref("Hold")),
)
LINE = obj(
    "A line; counters are whole units.",
    id=text("Our id."),
    external_id=text("The channel's id."),
    sku=text("The channel's SKU."),
    article=maybe(text("Our SKU; null while it is not linked.")),
    title=text("Title."),
    ordered=whole("Ordered."),
    cancelled=whole("Cancelled."),
    routed=whole("In fulfillment orders."),
    shipped=whole("Shipped."),
    delivered=whole("Delivered."),
    total_minor=whole("After discounts."),
    ships=truth("Whether there is something for the hub to ship."),
)
UNITS = obj("Units of an article.", sku=text("Our SKU."), units=whole("Units."))
PACKAGE = obj(
    "A parcel.",
    id=text("Id."),
    tracking_number=maybe(text("Tracking number.")),
    tracking_url=text("Where it can be followed."),
    carrier=text("Carrier."),
    service=text("Service."),
    status=text("Where it is."),
    units=many(UNITS),
)
FULFILLMENT = obj(
    "Work for one location.",
    id=text("Id."),
    number=text("Number."),
    location=text("Code of the location."),
    handler=maybe(text("The connection that packs it.")),
    exec_status=text("State of the work."),
    request_status=text("State of the hand-over."),
    external_id=maybe(text("Its id at the handler.")),
    method=text("How it reaches the customer.", enum=["ship", "pickup", "ship_to_store"]),
    deliver_to=maybe(text("Code of the store that it is sent to for collection.")),
    reason_code=maybe(text("Why it was refused, by the list of rejection reasons.")),
    units=many(UNITS),
    packages=many(ref("Package")),
)
EVENT = obj(
    "Something that happened.",
    at=moment("When."),
    kind=text("Kind."),
    actor=text("Who."),
    message=text("In words."),
    status=maybe(text("Of a message that leaves: its state.")),
)
ORDER_DETAIL = obj(
    "An order with its parts.",
    order=ref("Order"),
    lines=many(ref("Line")),
    fulfillment_orders=many(ref("FulfillmentOrder")),
    timeline=many(ref("Event"), "Newest first."),
    document=maybe(
        {"type": "object", "description": "The canonical order (order.v1); null for keys below the role ops."}
    ),
)
POSITION = obj(
    "Units of an article at one location.",
    location=text("Code."),
    on_hand=whole("On the shelf."),
    available=whole("Free to be sold; below zero when oversold."),
    committed=whole("Promised to fulfillment orders."),
    reserved=whole("Kept for reservations and transfers."),
    damaged=whole("Damaged."),
    quality_hold=whole("To be inspected, expired, or of a blocked lot."),
    safety_stock=whole("Kept back as a buffer."),
    incoming=whole("On their way in, and not on the shelf yet."),
    oversold=whole("Promised and not there."),
)
TOLD = obj(
    "What a channel knows.",
    connection=text("Name."),
    listing=text("The channel's id."),
    quantity=maybe(whole("What it was last told.")),
    at=maybe(moment("When it confirmed.")),
    is_due=truth("Whether a newer figure waits."),
    error=text("Why it refused the last one."),
)
STOCK = obj(
    "An article with its stock.",
    sku=text("Our SKU."),
    title=text("Title."),
    on_hand=whole("On all shelves."),
    available=whole("Free at all locations."),
    committed=whole("Promised to fulfillment orders."),
    unrouted=whole("Promised to orders without a location yet."),
    positions=many(ref("Position")),
    channels=many(ref("Told")),
)
ROW_RESULT = obj(
    "What came of one figure.",
    number=whole("Row, 1 for the first."),
    sku=text("SKU."),
    location=text("Code."),
    status=text("changed, unchanged, repeated or error.", enum=["changed", "unchanged", "repeated", "error"]),
    before=maybe(whole("Units on hand before.")),
    after=maybe(whole("Units on hand after.")),
    message=text("What is wrong, for an error."),
)
STREAM = obj(
    "Something that is read by schedule.",
    name=text("Name."),
    synced_to=maybe(moment("Everything changed before is stored.")),
    last_ok_at=maybe(moment("Last good run.")),
    next_at=maybe(moment("Next run.")),
    error=text("Of the last run."),
    found_by_sweep=whole("Records that no webhook had brought."),
)
CONNECTION = obj(
    "A connected account.",
    id=text("Id."),
    name=text("Name."),
    plugin=text("Connector."),
    status=text("active, paused, needs_sign_in, misconfigured or unavailable."),
    status_reason=text("In words."),
    warning=text("What it cannot do while it works; empty when there is nothing."),
    word=text("How it fares, by schedule as well as by status."),
    account=maybe(text("The account behind it.")),
    streams=many(ref("Stream")),
    waiting_in=whole("Arrivals that wait."),
    parked=whole("Arrivals that wait for a person."),
    waiting_out=whole("Messages that wait."),
    stuck=whole("Messages that wait for a person."),
)
CONNECTION_DETAIL = obj(
    "A connected account with its settings.",
    connection=ref("Connection"),
    settings={"type": "object", "description": "Plain settings."},
    secrets={
        "type": "object",
        "additionalProperties": {"type": "boolean"},
        "description": "Which secrets are set; never what they are.",
    },
)
CHECK = obj(
    "How a test went.",
    ok=truth("Whether it works."),
    account=text("The account."),
    error=text("In the vendor's words."),
    error_code=text("Kind of error."),
    field=text("The setting at fault."),
    warning=text("What it cannot do while it works; empty when there is nothing."),
)
PROBLEM = obj(
    "Something that stands still.",
    fingerprint=text("The same for the same problem."),
    kind=text("inbox, outbox, hold, connection, listing, failure, oversold, backlog or ledger."),
    connection=obj("Where; empty for stock.", id=text("Id."), name=text("Name.")),
    title=text("In words."),
    next_step=text("What to do."),
    move=text("yours or theirs."),
    error=text("What was said."),
    count=whole("Rows."),
    orders=whole("Orders touched."),
    ids=many(text("Id."), "Ids of its rows, newest first, at most 500."),
    first_seen=moment("First."),
    last_seen=moment("Last."),
)
REFUSAL = {
    "type": "object",
    "description": "A refusal (RFC 9457).",
    "properties": {
        "type": text("about:blank"),
        "title": text("The status in words."),
        "status": whole("The status."),
        "detail": text("What to do."),
        "errors": many(obj("One thing that is wrong.", path=text("Where, as a JSON pointer."), message=text("What."))),
    },
    "required": ["type", "title", "status", "detail"],
}

COMPONENTS: dict[str, Json] = {
    "Hold": HOLD, "Order": ORDER, "Line": LINE, "Package": PACKAGE, "FulfillmentOrder": FULFILLMENT, "Event": EVENT,
    "OrderDetail": ORDER_DETAIL, "Position": POSITION, "Told": TOLD, "Stock": STOCK, "RowResult": ROW_RESULT,
    "Stream": STREAM, "Connection": CONNECTION, "ConnectionDetail": CONNECTION_DETAIL, "Check": CHECK,
    "Problem": PROBLEM, "Refusal": REFUSAL,
}  # fmt: skip


def order(row: OrderRow, *, contact: bool) -> Json:
    return {
        "id": row.id,
        "number": row.number,
        "external_id": row.external_id,
        "connection": {"id": row.connection_id, "name": row.channel},
        "placed_at": row.placed_at,
        "ship_by": row.ship_by,
        "lifecycle": row.lifecycle,
        "phase": row.phase,
        "payment": row.payment,
        "fulfillment": row.fulfillment,
        "currency": row.currency,
        "total_minor": row.total_minor,
        "customer": row.customer,
        "email": row.email if contact else None,
        "country": row.country,
        "city": row.city,
        "test": row.test,
        "units": row.units,
        "holds": [
            {
                **{name: getattr(one, name) for name in _plain(HOLD) if name != "target"},
                "target": one.target_type,
                "beyond": [{"number": fo.number, "handler": fo.handler} for fo in one.beyond],
            }
            for one in row.holds
        ],
    }


def order_detail(found: OrderDetail, *, contact: bool) -> Json:
    packages: dict[str, list[Json]] = {}
    for shipment in found.shipments:
        packages.setdefault(shipment.fo_id, []).extend(picked(one, PACKAGE) for one in shipment.packages)
    return {
        "order": order(found.row, contact=contact),
        "lines": [picked(line, LINE) for line in found.lines],
        "fulfillment_orders": [
            {
                **{name: getattr(fo, name) for name in _plain(FULFILLMENT)},
                "units": [{"sku": line.sku, "units": line.quantity} for line in fo.lines],
                "packages": packages.get(fo.id, []),
            }
            for fo in found.fulfillment_orders
        ],
        "timeline": [picked(entry, EVENT) for entry in found.timeline],
        "document": found.document if contact else None,
    }


def _plain(schema: Json) -> list[str]:
    return [name for name, rule in schema["properties"].items() if "$ref" not in rule and rule.get("type") != "array"]


def picked(value: Any, schema: Json) -> Json:
    """Exactly the properties of the schema, from attributes of the same names."""
    found = {name: getattr(value, name) for name in schema["properties"]}
    if "units" in found and not isinstance(found["units"], int):
        found["units"] = [{"sku": sku, "units": units} for sku, units in found["units"]]
    if "beyond" in found:
        found["beyond"] = [picked(fo, BEYOND["items"]) for fo in found["beyond"]]
    return found


def stock(row: StockRow) -> Json:
    return {
        **{name: getattr(row, name) for name in ("sku", "title", "on_hand", "available", "committed", "unrouted")},
        "positions": [picked(one, POSITION) for one in row.positions],
        "channels": [
            {
                "connection": one.channel,
                "listing": one.external_id,
                "quantity": one.told,
                "at": one.told_at,
                "is_due": one.is_due,
                "error": one.error,
            }
            for one in row.channels
        ],
    }


def row_result(one: RowResult) -> Json:
    return picked(one, ROW_RESULT)


def connection(view: ConnectionView) -> Json:
    row = view.row
    return {
        "id": row.id,
        "name": row.name,
        "plugin": row.plugin,
        "status": row.status,
        "status_reason": row.status_reason,
        "warning": row.warning,
        "word": view.word,
        "account": row.account_label,
        "streams": [
            {
                "name": one.stream,
                "synced_to": one.synced_to,
                "last_ok_at": one.last_ok_at,
                "next_at": one.next_at,
                "error": one.last_error,
                "found_by_sweep": one.found_by_sweep,
            }
            for one in view.streams
        ],
        "waiting_in": view.queues.inbox_waiting,
        "parked": view.queues.inbox_parked,
        "waiting_out": view.queues.outbox_waiting,
        "stuck": view.queues.outbox_failed + view.queues.outbox_unknown,
    }


def connection_detail(found: ConnectionDetail) -> Json:
    settings: Mapping[str, Any] = found.view.row.config
    return {"connection": connection(found.view), "settings": dict(settings), "secrets": found.secrets or {}}


def problem(one: Problem) -> Json:
    names = (
        "fingerprint", "kind", "title", "next_step", "move", "error", "count", "orders", "ids", "first_seen",
        "last_seen",
    )  # fmt: skip
    named = {"id": one.connection_id, "name": one.channel}
    return {**{name: getattr(one, name) for name in names}, "connection": named}
