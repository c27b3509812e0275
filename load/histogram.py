"""Durations in HDR buckets of three significant digits, kept sparse.

A bucket is named by its lowest value in microseconds: exact below 2,048 us, and 1/1024 of the value
wide or less above it. The buckets are those of HdrHistogram with a lowest discernible value of 1 and three
digits, so that ``encode`` loses nothing; the dictionary is for merging, for JSON and for speed.
Nothing here judges.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_US = 3_600_000_000
"""One hour. A longer duration is recorded as this."""

_SUB_BUCKET_BITS = 11  # 2,048 sub-buckets hold three significant digits


def bucket_us(value_us: int) -> int:
    """Return the lowest value of the bucket that holds ``value_us``."""
    shift = value_us.bit_length() - _SUB_BUCKET_BITS
    return value_us if shift <= 0 else value_us >> shift << shift


def top_us(value_us: int) -> int:
    """Return the highest value that shares a bucket with ``value_us``."""
    shift = value_us.bit_length() - _SUB_BUCKET_BITS
    return value_us if shift <= 0 else (value_us >> shift << shift) + (1 << shift) - 1


@cache
def _shared(bucket: int) -> int:
    """Return one and the same object for a bucket: thousands of histograms name it."""
    return bucket


class Histogram:
    """Counts by bucket.

    Attributes:
        counts: bucket (lowest value, microseconds) to number of samples, in no order.
    """

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: dict[int, int] = dict(counts or {})

    @classmethod
    def of_ms(cls, durations_ms: Iterable[float]) -> Histogram:
        """Record each duration (milliseconds)."""
        histogram = cls()
        for duration_ms in durations_ms:
            histogram.record(round(duration_ms * 1000))
        return histogram

    @classmethod
    def from_json(cls, counts: Mapping[str, int]) -> Histogram:
        """Read what ``to_json`` wrote."""
        return cls({_shared(int(bucket)): count for bucket, count in counts.items()})

    def to_json(self) -> dict[str, int]:
        """Return bucket to count with text keys, as JSON has them."""
        return {str(bucket): self.counts[bucket] for bucket in sorted(self.counts)}

    def record(self, value_us: int) -> None:
        """Count one duration (microseconds); below zero is zero, above an hour is an hour."""
        value = min(max(value_us, 0), MAX_US)
        shift = value.bit_length() - _SUB_BUCKET_BITS
        bucket = value if shift <= 0 else value >> shift << shift  # bucket_us, without the call
        self.counts[bucket] = self.counts.get(bucket, 0) + 1

    def add(self, other: Histogram) -> None:
        """Count everything that ``other`` counted."""
        counts = self.counts
        for bucket, count in other.counts.items():
            counts[bucket] = counts.get(bucket, 0) + count

    def slower_than(self, limit_us: float) -> Histogram:
        """Return the part whose buckets reach above ``limit_us``."""
        return Histogram({bucket: n for bucket, n in self.counts.items() if top_us(bucket) > limit_us})

    @property
    def total(self) -> int:
        """Number of samples."""
        return sum(self.counts.values())

    def at_rank_us(self, rank: int) -> tuple[int, int]:
        """Return lowest and highest value (microseconds) of the ``rank``-th smallest sample, from 1.

        Raises:
            IndexError: there is no such sample.
        """
        buckets = sorted(self.counts)
        for bucket, reached in zip(buckets, accumulate(self.counts[each] for each in buckets), strict=True):
            if rank <= reached and rank >= 1:
                return bucket, top_us(bucket)
        raise IndexError(f"rank {rank} of {self.total}")

    def quantile_ms(self, share: float) -> float | None:
        """Return what ``share`` of the samples do not exceed (milliseconds), or ``None`` without samples."""
        total = self.total
        if not total:
            return None
        return self.at_rank_us(max(1, ceil(share * total - 1e-9)))[1] / 1000

    def encode(self) -> str:
        """Return the histogram in HdrHistogram's own V2 format (base64), for other tools."""
        from hdrh.histogram import HdrHistogram  # noqa: PLC0415 - only evidence needs it

        histogram = HdrHistogram(1, MAX_US, 3)
        for bucket, count in self.counts.items():
            histogram.record_value(bucket, count)
        return str(histogram.encode().decode("ascii"))


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """Return the sum of all."""
    total = Histogram()
    for histogram in histograms:
        total.add(histogram)
    return total
