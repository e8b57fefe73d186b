"""Products, listings, locations, stock positions and the ledger that alone may change them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy import text as sql

from hub.store.tables.base import count, identity, json, metadata, moment, one_of, ref, text

STATES = ("available", "committed", "reserved", "damaged", "quality_hold", "safety_stock")
LOCATION_KINDS = ("warehouse", "store", "3pl", "supplier", "virtual")

product = Table(
    "product",
    metadata,
    identity(),
    text("title"),
    Column("kind", String(16), nullable=False, server_default="stock"),
    moment("created_at"),
    one_of("kind", ("stock", "kit", "virtual", "made_to_order")),
)

variant = Table(
    "variant",
    metadata,
    identity(),
    ref("product_id", "product.id", index=True),
    Column("sku", String(120), nullable=False, unique=True),
    text("title"),
    Column("barcode", String(64), index=True),
    Column("weight_g", Integer),
    Column("length_mm", Integer),
    Column("width_mm", Integer),
    Column("height_mm", Integer),
    Column("hs_code", String(16)),
    Column("origin_country", String(2)),
    moment("created_at"),
    moment("updated_at"),
)

listing = Table(
    "listing",
    metadata,
    identity(),
    ref("connection_id", "connection.id"),
    Column("external_id", String(255), nullable=False),
    Column("inventory_external_id", String(255)),
    Column("sku", String(120), nullable=False, server_default=""),
    text("title"),
    Column("product_type", String(120)),
    ref("variant_id", "variant.id", null=True, index=True),
    Column("pack_size", Integer, nullable=False, server_default="1"),
    count("stock_rev"),  # rises with every change that may alter the published figure
    count("claimed_rev"),  # what the run that is publishing looked at
    count("published_rev"),
    Column("published_quantity", Integer),  # what the channel was last told and confirmed
    moment("published_at", null=True),
    moment("publishing_until", null=True),
    moment("publish_next_at", null=True),
    count("publish_failures"),
    text("publish_error"),
    UniqueConstraint("connection_id", "external_id"),
    CheckConstraint("pack_size >= 1", name="pack_size"),
    Index("ix_listing_sku", "connection_id", "sku"),
    Index(
        "ix_listing_due",
        "connection_id",
        postgresql_where=sql("stock_rev > published_rev"),
        sqlite_where=sql("stock_rev > published_rev"),
    ),
)

location = Table(
    "location",
    metadata,
    identity(),
    Column("code", String(40), nullable=False, unique=True),
    text("name"),
    Column("kind", String(16), nullable=False, server_default="warehouse"),
    Column("zone", String(64), nullable=False, server_default="UTC"),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("country", String(2), nullable=False, server_default=""),
    json("address"),
    json("markets"),  # market ids it serves best; empty means by country
    Column("active", Boolean, nullable=False, server_default="1"),
    Column("ships", Boolean, nullable=False, server_default="1"),
    Column("is_default", Boolean, nullable=False, server_default="0"),
    Column("rank", Integer, nullable=False, server_default="100"),
    moment("outage_until", null=True),
    Column("handling", String(12), nullable=False, server_default="manual"),  # who packs: threepl, label or manual
    ref("handler_id", "connection.id", null=True),  # the 3PL or carrier connection
    Column("warehouse", String(120), nullable=False, server_default=""),  # the handler's own id of the place
    moment("created_at"),
    one_of("kind", LOCATION_KINDS),
    one_of("handling", ("threepl", "label", "manual")),
)

stock_position = Table(
    "stock_position",
    metadata,
    identity(),
    ref("variant_id", "variant.id"),
    ref("location_id", "location.id"),
    count("on_hand"),
    count("available"),
    count("committed"),
    count("reserved"),
    count("damaged"),
    count("quality_hold"),
    count("safety_stock"),
    count("incoming"),
    count("oversold"),  # units promised that an outside fact (count, feed) took away
    moment("verified_at", null=True),
    count("version"),
    count("rises"),  # how often available units have become more
    count("refilled"),  # the rise up to which waiting orders were looked after
    UniqueConstraint("variant_id", "location_id"),
    CheckConstraint(f"on_hand = {' + '.join(STATES)}", name="identity"),
    CheckConstraint("available >= -oversold AND oversold >= 0", name="no_oversell"),
    CheckConstraint(
        "on_hand >= 0 AND committed >= 0 AND reserved >= 0 AND damaged >= 0 AND quality_hold >= 0 "
        "AND safety_stock >= 0 AND incoming >= 0",
        name="not_negative",
    ),
    Index(
        "ix_stock_position_risen",
        "variant_id",
        postgresql_where=sql("rises > refilled"),
        sqlite_where=sql("rises > refilled"),
    ),
)

stock_move = Table(
    "stock_move",
    metadata,
    identity(),
    ref("position_id", "stock_position.id", index=True),
    Column("kind", String(16), nullable=False),  # adjust, commit, release, ship, reserve, receive
    Column("quantity", Integer, nullable=False),
    Column("from_state", String(16)),  # NULL: came from outside
    Column("to_state", String(16)),  # NULL: left
    Column("cause_type", String(20), nullable=False),
    Column("cause_id", String(36), nullable=False),
    text("reason"),
    Column("idempotency_key", String(120), nullable=False, unique=True),
    Column("actor", String(120), nullable=False),
    moment("at"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("from_state IS NOT NULL OR to_state IS NOT NULL", name="direction"),
    Index("ix_stock_move_cause", "cause_id"),
)

reservation = Table(
    "reservation",
    metadata,
    identity(),
    Column("owner_type", String(16), nullable=False),
    Column("owner_id", String(36), nullable=False),
    ref("variant_id", "variant.id", index=True),
    ref("location_id", "location.id", null=True),  # NULL: promised from the network, not yet from a place
    Column("quantity", Integer, nullable=False),
    Column("state", String(12), nullable=False, server_default="active"),
    moment("expires_at", null=True),
    moment("created_at"),
    CheckConstraint("quantity > 0", name="quantity"),
    one_of("state", ("active", "converted", "released", "expired")),
    Index("ix_reservation_owner", "owner_id"),
)
