"""Every fault of paths, pages, origins, speed and resources turns its own checks red, by its cause."""

from __future__ import annotations

import re
import shutil
from inspect import getsource
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS, paths, performance

if TYPE_CHECKING:
    from collections.abc import Callable

CAUSES: dict[str, tuple[str, str, str]] = {
    "old-path-alive-for-post": ("test_paths", "REL-PATH-1", r"POST \S+/approve without a token answers 401"),
    "old-path-alive-with-token": ("test_paths", "REL-PATH-1", r"GET \S+/all as ppic_manager answers 200"),
    "old-step-alive-with-token": ("test_paths", "REL-PATH-1", r"POST \S+/reject as ppic_manager answers 200"),
    "old-path-alive-for-another-method": ("test_paths", "REL-PATH-1", r"PUT \S+/all \S.* answers 401"),
    "moved-path-missing": ("test_paths", "REL-PATH-1", r"^404; the body is"),
    "frontend-calls-old-path": ("test_frontend", "REL-PATH-2", r"kanban/cards/all in \S+/board\.js"),
    "console-error-on-board": ("test_frontend", "REL-PATH-2", r"cannot read properties of undefined"),
    "board-script-missing": ("test_frontend", "REL-PATH-2", r"board\.js answers 404"),
    "page-missing": ("test_frontend", "REL-PATH-2", r"^404; the body is"),
    "cors-echo": ("test_cors", "REL-CORS-1", r"request from https://evil\.example"),
    "cors-echo-credentials": ("test_cors", "REL-CORS-1", r"request from https://evil\.example"),
    "cors-star-credentials": (
        "test_cors",
        "REL-CORS-1",
        r"from https://www\.production\.local \(promised\): \*",
    ),
    "cors-suffix": ("test_cors", "REL-CORS-1", r"https://www\.production\.local\.evil\.example"),
    "cors-null": ("test_cors", "REL-CORS-1", r"request from null"),
    "cors-development-origin": ("test_cors", "REL-CORS-1", r"http://localhost:3000"),
    "cors-staging-origin": ("test_cors", "REL-CORS-1", r"https://www\.staging\.local"),
    "cors-without-scheme": ("test_cors", "REL-CORS-1", r"www\.production\.local \(promised\): nothing"),
    "cors-any-header": ("test_cors", "REL-CORS-1", r"allows x-gonogo-unpromised"),
    "cors-any-method": ("test_cors", "REL-CORS-1", r"allows \S.*PATCH"),
    "cors-without-vary": ("test_cors", "REL-CORS-1", r"says nothing"),
    "health-slow-at-times": ("quick", "VAL-PERF-1", r"p95 4\d\d ms"),
    "health-fails-at-times": ("quick", "VAL-PERF-1", r"2 times 500"),
    "idle-in-transaction-leak": ("transaction", "VAL-PERF-2", r"idle in transaction for \d+ s"),
    "too-many-connections": ("client_connections", "VAL-PERF-2", r"\d\d: \d\d idle"),
    "memory-hog": ("memory", "VAL-PERF-3", r"uses 3\d\d of 256 MB"),
    "new-table": ("adds_no_table", "REL-PERF-1", r"public\.bom_audit is new"),
    "added-latency": ("adds_no_noticeable", "REL-PERF-1", r"list_orders \+(9|1\d)\.\d ms"),
}
"""Which checks see it, which item turns red, and what one of its red records says."""

IN_A_BROWSER = {"console-error-on-board"}


def test_every_fault_has_a_cause_here() -> None:
    sources = getsource(paths) + getsource(performance)

    assert set(re.findall(r'_fault\("([a-z-]+)"', sources)) == set(CAUSES)


def broken_items(verdict: dict[str, Any]) -> set[str]:
    return {item_id for item_id, item in verdict["items"].items() if item["outcome"] == "FAILED"}


@pytest.mark.parametrize("name", CAUSES)
def test_fault_turns_its_check_red(name: str, verdict_under: Callable[..., Any]) -> None:
    if name in IN_A_BROWSER and not shutil.which("chromium"):
        pytest.fail("this needs a browser: apt-get install chromium")
    keywords, item, cause = CAUSES[name]
    verdict = verdict_under("validation", name, keywords=keywords)
    red = [record for record in verdict["records"] if record["outcome"] == "FAILED"]

    assert item in broken_items(verdict) <= set(FAULTS[name].items), broken_items(verdict)
    assert any(re.search(cause, record["seen"]) for record in red), [record["seen"] for record in red]


def test_healthy_release_passes_the_same_checks(verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under(
        "validation", keywords="test_paths or test_frontend or test_cors or test_performance or known_issues"
    )
    mine = {"VAL-PERF-1", "VAL-PERF-2", "VAL-PERF-3", "REL-PERF-1", "REL-KNOWN-1"}
    mine |= {"REL-PATH-1", "REL-PATH-2", "REL-CORS-1"}

    assert {name: verdict["items"][name]["outcome"] for name in mine} == dict.fromkeys(mine, "PASSED")
