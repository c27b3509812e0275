"""Events that somebody who watches for intruders wants to know, one JSON object a line."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reference.application.telemetry import file_logger

if TYPE_CHECKING:
    from pathlib import Path

    from reference.application.table import Call

NAME = "reference.security"


def begin(log_dir: Path) -> None:
    """Write into ``security.log`` of a folder, and nowhere else."""
    file_logger(NAME, log_dir / "security.log", "%(message)s").propagate = False


def note(event: str, user: str, call: Call) -> None:
    """Write one event down."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "event": event,
        "user": user,
        "client": call.request.headers.get("x-real-ip", ""),
    }
    logging.getLogger(NAME).info(json.dumps(line))
