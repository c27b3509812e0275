"""Readiness: an instance is ready while its database answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from reference.application.models import Health
from reference.application.table import Endpoint, json_answer

if TYPE_CHECKING:
    from starlette.responses import Response

    from reference.application.pool import Pool
    from reference.application.settings import Settings
    from reference.application.table import Call

DATABASE_TIMEOUT_S = 1.0


async def health(call: Call) -> Response:
    """Answer 200 when the database answers, 503 when it does not."""
    ready = await database_answers(call.pool)
    return json_answer(report(call.settings, ready=ready), 200 if ready else 503)


async def database_answers(pool: Pool) -> bool:
    """Return whether a query comes back in time."""
    try:
        async with pool.connection(timeout=DATABASE_TIMEOUT_S) as database:
            await database.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def report(settings: Settings, *, ready: bool) -> Health:
    """Return the body of a health answer."""
    state = "ok" if ready else "unavailable"
    return Health(
        status=state,
        database=state,
        version=settings.version,
        commit=settings.commit,
        environment=settings.environment,
    )


ENDPOINTS = (Endpoint("health", "GET", "/api/v1/health", health, None, Health),)
