"""The database's history, kept by Alembic, and the one call that brings a database up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config


def upgrade(database_url: str, revision: str) -> None:
    """Take a database to a revision.

    Args:
        database_url: a libpq connection string.
        revision: a revision id, or ``head``.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["database_url"] = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    command.upgrade(config, revision)
