"""The suite as a user runs it, on a system that it does not know."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROJECT = Path(__file__).resolve().parents[2]


def judged(
    folder: Path, *, release: str, environment: str, secrets: Mapping[str, str], phase: str, only: str = ""
) -> list[dict[str, Any]]:
    """Return the records of one phase; the run's report is removed.

    Args:
        folder: where the two files are to be.
        release: the text of the release file.
        environment: the text of the environment file, which names ``release.toml``.
        secrets: variables that it refers to; none of them may be told.
        phase: the marker.
        only: which checks, as ``-k`` has it.
    """
    (folder / "release.toml").write_text(release)
    (folder / "system.toml").write_text(environment)
    chosen = ["-k", only] if only else []
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", phase,
         f"--env={folder / 'system.toml'}", *chosen],
        cwd=PROJECT,
        env={**os.environ, **secrets},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )  # fmt: skip
    report = re.search(r"^report: (.+)/report\.html$", done.stdout, re.MULTILINE)
    assert report, done.stdout + done.stderr
    verdict = json.loads((PROJECT / report[1] / "verdict.json").read_text("utf-8"))
    shutil.rmtree(PROJECT / report[1])  # and no other: another test may run beside this one
    assert not [name for name, secret in secrets.items() if secret in done.stdout + json.dumps(verdict)]
    found: list[dict[str, Any]] = verdict["records"]
    return found


def applying(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records without those that do not apply."""
    return [record for record in records if record["outcome"] != "NOT APPLICABLE"]
