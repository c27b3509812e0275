"""The load phase against the reference release: red under each fault, for its own item."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("fault", "red", "says"),
    [
        ("orders-slow", "LOAD-1", r"p95 \d+\.\d ms"),
        ("orders-fail-at-times", "LOAD-2", r"\d+ of [\d,]+ failed"),
    ],
)
def test_fault_turns_its_item_red(fault: str, red: str, says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "load", "--env=local"],
        cwd=PROJECT,
        env={**os.environ, "REFERENCE_FAULTS": fault},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    failed = set(re.findall(r"^(LOAD-\d)  severity 2  FAILED", done.stdout, re.MULTILINE))

    assert failed == {red}, done.stdout
    assert re.search(says, done.stdout), done.stdout
