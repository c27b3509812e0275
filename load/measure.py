"""One load from beginning to end: carry out, judge, leave evidence. What plugin and command line share."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures.observation import CannotObserve
from load import result, runner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fixtures.load_profile import Load
    from load.plan import Plan
    from load.result import Limits, LoadResult
    from load.verdict import Judgement


@dataclass(frozen=True)
class Task:
    """What is to be measured.

    Attributes:
        plan: what the generators do.
        declared_s: the end of the declared load; the plan may go on beyond it, until the verdict is decided.
        load: how it is carried out.
        about: what the evidence says about itself: environment, release, run.
    """

    plan: Plan
    declared_s: float
    load: Load
    limits: Limits
    about: Mapping[str, Any]


def measure(task: Task, folder: Path, progress: Callable[[str], None]) -> LoadResult:
    """Put the load on the target and judge it. The folder keeps evidence and logs.

    Raises:
        runner.Interrupted: Ctrl-C; the evidence is partial, and there.
    """
    plan, looks = task.plan, result.looks_of(task.plan, task.declared_s)
    orders = runner.Orders(
        folder=folder,
        abort=task.load.abort,
        declared_s=task.declared_s,
        processes=task.load.processes,
        elsewhere=task.load.workers,
        decided=(lambda series, until_s: result.decided(plan, series, until_s, task.limits, looks))
        if looks > 1
        else None,
        progress=progress,
    )
    try:
        carried = runner.carry_out(plan, orders)
    except runner.Interrupted as stop:
        _leave(task, stop.carried, folder, looks)
        raise
    return _leave(task, carried, folder, looks)


def _leave(task: Task, carried: runner.Carried, folder: Path, looks: int) -> LoadResult:
    plan = replace(task.plan, generators=carried.generators)
    conduct = result.conduct_of(plan, carried)
    judgements = result.judge(plan, carried.series, carried.ended_s, task.limits, conduct, looks)
    told = result.evidence(plan, carried, conduct, judgements, task.about)
    if task.load.baseline:
        told["comparison"] = _comparison(judgements[0], Path(task.load.baseline))
    result.write(folder, told, carried.series)
    return result.LoadResult(
        profile=str(task.about.get("profile", "")),
        summary=result.summary(plan, conduct, told["total"]),
        judgements=judgements,
        folder=str(folder),
        why={"": told["total"]["why"], **{name: each["why"] for name, each in told["endpoints"].items()}},
    )


def _comparison(judged: Judgement, baseline: Path) -> str:
    try:
        return result.compared(judged, json.loads(baseline.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, StopIteration):
        return f"the baseline cannot be compared: {baseline.name} is not the load.json of an earlier run"


def settled(judgement: Judgement) -> Judgement:
    """Return a judgement that is GO or NO-GO.

    Raises:
        CannotObserve: it is UNKNOWN.
    """
    if judgement.outcome == "UNKNOWN":
        of = f" of {judgement.endpoint}" if judgement.endpoint else ""
        raise CannotObserve(f"judging the {judgement.claim}{of}", judgement.reason, remedy=judgement.remedy)
    return judgement
