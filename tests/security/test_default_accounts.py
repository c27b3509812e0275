"""Default accounts against a small real server that signs people in soundly or not."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from checks.security import test_default_accounts as check
from checks.vocabulary import Exhibits, Measured
from fixtures.access import Access
from fixtures.default_accounts import ACCOUNTS, BESIDES, DefaultAccounts
from fixtures.observation import Absent, CannotObserve
from tests.probes.servers import application, json_response, serving
from tests.probes.shop import PASSWORD, RELEASE, Shop, environment, released, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fixtures.release import Release

SignIn = dict[str, Any]
TOKEN = "canary-token-of-somebody"  # noqa: S105  of a session that lives as long as a test
ALLOWED = {"default_accounts": True}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)


def signed_in(extra: int = 200) -> bytes:
    return json_response(extra, {"access_token": TOKEN, "token_type": "bearer"})


@contextmanager
def trying(
    folder: Path, refuse: Callable[[SignIn], bytes], *, sign_in: dict[str, Any] | None = None, **parts: Any
) -> Iterator[tuple[DefaultAccounts, Release, list[str]]]:
    """Serve a sign-in; yield what tries default accounts there, the release, and who was tried."""
    tried: list[str] = []
    accounts = {"clerk": {"username": "clerk@shop.test", "password": "env:SHOP_PASSWORD"}}
    parts = {"roles": accounts, "limits": {"request_timeout_s": 5}, "credentials": ALLOWED, **parts}

    def answer(_: str, path: str, __: dict[str, str], body: bytes) -> bytes:
        if path == "/health":
            return json_response(200, {"status": "ok", "environment": "tried"})
        sent = json.loads(body)
        tried.append(f"{sent['username']}/{sent['password']}")
        if sent == {"username": "clerk@shop.test", "password": PASSWORD}:
            return signed_in()
        return refuse(sent)

    promised = released(sign_in=RELEASE["sign_in"] | (sign_in or {}))
    with (
        serving(application(answer)) as server,
        world(folder, Shop(), url=server.url, release=promised, **parts) as made,
    ):
        described = environment(server.url, **parts)
        access = Access(
            line=made.line,
            api=made.api,
            tokens=made.tokens,
            environment=described,
            release=promised,
            run=made.run,
            vault=made.vault,
            identity=made.identity,
            permission=made.permission,
        )
        accounts_of = DefaultAccounts(
            access=access, tokens=made.tokens, environment=described, release=promised, run=made.run
        )
        yield accounts_of, promised, tried


def judge(accounts: DefaultAccounts, release: Release) -> None:
    check.test_default_accounts_are_refused(accounts, release, Measured(), Exhibits())


def refused(status: int) -> Callable[[SignIn], bytes]:
    return lambda _: json_response(status, {"detail": "no"})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 422])
def test_sound_system_refuses_them_alike(tmp_path: Path, status: int) -> None:
    with trying(tmp_path, refused(status)) as (accounts, release, tried):
        judge(accounts, release)

    assert [each for each in tried if "clerk" not in each and "gonogo" not in each] == [
        *(f"{name}@shop.test/{password}" for name, password in ACCOUNTS),
        *(f"{name}/{password}" for name, password in BESIDES),
    ]
    assert len(tried) == len(ACCOUNTS) + len(BESIDES) + 2  # the control, and a user that does not exist


def test_system_that_refuses_with_200(tmp_path: Path) -> None:
    with trying(tmp_path, refused(200), sign_in={"refused_status": 200}) as (accounts, release, _):
        judge(accounts, release)


def test_locked_account_is_a_refusal(tmp_path: Path) -> None:
    def refuse(sent: SignIn) -> bytes:
        return refused(423 if sent["username"].startswith("admin") else 401)(sent)

    with trying(tmp_path, refuse) as (accounts, release, _):
        judge(accounts, release)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (signed_in(), "signing in as guest@shop.test/guest answers 200"),
        (signed_in(202), "signing in as guest@shop.test/guest answers 202"),
        (json_response(200, {"session": "in a cookie"}), "signing in as guest@shop.test/guest answers 200"),
        (json_response(500, {}), "signing in as guest@shop.test/guest answers 500"),
    ],
)
def test_account_that_is_open_is_found(tmp_path: Path, given: bytes, seen: str) -> None:
    def refuse(sent: SignIn) -> bytes:
        return given if sent["username"].startswith("guest") else json_response(401, {})

    with trying(tmp_path, refuse) as (accounts, release, _), pytest.raises(AssertionError, match=seen):
        judge(accounts, release)


@pytest.mark.parametrize("name", [name for name, _ in BESIDES])
def test_account_of_another_form_is_found(tmp_path: Path, name: str) -> None:
    def refuse(sent: SignIn) -> bytes:
        return signed_in() if sent["username"] == name else json_response(401, {})

    with (
        trying(tmp_path, refuse) as (accounts, release, _),
        pytest.raises(AssertionError, match=f"signing in as {name}/admin answers 200"),
    ):
        judge(accounts, release)


def test_answer_that_is_neither_is_unknown(tmp_path: Path) -> None:
    def refuse(sent: SignIn) -> bytes:
        return json_response(202 if sent["username"].startswith("root") else 401, {"next": "second factor"})

    with (
        trying(tmp_path, refuse) as (accounts, release, _),
        pytest.raises(CannotObserve, match=r"root@shop\.test/root"),
    ):
        judge(accounts, release)


def test_refusal_says_nothing_where_nobody_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "canary-another")
    with (
        trying(tmp_path, refused(401)) as (accounts, release, _),
        pytest.raises(CannotObserve, match="sign in as clerk"),
    ):
        judge(accounts, release)


def test_nothing_is_tried_without_permission(tmp_path: Path) -> None:
    with trying(tmp_path, refused(401), credentials={}) as (accounts, release, tried):
        with pytest.raises(CannotObserve, match="does not allow attempts such as admin/admin") as raised:
            judge(accounts, release)
        assert not tried
    assert "credentials.default_accounts = true" in raised.value.remedy


def test_release_without_a_sign_in_has_no_accounts(tmp_path: Path) -> None:
    with trying(tmp_path, refused(401)) as (accounts, release, _):
        accounts._release = release.model_copy(update={"sign_in": None})  # noqa: SLF001  one that has none
        with pytest.raises(Absent, match="sign-in"):
            judge(accounts, release)
