"""What the application tells its operators: a JSON access log, a log file, Prometheus metrics."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference.application.settings import Settings

# Around the guide's limits: p95 below 200 ms, alert above 500 ms.
BUCKETS_MS = (5, 10, 25, 50, 100, 150, 200, 300, 500, 1000, 2500, 5000, 10000)


class Telemetry:
    """ASGI middleware that counts, times and logs every request."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "http_requests", "Requests answered", ["method", "path", "status"], registry=self.registry
        )
        self.duration = Histogram(
            "response_time_ms",
            "Time to the last byte, in milliseconds",
            ["method", "path"],
            buckets=BUCKETS_MS,
            registry=self.registry,
        )
        self.access = file_logger("reference.access", settings.log_dir / "access.log", "%(message)s")
        self.access.propagate = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note how it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] == "/metrics":
            await self.expose(send)
            return
        started = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            self.note(scope, status, (time.perf_counter() - started) * 1000)

    def note(self, scope: Scope, status: int, elapsed_ms: float) -> None:
        """Write one line and count one request; an unknown path is never a label."""
        template = scope.get("state", {}).get("template", "unmatched")
        self.requests.labels(scope["method"], template, str(status)).inc()
        self.duration.labels(scope["method"], template).observe(elapsed_ms)
        headers = dict(scope["headers"])
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "response_time_ms": round(elapsed_ms, 3),
            "client": headers.get(b"x-real-ip", b"").decode("latin-1"),
        }
        self.access.info(json.dumps(line))

    async def expose(self, send: Send) -> None:
        """Answer with the metrics; the proxy does not let anybody ask from outside."""
        headers = [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": generate_latest(self.registry)})


def file_logger(name: str, path: object, layout: str, level: str = "INFO") -> logging.Logger:
    """Return a logger that writes to one file and nowhere else."""
    logger = logging.getLogger(name)
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    handler = logging.FileHandler(str(path))
    handler.setFormatter(logging.Formatter(layout))
    logger.addHandler(handler)
    logger.setLevel(level)
    return logger
