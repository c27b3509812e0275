"""Passes in a lower environment that settle a writing check where nothing may be written.

They count only on the very same release: the same version, commit and image digests. Of several runs the
last one in which the check took part is what counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from reports.files import safe_name

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.environment import Environment
    from fixtures.release import Release

RUNS = "[0-9]*"
"""The folders of runs: their names begin with the time of their start."""


def passed_below(out: Path, environment: Environment, release: Release, test: str) -> str:
    """Return where a check has passed, as a sentence, or an empty string.

    Args:
        out: the folder of all runs.
        environment: the one that allows no writes and names a lower one.
        release: what is verified.
        test: the check's node id.
    """
    if environment.lower is None or not (release.commit or release.images):
        return ""
    runs = out / safe_name(environment.lower) / safe_name(release.version)
    same = (release.version, release.commit or "", tuple(sorted(release.images.items())))
    for folder in sorted(runs.glob(RUNS), reverse=True):
        run = _read(folder / "verdict.json")
        if run and run.same == same and test in run.outcomes:
            where = f"passed in {environment.lower} on the same release (run {folder.name})"
            return f"nothing was written here: {where}" if run.outcomes[test] == "PASSED" else ""
    return ""


@dataclass(frozen=True)
class _Run:
    """A run of the lower environment: what it was about, and the outcome of each check."""

    same: tuple[str, str, tuple[tuple[str, str], ...]]
    outcomes: dict[str, str]


@cache
def _read(file: Path) -> _Run | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return _Run(
        (content["release"], content["commit"], tuple(sorted(content["images"].items()))),
        {record["test"]: record["outcome"] for record in content["records"]},
    )
