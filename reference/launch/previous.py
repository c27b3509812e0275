"""The previous release, running beside this one on the same database, as after a blue-green switch.

It starts when it is first asked: the supervisor holds its socket until then, so that a run that compares
nothing does not pay for it.
"""

from __future__ import annotations

import select
import socket
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from reference.launch.plan import PREVIOUS, PREVIOUS_COMMIT
from reference.launch.processes import PROJECT, python_variables

if TYPE_CHECKING:
    from pathlib import Path

    from reference.launch.plan import Plan
    from reference.launch.processes import Processes

WAITING = 64
"""Connections that may wait for it to start."""

TABLES = """
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1
"""


@dataclass
class Previous:
    """The previous release, waiting to be asked.

    Attributes:
        processes: where it will belong.
        environ: its environment variables.
        socket: where it will answer.
    """

    processes: Processes
    environ: dict[str, str] = field(repr=False)
    socket: socket.socket

    @property
    def pid_file(self) -> Path:
        """The file with the id of its process, once it runs."""
        return self.processes.directory / "previous.pid"

    def start_when_asked(self, within_s: float) -> None:
        """Wait for somebody to connect, or for the time to pass; start it for the first who does."""
        if not select.select([self.socket], [], [], within_s)[0] or self.pid_file.exists():
            return
        component = self.processes.start(
            "previous",
            [
                sys.executable,
                "-m",
                "reference.worker",
                "--previous",
                "--descriptor",
                str(self.socket.fileno()),
            ],
            environ=self.environ,
            cwd=PROJECT,
            descriptors=(self.socket.fileno(),),
        )
        self.pid_file.write_text(str(component.process.pid))
        self.socket.close()


def listen(processes: Processes, plan: Plan, database_url: str) -> Previous:
    """Make the socket of the previous release, on which nobody answers yet."""
    address = processes.directory / "previous.sock"
    logs = processes.directory / "log" / "previous"
    logs.mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(address))
    address.chmod(0o666)  # the proxy runs as another user
    listener.listen(WAITING)
    environ = {
        **python_variables(),
        **plan.variables,
        "RELEASE_VERSION": PREVIOUS,
        "RELEASE_COMMIT": PREVIOUS_COMMIT,
        "DATABASE_URL": database_url,
        "LOG_DIR": str(logs),
    }
    return Previous(processes, environ, listener)


def tables(database_url: str) -> list[str]:
    """Return the names of the tables that there are now, with their schema."""
    with psycopg.connect(database_url) as session:
        return [name for (name,) in session.execute(TABLES)]
