"""Sessions that are known before the sign-in, at small systems that give new ones, or do not."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from checks.security import test_tokens as check
from checks.vocabulary import Measured
from fixtures.fixation import CHOSEN, ISSUED, Fixation, Planted
from fixtures.observation import Absent, CannotObserve
from tests.probes.servers import json_response
from tests.security.issuer import Issuer, probing

if TYPE_CHECKING:
    from pathlib import Path

COOKIE = {"cookie": "sid", "token": None, "token_type": None, "status": 204, "format": "opaque"}


class Sessions(Issuer):
    """A system whose sessions are cookies.

    Args:
        adopts: a sign-in keeps the session that comes with it.
        issues: somebody who has not signed in has a session already.
        distrusts: what a sign-in with an unknown session is answered instead.
    """

    def __init__(self, *, adopts: bool = False, issues: bool = False, distrusts: int = 0) -> None:
        super().__init__()
        self.adopts, self.issues, self.distrusts = adopts, issues, distrusts
        self.known: set[str] = set()
        self.numbers = count()

    def answer(self, method: str, path: str, headers: dict[str, str], _: bytes) -> bytes:
        session = headers.get("cookie", "").partition("sid=")[2]
        if path == "/health":
            return json_response(200, {"status": "ok", "environment": "tried"})
        if (method, path) == ("GET", "/login"):
            return json_response(200, {}, self.given() if self.issues else None)
        if path == "/login":
            return self.sign_in(session)
        return json_response(200 if session in self.known else 401, {})

    def sign_in(self, session: str) -> bytes:
        if session and self.distrusts:
            return json_response(self.distrusts, {})
        if session and self.adopts:
            self.known.add(session)
            return json_response(204, None)
        given = self.given()
        self.known.add(given["Set-Cookie"].partition(";")[0].partition("=")[2])
        return json_response(204, None, given)

    def given(self) -> dict[str, str]:
        return {"Set-Cookie": f"sid=canary-session-{next(self.numbers):020}; Path=/; Secure; HttpOnly"}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "canary-password")


def planted(folder: Path, system: Issuer, **sign_in: Any) -> tuple[Planted, Any]:
    with probing(folder, system, format_="opaque", sign_in=sign_in) as (access, common):
        names = ("environment", "release", "run", "vault")
        probe = Fixation(line=access._line, access=access, **{name: common[name] for name in names})  # noqa: SLF001
        seen = probe.planted()
        return seen, lambda: check.test_session_of_before_the_sign_in_opens_nothing(
            probe, common["release"], Measured()
        )


@pytest.mark.parametrize("issues", [True, False])
@pytest.mark.parametrize("distrusts", [0, 403])
def test_sound_system_gives_a_new_session(tmp_path: Path, distrusts: int, *, issues: bool) -> None:
    seen, judge = planted(tmp_path, Sessions(issues=issues, distrusts=distrusts), **COOKIE)

    assert (seen.how, seen.before.status, seen.after.status) == (ISSUED if issues else CHOSEN, 401, 401)
    judge()


@pytest.mark.parametrize("issues", [True, False])
def test_session_that_is_kept_is_found(tmp_path: Path, *, issues: bool) -> None:
    seen, judge = planted(tmp_path, Sessions(adopts=True, issues=issues), **COOKIE)

    assert "canary" not in seen.after.curl
    with pytest.raises(AssertionError, match=r"401 before, and 200 after clerk signed in with it"):
        judge()


def test_sign_in_that_breaks_says_nothing(tmp_path: Path) -> None:
    _, judge = planted(tmp_path, Sessions(distrusts=500), **COOKIE)

    with pytest.raises(CannotObserve, match="answered 500"):
        judge()


def test_tokens_are_no_cookies(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="session in a cookie"):
        planted(tmp_path, Issuer())
