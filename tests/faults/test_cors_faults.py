"""Every fault of who may call from a browser turns SEC-PRE-2 red, by its cause.

Those that the validation phase sees too are registered there; here they are run in the security phase.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS, cors_security

if TYPE_CHECKING:
    from collections.abc import Callable

CAUSES = {
    "cors-open-on-errors": r"error from \S+ \(a stranger\): https://evil\.example with 40[14]",
    "cors-missing-on-errors": r"error from https://www\.production\.local \(promised\): nothing with 401",
    "cors-suffix": r"request from https://www\.production\.local\.evil\.example \(the name goes on\)",
    "cors-any-header": r"allows x-gonogo-unpromised",
}
"""What the message of a red item says, as a pattern."""


def test_every_fault_has_a_cause_here() -> None:
    assert {fault.name for fault in FAULTS.values() if cors_security.CORS in fault.items} <= set(CAUSES)


@pytest.mark.parametrize("name", CAUSES)
def test_fault_turns_its_item_red_and_no_other(name: str, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("security", name, keywords="test_cors")
    red = [each for each in verdict["records"] if each["outcome"] == "FAILED"]

    assert {item for each in red for item in each["items"]} == {cors_security.CORS}
    assert re.search(CAUSES[name], "\n".join(each["seen"] for each in red)), red


def test_healthy_release_lets_in_its_own_pages_only(verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("security", keywords="test_cors")

    assert {each["outcome"] for each in verdict["records"]} == {"PASSED"}
    assert verdict["items"][cors_security.CORS]["outcome"] == "PASSED"
