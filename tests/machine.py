"""What a test needs of its machine beyond Python: skipped where it is not there, but not in CI."""

from __future__ import annotations

import os
import shutil

import pytest

from fixtures.browser import EXECUTABLES

INSTALLED_ALL = "GONOGO_TESTS_SKIP_NOTHING"
"""Set by ``.ci/run``, which has installed everything: there a missing program is a failure."""


def needs(packages: str, *programs: str) -> pytest.MarkDecorator:
    """Return the mark of a test that needs programs of Debian packages, and root."""
    missing = [program for program in programs if shutil.which(program) is None]
    if os.geteuid() != 0:
        missing.append("root")
    return pytest.mark.skipif(
        bool(missing) and INSTALLED_ALL not in os.environ,
        reason=f"this machine lacks {', '.join(missing)}: apt-get install {packages}",
    )


def chromium() -> str:
    """Return the path of a browser; without one the test is skipped, and fails where all is installed."""
    for name in EXECUTABLES:
        if found := shutil.which(name):
            return found
    if INSTALLED_ALL in os.environ:
        pytest.fail("this machine has no browser, and should")
    pytest.skip("this machine has no browser: apt-get install chromium")
