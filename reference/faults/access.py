"""Faults of who gets in: permissions, tokens, sessions, registration."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import jwt
from pydantic import BaseModel
from starlette.responses import JSONResponse

from reference.application import sessions
from reference.application.models import AccessToken, Boms, RefreshWanted, SignInWanted, Tokens, Wanted
from reference.application.pool import Pool
from reference.application.refusal import Refused
from reference.application.table import Endpoint
from reference.faults import broken
from reference.faults.registry import Fault, answer_fault, register, sentence

if TYPE_CHECKING:
    from starlette.requests import Request

    from reference.application.settings import Settings
    from reference.application.table import Call, Handler
    from reference.faults.registry import BendTable, Result, Table

Trust: TypeAlias = Callable[[str, Pool, Any], Awaitable[sessions.User]]
"""Returns the user behind a token, given as sent, or refuses it."""

SHORT_S = 2
ACCESS = "VAL-ACC-1"


def table_fault(name: str, *items: str) -> Callable[[BendTable], BendTable]:
    """Register a function that changes the table of endpoints; its docstring is the sentence."""

    def decorate(bend: BendTable) -> BendTable:
        register(Fault(name, sentence(bend), items, "validation", bend_table=bend))
        return bend

    return decorate


# ---------------------------------------------------------------- permissions


def allowing(table: Table, name: str, *roles: str) -> Table:
    """Return the table with one endpoint open to these roles only."""
    return table | {name: replace(table[name], allowed=roles)}


@table_fault("role-too-many-reads", "REL-BOM-2")
def role_too_many_reads(table: Table) -> Table:
    """A planner may read a bill of materials."""
    return allowing(table, "read_bom", "admin", "warehouse", "ppic_manager")


@table_fault("role-too-many-creates", "REL-BOM-2")
def role_too_many_creates(table: Table) -> Table:
    """A planner may create a bill of materials."""
    return allowing(table, "create_bom", "admin", "warehouse", "ppic_manager")


@table_fault("role-too-many-removes", "REL-BOM-2")
def role_too_many_removes(table: Table) -> Table:
    """Every signed-in user may remove a bill of materials."""
    return allowing(table, "delete_bom")


@table_fault("role-too-many-acts", "REL-PPIC-2")
def role_too_many_acts(table: Table) -> Table:
    """The warehouse may approve a task."""
    return allowing(table, "approve_task", "admin", "ppic_manager", "warehouse")


@table_fault("role-too-many-orders", ACCESS)
def role_too_many_orders(table: Table) -> Table:
    """The warehouse may plan an order."""
    return allowing(table, "create_order", "admin", "ppic_manager", "warehouse")


@table_fault("role-too-few", "REL-BOM-2")
def role_too_few(table: Table) -> Table:
    """The administrator may not list bills of materials."""
    return allowing(table, "list_boms", "warehouse")


@answer_fault("another-body-for-one-role", "REL-BOM-2", endpoint="list_boms", phase="validation")
async def another_body_for_one_role(honest: Handler, call: Call) -> Result:
    """The administrator is shown the bills of materials as a bare list."""
    result = await honest(call)
    if not isinstance(result, Boms) or call.user is None or call.user.role != "admin":
        return result
    return JSONResponse([each.model_dump(mode="json") for each in result.items])


@table_fault("anonymous-read", ACCESS)
def anonymous_read(table: Table) -> Table:
    """Anybody may read the kanban board, without a token."""
    return table | {"list_cards": replace(table["list_cards"], allowed=None)}


@table_fault("anonymous-write", ACCESS)
def anonymous_write(table: Table) -> Table:
    """Anybody may reject a kanban card, without a token."""
    return table | {"reject_card": replace(table["reject_card"], allowed=None)}


class Figures(BaseModel):
    """Figures that nobody meant to publish."""

    open_orders: int


async def figures(call: Call) -> Figures:
    """Return how many orders there are."""
    async with call.pool.connection() as database:
        counted = await database.execute("SELECT count(*) AS n FROM manufacturing_orders")
        row = await counted.fetchone() or {"n": 0}
    return Figures(open_orders=row["n"])


@table_fault("undeclared-public-operation", ACCESS)
def undeclared_public_operation(table: Table) -> Table:
    """The OpenAPI document has an operation that nobody declared, and it answers without a token."""
    return table | {"figures": Endpoint("figures", "GET", "/api/v1/ppic/figures", figures, None, Figures)}


async def forget_figures(call: Call) -> None:
    """Forget the figures of one day, of which there are none."""


@table_fault("undeclared-public-write", ACCESS)
def undeclared_public_write(table: Table) -> Table:
    """The OpenAPI document has an operation that writes, nobody declared it, and it needs no token."""
    path = "/api/v1/ppic/figures/{id}"
    return table | {"forget_figures": Endpoint("forget_figures", "DELETE", path, forget_figures, None, None)}


# ---------------------------------------------------------------- signing in


@answer_fault("wrong-password-accepted", ACCESS, endpoint="sign_in", phase="validation")
async def wrong_password_accepted(_: Handler, call: Call) -> Result:
    """Signing in takes any password."""
    wanted = call.body(SignInWanted)
    async with call.pool.connection() as database:
        found = await database.execute("SELECT role FROM users WHERE username = %s", [wanted.username])
        row = await found.fetchone()
    if row is None:
        raise Refused(401, "Wrong username or password")
    return issued(wanted.username, row["role"], call.settings)


@answer_fault("unknown-user-500", ACCESS, endpoint="sign_in", phase="validation")
async def unknown_user_500(honest: Handler, call: Call) -> Result:
    """Signing in as an unknown user answers 500."""
    async with call.pool.connection() as database:
        wanted = call.body(SignInWanted).username
        found = await database.execute("SELECT 1 FROM users WHERE username = %s", [wanted])
        if await found.fetchone() is None:
            return broken.server_error()
    return await honest(call)


def issued(username: str, role: str, settings: Settings) -> Tokens:
    """Return the tokens of a new session."""
    user = sessions.User(username, role, secrets.token_hex(8))
    return Tokens(
        access_token=sessions.token(user, "access", settings),
        refresh_token=sessions.token(user, "refresh", settings),
        expires_in=settings.token_lifetime_min * 60,
    )


# ---------------------------------------------------------------- tokens


@dataclass(frozen=True)
class Trusting(Endpoint):
    """An endpoint that takes tokens as it should not."""

    trusts: Trust | None = None

    async def user(self, request: Request, pool: Pool, settings: Settings) -> sessions.User | None:
        """Return who calls, by the wrong rule."""
        if self.allowed is None or self.trusts is None:
            return None
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not encoded:
            raise Refused(sessions.UNAUTHORIZED, "Sign in first")
        user = await self.trusts(encoded, pool, settings)
        if self.allowed and user.role not in self.allowed:
            raise Refused(403, "Your role may not do this")
        return user


def token_fault(name: str) -> Callable[[Trust], Trust]:
    """Register a rule by which all endpoints take tokens; its docstring is the sentence."""

    def decorate(trust: Trust) -> Trust:
        register(
            Fault(
                name,
                sentence(trust),
                (ACCESS,),
                "validation",
                bend_table=lambda table: trusting(table, trust),
            )
        )
        return trust

    return decorate


def trusting(table: Table, trust: Trust) -> Table:
    """Return the table with every endpoint taking tokens by a rule."""
    return {
        name: Trusting(**{each.name: getattr(honest, each.name) for each in fields(Endpoint)}, trusts=trust)
        for name, honest in table.items()
    }


def unverified(encoded: str) -> sessions.User:
    """Return the user that a token names, whoever signed it."""
    try:
        claims = jwt.decode(encoded, options={"verify_signature": False, "verify_exp": True})
        return sessions.User(claims["sub"], claims["role"], claims["sid"])
    except (jwt.InvalidTokenError, KeyError):
        raise Refused(sessions.UNAUTHORIZED, "The token is not valid") from None


@token_fault("alg-none-accepted")
async def alg_none_accepted(encoded: str, pool: Pool, settings: Settings) -> sessions.User:
    """A token that says it needs no signature is taken."""
    try:
        needs_none = str(jwt.get_unverified_header(encoded).get("alg")).lower() == "none"
    except jwt.InvalidTokenError:
        needs_none = False
    return (
        unverified(encoded) if needs_none else await sessions.user_of_token(encoded, "access", pool, settings)
    )


@token_fault("signature-not-verified")
async def signature_not_verified(encoded: str, _: Pool, __: Settings) -> sessions.User:
    """Nobody looks at a token's signature."""
    await asyncio.sleep(0)
    return unverified(encoded)


@token_fault("refresh-token-as-access")
async def refresh_token_as_access(encoded: str, pool: Pool, settings: Settings) -> sessions.User:
    """A refresh token is taken in the place of an access token."""
    try:
        return await sessions.user_of_token(encoded, "access", pool, settings)
    except Refused:
        return await sessions.user_of_token(encoded, "refresh", pool, settings)


def reissuing(name: str, change: Callable[[dict[str, Any]], None], trust: Trust, says: str) -> None:
    """Register a fault of the claims in access tokens, which all endpoints take all the same."""

    def bend(table: Table) -> Table:
        honest = table["sign_in"]

        async def sign_in(call: Call) -> Result:
            tokens = await honest.handler(call)
            if not isinstance(tokens, Tokens):
                return tokens
            claims = jwt.decode(tokens.access_token, options={"verify_signature": False})
            change(claims)
            encoded = jwt.encode(claims, call.settings.jwt_secret, sessions.ALGORITHM)
            return tokens.model_copy(update={"access_token": encoded})

        return trusting(table | {"sign_in": replace(honest, handler=sign_in)}, trust)

    register(Fault(name, says, (ACCESS,), "validation", bend_table=bend))


def signed(encoded: str, settings: Settings, *, ends: bool = True) -> dict[str, Any]:
    """Return the claims of a token that we signed."""
    try:
        claims: dict[str, Any] = jwt.decode(
            encoded, settings.jwt_secret, [sessions.ALGORITHM], options={"verify_exp": ends}
        )
    except jwt.InvalidTokenError:
        raise Refused(sessions.UNAUTHORIZED, "The token is not valid") from None
    if claims.get("typ") != "access":
        raise Refused(sessions.UNAUTHORIZED, "The token is not valid")
    return claims


async def alive(claims: dict[str, Any], pool: Pool, role: str | None = None) -> sessions.User:
    """Return the user of a session, unless it has ended."""
    async with pool.connection() as database:
        ended = await database.execute("SELECT 1 FROM ended_sessions WHERE sid = %s", [claims["sid"]])
        if await ended.fetchone():
            raise Refused(sessions.UNAUTHORIZED, "The token is not valid")
    return sessions.User(claims["sub"], role or claims["role"], claims["sid"])


async def without_end(encoded: str, pool: Pool, settings: Settings) -> sessions.User:
    """Take tokens that never end."""
    return await alive(signed(encoded, settings, ends=False), pool)


async def by_name(encoded: str, pool: Pool, settings: Settings) -> sessions.User:
    """Take tokens without a role, and look it up."""
    claims = signed(encoded, settings)
    async with pool.connection() as database:
        found = await database.execute("SELECT role FROM users WHERE username = %s", [claims["sub"]])
        row = await found.fetchone() or {"role": ""}
    return await alive(claims, pool, row["role"])


def soon_over(claims: dict[str, Any]) -> None:
    """Let a token end in a moment."""
    claims["exp"] = datetime.now(UTC) + timedelta(seconds=SHORT_S)


def long_ago(claims: dict[str, Any]) -> None:
    """Let a token be issued and end last year."""
    claims["iat"] = datetime.now(UTC) - timedelta(days=365)


reissuing(
    "expired-token-accepted", soon_over, without_end, "Tokens end after 2 seconds, and are taken for ever."
)
reissuing("token-without-end", lambda claims: claims.pop("exp", None), without_end, "Tokens have no exp.")
reissuing(
    "token-without-role", lambda claims: claims.pop("role", None), by_name, "Tokens do not name the role."
)
reissuing("token-issued-last-year", long_ago, without_end, "Tokens say that they were issued last year.")


@answer_fault("sign-out-ends-nothing", ACCESS, endpoint="sign_out", phase="validation")
async def sign_out_ends_nothing(_: Handler, __: Call) -> Result:
    """Signing out answers 204, and the token stays good."""
    return None


@answer_fault("sign-out-leaves-refresh-token", ACCESS, endpoint="refresh", phase="validation")
async def sign_out_leaves_refresh_token(honest: Handler, call: Call) -> Result:
    """A session that was signed out can be renewed: its refresh token stays good."""
    try:
        return await honest(call)
    except Refused:
        encoded = call.body(RefreshWanted).refresh_token
        user = unverified(encoded)
        if jwt.decode(encoded, options={"verify_signature": False}).get("typ") != "refresh":
            raise
        renewed = replace(user, session=secrets.token_hex(8))
        return AccessToken(access_token=sessions.token(renewed, "access", call.settings), expires_in=60)


@answer_fault("access-token-as-refresh", ACCESS, endpoint="refresh", phase="validation")
async def access_token_as_refresh(honest: Handler, call: Call) -> Result:
    """An access token is taken in the place of a refresh token."""
    try:
        return await honest(call)
    except Refused:
        wanted = call.body(RefreshWanted)
        user = await sessions.user_of_token(wanted.refresh_token, "access", call.pool, call.settings)
        return AccessToken(access_token=sessions.token(user, "access", call.settings), expires_in=60)


# ---------------------------------------------------------------- registration


class AccountWanted(Wanted):
    """A new account."""

    username: str
    password: str
    role: str = "no_rights"


class Account(BaseModel):
    """An account."""

    id: int
    username: str


async def register_account(call: Call) -> Account:
    """Make an account, with whatever role is asked for."""
    wanted = call.body(AccountWanted)
    hashed = await asyncio.to_thread(sessions.hashed, wanted.password)
    async with call.pool.connection() as database:
        made = await database.execute(
            "INSERT INTO users (username, password_hash, role) VALUES (%s, %s, %s) RETURNING id",
            [wanted.username, hashed, wanted.role],
        )
        row = await made.fetchone() or {"id": 0}
    return Account(id=row["id"], username=wanted.username)


async def remove_account(call: Call) -> None:
    """Remove an account."""
    async with call.pool.connection() as database:
        await database.execute("DELETE FROM users WHERE id = %s", [call.id])


@table_fault("registration-with-any-role", ACCESS)
def registration_with_any_role(table: Table) -> Table:
    """Anybody may register an account, with a role of their own choice."""
    path = "/api/v1/users"
    one = path + "/{id}"
    return table | {
        "register": Endpoint(
            "register", "POST", path, register_account, None, Account, 201, takes=AccountWanted
        ),
        "remove_account": Endpoint("remove_account", "DELETE", one, remove_account, ("admin",), None, 204),
    }


# ---------------------------------------------------------------- the database behind it


@answer_fault("migration-left-out", "REL-BOM-2", endpoint="health", phase="validation")
async def migration_left_out(honest: Handler, call: Call) -> Result:
    """The database says that it is at the revision of the previous release."""
    async with call.pool.connection() as database:
        await database.execute("UPDATE alembic_version SET version_num = '0001_release_0_9_0'")
    return await honest(call)
