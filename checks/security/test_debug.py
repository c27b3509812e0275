"""Debug mode is off: no documentation to play with, no console, no banner, no map of the source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures import bodies
from fixtures.exposure import INSIDE
from fixtures.headers import values
from fixtures.http import NotJson
from fixtures.revealing import REVEALING

if TYPE_CHECKING:
    from fixtures.exposure import Exposures
    from fixtures.headers import Surfaces
    from fixtures.http import Answer
    from fixtures.identity import Identity

pytestmark = pytest.mark.security

VERSION = re.compile(r"/\s?v?\d|\d+\.\d+")
NAMES = frozenset({"awselb/2.0"})
"""Banners that look like one with a version and are always the same."""

TELLTALE = (
    "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator", "x-debug-token",
    "x-debug-token-link", "x-debug-exception", "x-django-debug", "x-drupal-cache",
)  # fmt: skip
"""Headers that name what the service is made of, or that only a debug mode sends."""

ON = frozenset({"1", "true", "yes", "on", "t", "y"})
DEBUG_FIELDS = ("debug", "debug_mode", "config.debug", "settings.debug", "DEBUG")


@item("SEC-PRE-7")
@pytest.mark.parametrize("kind", INSIDE)
def test_nothing_internal_is_public(
    kind: str, exposures: Exposures, measured: Measured, exhibits: Exhibits
) -> None:
    """No such place answers to somebody who is not signed in, unless the release declares it public."""
    exposure = exposures.exposed()
    found = [each for each in exposure.found if each.kind == kind]
    measured(exposure.asked[kind], unit="places asked")
    exhibits.table(
        f"Places that show {kind}", ("path", "shows"), [(each.path, each.excerpt) for each in found]
    )

    assert not found, explain(
        expected=f"no {kind} for anybody who asks",
        seen="; ".join(f"{each.path} answers {each.status} and shows {each.excerpt!r}" for each in found),
        next="switch it off in this environment, or let the proxy keep it inside",
        by_hand=found[0].curl,
    )
    for raised in exposure.raised:
        raised.again()


@item("SEC-PRE-7")
def test_no_header_tells_what_the_service_is_made_of(surfaces: Surfaces, measured: Measured) -> None:
    """No answer names a version of the server, or what the service is written in."""
    seen = surfaces.seen()
    told: dict[str, Answer] = {}
    for _, answer in seen:
        banners = [each for each in values(answer, "server") if VERSION.search(each) and each not in NAMES]
        others = [f"{name}: {value}" for name in TELLTALE for value in values(answer, name)]
        for each in [*(f"Server: {banner}" for banner in banners), *others]:
            told.setdefault(each, answer)
    measured(len(seen), unit="answers")

    assert not told, explain(
        expected="a Server header without a version, and no X-Powered-By",
        seen="; ".join(f"{each} (on {a.method} {a.url}, {a.status})" for each, a in told.items()),
        next="nginx: server_tokens off; and remove such headers in the service",
        by_hand=next(iter(told.values())).curl if told else "",
    )


@item("SEC-PRE-7")
def test_no_answer_is_a_debug_page(surfaces: Surfaces, measured: Measured) -> None:
    """No answer is one of a framework's debug pages."""
    seen = surfaces.seen()
    measured(len(seen), unit="answers")
    found = [
        (answer, match[0]) for _, answer in seen if (match := REVEALING["a debug page"].search(answer.text))
    ]

    assert not found, explain(
        expected="plain error pages",
        seen="; ".join(f"{a.method} {a.url} answers {a.status} with {text!r}" for a, text in found),
        next="switch debug mode off",
        by_hand=found[0][0].curl,
    )


@item("SEC-PRE-7")
def test_no_answer_holds_a_stored_password(
    exposures: Exposures, surfaces: Surfaces, measured: Measured
) -> None:
    """No answer holds what a password is stored as, that to the sign-in and that about oneself included."""
    found = exposures.stored_passwords()
    measured(len(surfaces.seen()), unit="answers")

    assert not found, explain(
        expected="no hash of a password in any answer, not even in one's own",
        seen="; ".join(f"{each.where} holds one of {', '.join(each.kinds)}" for each in found),
        next="name the fields that answers have, instead of sending what is stored; have passwords changed",
        by_hand=found[0].curl,
    )


@item("SEC-PRE-7")
def test_source_maps_are_not_served(exposures: Exposures, measured: Measured) -> None:
    """The page's scripts and styles come without the map that leads back to their source."""
    maps = exposures.source_maps()
    served = [each for each in maps if each.served]
    measured(len(served), limit=0, unit="maps")

    assert not served, explain(
        expected="no source map for anybody who asks",
        seen="; ".join(f"the map of {each.file} is served: {each.map}" for each in served),
        next="build without source maps, or keep them out of what is deployed",
        by_hand=served[0].curl,
    )


@item("SEC-PRE-7")
def test_health_answer_does_not_say_debug(identity: Identity, measured: Measured) -> None:
    """The health answer shows no debug mode that is on."""
    answer = identity.health()
    try:
        body = answer.json()
    except NotJson:
        body = None
    said = {name: value for name in DEBUG_FIELDS if (value := bodies.field(body, name)) is not bodies.MISSING}
    measured(str(said or "nothing"), limit="off")
    on = [name for name, value in said.items() if str(value).lower() in ON]

    assert not on, explain(
        expected="no debug mode",
        seen=f"{', '.join(on)} is {said[on[0]]!r}" if on else "",
        next="set DEBUG=false and restart the service",
        by_hand=answer.curl,
    )


@item("SEC-PRE-7")
def test_processes_run_without_debug_mode(exposures: Exposures, measured: Measured) -> None:
    """The effective environment and command line of every visible process leave debug mode off."""
    processes = exposures.effective()
    measured(len(processes), unit="processes")
    on = [
        f"{process.service} runs with {name}={value}"
        for process in processes
        for name, value in process.settings.items()
        if value.strip().lower() in ON
    ]
    on += [f"{process.service} runs with {each}" for process in processes for each in process.arguments]

    assert not on, explain(
        expected="DEBUG=false and no --reload in the effective settings",
        seen="; ".join(on),
        next="correct the settings and restart the service: the process holds those that it was started with",
    )
