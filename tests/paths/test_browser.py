"""What is seen of a page in a real browser, on pages that were made for it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fixtures import netlog
from fixtures.browser import Pageflow, Tool, failed
from fixtures.environment import Environment
from fixtures.observation import CannotObserve
from fixtures.release import Pages, Release
from fixtures.run import Run
from fixtures.secrets import Vault
from tests import machine
from tests.probes import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fixtures.browser import Visit

QUIET_S = 0.6


@contextmanager
def serving(files: dict[str, str]) -> Iterator[str]:
    """Serve scripts and pages; what is not there is a 404, and ``/api`` is always there."""

    def answer(_method: str, target: str, *_: object) -> bytes:
        text = files.get(target, "{}" if target.startswith("/api") else "")
        kind = "text/javascript" if target.endswith(".js") else "text/html"
        return servers.response(200 if text else 404, text.encode(), {"Content-Type": kind})

    with servers.serving(servers.application(answer)) as server:
        yield server.url


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Visit]:
    """``look(script, name=script, ...)`` visits a page that runs a script, with more scripts beside it."""
    machine.chromium()

    def visit(script: str, *, shows: str = "h1", **scripts: str) -> Visit:
        files = {f"/{name}.js": text for name, text in scripts.items()}
        files["/"] = f"<link rel=icon href=data:,><h1>Stock</h1><ul></ul><script>{script}</script>"
        with serving(files) as url:
            parts: dict[str, Any] = {
                "name": "tried",
                "release": "1",
                "api": {"url": url},
                "frontend": {"url": url},
                "identity": {"environment": {"field": "environment", "equals": "tried"}},
                "roles": {"clerk": {"token": "env:NO_SUCH_TOKEN"}},
                "limits": {"request_timeout_s": 5, "page_quiet_s": QUIET_S},
            }
            release = {"version": "1", "health": {"path": "/health", "text": "ok"}, "roles": ["clerk"]}
            run = Run("20261122T191500Z-3fa9", tmp_path, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))
            flow = Pageflow(
                environment=Environment.model_validate(parts),
                release=Release.model_validate({**release, "api_key": {}}),
                pages=Pages.model_validate(
                    {"role": "clerk", "shows": shows, "entries": "li", "entries_from": "stock"}
                ),
                run=run,
                vault=Vault(tmp_path, str),
            )
            return flow.visit(Tool(required=True))

    return visit


def paths(visit: Visit) -> list[tuple[str, str]]:
    """Return what was asked for: the last part of each path, and who asked."""
    return [(asked.url.rpartition("/")[2], asked.by) for asked in visit.requests]


def test_a_busy_page_without_a_fault_has_none(look: Callable[..., Visit], tmp_path: Path) -> None:
    seen = look(
        """
        const list = document.querySelector("ul");
        setInterval(() => fetch("/api/poll"), 100);
        setTimeout(() => list.append(document.createElement("li"), "an entry"), 300);
        Promise.reject(new Error("expected")).catch(() => null);
        const leaving = new AbortController();
        fetch("/api/slow", { signal: leaving.signal }).catch(() => null);
        leaving.abort();
        navigator.serviceWorker.register("/service.js");
        new Worker("/worker.js");
        """,
        service='self.addEventListener("install", (event) => event.waitUntil(fetch("/api/cached")));',
        worker='fetch("/api/worked"); new Worker("/inner.js");',
        inner='fetch("/api/inner");',
    )

    assert (seen.trouble, seen.errors, failed(seen.requests)) == ("", (), [])
    assert seen.entries == 1
    assert {("cached", "service worker"), ("service.js", "service worker")} <= set(paths(seen))
    assert {("worked", ""), ("inner", ""), ("inner.js", "worker"), ("poll", "")} <= set(paths(seen))
    assert [file.name for file in tmp_path.glob("*.json")] == ["requests.json"], "the log is removed"


def test_what_happens_late_is_waited_for(look: Callable[..., Visit]) -> None:
    seen = look(
        """
        setTimeout(() => fetch("/gone").then(() => setTimeout(() => Promise.reject(1), 400)), 400);
        """
    )

    assert any("404" in error for error in seen.errors)
    assert "uncaught 1" in seen.errors
    assert [asked.url.rpartition("/")[2] for asked in failed(seen.requests)] == ["gone"]


def test_what_is_given_up_or_never_answered_was_asked_for(look: Callable[..., Visit]) -> None:
    seen = look(
        """
        const leaving = new AbortController();
        fetch("/gone", { signal: leaving.signal }).catch(() => null);
        setTimeout(() => leaving.abort(), 0);
        """
    )

    assert ("gone", "") in paths(seen)
    assert not failed(seen.requests)


def test_shared_workers_and_sockets_are_known_from_the_log(look: Callable[..., Visit]) -> None:
    seen = look(
        'new SharedWorker("/shared.js");',
        shared='fetch("/gone"); new WebSocket("ws://" + location.host + "/socket");',
    )

    assert {("gone", "worker"), ("socket", "WebSocket")} <= set(paths(seen))
    assert {str(asked).partition("/gone")[2] for asked in failed(seen.requests)} >= {" (by a worker): 404"}


def test_a_page_without_entries_shows_none(look: Callable[..., Visit]) -> None:
    assert look('document.querySelector("ul").innerHTML = "<li hidden>1</li>"').entries == 0


# ---------------------------------------------------------------- the browser's log

CONSTANTS = {
    "logEventTypes": {
        "URL_REQUEST_START_JOB": 1,
        "HTTP_TRANSACTION_READ_RESPONSE_HEADERS": 2,
        "WEBSOCKET_UPGRADE_FAILURE": 3,
    },
    "logSourceType": {"URL_REQUEST": 7, "SOCKET": 8},
    "netError": {"ERR_ABORTED": -3, "ERR_CONNECTION_REFUSED": -102},
    "timeTickOffset": 1_000_000,
}


def event(id_: int, type_: int, source: int = 7, **parameters: object) -> str:
    return json.dumps(
        {"params": parameters, "source": {"id": id_, "type": source}, "time": "500", "type": type_}
    )


def written(folder: Path, *events: str) -> Path:
    log = folder / "log.json"
    log.write_text('{"constants":' + json.dumps(CONSTANTS) + ',\n"events": [\n' + ",\n".join(events))
    return log


def test_requests_of_a_log_are_read_with_what_came_of_them(tmp_path: Path) -> None:
    log = written(
        tmp_path,
        event(1, 1, method="POST", url="https://a/one?x=1"),
        event(2, 1, method="GET", url="wss://a/two"),
        event(1, 2, headers=["HTTP/1.1 302 Found", "Location: /three"]),
        event(2, 3, message="Unexpected response code: 403", net_error=-320),
        event(1, 1, method="GET", url="https://a/three"),
        event(1, 1, net_error=-102),
        event(3, 1, method="GET", url="https://a/four"),
        event(3, 1, net_error=-3),
        event(4, 1, 8, method="GET", url="https://a/no-request"),
        event(5, 2, headers=["HTTP/1.1 200"]) + "],",
        '"polledData": [{}]}',
    )

    assert netlog.read(log) == (
        netlog.Logged("POST", "https://a/one?x=1", 1000.5, 302),
        netlog.Logged("GET", "wss://a/two", 1000.5, 403),
        netlog.Logged("GET", "https://a/three", 1000.5, 0, "net::ERR_CONNECTION_REFUSED"),
        netlog.Logged("GET", "https://a/four", 1000.5),
    )


def test_a_log_that_broke_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = event(1, 1, method="GET", url="https://a/one")

    assert [each.url for each in netlog.read(written(tmp_path, whole, whole[:40]))] == ["https://a/one"]


@pytest.mark.parametrize("content", [None, "", "{}", '{"constants":{}}', "[1]"])
def test_what_is_no_log_is_a_gap(content: str | None, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    if content is not None:
        log.write_text(content)

    with pytest.raises(CannotObserve, match="the browser's own log of requests") as gap:
        netlog.read(log)
    assert "Chromium" in gap.value.remedy
