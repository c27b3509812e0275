"""What the tests of the probes share: a run without pytest, and ways to ask a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from fixtures.environment import Environment
from fixtures.http import Answer, Line, Request
from fixtures.run import Run
from fixtures.secrets import Vault
from tests.probes.servers import Authority, Server

if TYPE_CHECKING:
    from pathlib import Path

Ask: TypeAlias = Callable[..., Answer]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    return Run("20261122T191500Z-3fa9", scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


def described(**parts: Any) -> Environment:
    """Return an environment of these parts, and a quick timeout."""
    whole: dict[str, Any] = {
        "name": "tried",
        "release": "1.0.0",
        "identity": {"environment": {"field": "environment", "equals": "tried"}},
        **parts,
    }
    whole["limits"] = {"request_timeout_s": 0.4, **parts.get("limits", {})}
    return Environment.model_validate(whole)


@pytest.fixture
def line_to(run: Run) -> Iterator[Callable[..., Line]]:
    """``line_to(server or url)`` is the way to it; further arguments belong to [api] and the environment."""
    lines: list[Line] = []

    def make(target: Server | str, *, api: dict[str, Any] | None = None, **parts: Any) -> Line:
        url = target if isinstance(target, str) else target.url
        environment = described(api={"url": url, **(api or {})}, **parts)
        assert environment.api is not None
        lines.append(
            Line(
                "api",
                place=environment.api,
                environment=environment,
                headers={"X-Tenant": "t"},
                run=run,
                vault=Vault(run.scratch, str),
            )
        )
        return lines[-1]

    yield make
    for line in lines:
        line.close()


@pytest.fixture
def ask(line_to: Callable[..., Line]) -> Ask:
    """``ask(server, path="/", method="GET", ...)`` sends one request on a new line."""

    def exchange(target: Server | str, path: str = "/", method: str = "GET", **parts: Any) -> Answer:
        return line_to(target, **parts).exchange(Request(method, path))

    return exchange
