"""What release 1.0.0 needs of the tables that are there: no new table, as the guide promises."""

from __future__ import annotations

from alembic import op

revision = "0002_release_1_0_0"
down_revision = "0001_release_0_9_0"


def upgrade() -> None:
    """Add the columns of the task lifecycle and the rule of one active BOM per product."""
    op.execute(
        """
        ALTER TABLE tasks
            ADD approval_notes text,
            ADD approved_at timestamptz,
            ADD started_at timestamptz,
            ADD completed_at timestamptz,
            ADD actual_quantity double precision CHECK (actual_quantity > 0);
        ALTER TABLE bill_of_materials ADD notes text;
        CREATE UNIQUE INDEX one_active_bom_per_product ON bill_of_materials (product_id) WHERE is_active;
        """
    )


def downgrade() -> None:
    """Take back what ``upgrade`` added."""
    op.execute(
        """
        DROP INDEX one_active_bom_per_product;
        ALTER TABLE bill_of_materials DROP notes;
        ALTER TABLE tasks
            DROP approval_notes, DROP approved_at, DROP started_at, DROP completed_at, DROP actual_quantity;
        """
    )
