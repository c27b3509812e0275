"""Free ports on the loopback address."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

HOST = "127.0.0.1"
# Below the range that systems take outgoing connections from, so that none takes ours meanwhile.
FIRST, LAST = 20_000, 32_000


_held: list[int] = []
"""Descriptors of the locks of this process's ports: they go with the process."""


def free_ports(count: int) -> list[int]:
    """Return distinct ports that nothing listens on now, and that no other launch is given before we end.

    A server binds its port seconds after it was chosen, and a launch beside ours may choose meanwhile.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randint(FIRST, LAST)
        if _is_ours(port) and _is_free(port):
            found.append(port)
    return found


def _is_ours(port: int) -> bool:
    """Return whether this process holds the lock of a port now, and did not before."""
    folder = Path(tempfile.gettempdir()) / f"gonogo-ports-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    _held.append(descriptor)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    """Return whether something accepts connections on a port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
