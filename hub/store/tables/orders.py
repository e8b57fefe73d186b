"""Orders with their lines, adjustments, holds, route decisions and timeline."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, String, Table, UniqueConstraint
from sqlalchemy import text as sql

from hub.store.tables.base import Amount, count, identity, json, metadata, moment, one_of, ref, text

LIFECYCLES = ("draft", "pending", "open", "completed", "cancelled")
HOLD_BLOCKS = ("routing", "release", "label", "ship")

orders = Table(
    "orders",
    metadata,
    identity(),
    ref("connection_id", "connection.id"),
    Column("external_id", String(255), nullable=False),
    Column("number", String(120), nullable=False),
    Column("revision", String(64), nullable=False),
    Column("document_hash", String(64), nullable=False),
    Column("inbox_id", String(36), nullable=False),
    json("document", null=False),  # the canonical order, as mapped
    Column("lifecycle", String(12), nullable=False),
    Column("remote_status", String(12), nullable=False),
    Column("payment_status", String(24), nullable=False),
    Column("fulfilled_by", String(40), nullable=False, server_default="merchant"),
    Column("test", Boolean, nullable=False, server_default="0"),
    moment("placed_at"),
    Column("ship_by", Date),
    Column("currency", String(3), nullable=False),
    Column("total_minor", Amount, nullable=False),  # as the channel states it
    Column("computed_minor", Amount, nullable=False),  # as our own sum
    Column("email", String(255), nullable=False, server_default=""),
    text("customer_name"),
    Column("country", String(2), nullable=False, server_default=""),
    text("city"),
    moment("cancelled_at", null=True),
    moment("created_at"),
    moment("updated_at"),
    count("version"),
    UniqueConstraint("connection_id", "external_id"),
    one_of("lifecycle", LIFECYCLES),
    Index("ix_orders_placed", "placed_at", "id"),
    # Found by their beginnings as well, which PostgreSQL answers from such an index in every collation.
    Index("ix_orders_number", "number", postgresql_ops={"number": "varchar_pattern_ops"}),
    Index("ix_orders_email", "email", postgresql_ops={"email": "varchar_pattern_ops"}),
    Index("ix_orders_lifecycle", "lifecycle", "placed_at"),
)

order_line = Table(
    "order_line",
    metadata,
    identity(),
    ref("order_id", "orders.id"),
    Column("line_no", Integer, nullable=False),
    Column("external_id", String(255), nullable=False),
    Column("sku", String(120), nullable=False, server_default=""),
    ref("variant_id", "variant.id", null=True),  # NULL: not mapped to an article yet
    text("title"),
    Column("ordered", Integer, nullable=False),
    count("cancelled"),
    count("routed"),  # units in live fulfillment orders, shipped ones included
    count("shipped"),
    count("delivered"),
    Column("total_minor", Amount, nullable=False),
    Column("group_key", String(120)),
    Column("ships", Boolean, nullable=False, server_default="1"),  # False: nothing for the hub to ship
    UniqueConstraint("order_id", "external_id"),
    CheckConstraint("cancelled >= 0 AND shipped >= 0 AND routed >= 0 AND delivered >= 0", name="not_negative"),
    CheckConstraint("cancelled + shipped <= ordered", name="shipped"),
    CheckConstraint("cancelled + routed <= ordered AND shipped <= routed", name="routed"),
    CheckConstraint("delivered <= shipped", name="delivered"),
    Index("ix_order_line_sku", "sku"),
    Index("ix_order_line_variant", "variant_id"),
)

order_adjustment = Table(
    "order_adjustment",
    metadata,
    identity(),
    ref("order_id", "orders.id", index=True),
    Column("kind", String(16), nullable=False),  # shipping, tax, duty, fee, tip, gift_wrap, deposit, other
    text("title"),
    Column("amount_minor", Amount, nullable=False),
)

hold = Table(
    "hold",
    metadata,
    identity(),
    ref("order_id", "orders.id", index=True),
    Column("target_type", String(8), nullable=False),
    Column("target_id", String(36), nullable=False),
    Column("kind", String(32), nullable=False),
    text("reason"),
    Column("handle", String(80), nullable=False),
    Column("source", String(80), nullable=False),
    Column("blocks", String(16), nullable=False),
    Column("state", String(12), nullable=False, server_default="active"),
    moment("created_at"),
    moment("released_at", null=True),
    Column("released_by", String(120)),
    one_of("target_type", ("order", "line", "fo")),
    one_of("blocks", HOLD_BLOCKS),
    one_of("state", ("active", "released", "expired")),
    Index(
        "uq_hold_active",
        "target_id",
        "source",
        "handle",
        unique=True,
        postgresql_where=sql("state = 'active'"),
        sqlite_where=sql("state = 'active'"),
    ),
    Index(
        "ix_hold_active",
        "kind",
        postgresql_where=sql("state = 'active'"),
        sqlite_where=sql("state = 'active'"),
    ),
)

route_decision = Table(
    "route_decision",
    metadata,
    identity(),
    ref("order_id", "orders.id", index=True),
    Column("attempt", Integer, nullable=False),
    Column("strategy", String(40), nullable=False),
    Column("inputs_hash", String(64), nullable=False),
    text("reason"),  # one sentence for people
    json("trace", null=False),
    moment("at"),
    UniqueConstraint("order_id", "attempt"),
)

route_exclusion = Table(
    "route_exclusion",
    metadata,
    identity(),
    ref("order_line_id", "order_line.id", index=True),
    ref("location_id", "location.id"),
    text("reason"),
    moment("at"),
    UniqueConstraint("order_line_id", "location_id"),
)

entity_event = Table(
    "entity_event",
    metadata,
    identity(),
    ref("order_id", "orders.id", null=True, index=True),
    Column("entity_type", String(16), nullable=False),
    Column("entity_id", String(36), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("actor", String(120), nullable=False),
    text("message"),
    json("data"),
    moment("at"),
)
