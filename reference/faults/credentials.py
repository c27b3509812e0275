"""Faults of credentials: keys and passwords that were not changed, or that nobody needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jwt

from reference.application import sessions
from reference.application.refusal import Refused
from reference.faults.access import Trust, alive, trusting
from reference.faults.registry import Fault, launch_fault, register
from reference.launch.postgres import APPLICATION, DATABASE

if TYPE_CHECKING:
    from reference.application.pool import Pool
    from reference.application.settings import Settings
    from reference.faults.registry import Table
    from reference.launch.plan import Plan

PHASE = "security"
TOKENS, PASSWORDS, KEYS = "SEC-PRE-4", "SEC-PRE-5", "SEC-PRE-6"


def with_sql(plan: Plan, *statements: str) -> Plan:
    """Return the plan of a release whose superuser has done this to the database."""
    return replace(plan, sql=(*plan.sql, *statements))


def keeping(plan: Plan, name: str) -> Plan:
    """Return the plan of a release before which one secret was not changed."""
    return replace(plan, kept=(*plan.kept, name))


# ---------------------------------------------------------------- tokens


@launch_fault("default-signing-key", TOKENS, phase=PHASE)
def default_signing_key(plan: Plan) -> Plan:
    """Tokens are signed with a key that stands in a manual."""
    return replace(plan, variables=plan.variables | {"JWT_SECRET": "your-256-bit-secret"})


@launch_fault("signing-key-kept", TOKENS, phase=PHASE)
def signing_key_kept(plan: Plan) -> Plan:
    """The key that signs tokens was not changed before the release."""
    return keeping(plan, "signing_key")


@launch_fault("signing-key-old", TOKENS, phase=PHASE)
def signing_key_old(plan: Plan) -> Plan:
    """The key that signs tokens is more than a year old."""
    return replace(plan, changed_days_ago=plan.changed_days_ago | {"signing_key": 400})


async def endless(encoded: str, pool: Pool, settings: Settings) -> sessions.User:
    """Take tokens that do not say when they end, and those that have not ended."""
    try:
        claims: dict[str, Any] = jwt.decode(encoded, settings.jwt_secret, [sessions.ALGORITHM])
    except jwt.InvalidTokenError:
        raise Refused(sessions.UNAUTHORIZED, "The token is not valid") from None
    if claims.get("typ") != "access":
        raise Refused(sessions.UNAUTHORIZED, "The token is not valid")
    return await alive(claims, pool)


async def crashing(encoded: str, pool: Pool, settings: Settings) -> sessions.User:
    """Look for the key of an algorithm before anything is known about that."""
    keys = {sessions.ALGORITHM: settings.jwt_secret}
    try:
        head = jwt.get_unverified_header(encoded)
    except jwt.InvalidTokenError:
        raise Refused(sessions.UNAUTHORIZED, "The token is not valid") from None
    return await sessions.user_of_token(
        encoded, "access", pool, replace(settings, jwt_secret=keys[head["alg"]])
    )


def token_fault(name: str, says: str, trust: Trust) -> None:
    """Register a rule by which all endpoints take tokens."""

    def bend(table: Table) -> Table:
        return trusting(table, trust)

    register(Fault(name, says, (TOKENS,), PHASE, bend_table=bend))


token_fault("endless-token-accepted", "A token that does not say when it ends is taken.", endless)
token_fault("strange-algorithm-500", "A token with an unknown algorithm is a server error.", crashing)


# ---------------------------------------------------------------- passwords


@launch_fault("database-password-kept", PASSWORDS, phase=PHASE)
def database_password_kept(plan: Plan) -> Plan:
    """The password of the application's role was not changed before the release."""
    return keeping(plan, "database_password")


@launch_fault("database-default-password", PASSWORDS, phase=PHASE)
def database_default_password(plan: Plan) -> Plan:
    """The database's superuser has its own name as the password."""
    return with_sql(plan, "ALTER ROLE postgres PASSWORD 'postgres'")


@launch_fault("database-trust", PASSWORDS, phase=PHASE)
def database_trust(plan: Plan) -> Plan:
    """The database asks nobody for a password."""
    write = "COPY (SELECT 'host all all all trust') TO %L"
    return with_sql(
        plan,
        f"DO $$ BEGIN EXECUTE format($f${write}$f$, current_setting('hba_file')); END $$",
        "SELECT pg_reload_conf()",
    )


@launch_fault("database-passwords-by-md5", PASSWORDS, phase=PHASE)
def database_passwords_by_md5(plan: Plan) -> Plan:
    """New passwords of the database are kept as MD5."""
    return with_sql(plan, f"ALTER DATABASE {DATABASE} SET password_encryption = 'md5'")


@launch_fault("application-role-superuser", PASSWORDS, phase=PHASE)
def application_role_superuser(plan: Plan) -> Plan:
    """The application is a superuser of the database."""
    return with_sql(plan, f"ALTER ROLE {APPLICATION} SUPERUSER")


@launch_fault("default-account", PASSWORDS, phase=PHASE)
def default_account(plan: Plan) -> Plan:
    """There is still the account test with the password test."""
    values = f"('test', '{sessions.hashed('test')}', 'no_rights')"
    return with_sql(plan, f"INSERT INTO users (username, password_hash, role) VALUES {values}")  # noqa: S608


# ---------------------------------------------------------------- API keys


@launch_fault("api-key-kept", KEYS, phase=PHASE)
def api_key_kept(plan: Plan) -> Plan:
    """The API key of the board's screens was not changed before the release."""
    return keeping(plan, "board_key")


@launch_fault("api-key-old", KEYS, phase=PHASE)
def api_key_old(plan: Plan) -> Plan:
    """The API key of the board's screens is more than a year old."""
    return replace(plan, changed_days_ago=plan.changed_days_ago | {"board": 400})
