"""Runs the suite as a user does, against one reference release that all of these tests share."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.embedded import Embedded, launch

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """A run that has ended: its exit status, everything it printed, and ``verdict.json`` if it left one."""

    status: int
    output: str
    verdict: dict[str, Any]


Suite = Callable[..., Ended]


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """One reference release for the whole session."""
    running = launch(tmp_path_factory.mktemp("reference"))
    yield running
    running.stop()


def run_suite(*arguments: str, **variables: str) -> Ended:
    """Run ``pytest`` in the project with arguments and additional environment variables.

    What this process is told as a worker of its own run is not meant for the other.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=PROJECT,
        env={**inherited, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = done.stdout + done.stderr
    report = re.search(r"^report: (.+)/report\.html$", output, re.MULTILINE)
    content = json.loads((PROJECT / report[1] / "verdict.json").read_text("utf-8")) if report else {}
    return Ended(done.returncode, output, content)


@pytest.fixture
def any_suite() -> Suite:
    """Run the suite against whatever the arguments name."""
    return run_suite


@pytest.fixture
def suite(reference: Embedded) -> Suite:
    """Run the suite against the shared reference release."""
    environment = reference.values["environment_file"]
    return lambda *arguments, **variables: run_suite(f"--env={environment}", *arguments, **variables)


@pytest.fixture
def variant(reference: Embedded, tmp_path: Path) -> Callable[..., Path]:
    """Write a variant of the shared reference's environment file: each pair of texts is replaced."""

    def write(**replacements: str) -> Path:
        text = Path(reference.values["environment_file"]).read_text("utf-8")
        for key, line in replacements.items():
            text, count = re.subn(rf"(?m)^{key} = .*$", line, text, count=1)
            assert count == 1, key
        path = tmp_path / "variant.toml"
        path.write_text(text, "utf-8")
        return path

    return write
