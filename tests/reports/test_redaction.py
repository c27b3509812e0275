from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.redaction import MASK, Redactor

if TYPE_CHECKING:
    from pathlib import Path

SECRET = 'p@ss/w0rd+"it\'s" <&> é='  # noqa: S105 - a canary
PLAIN = "hunter2-canary"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize("secret", [SECRET, PLAIN, "back\\slash\\canary", "two words canary"])
@pytest.mark.parametrize(
    "spell",
    [
        str,
        repr,
        ascii,
        json.dumps,
        quote,
        quote_plus,
        html.escape,
        lambda secret: json.dumps(secret, ensure_ascii=False),
        lambda secret: repr(repr(secret)),
        lambda secret: json.dumps(json.dumps({"password": secret})),
        lambda secret: repr({"password": secret}),
        lambda secret: repr(secret.encode()),
        lambda secret: quote(secret, safe=""),
        lambda secret: quote(secret, safe="").lower(),
        lambda secret: html.escape(json.dumps(secret)),
        lambda secret: html.escape(repr(secret)),
        lambda secret: secret.encode().hex(),
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        lambda secret: base64.b64encode(f"admin:{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"warehouse:{secret}:x".encode()).decode(),
        lambda secret: f"postgresql://app:{quote(secret, safe='')}@db.example.org/erp",
    ],
    ids=range(22),
)
def test_a_known_secret_is_found_however_it_is_spelt(secret: str, spell: object) -> None:
    assert callable(spell)
    spelling = str(spell(secret))

    redacted = Redactor([secret]).text(f"before {spelling} after")

    assert MASK in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    for part in (secret, secret[:8], secret[-8:]):
        assert part not in redacted
    assert not _leaks(secret, redacted)


def _leaks(secret: str, text: str) -> bool:
    """Whether any base64 in a text still holds most of a secret."""
    for word in re.findall(r"[A-Za-z0-9+/_-]{8,}", text):
        for start in range(4):
            whole = word[start : start + (len(word) - start) // 4 * 4]
            if secret[3:-3].encode() in base64.b64decode(
                whole, altchars=b"-_" if "_" in word or "-" in word else None
            ):
                return True
    return False


def test_the_longest_secret_goes_first() -> None:
    assert Redactor(["canary", "canary-and-more"]).text("a canary-and-more b") == f"a {MASK} b"


def test_a_text_without_secrets_is_the_same_object() -> None:
    text = "GET /api/v1/health: 200, basic checks of the bearer passed"

    assert Redactor([PLAIN]).text(text) is text


def test_a_line_of_a_key_is_a_secret_of_its_own() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n"

    assert "kqhkiG9w0BAQEF" not in Redactor([key]).text("E     kqhkiG9w0BAQEF")


@pytest.mark.parametrize("cut", range(4, len(PLAIN) - 3))
def test_a_piece_beside_an_ellipsis_is_masked(cut: int) -> None:
    redactor = Redactor([PLAIN])

    assert redactor.text(f"'body {PLAIN[:cut]}...rest'") == f"'body {MASK}...rest'"
    assert redactor.text(f"'start...{PLAIN[-cut:]} body'") == f"'start...{MASK} body'"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"token {JWT} ends", f"token {MASK} ends"),
        (f"Bearer%20{JWT}", f"Bearer%20{MASK}"),
        ("Authorization: Bearer abcdef", f"Authorization: Bearer {MASK}"),
        ("{'authorization': 'Basic YWRtaW46eA=='}", "{'authorization': 'Basic " + MASK + "'}"),
        ("('Authorization', 'Bearer opaque-token')", f"('Authorization', 'Bearer {MASK}')"),
        ("sent Bearer 0123456789abcdef0123", f"sent Bearer {MASK}"),
        ("postgresql://app:s3cret@db/erp", f"postgresql://app:{MASK}@db/erp"),
        ("redis://:s3cret@cache:6379", f"redis://:{MASK}@cache:6379"),
        ("https://x/?user=a&password=s3cret&b=1", f"https://x/?user=a&password={MASK}&b=1"),
    ],
)
def test_what_looks_like_a_secret_is_redacted_though_unknown(text: str, redacted: str) -> None:
    assert Redactor().text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        'curl --header "Authorization: Bearer $ADMIN_TOKEN" https://api.example.org/api/v1/x',
        "postgresql://app:$PASSWORD@db/erp",
        "postgresql://app@db/erp",
        "https://127.0.0.1:4443/api/v1/health",
        "http://localhost:8000/users/@me",
        "eyJ is how a JWT begins",
        "the bearer of this letter; basic authentication is refused",
        "sign-in answers 200 with token_type = bearer",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert Redactor([PLAIN]).text(text) == text


def test_every_part_of_a_value_is_redacted() -> None:
    value = {PLAIN: [PLAIN, (PLAIN, 1), {"a": None, "b": True}], "pin": 12345678, "n": 1.5}

    assert Redactor([PLAIN, "12345678"]).value(value) == {
        MASK: [MASK, (MASK, 1), {"a": None, "b": True}],
        "pin": MASK,
        "n": 1.5,
    }


def test_a_short_secret_is_left_to_the_vault() -> None:
    assert Redactor(["ok"]).text("that is ok") == "that is ok"


def test_a_json_file_stays_json(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    path.write_text(json.dumps({"seen": f"it said {SECRET}", "n": 12345678}))

    Redactor([SECRET, "12345678"]).file(path)

    assert json.loads(path.read_text(encoding="utf-8")) == {"seen": f"it said {MASK}", "n": MASK}


def test_a_file_without_secrets_is_not_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    path.write_text('{"a":   1}')
    before = path.stat().st_mtime_ns

    Redactor([SECRET]).file(path)

    assert path.stat().st_mtime_ns == before


def test_bytes_that_are_no_text_stay(tmp_path: Path) -> None:
    path = tmp_path / "screenshot.png"
    content = bytes(range(256)) * 4
    path.write_bytes(content + PLAIN.encode() + content)

    Redactor([PLAIN]).file(path)

    assert path.read_bytes() == content + MASK.encode() + content


@given(st.text(max_size=80), st.text(min_size=6, max_size=30), st.text(max_size=80))
def test_no_text_keeps_a_secret(before: str, secret: str, after: str) -> None:
    redacted = Redactor([secret]).text(before + secret + after)

    assert secret not in redacted.replace(MASK, "")
