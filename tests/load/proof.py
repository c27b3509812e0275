"""One load on a known server, in one call."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fixtures.load_profile import Load
from load.measure import Task, measure
from load.plan import Plan, Request, Stage
from load.result import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from load.verdict import Judgement

ONE = (Request("one", "GET", "/one", content_type="application/json"),)


@dataclass(frozen=True)
class Proof:
    p95: Judgement
    errors: Judgement
    told: dict[str, Any]
    judgements: tuple[Judgement, ...]

    def __str__(self) -> str:
        return f"{self.p95}\n{self.errors}\n{json.dumps(self.told['conduct'])}"


def open_plan(url: str, rate: float, seconds: float, *, warm_up_s: float = 0, **more: Any) -> Plan:
    warm = (Stage("warm_up", rate, warm_up_s),) if warm_up_s else ()
    plan: dict[str, Any] = {
        "requests": ONE,
        "users": 100,
        "end_s": warm_up_s + seconds,
        "warm_up_s": warm_up_s,
        "stages": (*warm, Stage("steady", rate, seconds)),
        "timeout_s": 10.0,
        # A machine that is busy with other tests wakes late now and then; the tests of this limit are pure.
        "late_ms": 100.0,
    }
    return Plan(base_url=url, mode="open", **(plan | more))


def closed_plan(url: str, users: int, seconds: float, **more: Any) -> Plan:
    plan: dict[str, Any] = {"requests": ONE, "end_s": seconds, "spawn_rate": float(users), "late_ms": 100.0}
    return Plan(base_url=url, mode="closed", users=users, **(plan | more))


def prove(
    folder: Path,
    plan: Plan,
    *,
    p95_ms: float = 200.0,
    error_ratio: float = 0.001,
    endpoints: Mapping[str, float] | None = None,
    declared_s: float | None = None,
    progress: Callable[[str], None] = lambda _line: None,
    **load: Any,
) -> Proof:
    limits = Limits(p95_ms, error_ratio, endpoints or {}, {})
    task = Task(plan, declared_s or plan.end_s, Load.model_validate(load), limits, {"profile": "proof"})
    found = measure(task, folder, progress)
    told = json.loads((folder / "load.json").read_text())
    return Proof(found.judgement("p95"), found.judgement("error ratio"), told, found.judgements)
