"""Where nothing may be written, a writing check is settled by a lower environment or not at all."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from reports.below import passed_below

if TYPE_CHECKING:
    from pathlib import Path

    from tests.suite.conftest import Suite


HOLD = 6


def writing(verdict: dict[str, Any]) -> dict[str, str]:
    """Return outcome and message of the checks that write."""
    return {
        record["test"]: f"{record['outcome']} {record['message']}"
        for record in verdict["records"]
        if "test_writes" in record["test"] or "a_record_of_this_run" in record["test"]
    }


def test_pass_in_the_lower_environment_settles_and_is_labelled(any_suite: Suite, variant: Any) -> None:
    name = f"lower-{uuid4().hex[:8]}"  # other tests are filed under "local", some of them red
    lower = variant(name=f'name = "{name}"')
    assert any_suite("-m", "smoke", f"--env={lower}").status == 0
    narrow = any_suite("-m", "smoke", "-k", "health", f"--env={lower}")
    assert narrow.status == HOLD, "a later run without the checks that write takes nothing back"
    upper = variant(name='name = "upper"', writes=f'writes = "never"\nlower = "{name}"')

    ended = any_suite("-m", "smoke", f"--env={upper}")

    assert ended.status == 0, ended.output
    assert ended.verdict["requests"]["sent"] < 10
    assert all(f"passed in {name} on the same release" in said for said in writing(ended.verdict).values())


def test_without_such_a_pass_it_is_unknown(any_suite: Suite, variant: Any) -> None:
    upper = variant(name='name = "upper"', writes='writes = "never"')

    ended = any_suite("-m", "smoke", f"--env={upper}")

    assert ended.status == HOLD, ended.output
    assert all(said.startswith("UNKNOWN") for said in writing(ended.verdict).values())


@pytest.mark.parametrize(
    ("commit", "images", "outcome", "settles"),
    [
        ("abc", {}, "PASSED", True),
        ("abd", {}, "PASSED", False),
        ("abc", {"backend": "sha256:1"}, "PASSED", False),
        ("abc", {}, "UNKNOWN", False),
        (None, {}, "PASSED", False),
    ],
)
def test_only_the_very_same_release_counts(
    commit: str | None, images: dict[str, str], outcome: str, settles: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "staging" / "1.0.0" / "20260101T000000Z-0001"
    folder.mkdir(parents=True)
    content = {
        "release": "1.0.0",
        "commit": "abc",
        "images": {},
        "run": "r",
        "records": [{"test": "t", "outcome": outcome}],
    }
    (folder / "verdict.json").write_text(json.dumps(content), "utf-8")
    environment: Any = SimpleNamespace(lower="staging")
    release: Any = SimpleNamespace(version="1.0.0", commit=commit, images=images)

    assert bool(passed_below(tmp_path, environment, release, "t")) is settles


def test_the_last_run_with_the_check_counts(tmp_path: Path) -> None:
    environment: Any = SimpleNamespace(lower="staging")
    release: Any = SimpleNamespace(version="1.0.0", commit="abc", images={})
    for run, records in (
        ("20260101T000000Z-0001", [{"test": "t", "outcome": "PASSED"}, {"test": "u", "outcome": "FAILED"}]),
        ("20260102T000000Z-0001", [{"test": "t", "outcome": "FAILED"}, {"test": "u", "outcome": "PASSED"}]),
        ("20260103T000000Z-0001", []),
    ):
        folder = tmp_path / "staging" / "1.0.0" / run
        folder.mkdir(parents=True)
        content = {"release": "1.0.0", "commit": "abc", "images": {}, "run": run, "records": records}
        (folder / "verdict.json").write_text(json.dumps(content), "utf-8")

    assert passed_below(tmp_path, environment, release, "t") == ""
    assert passed_below(tmp_path, environment, release, "u").endswith("(run 20260102T000000Z-0001)")
