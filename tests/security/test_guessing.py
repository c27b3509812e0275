"""Which tokens can be guessed; tokens of sound systems never are, however they are made."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import re
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from fixtures.guessing import strength

if TYPE_CHECKING:
    from collections.abc import Callable

DICE = random.Random(20261122)  # noqa: S311  no secrets, and the same ones each time
CONSTANT = base64.b64encode(b"a-long-constant-that-every-token-begins-with").decode()


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


def _signed(number: int, at: float) -> str:
    """Return a value as itsdangerous and Django sign it."""
    payload = _base64(json.dumps({"uid": number, "role": "reader"}).encode()).rstrip("=")
    text = f"{payload}.{_base64(int(at).to_bytes(5, 'big')).rstrip('=')}"
    return f"{text}.{_base64(hmac.digest(b'key', text.encode(), 'sha1')).rstrip('=')}"


def _encrypted(number: int, _: float) -> str:
    """Return a value as Laravel encrypts it: a JSON object of random looking parts."""
    parts = {"iv": _base64(DICE.randbytes(16)), "value": _base64(DICE.randbytes(32 + 16 * (number % 3)))}
    return _base64(json.dumps({**parts, "mac": DICE.randbytes(32).hex(), "tag": ""}).encode())


SOUND: dict[str, Callable[[int, float], str]] = {
    "64 bits, hexadecimal": lambda _, __: DICE.randbytes(8).hex(),
    "64 bits, a number": lambda _, __: str(DICE.getrandbits(64) | 1 << 62),
    "64 bits, base64": lambda _, __: _base64(DICE.randbytes(8)),
    "128 bits, hexadecimal": lambda _, __: DICE.randbytes(16).hex(),
    "128 bits, upper case": lambda _, __: f"{DICE.randbytes(16).hex().upper()}.node1",
    "UUID 4": lambda _, __: str(uuid.UUID(bytes=DICE.randbytes(16), version=4)),
    "UUID 7": lambda _, at: str(uuid.UUID(bytes=int(at * 1000).to_bytes(6, "big") + DICE.randbytes(10))),
    "256 bits, base64": lambda _, __: _base64(DICE.randbytes(32)),
    "prefix": lambda _, __: (
        f"sk_live_{''.join(DICE.choices('0123456789abcdefghijkmnopqrstuvwxyzABC', k=24))}"
    ),
    "express": lambda n, _: f"s%3A{n}.{_base64(hmac.digest(b'key', str(n).encode(), 'sha256'))[:43]}%3D",
    "signed": _signed,
    "signed, with a user's number": lambda n, at: f'"{n}|{_signed(n, at)}"',
    "encrypted": _encrypted,
}

GUESSABLE: dict[str, tuple[Callable[[int, float], str], str]] = {
    "number": (lambda n, _: str(1003 + n), r"4 characters, digits: at most 13 bits"),
    "time": (lambda n, at: f"{(at + n) * 1e6:.0f}", r"16 characters, digits: at most 53 bits"),
    "uniqid": (lambda n, at: f"{int((at + n) * 1e6):x}", r"13 characters, hexadecimal digits: at most 52"),
    "number with zeros": (lambda n, _: f"{998 + n:032}", r"2 of them differ in [1-4] of 32 characters"),
    "number behind a constant": (lambda n, _: f"{CONSTANT}{9 + n}", r"2 of them differ in [12] of 6\d char"),
    "number before a constant": (lambda n, _: f"{7 + n}.{CONSTANT}", r"2 of them differ in [12] of 6\d char"),
    "encoded number": (lambda n, _: _base64(b"session-of-the-library-%d" % (1003 + n)), r"differ in \d of"),
    "prefix and little": (lambda _, __: f"sess_live_{DICE.randbytes(3).hex()}", r"differ in [3-6] of 16"),
    "UUID 1": (
        lambda n, _: str(
            uuid.UUID(fields=(0x1F0A4D70 + n * 977_131, 0x8C3F, 0x11F1, 0x9A, 0x3B, 0x0242AC120002))
        ),
        r"differ in [1-8] of 36",
    ),
    "ObjectId": (lambda n, at: f"{int(at):08x}9f1c2d3e4a{0x51B0C4 + n:06x}", r"differ in [1-4] of 24"),
    "short hash": (lambda n, _: hashlib.md5(b"%d" % n).hexdigest()[:10], r"10 characters, hex.*40 bits"),  # noqa: S324  as found
}


def issued(make: Callable[[int, float], str], count: int) -> list[tuple[str, str]]:
    now = time.time()
    return [(f"user-{number}", make(number, now + number / 7)) for number in range(count)]


@pytest.mark.parametrize("how", SOUND)
def test_sound_tokens(how: str) -> None:
    for _ in range(300):
        for count in (1, 2, 3, 5):
            seen = strength(issued(SOUND[how], count))
            assert (seen.weakness, seen.tokens) == ("", count)
            assert seen.bits >= 60


@pytest.mark.parametrize("how", GUESSABLE)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_tokens_that_can_be_guessed(how: str, count: int) -> None:
    make, why = GUESSABLE[how]
    seen = strength(issued(make, count))

    assert seen.weakness
    assert re.search(why, seen.weakness), seen.weakness


def test_one_user_may_get_the_same_token_twice_and_two_users_not() -> None:
    token = DICE.randbytes(16).hex()

    assert strength([("ann", token), ("ann", token)]).weakness == ""
    assert strength([("ann", token), ("bob", token)]).weakness == "different users get the same token"


def test_message_does_not_show_the_tokens() -> None:
    assert "1003" not in strength([("ann", "1003"), ("bob", "1004")]).weakness
