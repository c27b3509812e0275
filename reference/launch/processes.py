"""Processes that belong together: when one ends unasked, or their owner does, all of them end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from reference.launch import janitor
from reference.launch.owner import OwnerArguments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reference.launch.owner import Owner

PROJECT = Path(__file__).resolve().parents[2]
POLL_S = 0.02
TAIL_LINES = 3


class ComponentFailed(Exception):
    """A component did not start, or ended unasked. One line, with the tail of the component's log."""

    def __init__(self, component: str, problem: str, log: Path | None = None) -> None:
        tail = tail_of(log) if log else ""
        super().__init__(f"{component} {problem}" + (f": {tail}" if tail else ""))


@dataclass(frozen=True)
class Component:
    """A running part of the release."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    polite: int


@dataclass
class Processes:
    """What was started, in order, in one folder that goes when they go."""

    directory: Path
    started: list[Component] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start the janitor before there is anything to clean."""
        self.janitor = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "reference.launch.janitor", str(self.directory)],
            stdin=subprocess.PIPE,
            bufsize=0,  # a line that it could not be told stays in no buffer
            cwd=PROJECT,
            start_new_session=True,
        )

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environ: Mapping[str, str],
        owner: Owner | None = None,
        polite: int = signal.SIGTERM,
        cwd: Path | None = None,
        descriptors: Sequence[int] = (),
    ) -> Component:
        """Start a component in a session of its own; what it prints goes to ``log/NAME.out``.

        It inherits the descriptors that are named, and no other.

        Raises:
            ComponentFailed: its program cannot be run.
        """
        log = self.directory / "log" / f"{name}.out"
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(  # noqa: S603 - programs of the release, started on purpose
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=dict(environ),
                    cwd=cwd or self.directory,
                    start_new_session=True,
                    pass_fds=descriptors,
                    **(owner.as_arguments() if owner else OwnerArguments()),
                )
        except OSError as error:
            raise ComponentFailed(name, f"cannot start: {error}") from None
        component = Component(name, process, log, polite)
        self.started.append(component)
        self._tell_janitor(component)
        return component

    def _tell_janitor(self, component: Component) -> None:
        if self.janitor.stdin:
            try:
                self.janitor.stdin.write(f"{component.process.pid} {int(component.polite)}\n".encode())
            except BrokenPipeError:
                status = self.janitor.wait(janitor.KILLED_S)
                raise ComponentFailed("janitor", f"ended unasked with status {status}") from None

    def wait_until(self, component: Component, ready: Callable[[], bool], within_s: float) -> None:
        """Wait until a component is ready.

        Raises:
            ComponentFailed: it ended, or the time is up.
        """
        deadline = time.monotonic() + within_s
        while not ready():
            if component.process.poll() is not None:
                raise ComponentFailed(component.name, "ended while starting", component.log)
            if time.monotonic() > deadline:
                raise ComponentFailed(component.name, f"was not ready within {within_s:g} s", component.log)
            time.sleep(POLL_S)

    def finish(self, component: Component, within_s: float) -> None:
        """Wait until a component has done its work and ended.

        Raises:
            ComponentFailed: it failed, or the time is up.
        """
        try:
            status = component.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise ComponentFailed(component.name, f"took more than {within_s:g} s", component.log) from None
        if status:
            raise ComponentFailed(component.name, f"failed with status {status}", component.log)
        self.started.remove(component)

    def stop(self, name: str) -> None:
        """Stop one component on purpose, and go on without it."""
        component = next(each for each in self.started if each.name == name)
        self.started.remove(component)
        component.process.send_signal(component.polite)
        try:
            component.process.wait(janitor.POLITE_S)
        except subprocess.TimeoutExpired:
            component.process.kill()
            component.process.wait()

    def check(self) -> None:
        """Raise when a component, or the janitor, has ended unasked.

        Raises:
            ComponentFailed: with the component's name.
        """
        for component in self.started:
            if (status := component.process.poll()) is not None:
                raise ComponentFailed(component.name, f"ended unasked with status {status}", component.log)
        if (status := self.janitor.poll()) is not None:
            raise ComponentFailed("janitor", f"ended unasked with status {status}")

    def end(self) -> None:
        """End everything, remove the folder, and let the janitor go."""
        alive = [each for each in self.started if each.process.poll() is None]
        janitor.end([(psutil.Process(each.process.pid), each.polite) for each in alive], self.directory)
        for each in alive:
            each.process.wait(janitor.KILLED_S)
        if self.janitor.stdin:
            self.janitor.stdin.close()
        self.janitor.wait(janitor.KILLED_S)


def python_variables() -> dict[str, str]:
    """Return the few variables of ours that a Python program needs; the rest is nobody's business."""
    names = ("PATH", "LANG", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    return {name: os.environ[name] for name in names if name in os.environ}


def tail_of(log: Path) -> str:
    """Return the last lines of a log as one line."""
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return " | ".join([line.strip() for line in lines if line.strip()][-TAIL_LINES:])
