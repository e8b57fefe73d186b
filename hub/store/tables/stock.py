"""Products, listings, locations, stock positions and the ledger that alone may change them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy import text as sql

from hub.domain.stock_states import STATES
from hub.store.tables.base import count, identity, json, metadata, moment, one_of, ref, text

TRACKING = ("none", "lot", "serial")
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
    json("tags"),  # words that rules filter by
    Column("tracking", String(8), nullable=False, server_default="none"),
    Column("preorderable", Boolean, nullable=False, server_default="0"),  # sold against open purchase orders
    Column("backorder_limit", Integer),  # units that may wait without a place; NULL: any number
    moment("created_at"),
    moment("updated_at"),
    one_of("tracking", TRACKING),
)

kit_component = Table(
    "kit_component",
    metadata,
    identity(),
    ref("kit_variant_id", "variant.id"),
    ref("component_variant_id", "variant.id", index=True),
    Column("quantity", Integer, nullable=False),
    Column("keep_together", Boolean, nullable=False, server_default="1"),
    UniqueConstraint("kit_variant_id", "component_variant_id"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("kit_variant_id <> component_variant_id", name="itself"),
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
    text("product_type", null=True),
    ref("variant_id", "variant.id", null=True, index=True),
    Column("pack_size", Integer, nullable=False, server_default="1"),
    count("stock_rev"),  # rises with every change that may alter the published figure
    count("claimed_rev"),  # what the run that is publishing looked at
    count("published_rev"),
    Column("published_quantity", Integer),  # what the channel was last told and confirmed
    moment("published_at", null=True),
    moment("found_fewer_at", null=True),  # when it held fewer than it was told: no more are told before these are known
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
        "id",
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
    json("groups"),  # names of location groups it belongs to
    Column("picks_up", Boolean, nullable=False, server_default="0"),  # customers may collect here
    Column("takes_returns", Boolean, nullable=False, server_default="1"),
    Column("transfers", Boolean, nullable=False, server_default="1"),  # may send and receive transfers
    json("serves"),  # ISO countries it ships to; empty: everywhere
    Column("capacity_per_day", Integer),  # fulfillment orders a day; NULL: no limit
    json("calendar"),  # cut-off by weekday, closed days, holidays, handling days, transit days by country
    json("costs"),  # rates by country and handling per unit, whole minor units
    json("attributes"),  # what the operator notes of it, for the ranker `metafield`
    Column("answer_within_min", Integer),  # a fulfillment order not answered by then is taken away; NULL: waits
    Column("stale_after_min", Integer),  # a figure not confirmed for so long may no longer raise what is sold
    moment("fed_at", null=True),  # when its handler's stock feed was last read to the end, changed or not
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
    Column("low_threshold", Integer),  # at or below it an alert is raised; NULL: the article's policy
    moment("verified_at", null=True),  # as of when a feed, a count or a person last said how many there are
    moment("stated_at", null=True),  # as of when a feed last did: what had left by then is not in its figure
    count("version"),
    count("corrected"),  # the version in which on hand was last brought to what somebody had said outright
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
    Index(
        "ix_stock_position_oversold",
        "oversold",
        postgresql_where=sql("oversold > 0"),
        sqlite_where=sql("oversold > 0"),
    ),
)

stock_move = Table(
    "stock_move",
    metadata,
    identity(),
    ref("position_id", "stock_position.id"),
    Column("kind", String(16), nullable=False),  # adjust, commit, release, ship, reserve, receive, transfer, expect
    Column("quantity", Integer, nullable=False),
    Column("from_state", String(16)),  # NULL: came from outside
    Column("to_state", String(16)),  # NULL: left
    Column("cause_type", String(20), nullable=False),
    Column("cause_id", String(36), nullable=False),
    text("reason"),
    Column("idempotency_key", String(120), nullable=False, unique=True),
    Column("actor", String(120), nullable=False),
    moment("at"),
    moment("occurred_at"),  # when it came about there, which may be before it was booked
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("from_state IS NOT NULL OR to_state IS NOT NULL", name="direction"),
    Index("ix_stock_move_cause", "cause_id"),
    Index("ix_stock_move_position", "position_id", "occurred_at"),
)

reservation = Table(
    "reservation",
    metadata,
    identity(),
    Column("owner_type", String(16), nullable=False),  # order_line, checkout, transfer, person
    Column("owner_id", String(80), nullable=False),
    ref("variant_id", "variant.id", index=True),
    ref("location_id", "location.id", null=True),  # NULL: promised from the network, not yet from a place
    Column("quantity", Integer, nullable=False),
    Column("state", String(12), nullable=False, server_default="active"),
    moment("expires_at", null=True),
    moment("created_at"),
    moment("ended_at", null=True),
    text("reason"),
    Column("idempotency_key", String(120), unique=True),
    CheckConstraint("quantity > 0", name="quantity"),
    one_of("state", ("active", "converted", "released", "expired")),
    Index("ix_reservation_owner", "owner_id"),
    Index(
        "ix_reservation_expiry",
        "expires_at",
        postgresql_where=sql("state = 'active' AND expires_at IS NOT NULL"),
        sqlite_where=sql("state = 'active' AND expires_at IS NOT NULL"),
    ),
)

availability_rule = Table(
    "availability_rule",
    metadata,
    identity(),
    Column("position", Integer, nullable=False, unique=True),  # rules are read in this order, the last match wins
    Column("kind", String(12), nullable=False),
    Column("value", Integer, nullable=False),  # units, percent, or 1 and 0 for publish on and off
    ref("connection_id", "connection.id", null=True, index=True),  # NULL: every channel
    Column("location_group", String(80)),  # NULL: every location (safety), the channel's own (others)
    json("filter"),  # skus, tags, product types; empty: every article
    text("note"),
    Column("active", Boolean, nullable=False, server_default="1"),
    moment("created_at"),
    moment("updated_at"),
    one_of("kind", ("safety", "threshold", "percent", "publish")),
    CheckConstraint("value >= 0", name="value"),
)

stock_audit = Table(
    "stock_audit",
    metadata,
    identity(),
    moment("at"),
    Column("positions", Integer, nullable=False),
    Column("moves", Integer, nullable=False),
    json("differences", null=False),  # what does not add up; never mended silently
    Column("actor", String(120), nullable=False),
)

lot = Table(
    "lot",
    metadata,
    identity(),
    ref("variant_id", "variant.id"),
    Column("code", String(80), nullable=False),
    Column("expires_on", Date),
    Column("blocked", Boolean, nullable=False, server_default="0"),  # recalled: not picked any more
    moment("created_at"),
    UniqueConstraint("variant_id", "code"),
)

lot_position = Table(
    "lot_position",
    metadata,
    identity(),
    ref("lot_id", "lot.id"),
    ref("location_id", "location.id", index=True),
    count("units"),
    count("held"),  # of these, in quality hold because the lot expired or was blocked
    count("to_inspect"),  # of these, in quality hold until somebody has looked at them
    count("damaged"),  # of these, not fit to be sold
    UniqueConstraint("lot_id", "location_id"),
    CheckConstraint("held >= 0 AND to_inspect >= 0 AND damaged >= 0", name="not_negative"),
    CheckConstraint("held + to_inspect + damaged <= units", name="aside"),
)

lot_move = Table(
    "lot_move",
    metadata,
    identity(),
    ref("lot_id", "lot.id", index=True),
    ref("location_id", "location.id"),
    Column("quantity", Integer, nullable=False),  # signed: in and out
    Column("cause_type", String(20), nullable=False),
    Column("cause_id", String(36), nullable=False, index=True),
    Column("idempotency_key", String(120), nullable=False, unique=True),
    Column("actor", String(120), nullable=False),
    moment("at"),
    CheckConstraint("quantity <> 0", name="quantity"),
)

serial_number = Table(
    "serial_number",
    metadata,
    identity(),
    ref("variant_id", "variant.id"),
    Column("code", String(120), nullable=False),
    ref("lot_id", "lot.id", null=True),
    ref("location_id", "location.id", null=True, index=True),  # NULL: it left
    Column("status", String(12), nullable=False, server_default="in_stock"),
    ref("fo_line_id", "fo_line.id", null=True, index=True),  # what it left with
    ref("transfer_line_id", "transfer_line.id", null=True, index=True),  # the transfer it is on its way with
    moment("created_at"),
    moment("updated_at"),
    UniqueConstraint("variant_id", "code"),
    one_of("status", ("in_stock", "shipped", "returned", "scrapped")),
)
