"""What the system held before the release: users, products, and work in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.application.sessions import hashed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

USERS = {"admin": "admin", "warehouse": "warehouse", "ppic_manager": "ppic", "no_rights": "visitor"}
"""The username of each role."""
SENTINELS = (9001, 9002)
"""Products that exist so that a verification can write without touching anybody's work."""


def fill(database: psycopg.Connection, passwords: Mapping[str, str]) -> None:
    """Fill the tables of the previous release.

    Args:
        database: a connection of the application's own role.
        passwords: the password of each role's user.
    """
    with database.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO users (username, password_hash, role) VALUES (%s, %s, %s)",
            [(username, hashed(passwords[role]), role) for role, username in USERS.items()],
        )
        cursor.executemany(
            "INSERT INTO products VALUES (%s, %s)",
            [
                (101, "Bear, 30 cm"),
                (102, "Rabbit, 20 cm"),
                *((sentinel, f"Sentinel {sentinel}, not for sale") for sentinel in SENTINELS),
            ],
        )
    database.execute(
        """
        INSERT INTO bill_of_materials (product_id, bom_type, qty_output, revision, created_at, updated_at)
            VALUES (101, 'Manufacturing', 12, 'C', now() - interval '90 days', now() - interval '9 days');
        INSERT INTO manufacturing_orders (product_id, bom_id, planned_quantity, notes, created_at)
            VALUES (101, 1, 240, 'Planned before the release', now() - interval '3 days');
        INSERT INTO tasks (order_id, state, created_at) VALUES (1, 'IN_PROGRESS', now() - interval '3 days');
        INSERT INTO kanban_cards (order_id, product_id, quantity, state, created_at, updated_at) VALUES
            (1, 101, 240, 'APPROVED', now() - interval '3 days', now() - interval '2 days'),
            (NULL, 102, 50, 'PENDING', now() - interval '2 days', now() - interval '2 days'),
            (NULL, 102, 75, 'SHIPPED', now() - interval '9 days', now() - interval '1 day');
        """
    )
