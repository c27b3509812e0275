"""What other processes of a run do in the tests: ``python -m tests.probes.workers WHAT ARGUMENT...``."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures.ledger import Ledger
from fixtures.observation import NoAnswer
from fixtures.pace import Pace
from fixtures.run import Run, begin, keep_alive

if TYPE_CHECKING:
    from collections.abc import Callable


def say(text: object) -> None:
    """Tell the test something."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def observe(scratch: str, name: str) -> None:
    """Observe once, slowly, and print the fact."""
    run = Run("20261122T191500Z-3fa9", Path(scratch), datetime.now(UTC))

    def fact() -> str:
        with (run.scratch / "observations").open("a") as file:
            file.write("x")
        time.sleep(0.2)
        return f"fact of {os.getpid()}"

    say(run.once(name, fact, str))


def fail(scratch: str, name: str) -> None:
    """Observe something that does not answer."""
    run = Run("20261122T191500Z-3fa9", Path(scratch), datetime.now(UTC))

    def refused() -> str:
        raise NoAnswer("api", f"http://127.0.0.1:{os.getpid()}", "refused the connection")

    try:
        run.once(name, refused, str)
    except NoAnswer as error:
        say(error)


def hang(scratch: str, name: str) -> None:
    """Begin to observe, and never end."""
    run = Run("20261122T191500Z-3fa9", Path(scratch), datetime.now(UTC))

    def forever() -> str:
        say("observing")
        time.sleep(60)
        return ""

    run.once(name, forever, str)


def live() -> None:
    """Begin a run, and never end it."""
    run = begin()
    assert keep_alive(run.scratch) is not None
    say(run.scratch)
    time.sleep(60)


def take(scratch: str, requests: str) -> None:
    """Count requests."""
    pace = Pace(Path(scratch) / "requests.json", budget=100_000)
    for _ in range(int(requests)):
        pace.take("/", "GET /")


def write(folder: str, run: str, mark: str) -> None:
    """Expect a record in the ledger, and never come to its removal."""
    ledger = Ledger(Path(folder), run)
    entry = ledger.expect("order", mark, target="http://target", request="POST /orders", undo="delete")
    ledger.made(entry, "17")
    say("written")
    time.sleep(60)


WHAT: dict[str, Callable[..., None]] = {
    "observe": observe,
    "fail": fail,
    "hang": hang,
    "live": live,
    "take": take,
    "write": write,
}

if __name__ == "__main__":
    WHAT[sys.argv[1]](*sys.argv[2:])
