"""What the sandbox's two shapes have in common: ids, connections, and what both state of an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from connectors.shopify.sandbox_graphql import QueryError
from connectors.shopify.sandbox_shop import Order

Json = dict[str, Any]


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def connection(rows: Sequence[Any], render: Callable[[Any], Any]) -> Callable[..., Json]:
    """A connection over rows: one page at a time, cursors are positions. Refuses what Shopify refuses at run time."""

    def page(first: int | None = None, last: int | None = None, after: str | None = None, **_: Any) -> Json:
        if first is None and last is None:
            raise QueryError("you must provide one of first or last", "BAD_REQUEST")
        wanted = first or last or 0
        if not 0 < wanted <= 250:
            raise QueryError("first must be between 1 and 250", "BAD_REQUEST")
        start = int(after) + 1 if after else 0
        if last is not None and first is None:
            start = max(len(rows) - last, 0)
        found = rows[start : start + wanted]
        end = start + len(found)
        cursor = str(end - 1) if found else None
        return {
            "nodes": [render(row) for row in found],
            "pageInfo": {"hasNextPage": end < len(rows), "hasPreviousPage": start > 0, "endCursor": cursor},
        }

    return page


def shipping_rows(order: Order) -> list[Order]:
    return [order] if order.shipping_title else []


def shipping_shares(order: Order) -> list[tuple[int, Decimal]]:
    """A discount on shipping stands behind those on lines in the order's list."""
    return [(len(order.applied) - 1, order.shipping_discount)] if order.shipping_discount else []


def fulfilled(order: Order) -> str:
    shipped = sum(units for one in order.fulfillments if one.status == "SUCCESS" for _, units in one.units)
    left = sum(row.remaining for one in order.fulfillment_orders for row in one.lines)
    return "UNFULFILLED" if not shipped else "PARTIALLY_FULFILLED" if left else "FULFILLED"
