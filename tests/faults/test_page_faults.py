"""Every fault of the page that only a browser shows turns its check red, by its cause."""

from __future__ import annotations

import re
import shutil
from inspect import getsource
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS, pages

if TYPE_CHECKING:
    from collections.abc import Callable

OLD, ERRORS, FAILED = "requests_no_old_path", "console_shows_no_error", "requests_succeed"
BOARD = r"https://\S+/api/v1/kanban/cards/all"
SOCKET = r"^GET wss://\S+/api/v1/kanban/cards/all \(by a WebSocket\): 404$"

CAUSES: dict[str, dict[str, str]] = {
    "service-worker-calls-old-path": {OLD: rf"^GET {BOARD} \(by a service worker\): 404$", FAILED: BOARD},
    "web-worker-calls-old-path": {OLD: f"^GET {BOARD}: 404$", FAILED: BOARD},
    "shared-worker-calls-old-path": {OLD: rf"^GET {BOARD} \(by a worker\): 404$", FAILED: BOARD},
    "web-socket-on-old-path": {OLD: SOCKET, ERRORS: "^WebSocket connection to", FAILED: SOCKET},
    "web-socket-of-service-worker-on-old-path": {OLD: SOCKET, ERRORS: "^WebSocket connec", FAILED: SOCKET},
    "late-console-error": {ERRORS: "^the board cannot be refreshed$"},
    "late-rejection": {ERRORS: "^uncaught the board is stale$"},
    "service-worker-throws": {ERRORS: "^Uncaught Error: no cache to be filled$"},
    "late-request-fails": {ERRORS: "^Failed to load resource: .* 404", FAILED: "^GET .+/summary: 404$"},
    "web-worker-request-fails": {FAILED: "^GET .+/summary: 404$"},
    "page-request-is-dropped": {ERRORS: "^Failed to load", FAILED: "^GET .+/summary: net::ERR_"},
    "board-stays-empty": {"shows_the_entries": "^none; the page is empty$"},
}
"""The checks that turn red, and what each of them says."""


def test_every_fault_has_a_cause_here() -> None:
    assert set(re.findall(r'_fault\(\s*"([a-z-]+)"', getsource(pages))) == set(CAUSES)


@pytest.mark.parametrize("name", CAUSES)
def test_fault_turns_its_checks_red(name: str, verdict_under: Callable[..., Any]) -> None:
    if not shutil.which("chromium"):
        pytest.fail("this needs a browser: apt-get install chromium")
    verdict = verdict_under("validation", name, keywords="test_frontend")
    red = {
        record["test"].partition("::test_browser_")[2]: record["seen"]
        for record in verdict["records"]
        if record["outcome"] != "PASSED"
    }

    failed = {item for item, each in verdict["items"].items() if each["outcome"] == "FAILED"}
    assert failed == {*FAULTS[name].items}
    assert red.keys() == CAUSES[name].keys(), red
    for check, cause in CAUSES[name].items():
        assert re.search(cause, red[check]), red


def test_healthy_page_passes_the_same_checks(verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("validation", keywords="test_frontend")

    assert {record["outcome"] for record in verdict["records"]} == {"PASSED"}
