"""Confidence bounds of a quantile and of a ratio, from counts.

Every bound is one-sided at ``CONFIDENCE``: the true value is at or below the upper bound with 95 %, and at or
above the lower bound with 95 %. Judging at either side is then wrong one time in twenty at most.

Both rest on the exact bound of a ratio (Clopper and Pearson 1934); for a quantile, of the ratio of samples
beyond each value, which for independent samples is the bound by order statistics (Conover, Practical
Nonparametric Statistics, 3.2). Samples that come together, as in a freeze, count for less: by the variance
of a circular block bootstrap of the series (Politis and Romano 1992), which for a ratio has a closed form,
with blocks as long as the correlogram asks for (Politis and White 2004). No run can know of a freeze that
it did not meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log10, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, betaincinv

from load.histogram import Histogram, merged, top_us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONFIDENCE = 0.95

_MIN_BLOCKS = 10  # fewer of them, and their variance is hardly known
_MAX_PIECES = 300  # a longer series is looked at in coarser pieces: the cost of a bound stays flat
_AS_GOOD_AS_INDEPENDENT = 0.8  # for the wording only
_FOREVER = 10**9  # samples; "needs more" beyond it is the same as "at the limit"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """An estimate with its one-sided bounds, in the estimate's own unit.

    Attributes:
        lower: ``None`` when there are too few samples for one.
        upper: ``None`` when there are too few samples for one.
        method: how the bounds came about, in words.
        weight: share of a sample that each counts for: 1 when they are independent, less when they come
            together.
    """

    value: float
    lower: float | None
    upper: float | None
    method: str
    weight: float = 1.0


def upper_rank(total: int, share: float, confidence: float = CONFIDENCE) -> int | None:
    """Return the rank (from 1) of a sample at or above the true quantile, or ``None``: too few samples."""
    return _first(total, lambda rank: bdtr(rank - 1, total, share) >= confidence - 1e-12)


def lower_rank(total: int, share: float, confidence: float = CONFIDENCE) -> int | None:
    """Return the rank (from 1) of a sample at or below the true quantile, or ``None``: too few samples."""
    beyond = _first(total, lambda rank: bdtrc(rank - 1, total, share) < confidence - 1e-12)
    rank = total if beyond is None else beyond - 1
    return rank or None


def ratio_bounds(hits: float, total: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) lower and upper bound of ``hits`` in ``total``."""
    if not total:
        return 0.0, 1.0
    lower = 0.0 if hits == 0 else float(betaincinv(hits, total - hits + 1, 1 - confidence))
    upper = 1.0 if hits == total else float(betaincinv(hits + 1, total - hits, confidence))
    return lower, upper


def samples_for_go(hits: int, limit: float, confidence: float = CONFIDENCE) -> int:
    """Return how many samples, ``hits`` of them bad, put the upper bound at or below ``limit``."""
    found = _first(
        _FOREVER, lambda total: total > hits and bdtr(hits, total, limit) <= 1 - confidence + 1e-12
    )
    return found or _FOREVER


def samples_at_this_share(hits: int, total: int, limit: float, confidence: float = CONFIDENCE) -> int | None:
    """Return how many samples in all decide the matter if the share of bad ones stays, or ``None``: never.

    A share of exactly ``limit`` is never decided; neither is one that would take a thousand million samples.
    """
    share = hits / total if total else 0.0
    if share < limit:
        return _first(_FOREVER, lambda n: bdtr(ceil(share * n), n, limit) <= 1 - confidence)
    return _first(
        _FOREVER, lambda n: bdtrc(int(share * n) - 1, n, limit) <= 1 - confidence if share * n >= 1 else False
    )


def quantile_bounds(
    pieces: Sequence[Histogram], share: float, confidence: float = CONFIDENCE
) -> Bounds | None:
    """Bound a quantile (milliseconds) of samples that arrive in a series of equal times.

    Args:
        pieces: one histogram for each piece of time, in order; empty pieces included.
        share: 0.95 for the p95.
        confidence: of each side.

    Returns:
        ``None`` without samples; a bound is ``None`` when there are too few samples for it.
    """
    whole = merged(pieces)
    value = whole.quantile_ms(share)
    if value is None:
        return None
    buckets = sorted(whole.counts)
    counts = _counts(pieces, buckets)
    totals = counts.sum(axis=1)
    # Column n: how many samples of each piece lie in bucket n or above it; one more column, for none.
    beyond = np.zeros((len(counts), len(buckets) + 1))
    beyond[:, :-1] = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]

    def bound(column: int, side: int) -> float:
        return _series_bounds(beyond[:, column], totals, confidence)[side]

    above = _first(len(buckets), lambda rank: bound(rank, 1) <= 1 - share + 1e-12)
    not_below = _first(len(buckets), lambda rank: bound(rank - 1, 0) < 1 - share - 1e-12)
    upper = top_us(buckets[above - 1]) / 1000 if above else None
    below = len(buckets) if not_below is None else not_below - 1
    lower = buckets[below - 1] / 1000 if below else None
    at_value = next(n for n, bucket in enumerate(buckets) if top_us(bucket) / 1000 >= value)
    weight = min(weight_of(beyond[:, column], totals) for column in (at_value, at_value + 1))
    return Bounds(value, lower, upper, _method("order statistics", weight, whole.total), weight)


def error_bounds(hits: Sequence[int], totals: Sequence[int], confidence: float = CONFIDENCE) -> Bounds | None:
    """Bound the ratio of bad samples in a series of equal times.

    Returns:
        ``None`` without samples.
    """
    bad, total = sum(hits), sum(totals)
    if not total:
        return None
    both = _coarse(np.array([hits, totals], dtype=float).T)
    lower, upper = _series_bounds(both[:, 0], both[:, 1], confidence)
    weight = weight_of(both[:, 0], both[:, 1])
    return Bounds(bad / total, lower, upper, _method("Clopper-Pearson", weight, total), weight)


def _series_bounds(hits: Floats, totals: Floats, confidence: float) -> tuple[float, float]:
    """Return the bounds of a ratio, each sample counted for its weight."""
    weight = weight_of(hits, totals)
    return ratio_bounds(float(hits.sum()) * weight, float(totals.sum()) * weight, confidence)


def weight_of(hits: Floats, totals: Floats) -> float:
    """Return what a sample counts for: the ratio's variance if independent over that of blocks, at most 1."""
    total = float(totals.sum())
    ratio = float(hits.sum()) / total
    independent = ratio * (1 - ratio) * total
    if independent <= 0:
        return 1.0
    surplus = hits - ratio * totals
    block = block_length(surplus)
    around = np.concatenate([[0.0], np.cumsum(np.concatenate([surplus, surplus[: block - 1]]))])
    blocks = around[block:] - around[:-block]
    together = float(blocks @ blocks) / block
    return min(1.0, independent / together) if together > 0 else 1.0


def _method(exact: str, weight: float, total: int) -> str:
    if weight > _AS_GOOD_AS_INDEPENDENT:
        return exact
    return f"block bootstrap: {total:,} samples that come together count for {total * weight:,.0f}"


def _counts(pieces: Sequence[Histogram], buckets: Sequence[int]) -> Floats:
    """Return the samples of each (coarse) piece by bucket."""
    column = {bucket: index for index, bucket in enumerate(buckets)}
    stride = ceil(len(pieces) / _MAX_PIECES)
    counts = np.zeros((ceil(len(pieces) / stride), len(buckets)))
    for number, piece in enumerate(pieces):
        for bucket, count in piece.counts.items():
            counts[number // stride, column[bucket]] += count
    return counts


def block_length(series: Floats) -> int:
    """Return how many neighbours of the series to keep together: twice its correlation, within reason."""
    count = len(series)
    centred = series - series.mean()
    power = float(centred @ centred)
    longest = max(1, count // _MIN_BLOCKS)
    if not power:
        return 1
    noise = 2 * sqrt(log10(count) / count)
    for lag in range(1, longest + 1):
        if abs(float(centred[lag:] @ centred[:-lag]) / power) < noise:
            return min(longest, 4 * lag - 2)
    return longest


def _coarse(rows: Floats) -> Floats:
    """Add neighbouring rows up, so that at most ``_MAX_PIECES`` remain."""
    return np.add.reduceat(rows, np.arange(0, len(rows), ceil(len(rows) / _MAX_PIECES)), axis=0)


def _first(end: int, holds: Callable[[int], bool]) -> int | None:
    """Return the smallest number from 1 to ``end`` from which on ``holds`` is true, or ``None``."""
    high = 1
    while high < end and not holds(high):
        high *= 2
    high = min(high, end)
    if high < 1 or not holds(high):
        return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
