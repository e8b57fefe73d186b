"""Suppliers, purchase orders, transfers, stock counts, and what customers were promised from them."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, String, Table, UniqueConstraint
from sqlalchemy import text as sql

from hub.store.tables.base import Amount, count, identity, json, metadata, moment, one_of, ref, text

PURCHASE_STATUSES = (
    "draft",
    "ordered",
    "acknowledged",
    "partially_received",
    "received",
    "closed",
    "closed_short",
    "cancelled",
)
TRANSFER_STATUSES = (
    "draft",
    "ready",
    "in_transit",
    "partially_received",
    "received",
    "closed_short",
    "cancelled",
)
COUNT_STATUSES = ("draft", "assigned", "counting", "review", "recount", "applied", "cancelled")

supplier = Table(
    "supplier",
    metadata,
    identity(),
    Column("code", String(40), nullable=False, unique=True),
    text("name"),
    Column("email", String(255), nullable=False, server_default=""),
    Column("currency", String(3), nullable=False),
    Column("lead_time_days", Integer, nullable=False, server_default="14"),
    Column("review_days", Integer, nullable=False, server_default="7"),  # how often one orders there
    Column("min_order_minor", Amount, nullable=False, server_default="0"),
    json("address"),
    text("note"),
    ref("connection_id", "connection.id", null=True),  # the ERP that sends its purchase orders
    Column("active", Boolean, nullable=False, server_default="1"),
    moment("created_at"),
)

supplier_item = Table(
    "supplier_item",
    metadata,
    identity(),
    ref("supplier_id", "supplier.id"),
    ref("variant_id", "variant.id", index=True),
    Column("supplier_sku", String(120), nullable=False, server_default=""),
    Column("cost_minor", Amount, nullable=False, server_default="0"),  # per unit, in the supplier's currency
    Column("pack_size", Integer, nullable=False, server_default="1"),
    Column("min_quantity", Integer, nullable=False, server_default="0"),
    Column("lead_time_days", Integer),  # NULL: the supplier's
    Column("preferred", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("supplier_id", "variant_id"),
    CheckConstraint("pack_size >= 1 AND min_quantity >= 0", name="pack_size"),
)

stock_policy = Table(
    "stock_policy",
    metadata,
    identity(),
    ref("variant_id", "variant.id"),
    ref("location_id", "location.id", null=True),  # NULL: every location
    Column("low_threshold", Integer),
    Column("reorder_point", Integer),  # NULL: reckoned from demand
    Column("max_units", Integer),
    Column("service_level", Integer, nullable=False, server_default="95"),  # percent of cycles without running out
    moment("updated_at"),
    UniqueConstraint("variant_id", "location_id"),
    CheckConstraint("service_level BETWEEN 50 AND 99", name="service_level"),
)

purchase_order = Table(
    "purchase_order",
    metadata,
    identity(),
    Column("number", String(40), nullable=False, unique=True),
    ref("supplier_id", "supplier.id", index=True),
    ref("location_id", "location.id"),
    Column("status", String(20), nullable=False, server_default="draft"),
    Column("currency", String(3), nullable=False),
    Column("expected_on", Date),
    Column("over_percent", Integer, nullable=False, server_default="0"),  # so much more may be received than ordered
    text("note"),
    Column("external_id", String(255)),  # its id at the supplier's or the ERP's
    Column("created_by", String(120), nullable=False),
    moment("ordered_at", null=True),
    moment("created_at"),
    moment("updated_at"),
    count("version"),
    one_of("status", PURCHASE_STATUSES),
)

purchase_order_line = Table(
    "purchase_order_line",
    metadata,
    identity(),
    ref("purchase_order_id", "purchase_order.id", index=True),
    ref("variant_id", "variant.id", index=True),
    Column("ordered", Integer, nullable=False),
    Column("acknowledged", Integer),  # NULL: the supplier has not said
    count("received"),
    count("rejected"),  # of the received ones: damaged, wrong or refused
    count("closed"),  # will not come any more
    Column("cost_minor", Amount, nullable=False, server_default="0"),
    Column("promise_on", Date),
    UniqueConstraint("purchase_order_id", "variant_id"),
    CheckConstraint("ordered > 0 AND received >= 0 AND rejected >= 0 AND closed >= 0", name="not_negative"),
    CheckConstraint("rejected <= received", name="rejected"),
)

promise_change = Table(
    "promise_change",
    metadata,
    identity(),
    ref("purchase_order_line_id", "purchase_order_line.id", index=True),
    Column("from_on", Date),
    Column("to_on", Date),
    text("reason"),
    Column("actor", String(120), nullable=False),
    moment("at"),
)

supply_promise = Table(
    "supply_promise",
    metadata,
    identity(),
    ref("order_line_id", "order_line.id", index=True),
    ref("purchase_order_line_id", "purchase_order_line.id", index=True),
    Column("quantity", Integer, nullable=False),
    Column("promised_on", Date),
    moment("created_at"),
    UniqueConstraint("order_line_id", "purchase_order_line_id"),
    CheckConstraint("quantity > 0", name="quantity"),
)

transfer = Table(
    "transfer",
    metadata,
    identity(),
    Column("number", String(40), nullable=False, unique=True),
    ref("from_location_id", "location.id"),
    ref("to_location_id", "location.id"),
    Column("status", String(20), nullable=False, server_default="draft"),
    Column("expected_on", Date),
    text("note"),
    Column("carrier", String(80), nullable=False, server_default=""),
    Column("tracking_number", String(120), nullable=False, server_default=""),
    Column("created_by", String(120), nullable=False),
    moment("shipped_at", null=True),
    moment("created_at"),
    moment("updated_at"),
    count("version"),
    one_of("status", TRANSFER_STATUSES),
    CheckConstraint("from_location_id <> to_location_id", name="itself"),
)

transfer_line = Table(
    "transfer_line",
    metadata,
    identity(),
    ref("transfer_id", "transfer.id", index=True),
    ref("variant_id", "variant.id"),
    Column("quantity", Integer, nullable=False),
    count("shipped"),
    count("received"),  # of the shipped ones
    count("lost"),
    count("back_to_source"),
    count("over"),  # received beyond what was shipped
    count("mis_shipped"),  # received though the article was never on the transfer
    UniqueConstraint("transfer_id", "variant_id"),
    CheckConstraint("quantity >= 0 AND shipped >= 0 AND over >= 0 AND mis_shipped >= 0", name="not_negative"),
    CheckConstraint("received >= 0 AND lost >= 0 AND back_to_source >= 0", name="received_not_negative"),
    CheckConstraint("received + lost + back_to_source <= shipped", name="shipped"),
)

stock_count = Table(
    "stock_count",
    metadata,
    identity(),
    Column("number", String(40), nullable=False, unique=True),
    ref("location_id", "location.id"),
    Column("status", String(12), nullable=False, server_default="draft"),
    Column("assignee", String(120), nullable=False, server_default=""),
    text("note"),
    Column("blind", Boolean, nullable=False, server_default="1"),  # counters do not see what is expected
    Column("created_by", String(120), nullable=False),
    moment("created_at"),
    moment("applied_at", null=True),
    Column("applied_by", String(120)),
    count("version"),
    one_of("status", COUNT_STATUSES),
)

stock_count_line = Table(
    "stock_count_line",
    metadata,
    identity(),
    ref("stock_count_id", "stock_count.id", index=True),
    ref("variant_id", "variant.id"),
    Column("counted", Integer),
    Column("seen_on_hand", Integer),  # on hand in the books at the ledger position of the count
    Column("seen_version", Integer),  # that ledger position: the stock position's version
    Column("counted_by", String(120), nullable=False, server_default=""),
    moment("counted_at", null=True),
    Column("round", Integer, nullable=False, server_default="1"),  # 2 and more: counted again
    Column("recount", Boolean, nullable=False, server_default="0"),
    json("lots"),  # of a tracked article: what was counted and seen by lot, or the serial numbers found
    Column("applied", Integer),  # the correction that was booked
    UniqueConstraint("stock_count_id", "variant_id"),
    CheckConstraint("counted IS NULL OR counted >= 0", name="counted"),
)

stock_alert = Table(
    "stock_alert",
    metadata,
    identity(),
    ref("variant_id", "variant.id"),
    ref("location_id", "location.id", null=True),
    Column("kind", String(12), nullable=False),
    Column("units", Integer, nullable=False),
    Column("threshold", Integer, nullable=False),
    moment("raised_at"),
    moment("cleared_at", null=True),
    one_of("kind", ("low", "out")),
    Index(
        "ix_stock_alert_open",
        "variant_id",
        postgresql_where=sql("cleared_at IS NULL"),
        sqlite_where=sql("cleared_at IS NULL"),
    ),
)
