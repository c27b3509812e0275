"""The Locust file: ``locust -f load/locustfile.py --host https://...`` explores, the runner measures.

On its own it builds its users from a release file (``--release``) and, for roles, secrets and certificates,
an environment file (``--env``); the web interface shows them. Under ``load.runner`` a plan comes as a file
(``GONOGO_LOAD_PLAN``), and on a worker elsewhere as a message of the master.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import gevent
from gevent.os import tp_read
from locust import events, runners
from locust.runners import MasterRunner, WorkerRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from load.plan import Plan
from load.recorder import Recorder
from load.users import CannotBegin, Generator, ReleaseUser, probe_lag

LEAD_S = 1.0
"""Between the start and the first request that is due, so that all users are there."""

FINALS_WAIT_S = 10.0
"""How long a master waits for the final histogram of a generator that is still connected."""

STRAGGLER_WAIT_S = 15.0
"""How long the end waits for a generator that began later than the others."""

SILENCE_S = 3.0
"""A generator tells something every second; one that is silent for longer is not waited for."""

FAREWELL_S = 1.0
"""Between the last word of a worker and its end; Locust has something to say in between."""

ORPHAN_S = 15
"""A worker ends when it has heard nothing of its master for so long: nobody would stop it if it did harm."""

log = logging.getLogger("gonogo.load")


class Process:
    """This process's part in the run: master, worker, or both in one.

    Attributes:
        plan: ``None`` until it is known, on a worker elsewhere.
        serves_once: a worker that nobody here can end; it takes part in one measured load.
    """

    def __init__(self, environment: Any) -> None:  # noqa: ANN401 - Locust's, without types
        self.environment = environment
        self.runner = environment.runner
        self.plan: Plan | None = None
        self.serves_once = False
        self.generator: Generator | None = None
        self.finals: set[str] = set()
        self._told: dict[str, tuple[float, float]] = {}  # generator: its own second, and when it said so
        self.finished = False
        self._greenlets: list[Any] = []
        folder = os.environ.get("GONOGO_LOAD_OUT")
        # One line per write to a file opened for appending: lines do not interleave.
        self._lines = Path(folder, "lines.jsonl").open("a", encoding="utf-8") if folder else None  # noqa: SIM115

    @property
    def is_master(self) -> bool:
        """Whether others generate the load, and this process collects."""
        return isinstance(self.runner, MasterRunner)

    @property
    def is_worker(self) -> bool:
        """Whether another process collects."""
        return isinstance(self.runner, WorkerRunner)

    def tell(self, line: dict[str, Any]) -> None:
        """Pass a line of a generator on, towards the file."""
        if self.is_worker:
            self.runner.send_message("gonogo-line", {"line": json.dumps(line)})
            return
        if line["type"] == "final":
            self.finals.add(line["worker"])
        if line["type"] == "tick":
            self._told[line["worker"]] = line["second"], time.monotonic()
        if self._lines:
            self._lines.write(json.dumps(line) + "\n")
            self._lines.flush()

    def begin(self) -> None:
        """Start to generate (or, on a master, hand the plan out)."""
        if self.is_master:
            assert self.plan is not None
            plan, measured = self.plan.without_secrets().to_json(), "GONOGO_LOAD_PLAN" in os.environ
            self.runner.send_message("gonogo-plan", {"plan": plan, "measured": measured})
        else:
            self._generate()
        if not self.is_worker and os.environ.get("GONOGO_LOAD_PLAN"):
            gevent.spawn(self._end_in_time)

    def learn(self, told: dict[str, Any]) -> None:
        """Take the plan of the master."""
        self.plan = self.plan or Plan.from_json(told["plan"])
        self.serves_once = told["measured"] and "GONOGO_LOAD_LIFELINE" not in os.environ

    def _generate(self) -> None:
        index = max(0, self.runner.worker_index) if self.is_worker else 0
        name = self.runner.client_id if self.is_worker else "local"
        log.info("this generator is %s", name)
        recorder = Recorder(
            name, self.tell, tells_locust=not os.environ.get("GONOGO_LOAD_PLAN") and not self.is_worker
        )
        if self.plan is None:
            self._give_up(recorder, "a generator came when the load had begun")
            return
        if self.serves_once and index >= self.plan.generators:
            self._give_up(recorder, f"more generators came than the {self.plan.generators} that are expected")
            return
        self.generator = ReleaseUser.generator = Generator(self.plan, recorder, index)
        self.finished = False
        try:
            self.generator.prepare()
        except CannotBegin as error:
            self._give_up(recorder, str(error))
            return
        recorder.start(time.perf_counter() + (LEAD_S if self.plan.mode == "open" else 0.0))
        self._greenlets = [
            gevent.spawn(probe_lag, self.generator),
            gevent.spawn(self._tick, recorder),
            gevent.spawn(self.generator.keep_signed_in),
        ]

    @staticmethod
    def _give_up(recorder: Recorder, why: str) -> None:
        log.error(why)
        recorder.problem(why)
        os.kill(os.getpid(), signal.SIGTERM)

    @staticmethod
    def _tick(recorder: Recorder) -> None:
        while True:
            gevent.sleep(1)
            recorder.tick()

    def stopping(self) -> None:
        """Note when the last request was begun."""
        if self.generator and self.generator.stopped_at is None:
            self.generator.stopped_at = time.perf_counter()

    def finish(self) -> None:
        """Tell the final counts: every user of this process has ended."""
        if self.generator is None or self.finished or not self.generator.recorder.started:
            return
        self.finished = True
        gevent.killall(self._greenlets)
        self.generator.recorder.finish(self.generator.stopped_at or time.perf_counter())
        if self.serves_once:
            # The master's farewell does not reach a worker that has just stopped: it would stay for a minute.
            gevent.spawn_later(FAREWELL_S, os.kill, os.getpid(), signal.SIGTERM)

    def end(self) -> None:
        """Stop the load and, on a master, wait for the final histograms of those who are still there."""
        self.runner.stop()
        if self.is_master:
            deadline = time.monotonic() + FINALS_WAIT_S
            while len(self.finals) < self.runner.worker_count and time.monotonic() < deadline:
                gevent.sleep(0.05)

    def _end_in_time(self) -> None:
        assert self.plan is not None
        gevent.sleep(self.plan.end_s + (LEAD_S if self.plan.mode == "open" else 0.0))
        deadline = time.monotonic() + STRAGGLER_WAIT_S
        while self._somebody_is_behind() and time.monotonic() < deadline:
            gevent.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _somebody_is_behind(self) -> bool:
        """Whether a generator that is still talking has not reached the end: each has a start of its own."""
        assert self.plan is not None
        now = time.monotonic()
        return any(second < self.plan.end_s and now - at < SILENCE_S for second, at in self._told.values())


def _live_no_longer_than_stdin() -> None:
    """End this process when the one that started it is gone, however it went."""
    while tp_read(0, 1024):
        pass
    log.warning("the runner is gone: ending")
    os.kill(os.getpid(), signal.SIGTERM)
    gevent.sleep(15)
    os._exit(3)


def _options(parser: Any, **_: object) -> None:  # noqa: ANN401 - Locust's, without types
    parser.add_argument(
        "--env", env_var="GONOGO_ENV", default="", help="environment file or name, for roles and secrets"
    )
    parser.add_argument("--release", env_var="GONOGO_RELEASE", default="", help="release file or version")


def _set_up(environment: Any, **_: object) -> None:  # noqa: ANN401 - Locust's, without types
    process = Process(environment)
    environment.events.test_start.add_listener(lambda **_: process.begin())
    environment.events.test_stopping.add_listener(lambda **_: process.stopping())
    if not process.is_master:
        environment.events.test_stop.add_listener(lambda **_: process.finish())
    if not process.is_worker:
        environment.events.quitting.add_listener(lambda **_: process.end())
    if process.is_master:
        process.runner.register_message(
            "gonogo-line", lambda msg, **_: process.tell(json.loads(msg.data["line"]))
        )
    if process.is_worker:
        process.runner.register_message("gonogo-plan", lambda msg, **_: process.learn(msg.data))
    if os.environ.get("GONOGO_LOAD_LIFELINE"):
        gevent.spawn(_live_no_longer_than_stdin)
    if plan_file := os.environ.get("GONOGO_LOAD_PLAN"):
        process.plan = Plan.from_json(Path(plan_file).read_text(encoding="utf-8"))
    elif not process.is_worker:
        from load.planning import exploration  # noqa: PLC0415 - a worker elsewhere has no environment file

        options = environment.parsed_options
        process.plan = exploration(options.env, options.release, environment.host or "")


runners.MASTER_HEARTBEAT_TIMEOUT = ORPHAN_S  # Locust's own is a minute
events.init_command_line_parser.add_listener(_options)  # type: ignore[no-untyped-call]  # Locust's
events.init.add_listener(_set_up)  # type: ignore[no-untyped-call]  # Locust's
