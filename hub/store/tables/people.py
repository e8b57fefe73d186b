"""Who may use the console and the API."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, String, Table

from hub.store.tables.base import count, identity, metadata, moment, one_of, ref, text

ROLES = ("viewer", "packer", "ops", "manager", "owner")  # each may do what those before it may

person = Table(
    "person",
    metadata,
    identity(),
    Column("email", String(255), nullable=False, unique=True),
    text("name"),
    Column("role", String(12), nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("active", Boolean, nullable=False, server_default="1"),
    count("failed_sign_ins"),
    moment("locked_until", null=True),
    moment("created_at"),
    one_of("role", ROLES),
)

web_session = Table(
    "web_session",
    metadata,
    Column("id_hash", String(64), primary_key=True),  # SHA-256 of the cookie's 256-bit id
    ref("person_id", "person.id", index=True),
    moment("created_at"),
    moment("seen_at"),
    moment("expires_at"),
)

setup_link = Table(
    "setup_link",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    ref("person_id", "person.id", null=True),  # whose new password it makes; none: the very first account
    moment("expires_at"),
    moment("used_at", null=True),
)

api_key = Table(
    "api_key",
    metadata,
    identity(),
    text("name"),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("hint", String(8), nullable=False),  # last characters, to tell keys apart
    Column("role", String(12), nullable=False),
    moment("created_at"),
    moment("last_used_at", null=True),
    moment("revoked_at", null=True),
    one_of("role", ROLES),
)
