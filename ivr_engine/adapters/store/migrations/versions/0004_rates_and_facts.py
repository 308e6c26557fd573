"""Rates, lists of callers, and what the bank knows of a customer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and columns; customers who are there already are served as all others, and of no known age."""
    op.add_column("bank_customer", sa.Column("segment", sa.String(16), nullable=False, server_default="standard"))
    op.add_column("bank_customer", sa.Column("born", sa.String(10), nullable=True))
    op.create_table(
        "bank_interest_rate",
        sa.Column("product", sa.String(32), nullable=False),
        sa.Column("term", sa.String(32), nullable=False),
        sa.Column("percent_hundred_thousandths", sa.BigInteger, nullable=False),
        sa.Column("since", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("product", "term", name="pk_bank_interest_rate"),
    )
    op.create_table(
        "bank_exchange_rate",
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("buys_hundred_thousandths", sa.BigInteger, nullable=False),
        sa.Column("sells_hundred_thousandths", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.CheckConstraint("buys_hundred_thousandths > 0", name="ck_bank_exchange_rate_buys_above_nought"),
        sa.CheckConstraint("sells_hundred_thousandths > 0", name="ck_bank_exchange_rate_sells_above_nought"),
        sa.PrimaryKeyConstraint("currency", name="pk_bank_exchange_rate"),
    )
    op.create_table(
        "bank_caller_list",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("caller_number", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", "caller_number", name="pk_bank_caller_list"),
    )


def downgrade() -> None:
    """Drop them, with what they hold."""
    op.drop_table("bank_caller_list")
    op.drop_table("bank_exchange_rate")
    op.drop_table("bank_interest_rate")
    with op.batch_alter_table("bank_customer") as table:
        table.drop_column("born")
        table.drop_column("segment")
