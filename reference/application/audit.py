"""Who did what to which record, in a table that only grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow

    from reference.application.table import Call


async def note(
    call: Call, database: AsyncConnection[DictRow], action: str, record: str, record_id: int
) -> None:
    """Write one action down, in the transaction that takes it."""
    await database.execute(
        "INSERT INTO audit_log (username, action, record, record_id) VALUES (%s, %s, %s, %s)",
        [call.user.username if call.user else None, action, record, record_id],
    )
