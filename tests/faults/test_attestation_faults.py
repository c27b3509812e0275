"""A statement that holds and says the wrong thing is red; without one the item is pending."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.embedded import PROJECT
from reference.faults import FAULTS, attestations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CAUSES = {
    "penetration-test-date-passed": r"attests scheduled 2019-05-14$",
    "penetration-test-long-ago": r"attests done 2019-05-14$",
}
ITEM = attestations.PENETRATION_TEST
KEYWORDS = "test_penetration_test"

with_keys = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on this machine")


def test_every_fault_has_a_cause_here() -> None:
    assert {fault.name for fault in FAULTS.values() if ITEM in fault.items} == set(CAUSES)


@with_keys
@pytest.mark.parametrize("name", CAUSES)
def test_fault_turns_its_item_red_and_no_other(name: str, verdict_under: Callable[..., Any]) -> None:
    items = verdict_under("security", name, keywords=KEYWORDS)["items"]

    assert {item_id for item_id, item in items.items() if item["outcome"] == "FAILED"} == {ITEM}
    assert re.search(CAUSES[name], items[ITEM]["seen"]), items[ITEM]["seen"]


@with_keys
def test_healthy_release_is_attested(verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("security", keywords=KEYWORDS, n=2)
    item = verdict["items"][ITEM]

    assert (item["outcome"], item["settled"], item["action"]) == ("ATTESTED", True, "")
    assert item["reason"].startswith("attested by security-lead@example.org (Security Lead) on ")
    assert "Example attestation of the embedded reference release" in item["attestation"]["statement"]
    log = PROJECT / "reports" / "out" / "local" / verdict["release"] / verdict["run"] / "security.sarif"
    results = json.loads(log.read_text(encoding="utf-8"))["runs"][0]["results"]
    assert results
    assert ITEM not in {result["ruleId"] for result in results}
    assert any(line.startswith(f"{ITEM} is not observed, but attested") for line in verdict["limitations"])


def test_a_release_that_nobody_attests_is_held(
    verdict_under: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where there is no ssh-keygen, nothing is signed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    verdict = verdict_under("security", keywords=KEYWORDS)
    item = verdict["items"][ITEM]

    assert (item["outcome"], item["settled"], item["action"]) == ("PENDING", False, "HOLD")
    assert item["seen"].startswith("there is no ")
    assert "needs ssh-keygen" in item["next"]
    assert verdict["exit_code"] == 6
