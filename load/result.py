"""What a load came to: how it was carried out, the judgements, and the evidence of both."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass
from math import floor, log2
from typing import TYPE_CHECKING, Any

from load.plan import Plan, intended_requests
from load.series import Cell, Cells, Series, Worker, total_of
from load.verdict import P95, Conduct, Judgement, judge_errors, judge_p95

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from load.runner import Carried

SCHEMA = "gonogo/load/1"
EVIDENCE = ("load.json", "load-series.csv", "load-samples.json")
"""Files that ``write`` leaves: the result, one line per piece of time, and every bucket of every piece."""

_CPU_WINDOW_S = 5


@dataclass(frozen=True)
class Limits:
    """What is judged.

    Attributes:
        p95_ms: of all requests together.
        error_ratio: likewise.
        endpoint_p95_ms: endpoint name to its own limit.
        endpoint_error_ratio: likewise.
    """

    p95_ms: float
    error_ratio: float
    endpoint_p95_ms: Mapping[str, float]
    endpoint_error_ratio: Mapping[str, float]


@dataclass(frozen=True)
class LoadResult:
    """The fact that the checks of the load phase judge.

    Attributes:
        profile: name of the profile.
        summary: the load in one sentence.
        judgements: for all requests together, and for each endpoint with a limit of its own.
        folder: where the evidence is.
        why: endpoint (empty: all) to reason of failure to its count, the most frequent first.
    """

    profile: str
    summary: str
    judgements: tuple[Judgement, ...]
    folder: str
    why: dict[str, dict[str, int]]

    def reasons(self, endpoint: str = "") -> str:
        """Return why requests failed, the most frequent reason first; of all endpoints, or of one."""
        why = self.why.get(endpoint, {})
        return ", ".join(f"{count:,} x {reason}" for reason, count in why.items()) or "no reason was recorded"

    def judgement(self, claim: str, endpoint: str = "") -> Judgement:
        """Return the judgement of one claim.

        Raises:
            KeyError: there is none.
        """
        for judgement in self.judgements:
            if (judgement.claim, judgement.endpoint) == (claim, endpoint):
                return judgement
        raise KeyError(claim, endpoint)


def looks_of(plan: Plan, declared_s: float) -> int:
    """Return how often a verdict may be taken: at the declared end, each doubling of it, and the very end."""
    return 1 if plan.end_s <= declared_s else floor(log2(plan.end_s / declared_s)) + 2


def conduct_of(plan: Plan, carried: Carried) -> Conduct:
    """Return how the load was carried out."""
    series, workers = carried.series, list(carried.series.workers.values())
    start, end = series.window_s(plan.warm_up_s, carried.ended_s)
    judged = [total_of(cells) for cells in series.between(start, end)]
    sent = sum(cell.sent for cell in judged)
    limited = sum(cell.limited for cell in judged)
    finals = [worker.final for worker in workers if worker.final]
    removals = {life.delete.name for life in plan.lives}  # they come on top of the requests that are due
    due = sum(
        cell.sent - cell.limited
        for cells in series.between(start, end)
        for name, cell in cells.items()
        if name not in removals
    )
    if plan.mode == "open":
        intended, delivered, unit = (
            intended_requests(plan.stages, start, end),
            float(due),
            "requests",
        )
    else:
        intended, delivered, unit = (
            float(plan.users * (end - start)),
            _user_seconds(workers, start, end),
            "user-seconds",
        )
    problems = [problem for worker in workers for problem in worker.problems]
    return Conduct(
        intended=intended,
        delivered=delivered,
        unit=unit,
        expected_workers=plan.generators,
        final_workers=sum(_complete(worker) for worker in workers),
        lost=tuple(name for name, worker in series.workers.items() if not _complete(worker)),
        cpu_share=max((_busiest(worker, start, end) for worker in workers), default=0.0),
        late_share=max(
            (_ratio(final["late"], final["late"] + final["on_time"]) for final in finals), default=0.0
        ),
        pool_busy_share=_ratio(
            sum(final["busy"] for final in finals), sum(cell.sent for cell in _all(series))
        ),
        drift_s=max((final["drift_s"] for final in finals), default=0.0),
        start_spread_s=max((w.started_wall for w in workers), default=0.0)
        - min((w.started_wall for w in workers), default=0.0),
        limited_share=_ratio(limited, sent),
        problems=(*problems, *([carried.trouble] if carried.trouble else [])),
        interrupted=carried.interrupted,
        aborted=carried.aborted,
        rate=_ratio(sum(cell.answered for cell in judged), end - start),
    )


def judge(
    plan: Plan, series: Series, ended_s: float, limits: Limits, conduct: Conduct, looks: int = 1
) -> tuple[Judgement, ...]:
    """Judge all claims on the samples between warm-up and end."""
    pieces = series.between(plan.warm_up_s, ended_s)
    whole = [total_of(cells) for cells in pieces]

    def of(name: str) -> list[Cell]:
        return [cells.get(name, Cell()) for cells in pieces]

    return (
        judge_p95(whole, limits.p95_ms, conduct, looks=looks),
        judge_errors(whole, limits.error_ratio, conduct, looks=looks),
        *(
            judge_p95(of(name), limit, conduct, endpoint=name, looks=looks)
            for name, limit in limits.endpoint_p95_ms.items()
        ),
        *(
            judge_errors(of(name), limit, conduct, endpoint=name, looks=looks)
            for name, limit in limits.endpoint_error_ratio.items()
        ),
    )


def decided(plan: Plan, series: Series, until_s: float, limits: Limits, looks: int) -> bool:
    """Return whether more samples would change nothing. Conduct is judged at the end."""
    fit = Conduct(1, 1, expected_workers=0, final_workers=0)
    return all(each.outcome != "UNKNOWN" for each in judge(plan, series, until_s, limits, fit, looks))


def evidence(
    plan: Plan, carried: Carried, conduct: Conduct, judgements: Sequence[Judgement], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Return everything that a reader of the run may want, as JSON built-ins.

    Args:
        plan: what was to be done.
        carried: what came of it.
        conduct: how it was carried out.
        judgements: p95 and error ratio of all requests first.
        about: what the caller knows: environment, release, run, profile and so on.
    """
    series = carried.series
    start, end = series.window_s(plan.warm_up_s, carried.ended_s)
    judged = _summed(series.between(start, end))
    finals = [worker.final or {} for worker in series.workers.values()]
    return {
        "schema": SCHEMA,
        **about,
        "sent": sum(cell.sent for cell in _all(series)),
        "mode": plan.mode,
        "users": plan.users,
        "think_s": list(plan.think_s),
        "stages": [asdict(stage) for stage in plan.stages],
        "window_s": [start, end],
        "piece_s": series.width_s,
        "limit_p95_ms": judgements[0].limit,
        "limit_error_ratio": judgements[1].limit,
        "conduct": {**asdict(conduct), "delivered_share": conduct.delivered_share},
        "judgements": [asdict(judgement) for judgement in judgements],
        "total": figures(total_of(judged)),
        "endpoints": {name: figures(cell) for name, cell in sorted(judged.items())},
        "by_stage": _by_stage(plan, series, carried.ended_s),
        "series": [
            {"second": second, **_point(total_of(cells), series.width_s)}
            for second, cells in _timeline(series, carried)
        ],
        "histogram": total_of(judged).ok.to_json(),
        "hdr": {name: cell.ok.encode() for name, cell in sorted(judged.items())},
        "generators": {
            name: {
                "cpu_share": [round(each.cpu_share, 3) for each in worker.health],
                "complete": _complete(worker),
            }
            for name, worker in series.workers.items()
        },
        "left_out": sorted({name for final in finals for name in final.get("left_out", [])}),
    }


def figures(cell: Cell) -> dict[str, Any]:
    """Return counts and percentiles (milliseconds) of some samples."""
    return {
        "samples": cell.answered,
        "failed": cell.failed.total,
        "unfinished": cell.unfinished.total,
        "limited": cell.limited,
        "error_ratio": _ratio(cell.failed.total, cell.answered),
        **{f"p{share * 100:g}_ms": cell.ok.quantile_ms(share) for share in (0.5, 0.9, 0.95, 0.99, 0.999)},
        "max_ms": cell.ok.quantile_ms(1.0),
        "failed_p95_ms": cell.failed.quantile_ms(P95),
        "service_p95_ms": cell.service.quantile_ms(P95),
        "why": dict(cell.why.most_common(10)),
    }


def compared(now: Judgement, earlier: Mapping[str, Any]) -> str:
    """Return how the p95 compares with an earlier run's evidence, in one sentence."""
    was = next(each for each in earlier["judgements"] if each["claim"] == "p95" and not each["endpoint"])
    if None in (now.lower, now.upper, was["lower"], was["upper"]):
        return "the baseline cannot be compared: too few samples"
    assert now.lower is not None
    assert now.upper is not None
    words = f"p95 {now.value:.1f} ms now, {was['value']:.1f} ms in the baseline"
    if now.lower > was["upper"]:
        return f"slower than the baseline beyond doubt: {words}"
    if now.upper < was["lower"]:
        return f"faster than the baseline beyond doubt: {words}"
    return f"not distinguishable from the baseline: {words}"


def summary(plan: Plan, conduct: Conduct, total: Mapping[str, Any]) -> str:
    """Return the load in one sentence."""
    p95 = "no p95" if total["p95_ms"] is None else f"p95 {total['p95_ms']:.1f} ms"
    pace = f"{plan.users} users" if plan.mode == "closed" else f"{conduct.rate:,.1f} requests/s"
    return f"{pace}, {total['samples']:,} answers, {p95}, {total['failed']:,} failed"


def write(folder: Path, told: Mapping[str, Any], series: Series) -> None:
    """Leave the evidence in a folder: see ``EVIDENCE``. Each file appears whole."""
    table = io.StringIO()
    points = told["series"]
    if points:
        rows = csv.DictWriter(table, fieldnames=list(points[0]), lineterminator="\n")
        rows.writeheader()
        rows.writerows(points)
    samples = {
        "schema": "gonogo/load-samples/1",
        "piece_s": series.width_s,
        "pieces": {
            str(number * series.width_s): {name: cell.to_json() for name, cell in cells.items()}
            for number, cells in sorted(series.pieces.items())
        },
    }
    for name, content in zip(
        EVIDENCE, (json.dumps(told, indent=1), table.getvalue(), json.dumps(samples)), strict=True
    ):
        draft = folder / f".{name}"
        draft.write_text(content, encoding="utf-8")
        draft.replace(folder / name)


def _summed(pieces: Sequence[Cells]) -> Cells:
    summed: Cells = {}
    for cells in pieces:
        for name, cell in cells.items():
            summed.setdefault(name, Cell()).add(cell)
    return summed


def _all(series: Series) -> list[Cell]:
    return [total_of(cells) for cells in series.pieces.values()]


def _timeline(series: Series, carried: Carried) -> list[tuple[int, Cells]]:
    end = series.window_s(0, carried.ended_s)[1]
    return [
        (second, series.pieces.get(second // series.width_s, {})) for second in range(0, end, series.width_s)
    ]


def _point(cell: Cell, width_s: int) -> dict[str, Any]:
    return {
        "rate": cell.sent / width_s,
        "failed": cell.failed.total,
        "error_ratio": _ratio(cell.failed.total, cell.answered),
        **{f"p{share * 100:g}_ms": cell.ok.quantile_ms(share) for share in (0.5, 0.95, 0.99)},
    }


def _by_stage(plan: Plan, series: Series, ended_s: float) -> list[dict[str, Any]]:
    found, begun = [], 0.0
    for number, stage in enumerate(plan.stages):
        ends = ended_s if number == len(plan.stages) - 1 else min(begun + stage.duration_s, ended_s)
        cells = _summed(series.between(begun, ends))
        found.append({"kind": stage.kind, "rate": stage.rate, "from_s": begun, **figures(total_of(cells))})
        begun = ends
    return found


def _complete(worker: Worker) -> bool:
    """Return whether a generator told its final counts, and they are the sum of what it told before."""
    if worker.final is None:
        return False
    return bool({name: cell.to_json() for name, cell in worker.totals.items()} == worker.final["totals"])


def _busiest(worker: Worker, start_s: float, end_s: float) -> float:
    shares = [each.cpu_share for each in worker.health if start_s < each.second <= end_s + 1]
    if not shares:
        return 0.0
    width = min(_CPU_WINDOW_S, len(shares))
    return max(sum(shares[at : at + width]) / width for at in range(len(shares) - width + 1))


def _user_seconds(workers: Sequence[Worker], start_s: float, end_s: float) -> float:
    total = 0.0
    for worker in workers:
        users = [each.users for each in worker.health if start_s < each.second <= end_s]
        total += sum(users) / len(users) * (end_s - start_s) if users else 0.0
    return total


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
