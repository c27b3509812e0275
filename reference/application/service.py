"""The application, put together from its table of endpoints."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeAlias

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reference.application import auth, bom, health, kanban, openapi, orders, security_log, tasks
from reference.application.table import problem
from reference.application.telemetry import Telemetry, file_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from starlette.requests import Request

    from reference.application.pool import Pool
    from reference.application.settings import Settings
    from reference.application.table import Endpoint

Endpoints: TypeAlias = "dict[str, Endpoint]"
DATABASE_TIMEOUT_S = 2.0
CONNECTIONS = (2, 10)  # kept open, at most; far below the guide's 50
OPENAPI_PATH = "/api/v1/openapi.json"


def endpoints() -> Endpoints:
    """Return the table of endpoints by name."""
    tables = (health, auth, bom, orders, tasks, kanban)
    return {each.name: each for table in tables for each in table.ENDPOINTS}


def build(settings: Settings, table: Endpoints) -> Starlette:
    """Return the application that serves the table."""
    layout = "%(asctime)s %(levelname)s %(name)s %(message)s"
    file_logger("reference", settings.log_dir / "app.log", layout, settings.log_level)
    security_log.begin(settings.log_dir)
    pool: Pool = AsyncConnectionPool(
        settings.database_url,
        connection_class=AsyncConnection,
        kwargs={"row_factory": dict_row, "application_name": "reference"},
        min_size=CONNECTIONS[0],
        max_size=CONNECTIONS[1],
        timeout=DATABASE_TIMEOUT_S,
        open=False,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool:
            await pool.wait()
            yield

    document = openapi.document(table.values(), settings.version)

    async def describe(request: Request) -> Response:
        request.state.template = OPENAPI_PATH
        return JSONResponse(document)

    by_path: dict[str, list[Endpoint]] = {}
    for each in table.values():
        by_path.setdefault(each.path, []).append(each)
    return Starlette(
        routes=[
            Route(OPENAPI_PATH, describe),
            *(route(path, each, pool, settings) for path, each in by_path.items()),
        ],
        middleware=[
            Middleware(Telemetry, settings=settings),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=("GET", "POST", "PUT", "DELETE", "OPTIONS"),
                allow_headers=("Authorization", "Content-Type"),
            ),
        ],
        exception_handlers={404: no_such_path, 405: no_such_method},
        lifespan=lifespan,
    )


def route(path: str, choices: Iterable[Endpoint], pool: Pool, settings: Settings) -> Route:
    """Return the route of a path, which may have several methods."""
    by_method = {each.method: each for each in choices}

    async def answer(request: Request) -> Response:
        request.state.template = path
        method = "GET" if request.method == "HEAD" else request.method
        response = await by_method[method].answer(request, pool, settings)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return Route(path.replace("{id}", "{id:int}"), answer, methods=list(by_method))


async def no_such_path(_: Request, __: Exception) -> Response:
    """Answer 404 in JSON, whoever asks."""
    return problem(404, "There is nothing here")


async def no_such_method(_: Request, error: Exception) -> Response:
    """Answer 405 in JSON, with the methods that there are."""
    response = problem(405, "This path does not know that method")
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response
