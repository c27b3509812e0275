"""Faults of the page that only a browser shows: what its workers and sockets ask for, and what comes late.

The old path is put together at run time, so that no script names it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference.faults.registry import Fault, launch_fault, register
from reference.faults.security import with_location

if TYPE_CHECKING:
    from reference.launch.plan import Plan

PHASE = "validation"
FRONTEND = "REL-PATH-2"
SHOWN = "    showSignedIn(username);\n"
"""What the page does last when it shows the board."""

OLD_PATH = '["/api/v1", "kanban", "cards", "all"].join("/")'
LATE_MS = 2_400
"""Later than a page is usually busy, and earlier than nobody looks any more."""

NO_RULE = "/api/v1/ppic/kanban/summary"
"""A path that was never there."""


def page_fault(name: str, says: str, then: str, **files: str) -> None:
    """Register a fault of what the page does once it shows the board.

    Args:
        name: of the fault.
        says: its sentence.
        then: what the page does, in its own language.
        files: more scripts of the page, by their names without an ending.
    """

    def bend(plan: Plan) -> Plan:
        more = tuple((f"{file}.js", text) for file, text in files.items())
        edit = ("board.js", SHOWN, f"{SHOWN}    {then}\n")
        return replace(plan, page_edits=(*plan.page_edits, edit), more_pages=(*plan.more_pages, *more))

    register(Fault(name, says, (FRONTEND,), PHASE, bend_plan=bend))


def later(then: str) -> str:
    """Return what the page does, in its own language, so that it does it later."""
    return f"setTimeout(() => {{ {then} }}, {LATE_MS});"


# ---------------------------------------------------------------- who asks

FETCH = f"fetch({OLD_PATH}).catch(() => null);"
SOCKET = f'new WebSocket("wss://" + location.host + {OLD_PATH});'

page_fault(
    "service-worker-calls-old-path",
    "The service worker asks for the board on its old path.",
    'navigator.serviceWorker.register("/offline.js");',
    offline=FETCH,
)
page_fault(
    "web-worker-calls-old-path",
    "A worker of the page asks for the board on its old path.",
    'new Worker("/refresh.js");',
    refresh=FETCH,
)
page_fault(
    "shared-worker-calls-old-path",
    "A worker that pages share asks for the board on its old path.",
    'new SharedWorker("/refresh.js");',
    refresh=FETCH,
)
page_fault("web-socket-on-old-path", "The page opens a WebSocket on the old path of the board.", SOCKET)
page_fault(
    "web-socket-of-service-worker-on-old-path",
    "The service worker opens a WebSocket on the old path of the board.",
    'navigator.serviceWorker.register("/offline.js");',
    offline=SOCKET,
)

# ---------------------------------------------------------------- what goes wrong, and when

page_fault(
    "late-console-error",
    "The page logs an error a while after it shows the board.",
    later('console.error("the board cannot be refreshed");'),
)
page_fault(
    "late-rejection",
    "A while after the page shows the board, a promise is rejected that nobody looks at.",
    later('Promise.reject(new Error("the board is stale"));'),
)
page_fault(
    "service-worker-throws",
    "The service worker throws.",
    'navigator.serviceWorker.register("/offline.js");',
    offline='setTimeout(() => { throw new Error("no cache to be filled"); }, 100);',
)
page_fault(
    "late-request-fails",
    "A while after it shows the board, the page asks for what is not there.",
    later(f'fetch("{NO_RULE}").catch(() => null);'),
)
page_fault(
    "web-worker-request-fails",
    "A worker of the page asks for what is not there.",
    'new Worker("/refresh.js");',
    refresh=f'fetch("{NO_RULE}").catch(() => null);',
)


@launch_fault("board-stays-empty", FRONTEND, phase=PHASE)
def board_stays_empty(plan: Plan) -> Plan:
    """The page shows the board, and none of its cards."""
    edit = ("board.js", "for (const card of cards) {", "for (const card of []) {")
    return replace(plan, page_edits=(*plan.page_edits, edit))


@launch_fault("page-request-is-dropped", FRONTEND, phase=PHASE)
def page_request_is_dropped(plan: Plan) -> Plan:
    """The page asks for something, and the proxy closes the connection on it."""
    ask = f'fetch("{NO_RULE}").catch(() => null);'
    silent = with_location(plan, f"location = {NO_RULE} {{ return 444; }}")
    return replace(silent, page_edits=(*silent.page_edits, ("board.js", SHOWN, f"{SHOWN}    {ask}\n")))
