"""Free ports on the loopback address."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"
# Below the range that systems take outgoing connections from, so that none takes ours meanwhile.
FIRST, LAST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Return distinct ports that nothing listens on now."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randint(FIRST, LAST)
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((HOST, port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def listens(port: int) -> bool:
    """Return whether something accepts connections on a port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
