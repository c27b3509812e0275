"""The tables as the previous release left them."""

from __future__ import annotations

from alembic import op

revision = "0001_release_0_9_0"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        CREATE TABLE users (
            id serial PRIMARY KEY,
            username text NOT NULL UNIQUE,
            password_hash text NOT NULL,
            role text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE ended_sessions (
            sid text PRIMARY KEY,
            ended_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE audit_log (
            id bigserial PRIMARY KEY,
            at timestamptz NOT NULL DEFAULT now(),
            username text,
            action text NOT NULL,
            record text NOT NULL,
            record_id integer NOT NULL
        );
        CREATE TABLE products (
            id integer PRIMARY KEY,
            name text NOT NULL
        );
        CREATE TABLE bill_of_materials (
            id serial PRIMARY KEY,
            product_id integer NOT NULL REFERENCES products,
            bom_type text NOT NULL CHECK (bom_type IN ('Manufacturing', 'Kit/Phantom')),
            qty_output double precision NOT NULL CHECK (qty_output > 0),
            supports_multi_material boolean NOT NULL DEFAULT false,
            revision text NOT NULL DEFAULT 'A',
            is_active boolean NOT NULL DEFAULT true,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE manufacturing_orders (
            id serial PRIMARY KEY,
            product_id integer NOT NULL REFERENCES products,
            bom_id integer REFERENCES bill_of_materials,
            planned_quantity double precision NOT NULL CHECK (planned_quantity > 0),
            notes text,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE tasks (
            id serial PRIMARY KEY,
            order_id integer NOT NULL UNIQUE REFERENCES manufacturing_orders ON DELETE CASCADE,
            state text NOT NULL DEFAULT 'DRAFT'
                CHECK (state IN ('DRAFT', 'APPROVED', 'IN_PROGRESS', 'COMPLETED')),
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE kanban_cards (
            id serial PRIMARY KEY,
            order_id integer REFERENCES manufacturing_orders ON DELETE CASCADE,
            product_id integer NOT NULL REFERENCES products,
            quantity double precision NOT NULL CHECK (quantity > 0),
            state text NOT NULL DEFAULT 'PENDING'
                CHECK (state IN ('PENDING', 'APPROVED', 'REJECTED', 'SHIPPED', 'RECEIVED')),
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        """
    )


def downgrade() -> None:
    """Drop the tables."""
    op.execute(
        """
        DROP TABLE kanban_cards, tasks, manufacturing_orders, bill_of_materials, products, audit_log,
            ended_sessions, users
        """
    )
