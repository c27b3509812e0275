"""Security headers are on every kind of answer alike: a location with headers of its own drops the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures import cookies, headers
from fixtures.headers import PRIVATE, SURFACES
from fixtures.observation import Absent

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.headers import Surfaces
    from fixtures.http import Answer
    from fixtures.release import Release

pytestmark = pytest.mark.security

SECURITY_HEADERS = (
    "Strict-Transport-Security", "Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options",
    "Referrer-Policy", "Permissions-Policy", "Set-Cookie", "Cache-Control",
)  # fmt: skip

REMEDY = "add it where the proxy adds headers to all answers, errors too (nginx: add_header ... always)"

each_surface = pytest.mark.parametrize("surface", SURFACES)


@item("SEC-POST-4")
@each_surface
def test_hsts(surface: str, surfaces: Surfaces, measured: Measured, exhibits: Exhibits) -> None:
    """Strict-Transport-Security is on this kind of answer."""
    answers = [each for each in surfaces.answers(surface) if each.url.startswith("https://")]
    if not answers:  # RFC 6797, 7.2: it must not be sent without TLS
        raise Absent(f"{surface} with TLS", "such answers come without TLS only")
    exhibits.table(
        f"Security headers of the {surface}",
        ("answer", *SECURITY_HEADERS),
        [
            (f"{a.method} {a.url} {a.status}", *(_shown(a, name) for name in SECURITY_HEADERS))
            for a in surfaces.answers(surface)
        ],
    )
    _claim(
        answers,
        lambda answer: "" if headers.hsts_max_age_s(answer) else _said(answer, "strict-transport-security"),
        measured,
        "Strict-Transport-Security with a max-age",
    )


@item("SEC-POST-4")
@each_surface
def test_content_security_policy(surface: str, surfaces: Surfaces, measured: Measured) -> None:
    """A content security policy is on this kind of answer, and lets no foreign script run."""
    _claim(
        _shown_by_browsers(surface, surfaces),
        headers.loose_scripts,
        measured,
        "Content-Security-Policy without 'unsafe-inline', 'unsafe-eval' and * for scripts",
    )


@item("SEC-POST-4")
@each_surface
def test_framing(surface: str, surfaces: Surfaces, measured: Measured) -> None:
    """No other site may show this kind of answer in a frame."""
    _claim(
        _shown_by_browsers(surface, surfaces),
        headers.unframed,
        measured,
        "X-Frame-Options DENY or SAMEORIGIN, or frame-ancestors in the content security policy",
    )


@item("SEC-POST-4")
@each_surface
def test_nosniff(surface: str, surfaces: Surfaces, measured: Measured) -> None:
    """A browser takes this kind of answer for what its type says."""
    _claim(
        _shown_by_browsers(surface, surfaces), headers.sniffed, measured, "X-Content-Type-Options: nosniff"
    )


@item("SEC-POST-4")
@each_surface
def test_referrer_policy(surface: str, surfaces: Surfaces, measured: Measured) -> None:
    """Other sites do not learn from which address their visitors come."""
    _claim(
        _shown_by_browsers(surface, surfaces),
        headers.told_referrer,
        measured,
        "Referrer-Policy other than unsafe-url",
    )


@item("SEC-POST-4")
@each_surface
def test_permissions_policy(surface: str, surfaces: Surfaces, measured: Measured) -> None:
    """Features of the browser that the release does not need are switched off."""
    _claim(
        _shown_by_browsers(surface, surfaces),
        headers.unlimited_features,
        measured,
        "Permissions-Policy with limits",
    )


@item("SEC-POST-4")
@each_surface
def test_cookies(surface: str, surfaces: Surfaces, release: Release, measured: Measured) -> None:
    """Every cookie of this kind of answer is Secure, HttpOnly and SameSite, and goes where it must only."""
    is_shared = release.cors is not None and release.cors.credentials
    session = release.sign_in.cookie if release.sign_in else None
    _claim(
        surfaces.answers(surface),
        lambda answer: "; ".join(cookies.loose(answer, is_shared=is_shared, session=session)),
        measured,
        "cookies with Secure, HttpOnly and SameSite, none for other sites, a session for this host only",
        remedy="correct what sets the cookie; a session needs no Domain, and SameSite=Lax or Strict",
    )


@item("SEC-POST-4")
@pytest.mark.parametrize("surface", PRIVATE)
def test_private_data_is_not_cached(surface: str, surfaces: Surfaces, measured: Measured) -> None:
    """No shared cache keeps what belongs to one user."""
    _claim(surfaces.answers(surface), headers.cached, measured, "Cache-Control with no-store or private")


def _claim(
    answers: tuple[Answer, ...] | list[Answer],
    wrong: Callable[[Answer], str],
    measured: Measured,
    expected: str,
    *,
    remedy: str = REMEDY,
) -> None:
    """Judge every answer of a kind."""
    measured(len(answers), unit="answers")
    found = [(answer, why) for answer in answers if (why := wrong(answer))]

    assert not found, explain(
        expected=f"{expected}, on this kind of answer as on every other",
        seen="; ".join(
            f"{answer.method} {answer.url} answers {answer.status}: {why}" for answer, why in found
        ),
        next=remedy,
        by_hand=found[0][0].curl,
    )


def _shown_by_browsers(surface: str, surfaces: Surfaces) -> list[Answer]:
    """Return the answers of a kind that are more than the way from plain HTTP to the real address.

    Raises:
        Absent: there is none.
    """
    found = [each for each in surfaces.answers(surface) if not headers.is_plain_redirect(each)]
    if not found:
        raise Absent(f"{surface} with TLS", "plain HTTP is redirected, and nothing else is")
    return found


def _said(answer: Answer, name: str) -> str:
    return answer.header(name) or "no such header"


def _shown(answer: Answer, name: str) -> str:
    """Return a header for the table; of cookies the names only."""
    found = headers.values(answer, name)
    if name == "Set-Cookie":
        return ", ".join(cookie.partition("=")[0] for cookie in found)
    return ", ".join(found)
