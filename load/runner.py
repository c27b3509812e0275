"""Carries a plan out: starts Locust as processes of its own, watches them, ends them.

Nothing of Locust or gevent is imported here. The generators write lines to a file in a private folder; this
side reads them as they come, for the progress line, for the early end, and for the result.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from load import bounds
from load.histogram import merged
from load.series import Series

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence
    from io import TextIOWrapper

    from fixtures.load_profile import Abort, Workers
    from load.plan import Plan

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
ROOT = Path(__file__).resolve().parents[1]

_POLL_S = 0.25
_START_S = 30.0  # to import, connect and sign in; workers elsewhere get their own time on top
_FINISH_S = 25.0  # beyond the request timeout: Locust's own waiting, final histograms, exit
_WORKER_GRACE_S = 5.0
_MIN_HARM_SAMPLES = 20
_PROGRESS_WINDOW_S = 10
_LAST_LINES, _LAST_LETTERS = 3, 300  # of a log: what went wrong, and what became of it
_NOT_HANDED_ON = ("LOCUST_", "PYTEST_", "GONOGO_LOAD_", "GONOGO_ENV", "GONOGO_RELEASE")


@dataclass(frozen=True)
class Orders:
    """How a plan is carried out.

    Attributes:
        folder: private folder for plan, lines and logs; kept by its owner.
        abort: when to stop early.
        decided: asked at the declared end and again at each doubling, when the plan may go on; true ends
            the run.
        declared_s: the end of the declared load, in seconds from its start; the plan's own end is the latest.
        progress: takes one line of text, about once a second.
    """

    folder: Path
    abort: Abort
    declared_s: float
    processes: int = 1
    elsewhere: Workers | None = None
    decided: Callable[[Series, float], bool] | None = None
    progress: Callable[[str], None] = lambda _line: None

    @property
    def generators(self) -> int:
        """How many take part, and must report."""
        return self.elsewhere.expected if self.elsewhere else self.processes


@dataclass
class Carried:
    """What came of it.

    Attributes:
        series: everything that was told.
        ended_s: until when requests were begun, from the start of the load; 0 if it never began.
        aborted: the harm that ended it early, or an empty string.
        interrupted: a person ended it.
        wall_s: how long it took, start of the processes included.
        generators: how many had to take part.
        trouble: why it did not run as it should, in words, or an empty string.
    """

    series: Series = field(default_factory=Series)
    ended_s: float = 0.0
    aborted: str = ""
    interrupted: bool = False
    trouble: str = ""
    wall_s: float = 0.0
    generators: int = 1


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a load; everything has been stopped.

    Attributes:
        carried: the partial result.
    """

    def __init__(self, carried: Carried) -> None:
        super().__init__("interrupted during the load")
        self.carried = carried


def carry_out(plan: Plan, orders: Orders) -> Carried:
    """Put the load on the target, and return when it and every process is over.

    Raises:
        Interrupted: Ctrl-C. All processes have been ended.
    """
    plan = replace(plan, generators=orders.generators)
    orders.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    plan_file, lines_file = orders.folder / "plan.json", orders.folder / "lines.jsonl"
    lines_file.touch(mode=0o600)
    plan_file.touch(mode=0o600)
    plan_file.write_text(plan.to_json(), encoding="utf-8")
    begun = time.monotonic()
    carried = Carried(generators=orders.generators)
    with lines_file.open(encoding="utf-8") as lines:
        watch = _Watch(plan, orders, carried, lines)
        processes: list[subprocess.Popen[bytes]] = []
        try:
            _start(processes, plan, orders, plan_file)
            watch.until_over(*processes)
        except KeyboardInterrupt:
            carried.interrupted = True
        finally:
            # The master first: it waits for what its workers still have to tell.
            for number, process in enumerate(processes):
                _end(process, plan.timeout_s + _FINISH_S if number == 0 else _WORKER_GRACE_S)
            plan_file.unlink(missing_ok=True)
            watch.read()
            carried.wall_s = time.monotonic() - begun
    if carried.interrupted:
        raise Interrupted(carried)
    return carried


def _start(processes: list[subprocess.Popen[bytes]], plan: Plan, orders: Orders, plan_file: Path) -> None:
    """Start the master (or the only process), then the workers that this machine is told to start."""
    spawn_rate = plan.users if plan.mode == "open" else plan.spawn_rate
    command = [
        sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary",
        "--loglevel", "WARNING", "--host", plan.base_url, "-u", str(plan.users), "-r", str(spawn_rate),
        "--stop-timeout", str(int(plan.timeout_s) + 1), "-t", f"{int(plan.end_s + _START_S)}s",
    ]  # fmt: skip
    port = 0
    if orders.elsewhere:
        port = orders.elsewhere.port or _free_port()
        command += [
            "--master", "--master-bind-host", orders.elsewhere.bind, "--master-bind-port", str(port),
            "--expect-workers", str(orders.elsewhere.expected),
            "--expect-workers-max-wait", str(int(orders.elsewhere.wait_s) + 1),
        ]  # fmt: skip
    elif orders.processes > 1:
        port = _free_port()
        command += ["--processes", str(orders.processes), "--master-bind-host", "127.0.0.1"]
        command += ["--master-bind-port", str(port), "--master-host", "127.0.0.1", "--master-port", str(port)]
        command += ["--expect-workers-max-wait", "30"]
    surroundings = _surroundings(plan_file)
    own = surroundings | {"GONOGO_LOAD_OUT": str(orders.folder), "GONOGO_LOAD_LIFELINE": "1"}
    processes.append(_spawn(command, own, orders.folder / "locust.log", orders.folder))
    for number, template in enumerate(orders.elsewhere.start if orders.elsewhere else ()):
        filled = [
            part.format(port=port, plan=plan_file, locustfile=LOCUSTFILE, python=sys.executable)
            for part in shlex.split(template)
        ]
        # In the folder of whoever runs this: the command may name a file.
        log, variables = _log_of(orders, number), surroundings | {"GONOGO_LOAD_LIFELINE": "1"}
        processes.append(_spawn(filled, variables, log, Path.cwd()))


def _log_of(orders: Orders, number: int) -> Path:
    return orders.folder / f"worker-{number}.log"


def _surroundings(plan_file: Path) -> dict[str, str]:
    """Return the variables of a generator: ours, less settings of Locust, of pytest, and of another load."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON)}
    return kept | {"GONOGO_LOAD_PLAN": str(plan_file), "PYTHONPATH": str(ROOT)}


def _spawn(command: list[str], variables: dict[str, str], log: Path, folder: Path) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in the terminal reaches this runner alone, which ends the others in order.
    # Its stdin is the lifeline: it ends when this process does, however that goes.
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own interpreter, or a command of the environment file
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes], grace_s: float) -> None:
    """End a process and its group: gently, then not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class _Watch:
    """Reads along and decides when it is over."""

    def __init__(self, plan: Plan, orders: Orders, carried: Carried, lines: TextIOWrapper) -> None:
        self._plan = plan
        self._orders = orders
        self._carried = carried
        self._lines = lines
        self._partial = ""
        self._look = 1
        self._stopping = False
        self._shown = 0.0

    def read(self) -> None:
        """Feed every whole line that has come."""
        text = self._partial + self._lines.read()
        *whole, self._partial = text.split("\n")
        for line in whole:
            self._carried.series.feed(line)
        finals = [worker.final for worker in self._carried.series.workers.values() if worker.final]
        if finals:
            self._carried.ended_s = min(self._plan.end_s, *(final["issued_until_s"] for final in finals))
        elif self._carried.series.workers:
            self._carried.ended_s = min(self._plan.end_s, self._second())

    def until_over(self, process: subprocess.Popen[bytes], *starters: subprocess.Popen[bytes]) -> None:
        """Return when the process has ended by itself or at our wish; its time is limited.

        Args:
            process: the master, or the only one.
            starters: the commands that start generators elsewhere.
        """
        orders, plan = self._orders, self._plan
        waiting = _START_S + (orders.elsewhere.wait_s if orders.elsewhere else 0)
        within_s = waiting + plan.end_s + plan.timeout_s + _FINISH_S
        deadline = time.monotonic() + within_s
        while process.poll() is None:
            time.sleep(_POLL_S)
            self.read()
            self._show()
            if not self._stopping and (
                self._hopeless() or self._unstarted(starters) or self._harmful() or self._is_enough()
            ):
                self._stopping = True
                process.send_signal(signal.SIGTERM)
            if time.monotonic() > deadline:
                self._carried.trouble = f"the generator did not end within {within_s:.0f} s and was killed"
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.read()
        if not self._carried.series.workers and not self._carried.trouble:
            last_words = _last_words(self._orders.folder / "locust.log")
            self._carried.trouble = f"the generators never began (exit {process.returncode}): {last_words}"

    def _unstarted(self, starters: Sequence[subprocess.Popen[bytes]]) -> bool:
        """Whether a command has failed that was to start generators; say which."""
        if self._carried.series.workers:
            return False
        for number, starter in enumerate(starters):
            if starter.poll():
                last_words = _last_words(_log_of(self._orders, number))
                words = f"the start command {number + 1} failed (exit {starter.returncode})"
                self._carried.trouble = f"the generators never began: {words}: {last_words}"
                return True
        return False

    def _second(self) -> float:
        """The latest second that any generator has told of."""
        told = [worker.health[-1].second for worker in self._carried.series.workers.values() if worker.health]
        return max(told, default=0.0)

    def _hopeless(self) -> bool:
        """Whether a generator has said that it cannot do its work."""
        return any(worker.problems for worker in self._carried.series.workers.values())

    def _harmful(self) -> bool:
        """Whether the immediate past shows harm, beyond doubt; say which."""
        abort, series = self._orders.abort, self._carried.series
        now = self._second()
        if now < abort.window_s:
            return False
        recent = series.ended_since(now - abort.window_s)
        if recent.answered < _MIN_HARM_SAMPLES:
            return False
        failed = recent.failed.total
        if bounds.ratio_bounds(failed, recent.answered)[0] > abort.error_ratio:
            words = f"{failed} of {recent.answered} requests failed within {abort.window_s:g} s"
            self._carried.aborted = f"{words} ({_most(recent.why)})"
            return True
        answered = merged([recent.ok, recent.failed])
        slower = answered.slower_than(abort.median_ms * 1000).total
        if bounds.ratio_bounds(slower, answered.total)[0] > 0.5:  # noqa: PLR2004 - the median
            words = f"{slower} of {answered.total} requests took over {abort.median_ms:g} ms"
            self._carried.aborted = f"{words} within {abort.window_s:g} s"
            return True
        return False

    def _is_enough(self) -> bool:
        """Whether the declared load is over and its verdict is decided, where the plan may go on."""
        if self._orders.decided is None:
            return False
        # The last answers of a second come later: look when those of the declared time are there.
        if self._second() < self._orders.declared_s * self._look + min(2.0, self._plan.timeout_s):
            return False
        enough = self._orders.decided(self._carried.series, self._orders.declared_s * self._look)
        self._look *= 2
        return enough

    def _show(self) -> None:
        if time.monotonic() - self._shown < 1:
            return
        self._shown = time.monotonic()
        series, now = self._carried.series, self._second()
        if not series.workers:
            self._orders.progress("load: starting the generators")
            return
        recent = series.ended_since(now - _PROGRESS_WINDOW_S)
        p95_ms = recent.ok.quantile_ms(0.95)
        p95 = "-" if p95_ms is None else f"{p95_ms:,.1f} ms"
        rate = recent.answered / (min(now, _PROGRESS_WINDOW_S) or 1)
        errors = f"{recent.failed.total} of {recent.answered} failed"
        left = max(0.0, self._plan.end_s - now)
        self._orders.progress(f"load: {now:.0f} s, {rate:,.0f}/s, p95 {p95}, {errors}, {left:.0f} s left")


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-_LAST_LINES:])[-_LAST_LETTERS:] if lines else "it said nothing"


def _most(why: Counter[str]) -> str:
    return ", ".join(f"{count}x {reason}" for reason, count in why.most_common(2))
