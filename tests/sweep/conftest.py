"""A sweep over an invented API: a table of paths and answers in the place of a target."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.environment import Environment
from fixtures.http import Answer, Content
from fixtures.release import Release
from fixtures.run import Run, begin, caught
from fixtures.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

BASE = "https://api.example"


class InventedApi:
    """Answers from a table; a callable there decides by itself, and is told who asks."""

    address = BASE

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.table = table
        self.asked: list[str] = []
        self.lock = threading.Lock()

    def get(self, path: str, *, role: str | None = None, query: Mapping[str, object] | None = None) -> Answer:
        return self.send("GET", path, role=role, query=query)

    def send(
        self,
        method: str,
        path: str,
        *,
        role: str | None = None,
        query: Mapping[str, object] | None = None,
        content: Content | None = None,
        read_only: bool = True,
    ) -> Answer:
        assert read_only
        assert content is None or method == "POST"
        with self.lock:
            self.asked.append(path + (f" as {role}" if role else "") + (f" {dict(query)}" if query else ""))
        made = self.table.get(path, (404, {"detail": "nothing here"}))
        if callable(made):
            made = made(role)
        if isinstance(made, Exception):
            raise made
        return answer(made, method, path)

    def observe_many(self, observe: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
        return [caught(lambda each=each: observe(each)) for each in arguments]  # type: ignore[misc]


def answer(made: Any, method: str = "GET", path: str = "/") -> Answer:
    """Return an answer of a body, or of a status and a body; bytes are sent as HTML."""
    status, body = made if isinstance(made, tuple) else (200, made)
    is_raw = isinstance(body, bytes)
    content, kind = (body, "text/html") if is_raw else (json.dumps(body).encode(), "application/json")
    headers = (("Content-Type", kind),)
    return Answer(method, BASE + path, status, headers, content, 1.0, complete=True, curl=f"curl {path}")


@pytest.fixture
def run() -> Iterator[Run]:
    made = begin()
    yield made
    for file in made.scratch.iterdir():
        file.unlink()
    made.scratch.rmdir()


def declared(
    endpoints: list[dict[str, Any]], environment: Mapping[str, Any] | None = None, **release: Any
) -> tuple[Release, Environment]:
    """Return what a release file with these endpoints, and an environment file, say."""
    named = [{"kind": "report", "method": "GET", "name": f"e{n}", **each} for n, each in enumerate(endpoints)]
    health = {"path": "/health", "text": "ok"}
    identity = {"environment": {"field": "environment", "equals": "x"}}
    where = {"name": "x", "release": "1", "identity": identity, **(environment or {})}
    return (
        Release.model_validate({"version": "1", "health": health, "endpoints": named, **release}),
        Environment.model_validate(where),
    )


@pytest.fixture
def swept(run: Run) -> Callable[..., tuple[Sweep, InventedApi]]:
    """Return a sweep of endpoints (TOML-like tables) over a table of answers."""

    def make(
        endpoints: list[dict[str, Any]],
        table: Mapping[str, Any],
        *,
        environment: Mapping[str, Any] | None = None,
        told: list[str] | None = None,
        **release: Any,
    ) -> tuple[Sweep, InventedApi]:
        made, where = declared(endpoints, environment, **release)
        api = InventedApi(table)
        tell = (told if told is not None else []).append
        return Sweep(api=api, environment=where, release=made, run=run, tell=tell), api  # type: ignore[arg-type]

    return make
