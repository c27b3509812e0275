"""A run that is killed between creating and removing leaves nothing after the next run."""

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
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_next_run_removes_what_a_killed_run_left(workers: tuple[str, ...], slow: Embedded) -> None:
    killed = start(slow, *workers)
    assert eventually(lambda: marked(slow) == 1)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert marked(slow) == 1

    start(slow, *workers).wait(120)

    assert marked(slow) == 0
