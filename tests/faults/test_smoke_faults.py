"""Every fault of the smoke phase turns its items red, with a message that names the cause, and no other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

CAUSES = {
    "bom-list-500-when-not-empty": r"500; the body is",
    "bom-list-hides-error": r"200; error is",
    "bom-list-empty-forever": r"200 without it",
    "slow-bom-list": r"warehouse/bom did not answer within 5 s",
    "truncated-body": r"truncated its answer",
    "certificate-other-host": r"certificate for other\.example\.org, not for 127\.0\.0\.1",
    "certificate-expired": r"certificate that expired on",
    "connection-refused": r"refused the connection",
    "database-refused": r"503",
    "health-500": r"500; the body is",
    "health-ignores-database": r"answers 200, while database at \S+ refused the connection|503",
    "slow-health": r"health did not answer within 5 s",
    "hang": r"health did not answer within 5 s",
    "wrong-version": r"version 0\.9\.0",
    "wrong-environment": r"says that it is 'staging'",
    "wrong-commit": r"commit 0000000",
    "kanban-404": r"404; the body is",
    "kanban-empty-body": r"the body is empty",
    "html-instead-of-json": r"text/html",
    "redirect-loop": r"307, and redirects to",
    "order-create-500-commits": r"500",
    "order-create-200": r"200; the body is",
    "order-create-persists-nothing": r"answered 201, and reading it back answers 404",
    "order-create-stores-another-quantity": r"POST \S+ shows that planned_quantity is 11(\.0)?, sent was 10",
    "order-create-hidden-error": r"201; error is",
    "order-create-slow": r"did not answer within 5 s; it had been committed all the same",
    "order-delete-204-but-stays": r"1 in the database; its removal answered 204",
    "order-create-twice": r"^2: \d+, and with the same mark \d+",
    "order-create-without-id": r"201 without it",
    "order-read-shows-another": r"reading it back shows something else",
    "order-delete-500-done": r"500; the body is",
    "order-delete-200": r"^200; the body is application/json",
    "order-still-listed": r"it is still listed there, with its mark gonogo-",
    "kanban-as-text": r"text/plain",
    "sign-in-without-token": r"200 without a token",
    "sign-in-500": r"500; the body is",
    "login-html": r"text/html",
}
"""What the message of the red item says, as a pattern."""

ROLLS_BACK = {"SMK-1", "SMK-2"}
SMOKE = [fault for fault in FAULTS.values() if fault.phase == "smoke"]


def test_every_smoke_fault_has_a_cause_here() -> None:
    assert {fault.name for fault in SMOKE} == set(CAUSES)


@pytest.mark.parametrize("fault", SMOKE, ids=lambda fault: fault.name)
def test_fault_turns_its_items_red_and_no_other(fault: Any, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("smoke", fault.name)
    items = verdict["items"]
    red = {item_id for item_id, item in items.items() if item["outcome"] == "FAILED"}

    assert red == set(fault.items)
    assert verdict["exit_code"] == 1
    for item_id in red:
        assert re.search(CAUSES[fault.name], items[item_id]["seen"]), items[item_id]["seen"]
    expected = "rollback" if red & ROLLS_BACK and fault.name != "wrong-environment" else "hold"
    assert verdict["action"] == expected


def test_commit_behind_an_error_is_its_own_finding(verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("smoke", "order-create-500-commits", keywords="commits_nothing")
    (record,) = [record for record in verdict["records"] if record["outcome"] == "FAILED"]

    assert re.search(r"answered 500 and stored record \d+ all the same", record["seen"])


@pytest.mark.parametrize("n", [None, 2])
def test_healthy_release_is_go(n: int | None, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("smoke", n=n)

    assert (verdict["verdict"], verdict["action"], verdict["exit_code"]) == ("GO", "proceed", 0)
    assert {item["outcome"] for item in verdict["items"].values()} == {"PASSED"}
