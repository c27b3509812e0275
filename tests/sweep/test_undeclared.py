"""What only a document names, asked without a token: which, how, and what is left alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observation import Absent, CannotObserve
from fixtures.own_targets import NO_ID
from fixtures.sweep import Sweep
from fixtures.undeclared import Undeclared
from tests.sweep.conftest import InventedApi, answer, declared

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.http import Answer
    from fixtures.run import Run

UUID_V4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
BODY = {"requestBody": {"required": True, "content": {"application/json": {}}}}
SIGN_IN = {
    "path": "/session",
    "body": {"user": "{username}", "pass": "{password}"},
    "token": "token",
    "role": "clerk",
}
SIGNED_IN = {"sign_in": SIGN_IN, "roles": ["clerk"]}
THINGS = {"name": "things", "path": "/things", "kind": "list"}


class WritingApi(InventedApi):
    """Answers what writes by its status, 401 if none is given; it sends only what is harmless."""

    def __init__(self, table: dict[str, Any], statuses: dict[str, int]) -> None:
        super().__init__(table)
        self.statuses = statuses
        self.sent: list[str] = []

    def send(self, method: str, path: str, *, harmless: bool = False, **more: Any) -> Answer:
        if method == "GET":
            return super().send(method, path, **more)
        asked = f"{method} {path}"
        if not harmless:
            raise CannotObserve(asked, "not sent: no own record's")
        assert set(more) == {"query"}, "somebody's token, or a body"
        self.sent.append(asked)
        return answer((self.statuses.get(asked, 401), {}), method, path)


@pytest.fixture
def undeclared(run: Run) -> Callable[..., tuple[Undeclared, list[str]]]:
    """Return the probe on a document with some paths, and the requests that write."""

    def make(
        paths: dict[str, Any] | None, statuses: dict[str, int] | None = None, **release: Any
    ) -> tuple[Undeclared, list[str]]:
        made, where = declared([THINGS], openapi=None if paths is None else "/openapi", **release)
        document = {"openapi": "3.1.0", "info": {}, "paths": paths}
        api: Any = WritingApi({"/things": [], "/openapi": document}, statuses or {})
        sweep = Sweep(api=api, environment=where, release=made, run=run, tell=print)
        gate: Any = lambda *_, **__: None  # noqa: E731
        probe = Undeclared(api=api, sweep=sweep, environment=where, release=made, run=run, permission=gate)
        return probe, api.sent

    return make


def test_it_is_asked_with_an_id_that_nobody_has(undeclared: Callable[..., Any]) -> None:
    uuid = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    probe, sent = undeclared(
        {"/a/{id}": {"delete": {}}, "/b/{id}": {"put": {"parameters": [uuid]}}, "/c": {"post": BODY}},
        {f"DELETE /a/{NO_ID}": 204},
    )
    cells = probe.writing().cells

    assert [(cell.endpoint, cell.status) for cell in cells] == [
        ("DELETE /a/{id}", 204),
        ("PUT /b/{id}", 401),
        ("POST /c", 401),
    ]
    assert sent[0] == f"DELETE /a/{NO_ID}"
    assert re.fullmatch(f"PUT /b/{UUID_V4}", sent[1])


def test_what_might_start_something_is_told_and_not_asked(undeclared: Callable[..., Any]) -> None:
    probe, sent = undeclared({"/restart": {"post": {}}})
    (cell,) = probe.writing().cells

    assert sent == []
    assert cell.status is None
    assert cell.raised is not None
    assert "no own record's" in str(cell.raised.texts)


def test_what_is_named_somewhere_is_not_asked(undeclared: Callable[..., Any]) -> None:
    paths = {"/session": {"post": BODY, "get": {}}, "/things": {"get": {}}}
    probe, _ = undeclared(paths, **SIGNED_IN)

    with pytest.raises(Absent, match="names none"):
        probe.writing()
    with pytest.raises(Absent, match="names none"):
        probe.reading()


def test_another_method_of_a_named_path_is_asked(undeclared: Callable[..., Any]) -> None:
    probe, sent = undeclared(
        {"/session": {"post": BODY, "put": BODY}, "/things": {"post": BODY}}, **SIGNED_IN
    )
    probe.writing()

    assert sent == ["PUT /session", "POST /things"]


def test_a_release_without_a_document_has_nothing_undeclared(undeclared: Callable[..., Any]) -> None:
    probe, _ = undeclared(None)

    with pytest.raises(Absent, match="the release file names none"):
        probe.writing()
