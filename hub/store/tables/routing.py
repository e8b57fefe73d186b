"""Rule sets of the router, their rehearsals, and what the hub has learned of locations."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, Index, Integer, String, Table, UniqueConstraint
from sqlalchemy import text as sql

from hub.store.tables.base import count, identity, json, metadata, moment, one_of, ref, text

routing_rule_set = Table(
    "routing_rule_set",
    metadata,
    identity(),
    Column("name", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String(12), nullable=False, server_default="draft"),
    json("document", null=False),  # the rules, as `routing-rules.v1.json` describes them
    Column("document_hash", String(64), nullable=False),
    text("note"),
    ref("rehearsal_id", "rehearsal.id", null=True),  # what it was published with
    Column("created_by", String(120), nullable=False),
    moment("created_at"),
    moment("published_at", null=True),
    Column("published_by", String(120)),
    UniqueConstraint("name", "version"),
    one_of("status", ("draft", "published", "retired")),
    Index(
        "uq_routing_rule_set_published",
        "status",
        unique=True,
        postgresql_where=sql("status = 'published'"),
        sqlite_where=sql("status = 'published'"),
    ),
)

routing_network = Table(
    "routing_network",
    metadata,
    Column("hash", String(64), primary_key=True),
    json("document", null=False),  # locations and steps, kept once for all decisions made with them
    moment("at"),
)

rehearsal = Table(
    "rehearsal",
    metadata,
    identity(),
    Column("draft_hash", String(64), nullable=False, index=True),  # the rules that were rehearsed
    Column("baseline_hash", String(64), nullable=False),
    Column("status", String(12), nullable=False, server_default="running"),
    count("orders"),
    count("done"),
    json("documents", null=False),  # the rules of both, so that it can start again
    json("figures"),  # splits, unfilled, cost, late, km and load by location, for baseline and draft
    json("differences"),  # orders that would go elsewhere
    text("error"),
    Column("created_by", String(120), nullable=False),
    moment("created_at"),
    moment("finished_at", null=True),
    one_of("status", ("running", "done", "failed")),
)

location_exclusion = Table(
    "location_exclusion",
    metadata,
    identity(),
    ref("location_id", "location.id"),
    Column("country", String(2), nullable=False),
    Column("postal_prefix", String(16), nullable=False, server_default=""),
    text("reason"),
    Column("source", String(80), nullable=False),  # learned from a rejection, or a person
    moment("at"),
    UniqueConstraint("location_id", "country", "postal_prefix"),
)

acceptance = Table(
    "acceptance",
    metadata,
    identity(),
    ref("location_id", "location.id"),
    Column("category", String(120), nullable=False, server_default=""),
    Column("accepted", Float, nullable=False),  # decayed counts, prior not included
    Column("refused", Float, nullable=False),
    moment("at"),
    UniqueConstraint("location_id", "category"),
    CheckConstraint("accepted >= 0 AND refused >= 0", name="not_negative"),
)
