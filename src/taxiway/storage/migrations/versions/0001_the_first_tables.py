"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_bindings",
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("bound_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("admin_group", sa.String(length=190), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_access_bindings")),
        sa.UniqueConstraint("user", name=op.f("uq_access_bindings_user")),
    )
    op.create_table(
        "access_delegations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("giver", sa.String(length=64), nullable=False),
        sa.Column("taker", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_delegations")),
    )
    op.create_index(op.f("ix_access_delegations_project"), "access_delegations", ["project"], unique=False)
    op.create_table(
        "access_grants",
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("granted_by", sa.String(length=200), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("in_return", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user", "project", "role", name=op.f("pk_access_grants")),
    )
    op.create_table(
        "access_proposals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_proposals")),
    )
    op.create_table(
        "access_provider_sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("session", sa.String(length=255), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("id_token", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access_provider_sessions")),
        sa.UniqueConstraint("nonce", name=op.f("uq_access_provider_sessions_nonce")),
    )
    op.create_table(
        "access_secrets",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("spent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access_secrets")),
    )
    op.create_index(op.f("ix_access_secrets_user"), "access_secrets", ["user"], unique=False)
    op.create_table(
        "access_sent",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "sender", name=op.f("pk_access_sent")),
    )
    op.create_table(
        "access_users",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("display", sa.Text(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.Column("accountable", sa.String(length=64), nullable=False),
        sa.Column("deactivated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_access_users")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("verb", sa.String(length=100), nullable=False),
        sa.Column("thing", sa.String(length=400), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=True),
        sa.Column("door", sa.String(length=20), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_project_seq", "audit_entries", ["project", "seq"], unique=False)
    op.create_index("ix_audit_entries_thing_seq", "audit_entries", ["thing", "seq"], unique=False)
    op.create_table(
        "audit_heads",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "audit_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_audit_nodes")),
    )
    op.create_table(
        "dataset_profiles",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project", "name", "version", name=op.f("pk_dataset_profiles")),
    )
    op.create_table(
        "dataset_versions",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("table", sa.String(length=71), nullable=False),
        sa.Column("fingerprint", sa.String(length=71), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("derived_from", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "name", "version", name=op.f("pk_dataset_versions")),
    )
    op.create_index(op.f("ix_dataset_versions_digest"), "dataset_versions", ["digest"], unique=False)
    op.create_index(op.f("ix_dataset_versions_table"), "dataset_versions", ["table"], unique=False)
    op.create_table(
        "discussion_comments",
        sa.Column("thread", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("mentions", sa.Text(), nullable=False),
        sa.Column("edits", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("thread", "number", name=op.f("pk_discussion_comments")),
    )
    op.create_index(op.f("ix_discussion_comments_by"), "discussion_comments", ["by"], unique=False)
    op.create_table(
        "discussion_threads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("thing", sa.String(length=400), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("is_asking", sa.Boolean(), nullable=False),
        sa.Column("resolved_by", sa.String(length=64), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discussion_threads")),
    )
    op.create_index(
        op.f("ix_discussion_threads_project_last_at"), "discussion_threads", ["project", "last_at"], unique=False
    )
    op.create_index(op.f("ix_discussion_threads_thing"), "discussion_threads", ["thing"], unique=False)
    op.create_table(
        "endpoint_canaries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("canary", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint_canaries")),
    )
    op.create_index("ix_endpoint_canaries_endpoint", "endpoint_canaries", ["endpoint", "id"], unique=False)
    op.create_index(op.f("ix_endpoint_canaries_state"), "endpoint_canaries", ["state"], unique=False)
    op.create_table(
        "endpoint_canary_clusters",
        sa.Column("canary", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("canary", "number", name=op.f("pk_endpoint_canary_clusters")),
    )
    op.create_table(
        "endpoint_canary_looks",
        sa.Column("canary", sa.String(length=32), nullable=False),
        sa.Column("clusters", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("canary", "clusters", name=op.f("pk_endpoint_canary_looks")),
    )
    op.create_table(
        "endpoint_falls",
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("log_tail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "number", "revision", name=op.f("pk_endpoint_falls")),
    )
    op.create_table(
        "endpoint_labels",
        sa.Column("prediction_id", sa.String(length=32), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prediction_id", "row", name=op.f("pk_endpoint_labels")),
    )
    op.create_index(
        "ix_endpoint_labels_endpoint_recorded_at", "endpoint_labels", ["endpoint", "recorded_at"], unique=False
    )
    op.create_table(
        "endpoint_logs",
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_endpoint_logs")),
    )
    op.create_table(
        "endpoint_revisions",
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("bundle", sa.String(length=80), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.Column("may_run_code", sa.Boolean(), nullable=False),
        sa.Column("setup", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("live_at", sa.BigInteger(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.Column("fell_at", sa.BigInteger(), nullable=True),
        sa.Column("counted", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "number", name=op.f("pk_endpoint_revisions")),
    )
    op.create_index(op.f("ix_endpoint_revisions_model"), "endpoint_revisions", ["model"], unique=False)
    op.create_table(
        "endpoint_splits",
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "number", name=op.f("pk_endpoint_splits")),
    )
    op.create_table(
        "endpoint_traffic",
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("minute_at", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("p50_ms", sa.Float(), nullable=True),
        sa.Column("p99_ms", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("endpoint", "revision", "minute_at", name=op.f("pk_endpoint_traffic")),
    )
    op.create_table(
        "endpoints",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("serves", sa.String(length=20), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("is_stopped", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("stopped_by", sa.String(length=64), nullable=False),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.Column("fallback", sa.Text(), nullable=True),
        sa.Column("rollout", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_endpoints")),
    )
    op.create_index(op.f("ix_endpoints_project"), "endpoints", ["project"], unique=False)
    op.create_table(
        "evidence_keys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(length=100), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_keys")),
    )
    op.create_table(
        "evidence_statements",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("predicate_type", sa.String(length=200), nullable=False),
        sa.Column("thing", sa.String(length=400), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_statements")),
    )
    op.create_index("ix_evidence_statements_digest", "evidence_statements", ["digest"], unique=False)
    op.create_index("ix_evidence_statements_project_id", "evidence_statements", ["project", "id"], unique=False)
    op.create_index("ix_evidence_statements_thing_id", "evidence_statements", ["thing", "id"], unique=False)
    op.create_table(
        "evidence_subjects",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("statement", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("digest", "statement", "name", name=op.f("pk_evidence_subjects")),
    )
    op.create_index("ix_evidence_subjects_statement", "evidence_subjects", ["statement"], unique=False)
    op.create_table(
        "experiment_tags",
        sa.Column("experiment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "key",
            sa.String(length=250).with_variant(sa.String(length=250, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("experiment", "key", name=op.f("pk_experiment_tags")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "experiments",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column(
            "name",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("location", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_experiments")),
        sa.UniqueConstraint("project", "name", name=op.f("uq_experiments_project_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "external_endpoints",
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_external_endpoints")),
    )
    op.create_table(
        "fed_predictions",
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("given", sa.String(length=64), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("prediction_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "given", "row", name=op.f("pk_fed_predictions")),
    )
    op.create_table(
        "gate_approvals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("digests", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_because", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_approvals")),
    )
    op.create_index(op.f("ix_gate_approvals_model"), "gate_approvals", ["model"], unique=False)
    op.create_table(
        "gate_broken_glass",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("bundle", sa.String(length=80), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("unmet", sa.Text(), nullable=False),
        sa.Column("finding", sa.String(length=32), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_broken_glass")),
    )
    op.create_index("ix_gate_broken_glass_model_version", "gate_broken_glass", ["model", "version"], unique=False)
    op.create_index(op.f("ix_gate_broken_glass_project"), "gate_broken_glass", ["project"], unique=False)
    op.create_index(op.f("ix_gate_broken_glass_until"), "gate_broken_glass", ["until"], unique=False)
    op.create_table(
        "gate_canaries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_canaries")),
    )
    op.create_index(op.f("ix_gate_canaries_model"), "gate_canaries", ["model"], unique=False)
    op.create_table(
        "gate_evidence",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("gate", sa.String(length=80), nullable=False),
        sa.Column("check", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("path", sa.String(length=100), nullable=False),
        sa.Column("path_digest", sa.String(length=80), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("tools", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_gate_evidence")),
        sa.UniqueConstraint("id", name=op.f("uq_gate_evidence_id")),
    )
    op.create_index(op.f("ix_gate_evidence_model"), "gate_evidence", ["model"], unique=False)
    op.create_table(
        "gate_finding_things",
        sa.Column("finding", sa.String(length=32), nullable=False),
        sa.Column("thing", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("finding", "thing", name=op.f("pk_gate_finding_things")),
    )
    op.create_index(op.f("ix_gate_finding_things_thing"), "gate_finding_things", ["thing"], unique=False)
    op.create_table(
        "gate_findings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("remediation", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_by", sa.String(length=64), nullable=False),
        sa.Column("closed_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_findings")),
    )
    op.create_index("ix_gate_findings_project_state", "gate_findings", ["project", "state"], unique=False)
    op.create_table(
        "gate_observations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=64), nullable=False),
        sa.Column("path_version", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("missed", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_observations")),
    )
    op.create_index(op.f("ix_gate_observations_model"), "gate_observations", ["model"], unique=False)
    op.create_index("ix_gate_observations_path", "gate_observations", ["path", "id"], unique=False)
    op.create_table(
        "gate_path_proposals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=64), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_path_proposals")),
    )
    op.create_index(op.f("ix_gate_path_proposals_path"), "gate_path_proposals", ["path"], unique=False)
    op.create_index(op.f("ix_gate_path_proposals_state"), "gate_path_proposals", ["state"], unique=False)
    op.create_table(
        "gate_paths",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=False),
        sa.Column("stages", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("leeway", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_by", sa.String(length=64), nullable=False),
        sa.Column("accepted_by", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_gate_paths")),
    )
    op.create_index(op.f("ix_gate_paths_digest"), "gate_paths", ["digest"], unique=False)
    op.create_table(
        "gate_questionnaires",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("questions", sa.Text(), nullable=False),
        sa.Column("tiers", sa.Text(), nullable=False),
        sa.Column("stops", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_by", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_gate_questionnaires")),
    )
    op.create_table(
        "gate_requests",
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("earlier", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "version", "stage", name=op.f("pk_gate_requests")),
    )
    op.create_index(op.f("ix_gate_requests_project"), "gate_requests", ["project"], unique=False)
    op.create_table(
        "gate_reviews",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_reviews")),
    )
    op.create_index(op.f("ix_gate_reviews_model"), "gate_reviews", ["model"], unique=False)
    op.create_table(
        "gate_reviews_told",
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("model", "version", "due_at", name=op.f("pk_gate_reviews_told")),
    )
    op.create_table(
        "gate_sheets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("questionnaire", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("taken_from", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_sheets")),
    )
    op.create_index(op.f("ix_gate_sheets_model"), "gate_sheets", ["model"], unique=False)
    op.create_table(
        "gate_waivers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("gate", sa.String(length=80), nullable=False),
        sa.Column("found", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("digests", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(length=64), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_waivers")),
    )
    op.create_index("ix_gate_waivers_model_version", "gate_waivers", ["model", "version"], unique=False)
    op.create_index(op.f("ix_gate_waivers_project"), "gate_waivers", ["project"], unique=False)
    op.create_index(op.f("ix_gate_waivers_until"), "gate_waivers", ["until"], unique=False)
    op.create_table(
        "gateway_configurations",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_configurations")),
    )
    op.create_table(
        "hook_deliveries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("hook", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hook_deliveries")),
    )
    op.create_index(op.f("ix_hook_deliveries_hook_id"), "hook_deliveries", ["hook", "id"], unique=False)
    op.create_index(
        op.f("ix_hook_deliveries_hook_state_due_at"), "hook_deliveries", ["hook", "state", "due_at"], unique=False
    )
    op.create_index(op.f("ix_hook_deliveries_state_due_at"), "hook_deliveries", ["state", "due_at"], unique=False)
    op.create_table(
        "hooks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("given_up", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hooks")),
    )
    op.create_index(op.f("ix_hooks_name"), "hooks", ["name"], unique=False)
    op.create_table(
        "imported",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("theirs", sa.String(length=320), nullable=False),
        sa.Column("ours", sa.String(length=600), nullable=False),
        sa.Column("stamp", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("source", "kind", "theirs", name=op.f("pk_imported")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "imports",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_imports")),
    )
    op.create_table(
        "lineage_edges",
        sa.Column("source", sa.String(length=400), nullable=False),
        sa.Column("verb", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=400), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "verb", "target", name=op.f("pk_lineage_edges")),
    )
    op.create_index("ix_lineage_edges_target", "lineage_edges", ["target"], unique=False)
    op.create_table(
        "logged_model_files",
        sa.Column("model", sa.String(length=34), nullable=False),
        sa.Column("path", sa.String(length=1000), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("model", "path", name=op.f("pk_logged_model_files")),
    )
    op.create_index(op.f("ix_logged_model_files_digest"), "logged_model_files", ["digest"], unique=False)
    op.create_table(
        "logged_model_metrics",
        sa.Column("model", sa.String(length=34), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("dataset", sa.String(length=500), nullable=False),
        sa.Column("dataset_digest", sa.String(length=36), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "model", "key", "run", "dataset", "dataset_digest", name=op.f("pk_logged_model_metrics")
        ),
    )
    op.create_index(op.f("ix_logged_model_metrics_key_value"), "logged_model_metrics", ["key", "value"], unique=False)
    op.create_table(
        "logged_model_params",
        sa.Column("model", sa.String(length=34), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "key", name=op.f("pk_logged_model_params")),
    )
    op.create_table(
        "logged_model_tags",
        sa.Column("model", sa.String(length=34), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "key", name=op.f("pk_logged_model_tags")),
    )
    op.create_table(
        "logged_model_uses",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=34), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "model", "role", name=op.f("pk_logged_model_uses")),
    )
    op.create_table(
        "logged_models",
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("experiment", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=500), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("status_message", sa.Text(), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logged_models")),
    )
    op.create_index(op.f("ix_logged_models_experiment"), "logged_models", ["experiment"], unique=False)
    op.create_index(op.f("ix_logged_models_project"), "logged_models", ["project"], unique=False)
    op.create_index(op.f("ix_logged_models_run"), "logged_models", ["run"], unique=False)
    op.create_table(
        "model_aliases",
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("alias", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("moved_by", sa.String(length=64), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "alias", name=op.f("pk_model_aliases")),
    )
    op.create_table(
        "model_card_texts",
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("model", "version", "field", name=op.f("pk_model_card_texts")),
    )
    op.create_table(
        "model_tags",
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "version", "key", name=op.f("pk_model_tags")),
    )
    op.create_table(
        "model_version_stages",
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "version", "number", name=op.f("pk_model_version_stages")),
    )
    op.create_table(
        "model_versions",
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("bundle", sa.String(length=80), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=True),
        sa.Column("run_label", sa.String(length=300), nullable=False),
        sa.Column("folder", sa.String(length=1000), nullable=True),
        sa.Column("logged_model", sa.String(length=34), nullable=False),
        sa.Column("unfit", sa.Text(), nullable=False),
        sa.Column("datasets", sa.Text(), nullable=False),
        sa.Column("risk", sa.String(length=10), nullable=False),
        sa.Column("evaluation", sa.Text(), nullable=True),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("model", "version", name=op.f("pk_model_versions")),
    )
    op.create_index(op.f("ix_model_versions_bundle"), "model_versions", ["bundle"], unique=False)
    op.create_index(op.f("ix_model_versions_logged_model"), "model_versions", ["logged_model"], unique=False)
    op.create_index(op.f("ix_model_versions_model_bundle"), "model_versions", ["model", "bundle"], unique=False)
    op.create_index(op.f("ix_model_versions_project"), "model_versions", ["project"], unique=False)
    op.create_index(op.f("ix_model_versions_run"), "model_versions", ["run"], unique=False)
    op.create_index(op.f("ix_model_versions_stage"), "model_versions", ["stage"], unique=False)
    op.create_table(
        "models",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("numbered", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_models")),
    )
    op.create_index(op.f("ix_models_project"), "models", ["project"], unique=False)
    op.create_table(
        "monitor_alerts",
        sa.Column("monitor", sa.String(length=64), nullable=False),
        sa.Column("window", sa.BigInteger(), nullable=False),
        sa.Column("metric", sa.String(length=20), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("monitor", "window", "metric", name=op.f("pk_monitor_alerts")),
        sa.UniqueConstraint("id", name=op.f("uq_monitor_alerts_id")),
    )
    op.create_index(op.f("ix_monitor_alerts_project"), "monitor_alerts", ["project"], unique=False)
    op.create_table(
        "monitor_windows",
        sa.Column("monitor", sa.String(length=64), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("labelled", sa.Integer(), nullable=False),
        sa.Column("computed_at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("monitor", "start", "number", name=op.f("pk_monitor_windows")),
    )
    op.create_index("ix_monitor_windows_current", "monitor_windows", ["monitor", "is_current", "start"], unique=False)
    op.create_table(
        "monitors",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=320), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_monitors")),
    )
    op.create_index(op.f("ix_monitors_endpoint"), "monitors", ["endpoint"], unique=False)
    op.create_index(op.f("ix_monitors_project"), "monitors", ["project"], unique=False)
    op.create_table(
        "notice_letters",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_letters")),
    )
    op.create_index(op.f("ix_notice_letters_state_due_at"), "notice_letters", ["state", "due_at"], unique=False)
    op.create_table(
        "notice_marks",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_notice_marks")),
    )
    op.create_table(
        "notice_people",
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("delivery", sa.String(length=10), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_notice_people")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("is_todo", sa.Boolean(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("thing", sa.String(length=400), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.Column("letter", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_letter"), "notices", ["letter"], unique=False)
    op.create_index(
        op.f("ix_notices_person_done_at_gone_at"), "notices", ["person", "done_at", "gone_at"], unique=False
    )
    op.create_index(
        op.f("ix_notices_project_is_todo_gone_at"), "notices", ["project", "is_todo", "gone_at"], unique=False
    )
    op.create_table(
        "placed_files",
        sa.Column("ref", sa.String(length=71), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_placed_files")),
    )
    op.create_index(op.f("ix_placed_files_digest"), "placed_files", ["digest"], unique=False)
    op.create_index(op.f("ix_placed_files_store"), "placed_files", ["store"], unique=False)
    op.create_table(
        "platform",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_platform")),
    )
    op.create_table(
        "project_stages",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("because", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("project", "stage", name=op.f("pk_project_stages")),
    )
    op.create_table(
        "projects",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("risk", sa.String(length=10), nullable=False),
        sa.Column("path", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("sponsor", sa.String(length=200), nullable=False),
        sa.Column("kpi", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_projects")),
    )
    op.create_table(
        "requests",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=80), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_requests")),
    )
    op.create_index(op.f("ix_requests_at"), "requests", ["at"], unique=False)
    op.create_table(
        "run_artifacts",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", sa.String(length=1000), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("predictions", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run", "path", name=op.f("pk_run_artifacts")),
    )
    op.create_index(op.f("ix_run_artifacts_digest"), "run_artifacts", ["digest"], unique=False)
    op.create_table(
        "run_batches",
        sa.Column("writer", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("writer", "seq", name=op.f("pk_run_batches")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_environments",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("packages", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_run_environments")),
    )
    op.create_table(
        "run_inputs",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("run", "dataset", name=op.f("pk_run_inputs")),
    )
    op.create_table(
        "run_keys",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_run_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_run_keys_name")),
    )
    op.create_table(
        "run_latest",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Float().with_variant(sa.BLOB(), "sqlite"), nullable=True),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "key", name=op.f("pk_run_latest")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_run_latest_key_value_run"), "run_latest", ["key", "value", "run"], unique=False)
    op.create_table(
        "run_params",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "head", sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("value", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("run", "key", name=op.f("pk_run_params")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_run_params_key_head_run"), "run_params", ["key", "head", "run"], unique=False)
    op.create_index(op.f("ix_run_params_key_value_run"), "run_params", ["key", "value", "run"], unique=False)
    op.create_table(
        "run_points",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("writer", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float().with_variant(sa.BLOB(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("run", "key", "writer", "seq", name=op.f("pk_run_points")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_readings",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "name",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "digest",
            sa.String(length=36).with_variant(sa.String(length=36, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "context",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "source", name=op.f("pk_run_readings")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_run_readings_digest_run"), "run_readings", ["digest", "run"], unique=False)
    op.create_index(op.f("ix_run_readings_name_run"), "run_readings", ["name", "run"], unique=False)
    op.create_table(
        "run_segments",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_run_segments")),
    )
    op.create_index(op.f("ix_run_segments_run_key_points"), "run_segments", ["run", "key", "points"], unique=False)
    op.create_table(
        "run_sources",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("experiment", sa.Integer(), nullable=False),
        sa.Column(
            "name",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "digest",
            sa.String(length=36).with_variant(sa.String(length=36, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_run_sources")),
        sa.UniqueConstraint("experiment", "name", "digest", name=op.f("uq_run_sources_experiment_name_digest")),
    )
    op.create_table(
        "run_tags",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "head", sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("run", "key", name=op.f("pk_run_tags")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_run_tags_key_head_run"), "run_tags", ["key", "head", "run"], unique=False)
    op.create_table(
        "run_views",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "name", name=op.f("pk_run_views")),
    )
    op.create_table(
        "run_words",
        sa.Column(
            "word", sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("word", "run", name=op.f("pk_run_words")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_writers",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("writer", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_run_writers")),
        sa.UniqueConstraint("run", "writer", name=op.f("uq_run_writers_run_writer")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "stores",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stores")),
    )
    op.create_table(
        "trace_files",
        sa.Column("trace", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(length=1000), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("trace", "path", name=op.f("pk_trace_files")),
    )
    op.create_index(op.f("ix_trace_files_digest"), "trace_files", ["digest"], unique=False)
    op.create_table(
        "trace_marks",
        sa.Column("trace", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("trace", "kind", "key", name=op.f("pk_trace_marks")),
    )
    op.create_index(
        op.f("ix_trace_marks_kind_key_head_trace"), "trace_marks", ["kind", "key", "head", "trace"], unique=False
    )
    op.create_table(
        "trace_remarks",
        sa.Column("trace", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("kind", sa.String(length=11), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("trace", "id", name=op.f("pk_trace_remarks")),
    )
    op.create_table(
        "trace_runs",
        sa.Column("trace", sa.String(length=64), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("trace", "run", name=op.f("pk_trace_runs")),
    )
    op.create_index(op.f("ix_trace_runs_run"), "trace_runs", ["run"], unique=False)
    op.create_table(
        "trace_spans",
        sa.Column("trace", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=250), nullable=False),
        sa.Column("state", sa.String(length=5), nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("trace", "id", name=op.f("pk_trace_spans")),
    )
    op.create_table(
        "traces",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("experiment", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=7), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("client_id", sa.String(length=250), nullable=True),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("spans", sa.Integer(), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traces")),
    )
    op.create_index(op.f("ix_traces_experiment_started_ms"), "traces", ["experiment", "started_ms"], unique=False)
    op.create_index(op.f("ix_traces_project_started_ms"), "traces", ["project", "started_ms"], unique=False)
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("experiment", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column(
            "name",
            sa.String(length=1000).with_variant(sa.String(length=1000, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column(
            "user",
            sa.String(length=250).with_variant(sa.String(length=250, collation="C"), "postgresql"),
            server_default="",
            nullable=False,
        ),
        sa.Column("location", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("cpu_s", sa.Float(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("environment", sa.String(length=71), nullable=True),
        sa.Column("sealed", sa.String(length=71), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment"],
            ["experiments.number"],
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_runs")),
        sa.UniqueConstraint("id", name=op.f("uq_runs_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_runs_deleted_at"),
        "runs",
        ["deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_runs_experiment_started_at"), "runs", ["experiment", "started_at"], unique=False)
    op.create_index(op.f("ix_runs_project_started_at"), "runs", ["project", "started_at"], unique=False)
    op.create_index(op.f("ix_runs_started_at"), "runs", ["started_at"], unique=False)
    op.create_table(
        "run_reproductions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("again", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"],
            ["runs.number"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_reproductions")),
    )
    op.create_index(op.f("ix_run_reproductions_run"), "run_reproductions", ["run"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_run_reproductions_run"), table_name="run_reproductions")
    op.drop_table("run_reproductions")
    op.drop_index(op.f("ix_runs_started_at"), table_name="runs")
    op.drop_index(op.f("ix_runs_project_started_at"), table_name="runs")
    op.drop_index(op.f("ix_runs_experiment_started_at"), table_name="runs")
    op.drop_index(
        op.f("ix_runs_deleted_at"),
        table_name="runs",
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.drop_table("runs")
    op.drop_index(op.f("ix_traces_project_started_ms"), table_name="traces")
    op.drop_index(op.f("ix_traces_experiment_started_ms"), table_name="traces")
    op.drop_table("traces")
    op.drop_table("trace_spans")
    op.drop_index(op.f("ix_trace_runs_run"), table_name="trace_runs")
    op.drop_table("trace_runs")
    op.drop_table("trace_remarks")
    op.drop_index(op.f("ix_trace_marks_kind_key_head_trace"), table_name="trace_marks")
    op.drop_table("trace_marks")
    op.drop_index(op.f("ix_trace_files_digest"), table_name="trace_files")
    op.drop_table("trace_files")
    op.drop_table("stores")
    op.drop_table("run_writers")
    op.drop_table("run_words")
    op.drop_table("run_views")
    op.drop_index(op.f("ix_run_tags_key_head_run"), table_name="run_tags")
    op.drop_table("run_tags")
    op.drop_table("run_sources")
    op.drop_index(op.f("ix_run_segments_run_key_points"), table_name="run_segments")
    op.drop_table("run_segments")
    op.drop_index(op.f("ix_run_readings_name_run"), table_name="run_readings")
    op.drop_index(op.f("ix_run_readings_digest_run"), table_name="run_readings")
    op.drop_table("run_readings")
    op.drop_table("run_points")
    op.drop_index(op.f("ix_run_params_key_value_run"), table_name="run_params")
    op.drop_index(op.f("ix_run_params_key_head_run"), table_name="run_params")
    op.drop_table("run_params")
    op.drop_index(op.f("ix_run_latest_key_value_run"), table_name="run_latest")
    op.drop_table("run_latest")
    op.drop_table("run_keys")
    op.drop_table("run_inputs")
    op.drop_table("run_environments")
    op.drop_table("run_batches")
    op.drop_index(op.f("ix_run_artifacts_digest"), table_name="run_artifacts")
    op.drop_table("run_artifacts")
    op.drop_index(op.f("ix_requests_at"), table_name="requests")
    op.drop_table("requests")
    op.drop_table("projects")
    op.drop_table("project_stages")
    op.drop_table("platform")
    op.drop_index(op.f("ix_placed_files_store"), table_name="placed_files")
    op.drop_index(op.f("ix_placed_files_digest"), table_name="placed_files")
    op.drop_table("placed_files")
    op.drop_index(op.f("ix_notices_project_is_todo_gone_at"), table_name="notices")
    op.drop_index(op.f("ix_notices_person_done_at_gone_at"), table_name="notices")
    op.drop_index(op.f("ix_notices_letter"), table_name="notices")
    op.drop_table("notices")
    op.drop_table("notice_people")
    op.drop_table("notice_marks")
    op.drop_index(op.f("ix_notice_letters_state_due_at"), table_name="notice_letters")
    op.drop_table("notice_letters")
    op.drop_index(op.f("ix_monitors_project"), table_name="monitors")
    op.drop_index(op.f("ix_monitors_endpoint"), table_name="monitors")
    op.drop_table("monitors")
    op.drop_index("ix_monitor_windows_current", table_name="monitor_windows")
    op.drop_table("monitor_windows")
    op.drop_index(op.f("ix_monitor_alerts_project"), table_name="monitor_alerts")
    op.drop_table("monitor_alerts")
    op.drop_index(op.f("ix_models_project"), table_name="models")
    op.drop_table("models")
    op.drop_index(op.f("ix_model_versions_stage"), table_name="model_versions")
    op.drop_index(op.f("ix_model_versions_run"), table_name="model_versions")
    op.drop_index(op.f("ix_model_versions_project"), table_name="model_versions")
    op.drop_index(op.f("ix_model_versions_model_bundle"), table_name="model_versions")
    op.drop_index(op.f("ix_model_versions_logged_model"), table_name="model_versions")
    op.drop_index(op.f("ix_model_versions_bundle"), table_name="model_versions")
    op.drop_table("model_versions")
    op.drop_table("model_version_stages")
    op.drop_table("model_tags")
    op.drop_table("model_card_texts")
    op.drop_table("model_aliases")
    op.drop_index(op.f("ix_logged_models_run"), table_name="logged_models")
    op.drop_index(op.f("ix_logged_models_project"), table_name="logged_models")
    op.drop_index(op.f("ix_logged_models_experiment"), table_name="logged_models")
    op.drop_table("logged_models")
    op.drop_table("logged_model_uses")
    op.drop_table("logged_model_tags")
    op.drop_table("logged_model_params")
    op.drop_index(op.f("ix_logged_model_metrics_key_value"), table_name="logged_model_metrics")
    op.drop_table("logged_model_metrics")
    op.drop_index(op.f("ix_logged_model_files_digest"), table_name="logged_model_files")
    op.drop_table("logged_model_files")
    op.drop_index("ix_lineage_edges_target", table_name="lineage_edges")
    op.drop_table("lineage_edges")
    op.drop_table("imports")
    op.drop_table("imported")
    op.drop_index(op.f("ix_hooks_name"), table_name="hooks")
    op.drop_table("hooks")
    op.drop_index(op.f("ix_hook_deliveries_state_due_at"), table_name="hook_deliveries")
    op.drop_index(op.f("ix_hook_deliveries_hook_state_due_at"), table_name="hook_deliveries")
    op.drop_index(op.f("ix_hook_deliveries_hook_id"), table_name="hook_deliveries")
    op.drop_table("hook_deliveries")
    op.drop_table("gateway_configurations")
    op.drop_index(op.f("ix_gate_waivers_until"), table_name="gate_waivers")
    op.drop_index(op.f("ix_gate_waivers_project"), table_name="gate_waivers")
    op.drop_index("ix_gate_waivers_model_version", table_name="gate_waivers")
    op.drop_table("gate_waivers")
    op.drop_index(op.f("ix_gate_sheets_model"), table_name="gate_sheets")
    op.drop_table("gate_sheets")
    op.drop_table("gate_reviews_told")
    op.drop_index(op.f("ix_gate_reviews_model"), table_name="gate_reviews")
    op.drop_table("gate_reviews")
    op.drop_index(op.f("ix_gate_requests_project"), table_name="gate_requests")
    op.drop_table("gate_requests")
    op.drop_table("gate_questionnaires")
    op.drop_index(op.f("ix_gate_paths_digest"), table_name="gate_paths")
    op.drop_table("gate_paths")
    op.drop_index(op.f("ix_gate_path_proposals_state"), table_name="gate_path_proposals")
    op.drop_index(op.f("ix_gate_path_proposals_path"), table_name="gate_path_proposals")
    op.drop_table("gate_path_proposals")
    op.drop_index("ix_gate_observations_path", table_name="gate_observations")
    op.drop_index(op.f("ix_gate_observations_model"), table_name="gate_observations")
    op.drop_table("gate_observations")
    op.drop_index("ix_gate_findings_project_state", table_name="gate_findings")
    op.drop_table("gate_findings")
    op.drop_index(op.f("ix_gate_finding_things_thing"), table_name="gate_finding_things")
    op.drop_table("gate_finding_things")
    op.drop_index(op.f("ix_gate_evidence_model"), table_name="gate_evidence")
    op.drop_table("gate_evidence")
    op.drop_index(op.f("ix_gate_canaries_model"), table_name="gate_canaries")
    op.drop_table("gate_canaries")
    op.drop_index(op.f("ix_gate_broken_glass_until"), table_name="gate_broken_glass")
    op.drop_index(op.f("ix_gate_broken_glass_project"), table_name="gate_broken_glass")
    op.drop_index("ix_gate_broken_glass_model_version", table_name="gate_broken_glass")
    op.drop_table("gate_broken_glass")
    op.drop_index(op.f("ix_gate_approvals_model"), table_name="gate_approvals")
    op.drop_table("gate_approvals")
    op.drop_table("fed_predictions")
    op.drop_table("external_endpoints")
    op.drop_table("experiments")
    op.drop_table("experiment_tags")
    op.drop_index("ix_evidence_subjects_statement", table_name="evidence_subjects")
    op.drop_table("evidence_subjects")
    op.drop_index("ix_evidence_statements_thing_id", table_name="evidence_statements")
    op.drop_index("ix_evidence_statements_project_id", table_name="evidence_statements")
    op.drop_index("ix_evidence_statements_digest", table_name="evidence_statements")
    op.drop_table("evidence_statements")
    op.drop_table("evidence_keys")
    op.drop_index(op.f("ix_endpoints_project"), table_name="endpoints")
    op.drop_table("endpoints")
    op.drop_table("endpoint_traffic")
    op.drop_table("endpoint_splits")
    op.drop_index(op.f("ix_endpoint_revisions_model"), table_name="endpoint_revisions")
    op.drop_table("endpoint_revisions")
    op.drop_table("endpoint_logs")
    op.drop_index("ix_endpoint_labels_endpoint_recorded_at", table_name="endpoint_labels")
    op.drop_table("endpoint_labels")
    op.drop_table("endpoint_falls")
    op.drop_table("endpoint_canary_looks")
    op.drop_table("endpoint_canary_clusters")
    op.drop_index(op.f("ix_endpoint_canaries_state"), table_name="endpoint_canaries")
    op.drop_index("ix_endpoint_canaries_endpoint", table_name="endpoint_canaries")
    op.drop_table("endpoint_canaries")
    op.drop_index(op.f("ix_discussion_threads_thing"), table_name="discussion_threads")
    op.drop_index(op.f("ix_discussion_threads_project_last_at"), table_name="discussion_threads")
    op.drop_table("discussion_threads")
    op.drop_index(op.f("ix_discussion_comments_by"), table_name="discussion_comments")
    op.drop_table("discussion_comments")
    op.drop_index(op.f("ix_dataset_versions_table"), table_name="dataset_versions")
    op.drop_index(op.f("ix_dataset_versions_digest"), table_name="dataset_versions")
    op.drop_table("dataset_versions")
    op.drop_table("dataset_profiles")
    op.drop_table("audit_nodes")
    op.drop_table("audit_heads")
    op.drop_index("ix_audit_entries_thing_seq", table_name="audit_entries")
    op.drop_index("ix_audit_entries_project_seq", table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_table("access_users")
    op.drop_table("access_sent")
    op.drop_index(op.f("ix_access_secrets_user"), table_name="access_secrets")
    op.drop_table("access_secrets")
    op.drop_table("access_provider_sessions")
    op.drop_table("access_proposals")
    op.drop_table("access_grants")
    op.drop_index(op.f("ix_access_delegations_project"), table_name="access_delegations")
    op.drop_table("access_delegations")
    op.drop_table("access_bindings")
