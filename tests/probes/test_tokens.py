"""Claims are read as PyJWT reads them, and what is no token is none for either."""

from __future__ import annotations

import base64

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.tokens import jwt_claims

CLAIMS = st.dictionaries(
    st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
)
REGISTERED = {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}


def peer(token: str) -> dict[str, object] | None:
    try:
        return dict(jwt.decode(token, options={"verify_signature": False}))
    except jwt.InvalidTokenError:
        return None


def part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(
    CLAIMS.filter(lambda claims: not REGISTERED & set(claims)),
    st.sampled_from([("HS256", "k" * 32), ("none", "")]),
)
def test_claims_are_those_that_were_encoded(claims: dict[str, object], signer: tuple[str, str]) -> None:
    algorithm, key = signer
    token = jwt.encode(claims, key, algorithm)
    assert jwt_claims(token) == peer(token) == claims


def test_registered_claims_are_read_whatever_they_say() -> None:
    claims = {"exp": 1, "iat": 4_000_000_000, "sub": "user", "aud": ["a"]}
    assert jwt_claims(jwt.encode(claims, "k" * 32)) == claims


HEAD, BODY = part('{"alg":"HS256","typ":"JWT"}'), part('{"sub":"user"}')


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b",
        "..",
        f"{HEAD}.{BODY}",
        f"{HEAD}.{BODY}.c.d.e",
        f"Bearer {HEAD}.{BODY}.c2ln",
        f"{HEAD}.{part('[1]')}.c2ln",
        f"{HEAD}.{part('not json')}.c2ln",
        f"{HEAD}.InRleHQi.c2ln",  # "text"
        f"{part('[]')}.{BODY}.c2ln",
        f"{HEAD}.!!!!.c2ln",
        f"{HEAD}.a.c2ln",
        f"{HEAD}._w.c2ln",
        "<html>.<body>.x",
    ],
)
def test_what_is_no_token_is_none(token: str) -> None:
    assert jwt_claims(token) is None
    assert peer(token) is None
