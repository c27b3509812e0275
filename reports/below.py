"""Passes in a lower environment that settle a writing check where nothing may be written.

They count only on the very same release: the same version, commit and image digests.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reports.files import LATEST, safe_name

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.environment import Environment
    from fixtures.release import Release


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
    file = out / safe_name(environment.lower) / safe_name(release.version) / LATEST / "verdict.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    same = (content["release"], content["commit"], content["images"]) == (
        release.version,
        release.commit or "",
        release.images,
    )
    passed = any(r["test"] == test and r["outcome"] == "PASSED" for r in content["records"])
    if not (same and passed):
        return ""
    run = content["run"]
    return f"nothing was written here: passed in {environment.lower} on the same release (run {run})"
