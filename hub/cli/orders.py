"""Orders: list, show; holds and changes are beside."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from hub.cli import order_changes, order_holds
from hub.cli.naming import order_id, utc
from hub.cli.output import After, AsJson, Limit, money, note, print_facts, print_json, print_table, say
from hub.cli.session import runtime
from hub.store import connections
from hub.store.views import order as order_view
from hub.store.views import orders
from hub.store.views.order import OrderDetail
from hub.store.views.orders import OrderQuery, OrderRow

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Find, hold and change orders.")
order_holds.register(app)
order_changes.register(app)


class Only(StrEnum):
    """What `--only` takes."""

    OPEN = "open"
    ON_HOLD = "on_hold"
    OVERDUE = "overdue"
    BACKORDERED = "backordered"
    IN_FULFILMENT = "in_fulfilment"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@app.command("list")
def list_orders(
    text: Annotated[str, typer.Argument(help="Number, e-mail, SKU, tracking number, channel's id or name.")] = "",
    only: Annotated[Only | None, typer.Option(help="Only these.")] = None,
    connection: Annotated[str, typer.Option(help="Only orders of this connection (name or id).")] = "",
    hold_kind: Annotated[str, typer.Option(help="Only orders with an active hold of this kind.")] = "",
    placed_from: Annotated[datetime | None, typer.Option("--from", help="Placed at or after this time, UTC.")] = None,
    placed_to: Annotated[datetime | None, typer.Option("--to", help="Placed before this time, UTC.")] = None,
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List orders, newest first."""
    with runtime() as hub, hub.db.read() as tx:
        query = OrderQuery(
            text=text,
            only=only.value if only else "",
            connection_id=connections.get(tx, connection).id if connection else "",
            hold_kind=hold_kind,
            now=hub.clock(),
            placed_from=utc(placed_from),
            placed_to=utc(placed_to),
            after=after,
            limit=limit,
        )
        page = orders.find(tx, query)
    if as_json:
        print_json({"rows": page.rows, "next": page.next})
        return
    print_table(
        ("Order", "Channel", "Placed (UTC)", "Customer", "Items", "Total#", "Payment", "Phase", "Holds"),
        (_cells(row) for row in page.rows),
        empty="No orders match.",
    )
    if page.next:
        note(f"There are more: --after {page.next}")


@app.command("show")
def show(
    order: Annotated[str, typer.Argument(help="Number (with or without #), our id, or the channel's id.")],
    as_json: AsJson = False,
) -> None:
    """Show one order with its lines, fulfillment orders, parcels and timeline."""
    with runtime() as hub, hub.db.read() as tx:
        detail = order_view.detail(tx, order_id(tx, order))
    if as_json:
        print_json(detail)
    else:
        _print(detail)


def _cells(row: OrderRow) -> tuple[object, ...]:
    items = ", ".join(row.skus) + (f" +{row.more_skus}" if row.more_skus else "")
    return (
        row.number,
        row.channel,
        row.placed_at,
        row.customer or row.email,
        items,
        money(row.total_minor, row.currency),
        row.payment,
        row.phase,
        ", ".join(one.kind for one in row.holds),
    )


def _print(detail: OrderDetail) -> None:
    row = detail.row
    print_facts(
        [
            ("Order", f"{row.number} of {row.channel}"),
            ("Id", row.id),
            ("Placed", row.placed_at),
            ("Ship by", row.ship_by),
            ("Customer", ", ".join(filter(None, (row.customer, row.email, row.city, row.country)))),
            ("Total", money(row.total_minor, row.currency)),
            ("Payment", row.payment),
            ("State", f"{row.lifecycle}, {row.phase.replace('_', ' ')}"),
        ]
    )
    say("")
    print_table(
        ("SKU", "Article", "Title", "Ordered#", "Cancelled#", "Routed#", "Shipped#", "Total#"),
        (
            (one.sku, one.article, one.title, one.ordered, one.cancelled, one.routed, one.shipped,
             money(one.total_minor, row.currency))
            for one in detail.lines
        ),
        empty="The order has no lines.",
        title="Lines",
    )  # fmt: skip
    active = [one for one in detail.holds if one.state == "active"]
    if active:
        print_table(
            ("Hold", "Kind", "Blocks", "On", "Reason", "Due (UTC)", "Since (UTC)"),
            ((one.id, one.kind, one.blocks, one.target_type, one.reason, one.due_at, one.created_at) for one in active),
            empty="",
            title="Holds",
        )
    if detail.fulfillment_orders:
        print_table(
            ("Number", "Location", "By", "State", "Request", "Their id", "Units"),
            (
                (one.number, one.location, one.handler or "hand", one.exec_status, one.request_status, one.external_id,
                 ", ".join(f"{line.quantity} {line.sku}" for line in one.lines))
                for one in detail.fulfillment_orders
            ),
            empty="",
            title="Fulfillment orders",
        )  # fmt: skip
    parcels = [parcel for one in detail.shipments for parcel in one.packages]
    if parcels:
        print_table(
            ("Tracking", "Carrier", "State", "Units"),
            (
                (
                    one.tracking_number,
                    one.carrier,
                    one.status,
                    ", ".join(f"{units} {sku}" for sku, units in one.units),
                )
                for one in parcels
            ),
            empty="",
            title="Parcels",
        )
    print_table(
        ("When (UTC)", "Who", "What"),
        ((one.at, one.actor, one.message + (f" ({one.error})" if one.error else "")) for one in detail.timeline),
        empty="Nothing has happened yet.",
        title="Timeline",
    )
