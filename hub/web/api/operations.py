"""All operations of the API: the table from which routes, checks of requests and the OpenAPI document come."""

from __future__ import annotations

from hub.web.api import (
    availability,
    changes,
    connections,
    counts,
    fulfillment,
    holds,
    ledger,
    lots,
    orders,
    oversold,
    problems,
    routing,
    shapes,
    stock,
    supply,
    transfers,
)
from hub.web.api.operation import Operation
from hub.web.api.shapes import Json

AREAS = (
    orders, holds, changes, fulfillment, stock, ledger, availability, connections, problems, routing, transfers, counts,
    lots, supply, oversold,
)  # fmt: skip
OPERATIONS: dict[str, Operation] = {one.name: one for area in AREAS for one in area.OPERATIONS}
# The shapes that operations speak of; an area that needs its own adds them here.
COMPONENTS: dict[str, Json] = {
    **shapes.COMPONENTS,
    **fulfillment.COMPONENTS,
    **holds.COMPONENTS,
    **changes.COMPONENTS,
    **ledger.COMPONENTS,
    **availability.COMPONENTS,
    **routing.COMPONENTS,
    **transfers.COMPONENTS,
    **counts.COMPONENTS,
    **lots.COMPONENTS,
    **supply.COMPONENTS,
    **oversold.COMPONENTS,
}
