"""The two doors: everything that comes in is a row in the inbox, everything that goes out a row in the outbox."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from hub.store.tables.base import count, identity, json, metadata, moment, one_of, ref, text

INBOX_STATUSES = ("received", "retry_wait", "done", "dead", "ignored")
INBOX_OUTCOMES = (
    "applied",
    "no_change",
    "duplicate",
    "stale",
    "held_unmapped",
    "conflict",
    "business_failure",
    "ignored",
)
OUTBOX_STATUSES = (
    "pending",
    "sending",
    "delivered",
    "retry_wait",
    "dead",
    "unknown",
    "rejected",
    "superseded",
    "held",
    "set_aside",
)

PARTITIONS = 16

inbox = Table(
    "inbox",
    metadata,
    identity(),
    ref("connection_id", "connection.id"),
    Column("partition", Integer, nullable=False),  # hash of connection and entity: one drained by one worker at a time
    Column("source", String(12), nullable=False),  # webhook, poll, backfill, asked, queue, file, api
    Column("stream", String(64), nullable=False),
    Column("topic", String(120), nullable=False, server_default=""),
    Column("external_id", String(255), nullable=False, server_default=""),
    Column("revision", String(64), nullable=False, server_default=""),
    Column("dedupe_key", String(200), nullable=False),
    json("headers"),
    Column("body", LargeBinary, nullable=False),  # the bytes as they came
    moment("received_at"),
    Column("status", String(12), nullable=False, server_default="received"),
    Column("outcome", String(20)),
    Column("error_code", String(40)),
    Column("error", Text),
    Column("error_path", String(255)),
    count("attempts"),
    count("duplicates"),  # further deliveries of the same fact
    moment("next_at", null=True),
    moment("processed_at", null=True),
    Column("entity_id", String(36)),  # what it was applied to
    Column("mapping", String(160)),  # field map and version that read it
    UniqueConstraint("connection_id", "dedupe_key"),
    one_of("status", INBOX_STATUSES),
    Index(
        "ix_inbox_due",
        "partition",
        "id",
        postgresql_where=sql("status IN ('received', 'retry_wait')"),
        sqlite_where=sql("status IN ('received', 'retry_wait')"),
    ),
    Index("ix_inbox_dead", "status", "received_at"),
    Index("ix_inbox_entity", "entity_id"),
)

keyed_request = Table(
    "keyed_request",
    metadata,
    Column("key", String(80), primary_key=True),  # the key it came under, hashed
    Column("request", String(64), nullable=False),  # hash of what was asked for
    json("answer", null=False),  # what came of it, as far as it cannot be read elsewhere
    moment("at"),
)

outbox = Table(
    "outbox",
    metadata,
    identity(),
    ref("connection_id", "connection.id"),
    Column("operation", String(24), nullable=False),  # submit, cancel, buy_label, void, confirm, post
    Column("order_id", String(36)),
    Column("subject_id", String(36), nullable=False),  # rows of one subject leave one after another, by their turn
    count("turn"),
    Column("idempotency_key", String(80), nullable=False, unique=True),
    Column("reference", String(80), nullable=False, server_default=""),  # what a look-up at the vendor uses
    json("payload", null=False),
    Column("status", String(12), nullable=False, server_default="pending"),
    count("attempts"),
    moment("created_at"),
    moment("next_at"),
    moment("sending_until", null=True),  # a row still sending after this was lost: its outcome is unknown
    Column("claim", String(36)),  # the run that is sending it
    moment("settled_at", null=True),
    Column("external_id", String(255)),
    json("result"),
    Column("error_code", String(40)),
    text("error"),
    one_of("status", OUTBOX_STATUSES),
    Index(
        "ix_outbox_due",
        "connection_id",
        "next_at",
        postgresql_where=sql("status IN ('pending', 'retry_wait', 'sending', 'unknown', 'held')"),
        sqlite_where=sql("status IN ('pending', 'retry_wait', 'sending', 'unknown', 'held')"),
    ),
    Index("ix_outbox_subject", "subject_id"),
    Index("ix_outbox_order", "order_id"),
    Index("ix_outbox_status", "status", "created_at"),
)
