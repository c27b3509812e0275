"""Refuses a run that could give no verdict, or end with a status that looks like one: a usage error."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGURATION = Path(__file__).resolve().parents[1] / "pyproject.toml"

OURS = ("gonogo-", "fixtures.", "checks.", "load.", "reports.")
"""How the names of our own plugins begin."""

NEEDED = (
    "assertion",
    "capture",
    "junitxml",
    "pytest_html.plugin",
    "pytest_metadata.plugin",
    "pytest_timeout",
    "terminal",
)
"""The plugins of others that judge, end, redact or report a run."""

PLANS = frozenset(
    {"--co", "--collect-only", "--collectonly", "--fixtures", "--funcargs", "--fixtures-per-test"}
    | {"--markers", "--cache-show", "--help", "-h"}
)
"""Options that run no check and end with 0. A person may give them; a pipeline's variable may not."""


def refuse_weakened(config: pytest.Config) -> None:
    """Refuse to begin what cannot end in a verdict.

    Raises:
        pytest.UsageError: something was switched off that a verdict needs.
    """
    trouble = next(_troubles(config), None)
    if trouble:
        raise pytest.UsageError(trouble)


def _troubles(config: pytest.Config) -> Iterator[str]:
    if not __debug__:
        yield "python -O and PYTHONOPTIMIZE take the assertions out of the checks: run without them"
    off = [name.removeprefix("no:") for name in config.option.plugins if name.startswith("no:")]
    for name in off:
        if name.startswith(OURS) or name in NEEDED:
            yield f"-p no:{name}: the suite gives no verdict without this plugin"
    if config.inipath != CONFIGURATION or config.rootpath != CONFIGURATION.parent:
        found = f"{config.inipath or 'nothing'}, in {config.rootpath}"
        yield f"pytest is configured by {found}, and the suite by {CONFIGURATION}: leave -c and --rootdir out"
    method = getattr(config.option, "timeout_method", "none")
    if (method or config.getini("timeout_method")) != "signal":
        yield "the timeout method has to be signal: any other ends pytest like a NO-GO, or never"
    if config.option.env:
        for option in shlex.split(os.environ.get("PYTEST_ADDOPTS", "")):
            if option in PLANS:
                yield f"PYTEST_ADDOPTS holds {option}, which runs no check and ends with 0: give it by hand"
