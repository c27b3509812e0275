"""An emulator of AWS for the tests that need one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.security.aws_account import Account


@pytest.fixture(scope="session")
def emulator() -> Iterator[Account]:
    from tests.security.aws_account import PROJECT, Account  # noqa: PLC0415  the SDK, which few tests need

    process = subprocess.Popen(
        [sys.executable, "-m", "tests.security.aws_emulator"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    with process.stdout:
        url = process.stdout.readline().strip()
    yield Account(url)
    process.kill()
    process.wait()


@pytest.fixture
def own_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The SDK finds nothing of this machine's own, and the environment file's references lead somewhere."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ID_TRIED", "AKIATRIED0000000000")
    monkeypatch.setenv("AWS_SECRET_TRIED", "tried-secret")


@pytest.fixture
def account(emulator: Account, own_keys: None) -> Iterator[Account]:  # noqa: ARG001  it is used with them
    """An account in which nothing is switched on."""
    emulator.post("/moto-api/reset", b"")
    yield emulator
    emulator.post("/moto-api/reset-auth", b"inf")
