from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from fixtures import forged
from fixtures.tokens import jwt_claims

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "k" * 64


@pytest.fixture
def token() -> str:
    now = int(time.time())
    return jwt.encode(
        {"sub": "somebody", "role": "admin", "iat": now, "exp": now + 900}, KEY, "HS256", headers={"kid": "7"}
    )


def verified(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, KEY, ["HS256"])
    return claims


@pytest.mark.parametrize("make", forged.FORGERIES.values(), ids=forged.FORGERIES.keys())
def test_a_sound_library_refuses_every_forgery(make: Callable[[str], str], token: str) -> None:
    assert verified(token)["role"] == "admin"
    with pytest.raises(jwt.InvalidTokenError):
        verified(make(token))


@pytest.mark.parametrize("make", forged.DAMAGES.values(), ids=forged.DAMAGES.keys())
def test_a_sound_library_refuses_every_damage(make: Callable[[str], str], token: str) -> None:
    with pytest.raises(jwt.InvalidTokenError):
        verified(make(token))


@pytest.mark.parametrize("case", [case for case in forged.FORGERIES if "expired" not in case])
def test_a_forgery_is_wrong_in_one_way_only(case: str, token: str) -> None:
    """Were its one defect not looked at, it would be accepted: it names the user and has not ended."""
    claims = jwt_claims(forged.FORGERIES[case](token))

    assert claims is not None
    assert claims["sub"] == "somebody"
    assert isinstance(claims["exp"], int)
    assert claims["exp"] > time.time()


def test_header_fields_that_find_the_key_are_kept(token: str) -> None:
    assert forged.header(forged.signed_by_another(token))["kid"] == "7"
    assert forged.header(forged.unsigned(token)) == {"alg": "none", "typ": "JWT", "kid": "7"}


def test_the_right_key_makes_a_twin_and_an_expired_one(token: str) -> None:
    assert verified(forged.signed(token, KEY, "HS256"))["role"] == "admin"
    with pytest.raises(jwt.ExpiredSignatureError):
        verified(forged.signed(token, KEY, "HS256", forged.expired()))


@pytest.mark.parametrize(("key", "algorithm"), [("no PEM", "RS256"), (KEY, "XX999"), (KEY, "none")])
def test_a_key_that_does_not_fit_is_told_without_quoting_it(token: str, key: str, algorithm: str) -> None:
    with pytest.raises(ValueError, match=f"does not fit {algorithm}") as raised:
        forged.signed(token, key, algorithm)
    assert key not in str(raised.value)


@pytest.mark.parametrize("text", ["", "opaque-token", "a.b", "a.b.c", "bm8.bm8.bm8", "eyJhIjoxfQ..", "ü.ü.ü"])
def test_what_is_no_jwt(text: str) -> None:
    assert not forged.is_jwt(text)


@pytest.mark.parametrize("text", ["opaque-token-0123456789", "AAAA", "A"])
def test_a_changed_character_is_a_change(text: str) -> None:
    changed = forged.with_another_character(text)

    assert changed != text
    assert len(changed) == len(text)
