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
        sa.CheckConstraint("role IN ('owner', 'manager', 'ops', 'packer', 'viewer')", name=op.f("ck_api_key_role")),
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
        sa.Column("status", sa.String(length=20), server_default="active", nullable=False),
        sa.Column("status_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("status_field", sa.String(length=80), nullable=True),
        sa.Column("account_id", sa.String(length=200), nullable=True),
        sa.Column("account_label", sa.String(length=200), nullable=True),
        sa.Column("zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("stock_threshold", sa.Integer(), server_default="0", nullable=False),
        sa.Column("publish_stock", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("webhook_token", sa.String(length=64), nullable=False),
        sa.Column("last_ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_held", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
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
        sa.Column("token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("token_renew_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refresh_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("token_claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "cursor",
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("value", Json, nullable=True),
        sa.Column("synced_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_seen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("found_by_sweep", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "stream", name=op.f("pk_cursor")),
    )
    op.create_table(
        "external_ref",
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("entity_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("connection_id", "kind", "external_id", name=op.f("pk_external_ref")),
    )
    with op.batch_alter_table("external_ref", schema=None) as batch_op:
        batch_op.create_index("ix_external_ref_entity", ["entity_id", "kind"], unique=False)

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
        sa.CheckConstraint("role IN ('owner', 'manager', 'ops', 'packer', 'viewer')", name=op.f("ck_person_role")),
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
        "setup_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_setup_link")),
    )
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
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_dead", ["status", "received_at"], unique=False)
        batch_op.create_index(
            "ix_inbox_due",
            ["partition", "id"],
            unique=False,
            postgresql_where=sa.text("status IN ('received', 'retry_wait')"),
            sqlite_where=sa.text("status IN ('received', 'retry_wait')"),
        )
        batch_op.create_index("ix_inbox_entity", ["entity_id"], unique=False)

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
        "orders",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("document_hash", sa.String(length=64), nullable=False),
        sa.Column("inbox_id", sa.String(length=36), nullable=False),
        sa.Column("document", Json, nullable=False),
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
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "lifecycle IN ('draft', 'pending', 'open', 'completed', 'cancelled')", name=op.f("ck_orders_lifecycle")
        ),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_orders_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("connection_id", "external_id", name=op.f("uq_orders_connection_id_external_id")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(
            "ix_orders_email", ["email"], unique=False, postgresql_ops={"email": "varchar_pattern_ops"}
        )
        batch_op.create_index("ix_orders_lifecycle", ["lifecycle", "placed_at"], unique=False)
        batch_op.create_index(
            "ix_orders_number", ["number"], unique=False, postgresql_ops={"number": "varchar_pattern_ops"}
        )
        batch_op.create_index("ix_orders_placed", ["placed_at", "id"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("operation", sa.String(length=24), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
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
            "status IN ('pending', 'sending', 'delivered', 'retry_wait', 'dead', 'unknown', 'rejected', 'superseded', 'held')",
            name=op.f("ck_outbox_status"),
        ),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_outbox_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_outbox_idempotency_key")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_due",
            ["connection_id", "next_at"],
            unique=False,
            postgresql_where=sa.text("status IN ('pending', 'retry_wait', 'sending', 'unknown')"),
            sqlite_where=sa.text("status IN ('pending', 'retry_wait', 'sending', 'unknown')"),
        )
        batch_op.create_index("ix_outbox_order", ["order_id"], unique=False)
        batch_op.create_index("ix_outbox_status", ["status", "created_at"], unique=False)
        batch_op.create_index("ix_outbox_subject", ["subject_id"], unique=False)

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
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_variant_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant")),
        sa.UniqueConstraint("sku", name=op.f("uq_variant_sku")),
    )
    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_variant_barcode"), ["barcode"], unique=False)
        batch_op.create_index(batch_op.f("ix_variant_product_id"), ["product_id"], unique=False)

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
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "webhook_rejection",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_webhook_rejection_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_rejection")),
    )
    with op.batch_alter_table("webhook_rejection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_rejection_connection_id"), ["connection_id"], unique=False)

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
    with op.batch_alter_table("entity_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entity_event_entity_id"), ["entity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_entity_event_order_id"), ["order_id"], unique=False)

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
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "exec_status IN ('scheduled', 'open', 'in_progress', 'closed', 'incomplete', 'cancelled')",
            name=op.f("ck_fulfillment_order_exec_status"),
        ),
        sa.CheckConstraint(
            "request_status IN ('unsubmitted', 'submitted', 'accepted', 'rejected', 'timed_out', 'cancellation_requested', 'cancellation_accepted', 'cancellation_rejected', 'closed')",
            name=op.f("ck_fulfillment_order_request_status"),
        ),
        sa.ForeignKeyConstraint(["handler_id"], ["connection.id"], name=op.f("fk_fulfillment_order_handler_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_fulfillment_order_location_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_fulfillment_order_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfillment_order")),
        sa.UniqueConstraint("handler_id", "external_id", name=op.f("uq_fulfillment_order_handler_id_external_id")),
        sa.UniqueConstraint("number", name=op.f("uq_fulfillment_order_number")),
    )
    with op.batch_alter_table("fulfillment_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fulfillment_order_location_id"), ["location_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fulfillment_order_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_fulfillment_order_status", ["exec_status", "request_status"], unique=False)

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
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(length=120), nullable=True),
        sa.CheckConstraint("blocks IN ('routing', 'release', 'label', 'ship')", name=op.f("ck_hold_blocks")),
        sa.CheckConstraint("state IN ('active', 'released', 'expired')", name=op.f("ck_hold_state")),
        sa.CheckConstraint("target_type IN ('order', 'line', 'fo')", name=op.f("ck_hold_target_type")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_hold_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index(
            "uq_hold_active",
            ["target_id", "source", "handle"],
            unique=True,
            postgresql_where=sa.text("state = 'active'"),
            sqlite_where=sa.text("state = 'active'"),
        )
        batch_op.create_index(
            "ix_hold_active",
            ["kind"],
            unique=False,
            postgresql_where=sa.text("state = 'active'"),
            sqlite_where=sa.text("state = 'active'"),
        )
        batch_op.create_index(batch_op.f("ix_hold_order_id"), ["order_id"], unique=False)

    op.create_table(
        "listing",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("inventory_external_id", sa.String(length=255), nullable=True),
        sa.Column("sku", sa.String(length=120), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("product_type", sa.String(length=120), nullable=True),
        sa.Column("variant_id", sa.String(length=36), nullable=True),
        sa.Column("pack_size", sa.Integer(), server_default="1", nullable=False),
        sa.Column("stock_rev", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_rev", sa.Integer(), server_default="0", nullable=False),
        sa.Column("published_rev", sa.Integer(), server_default="0", nullable=False),
        sa.Column("published_quantity", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
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
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.create_index(
            "ix_listing_due",
            ["connection_id"],
            unique=False,
            postgresql_where=sa.text("stock_rev > published_rev"),
            sqlite_where=sa.text("stock_rev > published_rev"),
        )
        batch_op.create_index("ix_listing_sku", ["connection_id", "sku"], unique=False)
        batch_op.create_index(batch_op.f("ix_listing_variant_id"), ["variant_id"], unique=False)

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
    with op.batch_alter_table("order_adjustment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_adjustment_order_id"), ["order_id"], unique=False)

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
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("group_key", sa.String(length=120), nullable=True),
        sa.Column("ships", sa.Boolean(), server_default="1", nullable=False),
        sa.CheckConstraint("cancelled + routed <= ordered AND shipped <= routed", name=op.f("ck_order_line_routed")),
        sa.CheckConstraint("cancelled + shipped <= ordered", name=op.f("ck_order_line_shipped")),
        sa.CheckConstraint(
            "cancelled >= 0 AND shipped >= 0 AND routed >= 0 AND delivered >= 0",
            name=op.f("ck_order_line_not_negative"),
        ),
        sa.CheckConstraint("delivered <= shipped", name=op.f("ck_order_line_delivered")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_line_order_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_order_line_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "external_id", name=op.f("uq_order_line_order_id_external_id")),
    )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.create_index("ix_order_line_sku", ["sku"], unique=False)
        batch_op.create_index("ix_order_line_variant", ["variant_id"], unique=False)

    op.create_table(
        "reservation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_type", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("variant_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="active", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('active', 'converted', 'released', 'expired')", name=op.f("ck_reservation_state")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservation_quantity")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_reservation_location_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_reservation_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
    )
    with op.batch_alter_table("reservation", schema=None) as batch_op:
        batch_op.create_index("ix_reservation_owner", ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reservation_variant_id"), ["variant_id"], unique=False)

    op.create_table(
        "route_decision",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("strategy", sa.String(length=40), nullable=False),
        sa.Column("inputs_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("trace", Json, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_route_decision_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_decision")),
        sa.UniqueConstraint("order_id", "attempt", name=op.f("uq_route_decision_order_id_attempt")),
    )
    with op.batch_alter_table("route_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_route_decision_order_id"), ["order_id"], unique=False)

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
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
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
    with op.batch_alter_table("stock_position", schema=None) as batch_op:
        batch_op.create_index(
            "ix_stock_position_risen",
            ["variant_id"],
            unique=False,
            postgresql_where=sa.text("rises > refilled"),
            sqlite_where=sa.text("rises > refilled"),
        )

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
        sa.CheckConstraint("quantity > 0 AND shipped >= 0 AND cancelled >= 0", name=op.f("ck_fo_line_not_negative")),
        sa.CheckConstraint("shipped + cancelled <= quantity", name=op.f("ck_fo_line_shipped")),
        sa.ForeignKeyConstraint(["fo_id"], ["fulfillment_order.id"], name=op.f("fk_fo_line_fo_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_fo_line_order_line_id")),
        sa.ForeignKeyConstraint(["position_id"], ["stock_position.id"], name=op.f("fk_fo_line_position_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_fo_line_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fo_line")),
        sa.UniqueConstraint("fo_id", "order_line_id", name=op.f("uq_fo_line_fo_id_order_line_id")),
    )
    with op.batch_alter_table("fo_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fo_line_fo_id"), ["fo_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fo_line_order_line_id"), ["order_line_id"], unique=False)

    op.create_table(
        "route_exclusion",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_line_id", sa.String(length=36), nullable=False),
        sa.Column("location_id", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_route_exclusion_location_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_route_exclusion_order_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_exclusion")),
        sa.UniqueConstraint("order_line_id", "location_id", name=op.f("uq_route_exclusion_order_line_id_location_id")),
    )
    with op.batch_alter_table("route_exclusion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_route_exclusion_order_line_id"), ["order_line_id"], unique=False)

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
        sa.UniqueConstraint("connection_id", "external_id", name=op.f("uq_shipment_connection_id_external_id")),
    )
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_fo_id"), ["fo_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_shipment_order_id"), ["order_id"], unique=False)

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
        sa.CheckConstraint("from_state IS NOT NULL OR to_state IS NOT NULL", name=op.f("ck_stock_move_direction")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_move_quantity")),
        sa.ForeignKeyConstraint(["position_id"], ["stock_position.id"], name=op.f("fk_stock_move_position_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_stock_move_idempotency_key")),
    )
    with op.batch_alter_table("stock_move", schema=None) as batch_op:
        batch_op.create_index("ix_stock_move_cause", ["cause_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stock_move_position_id"), ["position_id"], unique=False)

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
    with op.batch_alter_table("package", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_package_shipment_id"), ["shipment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_package_tracking_number"), ["tracking_number"], unique=False)

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
    with op.batch_alter_table("package_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_package_line_package_id"), ["package_id"], unique=False)

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
    with op.batch_alter_table("package_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_package_line_package_id"))

    op.drop_table("package_line")
    with op.batch_alter_table("package", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_package_tracking_number"))
        batch_op.drop_index(batch_op.f("ix_package_shipment_id"))

    op.drop_table("package")
    with op.batch_alter_table("stock_move", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stock_move_position_id"))
        batch_op.drop_index("ix_stock_move_cause")

    op.drop_table("stock_move")
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shipment_order_id"))
        batch_op.drop_index(batch_op.f("ix_shipment_fo_id"))

    op.drop_table("shipment")
    with op.batch_alter_table("route_exclusion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_route_exclusion_order_line_id"))

    op.drop_table("route_exclusion")
    with op.batch_alter_table("fo_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fo_line_order_line_id"))
        batch_op.drop_index(batch_op.f("ix_fo_line_fo_id"))

    op.drop_table("fo_line")
    op.drop_table("stock_position")
    with op.batch_alter_table("route_decision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_route_decision_order_id"))

    op.drop_table("route_decision")
    with op.batch_alter_table("reservation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reservation_variant_id"))
        batch_op.drop_index("ix_reservation_owner")

    op.drop_table("reservation")
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_index("ix_order_line_variant")
        batch_op.drop_index("ix_order_line_sku")

    op.drop_table("order_line")
    with op.batch_alter_table("order_adjustment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_adjustment_order_id"))

    op.drop_table("order_adjustment")
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_variant_id"))
        batch_op.drop_index("ix_listing_sku")
        batch_op.drop_index(
            "ix_listing_due",
            postgresql_where=sa.text("stock_rev > published_rev"),
            sqlite_where=sa.text("stock_rev > published_rev"),
        )

    op.drop_table("listing")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hold_order_id"))
        batch_op.drop_index(
            "ix_hold_active", postgresql_where=sa.text("state = 'active'"), sqlite_where=sa.text("state = 'active'")
        )

    op.drop_table("hold")
    with op.batch_alter_table("fulfillment_order", schema=None) as batch_op:
        batch_op.drop_index("ix_fulfillment_order_status")
        batch_op.drop_index(batch_op.f("ix_fulfillment_order_order_id"))
        batch_op.drop_index(batch_op.f("ix_fulfillment_order_location_id"))

    op.drop_table("fulfillment_order")
    with op.batch_alter_table("entity_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_entity_event_order_id"))
        batch_op.drop_index(batch_op.f("ix_entity_event_entity_id"))

    op.drop_table("entity_event")
    with op.batch_alter_table("webhook_rejection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_rejection_connection_id"))

    op.drop_table("webhook_rejection")
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_web_session_person_id"))

    op.drop_table("web_session")
    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_variant_product_id"))
        batch_op.drop_index(batch_op.f("ix_variant_barcode"))

    op.drop_table("variant")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_subject")
        batch_op.drop_index("ix_outbox_status")
        batch_op.drop_index("ix_outbox_order")
        batch_op.drop_index(
            "ix_outbox_due",
            postgresql_where=sa.text("status IN ('pending', 'retry_wait', 'sending', 'unknown')"),
            sqlite_where=sa.text("status IN ('pending', 'retry_wait', 'sending', 'unknown')"),
        )

    op.drop_table("outbox")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index("ix_orders_placed")
        batch_op.drop_index("ix_orders_number")
        batch_op.drop_index("ix_orders_lifecycle")
        batch_op.drop_index("ix_orders_email")

    op.drop_table("orders")
    op.drop_table("location")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index("ix_inbox_entity")
        batch_op.drop_index(
            "ix_inbox_due",
            postgresql_where=sa.text("status IN ('received', 'retry_wait')"),
            sqlite_where=sa.text("status IN ('received', 'retry_wait')"),
        )
        batch_op.drop_index("ix_inbox_dead")

    op.drop_table("inbox")
    op.drop_table("setup_link")
    op.drop_table("rate_bucket")
    op.drop_table("product")
    op.drop_table("person")
    op.drop_table("lease")
    with op.batch_alter_table("external_ref", schema=None) as batch_op:
        batch_op.drop_index("ix_external_ref_entity")

    op.drop_table("external_ref")
    op.drop_table("cursor")
    op.drop_table("credential")
    op.drop_table("connection")
    op.drop_table("api_key")
