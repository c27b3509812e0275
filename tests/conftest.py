"""Settings of all tests: a machine that is busy with other tests makes no test fail."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "shared machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")


def pytest_xdist_auto_num_workers() -> int:
    """Return what ``-n auto`` is: half as many again as processors, for tests wait, too."""
    return (os.cpu_count() or 1) * 3 // 2
