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
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parents[2]


def judged(
    folder: Path,
    *,
    name: str,
    release: str,
    environment: str,
    url: str,
    secrets: Mapping[str, str],
    phase: str,
    only: str = "",
) -> list[dict[str, Any]]:
    """Return the records of one phase, without those that do not apply; the reports are removed.

    Args:
        folder: where the two files are to be.
        name: what the environment is called, besides the worker: two may ask at once.
        release: the text of the release file.
        environment: the text of the environment file, with ``{name}``, ``{release}`` and ``{url}``.
        url: the address of the system.
        secrets: variables that it refers to.
        phase: the marker.
        only: which checks, as ``-k`` has it.
    """
    name = f"{name}-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    (folder / "release.toml").write_text(release)
    (folder / "system.toml").write_text(environment.format(name=name, release="release.toml", url=url))
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
    shutil.rmtree(PROJECT / "reports" / "out" / name)
    assert not [key for key, secret in secrets.items() if secret in done.stdout + json.dumps(verdict)]
    found: list[dict[str, Any]] = verdict["records"]
    return [record for record in found if record["outcome"] != "NOT APPLICABLE"]
