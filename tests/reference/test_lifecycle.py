"""The reference release ends whole, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from fixtures.embedded import PROJECT, EmbeddedTargetError, launch

if TYPE_CHECKING:
    from collections.abc import Callable

WITHIN_S = 60


@dataclass(frozen=True)
class Running:
    """A supervisor, every process below it, and the folder they live in."""

    supervisor: subprocess.Popen[str]
    processes: list[psutil.Process]
    directory: Path

    def component(self, name: str) -> psutil.Process:
        return next(each for each in self.processes if name in " ".join(each.cmdline()))


def running(tmp_path: Path) -> Running:
    announcement = tmp_path / "announcement.json"
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "reference", "serve", "--lifeline", "--announce", announcement],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    eventually(lambda: announcement.exists() or supervisor.poll() is not None)
    assert announcement.stat().st_mode & 0o777 == 0o600
    values = json.loads(announcement.read_text())
    below = psutil.Process(supervisor.pid).children(recursive=True)
    return Running(supervisor, below, Path(values["environment_file"]).parent)


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def assert_nothing_is_left(run: Running) -> tuple[str, str]:
    run.supervisor.wait(WITHIN_S)
    output = run.supervisor.communicate()  # closes the lifeline, which may not be what ends it
    eventually(lambda: all(gone(each) for each in run.processes))
    eventually(lambda: not run.directory.exists())
    return output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(tmp_path: Path, number: int) -> None:
    run = running(tmp_path)
    assert len(run.processes) > 4

    run.supervisor.send_signal(number)

    output, errors = assert_nothing_is_left(run)
    assert run.supervisor.returncode == 0
    assert errors == ""
    assert "pytest -m smoke --env=" in output


def test_killing_the_supervisor_ends_everything(tmp_path: Path) -> None:
    run = running(tmp_path)

    run.supervisor.kill()

    assert_nothing_is_left(run)


@pytest.mark.parametrize("component", ["reference.worker", "reference.launch.janitor"])
def test_a_crash_of_one_ends_everything_and_is_named(tmp_path: Path, component: str) -> None:
    run = running(tmp_path)

    run.component(component).kill()

    _, errors = assert_nothing_is_left(run)
    assert run.supervisor.returncode == 1
    assert len(errors.splitlines()) == 1
    assert "ended unasked with status -9" in errors


def test_the_lifeline_may_end_before_anything_is_ready() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # the database's user has to pass
        supervisor = subprocess.run(
            [sys.executable, "-m", "reference", "serve", "--lifeline"],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"TMPDIR": folder},
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )

        assert (supervisor.returncode, supervisor.stdout, supervisor.stderr) == (0, b"", b"")
        assert list(Path(folder).iterdir()) == []


def test_what_does_not_start_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        EmbeddedTargetError, match="unknown fault 'helth-500'; the nearest is 'health-500'"
    ) as no:
        launch(tmp_path, ["helth-500"])
    assert "\n" not in str(no.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the database as somebody else")
def test_a_folder_that_the_database_cannot_reach_is_avoided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    embedded = launch(tmp_path)
    embedded.stop()

    assert tmp_path not in Path(embedded.values["environment_file"]).parents


def test_the_end_of_the_lifeline_ends_everything(tmp_path: Path) -> None:
    embedded = launch(tmp_path)
    directory = Path(embedded.values["environment_file"]).parent
    below = [
        each for each in psutil.Process().children(recursive=True) if str(directory) in str(each.cmdline())
    ]
    assert len(below) >= 3
    assert not (tmp_path / "embedded.json").exists()
    assert "password" not in repr(embedded)

    embedded.stop()

    assert all(gone(each) for each in below)
    assert not directory.exists()
