"""Orders with their lines, adjustments, holds, route decisions and timeline."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy import text as sql

from hub.domain import changes, holds
from hub.store.tables.base import Amount, count, identity, json, metadata, moment, one_of, ref, text

LIFECYCLES = ("draft", "pending", "open", "completed", "cancelled")

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
    json("document", null=False),  # the canonical order as it now stands, with what was changed here
    json("channel_document"),  # the same as the channel last stated it; NULL: nothing was changed here
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
    Column("method", String(8), nullable=False, server_default="ship"),
    ref("pickup_location_id", "location.id", null=True),  # where the customer collects
    Column("promise_on", Date),  # the day by which the customer was promised it
    Column("priority", Integer, nullable=False, server_default="0"),  # higher goes first in a batch
    moment("route_after", null=True),  # a grace period or a later day of shipping
    # Waits for a decision from outside: the fulfillment order that is being replaced, or empty; NULL: does not wait.
    Column("asks_adviser", String(36)),
    moment("created_at"),
    moment("updated_at"),
    count("version"),
    UniqueConstraint("connection_id", "external_id"),
    one_of("lifecycle", LIFECYCLES),
    one_of("method", ("ship", "pickup")),
    Index("ix_orders_placed", "placed_at", "id"),
    # Found by their beginnings as well, which PostgreSQL answers from such an index in every collation.
    Index("ix_orders_number", "number", postgresql_ops={"number": "varchar_pattern_ops"}),
    Index("ix_orders_email", "email", "placed_at", postgresql_ops={"email": "varchar_pattern_ops"}),
    Index("ix_orders_lifecycle", "lifecycle", "placed_at"),
    Index(
        "ix_orders_asks_adviser",
        "placed_at",
        postgresql_where=sql("asks_adviser IS NOT NULL"),
        sqlite_where=sql("asks_adviser IS NOT NULL"),
    ),
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
    count("unwanted"),  # routed units that are cancelled as soon as their place gives them back
    Column("total_minor", Amount, nullable=False),
    Column("group_key", String(120)),
    Column("ships", Boolean, nullable=False, server_default="1"),  # False: nothing for the hub to ship
    ref("kit_line_id", "order_line.id", null=True, index=True),  # the kit line whose component this is
    Column("waits_as", String(12)),  # why units have no place: backorder, preorder, queue; NULL: nothing waits
    Column("queue", String(80)),  # the queue named by the routing step
    Column("promised_on", Date),  # when the goods that the waiting units wait for are expected
    Column("told_on", Date),  # the promised day that the customer was last told of
    moment("auto_cancel_at", null=True),  # waiting units are cancelled then
    UniqueConstraint("order_id", "external_id"),
    CheckConstraint("cancelled >= 0 AND shipped >= 0 AND routed >= 0 AND delivered >= 0", name="not_negative"),
    CheckConstraint("cancelled + shipped <= ordered", name="shipped"),
    CheckConstraint("cancelled + routed <= ordered AND shipped <= routed", name="routed"),
    CheckConstraint("unwanted >= 0 AND shipped + unwanted <= routed", name="unwanted"),
    CheckConstraint("delivered <= shipped", name="delivered"),
    one_of("waits_as", ("backorder", "preorder", "queue")),
    Index("ix_order_line_sku", "sku"),
    Index(
        "ix_order_line_waiting",
        "waits_as",
        postgresql_where=sql("waits_as IS NOT NULL"),
        sqlite_where=sql("waits_as IS NOT NULL"),
    ),
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
    Column("assignee", String(120), nullable=False, server_default=""),
    moment("due_at", null=True),
    moment("auto_release_at", null=True),
    text("note"),
    moment("created_at"),
    moment("released_at", null=True),
    Column("released_by", String(120)),
    one_of("target_type", tuple(holds.MAY_BLOCK)),
    one_of("blocks", holds.BLOCKS),
    one_of("state", tuple(holds.STATES)),
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
    Column("network_hash", String(64)),  # the locations and steps it was decided with
    Column("inputs", LargeBinary),  # everything else it rests on: compressed JSON, to be decided again bit for bit
    ref("rule_set_id", "routing_rule_set.id", null=True),
    Column("superseded_by", String(36)),  # the later decision on the same units
    moment("at"),
    UniqueConstraint("order_id", "attempt"),
)

order_change = Table(
    "order_change",
    metadata,
    identity(),
    ref("order_id", "orders.id", index=True),
    Column("kind", String(12), nullable=False),
    Column("source", String(80), nullable=False),  # channel, person, rule
    Column("status", String(12), nullable=False, server_default="requested"),
    json("actions", null=False),  # what is to change, in order
    json("preview", null=False),  # lines before and after, money, what has to be recalled
    Column("preview_hash", String(64), nullable=False),  # of the order as it was looked at
    Column("delta_minor", Amount, nullable=False, server_default="0"),
    Column("currency", String(3), nullable=False),
    text("reason"),
    Column("created_by", String(120), nullable=False),
    moment("created_at"),
    moment("expires_at"),
    moment("decided_at", null=True),
    Column("decided_by", String(120)),
    one_of("kind", changes.KINDS),
    one_of("status", tuple(changes.STATES)),
    Index(
        "uq_order_change_requested",
        "order_id",
        unique=True,
        postgresql_where=sql("status = 'requested'"),
        sqlite_where=sql("status = 'requested'"),
    ),
    Index(
        "ix_order_change_expiry",
        "expires_at",
        postgresql_where=sql("status = 'requested'"),
        sqlite_where=sql("status = 'requested'"),
    ),
)

route_exclusion = Table(
    "route_exclusion",
    metadata,
    identity(),
    ref("order_line_id", "order_line.id", index=True),
    ref("location_id", "location.id"),
    text("reason"),
    moment("until", null=True),  # after this the place may be asked again; NULL: never
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
    Index(
        "ix_entity_event_failed",
        "entity_id",
        postgresql_where=sql("kind = 'failed'"),
        sqlite_where=sql("kind = 'failed'"),
    ),
)
