"""Faults of a guard that sees another request than whoever answers it, and of old paths that live on so.

The proxy takes a request for another one, passes that on, and says so. The roles that may are looked up for
the request as it came. For one that nobody has thought of there is no rule: whoever is signed in is let in.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from reference.application import sessions
from reference.application.table import Endpoint
from reference.faults.registry import Fault, register

if TYPE_CHECKING:
    from starlette.requests import Request

    from reference.application.pool import Pool
    from reference.application.settings import Settings
    from reference.faults.registry import Table
    from reference.launch.plan import Plan

PHASE = "validation"
ACCESS, OLD_PATHS = "VAL-ACC-1", "REL-PATH-1"
BEFORE = "    upstream application {"
"""Where a map of the proxy is put in."""

PATH, METHOD = "$request_uri", "$http_x_http_method_override"
"""What of a request makes the proxy take it for another one."""


@dataclass(frozen=True)
class Misled(Endpoint):
    """An endpoint whose roles are looked up for the request as it came to the proxy."""

    async def user(self, request: Request, pool: Pool, settings: Settings) -> sessions.User | None:
        """Return who calls; where no rule fits the request, every signed-in user may."""
        if self.allowed is None or "x-came-as" not in request.headers:
            return await super().user(request, pool, settings)
        return await sessions.user_of(request.headers.get("authorization"), pool, settings)


def misled(table: Table) -> Table:
    """Return the table with every endpoint guarded by another request than it answers."""
    return {
        name: Misled(**{each.name: getattr(honest, each.name) for each in fields(Endpoint)})
        for name, honest in table.items()
    }


def taken_for_another(plan: Plan, value: str, pattern: str, meant: str) -> Plan:
    """Return the plan of a proxy that takes some requests for another one.

    Args:
        plan: the plan.
        value: what of a request is looked at.
        pattern: what that has to be like.
        meant: the path that the request is taken for, or the method.
    """
    maps = "".join(
        f'    map {value} ${name} {{\n        default "{usual}";\n        "{pattern}" "{then}";\n    }}\n'
        for name, usual, then in (
            ("meant", "$request_method" if value == METHOD else "", meant),
            ("came_as", "", "$request_method $request_uri"),
        )
    )
    passed = "proxy_method $meant;" if value == METHOD else "if ($meant) { rewrite ^ $meant break; }"
    return replace(
        plan,
        proxy_edits=(*plan.proxy_edits, ("nginx.conf", BEFORE, maps + BEFORE)),
        api_lines=(*plan.api_lines, "proxy_set_header X-Came-As $came_as;", passed),
    )


def guard_fault(name: str, says: str, value: str, pattern: str, meant: str) -> None:
    """Register a fault of a guard that does not know what a request is taken for."""

    def bend(plan: Plan) -> Plan:
        return taken_for_another(plan, value, pattern, meant)

    register(Fault(name, says, (ACCESS,), PHASE, bend_plan=bend, bend_table=misled))


def old_path_fault(name: str, says: str, value: str, pattern: str, rest: str = "$rest") -> None:
    """Register a fault of old paths that the proxy still knows; the rest is what comes after them."""

    def bend(plan: Plan) -> Plan:
        return taken_for_another(plan, value, pattern, f"/api/v1/ppic/kanban/{rest}")

    register(Fault(name, says, (OLD_PATHS,), PHASE, bend_plan=bend))


# ---------------------------------------------------------------- around roles

guard_fault(
    "guard-misses-slash",
    "A slash at the end is dropped, and no role is asked for with one.",
    PATH,
    r"~^(?<path>/api/[^?]+)/(\?|$)",
    "$path",
)
guard_fault(
    "guard-misses-doubled-slash",
    "Doubled slashes are merged, and no role is asked for with one.",
    PATH,
    r"~^/(?<path>/api/[^?]*)",
    "$path",
)
guard_fault(
    "guard-misses-case",
    "Orders are found in capitals too, and no role is asked for with them.",
    PATH,
    r"~^/api/v1/PPIC/MANUFACTURING-ORDERS(?<rest>[^?]*)",
    "/api/v1/ppic/manufacturing-orders$rest",
)
guard_fault(
    "guard-misses-path-parameter",
    "What follows a semicolon is dropped, and no role is asked for with one.",
    PATH,
    r"~^(?<path>/api/[^?;]+);",
    "$path",
)
guard_fault(
    "guard-misses-escape",
    "Escaped letters are resolved, and no role is asked for with one.",
    PATH,
    "~^/api/[^?]*%[67]",
    "$uri",
)
guard_fault(
    "guard-misses-way-up",
    "An escaped way up is cut off, and no role is asked for with one.",
    PATH,
    r"~^(?<path>/api/[^?]+)%2f\.\.(\?|$)",
    "$path",
)
guard_fault(
    "guard-misses-original-url",
    "A header names the path, and roles are asked for by the request line.",
    "$http_x_original_url",
    "~^(?<path>/api/[^?]+)",
    "$path",
)
guard_fault(
    "guard-misses-method-override",
    "A header names the method, and roles are asked for by the request line.",
    METHOD,
    "~^(?<method>[A-Z]+)$",
    "$method",
)
guard_fault(
    "guard-misses-head",
    "HEAD is answered as GET, and no role is asked for with it.",
    "$request_method",
    "HEAD",
    "$uri",
)

# ---------------------------------------------------------------- old paths

old_path_fault(
    "old-path-alive-with-slash",
    "The old paths of cards are alive with a slash at the end.",
    PATH,
    r"~^/api/v1/kanban/(?<rest>[^?]+)/(\?|$)",
)
old_path_fault(
    "old-path-alive-with-doubled-slash",
    "The old paths of cards are alive with a doubled slash.",
    PATH,
    "~^//api/v1/kanban/(?<rest>[^?]+)",
)
old_path_fault(
    "old-path-alive-in-capitals",
    "The old path of the board is alive in capitals.",
    PATH,
    "~^/api/v1/KANBAN/CARDS/ALL",
    "cards/all",
)
old_path_fault(
    "old-path-alive-for-head",
    "The old path of the board answers HEAD.",
    "$request_method$uri",
    "~^HEAD/api/v1/kanban/(?<rest>.+)",
)
