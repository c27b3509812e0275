"""The janitor outlives what it watches, however short that lives, and its own end is told in one line."""

from __future__ import annotations

import io
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from reference.launch import janitor
from reference.launch.processes import ComponentFailed, Processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDED = 2**22 + 1  # above every pid of Linux


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    directory = tmp_path / "release"
    (directory / "log").mkdir(parents=True)
    started = Processes(directory)
    yield started
    started.end()
    assert not directory.exists()


def test_a_process_that_ends_while_it_is_looked_at_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "pid_exists", lambda _: True)  # it was there a moment ago
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["janitor", str(tmp_path / "release")])
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ENDED} 15\n"))
    (tmp_path / "release").mkdir()

    janitor.main()

    assert not (tmp_path / "release").exists()


def test_the_end_of_the_janitor_is_told_in_one_line(processes: Processes) -> None:
    processes.janitor.kill()
    processes.janitor.wait(5)

    with pytest.raises(ComponentFailed, match=r"^janitor ended unasked with status -9$"):
        processes.start("short", [sys.executable, "-c", ""], environ={})


def test_many_short_processes_leave_the_janitor_alive(processes: Processes) -> None:
    for number in range(30):
        short = processes.start(f"short-{number}", ["/bin/true"], environ={})
        processes.finish(short, 20)

    assert processes.janitor.poll() is None
