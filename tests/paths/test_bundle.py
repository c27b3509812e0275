"""Old paths in scripts: found however they are written, and not where something else is meant."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest

from fixtures.bundle import mentions, observe
from fixtures.http import Answer
from fixtures.old_paths import OldPath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ALL = OldPath("/api/v1/kanban/cards/all", ("GET",), 404, "moved", new="/api/v1/ppic/kanban/cards/all")
STEP = OldPath(
    "/api/v1/kanban/cards/{id}/ship", ("POST",), 404, "moved", new="/api/v1/ppic/kanban/cards/{id}/ship"
)
PREFIX = OldPath("/api/v1/kanban", (), 404, "gone", covers=True)
STOCK = OldPath("/v1/stock", ("GET",), 404, "moved", new="/v2/stock")


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ('fetch("/api/v1/kanban/cards/all")', ALL),
        ("fetch('https://api.example.org/api/v1/kanban/cards/all?x=1')", ALL),
        ('call("GET", "/kanban/cards/all")', ALL),
        ("http.get(`${API}/kanban/cards/all`)", ALL),
        ('axios.get(base+"/kanban/cards/all")', ALL),
        ('axios.get("kanban/cards/all")', ALL),
        ("http.post(`/api/v1/kanban/cards/${card.id}/ship`)", STEP),
        ('http.post("/api/v1/kanban/cards/"+e.id+"/ship")', STEP),
        ('call("POST", `/kanban/cards/${id}/ship`)', STEP),
        ('const BASE = "/api/v1/kanban"', PREFIX),
        ('const BASE = "/api/v1/kanban/cards"', PREFIX),
        ('fetch("/v1/stock")', STOCK),
        ('fetch("https://shop.example/v1/stock")', STOCK),
    ],
)
def test_old_path_is_found(text: str, old: OldPath) -> None:
    assert [found.path for found in mentions(text, old)] == [old.path]


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ('fetch("/api/v1/ppic/kanban/cards/all")', ALL),
        ('call("GET", "/ppic/kanban/cards/all")', ALL),
        ("http.post(`${API}/ppic/kanban/cards/${id}/ship`)", STEP),
        ('{path:"/kanban/cards/all",component:Board}', ALL),
        ('navigate("/kanban/cards/all")', ALL),
        ('fetch("/api/v1/kanban/cards/allowed")', ALL),
        ('const ROUTE = "/kanban"', PREFIX),
        ('fetch("/api/v1/kanbans")', PREFIX),
        ('fetch("/v2/stock")', STOCK),
        ('fetch("/v1/stock-levels")', STOCK),
        ('fetch("/v1/stock/levels")', STOCK),
    ],
)
def test_something_else_is_not(text: str, old: OldPath) -> None:
    assert not mentions(text, old)


# ---------------------------------------------------------------- the page

PAGE = """
<script src="/main.js" defer></script><script type="module" src="app/index.js"></script>
<script src="https://cdn.example/lib.js"></script><script>window.BASE="/api"</script>
<script type="application/json">{"not": "run"}</script>
"""
FILES = {
    "/": ("text/html", PAGE),
    "/main.js": ("text/javascript; charset=utf-8", 'import("./chunk-1.js");"not/there.js"'),
    "/chunk-1.js": ("application/javascript", 'fetch("/api/v1/kanban/cards/all")'),
    "/app/index.js": ("text/html", "<h1>Not found, but 200</h1>"),
}


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, text = FILES.get(self.path, ("text/html", ""))
        self.send_response(200 if self.path in FILES else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


class Plain:
    """A probe without a run."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str) -> Answer:
        reply = httpx.get(self.address + path, trust_env=False)
        headers = tuple(reply.headers.items())
        return Answer(
            "GET", str(reply.url), reply.status_code, headers, reply.content, elapsed_ms=1, complete=True
        )

    @staticmethod
    def observe_many(observe: Callable[[str], Answer], paths: Iterable[str]) -> list[Answer]:
        return [observe(path) for path in paths]


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_scripts_and_their_chunks_are_read(address: str) -> None:

    bundle = observe(Plain(address), "/")  # type: ignore[arg-type]  # it has all that is asked of a probe
    found = {script.url.removeprefix(address): script for script in bundle.scripts}

    assert found.keys() == {"/", "/main.js", "/app/index.js", "/chunk-1.js"}
    assert bundle.elsewhere == ("https://cdn.example/lib.js",)
    assert found["/main.js"].is_there
    assert not found["/app/index.js"].is_there
    assert mentions(found["/chunk-1.js"].text, ALL)
