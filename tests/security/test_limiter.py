"""What a rate limiter may do, on invented bursts: honest ones of every kind, and those that are not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fixtures.limiter import Burst, Round, is_tight, is_wide, retry_after_s, slack

LIMIT = 100


def burst(*rounds: tuple[float, float, int, int, float | None], before: int = 0) -> Burst:
    """Return a burst of rounds: beginning, length, requests that passed, status then, and Retry-After."""
    return Burst(
        "GET https://shop.example/orders",
        before,
        tuple(
            Round(began, took, passed, status=status, retry_after=str(wait or ""), retry_after_s=wait)
            for began, took, passed, status, wait in rounds
        ),
        "",
    )


HONEST = {
    "sliding window": burst((0, 1.0, 100, 429, 59), (60.3, 0.1, 1, 0, None)),
    "token bucket": burst((0, 1.0, 101, 429, 1), (2.3, 0.1, 3, 429, 1)),
    "token bucket, slow target": burst((0, 24.0, 140, 429, 1), (25.3, 0.5, 2, 429, 1)),
    "fixed window": burst((0, 0.5, 100, 429, 31), (31.8, 0.1, 1, 0, None)),
    "fixed window that ends within the burst": burst((0, 2.0, 190, 429, 59), (61.3, 0.1, 1, 0, None)),
    "fixed window that ends after the burst": burst((0, 0.5, 100, 429, 2), (2.8, 0.5, 100, 429, 60)),
    "its 429 does not say when": burst((0, 2.0, 200, 429, None)),
    "after others of ours": burst((0, 0.5, 60, 429, 40), before=40),
}

WIDE = {
    "a hundred a second, token bucket": burst((0, 0.6, 160, 429, 1)),
    "a hundred a second, fixed window": burst((0, 0.3, 100, 429, 1), (1.6, 0.3, 100, 429, 1)),
    "a hundred a second, slow target": burst((0, 4.0, 201, 0, None)),
    "twice as many": burst((0, 0.8, 200, 429, 40)),
    "twice as many, token bucket": burst((0, 0.8, 201, 429, 1)),
    "none": burst((0, 1.0, 201, 0, None)),
    "none, and it breaks": burst((0, 1.0, 201, 503, None)),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_limiter(name: str) -> None:
    assert not is_wide(HONEST[name].rounds, LIMIT)
    assert not is_tight(HONEST[name], LIMIT)


@pytest.mark.parametrize("name", WIDE)
def test_limiter_that_is_too_wide(name: str) -> None:
    assert is_wide(WIDE[name].rounds, LIMIT)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("passed", "before", "tight"), [(20, 0, True), (60, 10, True), (90, 0, False)])
def test_limiter_that_is_too_tight(status: int, passed: int, before: int, *, tight: bool) -> None:
    assert is_tight(burst((0, 0.5, passed, status, 1), before=before), LIMIT) is tight


def test_nothing_refused_is_not_tight() -> None:
    assert not is_tight(burst((0, 25.0, 30, 0, None)), LIMIT)


@pytest.mark.parametrize(("limit", "requests"), [(3, 3), (10, 5), (100, 10), (6000, 600)])
def test_slack(limit: int, requests: int) -> None:
    assert slack(limit) == requests


NOW = datetime(2026, 11, 22, 19, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("1", "", 1),
        (" 60 ", "", 60),
        ("Sun, 22 Nov 2026 19:15:30 GMT", "", 30),
        ("Sun, 22 Nov 2026 19:15:30 GMT", "Sun, 22 Nov 2026 19:15:10 GMT", 20),
        ("Sun, 22 Nov 2026 19:14:30 GMT", "", -30),
        ("0.6", "", None),
        ("-1", "", None),
        ("soon", "", None),
        ("", "", None),
    ],
)
def test_retry_after(value: str, date: str, seconds: float | None) -> None:
    assert retry_after_s(value, date, NOW) == seconds
