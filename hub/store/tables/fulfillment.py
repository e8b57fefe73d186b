"""Fulfillment orders, shipments, packages and tracking."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from hub.store.tables.base import Amount, Id, count, identity, json, metadata, moment, one_of, ref, text

EXEC_STATUSES = ("scheduled", "open", "in_progress", "closed", "incomplete", "cancelled")
REQUEST_STATUSES = (
    "unsubmitted",
    "submitted",
    "accepted",
    "rejected",
    "timed_out",
    "cancellation_requested",
    "cancellation_accepted",
    "cancellation_rejected",
    "closed",
)
SHIPMENT_STATUSES = (
    "draft",
    "rated",
    "label_pending",
    "labelled",
    "label_failed",
    "in_doubt",
    "manifested",
    "handed_over",
    "in_transit",
    "out_for_delivery",
    "attempted",
    "available_for_pickup",
    "delivered",
    "exception",
    "returning",
    "returned_to_sender",
    "lost",
    "voided",
)

fulfillment_order = Table(
    "fulfillment_order",
    metadata,
    identity(),
    Column("number", String(40), nullable=False, unique=True),
    ref("order_id", "orders.id", index=True),
    ref("location_id", "location.id", index=True),
    ref("handler_id", "connection.id", null=True),
    Column("handling", String(12), nullable=False),
    Column("exec_status", String(12), nullable=False, server_default="open"),
    Column("request_status", String(24), nullable=False, server_default="unsubmitted"),
    Column("external_id", String(255)),  # its id at the handler
    Column("parent_id", Id),  # the fulfillment order it replaces
    text("reason"),
    Column("reason_code", String(32)),  # why it was refused, by the list of rejection reasons
    Column("method", String(16), nullable=False, server_default="ship"),
    ref("deliver_to_id", "location.id", null=True),  # the store that goods are sent to for collection
    moment("fulfil_at", null=True),  # not handed over before
    moment("answer_by", null=True),  # not answered by then: taken away
    Column("ship_on", Date),  # the day the place's calendar lets it leave
    Column("deliver_on", Date),  # the day it should arrive
    moment("ready_at", null=True),  # waits at the counter
    moment("collect_by", null=True),  # not collected by then: goes back
    moment("collected_at", null=True),
    json("location_snapshot"),  # the place as it was when work began
    moment("created_at"),
    moment("updated_at"),
    count("version"),
    UniqueConstraint("handler_id", "external_id"),
    one_of("exec_status", EXEC_STATUSES),
    one_of("request_status", REQUEST_STATUSES),
    one_of("method", ("ship", "pickup", "ship_to_store")),
    Index("ix_fulfillment_order_status", "exec_status", "request_status"),
    Index("ix_fulfillment_order_load", "location_id", "created_at"),
)

fo_line = Table(
    "fo_line",
    metadata,
    identity(),
    ref("fo_id", "fulfillment_order.id", index=True),
    ref("order_line_id", "order_line.id", index=True),
    ref("variant_id", "variant.id"),
    ref("position_id", "stock_position.id"),
    Column("quantity", Integer, nullable=False),
    count("shipped"),
    count("cancelled"),
    count("refused"),  # of the cancelled ones, those that a refusal was about
    UniqueConstraint("fo_id", "order_line_id"),
    CheckConstraint("quantity > 0 AND shipped >= 0 AND cancelled >= 0", name="not_negative"),
    CheckConstraint("shipped + cancelled <= quantity", name="shipped"),
    CheckConstraint("refused >= 0 AND refused <= cancelled", name="refused"),
)

shipment = Table(
    "shipment",
    metadata,
    identity(),
    ref("fo_id", "fulfillment_order.id", index=True),
    ref("order_id", "orders.id", index=True),
    ref("connection_id", "connection.id", null=True),  # who told of it or sold the label; NULL: by hand
    Column("external_id", String(255)),
    Column("status", String(24), nullable=False),
    Column("carrier", String(80), nullable=False, server_default=""),
    Column("service", String(80), nullable=False, server_default=""),
    moment("shipped_at", null=True),
    moment("estimated_delivery", null=True),
    moment("created_at"),
    moment("updated_at"),
    UniqueConstraint("connection_id", "external_id", "fo_id"),  # one parcel there may carry several of our orders
    one_of("status", SHIPMENT_STATUSES),
)

package = Table(
    "package",
    metadata,
    identity(),
    ref("shipment_id", "shipment.id", index=True),
    Column("tracking_number", String(120), index=True),
    Column("tracker_id", String(120)),  # the carrier connection's id for tracking
    text("tracking_url"),
    Column("carrier", String(80), nullable=False, server_default=""),
    Column("service", String(80), nullable=False, server_default=""),
    Column("status", String(24), nullable=False),
    Column("weight_g", Integer),
    Column("cost_minor", Amount),
    Column("currency", String(3)),
    moment("followed_at", null=True),  # when the carrier was last asked where it is
    Column("label", LargeBinary),
    Column("label_format", String(8)),
    one_of("status", SHIPMENT_STATUSES),
)

package_line = Table(
    "package_line",
    metadata,
    identity(),
    ref("package_id", "package.id", index=True),
    ref("fo_line_id", "fo_line.id"),
    Column("quantity", Integer, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
)

tracking_event = Table(
    "tracking_event",
    metadata,
    identity(),
    ref("package_id", "package.id"),
    Column("event_hash", String(64), nullable=False),
    Column("code", String(24), nullable=False),
    Column("raw_code", String(80), nullable=False, server_default=""),
    text("message"),
    text("place"),
    moment("at"),
    UniqueConstraint("package_id", "event_hash"),
)
