"""Every fault of the security phase turns its items red, with a message that names the cause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS, security

if TYPE_CHECKING:
    from collections.abc import Callable

CAUSES = {
    "plain-http-served": r"http://\S+/api/v1/health: 200; http://\S+/api/v1/auth/login: 405",
    "plain-http-health-served": r"http://\S+/api/v1/health: 200$",
    "plain-redirect-stays-plain": r"301, to http://",
    "tls-1-1-accepted": r"accepts TLS 1\.1",
    "weak-cipher-accepted": r"_WITH_NULL_SHA: no encryption",
    "ocsp-not-stapled": r"127\.0\.0\.1:\d+ staples nothing",
    "certificate-revoked": r"staples 'revoked', 0 hours old, 168 hours left$",
    "hsts-short": r"max-age=86400",
    "backend-reachable": r"http://\S+/api/v1/health: 200",
    "headers-missing-on-errors": r"answers 40[0-9]: n",
    "hsts-missing-on-errors": r"answers 40[0-9]: no such header",
    "csp-unsafe-inline": r"scripts may come from 'unsafe-inline'",
    "nosniff-missing-on-files": r"board\.js answers 200: no such header",
    "framing-allowed-on-page": r"/ answers 200: neither X-Frame-Options nor frame-ancestors",
    "headers-missing-on-redirect": r"GET https://\S+/api/v1/health/ answers 301: n",
    "referrer-unsafe-url": r"unsafe-url",
    "permissions-policy-missing": r"no such header",
    "cookie-without-flags": r"cookie visit without Secure, HttpOnly, SameSite",
    "private-data-cached": r"/auth/me answers 200: public, max-age=600",
    "server-version-banner": r"nginx/1\.\d+",
    "powered-by": r"x-powered-by: Starlette",
    "docs-public": r"/api/v1/docs answers 200 and shows 'swagger-ui'",
    "openapi-public": r"/openapi\.json answers 200 and shows",
    "metrics-public": r"/metrics answers 200 and shows",
    "environment-file-public": r"/\.env answers 200 and shows",
    "backup-public": r"/dump\.sql answers 200 and shows '-- PostgreSQL database dump'",
    "directory-listing": r"/backup/ answers 200 and shows '<title>Index of /'",
    "stored-password-shown": r"GET \S+/auth/me \(200\) holds one of bcrypt",
    "source-map-served": r"the map of /board\.js is served: /board\.js\.map",
    "debug-on": r"application runs with DEBUG=true",
    "traceback-in-500": r"is answered 500|Traceback",
    "sql-in-error": r"is answered 400: .*(invalid input syntax|SELECT id FROM)",
    "library-version-in-error": r"is answered 422: .*errors\.pydantic\.dev/2",
    "nul-500": r"with a NUL in parameter \w+ is answered 500",
    "sign-in-nul-500": r"with a NUL in the user's name is answered 500",
    "malformed-json-accepted": r"with malformed JSON in the body is answered 201",
    "unknown-user-told": r"There is no such user",
    "password-echoed": r"the password that was sent stands in the answer",
    "permission-named": r"answers 403: .*Requires role",
}
"""What the message of a red item says, as a pattern."""

JUDGED = {security.TRANSPORT, security.DEBUG, security.ERRORS, security.HEADERS}
FILES = "test_transport or test_headers or test_debug or test_errors or test_origin_cannot_be_reached"
ELSEWHERE = {"unknown-user-quicker"}
"""Faults of these items whose check is in another file, and which are tried in ``test_rate_faults``."""

MINE = [
    fault
    for fault in FAULTS.values()
    if fault.phase == "security" and set(fault.items) & JUDGED and fault.name not in ELSEWHERE
]


def test_every_fault_has_a_cause_here() -> None:
    assert {fault.name for fault in MINE} == set(CAUSES)


@pytest.mark.parametrize("fault", MINE, ids=lambda fault: fault.name)
def test_fault_turns_its_items_red_and_no_other(fault: Any, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("security", fault.name, keywords=FILES)
    items = verdict["items"]
    red = {item_id for item_id, item in items.items() if item["outcome"] == "FAILED"}

    assert red == set(fault.items)
    for item_id in red:
        assert re.search(CAUSES[fault.name], _seen(verdict, item_id)), _seen(verdict, item_id)


def test_traceback_is_a_finding_of_its_own(verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("security", "traceback-in-500", keywords="reading_reveal_nothing")
    red = {record["test"].partition("[")[2] for record in verdict["records"] if record["outcome"] == "FAILED"}

    assert "a trace]" in red


@pytest.mark.parametrize("n", [None, 2])
def test_healthy_release_has_no_finding(n: int | None, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("security", keywords=FILES, n=n)

    assert {item_id: verdict["items"][item_id]["outcome"] for item_id in JUDGED} == dict.fromkeys(
        JUDGED, "PASSED"
    )
    assert verdict["requests"]["sent"] < 300


def _seen(verdict: dict[str, Any], item_id: str) -> str:
    """Return what every failed check of an item has seen, one a line."""
    failed = [each for each in verdict["records"] if item_id in each["items"] and each["outcome"] == "FAILED"]
    return "\n".join(each["seen"] for each in failed)
