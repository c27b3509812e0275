"""Kills the process that runs the first check; of several workers only the first, as a machine would."""

import os
import signal

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker == "gw0":
        os.kill(os.getpid(), signal.SIGKILL)
    if worker is None:
        os.abort()
