"""Every fault that only a sweep shows turns its items red, with a message that names the place."""

from __future__ import annotations

import re
from inspect import getsource
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS, contract

if TYPE_CHECKING:
    from collections.abc import Callable

CAUSES = {
    "naive-timestamp-in-a-nested-field": r"cards/all: \$\.cards\[\d\]\.updated_at = '\S+' has no offset",
    "epoch-timestamp": r"created_at(: \d+ is not of type 'string'| = '\d+' is a number \(seconds)",
    "approval-without-offset": r"POST \S+/approve: \$\.created_at = '\S+' has no offset",
    "completion-in-utc": r"POST \S+/complete: \$\.created_at = '\S+\+00:00' has the offset \+00:00",
    "timestamps-in-utc": r"\{id\}: \$\.created_at = '\S+\+00:00' has the offset \+00:00, Asia/Jakarta",
    "wrong-offset-same-wall-clock": r"-25200 s apart",
    "bom-list-wrong-types": r"at \$\.items\[0\]\.qty_output: '\S+' is not of type 'number'",
    "bom-read-500-for-real-ids": r"warehouse/bom/\{id\} answers 500 instead of 200",
    "bom-read-is-a-stub": r"shows another record",
    "me-hides-error": r"auth/me carries an error: error is 'OperationalError",
    "task-read-as-html": r"tasks/\{id\} is text/html instead of application/json",
    "undeclared-operation-500": r"/api/v1/undeclared-operation-500 answers 500, the document promises 200",
    "undeclared-operation-breaks-schema": r"breaks its schema at \$: 'items' is a required property",
}
"""What the messages of the red items say, as a pattern."""

SWEEP = "test_contract or test_timestamps"
"""The checks of the sweep."""

FURTHER = {
    "epoch-timestamp": ("test_existing_orders", "REL-PPIC-2", r"created \d+, in the list \d{4}-"),
    "undeclared-operation-breaks-schema": ("test_roles", "VAL-ACC-1", r"answers 200 to anybody"),
}
"""Other checks that see a fault for a reason of their own: which, of which item, and what it says."""


def test_every_fault_has_a_cause_here() -> None:
    assert {name for name in FAULTS if f'"{name}"' in getsource(contract)} == set(CAUSES)


@pytest.mark.parametrize("name", CAUSES)
def test_fault_turns_its_items_red_and_no_other(name: str, verdict_under: Callable[..., Any]) -> None:
    more, further, cause = FURTHER.get(name, (SWEEP, "", ""))
    items = verdict_under("validation", name, keywords=f"{SWEEP} or {more}")["items"]
    red = {item_id for item_id, item in items.items() if item["outcome"] == "FAILED"}

    assert red == set(FAULTS[name].items)
    for item_id in red:
        pattern = cause if item_id == further else CAUSES[name]
        assert re.search(pattern, items[item_id]["seen"]), items[item_id]["seen"]


def test_without_a_fault_nothing_is_red(verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("validation", keywords=SWEEP)

    assert {record["outcome"] for record in verdict["records"]} <= {"PASSED", "NOT APPLICABLE"}


@pytest.mark.parametrize("name", ["undeclared-operation-500", "bom-read-500-for-real-ids"])
def test_the_first_quarter_of_an_hour_shows_it_too(name: str, verdict_under: Callable[..., Any]) -> None:
    items = verdict_under("postdeploy", name, keywords="test_immediate")["items"]

    assert items["POST-IMM-5"]["outcome"] == "FAILED"
    assert re.search(CAUSES[name], items["POST-IMM-5"]["seen"])
