"""One budget and one pace for all workers of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.observation import CannotObserve
from fixtures.pace import Pace, sent
from fixtures.place import Rate
from tests.probes.test_run import said, worker

if TYPE_CHECKING:
    from pathlib import Path


def test_workers_count_together(tmp_path: Path) -> None:
    for process in [worker("take", tmp_path, 3000) for _ in range(2)]:
        said(process)

    assert sent(tmp_path) == 6000


def test_nothing_has_been_sent_at_first(tmp_path: Path) -> None:
    assert sent(tmp_path) == 0


def test_budget_ends_the_run_s_requests(tmp_path: Path) -> None:
    pace = Pace(tmp_path / "requests.json", budget=3)
    for _ in range(3):
        pace.take("/", "GET /")

    with pytest.raises(CannotObserve, match="budget of 3 requests is used up"):
        pace.take("/", "GET /")
    assert sent(tmp_path) == 3


def test_request_waits_for_its_turn_if_that_is_not_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(tmp_path / "requests.json", budget=100, per_minute=2)
    pace.take("/", "GET /")
    clock.now += 50
    pace.take("/", "GET /")

    pace.take("/", "GET /")
    assert clock.slept_s == pytest.approx(11)  # the first leaves the window of 61 s

    with pytest.raises(CannotObserve, match=r"2 requests that the target allows in a minute.* in 50 s"):
        pace.take("/", "GET /")
    assert sent(tmp_path) == 3


def test_exempt_paths_and_verification_are_not_paced(tmp_path: Path) -> None:
    rate = Rate(requests_per_minute=1, exempt_paths=("/health",))
    paced = Pace.of(rate, tmp_path)
    for path in ("/health", "/health/live", "/orders"):
        paced.take(path, "GET")
    with pytest.raises(CannotObserve):
        paced.take("/healthy", "GET")

    verified = Rate.model_validate(
        {"requests_per_minute": 1, "verification": {"header": "X-V", "value": "env:V"}}
    )
    for _ in range(3):
        Pace.of(verified, tmp_path).take("/orders", "GET")
    assert sent(tmp_path) == 6


class Clock:
    """A clock that only sleeping and the test move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.slept_s = 0.0
        monkeypatch.setattr("fixtures.pace.time.monotonic", lambda: self.now)
        monkeypatch.setattr("fixtures.pace.time.sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.now += seconds
