"""All tables, with the invariants of the domain as constraints."""

from hub.store.tables.base import metadata
from hub.store.tables.connections import (
    connection,
    credential,
    cursor,
    external_ref,
    lease,
    rate_bucket,
    webhook_rejection,
)
from hub.store.tables.doors import PARTITIONS, inbox, outbox
from hub.store.tables.fulfillment import fo_line, fulfillment_order, package, package_line, shipment, tracking_event
from hub.store.tables.orders import (
    entity_event,
    hold,
    order_adjustment,
    order_line,
    orders,
    route_decision,
    route_exclusion,
)
from hub.store.tables.people import api_key, person, setup_link, web_session
from hub.store.tables.stock import STATES, listing, location, product, reservation, stock_move, stock_position, variant

__all__ = [
    "PARTITIONS",
    "STATES",
    "api_key",
    "connection",
    "credential",
    "cursor",
    "entity_event",
    "external_ref",
    "fo_line",
    "fulfillment_order",
    "hold",
    "inbox",
    "lease",
    "listing",
    "location",
    "metadata",
    "order_adjustment",
    "order_line",
    "orders",
    "outbox",
    "package",
    "package_line",
    "person",
    "product",
    "rate_bucket",
    "reservation",
    "route_decision",
    "route_exclusion",
    "setup_link",
    "shipment",
    "stock_move",
    "stock_position",
    "tracking_event",
    "variant",
    "web_session",
    "webhook_rejection",
]
