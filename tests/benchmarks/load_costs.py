"""What recording and judging cost: microseconds per sample, seconds per verdict, memory over time.

    python tests/benchmarks/load_costs.py

The verdict is taken on ten million samples in an hour; memory is that of the recorder and of the series
after each hour of a simulated eight-hour soak.
"""

from __future__ import annotations

import json
import random
import sys
import time
import tracemalloc
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hdrh.histogram import HdrHistogram

from load.histogram import MAX_US, Histogram
from load.recorder import Recorder
from load.series import MAX_PIECES, Cell, Series
from load.verdict import Conduct, judge_errors, judge_p95

SAMPLES = 300_000
PER_SECOND = 2778  # ten million in an hour


def recording() -> None:
    """Compare our sparse buckets with the reference implementation."""
    numbers = random.Random(1)  # noqa: S311 - repeatable
    values = [int(numbers.lognormvariate(11, 1)) for _ in range(SAMPLES)]
    theirs, ours = HdrHistogram(1, MAX_US, 3), Histogram()
    for name, record in (("hdrhistogram", theirs.record_value), ("ours", ours.record)):
        begun = time.perf_counter()
        for value in values:
            record(value)
        say(f"record one sample, {name}", (time.perf_counter() - begun) / SAMPLES * 1e6, "us")


def verdict() -> None:
    """Judge an hour at a high rate, as the reader keeps it: in at most ``MAX_PIECES`` pieces."""
    numbers = random.Random(1)  # noqa: S311 - repeatable
    pool = [numbers.lognormvariate(4, 0.5) for _ in range(200_000)]
    pieces = []
    for _ in range(MAX_PIECES):
        ok = Histogram.of_ms(numbers.sample(pool, PER_SECOND // 4))
        ok = Histogram({bucket: count * 48 for bucket, count in ok.counts.items()})
        pieces.append(Cell(ok=ok, failed=Histogram({1000: 1})))
    conduct = Conduct(1, 1)
    begun = time.perf_counter()
    judged = judge_p95(pieces, 200, conduct)
    errors = judge_errors(pieces, 0.001, conduct)
    say(
        f"judge {judged.samples:,} samples ({judged.outcome}, {errors.outcome})",
        time.perf_counter() - begun,
        "s",
    )


def memory() -> None:
    """Simulate a soak of eight hours at 50 requests per second, and show the memory after each quarter."""
    numbers = random.Random(1)  # noqa: S311 - repeatable
    series = Series()
    sent: list[str] = []

    def send(line: dict[str, object]) -> None:
        sent.append(json.dumps(line))

    recorder = Recorder("w", send)
    recorder.start(0.0)
    tracemalloc.start()
    hours = 8 * 3600
    for second in range(hours):
        for _ in range(50):
            cell = recorder.cell(f"endpoint {numbers.randrange(5)}", second + 0.5)
            cell.ok.record(int(numbers.lognormvariate(11, 0.5)))
        recorder.tick()
        for line in sent:
            series.feed(json.dumps(json.loads(line) | {"second": second}))  # the clock of the simulation
        sent.clear()
        if (second + 1) % (hours // 8) == 0:
            say(f"memory after {(second + 1) / 3600:g} h", tracemalloc.get_traced_memory()[0] / 1e6, "MB")
    tracemalloc.stop()


def say(what: str, value: float, unit: str) -> None:
    """Print one line of the table."""
    print(f"{what:60}{value:>12.3f} {unit}", flush=True)  # noqa: T201 - its purpose


if __name__ == "__main__":
    recording()
    verdict()
    memory()
