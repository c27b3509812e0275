"""How cookies are read: what protects them, how far they go, and how long they are kept."""

from __future__ import annotations

import pytest

from fixtures import cookies
from fixtures.http import Answer

GOOD = "Secure; HttpOnly; SameSite=Lax"
DATE = ("Date", "Sun, 22 Nov 2026 19:00:00 GMT")


def answer(*lines: str, url: str = "https://api.shop.example/login") -> Answer:
    pairs = (DATE, *(("Set-Cookie", line) for line in lines))
    return Answer("POST", url, 200, pairs, b"", 1.0, complete=True)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"sid=1; {GOOD}", []),
        ("csrftoken=1; Secure; SameSite=Strict", []),
        ("sid=; Max-Age=0; Path=/", []),
        ("sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", []),
        ("sid=; expires=Thu, 01-Jan-70 00:00:01 GMT", []),
        ("sid=1; secure; httponly", ["cookie sid without SameSite"]),
        ("sid=1", ["cookie sid without Secure, HttpOnly, SameSite"]),
        ("sid=1; Max-Age=60", ["cookie sid without Secure, HttpOnly, SameSite"]),
    ],
)
def test_protection(line: str, found: list[str]) -> None:
    assert cookies.loose(answer(line)) == found


@pytest.mark.parametrize(
    ("line", "is_shared", "is_loose"),
    [
        ("sid=1; Secure; HttpOnly; SameSite=None", False, True),
        ("visit=1; Secure; HttpOnly; SameSite=None", False, True),
        ("sid=1; Secure; HttpOnly; SameSite=None", True, False),
        (f"sid=1; {GOOD}", False, False),
        ("__cf_bm=1; Secure; HttpOnly; SameSite=None; Domain=.shop.example", False, False),
    ],
)
def test_cookies_for_other_sites(line: str, *, is_shared: bool, is_loose: bool) -> None:
    found = cookies.loose(answer(line), is_shared=is_shared)

    assert any("SameSite=None" in each for each in found) is is_loose


@pytest.mark.parametrize(
    ("name", "domain", "is_broad"),
    [
        ("sid", "shop.example", True),
        ("JSESSIONID", ".Shop.Example", True),
        ("who", "shop.example", True),
        ("sid", "api.shop.example", False),
        ("sid", "example.org", False),
        ("sid", "hop.example", False),
        ("sid", "", False),
        ("theme", "shop.example", False),
        ("XSRF-TOKEN", "shop.example", False),
    ],
)
def test_sessions_for_other_hosts(name: str, domain: str, *, is_broad: bool) -> None:
    found = cookies.loose(answer(f"{name}=1; {GOOD}; Domain={domain}"), session="who")

    assert any("Domain=" in each for each in found) is is_broad


def test_address_has_no_parent_domain() -> None:
    assert cookies.loose(answer(f"sid=1; {GOOD}; Domain=0.1", url="https://127.0.0.1/login")) == []


@pytest.mark.parametrize(
    ("attributes", "ends_in_s"),
    [
        ("Max-Age=3600", 3600),
        ("Max-Age=3600; Expires=Sun, 22 Nov 2026 20:30:00 GMT", 3600),
        ("Expires=Sun, 22 Nov 2026 20:30:00 GMT", 5400),
        ("Max-Age=soon; Expires=Sun, 22-Nov-2026 20:30:00 GMT", 5400),
        ("Max-Age=-1", -1),
        ("Path=/", None),
        ("Expires=0", None),
    ],
)
def test_how_long_it_is_kept(attributes: str, ends_in_s: float | None) -> None:
    found = cookies.session_of(answer("sid=old; Max-Age=1", f"sid=new; {attributes}"), "sid")

    assert found is not None
    assert (found.value, found.ends_in_s) == ("new", ends_in_s)


def test_cookie_that_is_not_set() -> None:
    assert cookies.session_of(answer("sid=1"), "other") is None
