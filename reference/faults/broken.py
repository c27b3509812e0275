"""The ways of answering badly that several endpoints share."""

from __future__ import annotations

import asyncio

from starlette.responses import HTMLResponse, JSONResponse, Response

DELAY_S = 30.0  # longer than any reasonable deadline of a client
ERROR = {"error": "OperationalError: connection to server lost"}


def server_error() -> Response:
    """Return a 500 as frameworks have it."""
    return JSONResponse({"detail": "Internal Server Error"}, 500)


def hidden_error(status: int) -> Response:
    """Return an error in the body of a success."""
    return JSONResponse(ERROR, status)


def page() -> Response:
    """Return an HTML page where JSON is promised, as a misconfigured proxy does."""
    return HTMLResponse("<!doctype html><title>Welcome</title><h1>It works!</h1>")


async def delay() -> None:
    """Wait until every client has given up."""
    await asyncio.sleep(DELAY_S)
