"""Connections, their sealed credentials, cursors and quotas; leases of background work."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from hub.store.tables.base import Id, Utc, count, identity, json, metadata, moment, one_of, ref, text

CONNECTION_STATUSES = ("active", "paused", "needs_sign_in", "misconfigured", "unavailable")

connection = Table(
    "connection",
    metadata,
    identity(),
    Column("plugin", String(64), nullable=False),
    Column("name", String(120), nullable=False, unique=True),
    json("config", null=False),
    Column("config_version", Integer, nullable=False, server_default="1"),
    json("entry_checks"),  # which entry checks its orders pass, with their settings; NULL: as they come
    Column("status", String(20), nullable=False, server_default="active"),
    text("status_reason"),
    Column("status_field", String(80)),  # the config property at fault, when one is
    text("warning"),  # what it cannot do while it works; a test that goes well says it anew
    Column("account_id", String(200)),  # the account at the vendor, from the connection check
    Column("account_label", String(200)),
    Column("zone", String(64), nullable=False, server_default="UTC"),
    Column("stock_threshold", Integer, nullable=False, server_default="0"),  # units never offered on this channel
    Column("publish_stock", Boolean, nullable=False, server_default="1"),
    Column("location_group", String(80)),  # the locations whose stock it sells; NULL: all
    # A feed that takes so many percent of its articles to nothing is parked; 0: never.
    Column("feed_guard_percent", Integer, nullable=False, server_default="50"),
    Column("webhook_token", String(64), nullable=False),
    moment("last_ok_at", null=True),
    moment("last_error_at", null=True),
    text("last_error"),
    count("failures"),  # calls failed in a row, for the breaker
    moment("open_until", null=True),  # until then the breaker lets nothing out
    Column("outbox_held", Boolean, nullable=False, server_default="0"),  # after a restore nothing leaves by itself
    moment("restored_at", null=True),  # what there was before this may have left without this database knowing
    moment("created_at"),
    moment("updated_at"),
    moment("signed_in_at"),  # when new secrets were entered, or a test last showed that the account can be used
    UniqueConstraint("plugin", "account_id"),
    one_of("status", CONNECTION_STATUSES),
)

credential = Table(
    "credential",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # all secret settings of the connection, as one sealed JSON object
    moment("updated_at"),
    count("sign_ins"),  # how often new secrets were entered to sign in with
    Column("token_sealed", LargeBinary),  # the current access token
    moment("token_renew_at", null=True),
    moment("token_expires_at", null=True),
    Column("refresh_sealed", LargeBinary),  # a refresh token that the vendor has rotated
    Column("signing_sealed", LargeBinary),  # signing secrets that were replaced, each with its end
    moment("signing_until", null=True),  # when the last of them ends
    moment("token_claimed_until", null=True),  # one worker fetches a token at a time
)

cursor = Table(
    "cursor",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("stream", String(64), primary_key=True),
    json("value"),  # where to read on, as the connector said with its last page
    moment("window_start", null=True),  # of the window that a broken run was reading
    moment("window_end", null=True),  # NULL when the last window was read to its end
    moment("synced_to", null=True),  # everything changed before this is stored
    moment("next_at", null=True),  # when the stream is read next
    moment("last_started_at", null=True),
    moment("last_ok_at", null=True),
    text("last_error"),
    count("failures"),
    count("last_seen"),  # records of the last finished run
    count("found_by_sweep"),  # records that no webhook had brought
    count("rewinds"),  # how often somebody had it read again from an earlier moment
)

inquiry = Table(
    "inquiry",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("external_id", String(255), primary_key=True),  # the channel's id of an order, or of a part of it
    Column("times", Integer, nullable=False, server_default="1"),  # how often it was named
    Column("waits", Boolean, nullable=False, server_default="0"),  # the order came in part: nothing of it leaves before
    moment("next_at"),  # when the channel is asked
    count("failures"),
    text("error"),
    Index("ix_inquiry_due", "next_at"),
)

rate_bucket = Table(
    "rate_bucket",
    metadata,
    Column("scope", String(80), primary_key=True),
    Column("bucket", String(80), primary_key=True),
    Column("millitokens", BigInteger, nullable=False),
    Column("filled_at_ms", BigInteger, nullable=False),  # Unix time of the last refill
    Column("paused_until_ms", BigInteger, nullable=False, server_default="0"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("holder", String(120), nullable=False),
    Column("fence", BigInteger, nullable=False),  # rises with every new holder
    Column("expires_at", Utc, nullable=False),
)

external_ref = Table(
    "external_ref",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("external_id", String(255), primary_key=True),
    Column("entity_id", Id, nullable=False),
    Column("number", String(120)),  # the document number people use there
    Index("ix_external_ref_entity", "entity_id", "kind"),
)

webhook_rejection = Table(
    "webhook_rejection",
    metadata,
    identity(),
    ref("connection_id", "connection.id", index=True),
    moment("at"),
    text("reason"),
)
