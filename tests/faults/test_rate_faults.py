"""Every fault of the rate limits, and of guessing passwords, turns its item red, by its cause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS, rate

if TYPE_CHECKING:
    from collections.abc import Callable

CAUSES = {
    "rate-limit-per-second": r"; at least \d{3} in \d+\.\d s",
    "rate-limit-missing": r"201 passed in \d+\.\d s, then: none was refused; at least 201 in",
    "rate-limit-by-forwarded-address": r"came 429; 20 of GET \S+ with X-Forwarded-For passed[\s\S]+"
    r"came 429; 20 of POST \S+/auth/login with X-Forwarded-For passed",
    "rate-limit-per-path": r"came 429; 20 of GET \S+ with another path passed in \d+\.\d s, and without it",
    "rate-limit-too-tight": r"\d+ passed in \d+\.\d s, then: answered 429, Retry-After: 1$",
    "rate-limit-without-retry-after": r"429, Retry-After: none",
    "rate-limit-without-recovery": r"after the wait, 0 passed .* after the wait, 0 passed",
    "sign-in-unlimited": r"/auth/login: 41 passed in \d+\.\d s, then: none was refused",
    "account-locked-by-anyone": r"10 wrong passwords \(10 x 401\) the right one of no_rights is answered 401",
    "unknown-user-quicker": r"known user takes \d+ ms, an unknown user \d+ ms .*; again, a wrong password",
}
"""What the message of a red item says, as a pattern."""

MINE = [fault for fault in FAULTS.values() if fault.name in CAUSES]


def test_every_fault_has_a_cause_here() -> None:
    assert {fault.name for fault in FAULTS.values() if rate.LIMIT in fault.items} <= set(CAUSES)
    assert {fault.name for fault in MINE} == set(CAUSES)


@pytest.mark.parametrize("fault", MINE, ids=lambda fault: fault.name)
def test_fault_turns_its_item_red_and_no_other(fault: Any, verdict_under: Callable[..., Any]) -> None:
    keywords = "test_rate_limit" if rate.LIMIT in fault.items else "test_sign_in_timing"
    verdict = verdict_under("security", fault.name, keywords=keywords)
    seen = [each["seen"] for each in verdict["records"] if each["outcome"] == "FAILED"]

    assert {name for name, item in verdict["items"].items() if item["outcome"] == "FAILED"} == set(
        fault.items
    )
    assert re.search(CAUSES[fault.name], "\n".join(seen)), seen


@pytest.mark.parametrize("n", [None, 2])
def test_healthy_release_keeps_its_limits(n: int | None, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("security", keywords="test_rate_limit or test_sign_in_timing", n=n)

    assert {each["outcome"] for each in verdict["records"]} == {"PASSED"}
    assert len(verdict["records"]) == 12
    assert verdict["requests"]["sent"] < 290
