from __future__ import annotations

import json
import random
from typing import Any

import pytest

from load.plan import Life, Plan, Request, Stage, arrivals_s, intended_requests
from load.recorder import Recorder
from load.result import Limits as JudgedBy
from load.result import conduct_of, evidence, judge, looks_of, write
from load.runner import Carried
from load.series import MAX_PIECES, Series, total_of

STAGES = (Stage("warm_up", 10, 2), Stage("steady", 20, 3))


# ---------------------------------------------------------------- when requests are due


def test_requests_are_due_evenly_in_each_stage() -> None:
    due = list(arrivals_s(STAGES, 5))

    assert len(due) == 20 + 60
    assert due[:3] == pytest.approx([0, 0.1, 0.2])
    assert due[20:22] == pytest.approx([2, 2.05])
    assert due[-1] == pytest.approx(4.95)


def test_generators_share_the_requests_between_them() -> None:
    shares = [list(arrivals_s(STAGES, 5, index, 3)) for index in range(3)]

    assert sorted(moment for share in shares for moment in share) == list(arrivals_s(STAGES, 5))
    assert {len(share) for share in shares} <= {26, 27}


def test_the_last_stage_goes_on_until_the_end() -> None:
    assert len(list(arrivals_s(STAGES, 8))) == 20 + 120
    assert len(list(arrivals_s(STAGES, 1))) == 10


@pytest.mark.parametrize(
    ("start", "end", "requests"),
    [(0, 5, 80), (2, 5, 60), (2, 4, 40), (0, 8, 140), (2, 8, 120), (6, 8, 40), (5, 5, 0)],
)
def test_what_is_intended_is_what_is_due(start: float, end: float, requests: float) -> None:
    assert intended_requests(STAGES, start, end) == pytest.approx(requests)
    assert len([each for each in arrivals_s(STAGES, end) if each >= start - 1e-9]) == pytest.approx(
        requests, abs=1
    )


def test_a_plan_crosses_to_another_process_and_leaves_its_secrets_behind() -> None:
    ask = Request("a", "GET", "/a/{id}", ids_from="list")
    plan = Plan(
        "https://x", (ask,), "open", 5, end_s=5, stages=STAGES, listings=(ask,),
        secrets={"env:A": "sesame-street"},
        lives=(Life("r", 1, ask, ask, {"a": 1}, "id"),), think_s=(1, 2), max_rate=5,
    )  # fmt: skip

    assert Plan.from_json(plan.to_json()) == plan
    assert "sesame" not in plan.without_secrets().to_json()
    assert "sesame" not in repr(plan)


# ---------------------------------------------------------------- lines and pieces


def recorded(seconds: int, *, name: str = "w", finish: bool = True) -> list[str]:
    """Return the lines of a generator that saw 10 answers a second: 9 good, 1 bad."""
    lines: list[str] = []
    recorder = Recorder(name, lambda line: lines.append(json.dumps(line)))
    recorder.start(0.0)
    for second in range(seconds):
        for number in range(10):
            cell = recorder.cell("even" if number % 2 else "odd", second + number / 10)
            if number == 9:
                cell.failed.record(1000)
                cell.why["HTTP 500"] += 1
            else:
                cell.ok.record(50_000 + second)
        recorder.tick()
    if finish:
        recorder.finish(float(seconds))
    return lines


def fed(*files: list[str]) -> Series:
    series = Series()
    for line in (line for file in files for line in file):
        series.feed(line)
    return series


def carried(series: Series, ended_s: float, generators: int = 1) -> Carried:
    return Carried(series, ended_s=ended_s, generators=generators)


def plan(**more: Any) -> Plan:
    told: dict[str, Any] = {"mode": "open", "users": 5, "end_s": 20.0, "stages": (Stage("steady", 10, 20),)}
    return Plan("http://x", (), **(told | more))


def test_samples_are_sorted_into_their_seconds() -> None:
    series = fed(recorded(20))

    assert len(series.pieces) == 20
    assert all(total_of(cells).answered == 10 for cells in series.between(0, 20))
    assert total_of(series.pieces[3]).why == {"HTTP 500": 1}
    assert series.window_s(2, 17.9) == (2, 17)


def test_the_lines_of_two_generators_add_up() -> None:
    series = fed(recorded(20, name="one"), recorded(20, name="two"))

    assert all(total_of(cells).answered == 20 for cells in series.between(0, 20))
    assert conduct_of(plan(generators=2), carried(series, 20)).final_workers == 2


def test_a_long_run_is_kept_in_wider_pieces_and_loses_nothing() -> None:
    seconds = MAX_PIECES * 3
    series = fed(recorded(seconds))

    assert len(series.pieces) <= MAX_PIECES
    assert series.width_s == 4
    assert sum(total_of(cells).answered for cells in series.pieces.values()) == seconds * 10
    assert len(series.workers["w"].health) <= 2 * MAX_PIECES


def test_a_generator_without_a_final_histogram_is_missing() -> None:
    series = fed(recorded(20, finish=False))

    assert conduct_of(plan(), carried(series, 20)).final_workers == 0


def test_a_final_histogram_that_differs_from_what_was_told_is_missing() -> None:
    lines = recorded(20)

    assert conduct_of(plan(), carried(fed(lines[:5] + lines[6:]), 20)).final_workers == 0


def test_the_removals_of_records_are_no_part_of_the_declared_load() -> None:
    request = Request("even", "DELETE", "/x")
    lives = (Life("r", 1, Request("make", "POST", "/x"), request, {}, "id"),)
    series = fed(recorded(20))

    assert conduct_of(plan(), carried(series, 20)).delivered == 200
    assert conduct_of(plan(lives=lives), carried(series, 20)).delivered == 100


def test_the_warm_up_is_not_judged() -> None:
    series = fed(recorded(20))
    told = plan(warm_up_s=5.0, stages=(Stage("warm_up", 10, 5), Stage("steady", 10, 15)))
    conduct = conduct_of(told, carried(series, 20))
    limits = JudgedBy(200, 0.5, {"odd": 40, "never": 10}, {"even": 0.9})

    p95, errors, odd, never, even = judge(told, series, 20, limits, conduct)

    assert conduct.intended == conduct.delivered == 150
    assert errors.samples == 150
    assert (p95.outcome, errors.outcome, odd.outcome, even.outcome) == ("UNKNOWN", "GO", "NO-GO", "GO")
    assert never.outcome == "UNKNOWN"


def test_the_evidence_is_whole(tmp_path: Any) -> None:
    told, what = plan(), carried(fed(recorded(20)), 20)
    conduct = conduct_of(told, what)
    judgements = judge(told, what.series, 20, JudgedBy(200, 0.5, {}, {}), conduct)

    write(tmp_path, evidence(told, what, conduct, judgements, {"run": "x"}), what.series)

    found = json.loads((tmp_path / "load.json").read_text())
    assert found["schema"] == "gonogo/load/1"
    assert found["run"] == "x"
    assert found["total"]["samples"] == 200
    assert len(found["series"]) == 20
    rows = (tmp_path / "load-series.csv").read_text().splitlines()
    assert rows[0] == "second,rate,failed,error_ratio,p50_ms,p95_ms,p99_ms"
    assert len(rows) == 21
    again = Series()
    samples = json.loads((tmp_path / "load-samples.json").read_text())
    again.feed(json.dumps({"type": "final", "worker": "w", "cells": samples["pieces"], "totals": {}}))
    assert judge(told, again, 20, JudgedBy(200, 0.5, {}, {}), conduct) == judgements


def test_the_looks_are_the_declared_end_each_doubling_and_the_very_end() -> None:
    assert looks_of(plan(end_s=10.0), 10) == 1
    assert looks_of(plan(end_s=15.0), 10) == 2
    assert looks_of(plan(end_s=80.0), 10) == 5


def test_the_reader_does_not_depend_on_the_order_of_generators() -> None:
    one, two = recorded(20, name="one"), recorded(20, name="two")
    mixed = [*one, *two]
    random.Random(1).shuffle(mixed)  # noqa: S311 - repeatable

    assert {n: total_of(c).to_json() for n, c in fed(mixed).pieces.items()} == {
        n: total_of(c).to_json() for n, c in fed(one, two).pieces.items()
    }
