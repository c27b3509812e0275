"""What one generator process counts, and how it tells it: the lines that ``load.series`` reads."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from load.series import Cell, Cells, add_cells

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Recorder:
    """Counts by second of the intended start and by endpoint; memory does not grow with the run.

    Attributes:
        worker: name of this process.
        send: takes one line (JSON built-ins).
        busy: requests that were due while every user was busy.
        on_time: requests (open) or probes (closed) that an idle generator began in time.
        late: the same, begun late.
        tells_locust: whether Locust's own statistics are wanted, for its tables and its web interface.
    """

    worker: str
    send: Callable[[dict[str, Any]], None]
    tells_locust: bool = False
    busy: int = 0
    on_time: int = 0
    late: int = 0
    users: int = 0
    worst_lag_ms: float = 0.0
    started: float = 0.0
    left_out: set[str] = field(default_factory=set)
    _recent: dict[int, Cells] = field(default_factory=dict)
    _totals: Cells = field(default_factory=dict)
    _wall_ahead: float = 0.0
    _tick_at: float = 0.0
    _tick_cpu: float = 0.0

    def start(self, at: float) -> None:
        """Begin at a moment of the steady clock (seconds of ``time.perf_counter``)."""
        self.started = at
        self._wall_ahead = time.time() - time.perf_counter()
        self._tick_at, self._tick_cpu = time.perf_counter(), time.process_time()
        self.send({"type": "start", "worker": self.worker, "wall": at + self._wall_ahead})

    def cell(self, name: str, due: float) -> Cell:
        """Return where a request belongs that was due at a moment of the steady clock."""
        cells = self._recent.setdefault(int(due - self.started), {})
        cell = cells.get(name)
        if cell is None:
            cell = cells[name] = Cell()
        return cell

    def tick(self) -> None:
        """Tell what has changed since the last tick."""
        now, cpu = time.perf_counter(), time.process_time()
        elapsed = now - self._tick_at
        self.send(
            {
                "type": "tick",
                "worker": self.worker,
                "second": round(now - self.started, 3),
                "cpu": round((cpu - self._tick_cpu) / elapsed, 4) if elapsed > 0 else 0.0,
                "lag_ms": round(self.worst_lag_ms, 3),
                "users": self.users,
                "cells": self._take(),
            }
        )
        self._tick_at, self._tick_cpu, self.worst_lag_ms = now, cpu, 0.0

    def finish(self, issued_until: float) -> None:
        """Tell the rest, and all over again in sum."""
        recent = self._take()
        self.send(
            {
                "type": "final",
                "worker": self.worker,
                "cells": recent,
                "totals": {name: cell.to_json() for name, cell in self._totals.items()},
                "busy": self.busy,
                "on_time": self.on_time,
                "late": self.late,
                "issued_until_s": round(issued_until - self.started, 3),
                "drift_s": round(abs(time.time() - time.perf_counter() - self._wall_ahead), 4),
                "left_out": sorted(self.left_out),
            }
        )

    def problem(self, text: str) -> None:
        """Tell why this generator cannot do its work."""
        self.send({"type": "problem", "worker": self.worker, "problem": text})

    def _take(self) -> dict[str, dict[str, Any]]:
        recent, self._recent = self._recent, {}
        for cells in recent.values():
            add_cells(self._totals, cells)
        return {
            str(second): {name: cell.to_json() for name, cell in cells.items()}
            for second, cells in recent.items()
        }
