"""A target that cannot be reached: one clear line, a quick end, and whose fault it is."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.suite.conftest import Suite


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which nothing listens, and which nobody else can take meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_name_that_does_not_resolve_is_unknown(workers: tuple[str, ...], any_suite: Suite) -> None:
    ended = any_suite("-m", "smoke", "--env=prod", *workers)

    assert (ended.status, ended.verdict["verdict"], ended.verdict["action"]) == (6, "HOLD", "hold")
    assert ended.verdict["duration_s"] < 15
    assert {item["outcome"] for item in ended.verdict["items"].values()} == {"UNKNOWN"}
    assert "Traceback" not in ended.output
    assert " ".join(ended.output.split()).count("api.production.local does not resolve") == 1, ended.output
    assert "let this machine resolve the name and reach it" in " ".join(ended.output.split())


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_refused_connection_is_no_go_and_rolls_back(
    workers: tuple[str, ...], silent_port: int, variant: Any, any_suite: Suite
) -> None:
    environment = variant(url=f'url = "https://127.0.0.1:{silent_port}"')
    ended = any_suite("-m", "smoke", f"--env={environment}", *workers)

    assert (ended.status, ended.verdict["verdict"], ended.verdict["action"]) == (1, "NO-GO", "rollback")
    assert f"api at https://127.0.0.1:{silent_port} refused the connection" in ended.output
    assert "Traceback" not in ended.output
    assert "On-call Engineer" in ended.output
    red = [item_id for item_id, item in ended.verdict["items"].items() if item["outcome"] == "FAILED"]
    assert red == ["SMK-1"]
