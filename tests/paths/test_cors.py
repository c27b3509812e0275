"""What a preflight asks for on systems that sign in in other ways, and what it is judged by."""

from __future__ import annotations

from typing import Any

import pytest

from checks import Measured
from checks.validation.test_cors import test_headers_are_limited_to_the_promised_ones as limited
from fixtures.cors import UNPROMISED_HEADER, Grant, usual_header
from fixtures.release import Release

ORIGIN = "https://library.example"
SIGN_IN = {"path": "/session", "body": {"user": "{username}", "word": "{password}"}, "role": "clerk"}
BEARER = {**SIGN_IN, "token": "token", "format": "opaque"}
COOKIE = {**SIGN_IN, "cookie": "sid", "format": "opaque"}
KEY = {"header": "X-Api-Key", "scheme": ""}


def release(headers: list[str], **how: Any) -> Release:
    return Release.model_validate(
        {
            "version": "1",
            "roles": ["clerk"],
            "health": {"path": "/status", "text": "ok"},
            "cors": {"origins": [ORIGIN], "headers": headers},
            **how,
        }
    )


@pytest.mark.parametrize(
    ("headers", "how", "asked"),
    [
        ([], {"sign_in": BEARER}, "Authorization"),
        ([], {"sign_in": COOKIE}, ""),
        ([], {"api_key": KEY}, "X-Api-Key"),
        (["content-type", "authorization"], {"sign_in": BEARER}, "Authorization"),
        (["Content-Type"], {"sign_in": COOKIE}, "Content-Type"),
        (["Content-Type"], {"sign_in": BEARER}, "Content-Type"),
        (["X-Trace"], {}, "X-Trace"),
    ],
)
def test_the_usual_preflight_asks_for_what_the_pages_need(
    headers: list[str], how: dict[str, Any], asked: str
) -> None:
    assert usual_header(release(headers, **how)) == asked


def preflight(header: str, *allowed: str, status: int = 204) -> Grant:
    return Grant(
        origin=ORIGIN, kind="preflight", why="promised", asked=f"GET {header}", status=status,
        allowed=(ORIGIN,), credentials=True, methods=("GET",), headers=allowed, vary=("origin",), curl="curl",
    )  # fmt: skip


def test_a_header_that_was_never_promised_may_be_refused() -> None:
    granted = (
        preflight("Content-Type", "content-type"),
        preflight("Authorization", "content-type"),
        preflight(UNPROMISED_HEADER, status=400),
    )

    limited(granted, release(["Content-Type"], sign_in=COOKIE), Measured())


def test_a_promised_header_may_not() -> None:
    granted = (preflight("X-Trace", "content-type"),)

    with pytest.raises(AssertionError, match="a preflight for GET X-Trace answers 204 with content-type"):
        limited(granted, release(["Content-Type", "X-Trace"], sign_in=COOKIE), Measured())
