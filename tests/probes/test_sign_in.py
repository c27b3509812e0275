"""One sign-in per role and run, and no secret of it in anything that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observation import CannotObserve, NoAnswer
from tests.probes.shop import PASSWORD, TOKEN, Shop, world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)


def test_role_signs_in_once(tmp_path: Path) -> None:
    with world(tmp_path, Shop()) as first, world(tmp_path, Shop(), url=first.server.url) as second:
        for tried in (first, second):  # two workers of one run
            assert tried.api.get("/orders", role="clerk").status == 200
        assert first.shop.asked.count("POST /login") == 1
        assert first.tokens.sign_in("clerk").token_type == "bearer"  # noqa: S105  a kind, no token


def test_secrets_are_known_to_the_vault_and_shown_nowhere(tmp_path: Path) -> None:
    with world(tmp_path, Shop()) as first, world(tmp_path, Shop(), url=first.server.url) as second:
        signed_in = first.tokens.sign_in("clerk")
        listed = first.api.get("/orders", role="clerk")
        for shown in (
            repr(signed_in),
            repr(signed_in.answer),
            signed_in.answer.curl,
            listed.curl,
            repr(listed),
        ):
            assert "canary" not in shown
        canaries = {PASSWORD, TOKEN, "canary-refresh-0123456789", "canary-cookie-0123456789"}
        assert canaries <= first.vault.known()
        assert canaries <= second.vault.known()  # the other worker redacts them, too
        assert "bearer" not in first.vault.known()
        assert '-H "Authorization: Bearer $TOKEN"' in listed.curl
        assert '"password": "\'"$PASSWORD"\'"' in signed_in.answer.curl


@pytest.mark.parametrize(
    ("fault", "got"),
    [
        ("sign-in 500", "answered 500 instead of 200"),
        ("sign-in without token", "answered 200 without a token"),
    ],
)
def test_failed_sign_in_is_a_fact_and_leaves_others_without_observation(
    fault: str, got: str, tmp_path: Path
) -> None:
    with world(tmp_path, Shop(faults={fault})) as tried:
        assert tried.tokens.sign_in("clerk").token is None
        for _ in range(3):
            with pytest.raises(CannotObserve, match=got) as raised:
                tried.api.get("/orders", role="clerk")
            assert raised.value.tried == "sign in as clerk"
        assert tried.shop.asked.count("POST /login") == 1


def test_wrong_password_is_a_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "canary-wrong")
    with world(tmp_path, Shop()) as tried:
        assert tried.tokens.sign_in("clerk").answer.status == 401


def test_sign_in_without_an_answer_is_shared(tmp_path: Path) -> None:
    with world(tmp_path, Shop(faults={"sign-in hangs"})) as tried:
        for _ in range(3):
            with pytest.raises(NoAnswer, match="did not answer within"):
                tried.api.get("/orders", role="clerk")
        assert tried.shop.asked.count("POST /login") == 1


def test_role_without_credentials(tmp_path: Path) -> None:
    with world(tmp_path, Shop()) as tried, pytest.raises(CannotObserve, match=r"declares no \[roles.guest\]"):
        tried.api.get("/orders", role="guest")


def test_secret_that_cannot_be_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_PASSWORD")
    with world(tmp_path, Shop()) as tried, pytest.raises(CannotObserve, match="env:SHOP_PASSWORD"):
        tried.api.get("/orders", role="clerk")


def test_ready_made_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    roles: dict[str, Any] = {"clerk": {"token": "env:SHOP_TOKEN"}}
    with world(tmp_path, Shop(), roles=roles) as tried:
        assert tried.api.get("/orders", role="clerk").status == 200
        assert "POST /login" not in tried.shop.asked
