"""A Docker engine of a test's own: a real dockerd with its own socket and data, gone afterwards.

It touches no firewall and makes no bridge: containers have the machine's network or none. Images are made
here, from files; no registry is asked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.machine import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

with_docker = needs("docker.io docker-compose iptables", "docker", "dockerd", "docker-compose")


@dataclass(frozen=True)
class Engine:
    """A running engine.

    Attributes:
        address: for ``DOCKER_HOST``.
    """

    address: str

    def docker(self, *arguments: object, stdin: bytes | None = None) -> str:
        """Return what a docker command prints."""
        return self._done(*arguments, stdin=stdin).stdout.decode().strip()

    def logs(self, container: str) -> str:
        """Return what a container has said."""
        done = self._done("logs", container)
        return (done.stdout + done.stderr).decode()

    def _done(self, *arguments: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            ["docker", *map(str, arguments)],
            env=os.environ | {"DOCKER_HOST": self.address},
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done


@contextlib.contextmanager
def docker_engine() -> Iterator[Engine]:
    # Not in a folder of pytest's: the path of a socket is short.
    folder = Path(tempfile.mkdtemp(prefix="gonogo-docker-", dir="/tmp"))
    engine = Engine(f"unix://{folder}/socket")
    command = [
        "dockerd", "-H", engine.address, "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec",
        "--pidfile", f"{folder}/pid", "--config-file", f"{folder}/config.json", "--bridge=none",
        "--iptables=false", "--ip-forward=false", "--ip-masq=false",
    ]  # fmt: skip
    (folder / "config.json").write_text("{}")  # not the machine's own
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _until_it_answers(engine, daemon, folder / "log")
        yield engine
        for container in engine.docker("ps", "-aq").split():
            engine.docker("rm", "-f", container)  # dockerd would wait for each of them
    finally:
        daemon.terminate()
        daemon.wait(60)
        _unmount_below(folder)
        shutil.rmtree(folder)


def _unmount_below(folder: Path) -> None:
    """Unmount what an engine leaves: the network namespace of its containers."""
    for line in Path("/proc/mounts").read_text().splitlines():
        place = line.split()[1]
        if place.startswith(f"{folder}/"):
            subprocess.run(["umount", place], check=True)


def _until_it_answers(engine: Engine, daemon: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while daemon.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(AssertionError):
            engine.docker("version")
            return
        time.sleep(0.2)
    raise RuntimeError(log.read_text())
