"""A run is one thing in all of its processes, and leaves no private folder behind, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.observation import Absent, CannotObserve, NoAnswer
from fixtures.run import Run, begin, keep_alive, mark_age, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[2]


def worker(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.probes.workers", *map(str, arguments)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a worker, and return what it said."""
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    return output.strip()


@dataclass(frozen=True)
class Inner:
    body: bytes
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Outer:
    inner: Inner | None
    moment: datetime
    share: float
    named: dict[str, Inner]


# ---------------------------------------------------------------- once


def test_fact_is_the_same_in_another_process(run: Run) -> None:
    inner = Inner(b"\xff\x00 not text", (("a", "1"), ("a", "2")))
    fact = Outer(inner, datetime(2026, 11, 22, tzinfo=UTC), 0.1, {"x": inner})
    other = Run(run.id, run.scratch, run.started)

    assert run.once("fact", lambda: fact, Outer) is fact
    assert other.once("fact", lambda: pytest.fail("observed twice"), Outer) == fact


def test_two_workers_observe_once(run: Run) -> None:
    workers = [worker("observe", run.scratch, "slow") for _ in range(2)]

    facts = {said(process) for process in workers}

    assert len(facts) == 1
    assert (run.scratch / "observations").read_text() == "x"
    assert run.once("slow", lambda: "mine", str) in facts


def test_threads_of_a_worker_observe_once(run: Run) -> None:
    observed: list[int] = []

    def observe() -> int:
        observed.append(1)
        return len(observed)

    threads = [threading.Thread(target=lambda: run.once("n", observe, int)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert observed == [1]


@pytest.mark.parametrize(
    "error",
    [
        CannotObserve("a", "b", remedy="c"),
        NoAnswer("api", "http://a", "hung"),
        Absent("frontend", "there is none"),
    ],
)
def test_observation_without_a_fact_is_shared(error: CannotObserve | NoAnswer | Absent, run: Run) -> None:
    def observe() -> str:
        raise error

    for process in (run, run, Run(run.id, run.scratch, run.started)):
        with pytest.raises(type(error)) as raised:
            process.once("nothing", observe if process is run else lambda: "a fact", str)
        assert vars(raised.value) == vars(error)
        assert raised.value is not error  # no traceback of another check, and none that grows


def test_failure_without_a_fact_is_shared_between_workers(run: Run) -> None:
    first = said(worker("fail", run.scratch, "dead"))

    assert first.endswith("refused the connection")
    assert said(worker("fail", run.scratch, "dead")) == first


def test_our_own_failure_is_not_shared(run: Run) -> None:
    def broken() -> int:
        return 1 // 0

    with pytest.raises(ZeroDivisionError):
        run.once("n", broken, int)
    assert run.once("n", lambda: 5, int) == 5


def test_worker_that_is_killed_while_it_observes_leaves_it_to_the_next(run: Run) -> None:
    killed = worker("hang", run.scratch, "slow")
    assert killed.stdout is not None
    assert killed.stdout.readline() == "observing\n"
    killed.kill()
    killed.communicate()

    assert run.once("slow", lambda: "fact", str) == "fact"


def test_worker_that_outlives_its_run_says_so_and_makes_nothing_again(run: Run) -> None:
    run.scratch.rmdir()

    with pytest.raises(CannotObserve, match="the run has ended"):
        run.once("late", lambda: "fact", str)
    assert not run.scratch.exists()


def test_run_that_ends_during_an_observation_does_not_lose_it(run: Run) -> None:
    def observe() -> str:
        for file in run.scratch.iterdir():
            file.unlink()
        run.scratch.rmdir()
        return "fact"

    assert run.once("late", observe, str) == "fact"


# ---------------------------------------------------------------- marks


def test_mark_tells_its_age_and_its_run() -> None:
    began = datetime.now(UTC) - timedelta(hours=2)
    id_ = f"{began:%Y%m%dT%H%M%SZ}-3fa9"
    age = mark_age(f"gonogo-{id_}-7c2e")

    assert age is not None
    assert timedelta(hours=2) <= age < timedelta(hours=2, minutes=1)
    assert run_of(f"gonogo-{id_}-7c2e") == id_


@pytest.mark.parametrize(
    "text", ["", "gonogo", "gonogo-20261122", "gonogo-20269922T000000Z-0000", "x gonogo-"]
)
def test_what_is_no_mark_has_no_age(text: str) -> None:
    assert mark_age(text) is None


# ---------------------------------------------------------------- beginning and end


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_folder_of_a_killed_run_is_removed_by_the_next_and_no_other(temporary: Path) -> None:
    (temporary / "gonogo-of-somebody").mkdir()
    dead, live = worker("live"), worker("live")
    assert dead.stdout is not None
    assert live.stdout is not None
    left, kept = (Path(process.stdout.readline().strip()) for process in (dead, live))  # type: ignore[union-attr]
    try:
        dead.kill()
        dead.communicate()
        assert left.exists()

        run = begin()
        held = keep_alive(run.scratch)

        assert held is not None
        assert not left.exists()
        assert kept.exists()
        assert (temporary / "gonogo-of-somebody").exists()
        assert run.scratch.stat().st_mode & 0o777 == 0o700
        os.close(held)
    finally:
        live.kill()
        live.communicate()


PLUGIN = """
import pytest

pytest_plugins = ["fixtures.run"]

@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    from fixtures.options import ENVIRONMENT
    config.stash[ENVIRONMENT] = object()
"""

CHECKS = """
import os

def test_one(run):
    assert run.once("worker", lambda: os.getpid(), int)
    with open(run.scratch.parent / "seen", "a") as file:
        file.write(f"{run.scratch} {run.once('worker', os.getpid, int)}\\n")

test_two = test_three = test_four = test_one
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_plugin_gives_all_workers_one_run_and_removes_it(workers: str, temporary: Path) -> None:
    folder = temporary / "suite"
    folder.mkdir()
    (folder / "conftest.py").write_text(PLUGIN)
    (folder / "test_it.py").write_text(CHECKS)
    (folder / "pytest.ini").write_text("[pytest]\n")

    command = [sys.executable, "-m", "pytest", "-q", "--disable-plugin-autoload", "-p", "xdist"]
    subprocess.run(
        [*command, "-n", workers, "-p", "no:cacheprovider", folder],
        check=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
    )

    lines = (temporary / "seen").read_text().splitlines()
    assert len(lines) == 4
    assert len(set(lines)) == 1
    assert [path.name for path in temporary.glob("gonogo-*")] == []
