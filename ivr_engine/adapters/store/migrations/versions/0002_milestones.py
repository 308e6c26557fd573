"""What a step reached, and of which kind that is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; steps that are there already reached nothing that was declared."""
    op.add_column("call_step", sa.Column("milestone", sa.String(length=64), nullable=True))
    op.add_column("call_step", sa.Column("milestone_kind", sa.String(length=32), nullable=True))


def downgrade() -> None:
    """Drop the columns, with what they hold."""
    with op.batch_alter_table("call_step") as table:
        table.drop_column("milestone_kind")
        table.drop_column("milestone")
