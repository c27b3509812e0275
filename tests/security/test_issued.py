"""Which sign-ins are compared, and how many are made for it, at a small system."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from fixtures.issued import ACCESS, REFRESH, Issued
from fixtures.observation import Absent, CannotObserve
from tests.security.issuer import Issuer, probing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class Session(Issuer):
    """A system whose tokens are strings.

    Attributes:
        make: returns the next one.
    """

    make: Callable[[], str] = field(default=lambda: uuid4().hex)

    def issued(self) -> str:
        return self.make()


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "canary-password")


@contextmanager
def issuing(folder: Path, issuer: Issuer) -> Iterator[Issued]:
    with probing(folder, issuer, format_="opaque") as (access, common):
        names = ("tokens", "environment", "release", "run")
        yield Issued(access=access, **{name: common[name] for name in names})


def sign_ins(issuer: Issuer) -> int:
    return issuer.asked.count("POST /login")


def test_random_sessions(tmp_path: Path) -> None:
    issuer = Session(lambda _: 200)
    with issuing(tmp_path, issuer) as issued:
        seen = [issued.strength(ACCESS) for _ in range(2)]

    assert (seen[0].weakness, seen[0].tokens) == ("", 2)
    assert seen[1] == seen[0]
    assert sign_ins(issuer) == 2


@pytest.mark.parametrize("form", ["{}", "session-of-the-library-{:032}"])
def test_numbered_sessions(form: str, tmp_path: Path) -> None:
    numbers = count(1003)
    with issuing(tmp_path, Session(lambda _: 200, make=lambda: form.format(next(numbers)))) as issued:
        seen = issued.strength(ACCESS)

    assert seen.weakness
    assert "100" not in seen.weakness


def test_web_tokens_are_judged_by_their_signature(tmp_path: Path) -> None:
    with issuing(tmp_path, Issuer()) as issued, pytest.raises(Absent, match="JSON Web Tokens"):
        issued.strength(ACCESS)


def test_sign_in_that_gives_nothing(tmp_path: Path) -> None:
    with (
        issuing(tmp_path, Session(lambda _: 200, make=str)) as issued,
        pytest.raises(CannotObserve, match="no sign-in gave an access token"),
    ):
        issued.strength(ACCESS)


def test_no_refresh_tokens(tmp_path: Path) -> None:
    with issuing(tmp_path, Session(lambda _: 200)) as issued, pytest.raises(Absent, match="refresh token"):
        issued.strength(REFRESH)
