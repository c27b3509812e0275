"""Every fault of access turns its item red, and says why; without a fault nothing is red."""

from __future__ import annotations

import re
from inspect import getsource
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS, access

if TYPE_CHECKING:
    from collections.abc import Callable

KEYWORDS = "test_access or test_roles"
CAUSES = {
    "role-too-many-reads": r"ppic_manager may not, and is let in: 200",
    "role-too-many-creates": r"ppic_manager may not, and is (let in: 201|not refused for that: 409)",
    "role-too-many-removes": r"ppic_manager may not, and is let in: 204",
    "role-too-many-acts": r"warehouse may not, and is let in: 200",
    "role-too-many-orders": r"warehouse may not, and is let in: 201",
    "role-too-few": r"admin may, and is answered 403",
    "another-body-for-one-role": r"admin may, and is shown what breaks the contract: has no list in its",
    "anonymous-read": r"nobody \(no token\) may not, and is let in: 200",
    "anonymous-write": r"nobody \(no token\) may not, and is (let in: 200|not refused for that: 400)",
    "undeclared-public-operation": r"GET /api/v1/ppic/figures answers 200 to anybody",
    "undeclared-public-write": r"DELETE /api/v1/ppic/figures/\{id\} answers 200 to anybody",
    "wrong-password-accepted": r"200 with a token",
    "unknown-user-500": r"500; the body is",
    "alg-none-accepted": r"200 to a token with alg (none|None)",
    "signature-not-verified": r"200 to a token with (a changed|changed|an empty|a foreign) \w+",
    "expired-token-accepted": r"200 to an expired token, had by waiting for its end",
    "token-without-end": r"no time in exp",
    "token-without-role": r"no such claim",
    "token-issued-last-year": r"issued -\d+ s from now",
    "sign-out-ends-nothing": r"\d+ to the token after a sign-out that was answered 204",
    "sign-out-leaves-refresh-token": r"200 to the refresh token after a sign-out that was answered 204",
    "refresh-token-as-access": r"200 to a refresh token in the place of an access token",
    "access-token-as-refresh": r"200 to an access token in the place of a refresh token",
    "registration-with-any-role": r"POST /api/v1/users with role admin gives a token with role 'admin'",
    "migration-left-out": r"it is at 0001_release_0_9_0",
}
"""What the message of the red item says, as a pattern."""

LEFT_OPEN = {"registration-with-any-role": {"test_nothing_undeclared_is_written_by_anybody"}}
"""What else cannot be told: a registration nobody declared neither lets in nor refuses an empty request."""

ACCESS = [fault for fault in FAULTS.values() if fault.name in CAUSES]
JUDGED = {"VAL-ACC-1", "REL-BOM-2", "REL-PPIC-2"}


def test_every_fault_has_a_cause_here() -> None:
    assert {name for name in FAULTS if f'"{name}"' in getsource(access)} == set(CAUSES)


@pytest.mark.parametrize("fault", ACCESS, ids=lambda fault: fault.name)
def test_fault_turns_its_item_red(fault: Any, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("validation", fault.name, keywords=KEYWORDS)

    failed = [record for record in verdict["records"] if record["outcome"] == "FAILED"]
    red = {item_id for record in failed for item_id in record["items"]}
    assert red == set(fault.items), [(record["test"], record["seen"]) for record in failed]
    assert any(re.search(CAUSES[fault.name], record["seen"]) for record in failed), failed
    unknown = {record["test"] for record in verdict["records"] if record["outcome"] == "UNKNOWN"}
    assert {test.rpartition("::")[2] for test in unknown} == LEFT_OPEN.get(fault.name, set())


@pytest.mark.parametrize("n", [None, 2])
def test_healthy_release_is_green(n: int | None, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("validation", keywords=KEYWORDS, n=n)

    records = verdict["records"]
    assert {record["outcome"] for record in records} == {"PASSED", "NOT APPLICABLE"}
    assert {item_id for record in records for item_id in record["items"]} == JUDGED
    refused = [
        "test_expired_token_is_refused",  # its tokens live for a quarter of an hour
        "test_nothing_undeclared_is_public",  # its OpenAPI document has no more than its release file
        "test_nothing_undeclared_is_written_by_anybody",
        "test_registration_gives_no_privileged_role",
    ]
    absent = [record["test"] for record in records if record["outcome"] == "NOT APPLICABLE"]
    assert all(any(name in test for test in absent) for name in refused)
