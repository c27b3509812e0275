"""Faults of old paths, of the page that may still use them, and of who may call from a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference.application import kanban, sessions
from reference.application.previous import OLD_CARDS
from reference.application.refusal import Refused
from reference.application.table import problem
from reference.faults.registry import Fault, launch_fault, register, sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference.application.table import Call, Endpoint
    from reference.faults.registry import BendTable, Result, Table
    from reference.launch.plan import Plan

PHASE = "validation"
NOTHING_HERE = "There is nothing here"
"""The words of the honest release for a path that it does not have."""


# ---------------------------------------------------------------- old paths


def old_path_fault(name: str, *further: str) -> Callable[[BendTable], BendTable]:
    """Register a function that brings old paths back, say; its docstring is the sentence."""

    def decorate(bend: BendTable) -> BendTable:
        register(Fault(name, sentence(bend), ("REL-PATH-1", *further), PHASE, bend_table=bend))
        return bend

    return decorate


def on_old_path(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint as it was before it moved."""
    return replace(endpoint, name=f"old_{endpoint.name}", path=endpoint.path.replace(kanban.PATH, OLD_CARDS))


def hidden(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that is not to be found by those who may not use it."""

    async def answer(call: Call) -> Result:
        try:
            user = await sessions.user_of(call.request.headers.get("authorization"), call.pool, call.settings)
        except Refused:
            return problem(404, NOTHING_HERE)
        if user.role not in (endpoint.allowed or ()):
            return problem(404, NOTHING_HERE)
        return await endpoint.handler(call)

    return replace(endpoint, handler=answer, allowed=None)


@old_path_fault("old-path-alive-for-post")
def old_path_alive_for_post(table: Table) -> Table:
    """Cards can still be approved on the old path, which answers no other method."""
    return table | {"old_approve_card": on_old_path(table["approve_card"])}


@old_path_fault("old-path-alive-with-token")
def old_path_alive_with_token(table: Table) -> Table:
    """The board is still on its old path, for those who are signed in and may see it."""
    return table | {"old_list_cards": hidden(on_old_path(table["list_cards"]))}


@old_path_fault("old-step-alive-with-token")
def old_step_alive_with_token(table: Table) -> Table:
    """Cards can still be rejected on the old path, and nobody else finds anything there."""
    return table | {"old_reject_card": hidden(on_old_path(table["reject_card"]))}


@old_path_fault("old-path-alive-for-another-method")
def old_path_alive_for_another_method(table: Table) -> Table:
    """The old path of the board answers PUT, a method that it never had."""
    board = on_old_path(table["list_cards"])
    return table | {"old_list_cards": replace(board, method="PUT")}


@old_path_fault("moved-path-missing", "VAL-ACC-1", "VAL-API-3")
def moved_path_missing(table: Table) -> Table:
    """Shipping a card has left its old path and not arrived on its new one."""
    return {name: endpoint for name, endpoint in table.items() if name != "ship_card"}


# ---------------------------------------------------------------- the page


@launch_fault("frontend-calls-old-path", "REL-PATH-2", phase=PHASE)
def frontend_calls_old_path(plan: Plan) -> Plan:
    """The page asks for the board on its old path."""
    edit = ("board.js", '"/ppic/kanban/cards/all"', '"/kanban/cards/all"')
    return replace(plan, page_edits=(*plan.page_edits, edit))


@launch_fault("console-error-on-board", "REL-PATH-2", phase=PHASE)
def console_error_on_board(plan: Plan) -> Plan:
    """The page shows the board and logs an error."""
    start = "async function showBoard() {"
    error = 'console.error("cannot read properties of undefined (reading zone)");'
    edit = ("board.js", start, f"{start}\n  {error}")
    return replace(plan, page_edits=(*plan.page_edits, edit))


@launch_fault("board-script-missing", "REL-PATH-2", phase=PHASE)
def board_script_missing(plan: Plan) -> Plan:
    """The page's script was not deployed."""
    return replace(plan, missing_pages=(*plan.missing_pages, "board.js"))


@launch_fault("page-missing", "REL-PATH-2", phase=PHASE)
def page_missing(plan: Plan) -> Plan:
    """The page was not deployed."""
    return replace(plan, missing_pages=(*plan.missing_pages, "index.html"))


# ---------------------------------------------------------------- cross-origin calls

OWN_POLICY = (
    "proxy_hide_header Access-Control-Allow-Origin;",
    "proxy_hide_header Access-Control-Allow-Credentials;",
)
"""The proxy takes the application's policy away, and has one of its own."""


def with_proxy_policy(plan: Plan, *lines: str) -> Plan:
    """Return the plan of a proxy that adds to the application's answers."""
    return replace(plan, api_lines=(*plan.api_lines, *OWN_POLICY, *lines))


@launch_fault("cors-echo", "REL-CORS-1", phase=PHASE)
def cors_echo(plan: Plan) -> Plan:
    """Every origin is allowed, by an echo of its name."""
    return with_proxy_policy(plan, "add_header Access-Control-Allow-Origin $http_origin always;")


@launch_fault("cors-echo-credentials", "REL-CORS-1", phase=PHASE)
def cors_echo_credentials(plan: Plan) -> Plan:
    """Every origin is allowed, cookies included."""
    return with_proxy_policy(
        plan,
        "add_header Access-Control-Allow-Origin $http_origin always;",
        "add_header Access-Control-Allow-Credentials true always;",
    )


@launch_fault("cors-star-credentials", "REL-CORS-1", phase=PHASE)
def cors_star_credentials(plan: Plan) -> Plan:
    """Any origin is allowed by a star, with credentials."""
    return with_proxy_policy(
        plan,
        "add_header Access-Control-Allow-Origin * always;",
        "add_header Access-Control-Allow-Credentials true always;",
    )


@launch_fault("cors-suffix", "REL-CORS-1", phase=PHASE)
def cors_suffix(plan: Plan) -> Plan:
    """Every origin is allowed that begins like one of production's."""
    return with_proxy_policy(
        plan,
        'set $granted "";',
        'if ($http_origin ~ "^https://(www|api)\\.production\\.local") { set $granted $http_origin; }',
        "add_header Access-Control-Allow-Origin $granted always;",
    )


@launch_fault("cors-null", "REL-CORS-1", phase=PHASE)
def cors_null(plan: Plan) -> Plan:
    """Sandboxed frames and local files, whose origin is null, are allowed."""
    return with_origins(plan, "null")


@launch_fault("cors-development-origin", "REL-CORS-1", phase=PHASE)
def cors_development_origin(plan: Plan) -> Plan:
    """The development server's origin is allowed in production."""
    return with_origins(plan, "http://localhost:3000")


@launch_fault("cors-staging-origin", "REL-CORS-1", phase=PHASE)
def cors_staging_origin(plan: Plan) -> Plan:
    """The staging environment's origin is allowed here."""
    return with_origins(plan, "https://www.staging.local")


@launch_fault("cors-without-scheme", "REL-CORS-1", phase=PHASE)
def cors_without_scheme(plan: Plan) -> Plan:
    """The origins are configured as the guide has them: without a scheme, so that no browser matches."""
    bare = plan.variables["CORS_ORIGINS"].replace("https://", "")
    return replace(plan, variables=plan.variables | {"CORS_ORIGINS": bare})


@launch_fault("cors-any-header", "REL-CORS-1", phase=PHASE)
def cors_any_header(plan: Plan) -> Plan:
    """Any request header is allowed."""
    return with_api_lines(
        plan,
        "proxy_hide_header Access-Control-Allow-Headers;",
        "add_header Access-Control-Allow-Headers $http_access_control_request_headers always;",
    )


@launch_fault("cors-any-method", "REL-CORS-1", phase=PHASE)
def cors_any_method(plan: Plan) -> Plan:
    """One method more is allowed than was promised."""
    return with_api_lines(
        plan,
        "proxy_hide_header Access-Control-Allow-Methods;",
        'add_header Access-Control-Allow-Methods "GET, POST, PUT, PATCH, DELETE, OPTIONS" always;',
    )


@launch_fault("cors-without-vary", "REL-CORS-1", phase=PHASE)
def cors_without_vary(plan: Plan) -> Plan:
    """A cache may give one origin's answer to another."""
    return with_api_lines(plan, "proxy_hide_header Vary;")


def with_api_lines(plan: Plan, *lines: str) -> Plan:
    """Return the plan of a proxy with more lines for the API."""
    return replace(plan, api_lines=(*plan.api_lines, *lines))


def with_origins(plan: Plan, *origins: str) -> Plan:
    """Return the plan of an application that allows more origins."""
    allowed = ",".join([plan.variables["CORS_ORIGINS"], *origins])
    return replace(plan, variables=plan.variables | {"CORS_ORIGINS": allowed})
