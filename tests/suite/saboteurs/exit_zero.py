"""Ends pytest with status 0 in the middle of the run."""

import pytest


def pytest_runtest_logfinish() -> None:
    pytest.exit("enough", returncode=0)
