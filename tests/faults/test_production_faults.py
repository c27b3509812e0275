"""Every fault of security after production turns its items red, with a message that names the cause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

EDGE, LOG, CONSOLE = "test_edge", "test_security_log", "test_console"
CAUSES = {
    "waf-only-detects": (EDGE, r"^script: the attack is answered 200, an ordinary request is answered 200$"),
    "waf-blocks-words": (EDGE, r"^script: an ordinary request is answered 403$"),
    "connections-unlimited": (EDGE, r"^19 of 19 were held, 0 refused"),
    "slow-requests-kept": ("test_slow_requests", r"still open after that"),
    "sentry-stopped": ("test_intrusion", r"^no process \d+$"),
    "sentry-hangs": ("test_intrusion", r"^there is no such file$"),
    "security-log-silent": (LOG, r"nothing after \d\.?\d? s; the sign-in was answered 401"),
    "security-log-anonymous": (LOG, r"nothing after \d\.?\d? s; the sign-in was answered 401"),
    "security-log-late": (LOG, r"nothing after \d\.?\d? s; the sign-in was answered 401"),
    "password-logged": (LOG, r"security\.log shows it: .*gonogo-"),
    "audit-empty": (LOG, r"creation: 0 new rows about it\n(.*\n)*removal: 0 new rows about it"),
    "console-without-password": (CONSOLE, r"answers 200 to anybody, and asks for nothing"),
    "console-public": (CONSOLE, r"/pgadmin/ shows 'Database console'"),
}
"""Which checks show a fault, and what the message of a red item says, as a pattern."""

JUDGED = {"SEC-POST-1", "SEC-POST-2", "SEC-POST-3", "SEC-POST-6", "DASH-4"}
FILES = "test_edge or test_slow_requests or test_intrusion or test_security_log or test_console"
ELSEWHERE = {"backend-reachable"}
"""Faults that other tests show too, and show there."""

MINE = [fault for fault in FAULTS.values() if set(fault.items) & JUDGED and fault.name not in ELSEWHERE]


def test_every_fault_has_a_cause_here() -> None:
    assert {fault.name for fault in MINE} == set(CAUSES)


@pytest.mark.parametrize("fault", MINE, ids=lambda fault: fault.name)
def test_fault_turns_its_items_red_and_no_other(fault: Any, verdict_under: Callable[..., Any]) -> None:
    keywords, cause = CAUSES[fault.name]
    verdict = verdict_under("security", fault.name, keywords=keywords)
    items = verdict["items"]
    red = {item_id for item_id, item in items.items() if item["outcome"] == "FAILED"}

    assert red == set(fault.items)
    for item_id in red:
        assert re.search(cause, _seen(verdict, item_id), re.MULTILINE), _seen(verdict, item_id)


def test_healthy_release_has_no_finding(verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("security", keywords=FILES, n=2)

    assert {item_id: verdict["items"][item_id]["outcome"] for item_id in JUDGED} == dict.fromkeys(
        JUDGED, "PASSED"
    )
    assert verdict["requests"]["sent"] < 80


def _seen(verdict: dict[str, Any], item_id: str) -> str:
    """Return what every failed check of an item has seen, one a line."""
    failed = [each for each in verdict["records"] if item_id in each["items"] and each["outcome"] == "FAILED"]
    return "\n".join(each["seen"] for each in failed)
