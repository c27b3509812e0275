"""A ready-made environment file for a release that runs on its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL = Path(__file__).resolve().parents[2] / "fixtures" / "environments" / "local.toml"
SECRET = re.compile(r"_(password|key|dsn)$")


def write(directory: Path, values: Mapping[str, str]) -> Path:
    """Write ``environment.toml``, and each secret into a file of its own (0600) beside it.

    Args:
        directory: where to.
        values: what each ``embedded:NAME`` of ``local.toml`` stands for.

    Returns:
        The environment file.
    """
    secrets = directory / "secrets"
    secrets.mkdir(mode=0o700)

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if not SECRET.search(name):
            return f'"{values[name]}"'
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text(values[name])
        return f'"file:{secrets / name}"'

    text = re.sub(r'"embedded:(\w+)"', value, MODEL.read_text())
    path = directory / "environment.toml"
    path.write_text(text.replace('target = "embedded"', 'target = "deployed"'))
    return path
