"""The intrusion detector: follows the security log, and raises an alert when one client keeps failing.

A process of its own that imports next to nothing, so that it costs no time at the start.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from datetime import datetime
from pathlib import Path

EVERY_S = 0.5
MOST_FAILURES = 20
WITHIN_S = 60.0


class Watch:
    """Counts failed sign-ins of each client."""

    def __init__(self) -> None:
        self.failures: dict[str, deque[float]] = {}

    def saw(self, line: str) -> str | None:
        """Take note of one line of the security log; return whom to raise an alert about."""
        try:
            event = json.loads(line)
            client, kind = str(event["client"]), event["event"]
            moment = datetime.fromisoformat(event["time"]).timestamp()
        except (ValueError, KeyError, TypeError):
            return None
        if kind != "sign_in_failed":
            return None
        recent = self.failures.setdefault(client, deque(maxlen=MOST_FAILURES + 1))
        recent.append(moment)
        if len(recent) <= MOST_FAILURES or recent[-1] - recent[0] > WITHIN_S:
            return None
        recent.clear()
        return client


def follow(log: Path, alive: Path, alerts: Path) -> None:
    """Read what is appended to the log, for ever, and leave a sign of life after every look."""
    watch, seen = Watch(), 0
    while True:
        if log.exists():
            with log.open("rb") as opened:
                opened.seek(seen)
                whole = opened.read().rpartition(b"\n")[0]
            seen += len(whole) + 1 if whole else 0
            for line in whole.decode(errors="replace").splitlines():
                if (client := watch.saw(line)) is not None:
                    with alerts.open("a") as written:
                        written.write(json.dumps({"alert": "failed sign-ins", "client": client}) + "\n")
        alive.touch()
        time.sleep(EVERY_S)


if __name__ == "__main__":
    follow(*map(Path, sys.argv[1:4]))
