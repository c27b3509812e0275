"""Passwords, tokens and sessions. A session ends for good when its user signs out."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

import jwt

from reference.application.refusal import Refused

if TYPE_CHECKING:
    from reference.application.pool import Pool
    from reference.application.settings import Settings

ALGORITHM = "HS256"
UNAUTHORIZED = 401
# RFC 7914; 16 MiB and about 40 ms a hash. Half as costly as OWASP advises, for the sake of short runs.
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1
Kind: TypeAlias = Literal["access", "refresh"]
log = logging.getLogger("reference.sessions")


@dataclass(frozen=True)
class User:
    """A signed-in user, and the session that the token belongs to."""

    username: str
    role: str
    session: str


def hashed(password: str, salt: bytes | None = None) -> str:
    """Return ``salt$hash`` of a password, both in hex."""
    salt = secrets.token_bytes(16) if salt is None else salt
    digest = hashlib.scrypt(password.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)
    return f"{salt.hex()}${digest.hex()}"


NOBODY = hashed(secrets.token_hex())


def matches(password: str, stored: str | None) -> bool:
    """Return whether the password is right; an unknown user costs as much time as a known one."""
    salt = bytes.fromhex((stored or NOBODY).partition("$")[0])
    return hmac.compare_digest(hashed(password, salt), stored or NOBODY) and stored is not None


def token(user: User, kind: Kind, settings: Settings) -> str:
    """Return a signed token for the user's session."""
    lifetime_min = settings.token_lifetime_min if kind == "access" else settings.refresh_lifetime_min
    now = datetime.now(UTC)
    claims = {
        "sub": user.username,
        "role": user.role,
        "sid": user.session,
        "typ": kind,
        "iat": now,
        "exp": now + timedelta(minutes=lifetime_min),
        "jti": secrets.token_hex(8),
    }
    return jwt.encode(claims, settings.jwt_secret, ALGORITHM)


async def user_of(authorization: str | None, pool: Pool, settings: Settings) -> User:
    """Return the user behind an ``Authorization`` header.

    Raises:
        Refused: 401, the header is missing or its token is not a valid access token.
    """
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not encoded:
        raise Refused(UNAUTHORIZED, "Sign in first")
    return await user_of_token(encoded, "access", pool, settings)


def screen_of(key: str, settings: Settings) -> User:
    """Return the user that stands for the board's screens.

    Raises:
        Refused: 401, it is not their key.
    """
    if not hmac.compare_digest(key.encode(), settings.board_key.encode()):
        log.warning("API key refused")
        raise Refused(UNAUTHORIZED, "The key is not valid")
    return User("board", "board", "")


async def user_of_token(encoded: str, kind: Kind, pool: Pool, settings: Settings) -> User:
    """Return the user behind a token of the given kind, unless its session has ended.

    Raises:
        Refused: 401, and why is only in the log.
    """
    refused = Refused(UNAUTHORIZED, "The token is not valid")
    try:
        claims = jwt.decode(
            encoded,
            settings.jwt_secret,
            [ALGORITHM],
            options={"require": ["sub", "role", "sid", "typ", "iat", "exp", "jti"]},
        )
    except jwt.InvalidTokenError as error:
        log.warning("token refused: %s", type(error).__name__)
        raise refused from None
    if claims["typ"] != kind:
        log.warning("token refused: of kind %s where %s is wanted", claims["typ"], kind)
        raise refused
    user = User(claims["sub"], claims["role"], claims["sid"])
    async with pool.connection() as database:
        ended = await database.execute("SELECT 1 FROM ended_sessions WHERE sid = %s", [user.session])
        if await ended.fetchone():
            log.warning("token refused: its session has ended")
            raise refused
    return user
