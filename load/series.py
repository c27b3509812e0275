"""What the generators tell, line by line, and the series that it adds up to.

A generator writes one JSON object a line: ``start`` once, ``tick`` every second with what has changed,
``final`` once, with everything it has counted. Samples belong to the second in which they were meant to
start, whenever their answer came. The reader keeps at most ``MAX_PIECES`` pieces of time, so that a long
run costs no more memory than a short one.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from load.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_PIECES = 300
_REMEMBERED_S = 600  # the longest stretch that an early end looks back on


@dataclass
class Cell:
    """The samples of one endpoint in one piece of time.

    Attributes:
        ok: from the intended start to the end of an answer that is as promised.
        failed: the same for an answer that is not, and for no answer at all.
        unfinished: requests that the end of the run cut short, with the time they had waited.
        service: like ``ok``, from the moment of sending (differs in open mode, when the pool was busy).
        limited: answers 429; neither good nor bad.
        why: reason of failure to its count.
    """

    ok: Histogram = field(default_factory=Histogram)
    failed: Histogram = field(default_factory=Histogram)
    unfinished: Histogram = field(default_factory=Histogram)
    service: Histogram = field(default_factory=Histogram)
    limited: int = 0
    why: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """Number of requests, answered or not."""
        return self.answered + self.unfinished.total + self.limited

    @property
    def answered(self) -> int:
        """Number of requests that succeeded or failed."""
        return self.ok.total + self.failed.total

    def add(self, other: Cell) -> None:
        """Count everything that ``other`` counted."""
        self.ok.add(other.ok)
        self.failed.add(other.failed)
        self.unfinished.add(other.unfinished)
        self.service.add(other.service)
        self.limited += other.limited
        self.why.update(other.why)

    def judged(self, limit_ms: float) -> Histogram:
        """Return the durations that a latency limit judges.

        A failure that was quicker than the limit does not make the target look faster; a failure or an
        unanswered request that took longer was slow, whatever else it was.
        """
        judged = Histogram(self.ok.counts)
        judged.add(self.failed.slower_than(limit_ms * 1000))
        judged.add(self.unfinished.slower_than(limit_ms * 1000))
        return judged

    def to_json(self) -> dict[str, Any]:
        """Return JSON built-ins; what is empty is left out."""
        parts: dict[str, Any] = {
            name: histogram.to_json()
            for name in ("ok", "failed", "unfinished", "service")
            if (histogram := getattr(self, name)).counts
        }
        if self.limited:
            parts["limited"] = self.limited
        if self.why:
            parts["why"] = dict(self.why)
        return parts

    @classmethod
    def from_json(cls, parts: Mapping[str, Any]) -> Cell:
        """Read what ``to_json`` wrote."""
        ok, failed, unfinished, service = (
            Histogram.from_json(parts.get(name, {})) for name in ("ok", "failed", "unfinished", "service")
        )
        return cls(ok, failed, unfinished, service, parts.get("limited", 0), Counter(parts.get("why", {})))


Cells = dict[str, Cell]
"""Endpoint name to its samples."""


def add_cells(into: Cells, cells: Mapping[str, Cell]) -> None:
    """Add ``cells`` up, endpoint by endpoint."""
    for name, cell in cells.items():
        into.setdefault(name, Cell()).add(cell)


def total_of(cells: Mapping[str, Cell]) -> Cell:
    """Return the sum over all endpoints."""
    total = Cell()
    for cell in cells.values():
        total.add(cell)
    return total


@dataclass
class Health:
    """One second of one generator: is it fit to measure?

    Attributes:
        cpu_share: of one core.
        lag_ms: how late a greenlet of the generator woke at worst.
        users: simulated users alive.
    """

    second: float
    cpu_share: float
    lag_ms: float
    users: int


@dataclass
class Worker:
    """What one generator process reported.

    Attributes:
        started_wall: its clock (seconds since the epoch) at the start of the load.
        totals: the sum of its ticks.
        final: everything it counted, told at its end; ``None`` when it never told.
    """

    started_wall: float = 0.0
    health: list[Health] = field(default_factory=list)
    totals: Cells = field(default_factory=dict)
    final: dict[str, Any] | None = None
    problems: list[str] = field(default_factory=list)


class Series:
    """The lines of all generators of one run, added up.

    Attributes:
        width_s: length of one piece of time; doubles when there are too many of them.
        pieces: number of the piece to its samples by endpoint.
        workers: by their own ids.
        ended: what each tick told: its second, and the requests that ended since the one before.
    """

    def __init__(self) -> None:
        self.width_s = 1
        self.pieces: dict[int, Cells] = {}
        self.workers: dict[str, Worker] = {}
        self.ended: deque[tuple[float, Cell]] = deque()

    def feed(self, line: str) -> None:
        """Read one line of a generator."""
        told = json.loads(line)
        worker = self.workers.setdefault(told["worker"], Worker())
        match told["type"]:
            case "start":
                worker.started_wall = told["wall"]
            case "tick":
                worker.health.append(Health(told["second"], told["cpu"], told["lag_ms"], told["users"]))
                if len(worker.health) > 2 * MAX_PIECES:
                    worker.health = list(_thinned(worker.health))
                self.ended.append((told["second"], self._add(worker, told["cells"])))
                while self.ended[0][0] < told["second"] - _REMEMBERED_S:
                    self.ended.popleft()
            case "final":
                self._add(worker, told["cells"])
                worker.final = told
            case "problem":
                worker.problems.append(told["problem"])

    def ended_since(self, second: float) -> Cell:
        """Return the requests that ended after a moment, whenever they began."""
        recent = Cell()
        for told, cell in self.ended:
            if told > second:
                recent.add(cell)
        return recent

    def _add(self, worker: Worker, told: Mapping[str, Mapping[str, Any]]) -> Cell:
        """Sort cells into their pieces; return their sum."""
        whole = Cell()
        for second, by_name in told.items():
            cells = {name: Cell.from_json(parts) for name, parts in by_name.items()}
            add_cells(self.pieces.setdefault(int(second) // self.width_s, {}), cells)
            add_cells(worker.totals, cells)
            whole.add(total_of(cells))
        while len(self.pieces) > MAX_PIECES:
            self.width_s *= 2
            wider: dict[int, Cells] = {}
            for number, cells in self.pieces.items():
                add_cells(wider.setdefault(number // 2, {}), cells)
            self.pieces = wider
        return whole

    def window_s(self, start_s: float, end_s: float) -> tuple[int, int]:
        """Return the stretch that whole pieces cover within the one given."""
        first = -int(-start_s // self.width_s)
        return first * self.width_s, max(first, int(end_s // self.width_s)) * self.width_s

    def between(self, start_s: float, end_s: float) -> list[Cells]:
        """Return every whole piece in the stretch, in order; a piece without samples is an empty one."""
        start, end = self.window_s(start_s, end_s)
        return [self.pieces.get(second // self.width_s, {}) for second in range(start, end, self.width_s)]


def _thinned(health: list[Health]) -> Iterator[Health]:
    """Join neighbours: the mean share of CPU, the worst lag."""
    for one, other in zip(health[::2], health[1::2], strict=False):
        yield Health(
            one.second,
            (one.cpu_share + other.cpu_share) / 2,
            max(one.lag_ms, other.lag_ms),
            max(one.users, other.users),
        )
