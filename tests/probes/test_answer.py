"""What an answer says about itself."""

from __future__ import annotations

import pytest

from fixtures.http import Answer, NotJson


def answer(
    body: bytes, content_type: str | None = None, *, status: int = 200, complete: bool = True
) -> Answer:
    headers = (("Content-Type", content_type),) if content_type else ()
    return Answer("GET", "https://api.example/a/b", status, headers, body, 1.0, complete)


def test_json() -> None:
    assert answer(b'\xef\xbb\xbf{"a": [1, null]}').json() == {"a": [1, None]}


@pytest.mark.parametrize(
    ("body", "content_type", "described"),
    [
        (b"", "application/json", "the body is empty"),
        (b" \n", None, "the body is empty"),
        (b"<!doctype html>\n<b>x", "text/html; charset=utf-8", "text/html, 20 bytes, beginning '<!doctype"),
        (b'{"a": 1', "application/json", "application/json, 7 bytes, beginning '{\"a\": 1'"),
        (b'{"a": NaN}', "application/json", "application/json, 10 bytes"),
        (b"\xff\xfe\x00", None, "of no declared type, 3 bytes"),
        (b"[" * 100_000, "application/json", "application/json, 100000 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_described(body: bytes, content_type: str | None, described: str) -> None:
    with pytest.raises(NotJson) as raised:
        answer(body, content_type).json()

    assert described in str(raised.value)
    assert len(str(raised.value)) < 300


def test_json_that_is_cut_off_is_none() -> None:
    with pytest.raises(NotJson, match="longer than 2 bytes"):
        answer(b"{}", complete=False).json()


def test_hostile_body_is_quoted_harmlessly() -> None:
    with pytest.raises(NotJson) as raised:
        answer(b"\x1b]0;title\x07\x1b[31m\x9b", "text/plain").json()

    assert "\x1b" not in str(raised.value)
    assert "\x07" not in str(raised.value)


def test_text_in_the_declared_character_set() -> None:
    assert answer(b"\xe4", "text/plain; charset=latin-1").text == "ä"
    assert answer("ä".encode()).text == "ä"
    assert answer(b"\xe4", "text/plain; charset=nonsense").text == "\ufffd"


@pytest.mark.parametrize(
    ("status", "location", "target"),
    [
        (302, "/c", "https://api.example/c"),
        (301, "http://other.example/", "http://other.example/"),
        (200, "/c", None),
    ],
)
def test_redirect(status: int, location: str, target: str | None) -> None:
    redirecting = Answer(
        "GET", "https://api.example/a/b", status, (("location", location),), b"", 1.0, complete=True
    )

    assert redirecting.redirects_to == target
