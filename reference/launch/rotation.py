"""What was changed before the release: keys and passwords, their predecessors, and when that was."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from reference.launch import postgres

if TYPE_CHECKING:
    from pathlib import Path

    from reference.launch.plan import Plan

CHANGED_DAYS_AGO = 2


def values(plan: Plan, database: postgres.Database, directory: Path) -> dict[str, str]:
    """Return the keys that are good now, and what was good before them.

    Returns:
        The part of the announcement, name to value.
    """
    current = {
        "signing_key": plan.variables["JWT_SECRET"],
        "database_password": database.passwords[postgres.APPLICATION],
        "board_key": plan.variables["BOARD_API_KEY"],
    }
    before = {
        f"previous_{name}": value if name in plan.kept else secrets.token_hex(32)
        for name, value in current.items()
    }
    return {
        "signing_key": current["signing_key"],
        "board_key": current["board_key"],
        **before,
        "changes_file": str(_written(directory, plan)),
    }


def administrate(database: postgres.Database, statements: tuple[str, ...]) -> None:
    """Run statements in the release's database as its superuser."""
    if not statements:
        return
    with psycopg.connect(database.url("postgres"), autocommit=True) as session:
        for statement in statements:
            session.execute(statement)


def _written(directory: Path, plan: Plan) -> Path:
    """Write when each key was changed, as the export of a secret store has it."""
    today = datetime.now(UTC).date()
    days = {"signing_key": CHANGED_DAYS_AGO, "board": CHANGED_DAYS_AGO, **plan.changed_days_ago}
    file = directory / "changes.json"
    file.write_text(json.dumps({name: str(today - timedelta(days=ago)) for name, ago in days.items()}))
    return file
