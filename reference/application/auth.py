"""Signing in and out."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING

from reference.application import security_log, sessions
from reference.application.models import AccessToken, Me, RefreshWanted, SignInWanted, Tokens
from reference.application.refusal import Refused
from reference.application.table import Endpoint

if TYPE_CHECKING:
    from reference.application.table import Call

log = logging.getLogger("reference.sessions")


async def sign_in(call: Call) -> Tokens:
    """Open a session."""
    wanted = call.body(SignInWanted)
    async with call.pool.connection() as database:
        found = await database.execute(
            "SELECT password_hash, role FROM users WHERE username = %s", [wanted.username]
        )
        row = await found.fetchone()
    stored = row["password_hash"] if row else None
    if not await asyncio.to_thread(sessions.matches, wanted.password, stored) or row is None:
        log.warning("sign-in refused for %r", wanted.username)
        security_log.note("sign_in_failed", wanted.username, call)
        raise Refused(sessions.UNAUTHORIZED, "Wrong username or password")
    user = sessions.User(wanted.username, row["role"], secrets.token_hex(8))
    log.info("%s signed in", user.username)
    return Tokens(
        access_token=sessions.token(user, "access", call.settings),
        refresh_token=sessions.token(user, "refresh", call.settings),
        expires_in=call.settings.token_lifetime_min * 60,
    )


async def refresh(call: Call) -> AccessToken:
    """Exchange a refresh token for a new access token of the same session."""
    wanted = call.body(RefreshWanted)
    user = await sessions.user_of_token(wanted.refresh_token, "refresh", call.pool, call.settings)
    return AccessToken(
        access_token=sessions.token(user, "access", call.settings),
        expires_in=call.settings.token_lifetime_min * 60,
    )


async def sign_out(call: Call) -> None:
    """End the session: none of its tokens is accepted again."""
    user = signed_in(call)
    async with call.pool.connection() as database:
        await database.execute("INSERT INTO ended_sessions (sid) VALUES (%s)", [user.session])
    log.info("%s signed out", user.username)


async def me(call: Call) -> Me:
    """Return who is signed in."""
    user = signed_in(call)
    return Me(username=user.username, role=user.role)


def signed_in(call: Call) -> sessions.User:
    """Return the caller of an endpoint that is not public."""
    if call.user is None:
        raise Refused(sessions.UNAUTHORIZED, "Sign in first")
    return call.user


ENDPOINTS = (
    Endpoint("sign_in", "POST", "/api/v1/auth/login", sign_in, None, Tokens, takes=SignInWanted),
    Endpoint("refresh", "POST", "/api/v1/auth/refresh", refresh, None, AccessToken, takes=RefreshWanted),
    Endpoint("sign_out", "POST", "/api/v1/auth/logout", sign_out, (), None, 204),
    Endpoint("me", "GET", "/api/v1/auth/me", me, (), Me),
)
