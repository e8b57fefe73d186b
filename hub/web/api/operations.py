"""The operations of the API: one table from which routes, checks of requests and the OpenAPI document all come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hub.flows import operate
from hub.flows.operate import ImportRow, NotDoneError
from hub.sdk import CheckResult
from hub.store.database import Tx
from hub.store.views import connections as connection_view
from hub.store.views import order as order_view
from hub.store.views import orders as orders_view
from hub.store.views import problems as problem_view
from hub.store.views import stock as stock_view
from hub.store.views.orders import OrderQuery
from hub.store.views.stock import StockQuery
from hub.web.api import shapes
from hub.web.api.shapes import MOST_ROWS, MOST_UNITS, Json, many, obj, ref, text, truth, whole
from hub.web.context import caller, console
from hub.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Call:
    """A checked request. `key` is the Idempotency-Key, "" when none was sent."""

    path: dict[str, str]
    query: Json
    body: Json
    key: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `path` has {placeholders}; `query` and `body` are schemas; `refusals` the statuses of its own."""

    name: str
    method: str
    path: str
    summary: str
    answer: Json
    do: Callable[[Call], Any]
    query: dict[str, Json] = field(default_factory=dict)
    body: Json | None = None
    needs_body: bool = True
    refusals: tuple[int, ...] = ()
    status: int = 200
    takes_key: bool = False
    about: str = ""
    most_bytes: int = 256 * 1024


PAGED = {
    "after": text("`next` of the page before.", maxLength=500),
    "limit": whole("Rows of a page.", minimum=1, maximum=200, default=50),
}
NO_NUL = {"pattern": "^[^\\u0000]*$"}
REASON = text("Why; kept for ever.", minLength=1, maxLength=200)


def closed(required: tuple[str, ...] = (), /, **properties: Json) -> Json:
    """An object of a request: nothing but these properties, and no text that a database cannot store."""
    checked = {name: {**NO_NUL, **rule} if rule["type"] == "string" else rule for name, rule in properties.items()}
    return {"type": "object", "properties": checked, "required": list(required), "additionalProperties": False}


def _read(question: Callable[[Tx], Any]) -> Any:
    with console().runtime.db.read() as tx:
        return question(tx)


def _contact() -> bool:
    return caller().may("ops")


def _page(page: Any, shape: Callable[[Any], Json]) -> Json:
    return {"rows": [shape(one) for one in page.rows], "next": page.next}


# Orders.


def list_orders(call: Call) -> Json:
    query = OrderQuery(
        text=call.query.get("q", ""),
        only=call.query.get("state", ""),
        connection_id=call.query.get("connection", ""),
        placed_from=_moment(call.query.get("placed_from"), "placed_from"),
        placed_to=_moment(call.query.get("placed_to"), "placed_to"),
        after=call.query.get("after", ""),
        limit=call.query.get("limit", 50),
    )
    contact = _contact()
    return _page(_read(lambda tx: orders_view.find(tx, query)), lambda row: shapes.order(row, contact=contact))


def _moment(value: str | None, name: str) -> datetime | None:
    if value is None:
        return None
    found = _parsed(value)
    if found is None or found.tzinfo is None or not 1 < found.year < 9999:
        words = "a moment with its offset, such as 2026-01-31T08:00:00Z"
        raise Problem(422, "The request is not right.", [{"path": f"/query/{name}", "message": words}])
    return found


def _parsed(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value.replace(" ", "+"))  # a + that was not encoded arrives as a blank
    except ValueError:
        return None


def get_order(call: Call) -> Json:
    contact = _contact()
    return shapes.order_detail(_read(lambda tx: order_view.detail(tx, call.path["order_id"])), contact=contact)


def cancel_order(call: Call) -> Json:
    _read(lambda tx: order_view.detail(tx, call.path["order_id"]))
    operate.cancel_order(console().runtime, call.path["order_id"], call.body["reason"], person=caller().actor)
    return get_order(call)


def release_hold(call: Call) -> Json:
    found = _read(lambda tx: order_view.detail(tx, call.path["order_id"]))
    if call.path["hold_id"] not in {one.id for one in found.holds}:
        raise Problem(404, "The order has no such hold.")
    operate.release_hold(
        console().runtime,
        call.path["order_id"],
        call.path["hold_id"],
        person=caller().actor,
        note=call.body.get("note", ""),
    )
    return get_order(call)


# Stock.


def list_stock(call: Call) -> Json:
    query = StockQuery(
        text=call.query.get("q", ""),
        location_id=call.query.get("location", ""),
        short=call.query.get("short", False),
        after=call.query.get("after", ""),
        limit=call.query.get("limit", 50),
    )
    return _page(_read(lambda tx: stock_view.find(tx, query)), shapes.stock)


def get_stock(call: Call) -> Json:
    return shapes.stock(_read(lambda tx: stock_view.article(tx, call.path["sku"])))


def adjust_stock(call: Call) -> Json:
    _read(lambda tx: stock_view.article(tx, call.path["sku"]))
    done = operate.adjust_stock(
        console().runtime,
        call.path["sku"],
        call.body["location"],
        person=caller().actor,
        reason=call.body["reason"],
        change=call.body.get("change"),
        set_to=call.body.get("set_to"),
        key=call.key,
    )
    return shapes.row_result(done)


def set_stock(call: Call) -> Json:
    rows = [
        ImportRow(number, one["sku"], one["location"], one["units"])
        for number, one in enumerate(call.body["rows"], start=1)
    ]
    done = operate.import_stock(
        console().runtime,
        rows,
        person=caller().actor,
        reason=call.body["reason"],
        key=call.key,
        create_articles=call.body.get("create_articles", False),
        dry_run=call.body.get("dry_run", False),
    )
    return {"rows": [shapes.row_result(one) for one in done], "errors": sum(one.status == "error" for one in done)}


# Connections.


def list_connections(_call: Call) -> Json:
    runtime = console().runtime
    found = _read(lambda tx: connection_view.every(tx, runtime.clock(), operate.intervals(runtime)))
    return {"rows": [shapes.connection(one) for one in found], "next": None}


def get_connection(call: Call) -> Json:
    return _connection(call.path["connection_id"])


def _connection(key: str) -> Json:
    runtime = console().runtime
    wanted = operate.intervals(runtime)
    return shapes.connection_detail(
        _read(lambda tx: connection_view.detail(tx, key, runtime.clock(), wanted, runtime.keyring))
    )


def add_connection(call: Call) -> Json:
    made = operate.add_connection(
        console().runtime,
        call.body["plugin"],
        call.body["name"],
        call.body["settings"],
        person=caller().actor,
        check=call.body.get("check", True),
    )
    return _connection(made.id)


def change_connection(call: Call) -> Json:
    """Settings that are given replace those of the same name; null takes one away; the others stay."""
    key = call.path["connection_id"]
    known = _connection(key)
    merged = {**known["settings"], **call.body.get("settings", {})}
    result = operate.change_connection(
        console().runtime,
        key,
        {name: value for name, value in merged.items() if value is not None},
        person=caller().actor,
        name=call.body.get("name"),
        stock_threshold=call.body.get("stock_threshold"),
        publish_stock=call.body.get("publish_stock"),
    )
    return {**_connection(known["connection"]["id"]), "check": _check(result)}


def check_connection(call: Call) -> Json:
    return _check(operate.check_connection(console().runtime, call.path["connection_id"], person=caller().actor))


def _check(result: CheckResult) -> Json:
    return {
        "ok": result.ok,
        "account": result.label or result.unique_id,
        "error": result.error,
        "error_code": result.error_code,
        "field": result.field,
    }


def pause_connection(call: Call) -> Json:
    operate.pause(
        console().runtime, call.path["connection_id"], person=caller().actor, reason=call.body.get("reason", "")
    )
    return get_connection(call)


def resume_connection(call: Call) -> Json:
    operate.resume(console().runtime, call.path["connection_id"], person=caller().actor)
    return get_connection(call)


def sync_connection(call: Call) -> Json:
    return {"streams": operate.sync_now(console().runtime, call.path["connection_id"], person=caller().actor)}


# Problems.


def list_problems(call: Call) -> Json:
    now, only = console().runtime.clock(), call.query.get("connection", "")
    found = _read(lambda tx: problem_view.find(tx, now, connection_id=only, move=call.query.get("move")))
    return {"rows": [shapes.problem(one) for one in found], "next": None}


def replay_problem(call: Call) -> Json:
    """Handle again what arrived, or send again what was given up."""
    runtime = console().runtime
    found = _read(lambda tx: problem_view.by_fingerprint(tx, runtime.clock(), call.path["fingerprint"]))
    if found is None:
        raise Problem(404, "There is no such problem; it may be solved.")
    if found.kind == "inbox":
        done = operate.replay(runtime, ids=found.ids, person=caller().actor)
        return {"replayed": len(done), "refused": []}
    if found.kind == "outbox":
        sent = operate.retry(runtime, found.ids, person=caller().actor)
        return {"replayed": len(sent.sent), "refused": [{"id": key, "reason": why} for key, why in sent.refused]}
    raise NotDoneError(f"a problem of the kind {found.kind} cannot be replayed: {found.next_step}")


_ORDERS = tuple(filter(None, orders_view.FILTERS))
_REPLAYED = obj(
    "What was done.",
    replayed=whole("Rows."),
    refused=many(obj("A row that was not sent again.", id=text("Id."), reason=text("Why."))),
)

_ALL = (
    Operation(
        "list_orders", "GET", "/orders", "List and search orders", shapes.page_of("Order"), list_orders,
        query={
            "q": text("A number, e-mail address, SKU, tracking number or name.", maxLength=200),
            "state": text("Only orders in this state.", enum=list(_ORDERS)),
            "connection": text("Only orders of this channel, by its id.", maxLength=36),
            "placed_from": text("Placed at or after.", format="date-time"),
            "placed_to": text("Placed before.", format="date-time"),
            **PAGED,
        },
    ),
    Operation(
        "get_order", "GET", "/orders/{order_id}", "Read an order", ref("OrderDetail"), get_order, refusals=(404,)
    ),
    Operation(
        "cancel_order", "POST", "/orders/{order_id}/cancel", "Cancel what has not left", ref("OrderDetail"),
        cancel_order, body=closed(("reason",), reason=REASON), refusals=(404, 409),
        about="What was handed over is asked back. The channel is not told. Safe to repeat.",
    ),
    Operation(
        "release_hold", "POST", "/orders/{order_id}/holds/{hold_id}/release", "Release a hold", ref("OrderDetail"),
        release_hold, body=closed(note=text("For the timeline.", maxLength=200)), needs_body=False,
        refusals=(404, 409), about="The order goes on at once, unless another hold keeps it. Safe to repeat.",
    ),
    Operation(
        "list_stock", "GET", "/stock", "List articles with their stock", shapes.page_of("Stock"), list_stock,
        query={
            "q": text("The beginning of a SKU, a part of the title, or a barcode.", maxLength=200),
            "location": text("Only articles that this location has had, by its id.", maxLength=36),
            "short": truth("Only articles of which nothing is free or something is missing."),
            **PAGED,
        },
    ),
    Operation("get_stock", "GET", "/stock/{sku}", "Read an article's stock", ref("Stock"), get_stock, refusals=(404,)),
    Operation(
        "adjust_stock", "POST", "/stock/{sku}/adjust", "Correct the units on hand", ref("RowResult"), adjust_stock,
        body={
            **closed(
                ("location", "reason"),
                location=text("Code.", minLength=1, maxLength=40),
                change=whole("So many more, or fewer.", minimum=-MOST_UNITS, maximum=MOST_UNITS),
                set_to=whole("So many are there.", minimum=0, maximum=MOST_UNITS),
                reason=REASON,
            ),
            "oneOf": [{"required": ["change"]}, {"required": ["set_to"]}],
        },
        refusals=(404, 409), takes_key=True, about="Give either `change` or `set_to`.",
    ),
    Operation(
        "set_stock", "PUT", "/stock", "Set the units on hand of many articles",
        obj("A result for each row.", rows=many(ref("RowResult")), errors=whole("Rows that were left out.")), set_stock,
        body=closed(
            ("rows", "reason"),
            rows=many(
                closed(
                    ("sku", "location", "units"),
                    sku=text("Our SKU.", minLength=1, maxLength=120),
                    location=text("Code.", minLength=1, maxLength=40),
                    units=whole("So many are there.", minimum=0, maximum=MOST_UNITS),
                ),
                minItems=1, maxItems=MOST_ROWS,
            ),
            reason=REASON,
            create_articles=truth("Make articles that do not exist.", default=False),
            dry_run=truth("Only say what would happen.", default=False),
        ),
        refusals=(409,), takes_key=True, most_bytes=8 * 1024 * 1024,
        about=f"At most {MOST_ROWS:,} rows. A row that cannot be booked is left out with its reason.",
    ),
    Operation(
        "list_connections", "GET", "/connections", "List connections", shapes.page_of("Connection"), list_connections
    ),
    Operation(
        "add_connection", "POST", "/connections", "Connect an account", ref("ConnectionDetail"), add_connection,
        body=closed(
            ("plugin", "name", "settings"),
            plugin=text("Connector.", minLength=1, maxLength=64),
            name=text("What people call it.", minLength=1, maxLength=120),
            settings={"type": "object", "description": "Plain and secret settings, by the connector's own schema."},
            check=truth("Try it before it is stored.", default=True),
        ),
        refusals=(409,), status=201, about="Nothing is stored when a setting is wrong or the account does not work.",
    ),
    Operation(
        "get_connection", "GET", "/connections/{connection_id}", "Read a connection", ref("ConnectionDetail"),
        get_connection, refusals=(404,),
    ),
    Operation(
        "change_connection", "PATCH", "/connections/{connection_id}", "Change a connection, then test it",
        {"allOf": [ref("ConnectionDetail"), obj("With the test.", check=ref("Check"))]}, change_connection,
        body=closed(
            settings={"type": "object", "description": "Settings to change; null takes one away."},
            name=text("What people call it.", minLength=1, maxLength=120),
            stock_threshold=whole("Units never offered there.", minimum=0, maximum=MOST_UNITS),
            publish_stock=truth("Whether it is told our stock."),
        ),
        refusals=(404, 409), about="Secrets that are not given stay.",
    ),
    Operation(
        "check_connection", "POST", "/connections/{connection_id}/check", "Test a connection", ref("Check"),
        check_connection, refusals=(404,),
    ),
    Operation(
        "pause_connection", "POST", "/connections/{connection_id}/pause", "Let nothing in or out",
        ref("ConnectionDetail"), pause_connection, body=closed(reason=text("Why.", maxLength=200)), needs_body=False,
        refusals=(404,), about="Safe to repeat.",
    ),
    Operation(
        "resume_connection", "POST", "/connections/{connection_id}/resume", "Let a paused connection go on",
        ref("ConnectionDetail"), resume_connection, refusals=(404,), about="Safe to repeat.",
    ),
    Operation(
        "sync_connection", "POST", "/connections/{connection_id}/sync", "Read everything now",
        obj("What is read.", streams=many(text("Stream."))), sync_connection, refusals=(404,),
    ),
    Operation(
        "list_problems", "GET", "/problems", "List problems", shapes.page_of("Problem"), list_problems,
        query={
            "connection": text("Only of this connection, by its id.", maxLength=36),
            "move": text("Whose move it is.", enum=["yours", "theirs"]),
        },
    ),
    Operation(
        "replay_problem", "POST", "/problems/{fingerprint}/replay", "Handle or send all its rows again", _REPLAYED,
        replay_problem, refusals=(404, 409),
    ),
)  # fmt: skip

OPERATIONS: dict[str, Operation] = {one.name: replace(one) for one in _ALL}
