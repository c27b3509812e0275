"""Forged tokens against small real servers: what is sound stays green, and every weakness is found."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from checks.refusal import is_refused, judged
from fixtures import known_keys
from fixtures.forged import header, is_signed_with, with_hmac
from fixtures.forgery import (
    EMPTY,
    EXPIRED,
    KINDS,
    NAMED,
    NO_END,
    OTHER,
    PREVIOUS,
    PUBLIC,
    SPOILED,
    UNSIGNED,
    WELL_KNOWN,
)
from fixtures.http import Answer
from fixtures.observation import Absent, CannotObserve
from fixtures.run import Raised
from tests.security import issuer as of
from tests.security.issuer import KEY, PEM, PRIVATE, Issuer, by, forging, key_set, pem_of, sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD = b64encode(bytes(range(40))).decode()
"""A key that some read as text, and others as what it encodes."""

ALL = {"previous_signing_keys": ["env:OLD_KEY"], "signing_key": "env:KEY"}
CONTROL = "gonogo-no-token"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "canary-password")
    monkeypatch.setenv("OLD_KEY", OLD)
    monkeypatch.setenv("KEY", KEY)


def confused(token: str) -> int:
    """Verify an HMAC with the public key, because the token says so."""
    text = token.split(".")
    if len(text) == 3 and header(token).get("alg") == "HS256":
        return 200 if is_signed_with(token, PEM) else 401
    return by(PRIVATE.public_key(), "RS256")(token)


def trusting_none(token: str) -> int:
    """Take a token that says in some spelling that it needs no signature."""
    return 200 if header(token).get("alg") == "nOnE" else sound(token)


def crashing(token: str) -> int:
    """Look at the algorithm before it is known to be there."""
    return 500 if header(token).get("alg") == "ES256" else sound(token)


def believing(token: str) -> int:
    """Answer 403 to whoever is named by a token that is not good."""
    status = sound(token)
    return 403 if status == 401 and "sub" in _claims(token) else status


def _claims(token: str) -> dict[str, Any]:
    try:
        return dict(jwt.decode(token, options={"verify_signature": False}))
    except jwt.InvalidTokenError:
        return {}


def also(key: bytes) -> Callable[[str], int]:
    """Return a rule that still takes another key."""

    def verify(token: str) -> int:
        is_jwt = token.count(".") == 2 and header(token).get("alg") == "HS256"
        return 200 if is_jwt and is_signed_with(token, key) else sound(token)

    return verify


def reading_files(token: str) -> int:
    """Take the key from the file that the token names."""
    kid = str(header(token).get("kid", ""))
    return also(b"")(token) if kid.endswith("dev/null") else sound(token)


def querying(token: str) -> int:
    """Take the key from a query that the token's words are put into."""
    kid = str(header(token).get("kid", ""))
    return also(b"gonogo")(token) if "UNION SELECT 'gonogo'" in f"{kid}'" else sound(token)


def believing_its_key(token: str) -> int:
    """Take the key that the token brings."""
    if token.count(".") != 2 or "jwk" not in header(token):
        return sound(token)
    return by(jwt.PyJWK(header(token)["jwk"], "RS256"), "RS256")(token)


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
@pytest.mark.parametrize("refusal", [401, 403, 404])
def test_sound_system_has_no_finding(tmp_path: Path, algorithm: str, refusal: int) -> None:
    """However it refuses, as long as it refuses all alike."""
    verify = sound if algorithm == "HS256" else by(PRIVATE.public_key(), "RS256")
    issuer = Issuer(lambda token: 200 if verify(token) == 200 else refusal, algorithm=algorithm)
    issuer.serves["/.well-known/jwks.json"] = json.loads(key_set())
    kinds = [kind for kind in KINDS if algorithm == "RS256" or kind != PUBLIC]
    with forging(tmp_path, issuer, credentials=ALL) as forgery:
        for kind in kinds:
            seen = judged(forgery.tried(kind), 200)
            assert not seen.wrong
            seen.require_clear()
            assert seen.tried > 1


@pytest.mark.parametrize(
    ("kind", "takes", "case"),
    [
        (WELL_KNOWN, also(b"changeme"), "the word changeme"),
        (EMPTY, also(b""), "an empty key"),
        (PREVIOUS, also(OLD.encode()), "env:OLD_KEY as it is"),
        (PREVIOUS, also(b64decode(OLD)), "env:OLD_KEY from base64"),
        (UNSIGNED, trusting_none, "alg nOnE"),
        (OTHER, crashing, "alg ES256"),
        (NAMED, reading_files, "kid /dev/null"),
        (NAMED, querying, "kid x' UNION SELECT 'gonogo"),
        (NAMED, believing_its_key, "a jwk of its own"),
        (SPOILED, believing, "changed claims"),
        (SPOILED, lambda _: 200, "no meaning"),
    ],
)
def test_weakness_is_found(tmp_path: Path, kind: str, takes: Callable[[str], int], case: str) -> None:
    with forging(tmp_path, Issuer(takes), credentials=ALL) as forgery:
        assert case in judged(forgery.tried(kind), 200).wrong


@pytest.mark.parametrize("where", ["served", "found by OpenID", "declared as PEM", "declared as a set"])
def test_confusion_of_algorithms_is_found(tmp_path: Path, where: str) -> None:
    issuer = Issuer(confused, algorithm="RS256")
    credentials: dict[str, Any] = {}
    if where.startswith("declared"):
        (tmp_path / "key").write_bytes(PEM if where.endswith("PEM") else key_set().encode())
        credentials["public_key"] = str(tmp_path / "key")
    elif where == "served":
        issuer.serves["/.well-known/jwks.json"] = json.loads(key_set())
    else:
        issuer.serves["/keys"] = json.loads(key_set())
    with forging(tmp_path, issuer, credentials=credentials) as forgery:
        if where == "found by OpenID":
            address = forgery._api.address  # noqa: SLF001  known only now
            issuer.serves["/.well-known/openid-configuration"] = {"jwks_uri": f"{address}/keys"}
        wrong = judged(forgery.tried(PUBLIC), 200).wrong

    assert set(wrong) & {"in PEM", "as it is"}


def test_key_that_nobody_tells_is_asked_for(tmp_path: Path) -> None:
    issuer = Issuer(by(PRIVATE.public_key(), "RS256"), algorithm="RS256")
    with forging(tmp_path, issuer) as forgery, pytest.raises(CannotObserve) as raised:
        forgery.tried(PUBLIC)
    assert "credentials.public_key" in raised.value.remedy


def test_shared_key_has_no_public_one(tmp_path: Path) -> None:
    with forging(tmp_path, Issuer()) as forgery, pytest.raises(Absent, match="HS256"):
        forgery.tried(PUBLIC)


@pytest.mark.parametrize("previous", [PRIVATE, of.OTHER], ids=["kept", "changed"])
def test_previous_private_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, previous: Any) -> None:
    monkeypatch.setenv("OLD_KEY", pem_of(previous))
    issuer = Issuer(by(PRIVATE.public_key(), "RS256"), algorithm="RS256")
    with forging(tmp_path, issuer, credentials=ALL) as forgery:
        wrong = judged(forgery.tried(PREVIOUS), 200).wrong

    assert bool(wrong) == (previous is PRIVATE)


# ---------------------------------------------------------------- what says nothing


def test_refusal_says_nothing_where_the_good_token_is_refused_too(tmp_path: Path) -> None:
    with (
        forging(tmp_path, Issuer(lambda _: 401)) as forgery,
        pytest.raises(CannotObserve, match="401 to a good"),
    ):
        judged(forgery.tried(SPOILED), 200)


def test_firewall_that_answers_for_the_service_is_no_refusal(tmp_path: Path) -> None:
    def guarded(token: str) -> int:
        return 406 if str(header(token).get("alg", "")).lower() == "none" else sound(token)

    with forging(tmp_path, Issuer(guarded)) as forgery:
        seen = judged(forgery.tried(UNSIGNED), 200)
    assert not seen.wrong
    with pytest.raises(CannotObserve, match="406 to alg none"):
        seen.require_clear()


def test_previous_key_that_nobody_names_is_asked_for(tmp_path: Path) -> None:
    with forging(tmp_path, Issuer()) as forgery, pytest.raises(CannotObserve) as raised:
        forgery.tried(PREVIOUS)
    assert "credentials.previous_signing_keys" in raised.value.remedy


def test_previous_key_that_is_declared_absent(tmp_path: Path) -> None:
    absent = {"previous_signing_key": "the first deployment"}
    with (
        forging(tmp_path, Issuer(), absent=absent) as forgery,
        pytest.raises(Absent, match="first deployment"),
    ):
        forgery.tried(PREVIOUS)


# ---------------------------------------------------------------- opaque tokens


def opaque(token: str) -> int:
    return 200 if token == of.OPAQUE else 401


def test_opaque_tokens_have_no_forgeries_and_are_spoiled_all_the_same(tmp_path: Path) -> None:
    with forging(tmp_path, Issuer(opaque, token=of.OPAQUE), format_="opaque", credentials=ALL) as forgery:
        assert not judged(forgery.tried(SPOILED), 200).wrong
        for kind in set(KINDS) - {SPOILED}:
            with pytest.raises(Absent, match="opaque"):
                forgery.tried(kind)
        with pytest.raises(Absent, match="opaque"):
            forgery.endings()


def test_opaque_token_that_is_taken_in_part_is_found(tmp_path: Path) -> None:
    issuer = Issuer(lambda token: 200 if token[:8] == of.OPAQUE[:8] else 401, token=of.OPAQUE)
    with forging(tmp_path, issuer, format_="opaque") as forgery:
        assert set(judged(forgery.tried(SPOILED), 200).wrong) == {"a changed character"}


def test_promised_token_that_is_none(tmp_path: Path) -> None:
    with (
        forging(tmp_path, Issuer(opaque, token=of.OPAQUE)) as forgery,
        pytest.raises(CannotObserve, match="this is none"),
    ):
        forgery.tried(WELL_KNOWN)


def test_token_that_is_called_opaque_and_is_none_is_forged(tmp_path: Path) -> None:
    with forging(tmp_path, Issuer(also(b"secret")), format_="opaque") as forgery:
        assert "the word secret" in judged(forgery.tried(WELL_KNOWN), 200).wrong


# ---------------------------------------------------------------- ends


@pytest.mark.parametrize("required", [True, False])
def test_token_without_an_end(tmp_path: Path, *, required: bool) -> None:
    takes = by(KEY, "HS256", require=["exp"] if required else [])
    with forging(tmp_path, Issuer(takes), credentials=ALL) as forgery:
        endings = forgery.endings()

    assert endings.ends
    assert endings.twin
    assert endings.twin.status == 200
    assert endings.knocks
    assert set(judged(endings.knocks, 200).wrong) == (set() if required else {NO_END})


def test_expired_token(tmp_path: Path) -> None:
    def endless(token: str) -> int:
        return 200 if _claims(token).get("exp") and also(KEY.encode())(token) == 200 else sound(token)

    with forging(tmp_path, Issuer(endless), credentials=ALL) as forgery:
        knocks = forgery.endings().knocks

    assert knocks
    assert EXPIRED in judged(knocks, 200).wrong


def test_no_token_is_made_without_the_key(tmp_path: Path) -> None:
    with forging(tmp_path, Issuer()) as forgery:
        assert forgery.endings().knocks is None


def test_key_of_another_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "x" * 40)
    with (
        forging(tmp_path, Issuer(), credentials=ALL) as forgery,
        pytest.raises(CannotObserve, match="not the key that signs"),
    ):
        forgery.endings()


# ---------------------------------------------------------------- discretion, and how keys are read


def test_forged_tokens_are_known_to_the_vault_and_stand_in_no_line(tmp_path: Path) -> None:
    taken: list[str] = []

    def noting(token: str) -> int:
        taken.append(token)
        return sound(token)

    with forging(tmp_path, Issuer(noting), credentials=ALL) as forgery:
        knocks = forgery.tried(PREVIOUS)
        known = forgery._vault.known()  # noqa: SLF001  what reports redact
    lines = [each.curl for each in (knocks.good, *knocks.bad.values()) if not isinstance(each, Raised)]

    assert len(lines) == len(taken)
    assert not [token for token in taken for line in lines if token in line]
    assert {token for token in taken if token != CONTROL} <= known


def test_what_a_configured_key_may_stand_for() -> None:
    assert set(known_keys.readings("secret")) == {"as it is"}
    assert known_keys.readings("ab" * 32)["from hexadecimal"] == bytes.fromhex("ab" * 32)
    assert known_keys.readings(b64encode(b"\xff" * 33).decode())["from base64"] == b"\xff" * 33
    assert (
        known_keys.readings(urlsafe_b64encode(b"\xfb" * 32).decode().rstrip("="))["from base64"]
        == b"\xfb" * 32
    )
    assert set(known_keys.readings("correct horse battery staple")) == {"as it is"}


def test_hmac_is_the_standards() -> None:
    token = jwt.encode({"sub": "x", "nothing": None}, KEY, "HS512", {"kid": "7"})
    made = with_hmac(token, KEY.encode(), header(token), {"exp": 99999999999})

    assert jwt.decode(made, KEY, ["HS512"]) == {"sub": "x", "nothing": None, "exp": 99999999999}
    assert is_signed_with(made, KEY.encode())
    assert not is_signed_with(made, b"another")


@pytest.mark.parametrize(
    ("status", "location", "refused"),
    [
        (302, "/login?next=/me", True),
        (302, "/home", False),
        (401, "", True),
        (200, "", False),
        (403, "", False),
    ],
)
def test_way_to_the_sign_in_is_a_refusal_where_it_is_one(
    status: int, location: str, *, refused: bool
) -> None:
    assert is_refused(_answer(status, location), _answer(302, "/login?next=/")) == refused


def _answer(status: int, location: str) -> Answer:
    headers = (("Location", location),) if location else ()
    return Answer("GET", "https://shop.example/me", status, headers, b"", 1.0, complete=True)
