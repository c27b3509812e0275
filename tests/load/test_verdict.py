from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from load.histogram import Histogram
from load.series import Cell
from load.verdict import Conduct, judge_errors, judge_p95

if TYPE_CHECKING:
    from collections.abc import Iterable

FINE = Conduct(intended=1000, delivered=1000, rate=100)


def cell(
    ok_ms: Iterable[float], failed_ms: Iterable[float] = (), unfinished_ms: Iterable[float] = ()
) -> Cell:
    ok = Histogram.of_ms(ok_ms)
    return Cell(
        ok=ok, failed=Histogram.of_ms(failed_ms), unfinished=Histogram.of_ms(unfinished_ms), service=ok
    )


def uniform(p95_ms: float, seconds: int = 60, per_second: int = 100, seed: int = 1) -> list[Cell]:
    numbers = random.Random(seed)  # noqa: S311 - repeatable, not secret
    return [cell(numbers.uniform(p95_ms - 19, p95_ms + 1) for _ in range(per_second)) for _ in range(seconds)]


# ---------------------------------------------------------------- at the limit


@pytest.mark.parametrize("seed", range(5))
def test_204_is_no_go_and_196_is_go_at_200(seed: int) -> None:
    assert judge_p95(uniform(204, seed=seed), 200, FINE).outcome == "NO-GO"
    assert judge_p95(uniform(196, seed=seed), 200, FINE).outcome == "GO"


def test_an_interval_that_straddles_the_limit_needs_more() -> None:
    judged = judge_p95(uniform(199.7, seconds=5), 200, FINE)

    assert judged.outcome == "UNKNOWN"
    assert judged.lower is not None
    assert judged.upper is not None
    assert judged.lower <= 200 < judged.upper
    assert judged.needs_more is not None
    assert judged.needs_more > 100
    assert f"{judged.needs_more:,} more" in judged.reason


def test_twice_as_many_as_were_needed_decide_it() -> None:
    first = judge_p95(uniform(199.7, seconds=20), 200, FINE)
    assert first.outcome == "UNKNOWN"
    assert first.needs_more

    seconds = 20 + first.needs_more // 100 + 1

    assert judge_p95(uniform(199.7, seconds=seconds * 2), 200, FINE).outcome == "GO"


def test_58_samples_are_one_too_few() -> None:
    too_few = judge_p95([cell([5] * 58)], 200, FINE)

    assert too_few.outcome == "UNKNOWN"
    assert too_few.needs_more == 1
    assert judge_p95([cell([5] * 59)], 200, FINE).outcome == "GO"
    assert judge_p95([cell([5] * 6)] * 9 + [cell([5] * 5)], 200, FINE).outcome == "GO"


def test_few_samples_that_are_all_slow_are_enough_for_no_go() -> None:
    assert judge_p95([cell([300] * 10)], 200, FINE).outcome == "NO-GO"


@pytest.mark.parametrize(
    ("errors", "total", "outcome"),
    [(0, 2995, "GO"), (0, 2994, "UNKNOWN"), (1, 4742, "GO"), (1, 4741, "UNKNOWN"), (1, 900, "UNKNOWN"),
     (5, 1000, "NO-GO"), (1, 10, "NO-GO"), (20, 10_000, "NO-GO"), (10, 10_000, "UNKNOWN")],
)  # fmt: skip
def test_error_ratios_at_the_limit(errors: int, total: int, outcome: str) -> None:
    good = total - errors
    series = [cell([5] * (good // 20)) for _ in range(19)] + [cell([5] * (good - 19 * (good // 20)))]
    for number in range(errors):
        series[number % 20].failed.record(5000)

    assert judge_errors(series, 0.001, FINE).outcome == outcome


def test_no_request_at_all_is_unknown() -> None:
    for judged in (
        judge_p95([], 200, FINE),
        judge_errors([], 0.001, FINE),
        judge_p95([Cell()] * 9, 200, FINE),
    ):
        assert judged.outcome == "UNKNOWN"
        assert "no sample" in judged.reason


# ---------------------------------------------------------------- success and failure apart


def test_fast_failures_do_not_improve_the_p95() -> None:
    slow = uniform(204)
    with_failures = [cell([], failed_ms=[1] * 100) for _ in range(60)]
    for ours, theirs in zip(with_failures, slow, strict=True):
        ours.ok = theirs.ok

    assert judge_p95(with_failures, 200, FINE).value == judge_p95(slow, 200, FINE).value
    assert judge_p95(with_failures, 200, FINE).outcome == "NO-GO"


def test_slow_failures_and_unanswered_requests_were_slow() -> None:
    quick = [cell([5] * 90, failed_ms=[10_000] * 10) for _ in range(20)]
    cut_short = [cell([5] * 90, unfinished_ms=[3000] * 10) for _ in range(20)]
    just_begun = [cell([5] * 90, unfinished_ms=[3] * 10) for _ in range(20)]

    assert judge_p95(quick, 200, FINE).outcome == "NO-GO"
    assert judge_p95(cut_short, 200, FINE).outcome == "NO-GO"
    assert judge_p95(just_begun, 200, FINE).outcome == "GO"


def test_the_p95_of_the_few_that_were_served_is_not_go() -> None:
    judged = judge_p95([cell([5] * 50, failed_ms=[1] * 50) for _ in range(20)], 200, FINE)

    assert judged.outcome == "UNKNOWN"
    assert "1000 requests failed" in judged.reason


def test_only_failures_is_no_sample_and_no_go() -> None:
    series = [cell([], failed_ms=[1] * 50) for _ in range(20)]

    assert judge_p95(series, 200, FINE).outcome == "UNKNOWN"
    assert judge_errors(series, 0.001, FINE).outcome == "NO-GO"


# ---------------------------------------------------------------- a freeze


def test_a_freeze_of_a_quarter_of_the_run_is_no_go_with_its_p95() -> None:
    calm = [cell([12] * 10)]
    frozen = [cell([(5 - second - tenth / 10) * 1000 for tenth in range(10)]) for second in range(5)]

    judged = judge_p95(calm * 8 + frozen + calm * 7, 200, FINE)

    assert judged.outcome == "NO-GO"
    assert judged.value == pytest.approx(4000, rel=0.03)


def test_one_hiccup_that_may_not_come_again_is_neither() -> None:
    """Four slow seconds in 60 are over 5 %, and one event: independent samples would convict."""
    judged = judge_p95([cell([12] * 100)] * 30 + [cell([900] * 100)] * 4 + [cell([12] * 100)] * 26, 200, FINE)

    assert judged.outcome == "UNKNOWN"
    assert "block bootstrap" in judged.method


# ---------------------------------------------------------------- conduct

UNFIT = {
    "a killed worker": Conduct(1000, 1000, expected_workers=2, final_workers=1),
    "a saturated generator": Conduct(1000, 1000, cpu_share=0.91),
    "a late generator": Conduct(1000, 1000, late_share=0.02),
    "a clock that was set": Conduct(1000, 1000, drift_s=0.6),
    "clocks apart": Conduct(1000, 1000, start_spread_s=2.5),
    "a rate limiter": Conduct(1000, 1000, limited_share=0.01),
    "a reported problem": Conduct(1000, 1000, problems=("sign-in as admin: HTTP 500",)),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_generator_that_is_not_fit_makes_everything_unknown(name: str) -> None:
    conduct = UNFIT[name]
    broken = [cell([5] * 50, failed_ms=[1] * 50) for _ in range(20)]
    for judged in (
        judge_p95(uniform(150), 200, conduct),
        judge_p95(uniform(300), 200, conduct),
        judge_errors(uniform(150), 0.001, conduct),
        judge_errors(broken, 0.001, conduct),
    ):
        assert judged.outcome == "UNKNOWN"
        assert judged.reason
        assert judged.remedy


@pytest.mark.parametrize(
    "conduct",
    [
        Conduct(1000, 949),
        Conduct(0, 0),
        Conduct(1000, 1000, interrupted=True),
        Conduct(1000, 1000, aborted="50 of 60 requests failed"),
    ],
)
def test_a_load_that_was_not_delivered_acquits_nobody_and_may_convict(conduct: Conduct) -> None:
    assert judge_p95(uniform(150), 200, conduct).outcome == "UNKNOWN"
    assert judge_errors(uniform(150), 0.001, conduct).outcome == "UNKNOWN"
    assert judge_p95(uniform(300), 200, conduct).outcome == "NO-GO"


def test_95_percent_of_the_load_is_enough() -> None:
    assert judge_p95(uniform(150), 200, Conduct(1000, 950)).outcome == "GO"


def test_waiting_for_a_user_of_ours_convicts_nobody() -> None:
    """The target answers in 100 ms, and the pool was too small: what is slow is our own queue."""
    series = [Cell(ok=Histogram.of_ms([900] * 100), service=Histogram.of_ms([100] * 100)) for _ in range(30)]

    judged = judge_p95(series, 200, Conduct(1000, 1000, pool_busy_share=0.6))

    assert judged.outcome == "UNKNOWN"
    assert "free user" in judged.reason


def test_a_slow_target_is_convicted_even_by_a_busy_pool() -> None:
    series = [Cell(ok=Histogram.of_ms([900] * 100), service=Histogram.of_ms([300] * 100)) for _ in range(30)]

    assert judge_p95(series, 200, Conduct(1000, 500, pool_busy_share=0.6)).outcome == "NO-GO"


def test_a_wait_in_the_pool_is_part_of_what_a_person_sees() -> None:
    series = [Cell(ok=Histogram.of_ms([150] * 100), service=Histogram.of_ms([100] * 100)) for _ in range(30)]

    assert judge_p95(series, 200, Conduct(1000, 1000, pool_busy_share=0.6)).outcome == "GO"


def test_looking_often_asks_for_more_evidence() -> None:
    once = [cell([5] * 59)]

    assert judge_p95(once, 200, FINE, looks=1).outcome == "GO"
    assert judge_p95(once, 200, FINE, looks=4).outcome == "UNKNOWN"
    assert judge_p95([cell([5] * 86)], 200, FINE, looks=4).outcome == "GO"


def test_reasons_are_kept_with_their_counts() -> None:
    one = Cell(why=Counter({"HTTP 500": 2}))
    one.add(Cell(why=Counter({"HTTP 500": 1, "refused the connection": 4})))

    assert one.why == {"HTTP 500": 3, "refused the connection": 4}
