"""Faults of signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from reference.faults import broken
from reference.faults.registry import answer_fault

if TYPE_CHECKING:
    from reference.application.table import Call, Handler
    from reference.faults.registry import Result


@answer_fault("sign-in-without-token", "SMK-2", endpoint="sign_in")
async def sign_in_without_token(honest: Handler, call: Call) -> Result:
    """Signing in answers 200 without a token."""
    await honest(call)
    return JSONResponse({"token_type": "bearer"})


@answer_fault("sign-in-500", "SMK-2", endpoint="sign_in")
async def sign_in_500(_: Handler, __: Call) -> Result:
    """Signing in answers 500."""
    return broken.server_error()


@answer_fault("login-html", "SMK-2", endpoint="sign_in")
async def login_html(_: Handler, __: Call) -> Result:
    """Signing in answers 200 with an HTML page."""
    return broken.page()
