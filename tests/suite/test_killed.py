"""A run that is ended between creating and removing leaves nothing, at the latest after the next run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from fixtures.embedded import Embedded, launch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(__file__).resolve().parents[2]
MARKED = "SELECT count(*) FROM manufacturing_orders WHERE notes LIKE 'gonogo-%'"


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Embedded]:
    """A reference release that stores an order and answers long after."""
    running = launch(tmp_path, ["order-create-slow"])
    yield running
    running.stop()


def marked(target: Embedded) -> int:
    with psycopg.connect(target.values["database_dsn"]) as session:
        row = session.execute(MARKED).fetchone()
    return int(row[0]) if row else -1


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def start(target: Embedded, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-m",
            "smoke",
            f"--env={target.values['environment_file']}",
            *arguments,
        ],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_next_run_removes_what_a_killed_run_left(workers: tuple[str, ...], slow: Embedded) -> None:
    killed = start(slow, *workers)
    assert eventually(lambda: marked(slow) == 1)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert marked(slow) == 1

    start(slow, *workers).communicate(timeout=120)

    assert marked(slow) == 0


@pytest.mark.parametrize(
    ("signals", "workers"),
    [
        pytest.param((signal.SIGTERM,), (), id="sigterm"),
        pytest.param((signal.SIGINT, signal.SIGINT), (), id="ctrl-c twice"),
        pytest.param((signal.SIGINT, signal.SIGTERM), ("-n", "2"), id="both, with workers"),
    ],
)
def test_interrupted_run_removes_what_it_made_and_holds(
    signals: tuple[signal.Signals, ...], workers: tuple[str, ...], slow: Embedded
) -> None:
    interrupted = start(slow, *workers)
    assert eventually(lambda: marked(slow) == 1)
    for number in signals:
        interrupted.send_signal(number)
        time.sleep(0.2)
    output = interrupted.communicate(timeout=60)[0].decode()

    assert interrupted.returncode == pytest.ExitCode.INTERRUPTED, output
    assert "HOLD PARTIAL  release 1.0.0 on local" in output
    assert "the run was interrupted" in output
    assert "Traceback" not in output
    assert marked(slow) == 0, output
