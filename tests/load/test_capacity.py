from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fixtures.load_profile import Budget, Capacity, Load
from load.capacity import Step, explore, stepper, write
from load.measure import Task
from load.result import Limits
from load.verdict import Judgement, Outcome
from tests.load.known_server import known_server
from tests.load.proof import open_plan

if TYPE_CHECKING:
    from pathlib import Path

    from load.capacity import Knee


def judged(outcome: Outcome, value: float = 50.0) -> Judgement:
    return Judgement("p95", "", outcome, value, value - 1, value + 1, 200.0, "ms", samples=1000, bad=0)


def searched(
    knee_at: float, *, max_rate: float = 1000, max_duration_s: float = 1000, start: float = 10
) -> Knee:
    def step(rate: float) -> Step:
        outcome: Outcome = "GO" if rate <= knee_at else "NO-GO"
        return Step(rate, outcome, judged(outcome, rate), judged("GO"))

    profile = Capacity(mode="capacity", start_rate=start, step_s=8, factor=2, precision=0.1)
    return explore(profile, Budget(max_users=10, max_rate=max_rate, max_duration_s=max_duration_s), step)


@pytest.mark.parametrize("knee_at", [4, 10, 77, 640, 999])
def test_the_knee_is_found_as_precisely_as_wanted(knee_at: float) -> None:
    knee = searched(knee_at)

    assert knee.holds is not None
    assert knee.breaks is not None
    assert knee.holds <= knee_at < knee.breaks
    assert knee.breaks / knee.holds <= 1.1


def test_the_budget_is_never_exceeded() -> None:
    fast, short = searched(10_000, max_rate=300), searched(77, max_duration_s=35)

    assert fast.holds == 300
    assert fast.ended == "max_rate of the budget"
    assert max(step.rate for step in fast.steps) == 300
    assert len(short.steps) == 3
    assert short.ended == "max_duration_s of the budget"


def test_no_rate_that_holds_is_said_so(tmp_path: Path) -> None:
    knee = searched(0.001, max_duration_s=60)
    write(tmp_path, knee, {"environment": "x"})

    assert knee.holds is None
    assert "no rate was found" in json.loads((tmp_path / "capacity.json").read_text())["headline"]
    assert (tmp_path / "capacity.svg").read_text().startswith("<svg")


def test_a_real_knee_is_found(tmp_path: Path) -> None:
    """One connection of 50 ms each, four at a time: under 80 requests per second."""
    with known_server(ms=(50.0,)) as server:
        profile = Capacity(mode="capacity", start_rate=50, step_s=5, factor=1.9, precision=0.9)
        budget = Budget(max_users=4, max_rate=200, max_duration_s=15)
        task = Task(
            open_plan(server.url, 1, 1, users=4), 1, Load(budget=budget), Limits(200, 0.5, {}, {}), {}
        )
        knee = explore(profile, budget, stepper(task, profile, tmp_path, lambda _line: None))

    assert knee.holds == 50, knee
    assert knee.breaks is not None, knee
    assert knee.breaks >= 80
