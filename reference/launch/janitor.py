"""Ends processes and removes their folder, also when whoever started them was killed.

A janitor is a process of its own that reads ``PID SIGNAL`` lines from a pipe. The pipe ends when its
writer does, however that happens; then everything still there is ended.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence

POLITE_S = 3.0
KILLED_S = 5.0
POLL_S = 0.02


def end(processes: Sequence[tuple[psutil.Process, int]], directory: Path) -> None:
    """End every process, by its own signal first and by SIGKILL then, and remove the folder."""
    for process, polite in reversed(processes):
        send(process, polite)
    await_end(processes, POLITE_S)
    for process, _ in processes:
        if not gone(process):
            kill_group(process)
    await_end(processes, KILLED_S)
    remove(directory)


def await_end(processes: Sequence[tuple[psutil.Process, int]], within_s: float) -> None:
    """Wait until no process is left, or the time is up."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and not all(gone(process) for process, _ in processes):
        time.sleep(POLL_S)


def gone(process: psutil.Process) -> bool:
    """Return whether the process has ended; a reused number is another process."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def send(process: psutil.Process, number: int) -> None:
    """Send a signal to a process that may have ended."""
    if not gone(process):
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            return


def kill_group(process: psutil.Process) -> None:
    """Kill a process with its group, which it leads."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def remove(directory: Path) -> None:
    """Remove the folder; a dying process may still add a file meanwhile."""
    deadline = time.monotonic() + KILLED_S
    while directory.exists() and time.monotonic() < deadline:
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(POLL_S if directory.exists() else 0)


def main() -> None:
    """Read what is started from standard input, and end it when the input ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    started = []
    for line in sys.stdin:
        pid, polite = map(int, line.split())
        with suppress(psutil.NoSuchProcess):  # a short one may have ended before it is looked at
            started.append((psutil.Process(pid), polite))
    end(started, Path(sys.argv[1]))


if __name__ == "__main__":
    main()
