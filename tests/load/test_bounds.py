from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats import beta, binom

from load.bounds import (
    block_length,
    error_bounds,
    lower_rank,
    quantile_bounds,
    ratio_bounds,
    samples_at_this_share,
    samples_for_go,
    upper_rank,
)
from load.histogram import Histogram


def test_fifty_nine_samples_are_the_fewest_for_a_p95() -> None:
    assert upper_rank(58, 0.95) is None
    assert upper_rank(59, 0.95) == 59


@pytest.mark.parametrize("total", [59, 60, 93, 100, 124, 1000, 12_345, 10_000_000])
def test_ranks_are_the_tightest_that_hold(total: int) -> None:
    upper, lower = upper_rank(total, 0.95), lower_rank(total, 0.95)
    assert upper is not None
    assert lower is not None

    assert binom.cdf(upper - 1, total, 0.95) >= 0.95 > binom.cdf(upper - 2, total, 0.95)
    assert binom.sf(lower - 1, total, 0.95) >= 0.95 > binom.sf(lower, total, 0.95)


def test_the_samples_that_the_error_ratio_needs() -> None:
    assert samples_for_go(0, 0.001) == 2995
    assert samples_for_go(1, 0.001) == 4742
    assert samples_for_go(0, 0.05) == 59
    assert ratio_bounds(0, 2995)[1] <= 0.001 < ratio_bounds(0, 2994)[1]
    assert ratio_bounds(1, 4742)[1] <= 0.001 < ratio_bounds(1, 4741)[1]


@pytest.mark.parametrize(
    ("hits", "total"), [(0, 1), (1, 1), (1, 900), (5, 5000), (100, 100), (7, 10_000_000)]
)
def test_ratio_bounds_are_clopper_pearson(hits: int, total: int) -> None:
    lower, upper = ratio_bounds(hits, total)

    assert lower == pytest.approx(beta.ppf(0.05, hits, total - hits + 1) if hits else 0)
    assert upper == pytest.approx(beta.ppf(0.95, hits + 1, total - hits) if hits < total else 1)


def test_nothing_bounds_nothing() -> None:
    assert ratio_bounds(0, 0) == (0.0, 1.0)
    assert quantile_bounds([], 0.95) is None
    assert quantile_bounds([Histogram(), Histogram()], 0.95) is None
    assert error_bounds([0, 0], [0, 0]) is None


@pytest.mark.parametrize(("hits", "total"), [(40, 1000), (48, 1000), (60, 1000), (52, 1000), (0, 10)])
def test_as_many_samples_as_are_said_to_be_needed_decide(hits: int, total: int) -> None:
    needed = samples_at_this_share(hits, total, 0.05)
    assert needed is not None

    lower, upper = ratio_bounds(round(hits / total * needed), needed)

    assert upper <= 0.0501 or lower >= 0.0499


def test_a_share_that_is_the_limit_is_never_decided() -> None:
    assert samples_at_this_share(50, 1000, 0.05) is None


def test_bounds_of_independent_samples_cover_the_truth() -> None:
    numbers = random.Random(3)  # noqa: S311 - repeatable, not secret
    wrong_upper = wrong_lower = 0
    for _ in range(300):
        found = quantile_bounds(
            [Histogram.of_ms(numbers.uniform(0, 200) for _ in range(20)) for _ in range(20)], 0.95
        )
        assert found is not None
        assert found.lower is not None
        assert found.upper is not None
        wrong_upper += found.upper < 190
        wrong_lower += found.lower > 190

    # 5 % each at most; 300 trials of it stay below 25 with 99.5 %.
    assert wrong_upper < 25
    assert wrong_lower < 25


def slow_and_fast(numbers: random.Random, seconds: int) -> list[Histogram]:
    """A target that is slow for about 4 s in every 100, at random times: the p95 is the fast one."""
    series, slow = [], False
    for _ in range(seconds):
        slow = numbers.random() < (0.75 if slow else 0.0104)
        series.append(Histogram.of_ms([300 if slow else 100] * 10))
    return series


def test_bounds_of_samples_that_come_together_cover_the_truth_where_independence_would_not() -> None:
    numbers = random.Random(5)  # noqa: S311 - repeatable, not secret
    wrong = wrong_if_independent = 0
    for _ in range(200):
        series = slow_and_fast(numbers, 600)
        found = quantile_bounds(series, 0.95)
        slow = sum(piece.slower_than(200_000).total for piece in series)
        assert found is not None
        assert found.lower is not None
        wrong += found.lower > 200
        wrong_if_independent += ratio_bounds(slow, 6000)[0] > 0.05

    assert wrong_if_independent > 40  # the true share is 4 %: one verdict in five would be a false NO-GO
    assert wrong < 20


def test_a_freeze_widens_the_bounds() -> None:
    calm = [Histogram.of_ms([12] * 100)] * 19

    found = quantile_bounds([*calm, Histogram.of_ms(range(1, 1000, 10))], 0.95)

    assert found is not None
    assert found.method.startswith("block bootstrap")
    assert found.upper is not None
    assert found.upper > 500
    assert found.weight < 1


def test_errors_in_a_burst_are_less_certain_than_errors_here_and_there() -> None:
    burst = error_bounds([0] * 59 + [30], [500] * 60)
    spread = error_bounds([1, 0] * 30, [500] * 60)
    assert burst is not None
    assert spread is not None
    assert burst.upper is not None
    assert spread.upper is not None

    assert burst.value == spread.value
    assert burst.upper > 1.5 * spread.upper
    assert spread.method == "Clopper-Pearson"


def test_the_block_grows_with_the_correlation() -> None:
    numbers = np.random.default_rng(1)
    alone = numbers.random(600)
    together = np.repeat(numbers.random(60), 10)

    assert block_length(alone) <= 6
    assert block_length(together) >= 8
    assert block_length(np.zeros(600)) == 1


def test_a_short_series_keeps_ten_blocks() -> None:
    assert block_length(np.repeat([0.0, 1.0, 0.0, 1.0], 10)) <= 4


def test_the_same_samples_get_the_same_bounds() -> None:
    numbers = random.Random(7)  # noqa: S311 - repeatable, not secret
    series = slow_and_fast(numbers, 300)

    assert quantile_bounds(series, 0.95) == quantile_bounds(series, 0.95)
