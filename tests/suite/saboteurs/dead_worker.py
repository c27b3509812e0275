"""Kills the process that runs the first check."""

import os
import signal

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
    os.abort()
