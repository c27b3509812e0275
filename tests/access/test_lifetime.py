"""How long a session is good for, by what the sign-in says of it, and how that is judged."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from fixtures.http import Answer
from fixtures.lifetime import told
from fixtures.limits import Limits
from fixtures.observation import Absent, CannotObserve
from fixtures.sign_in import SignInAnswer
from fixtures.sign_in_profile import SignIn

if TYPE_CHECKING:
    from types import ModuleType

DATE = ("Date", "Sun, 22 Nov 2026 19:00:00 GMT")
BODY = {"username": "{username}", "password": "{password}"}
TOKEN = "an-opaque-token"  # noqa: S105  nobody's


def how(**parts: Any) -> SignIn:
    return SignIn.model_validate({"path": "/session", "body": BODY, "role": "clerk", **parts})


def by_cookie(attributes: str, token: str = TOKEN) -> tuple[SignInAnswer, SignIn]:
    lines = (DATE, ("Set-Cookie", "theme=dark; Max-Age=9"), ("Set-Cookie", f"sid={token}; {attributes}"))
    answer = Answer("POST", "https://shop.example/session", 204, lines, b"", 1.0, complete=True)
    return SignInAnswer("clerk", answer, token, None), how(cookie="sid")


def by_body(body: object, place: str = "token") -> tuple[SignInAnswer, SignIn]:
    content = json.dumps(body).encode()
    answer = Answer("POST", "https://shop.example/session", 200, (DATE,), content, 1.0, complete=True)
    return SignInAnswer("clerk", answer, TOKEN, None), how(token=place)


def a_jwt(**claims: float) -> str:
    return jwt.encode({"sub": "clerk", **claims}, "k" * 64, "HS256")


@pytest.mark.parametrize(
    ("seen", "minutes"),
    [
        (by_cookie("Path=/; Max-Age=3600"), 60),
        (by_cookie("Max-Age=315360000"), 5_256_000),
        (by_cookie("Expires=Sun, 22 Nov 2026 19:15:00 GMT"), 15),
        (by_cookie("Path=/; HttpOnly"), None),
        (by_cookie("Path=/", a_jwt(iat=1000, exp=1600)), 10),
        (by_body({"token": TOKEN, "expires_in": 900}), 15),
        (by_body({"token": TOKEN, "expires_in": "900"}), 15),
        (by_body({"data": {"token": TOKEN, "expires_in": 60}, "expires_in": 9}, "data.token"), 1),
        (by_body({"data": {"token": TOKEN}, "expires_in": 120}, "data.token"), 2),
        (by_body({"token": TOKEN, "expires_in": True}), None),
        (by_body({"token": TOKEN, "expires_in": "an hour"}), None),
        (by_body({"token": TOKEN, "expires_in": "inf"}), None),
        (by_body([TOKEN], "0"), None),
    ],
)
def test_told(seen: tuple[SignInAnswer, SignIn], minutes: float | None) -> None:
    assert told(*seen).minutes == minutes


def test_token_that_says_only_when_it_ends() -> None:
    minutes = told(*by_cookie("Path=/", a_jwt(exp=int(time.time()) + 600))).minutes

    assert minutes == pytest.approx(10, abs=0.5)


def judged(checks: ModuleType, seen: tuple[SignInAnswer, SignIn], longest: float | None) -> None:
    signed_in, promised = seen
    limits = Limits(token_max_lifetime_min=longest)
    checks.test_session_ends_in_time(promised, signed_in, limits, lambda *_, **__: None)


def test_session_that_ends_in_time(checks: ModuleType) -> None:
    judged(checks, by_cookie("Max-Age=3600"), 60)
    judged(checks, by_body({"token": TOKEN, "expires_in": 3600}), 60)


@pytest.mark.parametrize(
    "seen",
    [by_cookie("Max-Age=315360000"), by_body({"token": TOKEN, "expires_in": 3601}), by_cookie("Max-Age=0")],
)
def test_session_that_does_not(seen: tuple[SignInAnswer, SignIn], checks: ModuleType) -> None:
    with pytest.raises(AssertionError, match="60 minutes at most"):
        judged(checks, seen, 60)


@pytest.mark.parametrize("seen", [by_cookie("Path=/"), by_body({"token": TOKEN})])
def test_lifetime_that_is_not_told_is_not_known(
    seen: tuple[SignInAnswer, SignIn], checks: ModuleType
) -> None:
    with pytest.raises(CannotObserve) as told_so:
        judged(checks, seen, 60)

    assert "token_max_lifetime_min" in told_so.value.remedy


def test_no_limit_is_set(checks: ModuleType) -> None:
    with pytest.raises(Absent, match="token_max_lifetime_min sets none"):
        judged(checks, by_cookie("Max-Age=315360000"), None)
