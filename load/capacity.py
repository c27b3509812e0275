"""The search for the knee: the highest rate at which the limits still hold. Settles no item.

Steps grow by a factor until one is not GO, then the gap is halved until it is as narrow as wanted. Every
step is a load of its own, judged like any other; the budget ends the search.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from load.charts import capacity_chart
from load.measure import Task, measure
from load.plan import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.load_profile import Budget, Capacity
    from load.result import LoadResult
    from load.verdict import Judgement, Outcome

EVIDENCE = ("capacity.json", "capacity.svg")

_WARM_UP_S = 2.0  # connections are opened in it


@dataclass(frozen=True)
class Step:
    """One rate, and what became of it.

    Attributes:
        rate: requests per second.
        outcome: GO only if both p95 and error ratio are; NO-GO if one of them is.
        p95: the judgement of the latency.
        errors: the judgement of the failures.
    """

    rate: float
    outcome: Outcome
    p95: Judgement
    errors: Judgement


@dataclass(frozen=True)
class Knee:
    """The result of a search.

    Attributes:
        steps: in the order in which they were carried out.
        holds: the highest rate that is GO, with 95 % confidence; ``None``: none is.
        breaks: the lowest rate above it that is not GO; ``None``: none was found within the budget.
        ended: why the search ended.
    """

    steps: tuple[Step, ...]
    holds: float | None
    breaks: float | None
    ended: str

    def __str__(self) -> str:
        """Return the result in one sentence."""
        if self.holds is None:
            return f"no rate was found at which the limits hold with 95 % confidence ({self.ended})"
        upper = "" if self.breaks is None else f", and not at {self.breaks:,.1f}/s"
        holds = f"the limits hold at {self.holds:,.1f} requests per second with 95 % confidence"
        return f"{holds}{upper} ({self.ended})"


def explore(profile: Capacity, budget: Budget, step: Callable[[float], Step]) -> Knee:
    """Search for the knee.

    Args:
        profile: first rate, factor, length of a step, precision.
        budget: rates beyond ``max_rate`` are not tried; the steps together take at most ``max_duration_s``.
        step: carries out one rate.
    """
    assert budget.max_rate is not None
    steps: list[Step] = []
    holds: float | None = None
    breaks: float | None = None
    rate = float(profile.start_rate)
    cost_s = profile.step_s + _WARM_UP_S
    while (len(steps) + 1) * cost_s <= budget.max_duration_s:
        done = step(rate)
        steps.append(done)
        if done.outcome == "GO":
            holds = rate
        else:
            breaks = rate
        if holds is not None and holds >= budget.max_rate:
            return Knee(tuple(steps), holds, breaks, "max_rate of the budget")
        if holds is not None and breaks is not None and breaks / holds <= 1 + profile.precision:
            return Knee(tuple(steps), holds, breaks, "as precise as wanted")
        rate = _next(rate, holds, breaks, profile, budget.max_rate)
    return Knee(tuple(steps), holds, breaks, "max_duration_s of the budget")


def _next(rate: float, holds: float | None, breaks: float | None, profile: Capacity, most: float) -> float:
    if breaks is None:
        return min(rate * profile.factor, most)
    if holds is None:
        return rate / profile.factor
    return float((holds * breaks) ** 0.5)


def stepper(
    task: Task, profile: Capacity, folder: Path, progress: Callable[[str], None]
) -> Callable[[float], Step]:
    """Return what carries out one rate of a task."""

    def step(rate: float) -> Step:
        stages = (Stage("warm_up", rate, _WARM_UP_S), Stage("steady", rate, float(profile.step_s)))
        end_s = _WARM_UP_S + profile.step_s
        plan = replace(task.plan, stages=stages, warm_up_s=_WARM_UP_S, end_s=end_s)
        about = {**task.about, "rate": rate}
        found = measure(
            replace(task, plan=plan, declared_s=end_s, about=about), folder / f"rate-{rate:.1f}", progress
        )
        return Step(rate, _both(found), found.judgement("p95"), found.judgement("error ratio"))

    return step


def _both(found: LoadResult) -> Outcome:
    outcomes = {judgement.outcome for judgement in found.judgements}
    if "NO-GO" in outcomes:
        return "NO-GO"
    return "UNKNOWN" if "UNKNOWN" in outcomes else "GO"


def write(folder: Path, knee: Knee, about: dict[str, Any]) -> None:
    """Leave the evidence: see ``EVIDENCE``."""
    told = {"schema": "gonogo/capacity/1", **about, **asdict(knee), "headline": str(knee)}
    (folder / EVIDENCE[0]).write_text(json.dumps(told, indent=1), encoding="utf-8")
    points = [{**asdict(step.p95), "rate": step.rate, "outcome": step.outcome} for step in knee.steps]
    limit_ms = knee.steps[0].p95.limit if knee.steps else 0.0
    (folder / EVIDENCE[1]).write_text(capacity_chart(points, limit_ms), encoding="utf-8")
