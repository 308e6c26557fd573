"""The embedded bank and the call journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "bank_customer",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_bank_customer")),
    )
    op.create_table(
        "bank_pin_call",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_bank_pin_call")),
    )
    op.create_table(
        "bank_pin_failures",
        sa.Column("customer_number", sa.String(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_number", name=op.f("pk_bank_pin_failures")),
    )
    op.create_table(
        "bank_posting",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("debit", sa.String(length=32), nullable=False),
        sa.Column("credit", sa.String(length=32), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("text", sa.String(length=140), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_posting")),
    )
    op.create_table(
        "call",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("unique_id", sa.String(length=150), nullable=False),
        sa.Column("engine_id", sa.String(length=64), nullable=False),
        sa.Column("caller_number", sa.String(length=64), nullable=False),
        sa.Column("dialled_number", sa.String(length=64), nullable=False),
        sa.Column("flow", sa.String(length=200), nullable=False),
        sa.Column("flow_hash", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("customer_number", sa.String(length=32), nullable=True),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("answered_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index(
        "ix_call_open",
        "call",
        ["engine_id"],
        unique=False,
        postgresql_where=sa.text("ended_at_ms IS NULL"),
        sqlite_where=sa.text("ended_at_ms IS NULL"),
    )
    op.create_index("ix_call_started", "call", ["started_at_ms"], unique=False)
    op.create_table(
        "call_step",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.Integer(), nullable=False),
        sa.Column("flow", sa.String(length=200), nullable=False),
        sa.Column("step", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "seq", name=op.f("pk_call_step")),
    )
    op.create_table(
        "bank_account",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("customer_number", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("read_out_order", sa.Integer(), nullable=False),
        sa.Column("booked_minor", sa.BigInteger(), nullable=False),
        sa.Column("held_minor", sa.BigInteger(), nullable=False),
        sa.Column("credit_line_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind = 'house' OR booked_minor + credit_line_minor >= 0", name=op.f("ck_bank_account_not_overdrawn")
        ),
        sa.CheckConstraint("credit_line_minor >= 0", name=op.f("ck_bank_account_credit_line_not_negative")),
        sa.CheckConstraint("held_minor >= 0", name=op.f("ck_bank_account_held_not_negative")),
        sa.ForeignKeyConstraint(
            ["customer_number"], ["bank_customer.number"], name=op.f("fk_bank_account_customer_number")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_bank_account")),
    )
    op.create_index("ix_bank_account_customer", "bank_account", ["customer_number", "read_out_order"], unique=False)
    op.create_table(
        "bank_pin",
        sa.Column("customer_number", sa.String(length=32), nullable=False),
        sa.Column("verification_value", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_number"], ["bank_customer.number"], name=op.f("fk_bank_pin_customer_number")
        ),
        sa.PrimaryKeyConstraint("customer_number", name=op.f("pk_bank_pin")),
    )
    op.create_table(
        "bank_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("posting_id", sa.String(length=64), nullable=False),
        sa.Column("account_number", sa.String(length=32), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("balance_after_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_number"], ["bank_account.number"], name=op.f("fk_bank_entry_account_number")),
        sa.ForeignKeyConstraint(["posting_id"], ["bank_posting.id"], name=op.f("fk_bank_entry_posting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_entry")),
        sa.UniqueConstraint("posting_id", "account_number", name=op.f("uq_bank_entry_posting_id")),
    )
    op.create_index("ix_bank_entry_account", "bank_entry", ["account_number", "id"], unique=False)


def downgrade() -> None:
    """Drop them, with all that they hold."""
    op.drop_index("ix_bank_entry_account", table_name="bank_entry")
    op.drop_table("bank_entry")
    op.drop_table("bank_pin")
    op.drop_index("ix_bank_account_customer", table_name="bank_account")
    op.drop_table("bank_account")
    op.drop_table("call_step")
    op.drop_index("ix_call_started", table_name="call")
    op.drop_index(
        "ix_call_open",
        table_name="call",
        postgresql_where=sa.text("ended_at_ms IS NULL"),
        sqlite_where=sa.text("ended_at_ms IS NULL"),
    )
    op.drop_table("call")
    op.drop_table("bank_posting")
    op.drop_table("bank_pin_failures")
    op.drop_table("bank_pin_call")
    op.drop_table("bank_customer")
