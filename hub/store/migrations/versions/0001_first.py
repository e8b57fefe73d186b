"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:

    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('viewer', 'packer', 'ops', 'manager', 'owner')", name=op.f("ck_api_key_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    op.create_table(
        "connection",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("plugin", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("config", Json, nullable=False),
        sa.Column("config_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("entry_checks", Json, nullable=True),
        sa.Column("status", sa.String(length=20), server_default="active", nullable=False),
        sa.Column("status_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("status_field", sa.String(length=80), nullable=True),
        sa.Column("warning", sa.Text(), server_default="", nullable=False),
        sa.Column("account_id", sa.String(length=200), nullable=True),
        sa.Column("account_label", sa.String(length=200), nullable=True),
        sa.Column("zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("stock_threshold", sa.Integer(), server_default="0", nullable=False),
        sa.Column("publish_stock", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("location_group", sa.String(length=80), nullable=True),
        sa.Column("feed_guard_percent", sa.Integer(), server_default="50", nullable=False),
        sa.Column("webhook_token", sa.String(length=64), nullable=False),
        sa.Column("last_ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_held", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'paused', 'needs_sign_in', 'misconfigured', 'unavailable')",
            name=op.f("ck_connection_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.UniqueConstraint("name", name=op.f("uq_connection_name")),
        sa.UniqueConstraint("plugin", "account_id", name=op.f("uq_connection_plugin_account_id")),
    )
    op.create_table(
        "credential",
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sign_ins", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("token_renew_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refresh_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("signing_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("signing_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "cursor",
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("value", Json, nullable=True),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_seen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("found_by_sweep", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rewinds", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "stream", name=op.f("pk_cursor")),
    )
    op.create_table(
        "inquiry",
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("waits", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "external_id", name=op.f("pk_inquiry")),
    )
    op.create_index("ix_inquiry_due", "inquiry", ["next_at"])
    op.create_table(
        "external_ref",
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("entity_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("connection_id", "kind", "external_id", name=op.f("pk_external_ref")),
    )
    op.create_index("ix_external_ref_entity", "external_ref", ["entity_id", "kind"], unique=False)
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("holder", sa.String(length=120), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("failed_sign_ins", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'packer', 'ops', 'manager', 'owner')", name=op.f("ck_person_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=16), server_default="stock", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('stock', 'kit', 'virtual', 'made_to_order')", name=op.f("ck_product_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
    )
    op.create_table(
        "rate_bucket",
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("bucket", sa.String(length=80), nullable=False),
        sa.Column("millitokens", sa.BigInteger(), nullable=False),
        sa.Column("filled_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("paused_until_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("scope", "bucket", name=op.f("pk_rate_bucket")),
    )
    op.create_table(
        "rehearsal",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("draft_hash", sa.String(length=64), nullable=False),
        sa.Column("baseline_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), server_default="running", nullable=False),
        sa.Column("orders", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("documents", Json, nullable=False),
        sa.Column("figures", Json, nullable=True),
        sa.Column("differences", Json, nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('running', 'done', 'failed')", name=op.f("ck_rehearsal_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsal")),
    )
    op.create_index(op.f("ix_rehearsal_draft_hash"), "rehearsal", ["draft_hash"], unique=False)
    op.create_table(
        "routing_network",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_routing_network")),
    )
    op.create_table(
        "setup_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_setup_link_person_id_person")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_setup_link")),
    )
    op.create_table(
        "stock_audit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("positions", sa.Integer(), nullable=False),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("differences", Json, nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_audit")),
    )
    op.create_table(
        "availability_rule",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=True),
        sa.Column("location_group", sa.String(length=80), nullable=True),
        sa.Column("filter", Json, nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('safety', 'threshold', 'percent', 'publish')", name=op.f("ck_availability_rule_kind")
        ),
        sa.CheckConstraint("value >= 0", name=op.f("ck_availability_rule_value")),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_availability_rule_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_rule")),
        sa.UniqueConstraint("position", name=op.f("uq_availability_rule_position")),
    )
    op.create_index(op.f("ix_availability_rule_connection_id"), "availability_rule", ["connection_id"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=120), server_default="", nullable=False),
        sa.Column("external_id", sa.String(length=255), server_default="", nullable=False),
        sa.Column("revision", sa.String(length=64), server_default="", nullable=False),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("headers", Json, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=12), server_default="received", nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_path", sa.String(length=255), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duplicates", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entity_id", sa.String(length=36), nullable=True),
        sa.Column("mapping", sa.String(length=160), nullable=True),
        sa.CheckConstraint(
            "status IN ('received', 'retry_wait', 'done', 'dead', 'ignored')", name=op.f("ck_inbox_status")
        ),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_inbox_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("connection_id", "dedupe_key", name=op.f("uq_inbox_connection_id_dedupe_key")),
    )
    op.create_index("ix_inbox_dead", "inbox", ["status", "received_at"], unique=False)
    op.create_index(
        "ix_inbox_due",
        "inbox",
        ["partition", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('received', 'retry_wait')"),
        sqlite_where=sa.text("status IN ('received', 'retry_wait')"),
    )
    op.create_index("ix_inbox_entity", "inbox", ["entity_id"], unique=False)
    op.create_table(
        "location",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=16), server_default="warehouse", nullable=False),
        sa.Column("zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("country", sa.String(length=2), server_default="", nullable=False),
        sa.Column("address", Json, nullable=True),
        sa.Column("markets", Json, nullable=True),
        sa.Column("active", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("ships", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("rank", sa.Integer(), server_default="100", nullable=False),
        sa.Column("outage_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handling", sa.String(length=12), server_default="manual", nullable=False),
        sa.Column("handler_id", sa.String(length=36), nullable=True),
        sa.Column("warehouse", sa.String(length=120), server_default="", nullable=False),
        sa.Column("groups", Json, nullable=True),
        sa.Column("picks_up", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("takes_returns", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("transfers", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("serves", Json, nullable=True),
        sa.Column("capacity_per_day", sa.Integer(), nullable=True),
        sa.Column("calendar", Json, nullable=True),
        sa.Column("costs", Json, nullable=True),
        sa.Column("attributes", Json, nullable=True),
        sa.Column("answer_within_min", sa.Integer(), nullable=True),
        sa.Column("stale_after_min", sa.Integer(), nullable=True),
        sa.Column("fed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("handling IN ('threepl', 'label', 'manual')", name=op.f("ck_location_handling")),
        sa.CheckConstraint(
            "kind IN ('warehouse', 'store', '3pl', 'supplier', 'virtual')", name=op.f("ck_location_kind")
        ),
        sa.ForeignKeyConstraint(["handler_id"], ["connection.id"], name=op.f("fk_location_handler_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
        sa.UniqueConstraint("code", name=op.f("uq_location_code")),
    )
    op.create_table(
        "keyed_request",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("answer", Json, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_keyed_request")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("operation", sa.String(length=24), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("turn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=80), server_default="", nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("status", sa.String(length=12), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sending_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim", sa.String(length=36), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("result", Json, nullable=True),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'sending', 'delivered', 'retry_wait', 'dead', 'unknown', 'rejected', 'superseded', 'held', 'set_aside')",
            name=op.f("ck_outbox_status"),
        ),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_outbox_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_outbox_idempotency_key")),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["connection_id", "next_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('pending', 'retry_wait', 'sending', 'unknown', 'held')"),
        sqlite_where=sa.text("status IN ('pending', 'retry_wait', 'sending', 'unknown', 'held')"),
    )
    op.create_index("ix_outbox_order", "outbox", ["order_id"], unique=False)
    op.create_index("ix_outbox_status", "outbox", ["status", "created_at"], unique=False)
    op.create_index("ix_outbox_subject", "outbox", ["subject_id"], unique=False)
    op.create_table(
        "routing_rule_set",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), server_default="draft", nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.Column("document_hash", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("rehearsal_id", sa.String(length=36), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.String(length=120), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'published', 'retired')", name=op.f("ck_routing_rule_set_status")),
        sa.ForeignKeyConstraint(["rehearsal_id"], ["rehearsal.id"], name=op.f("fk_routing_rule_set_rehearsal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_rule_set")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_routing_rule_set_name_version")),
    )
    op.create_index(
        "uq_routing_rule_set_published",
        "routing_rule_set",
        ["status"],
        unique=True,
        postgresql_where=sa.text("status = 'published'"),
        sqlite_where=sa.text("status = 'published'"),
    )
    op.create_table(
        "supplier",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.String(length=255), server_default="", nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), server_default="14", nullable=False),
        sa.Column("review_days", sa.Integer(), server_default="7", nullable=False),
        sa.Column("min_order_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("address", Json, nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_supplier_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
        sa.UniqueConstraint("code", name=op.f("uq_supplier_code")),
    )
    op.create_table(
        "variant",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("sku", sa.String(length=120), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("barcode", sa.String(length=64), nullable=True),
        sa.Column("weight_g", sa.Integer(), nullable=True),
        sa.Column("length_mm", sa.Integer(), nullable=True),
        sa.Column("width_mm", sa.Integer(), nullable=True),
        sa.Column("height_mm", sa.Integer(), nullable=True),
        sa.Column("hs_code", sa.String(length=16), nullable=True),
        sa.Column("origin_country", sa.String(length=2), nullable=True),
        sa.Column("tags", Json, nullable=True),
        sa.Column("tracking", sa.String(length=8), server_default="none", nullable=False),
        sa.Column("preorderable", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("backorder_limit", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("tracking IN ('none', 'lot', 'serial')", name=op.f("ck_variant_tracking")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_variant_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant")),
        sa.UniqueConstraint("sku", name=op.f("uq_variant_sku")),
    )
    op.create_index(op.f("ix_variant_barcode"), "variant", ["barcode"], unique=False)
    op.create_index(op.f("ix_variant_product_id"), "variant", ["product_id"], unique=False)
    op.create_table(
        "web_session",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_web_session_person_id")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_web_session")),
    )
    op.create_index(op.f("ix_web_session_person_id"), "web_session", ["person_id"], unique=False)
    op.create_table(
        "webhook_rejection",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_webhook_rejection_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_rejection")),
    )
    op.create_index(op.f("ix_webhook_rejection_connection_id"), "webhook_rejection", ["connection_id"], unique=False)
    op.create_table(
        "acceptance",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("category", sa.String(length=120), server_default="", nullable=False),
        sa.Column("accepted", sa.Float(), nullable=False),
        sa.Column("refused", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("accepted >= 0 AND refused >= 0", name=op.f("ck_acceptance_not_negative")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_acceptance_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance")),
        sa.UniqueConstraint("location_id", "category", name=op.f("uq_acceptance_location_id_category")),
    )
    op.create_table(
        "kit_component",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kit_variant_id", sa.String(length=36), nullable=False),
        sa.Column("component_variant_id", sa.String(length=36), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("keep_together", sa.Boolean(), server_default="1", nullable=False),
        sa.CheckConstraint("kit_variant_id <> component_variant_id", name=op.f("ck_kit_component_itself")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_kit_component_quantity")),
        sa.ForeignKeyConstraint(
            ["component_variant_id"], ["variant.id"], name=op.f("fk_kit_component_component_variant_id")
        ),
        sa.ForeignKeyConstraint(["kit_variant_id"], ["variant.id"], name=op.f("fk_kit_component_kit_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit_component")),
        sa.UniqueConstraint(
            "kit_variant_id", "component_variant_id", name=op.f("uq_kit_component_kit_variant_id_component_variant_id")
        ),
    )
    op.create_index(
        op.f("ix_kit_component_component_variant_id"), "kit_component", ["component_variant_id"], unique=False
    )
    op.create_table(
        "listing",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("inventory_external_id", sa.String(length=255), nullable=True),
        sa.Column("sku", sa.String(length=120), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("product_type", sa.Text(), nullable=True),
        sa.Column("variant_id", sa.String(length=36), nullable=True),
        sa.Column("pack_size", sa.Integer(), server_default="1", nullable=False),
        sa.Column("stock_rev", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_rev", sa.Integer(), server_default="0", nullable=False),
        sa.Column("published_rev", sa.Integer(), server_default="0", nullable=False),
        sa.Column("published_quantity", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found_fewer_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publishing_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publish_next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publish_failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("publish_error", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("pack_size >= 1", name=op.f("ck_listing_pack_size")),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_listing_connection_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_listing_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint("connection_id", "external_id", name=op.f("uq_listing_connection_id_external_id")),
    )
    op.create_index(
        "ix_listing_due",
        "listing",
        ["connection_id", "id"],
        unique=False,
        postgresql_where=sa.text("stock_rev > published_rev"),
        sqlite_where=sa.text("stock_rev > published_rev"),
    )
    op.create_index("ix_listing_sku", "listing", ["connection_id", "sku"], unique=False)
    op.create_index(op.f("ix_listing_variant_id"), "listing", ["variant_id"], unique=False)
    op.create_table(
        "location_exclusion",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("postal_prefix", sa.String(length=16), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_location_exclusion_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location_exclusion")),
        sa.UniqueConstraint(
            "location_id",
            "country",
            "postal_prefix",
            name=op.f("uq_location_exclusion_location_id_country_postal_prefix"),
        ),
    )
    op.create_table(
        "lot",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("blocked", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_lot_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint("variant_id", "code", name=op.f("uq_lot_variant_id_code")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("document_hash", sa.String(length=64), nullable=False),
        sa.Column("inbox_id", sa.String(length=36), nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.Column("channel_document", Json, nullable=True),
        sa.Column("lifecycle", sa.String(length=12), nullable=False),
        sa.Column("remote_status", sa.String(length=12), nullable=False),
        sa.Column("payment_status", sa.String(length=24), nullable=False),
        sa.Column("fulfilled_by", sa.String(length=40), server_default="merchant", nullable=False),
        sa.Column("test", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ship_by", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("computed_minor", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(length=255), server_default="", nullable=False),
        sa.Column("customer_name", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.String(length=2), server_default="", nullable=False),
        sa.Column("city", sa.Text(), server_default="", nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("method", sa.String(length=8), server_default="ship", nullable=False),
        sa.Column("pickup_location_id", sa.String(length=36), nullable=True),
        sa.Column("promise_on", sa.Date(), nullable=True),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("route_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asks_adviser", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "lifecycle IN ('draft', 'pending', 'open', 'completed', 'cancelled')", name=op.f("ck_orders_lifecycle")
        ),
        sa.CheckConstraint("method IN ('ship', 'pickup')", name=op.f("ck_orders_method")),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_orders_connection_id")),
        sa.ForeignKeyConstraint(["pickup_location_id"], ["location.id"], name=op.f("fk_orders_pickup_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("connection_id", "external_id", name=op.f("uq_orders_connection_id_external_id")),
    )
    op.create_index(
        "ix_orders_asks_adviser",
        "orders",
        ["placed_at"],
        unique=False,
        postgresql_where=sa.text("asks_adviser IS NOT NULL"),
        sqlite_where=sa.text("asks_adviser IS NOT NULL"),
    )
    op.create_index(
        "ix_orders_email",
        "orders",
        ["email", "placed_at"],
        unique=False,
        postgresql_ops={"email": "varchar_pattern_ops"},
    )
    op.create_index("ix_orders_lifecycle", "orders", ["lifecycle", "placed_at"], unique=False)
    op.create_index(
        "ix_orders_number", "orders", ["number"], unique=False, postgresql_ops={"number": "varchar_pattern_ops"}
    )
    op.create_index("ix_orders_placed", "orders", ["placed_at", "id"], unique=False)
    op.create_table(
        "purchase_order",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("supplier_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=20), server_default="draft", nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("over_percent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'ordered', 'acknowledged', 'partially_received', 'received', 'closed', 'closed_short', 'cancelled')",
            name=op.f("ck_purchase_order_status"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_purchase_order_location_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_purchase_order_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order")),
        sa.UniqueConstraint("number", name=op.f("uq_purchase_order_number")),
    )
    op.create_index(op.f("ix_purchase_order_supplier_id"), "purchase_order", ["supplier_id"], unique=False)
    op.create_table(
        "reservation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_type", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.String(length=80), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="active", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("idempotency_key", sa.String(length=120), nullable=True),
        sa.CheckConstraint(
            "state IN ('active', 'converted', 'released', 'expired')", name=op.f("ck_reservation_state")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservation_quantity")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_reservation_location_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_reservation_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_reservation_idempotency_key")),
    )
    op.create_index(
        "ix_reservation_expiry",
        "reservation",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'active' AND expires_at IS NOT NULL"),
        sqlite_where=sa.text("state = 'active' AND expires_at IS NOT NULL"),
    )
    op.create_index("ix_reservation_owner", "reservation", ["owner_id"], unique=False)
    op.create_index(op.f("ix_reservation_variant_id"), "reservation", ["variant_id"], unique=False)
    op.create_table(
        "stock_alert",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('low', 'out')", name=op.f("ck_stock_alert_kind")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_stock_alert_location_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_stock_alert_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_alert")),
    )
    op.create_index(
        "ix_stock_alert_open",
        "stock_alert",
        ["variant_id"],
        unique=False,
        postgresql_where=sa.text("cleared_at IS NULL"),
        sqlite_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "stock_count",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=12), server_default="draft", nullable=False),
        sa.Column("assignee", sa.String(length=120), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("blind", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_by", sa.String(length=120), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'assigned', 'counting', 'review', 'recount', 'applied', 'cancelled')",
            name=op.f("ck_stock_count_status"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_stock_count_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count")),
        sa.UniqueConstraint("number", name=op.f("uq_stock_count_number")),
    )
    op.create_table(
        "stock_policy",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("low_threshold", sa.Integer(), nullable=True),
        sa.Column("reorder_point", sa.Integer(), nullable=True),
        sa.Column("max_units", sa.Integer(), nullable=True),
        sa.Column("service_level", sa.Integer(), server_default="95", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("service_level BETWEEN 50 AND 99", name=op.f("ck_stock_policy_service_level")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_stock_policy_location_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_stock_policy_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_policy")),
        sa.UniqueConstraint("variant_id", "location_id", name=op.f("uq_stock_policy_variant_id_location_id")),
    )
    op.create_table(
        "stock_position",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("on_hand", sa.Integer(), server_default="0", nullable=False),
        sa.Column("available", sa.Integer(), server_default="0", nullable=False),
        sa.Column("committed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reserved", sa.Integer(), server_default="0", nullable=False),
        sa.Column("damaged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("quality_hold", sa.Integer(), server_default="0", nullable=False),
        sa.Column("safety_stock", sa.Integer(), server_default="0", nullable=False),
        sa.Column("incoming", sa.Integer(), server_default="0", nullable=False),
        sa.Column("oversold", sa.Integer(), server_default="0", nullable=False),
        sa.Column("low_threshold", sa.Integer(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("corrected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rises", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refilled", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("available >= -oversold AND oversold >= 0", name=op.f("ck_stock_position_no_oversell")),
        sa.CheckConstraint(
            "on_hand = available + committed + reserved + damaged + quality_hold + safety_stock",
            name=op.f("ck_stock_position_identity"),
        ),
        sa.CheckConstraint(
            "on_hand >= 0 AND committed >= 0 AND reserved >= 0 AND damaged >= 0 AND quality_hold >= 0 AND safety_stock >= 0 AND incoming >= 0",
            name=op.f("ck_stock_position_not_negative"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_stock_position_location_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_stock_position_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_position")),
        sa.UniqueConstraint("variant_id", "location_id", name=op.f("uq_stock_position_variant_id_location_id")),
    )
    op.create_index(
        "ix_stock_position_oversold",
        "stock_position",
        ["oversold"],
        unique=False,
        postgresql_where=sa.text("oversold > 0"),
        sqlite_where=sa.text("oversold > 0"),
    )
    op.create_index(
        "ix_stock_position_risen",
        "stock_position",
        ["variant_id"],
        unique=False,
        postgresql_where=sa.text("rises > refilled"),
        sqlite_where=sa.text("rises > refilled"),
    )
    op.create_table(
        "supplier_item",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("supplier_id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("supplier_sku", sa.String(length=120), server_default="", nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pack_size", sa.Integer(), server_default="1", nullable=False),
        sa.Column("min_quantity", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lead_time_days", sa.Integer(), nullable=True),
        sa.Column("preferred", sa.Boolean(), server_default="0", nullable=False),
        sa.CheckConstraint("pack_size >= 1 AND min_quantity >= 0", name=op.f("ck_supplier_item_pack_size")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_supplier_item_supplier_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_supplier_item_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_item")),
        sa.UniqueConstraint("supplier_id", "variant_id", name=op.f("uq_supplier_item_supplier_id_variant_id")),
    )
    op.create_index(op.f("ix_supplier_item_variant_id"), "supplier_item", ["variant_id"], unique=False)
    op.create_table(
        "transfer",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("from_location_id", sa.String(length=36), nullable=False),
        sa.Column("to_location_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=20), server_default="draft", nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("carrier", sa.String(length=80), server_default="", nullable=False),
        sa.Column("tracking_number", sa.String(length=120), server_default="", nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'ready', 'in_transit', 'partially_received', 'received', 'closed_short', 'cancelled')",
            name=op.f("ck_transfer_status"),
        ),
        sa.CheckConstraint("from_location_id <> to_location_id", name=op.f("ck_transfer_itself")),
        sa.ForeignKeyConstraint(["from_location_id"], ["location.id"], name=op.f("fk_transfer_from_location_id")),
        sa.ForeignKeyConstraint(["to_location_id"], ["location.id"], name=op.f("fk_transfer_to_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("number", name=op.f("uq_transfer_number")),
    )
    op.create_table(
        "entity_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("entity_type", sa.String(length=16), nullable=False),
        sa.Column("entity_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("data", Json, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_entity_event_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity_event")),
    )
    op.create_index(op.f("ix_entity_event_entity_id"), "entity_event", ["entity_id"], unique=False)
    op.create_index(
        "ix_entity_event_failed",
        "entity_event",
        ["entity_id"],
        unique=False,
        postgresql_where=sa.text("kind = 'failed'"),
        sqlite_where=sa.text("kind = 'failed'"),
    )
    op.create_index(op.f("ix_entity_event_order_id"), "entity_event", ["order_id"], unique=False)
    op.create_table(
        "fulfillment_order",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("handler_id", sa.String(length=36), nullable=True),
        sa.Column("handling", sa.String(length=12), nullable=False),
        sa.Column("exec_status", sa.String(length=12), server_default="open", nullable=False),
        sa.Column("request_status", sa.String(length=24), server_default="unsubmitted", nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("reason_code", sa.String(length=32), nullable=True),
        sa.Column("method", sa.String(length=16), server_default="ship", nullable=False),
        sa.Column("deliver_to_id", sa.String(length=36), nullable=True),
        sa.Column("fulfil_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ship_on", sa.Date(), nullable=True),
        sa.Column("deliver_on", sa.Date(), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("collect_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("location_snapshot", Json, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "exec_status IN ('scheduled', 'open', 'in_progress', 'closed', 'incomplete', 'cancelled')",
            name=op.f("ck_fulfillment_order_exec_status"),
        ),
        sa.CheckConstraint("method IN ('ship', 'pickup', 'ship_to_store')", name=op.f("ck_fulfillment_order_method")),
        sa.CheckConstraint(
            "request_status IN ('unsubmitted', 'submitted', 'accepted', 'rejected', 'timed_out', 'cancellation_requested', 'cancellation_accepted', 'cancellation_rejected', 'closed')",
            name=op.f("ck_fulfillment_order_request_status"),
        ),
        sa.ForeignKeyConstraint(["deliver_to_id"], ["location.id"], name=op.f("fk_fulfillment_order_deliver_to_id")),
        sa.ForeignKeyConstraint(["handler_id"], ["connection.id"], name=op.f("fk_fulfillment_order_handler_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_fulfillment_order_location_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_fulfillment_order_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfillment_order")),
        sa.UniqueConstraint("handler_id", "external_id", name=op.f("uq_fulfillment_order_handler_id_external_id")),
        sa.UniqueConstraint("number", name=op.f("uq_fulfillment_order_number")),
    )
    op.create_index("ix_fulfillment_order_load", "fulfillment_order", ["location_id", "created_at"], unique=False)
    op.create_index(op.f("ix_fulfillment_order_location_id"), "fulfillment_order", ["location_id"], unique=False)
    op.create_index(op.f("ix_fulfillment_order_order_id"), "fulfillment_order", ["order_id"], unique=False)
    op.create_index("ix_fulfillment_order_status", "fulfillment_order", ["exec_status", "request_status"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("target_type", sa.String(length=8), nullable=False),
        sa.Column("target_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("handle", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("blocks", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="active", nullable=False),
        sa.Column("assignee", sa.String(length=120), server_default="", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("auto_release_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(length=120), nullable=True),
        sa.CheckConstraint(
            "blocks IN ('routing', 'release', 'label', 'ship', 'everything', 'nothing')", name=op.f("ck_hold_blocks")
        ),
        sa.CheckConstraint("state IN ('active', 'released', 'expired')", name=op.f("ck_hold_state")),
        sa.CheckConstraint("target_type IN ('order', 'line', 'fo')", name=op.f("ck_hold_target_type")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_hold_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(
        "ix_hold_active",
        "hold",
        ["kind"],
        unique=False,
        postgresql_where=sa.text("state = 'active'"),
        sqlite_where=sa.text("state = 'active'"),
    )
    op.create_index(op.f("ix_hold_order_id"), "hold", ["order_id"], unique=False)
    op.create_index(
        "uq_hold_active",
        "hold",
        ["target_id", "source", "handle"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
        sqlite_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "lot_move",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("lot_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("cause_type", sa.String(length=20), nullable=False),
        sa.Column("cause_id", sa.String(length=36), nullable=False),
        sa.Column("idempotency_key", sa.String(length=120), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_lot_move_quantity")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_lot_move_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_move_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_move")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_lot_move_idempotency_key")),
    )
    op.create_index(op.f("ix_lot_move_cause_id"), "lot_move", ["cause_id"], unique=False)
    op.create_index(op.f("ix_lot_move_lot_id"), "lot_move", ["lot_id"], unique=False)
    op.create_table(
        "lot_position",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("lot_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("units", sa.Integer(), server_default="0", nullable=False),
        sa.Column("held", sa.Integer(), server_default="0", nullable=False),
        sa.Column("to_inspect", sa.Integer(), server_default="0", nullable=False),
        sa.Column("damaged", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("held + to_inspect + damaged <= units", name=op.f("ck_lot_position_aside")),
        sa.CheckConstraint("held >= 0 AND to_inspect >= 0 AND damaged >= 0", name=op.f("ck_lot_position_not_negative")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_lot_position_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_position_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_position")),
        sa.UniqueConstraint("lot_id", "location_id", name=op.f("uq_lot_position_lot_id_location_id")),
    )
    op.create_index(op.f("ix_lot_position_location_id"), "lot_position", ["location_id"], unique=False)
    op.create_table(
        "order_adjustment",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_adjustment_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_adjustment")),
    )
    op.create_index(op.f("ix_order_adjustment_order_id"), "order_adjustment", ["order_id"], unique=False)
    op.create_table(
        "order_change",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=12), server_default="requested", nullable=False),
        sa.Column("actions", Json, nullable=False),
        sa.Column("preview", Json, nullable=False),
        sa.Column("preview_hash", sa.String(length=64), nullable=False),
        sa.Column("delta_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.CheckConstraint("kind IN ('edit', 'cancel', 'address', 'method')", name=op.f("ck_order_change_kind")),
        sa.CheckConstraint(
            "status IN ('requested', 'confirmed', 'declined', 'cancelled', 'expired')",
            name=op.f("ck_order_change_status"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_change_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_change")),
    )
    op.create_index(
        "ix_order_change_expiry",
        "order_change",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'requested'"),
        sqlite_where=sa.text("status = 'requested'"),
    )
    op.create_index(op.f("ix_order_change_order_id"), "order_change", ["order_id"], unique=False)
    op.create_index(
        "uq_order_change_requested",
        "order_change",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("status = 'requested'"),
        sqlite_where=sa.text("status = 'requested'"),
    )
    op.create_table(
        "order_line",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("sku", sa.String(length=120), server_default="", nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=True),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("ordered", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("routed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("shipped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("delivered", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unwanted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("group_key", sa.String(length=120), nullable=True),
        sa.Column("ships", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("kit_line_id", sa.String(length=36), nullable=True),
        sa.Column("waits_as", sa.String(length=12), nullable=True),
        sa.Column("queue", sa.String(length=80), nullable=True),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("auto_cancel_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("waits_as IN ('backorder', 'preorder', 'queue')", name=op.f("ck_order_line_waits_as")),
        sa.CheckConstraint("cancelled + routed <= ordered AND shipped <= routed", name=op.f("ck_order_line_routed")),
        sa.CheckConstraint("unwanted >= 0 AND shipped + unwanted <= routed", name=op.f("ck_order_line_unwanted")),
        sa.CheckConstraint("cancelled + shipped <= ordered", name=op.f("ck_order_line_shipped")),
        sa.CheckConstraint(
            "cancelled >= 0 AND shipped >= 0 AND routed >= 0 AND delivered >= 0",
            name=op.f("ck_order_line_not_negative"),
        ),
        sa.CheckConstraint("delivered <= shipped", name=op.f("ck_order_line_delivered")),
        sa.ForeignKeyConstraint(["kit_line_id"], ["order_line.id"], name=op.f("fk_order_line_kit_line_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_line_order_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_order_line_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "external_id", name=op.f("uq_order_line_order_id_external_id")),
    )
    op.create_index(op.f("ix_order_line_kit_line_id"), "order_line", ["kit_line_id"], unique=False)
    op.create_index("ix_order_line_sku", "order_line", ["sku"], unique=False)
    op.create_index("ix_order_line_variant", "order_line", ["variant_id"], unique=False)
    op.create_index(
        "ix_order_line_waiting",
        "order_line",
        ["waits_as"],
        unique=False,
        postgresql_where=sa.text("waits_as IS NOT NULL"),
        sqlite_where=sa.text("waits_as IS NOT NULL"),
    )
    op.create_table(
        "purchase_order_line",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("purchase_order_id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("ordered", sa.Integer(), nullable=False),
        sa.Column("acknowledged", sa.Integer(), nullable=True),
        sa.Column("received", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("closed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("promise_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "ordered > 0 AND received >= 0 AND rejected >= 0 AND closed >= 0",
            name=op.f("ck_purchase_order_line_not_negative"),
        ),
        sa.CheckConstraint("rejected <= received", name=op.f("ck_purchase_order_line_rejected")),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_purchase_order_line_purchase_order_id")
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_purchase_order_line_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order_line")),
        sa.UniqueConstraint(
            "purchase_order_id", "variant_id", name=op.f("uq_purchase_order_line_purchase_order_id_variant_id")
        ),
    )
    op.create_index(
        op.f("ix_purchase_order_line_purchase_order_id"), "purchase_order_line", ["purchase_order_id"], unique=False
    )
    op.create_index(op.f("ix_purchase_order_line_variant_id"), "purchase_order_line", ["variant_id"], unique=False)
    op.create_table(
        "route_decision",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("strategy", sa.String(length=40), nullable=False),
        sa.Column("inputs_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("trace", Json, nullable=False),
        sa.Column("network_hash", sa.String(length=64), nullable=True),
        sa.Column("inputs", sa.LargeBinary(), nullable=True),
        sa.Column("rule_set_id", sa.String(length=36), nullable=True),
        sa.Column("superseded_by", sa.String(length=36), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_route_decision_order_id")),
        sa.ForeignKeyConstraint(["rule_set_id"], ["routing_rule_set.id"], name=op.f("fk_route_decision_rule_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_decision")),
        sa.UniqueConstraint("order_id", "attempt", name=op.f("uq_route_decision_order_id_attempt")),
    )
    op.create_index(op.f("ix_route_decision_order_id"), "route_decision", ["order_id"], unique=False)
    op.create_table(
        "stock_count_line",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("stock_count_id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=True),
        sa.Column("seen_on_hand", sa.Integer(), nullable=True),
        sa.Column("seen_version", sa.Integer(), nullable=True),
        sa.Column("counted_by", sa.String(length=120), server_default="", nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("round", sa.Integer(), server_default="1", nullable=False),
        sa.Column("recount", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("lots", Json, nullable=True),
        sa.Column("applied", sa.Integer(), nullable=True),
        sa.CheckConstraint("counted IS NULL OR counted >= 0", name=op.f("ck_stock_count_line_counted")),
        sa.ForeignKeyConstraint(
            ["stock_count_id"], ["stock_count.id"], name=op.f("fk_stock_count_line_stock_count_id")
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_stock_count_line_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count_line")),
        sa.UniqueConstraint("stock_count_id", "variant_id", name=op.f("uq_stock_count_line_stock_count_id_variant_id")),
    )
    op.create_index(op.f("ix_stock_count_line_stock_count_id"), "stock_count_line", ["stock_count_id"], unique=False)
    op.create_table(
        "stock_move",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("position_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("from_state", sa.String(length=16), nullable=True),
        sa.Column("to_state", sa.String(length=16), nullable=True),
        sa.Column("cause_type", sa.String(length=20), nullable=False),
        sa.Column("cause_id", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("idempotency_key", sa.String(length=120), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("from_state IS NOT NULL OR to_state IS NOT NULL", name=op.f("ck_stock_move_direction")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_move_quantity")),
        sa.ForeignKeyConstraint(["position_id"], ["stock_position.id"], name=op.f("fk_stock_move_position_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_stock_move_idempotency_key")),
    )
    op.create_index("ix_stock_move_cause", "stock_move", ["cause_id"], unique=False)
    op.create_index("ix_stock_move_position", "stock_move", ["position_id", "occurred_at"], unique=False)
    op.create_table(
        "transfer_line",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("transfer_id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("shipped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("received", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lost", sa.Integer(), server_default="0", nullable=False),
        sa.Column("back_to_source", sa.Integer(), server_default="0", nullable=False),
        sa.Column("over", sa.Integer(), server_default="0", nullable=False),
        sa.Column("mis_shipped", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "quantity >= 0 AND shipped >= 0 AND over >= 0 AND mis_shipped >= 0",
            name=op.f("ck_transfer_line_not_negative"),
        ),
        sa.CheckConstraint("received + lost + back_to_source <= shipped", name=op.f("ck_transfer_line_shipped")),
        sa.CheckConstraint(
            "received >= 0 AND lost >= 0 AND back_to_source >= 0", name=op.f("ck_transfer_line_received_not_negative")
        ),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_transfer_line_transfer_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_transfer_line_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_line")),
        sa.UniqueConstraint("transfer_id", "variant_id", name=op.f("uq_transfer_line_transfer_id_variant_id")),
    )
    op.create_index(op.f("ix_transfer_line_transfer_id"), "transfer_line", ["transfer_id"], unique=False)
    op.create_table(
        "fo_line",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("fo_id", sa.String(length=36), nullable=False),
        sa.Column("order_line_id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("position_id", sa.String(length=36), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("shipped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("quantity > 0 AND shipped >= 0 AND cancelled >= 0", name=op.f("ck_fo_line_not_negative")),
        sa.CheckConstraint("refused >= 0 AND refused <= cancelled", name=op.f("ck_fo_line_refused")),
        sa.CheckConstraint("shipped + cancelled <= quantity", name=op.f("ck_fo_line_shipped")),
        sa.ForeignKeyConstraint(["fo_id"], ["fulfillment_order.id"], name=op.f("fk_fo_line_fo_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_fo_line_order_line_id")),
        sa.ForeignKeyConstraint(["position_id"], ["stock_position.id"], name=op.f("fk_fo_line_position_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_fo_line_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fo_line")),
        sa.UniqueConstraint("fo_id", "order_line_id", name=op.f("uq_fo_line_fo_id_order_line_id")),
    )
    op.create_index(op.f("ix_fo_line_fo_id"), "fo_line", ["fo_id"], unique=False)
    op.create_index(op.f("ix_fo_line_order_line_id"), "fo_line", ["order_line_id"], unique=False)
    op.create_table(
        "promise_change",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("purchase_order_line_id", sa.String(length=36), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_order_line_id"],
            ["purchase_order_line.id"],
            name=op.f("fk_promise_change_purchase_order_line_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_change")),
    )
    op.create_index(
        op.f("ix_promise_change_purchase_order_line_id"), "promise_change", ["purchase_order_line_id"], unique=False
    )
    op.create_table(
        "route_exclusion",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_line_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_route_exclusion_location_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_route_exclusion_order_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_exclusion")),
        sa.UniqueConstraint("order_line_id", "location_id", name=op.f("uq_route_exclusion_order_line_id_location_id")),
    )
    op.create_index(op.f("ix_route_exclusion_order_line_id"), "route_exclusion", ["order_line_id"], unique=False)
    op.create_table(
        "shipment",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("fo_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=True),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("carrier", sa.String(length=80), server_default="", nullable=False),
        sa.Column("service", sa.String(length=80), server_default="", nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("estimated_delivery", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'rated', 'label_pending', 'labelled', 'label_failed', 'in_doubt', 'manifested', 'handed_over', 'in_transit', 'out_for_delivery', 'attempted', 'available_for_pickup', 'delivered', 'exception', 'returning', 'returned_to_sender', 'lost', 'voided')",
            name=op.f("ck_shipment_status"),
        ),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_shipment_connection_id")),
        sa.ForeignKeyConstraint(["fo_id"], ["fulfillment_order.id"], name=op.f("fk_shipment_fo_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shipment_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment")),
        sa.UniqueConstraint(
            "connection_id", "external_id", "fo_id", name=op.f("uq_shipment_connection_id_external_id_fo_id")
        ),
    )
    op.create_index(op.f("ix_shipment_fo_id"), "shipment", ["fo_id"], unique=False)
    op.create_index(op.f("ix_shipment_order_id"), "shipment", ["order_id"], unique=False)
    op.create_table(
        "supply_promise",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_line_id", sa.String(length=36), nullable=False),
        sa.Column("purchase_order_line_id", sa.String(length=36), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_supply_promise_quantity")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_supply_promise_order_line_id")),
        sa.ForeignKeyConstraint(
            ["purchase_order_line_id"],
            ["purchase_order_line.id"],
            name=op.f("fk_supply_promise_purchase_order_line_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supply_promise")),
        sa.UniqueConstraint(
            "order_line_id",
            "purchase_order_line_id",
            name=op.f("uq_supply_promise_order_line_id_purchase_order_line_id"),
        ),
    )
    op.create_index(op.f("ix_supply_promise_order_line_id"), "supply_promise", ["order_line_id"], unique=False)
    op.create_index(
        op.f("ix_supply_promise_purchase_order_line_id"), "supply_promise", ["purchase_order_line_id"], unique=False
    )
    op.create_table(
        "package",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("shipment_id", sa.String(length=36), nullable=False),
        sa.Column("tracking_number", sa.String(length=120), nullable=True),
        sa.Column("tracker_id", sa.String(length=120), nullable=True),
        sa.Column("tracking_url", sa.Text(), server_default="", nullable=False),
        sa.Column("carrier", sa.String(length=80), server_default="", nullable=False),
        sa.Column("service", sa.String(length=80), server_default="", nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("label", sa.LargeBinary(), nullable=True),
        sa.Column("label_format", sa.String(length=8), nullable=True),
        sa.CheckConstraint(
            "status IN ('draft', 'rated', 'label_pending', 'labelled', 'label_failed', 'in_doubt', 'manifested', 'handed_over', 'in_transit', 'out_for_delivery', 'attempted', 'available_for_pickup', 'delivered', 'exception', 'returning', 'returned_to_sender', 'lost', 'voided')",
            name=op.f("ck_package_status"),
        ),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_package_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package")),
    )
    op.create_index(op.f("ix_package_shipment_id"), "package", ["shipment_id"], unique=False)
    op.create_index(op.f("ix_package_tracking_number"), "package", ["tracking_number"], unique=False)
    op.create_table(
        "serial_number",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("lot_id", sa.String(length=36), nullable=True),
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("status", sa.String(length=12), server_default="in_stock", nullable=False),
        sa.Column("fo_line_id", sa.String(length=36), nullable=True),
        sa.Column("transfer_line_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('in_stock', 'shipped', 'returned', 'scrapped')", name=op.f("ck_serial_number_status")
        ),
        sa.ForeignKeyConstraint(["fo_line_id"], ["fo_line.id"], name=op.f("fk_serial_number_fo_line_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_serial_number_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_serial_number_lot_id")),
        sa.ForeignKeyConstraint(
            ["transfer_line_id"], ["transfer_line.id"], name=op.f("fk_serial_number_transfer_line_id")
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_serial_number_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_serial_number")),
        sa.UniqueConstraint("variant_id", "code", name=op.f("uq_serial_number_variant_id_code")),
    )
    op.create_index(op.f("ix_serial_number_fo_line_id"), "serial_number", ["fo_line_id"], unique=False)
    op.create_index(op.f("ix_serial_number_location_id"), "serial_number", ["location_id"], unique=False)
    op.create_index(op.f("ix_serial_number_transfer_line_id"), "serial_number", ["transfer_line_id"], unique=False)
    op.create_table(
        "package_line",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("package_id", sa.String(length=36), nullable=False),
        sa.Column("fo_line_id", sa.String(length=36), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_package_line_quantity")),
        sa.ForeignKeyConstraint(["fo_line_id"], ["fo_line.id"], name=op.f("fk_package_line_fo_line_id")),
        sa.ForeignKeyConstraint(["package_id"], ["package.id"], name=op.f("fk_package_line_package_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_line")),
    )
    op.create_index(op.f("ix_package_line_package_id"), "package_line", ["package_id"], unique=False)
    op.create_table(
        "tracking_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("package_id", sa.String(length=36), nullable=False),
        sa.Column("event_hash", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("raw_code", sa.String(length=80), server_default="", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["package.id"], name=op.f("fk_tracking_event_package_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking_event")),
        sa.UniqueConstraint("package_id", "event_hash", name=op.f("uq_tracking_event_package_id_event_hash")),
    )


def downgrade() -> None:
    op.drop_table("tracking_event")
    op.drop_table("package_line")
    op.drop_table("serial_number")
    op.drop_table("package")
    op.drop_table("supply_promise")
    op.drop_table("shipment")
    op.drop_table("route_exclusion")
    op.drop_table("promise_change")
    op.drop_table("fo_line")
    op.drop_table("transfer_line")
    op.drop_table("stock_move")
    op.drop_table("stock_count_line")
    op.drop_table("route_decision")
    op.drop_table("purchase_order_line")
    op.drop_table("order_line")
    op.drop_table("order_change")
    op.drop_table("order_adjustment")
    op.drop_table("lot_position")
    op.drop_table("lot_move")
    op.drop_table("hold")
    op.drop_table("fulfillment_order")
    op.drop_table("entity_event")
    op.drop_table("transfer")
    op.drop_table("supplier_item")
    op.drop_table("stock_position")
    op.drop_table("stock_policy")
    op.drop_table("stock_count")
    op.drop_table("stock_alert")
    op.drop_table("reservation")
    op.drop_table("purchase_order")
    op.drop_table("orders")
    op.drop_table("lot")
    op.drop_table("location_exclusion")
    op.drop_table("listing")
    op.drop_table("kit_component")
    op.drop_table("acceptance")
    op.drop_table("webhook_rejection")
    op.drop_table("web_session")
    op.drop_table("variant")
    op.drop_table("supplier")
    op.drop_table("routing_rule_set")
    op.drop_table("outbox")
    op.drop_table("location")
    op.drop_table("keyed_request")
    op.drop_table("inbox")
    op.drop_table("availability_rule")
    op.drop_table("stock_audit")
    op.drop_table("setup_link")
    op.drop_table("routing_network")
    op.drop_table("rehearsal")
    op.drop_table("rate_bucket")
    op.drop_table("product")
    op.drop_table("person")
    op.drop_table("lease")
    op.drop_table("external_ref")
    op.drop_index("ix_inquiry_due", table_name="inquiry")
    op.drop_table("inquiry")
    op.drop_table("cursor")
    op.drop_table("credential")
    op.drop_table("connection")
    op.drop_table("api_key")
