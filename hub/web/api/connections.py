"""Connections: add, change, test, pause."""

from __future__ import annotations

from hub.domain.stock_states import MOST_UNITS
from hub.flows import operate
from hub.sdk import CheckResult
from hub.store.views import connections as connection_view
from hub.web.api import shapes
from hub.web.api.operation import Call, Operation, closed, read
from hub.web.api.shapes import Json, many, obj, ref, text, truth, whole
from hub.web.context import caller, console


def list_connections(_call: Call) -> Json:
    runtime = console().runtime
    found = read(lambda tx: connection_view.every(tx, runtime.clock(), operate.intervals(runtime)))
    return {"rows": [shapes.connection(one) for one in found], "next": None}


def get_connection(call: Call) -> Json:
    return _connection(call.path["connection_id"])


def _connection(key: str) -> Json:
    runtime = console().runtime
    wanted = operate.intervals(runtime)
    return shapes.connection_detail(
        read(lambda tx: connection_view.detail(tx, key, runtime.clock(), wanted, runtime.keyring))
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
        "warning": result.warning,
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


def set_webhooks(call: Call) -> Json:
    url, anew = console().settings.public_url, call.body.get("anew", False)
    topics = operate.provision_webhooks(
        console().runtime, call.path["connection_id"], url, person=caller().actor, anew=anew
    )
    return {"topics": topics}


def link_sku(call: Call) -> Json:
    key = call.path["connection_id"]
    _connection(key)
    done = operate.link_sku(
        console().runtime,
        key,
        call.body.get("sku", ""),
        person=caller().actor,
        article=call.body.get("article", ""),
        external_id=call.body.get("external_id", ""),
        pack_size=call.body.get("pack_size", 1),
        create=call.body.get("create", False),
    )
    return {"sku": done.article, "listings": list(done.listings), "orders": list(done.order_ids)}


OPERATIONS = (
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
        obj("What is read.", streams=many(text("Stream."))), sync_connection, refusals=(404, 409),
    ),
    Operation(
        "set_webhooks", "POST", "/connections/{connection_id}/webhooks", "Have the vendor send webhooks to this hub",
        obj("What it sends.", topics=many(text("Topic."))), set_webhooks,
        body=closed(anew=truth("Remove those that are there, and make them anew with new secrets.", default=False)),
        needs_body=False, refusals=(404, 409), about="Safe to repeat.",
    ),
    Operation(
        "link_sku", "POST", "/connections/{connection_id}/articles", "Say which article a channel's SKU is",
        obj(
            "What was linked.", sku=text("Our SKU."), listings=many(text("The channel's listing.")),
            orders=many(text("Our id of an order that is looked at again.")),
        ),
        link_sku,
        body={
            **closed(
                sku=text("The SKU as the channel has it.", minLength=1, maxLength=120),
                external_id=text("The channel's listing, where it has no SKU.", minLength=1, maxLength=255),
                article=text("Our SKU; by default the same.", minLength=1, maxLength=120),
                pack_size=whole("Our units in one of the channel's.", minimum=1, maximum=10_000, default=1),
                create=truth("Make the article when it does not exist.", default=False),
            ),
            "anyOf": [{"required": ["sku"]}, {"required": ["external_id"]}],
        },
        refusals=(404, 409), about="The orders that wait for it go on. Safe to repeat.",
    ),
)  # fmt: skip
