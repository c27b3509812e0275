"""Free ports on the loopback address."""

from __future__ import annotations

import atexit
import random
import socket

HOST = "127.0.0.1"
# Below the range that systems take outgoing connections from, so that none takes ours meanwhile.
FIRST, LAST = 20_000, 32_000


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
    """Return whether this process holds the lock of a port from now to its end, and did not before.

    A UDP socket of the same number is a lock that needs no file and goes with the process.
    """
    lock = socket.socket(type=socket.SOCK_DGRAM)
    try:
        lock.bind((HOST, port))
    except OSError:
        lock.close()
        return False
    atexit.register(lock.close)
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
