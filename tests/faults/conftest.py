"""Runs a phase against the reference release with faults, and hands the verdict to the test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

PROJECT = Path(__file__).resolve().parents[2]
RUN_WITHIN_S = 180


class VerdictUnder(Protocol):
    """Runs ``pytest -m PHASE --env=local`` under faults and returns ``verdict.json``."""

    def __call__(
        self, phase: str, *faults: str, keywords: str | None = None, n: int | None = None
    ) -> dict[str, Any]: ...


@pytest.fixture
def verdict_under() -> VerdictUnder:
    def run(phase: str, *faults: str, keywords: str | None = None, n: int | None = None) -> dict[str, Any]:
        options = [*(("-k", keywords) if keywords else ()), *(("-n", str(n)) if n else ())]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", phase, "--env=local", *options],
            cwd=PROJECT,
            env={**os.environ, "REFERENCE_FAULTS": ",".join(faults)},
            capture_output=True,
            text=True,
            timeout=RUN_WITHIN_S,
            check=False,
        )
        report = re.search(r"^report: (.+)/report\.html$", done.stdout, re.MULTILINE)
        assert report, f"no report; exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        content: dict[str, Any] = json.loads((PROJECT / report[1] / "verdict.json").read_text("utf-8"))
        assert content["exit_code"] == done.returncode
        return content

    return run


def failed(verdict: dict[str, Any]) -> set[str]:
    """Return the items that turned red."""
    return {item_id for item_id, item in verdict["items"].items() if item["outcome"] == "FAILED"}
