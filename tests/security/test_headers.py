"""How security headers are read: what is safe, what is not, and what only looks unsafe."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures import headers
from fixtures.headers import Surfaces
from fixtures.http import Answer
from fixtures.observation import Absent

if TYPE_CHECKING:
    from collections.abc import Callable


def answer(*pairs: tuple[str, str], body: str = "", url: str = "https://shop.example/page") -> Answer:
    return Answer("GET", url, 200, pairs, body.encode(), 1.0, complete=True)


CSP, XFO = "Content-Security-Policy", "x-frame-options"


@pytest.mark.parametrize(
    ("judge", "pairs"),
    [
        (headers.loose_scripts, [(CSP, "default-src 'none'")]),
        (headers.loose_scripts, [(CSP, "frame-ancestors 'none'; default-src 'self'")]),
        (headers.loose_scripts, [(CSP, "default-src *; script-src 'self' https://cdn.example")]),
        (headers.loose_scripts, [(CSP, "script-src 'nonce-abc' 'unsafe-inline'")]),
        (headers.loose_scripts, [(CSP, "script-src 'nonce-a' 'strict-dynamic' https: 'unsafe-inline'")]),
        (headers.loose_scripts, [(CSP, "default-src *"), (CSP, "script-src 'self'")]),
        (headers.unframed, [(XFO, "SAMEORIGIN")]),
        (headers.unframed, [(XFO, "deny"), (XFO, "DENY")]),
        (headers.unframed, [(CSP, "frame-ancestors https://portal.example")]),
        (headers.sniffed, [("X-Content-Type-Options", "nosniff"), ("X-Content-Type-Options", "nosniff")]),
        (headers.told_referrer, [("Referrer-Policy", "no-referrer, strict-origin-when-cross-origin")]),
        (headers.unlimited_features, [("Permissions-Policy", "camera=(), microphone=(self)")]),
        (headers.cached, [("Cache-Control", "private, max-age=60")]),
        (headers.cached, [("Cache-Control", "no-cache"), ("Cache-Control", "No-Store")]),
    ],
)
def test_safe(judge: Callable[[Answer], str], pairs: list[tuple[str, str]]) -> None:
    assert judge(answer(*pairs)) == ""


@pytest.mark.parametrize(
    ("judge", "pairs", "why"),
    [
        (headers.loose_scripts, [], "no such header"),
        (headers.loose_scripts, [(f"{CSP}-Report-Only", "default-src 'none'")], "one that reports"),
        (headers.loose_scripts, [(CSP, "frame-ancestors 'none'")], "neither script-src nor default-src"),
        (headers.loose_scripts, [(CSP, "default-src 'self' 'unsafe-inline'")], "'unsafe-inline'"),
        (headers.loose_scripts, [(CSP, "script-src 'nonce-a' 'unsafe-eval'")], "'unsafe-eval'"),
        (headers.loose_scripts, [(CSP, "script-src https:")], "https:"),
        (headers.unframed, [], "neither"),
        (headers.unframed, [(XFO, "ALLOW-FROM https://portal.example")], "browsers ignore"),
        (headers.unframed, [(XFO, "DENY, SAMEORIGIN")], "browsers ignore"),
        (headers.unframed, [(XFO, "DENY"), (CSP, "frame-ancestors *")], "frame-ancestors"),
        (headers.sniffed, [("X-Content-Type-Options", "sniff")], "sniff"),
        (headers.told_referrer, [("Referrer-Policy", "origin, unsafe-url")], "unsafe-url"),
        (headers.told_referrer, [("Referrer-Policy", "never")], "never"),
        (headers.unlimited_features, [("Permissions-Policy", "")], "limits nothing"),
        (headers.cached, [("Cache-Control", "max-age=60")], "max-age=60"),
        (headers.cached, [("Cache-Control", "private, public")], "public"),
        (headers.cached, [], "no Cache-Control"),
    ],
)
def test_unsafe(judge: Callable[[Answer], str], pairs: list[tuple[str, str]], why: str) -> None:
    assert why in judge(answer(*pairs))


@pytest.mark.parametrize(
    ("status", "url", "is_plain"),
    [
        (301, "http://shop.example/", True),
        (308, "http://shop.example/", True),
        (301, "https://shop.example/", False),
        (200, "http://shop.example/", False),
        (404, "http://shop.example/", False),
    ],
)
def test_only_the_way_from_plain_http_is_a_plain_redirect(status: int, url: str, *, is_plain: bool) -> None:
    assert headers.is_plain_redirect(Answer("GET", url, status, (), b"", 1.0, complete=True)) is is_plain


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("max-age=31536000; includeSubDomains", 31_536_000), ('preload; Max-Age="60"', 60), ("preload", None)],
)
def test_hsts(value: str, seconds: int | None) -> None:
    assert headers.hsts_max_age_s(answer(("Strict-Transport-Security", value))) == seconds


def test_files_of_a_page_are_those_of_its_own_origin() -> None:
    page = answer(
        body='<link rel="Stylesheet" href="a.css"><link rel=canonical href="/x">'
        '<script src="/b.js?v=1"></script>'
        '<script src="//cdn.example/c.js"></script><img src="data:image/png;base64,AAAA"><img src="d.png">'
    )

    assert headers.files_of(page) == ["/a.css", "/b.js", "/d.png"]


@pytest.mark.parametrize(
    ("dated", "is_judged"), [(True, True), (False, False)], ids=["the proxy's", "its parser's"]
)
def test_refusal_that_a_parser_writes_by_itself_is_no_surface(*, dated: bool, is_judged: bool) -> None:
    """Caddy and HAProxy answer what is no request before anything configured, and without a Date."""
    date = (("Date", "Sat, 28 Nov 2026 23:00:00 GMT"),) if dated else ()
    refusal = Answer("GET", "https://shop.example/%zz", 400, date, b"", 1.0, complete=True)
    probe: Any = SimpleNamespace(send=lambda *_, **__: refusal)
    nothing: Any = SimpleNamespace(health=SimpleNamespace(path="/health"))
    surfaces = Surfaces(
        api=probe, root=probe, front=probe, tokens=nothing, transport=nothing, environment=nothing,
        release=nothing, run=nothing,
    )  # fmt: skip

    if is_judged:
        assert [each.status for each in surfaces._bad_request()] == [400]  # noqa: SLF001  one surface of twelve
    else:
        with pytest.raises(Absent, match="400, by the parser alone and 400, by the parser alone"):
            surfaces._bad_request()  # noqa: SLF001  as above
