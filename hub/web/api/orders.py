"""Orders: list, read, cancel."""

from __future__ import annotations

from hub.flows import operate
from hub.store.views import order as order_view
from hub.store.views import orders as orders_view
from hub.store.views.orders import OrderQuery
from hub.web.api import shapes
from hub.web.api.operation import PAGED, REASON, Call, Operation, closed, may_see_contact, moment, page_of, read
from hub.web.api.shapes import Json, ref, text
from hub.web.context import caller, console


def list_orders(call: Call) -> Json:
    query = OrderQuery(
        text=call.query.get("q", ""),
        only=call.query.get("state", ""),
        connection_id=call.query.get("connection", ""),
        hold_kind=call.query.get("hold_kind", ""),
        now=console().runtime.clock(),
        placed_from=moment(call.query.get("placed_from"), "placed_from"),
        placed_to=moment(call.query.get("placed_to"), "placed_to"),
        after=call.query.get("after", ""),
        limit=call.query.get("limit", 50),
    )
    contact = may_see_contact()
    return page_of(read(lambda tx: orders_view.find(tx, query)), lambda row: shapes.order(row, contact=contact))


def get_order(call: Call) -> Json:
    contact = may_see_contact()
    return shapes.order_detail(read(lambda tx: order_view.detail(tx, call.path["order_id"])), contact=contact)


def cancel_order(call: Call) -> Json:
    read(lambda tx: order_view.detail(tx, call.path["order_id"]))
    operate.cancel_order(console().runtime, call.path["order_id"], call.body["reason"], person=caller().actor)
    return get_order(call)


_ORDERS = tuple(filter(None, orders_view.FILTERS))

OPERATIONS = (
    Operation(
        "list_orders", "GET", "/orders", "List and search orders", shapes.page_of("Order"), list_orders,
        query={
            "q": text("A number, e-mail address, SKU, tracking number or name.", maxLength=200),
            "state": text("Only orders in this state.", enum=list(_ORDERS)),
            "connection": text("Only orders of this channel, by its id.", maxLength=36),
            "hold_kind": text("Only orders with an active hold of this kind.", maxLength=32),
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
        about="What was handed over is asked back. The channel is not told. Safe to repeat. To look first, or "
        "to cancel a part, ask for a change.",
    ),
)  # fmt: skip
