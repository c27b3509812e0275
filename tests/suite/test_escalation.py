"""Contacts and rollback: red when somebody or something is missing, green when all is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.embedded import Embedded
    from tests.suite.conftest import Suite

PHASES = ("-m", "predeploy or rollback")
IDS = ("ESC-1", "ESC-2", "ESC-3", "ESC-4", "RBK-4")


def test_complete_escalation_is_green(suite: Suite) -> None:
    items = suite(*PHASES).verdict["items"]

    assert {item_id: items[item_id]["outcome"] for item_id in IDS} == dict.fromkeys(IDS, "PASSED")


@pytest.mark.parametrize(
    ("replacement", "red", "says"),
    [
        ({"respond_within_min": "respond_within_min = 6"}, "ESC-1", "within 6 minutes"),
        ({"within_min": "within_min = 30"}, "RBK-4", "within 30 minutes"),
    ],
)
def test_gap_in_the_escalation_is_red(
    replacement: dict[str, str], red: str, says: str, variant: Any, any_suite: Suite
) -> None:
    ended = any_suite(*PHASES, f"--env={variant(**replacement)}")
    failed = [item_id for item_id in IDS if ended.verdict["items"][item_id]["outcome"] == "FAILED"]

    assert failed == [red]
    assert says in ended.verdict["items"][red]["seen"]


@pytest.mark.parametrize(
    ("section", "red"),
    [("[rollback]", {"RBK-4"}), ("[escalation.3]", {"ESC-3"}), ("[escalation.1]", {"ESC-1", "RBK-4"})],
)
def test_missing_section_is_red(
    section: str, red: set[str], reference: Embedded, tmp_path: Path, any_suite: Suite
) -> None:
    text = Path(reference.values["environment_file"]).read_text("utf-8")
    before, _, after = text.partition(section)
    environment = tmp_path / "short.toml"
    environment.write_text(before + "[" + after.partition("\n[")[2] if "\n[" in after else before, "utf-8")

    ended = any_suite(*PHASES, f"--env={environment}")

    assert {item_id for item_id in IDS if ended.verdict["items"][item_id]["outcome"] == "FAILED"} == red
