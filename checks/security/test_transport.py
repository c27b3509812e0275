"""Nothing is served without TLS, and TLS is what it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.headers import hsts_max_age_s
from fixtures.tls import COMPONENTS, OLD

if TYPE_CHECKING:
    from fixtures.headers import Surfaces
    from fixtures.limits import Limits
    from fixtures.tls import Transport

pytestmark = pytest.mark.security

DAY_S = 86_400

each_component = pytest.mark.parametrize("component", COMPONENTS)


@item("SEC-PRE-1")
@each_component
def test_address_is_https(component: str, transport: Transport, measured: Measured) -> None:
    """The address that clients use is an https address."""
    url = transport.address(component)
    measured(url.partition(":")[0], limit="https")

    assert url.startswith("https://"), explain(
        expected="an https address",
        seen=url,
        next="serve it over TLS and correct the environment file; credentials go over it",
    )


@item("SEC-PRE-1")
@each_component
def test_plain_http_redirects_or_refuses(
    component: str, transport: Transport, measured: Measured, exhibits: Exhibits
) -> None:
    """Without TLS nothing is served: a request is refused, or told to come back with https."""
    heard = transport.without_tls(component)
    measured(sum(each.is_served for each in heard), limit=0, unit="answers")
    exhibits.table("Asked without TLS", ("request", "answer"), [(each.url, each) for each in heard])
    served = [each for each in heard if each.is_served]

    assert not served, explain(
        expected="plain HTTP is refused, or redirected to an https address",
        seen="; ".join(map(str, served)),
        next="let the plain port only redirect (301 to https), for every path and method",
        by_hand=served[0].curl,
    )


@item("SEC-PRE-1")
@each_component
def test_certificate_is_trusted(component: str, transport: Transport, measured: Measured) -> None:
    """The certificate's chain, name and dates hold, and neither its key nor its signature is weak."""
    shown = transport.certificate(component)
    measured(round(shown.days_left, 1), unit="days left")
    wrong = shown.why_distrusted or (f"it has {shown.weakness}" if shown.weakness else "")

    assert not wrong, explain(
        expected="a valid certificate for this host, from an authority that clients know",
        seen=f"{wrong}; it is for {', '.join(shown.names) or 'nobody'}, from {shown.issuer}, "
        f"until {shown.ends}",
        next="install the right certificate with its whole chain",
        by_hand=shown.by_hand,
    )


@item("SEC-PRE-1")
@each_component
def test_revocation_is_stapled(component: str, transport: Transport, measured: Measured) -> None:
    """Where it is promised, a fresh word of the authority comes along: the certificate still holds."""
    stapled = transport.stapled(component)
    measured(stapled.says, limit="good", attempts=stapled.tries)

    assert stapled.says == "good" and stapled.is_fresh and not stapled.why_distrusted, explain(  # noqa: PT018  one claim
        expected="a stapled OCSP response: good, signed by the certificate's authority, and not yet over",
        seen=str(stapled),
        next="let the proxy fetch and staple it (nginx: ssl_stapling on), or renew a revoked certificate",
        by_hand=stapled.by_hand,
    )


@item("SEC-PRE-1")
@each_component
def test_old_versions_of_tls_are_refused(component: str, transport: Transport, measured: Measured) -> None:
    """TLS 1.2 is the oldest version that is accepted."""
    offer = transport.offer(component)
    measured(", ".join(offer.versions) or "none", limit="TLS 1.2, TLS 1.3")
    old = [version for version in offer.versions if version in OLD]

    assert offer.versions and not old, explain(  # noqa: PT018  nothing accepted is nothing proven
        expected="TLS 1.2 and TLS 1.3, and nothing older (RFC 8996)",
        seen=f"{offer.address} accepts {', '.join(old) or 'no version at all'}",
        next="set the proxy's ssl_protocols to TLSv1.2 TLSv1.3",
        by_hand=f"sslyze {offer.address}",
    )


@item("SEC-PRE-1")
@each_component
def test_weak_ciphers_are_refused(
    component: str, transport: Transport, measured: Measured, exhibits: Exhibits
) -> None:
    """No accepted cipher suite is weak."""
    offer = transport.offer(component)
    weak = [suite for suite in offer.suites if suite.weakness]
    measured(len(weak), limit=0, unit="weak suites")
    exhibits.table(
        f"Cipher suites that {offer.address} accepts",
        ("version", "suite", "weakness"),
        [(suite.protocol, suite.name, suite.weakness) for suite in offer.suites],
    )

    assert offer.suites and not weak, explain(  # noqa: PT018  as above
        expected="cipher suites with forward secrecy and without known weakness (RFC 9325)",
        seen="; ".join(f"{suite.protocol} {suite.name}: {suite.weakness}" for suite in weak)
        or "none accepted",
        next="limit the proxy's ciphers to ECDHE with AES-GCM or ChaCha20",
        by_hand=f"sslyze {offer.address}",
    )


@item("SEC-PRE-1")
@pytest.mark.parametrize("surface", ["api answer", "page"])
def test_browsers_are_told_to_stay_with_https(
    surface: str, surfaces: Surfaces, limits: Limits, measured: Measured
) -> None:
    """Strict-Transport-Security holds for at least a year, so that browsers never try without TLS."""
    (answer,) = surfaces.answers(surface)
    told = hsts_max_age_s(answer)
    measured(round((told or 0) / DAY_S, 1), limit=limits.hsts_min_days, unit="days")

    assert told is not None and told >= limits.hsts_min_days * DAY_S, explain(  # noqa: PT018  one claim
        expected=f"Strict-Transport-Security with a max-age of at least {limits.hsts_min_days:g} days",
        seen=answer.header("strict-transport-security") or "no such header",
        next="send Strict-Transport-Security: max-age=31536000 or more, on every answer",
        by_hand=answer.curl,
    )


@item("SEC-PRE-1")
def test_backend_cannot_be_reached_around_the_proxy(transport: Transport, measured: Measured) -> None:
    """What stands behind the proxy does not answer to anybody who asks it directly."""
    heard = transport.around()
    open_ = [each for each in heard if each.is_served]
    measured(len(open_), limit=0, unit="addresses")

    assert not open_, explain(
        expected="no declared address behind the proxy serves the release to us",
        seen="; ".join(map(str, open_)),
        next="bind the backend to an inner address, or let its firewall admit the proxy only",
        by_hand=open_[0].curl,
    )
