from __future__ import annotations

import random

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as some

from load.histogram import MAX_US, Histogram, bucket_us, merged, top_us

REFERENCE = HdrHistogram(1, MAX_US, 3)


@given(some.integers(0, MAX_US))
def test_buckets_are_those_of_hdr_histogram(value: int) -> None:
    assert bucket_us(value) == REFERENCE.get_lowest_equivalent_value(value)
    assert top_us(value) == REFERENCE.get_highest_equivalent_value(value)


@given(some.integers(0, MAX_US))
def test_a_bucket_is_within_three_digits(value: int) -> None:
    assert bucket_us(value) <= value <= top_us(value)
    assert top_us(value) - bucket_us(value) <= value / 1000


@given(some.lists(some.integers(0, 10_000_000), min_size=1, max_size=200))
def test_quantiles_are_those_of_the_samples_within_a_bucket(values: list[int]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)

    for rank, value in enumerate(sorted(values), 1):
        assert histogram.at_rank_us(rank) == (bucket_us(value), top_us(value))
    assert histogram.quantile_ms(1.0) == top_us(max(values)) / 1000


def test_the_p95_of_a_hundred_is_the_ninety_fifth() -> None:
    assert Histogram.of_ms(range(1, 101)).quantile_ms(0.95) == pytest.approx(95, rel=0.001)
    assert Histogram.of_ms(range(1, 101)).at_rank_us(95)[0] <= 95_000


def test_of_nothing_there_is_no_quantile() -> None:
    assert Histogram().quantile_ms(0.95) is None
    with pytest.raises(IndexError):
        Histogram().at_rank_us(1)


@pytest.mark.parametrize("rank", [0, 4])
def test_ranks_outside_are_refused(rank: int) -> None:
    with pytest.raises(IndexError):
        Histogram.of_ms([1, 2, 3]).at_rank_us(rank)


def test_a_merge_is_the_histogram_of_all() -> None:
    numbers = random.Random(1)  # noqa: S311 - repeatable, not secret
    values = [numbers.lognormvariate(4, 1) for _ in range(3000)]

    parts = [Histogram.of_ms(values[part::3]) for part in range(3)]

    assert merged(parts).counts == Histogram.of_ms(values).counts


def test_json_and_back_loses_nothing() -> None:
    histogram = Histogram.of_ms([0.001, 1, 2, 2, 5000])

    assert Histogram.from_json(histogram.to_json()).counts == histogram.counts


def test_other_tools_read_the_encoded_form() -> None:
    histogram = Histogram.of_ms([1, 2, 3, 250.123, 250.124, 5000])

    decoded = HdrHistogram.decode(histogram.encode())

    assert decoded.get_total_count() == 6
    assert decoded.get_value_at_percentile(100) == top_us(5_000_000)


def test_the_extremes_are_kept_within_the_range() -> None:
    histogram = Histogram()
    histogram.record(-5)
    histogram.record(MAX_US * 2)

    assert histogram.at_rank_us(1) == (0, 0)
    assert histogram.at_rank_us(2)[0] == bucket_us(MAX_US)


def test_a_bucket_that_reaches_above_the_limit_is_slower_than_it() -> None:
    on_the_edge = Histogram.of_ms([200.0])

    assert on_the_edge.slower_than(200_000).total == 1
    assert on_the_edge.slower_than(top_us(200_000)).total == 0
