"""What is sent to customers and written for agents: addresses, outbox, one-time codes, cases, notes, screens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = ("call_screen", "call_note", "service_case", "step_up_code", "outbox_message", "bank_address")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "bank_address",
        sa.Column("customer_number", sa.String(length=32), nullable=False),
        sa.Column("medium", sa.String(length=8), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_number"], ["bank_customer.number"], name=op.f("fk_bank_address_customer_number")
        ),
        sa.PrimaryKeyConstraint("customer_number", "medium", name=op.f("pk_bank_address")),
    )
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("customer_number", sa.String(length=32), nullable=False),
        sa.Column("medium", sa.String(length=8), nullable=False),
        sa.Column("message", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("heading", sa.String(length=400), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
    )
    op.create_index(
        "ix_outbox_message_due",
        "outbox_message",
        ["medium", "next_at_ms"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_outbox_message_call", "outbox_message", ["call_id"], unique=False)
    op.create_index("ix_outbox_message_customer", "outbox_message", ["customer_number", "created_at_ms"], unique=False)
    op.create_index("ix_outbox_message_expires", "outbox_message", ["expires_at_ms"], unique=False)
    op.create_table(
        "step_up_code",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("customer_number", sa.String(length=32), nullable=False),
        sa.Column("verification_value", sa.LargeBinary(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_step_up_code")),
    )
    op.create_index("ix_step_up_code_call", "step_up_code", ["call_id", "sent_at_ms"], unique=False)
    op.create_index("ix_step_up_code_customer", "step_up_code", ["customer_number", "sent_at_ms"], unique=False)
    _create_records()


def _create_records() -> None:
    op.create_table(
        "service_case",
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("customer_number", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_service_case")),
        sa.UniqueConstraint("id", name=op.f("uq_service_case_id")),
    )
    op.create_index("ix_service_case_customer", "service_case", ["customer_number", "opened_at_ms"], unique=False)
    op.create_table(
        "call_note",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("customer_number", sa.String(length=32), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("noted_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_note")),
    )
    op.create_index("ix_call_note_call", "call_note", ["call_id"], unique=False)
    op.create_index("ix_call_note_customer", "call_note", ["customer_number", "noted_at_ms"], unique=False)
    op.create_table(
        "call_screen",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("customer_number", sa.String(length=32), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("shown_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_call_screen")),
    )
    op.create_index("ix_call_screen_shown", "call_screen", ["shown_at_ms"], unique=False)


def downgrade() -> None:
    """Drop the tables, with all that they hold."""
    for table in _TABLES:
        op.drop_table(table)
