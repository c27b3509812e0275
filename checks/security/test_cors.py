"""Web pages of this environment may call the API, and nobody else's may, on whatever answer.

A star is a finding here, even without credentials: the item admits the promised origins only, and a star is a
name of none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.cors import FREE_HEADERS, FREE_METHODS, UNPROMISED_HEADER, UNSIGNED, Cors, Grant, Policy
from fixtures.observation import Absent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fixtures.release import Release

pytestmark = pytest.mark.security

LIST = "compare whole origins against a list, in one place, and answer nothing to the others"
FIRST_ERROR = 400
ANY = "*"


@pytest.fixture
def policy(cors: Cors) -> Policy:
    """What every origin was told."""
    return cors.observed()


@pytest.fixture
def granted(policy: Policy) -> tuple[Grant, ...]:
    """What the origins were told that are to be let in."""
    if not policy.allowed:
        raise Absent("web origin to let in", "neither release nor environment file promises one")
    return tuple(grant for grant in policy.grants if grant.origin in policy.allowed)


@item("SEC-PRE-2")
@pytest.mark.parametrize("kind", ["request", "preflight"])
def test_promised_origins_get_exactly_themselves(
    kind: str, policy: Policy, granted: tuple[Grant, ...], measured: Measured
) -> None:
    """A promised origin is let in by its own name, with the request and with its preflight."""
    asked = [grant for grant in granted if grant.kind == kind and grant.asked in {"", policy.usual}]
    measured(len(asked), unit="answers")
    _claim(
        [grant for grant in asked if grant.allowed != (grant.origin,)],
        "each promised origin is answered with its own name, scheme included",
        LIST,
    )


@item("SEC-PRE-2")
@pytest.mark.parametrize("kind", ["request", "preflight"])
def test_nobody_else_is_let_in(kind: str, policy: Policy, measured: Measured, exhibits: Exhibits) -> None:
    """No stranger, null, look-alike, sub-domain, other port or scheme is let in, by its name or by a star."""
    others = [each for each in policy.grants if each.kind == kind and each.origin not in policy.allowed]
    measured(len({grant.origin for grant in others}), unit="origins")
    exhibits.table(
        f"What the {kind} of each origin is told",
        ("origin", "", "status", "allowed origin", "credentials"),
        [(g.origin, g.why, g.status, ", ".join(g.allowed), g.credentials) for g in others],
    )
    _claim(
        [each for each in others if each.lets_in], "origins that were not promised are let in nowhere", LIST
    )


@item("SEC-PRE-2")
def test_development_is_not_let_in(policy: Policy, measured: Measured) -> None:
    """Origins of development servers, and those of other environments, are not let in here."""
    measured(len(policy.foreign), unit="foreign origins")
    foreign = [grant for grant in policy.grants if grant.origin in policy.foreign and grant.lets_in]
    _claim(foreign, "origins of other environments are let in nowhere", LIST)


@item("SEC-PRE-2")
def test_cookies_go_with_named_origins_only(policy: Policy, cors: Cors, measured: Measured) -> None:
    """Credentials are never allowed together with a star, or to an origin that was not promised."""
    grants = [*policy.grants, *cors.errors()]
    measured(sum(grant.credentials for grant in grants), unit="answers with credentials")
    loose = [
        grant
        for grant in grants
        if grant.credentials
        and (ANY in grant.allowed or (grant.lets_in and grant.origin not in policy.allowed))
    ]
    _claim(loose, "credentials go with origins of the list only, each by its name", LIST)


@item("SEC-PRE-2")
def test_same_origins_may_read_errors(
    policy: Policy, cors: Cors, measured: Measured, exhibits: Exhibits
) -> None:
    """Errors are told to whom good answers are told: a page must see that its user has to sign in again."""
    errors = [grant for grant in cors.errors() if grant.status >= FIRST_ERROR]
    measured(len(errors), unit="errors")
    exhibits.table(
        "Errors",
        ("origin", "", "asked for", "status", "allowed origin"),
        [(g.origin, g.why, g.asked, g.status, ", ".join(g.allowed)) for g in errors],
    )
    strangers = [each for each in errors if each.lets_in and each.origin not in policy.allowed]
    unread = [
        each
        for each in errors
        if each.asked == UNSIGNED and each.origin in policy.allowed and each.allowed != (each.origin,)
    ]
    _claim(strangers, "errors let in no other origin than good answers", LIST)
    _claim(
        unread,
        "the refusal of a missing token is readable for every promised origin",
        "send the same headers with errors (nginx: add_header ... always)",
    )


@item("SEC-PRE-2")
def test_methods_are_limited(granted: tuple[Grant, ...], release: Release, measured: Measured) -> None:
    """A preflight allows no method that was not promised, and never all of them."""
    promised = set(release.cors.methods if release.cors else ())
    preflights = [grant for grant in granted if grant.kind == "preflight"]
    listed = {method for grant in preflights for method in grant.methods}
    measured(_list(sorted(listed)), limit=_list(sorted(promised)) if promised else "no star")
    excess = {
        grant: set(grant.methods) - promised - FREE_METHODS if promised else {ANY} & set(grant.methods)
        for grant in preflights
    }
    _no_excess(excess, "method", "list the methods one by one, without those that nothing needs")


@item("SEC-PRE-2")
def test_request_headers_are_limited(
    granted: tuple[Grant, ...], release: Release, measured: Measured
) -> None:
    """A preflight allows no request header that was not promised, neither by a star nor by an echo."""
    promised = {name.lower() for name in release.cors.headers} if release.cors else set()
    preflights = [grant for grant in granted if grant.kind == "preflight"]
    listed = {name for grant in preflights for name in grant.headers}
    measured(_list(sorted(listed)), limit=_list(sorted(promised)) if promised else "no star, no echo")
    any_at_all = {ANY, UNPROMISED_HEADER.lower()}
    excess = {
        grant: set(grant.headers) - promised - FREE_HEADERS if promised else any_at_all & set(grant.headers)
        for grant in preflights
    }
    _no_excess(excess, "header", "list the headers one by one; a star or an echo allows every header")


@item("SEC-PRE-2")
def test_caches_keep_the_origins_apart(
    policy: Policy, granted: tuple[Grant, ...], cors: Cors, measured: Measured
) -> None:
    """An answer that names its origin says Vary: Origin, unless it names the same one to everybody."""
    errors = [grant for grant in cors.errors() if grant.origin in policy.allowed]
    told = {grant.allowed for grant in policy.grants if grant.kind == "request"}
    named = [
        grant
        for grant in (*granted, *errors)
        if grant.kind != "preflight" and grant.allowed == (grant.origin,) and len(told) > 1
    ]
    measured(len(named), unit="answers")
    wrong = [grant for grant in named if not {"origin", ANY} & set(grant.vary)]

    assert not wrong, explain(
        expected="Vary: Origin wherever the answer depends on the origin",
        seen=f"{wrong[0].kind} from {wrong[0].origin} is answered Vary: {_list(wrong[0].vary)}",
        next="send Vary: Origin, or a shared cache gives one origin's answer to another",
        by_hand=wrong[0].curl,
    )


# ---------------------------------------------------------------- judging


def _claim(wrong: Iterable[Grant], expected: str, remedy: str) -> None:
    told = {f"{each} with {each.status}": each.curl for each in wrong}

    assert not told, explain(
        expected=expected, seen="; ".join(told), next=remedy, by_hand=next(iter(told.values()), "")
    )


def _no_excess(excess: dict[Grant, set[str]], what: str, remedy: str) -> None:
    found = {grant: names for grant, names in excess.items() if names}
    first = next(iter(found), None)

    assert first is None, explain(
        expected=f"no {what} that was not promised",
        seen=f"a preflight of {first.origin} for {first.asked} allows {_list(sorted(found[first]))}",
        next=remedy,
        by_hand=first.curl,
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
