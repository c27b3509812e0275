"""Every fault of the flows turns its items red, in the check that names the cause, and no other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS, flows

if TYPE_CHECKING:
    from collections.abc import Callable

CAUSES = {
    "bom-update-500-commits": (
        "test_failed_bom_writes",
        r"update answered 500, and yet qty_output 1\.0 -> 2\.0",
    ),
    "bom-update-200-keeps-nothing": ("test_update_is_there_afterwards", r"qty_output is 1\.0, sent was 2"),
    "bom-update-keeps-revision": ("test_update_raises_the_revision", r"revision A after an update"),
    "bom-delete-204-but-stays": ("test_deleted_bom_is_gone", r"reading it answers 200"),
    "bom-delete-in-use-accepted": ("test_bom_in_use", r"204; .*; state active -> gone"),
    "bom-delete-in-use-400-commits": (
        "test_failed_bom_writes",
        r"delete in use answered 400, and yet .*gone",
    ),
    "bom-duplicate-accepted": ("test_second_active_bom", r"^201; "),
    "bom-duplicate-409-commits": ("test_failed_bom_writes", r"duplicate answered 409, and yet record \d+"),
    "bom-duplicate-of-another-type": ("test_second_active_bom_of_another_type", r"^201; "),
    "bom-created-twice-at-once": ("test_one_of_several_boms_at_once", r"^[2-5] times 201"),
    "bom-updates-lost-at-once": ("test_updates_at_once", r"^5 times 200; revisions (\w+), \1"),
    "bom-update-changes-more": (
        "test_update_changes_nothing_else",
        r"supports_multi_material is True, before it was False",
    ),
    "bom-negative-quantity-accepted": ("test_bad_input[create: negative quantity]", r"^201; "),
    "bom-absurd-quantity-accepted": ("test_bad_input[create: absurd quantity]", r"^201; "),
    "bom-update-absurd-quantity-accepted": ("test_bad_input[update: absurd quantity]", r"^200; .*qty_output"),
    "bom-deleted-answers-400": ("test_deleted_bom_is_gone", r"^reading it answers 400"),
    "bom-unknown-type-500": ("test_bad_input[create: unknown type]", r"^500; "),
    "bom-unknown-product-404": ("test_bom_of_an_unknown_product", r"^404; "),
    "bom-unknown-id-500": ("test_unknown_id[unknown id: read]", r"^500; "),
    "bom-unknown-id-200": ("test_unknown_id[unknown id: delete]", r"^204; "),
    "bom-list-ignores-filters": ("test_list_of_a_product", r"\d others, such as .*101"),
    "bom-list-limit-500": ("test_list_is_limited[list: 501]", r"^500; "),
    "bom-list-ignores-its-limit": ("test_list_goes_on_page_by_page", r"limit=1 shows \d+, \d+"),
    "bom-list-skips-nothing": ("test_list_goes_on_page_by_page", r"limit=1&skip=1 shows \d+$"),
    "bom-list-counts-its-page": ("test_list_goes_on_page_by_page", r"the totals are \d+, 1, 1"),
    "task-approve-twice": ("test_forbidden_transition[APPROVED-approve]", r"^200; .*in APPROVED now"),
    "task-start-without-approve": ("test_forbidden_transition[DRAFT-start]", r"^200; .*in IN_PROGRESS now"),
    "task-complete-without-start": ("test_forbidden_transition[APPROVED-complete]", r"^200; .*COMPLETED now"),
    "task-refused-but-committed": (
        "test_failed_task_writes",
        r"start in DRAFT answered 400, and yet state DRAFT -> IN_PROGRESS; tasks \d+ state",
    ),
    "task-approve-500-commits": ("test_failed_task_writes", r"approve answered 500, and yet state DRAFT"),
    "task-complete-200-stores-nothing": ("test_allowed_transition[complete]", r"^200; .* is in IN_PROGRESS"),
    "task-variance-ignored": ("test_variance_over_ten_per_cent[11 % over]", r"^200; .*COMPLETED now"),
    "task-approved-twice-at-once": ("test_transition_happens_once[approve]", r"^[2-5] times 200"),
    "task-approval-notes-lost": ("test_what_an_approval_says", r"approval_notes is None, sent was 'gonogo-"),
    "task-variance-at-its-limit": ("test_variance_of_ten_per_cent[10 % over]", r"^409; .*in IN_PROGRESS"),
    "order-removed-with-its-neighbours": ("test_order_stays_when_another", r"^404; "),
    "task-override-refused": ("test_variance_can_be_overridden", r"^409; "),
    "task-zero-quantity-accepted": ("test_bad_quantity[quantity 0]", r"^200; "),
    "task-unknown-id-500": ("test_unknown_task[unknown id: start]", r"^500; "),
    "order-negative-quantity-accepted": ("test_bad_order[order of -1]", r"^201; "),
    "order-absurd-quantity-accepted": ("test_bad_order[order of an absurd quantity]", r"^201; "),
    "existing-order-500": ("test_orders_of_before_the_release_can_be_read", r"order 1: 500; "),
    "existing-task-without-state": ("test_tasks_of_before", r"task of order 1: 200; .*\"state\":null"),
    "card-ship-before-approve": ("test_card_takes_no_other_way[new-ship]", r"^200; .*PENDING -> SHIPPED"),
    "card-reject-404": ("test_card_takes_its_way[new-reject]", r"^404; "),
    "card-receive-does-nothing": ("test_card_takes_its_way[shipped-receive]", r"^200; .*nothing has changed"),
    "card-refused-but-committed": (
        "test_failed_card_writes",
        r"ship when new answered 400, and yet state PENDING -> SHIPPED",
    ),
}
"""The check that names the cause (how its name begins, and its parameter), and what it says, as a pattern."""


LEFT_OPEN = {
    "bom-list-cuts-in-silence": ("test_list_is_limited[list: 501]", r"accepted, and \d+ are too few to see"),
}
"""Faults of which nobody can tell whether they are one, likewise: UNKNOWN, and never green."""

FURTHER = {
    "existing-order-500": "test_contract",  # the sweep reads an order that was there before
    "existing-task-without-state": "test_contract",
    "card-reject-404": "test_paths",  # a moved path is not found at its new place
}
"""Other checks that see a fault."""


def test_every_flow_fault_has_a_cause_here() -> None:
    assert {name for name in FAULTS if name.replace("-", "_") in vars(flows)} == {*CAUSES, *LEFT_OPEN}


@pytest.mark.parametrize("name", CAUSES)
def test_fault_turns_its_items_red_and_no_other(name: str, verdict_under: Callable[..., Any]) -> None:
    keywords = " or ".join(["flows", *([FURTHER[name]] if name in FURTHER else [])])
    verdict = verdict_under("validation", name, keywords=keywords)
    check, cause = CAUSES[name]
    function, _, parameter = check.rstrip("]").partition("[")
    red = [record for record in verdict["records"] if record["outcome"] == "FAILED"]
    named = [record for record in red if _is(record["test"], function, parameter)]

    assert {item_id for record in red for item_id in record["items"]} == set(FAULTS[name].items)
    assert [re.search(cause, record["seen"], re.DOTALL) for record in named].count(None) == 0, named
    assert named, [record["test"] for record in red]


@pytest.mark.parametrize("name", LEFT_OPEN)
def test_what_cannot_be_told_is_left_open(name: str, verdict_under: Callable[..., Any]) -> None:
    records = verdict_under("validation", name, keywords="flows")["records"]
    check, cause = LEFT_OPEN[name]
    function, _, parameter = check.rstrip("]").partition("[")
    (named,) = [record for record in records if _is(record["test"], function, parameter)]

    assert named["outcome"] == "UNKNOWN"
    assert re.search(cause, named["seen"])
    assert not [record["test"] for record in records if record["outcome"] == "FAILED"]


def _is(test: str, function: str, parameter: str) -> bool:
    name, _, given = test.rpartition("::")[2].rstrip("]").partition("[")
    return name.startswith(function) and given == parameter


@pytest.mark.parametrize("n", [None, 2])
def test_healthy_flows_pass(n: int | None, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("validation", keywords="flows", n=n)
    records = [record for record in verdict["records"] if "/flows/" in record["test"]]

    assert {record["outcome"] for record in records} == {"PASSED"}
    matrix = [shown for record in records for shown in record["exhibits"] if "matrix" in shown["title"]]
    assert [row[0] for row in matrix[0]["rows"]] == ["DRAFT", "APPROVED", "IN_PROGRESS", "COMPLETED"]
