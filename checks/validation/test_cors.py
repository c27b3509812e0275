"""Web pages of this environment may call the API, and no others: origins, methods, headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.cors import FREE_HEADERS, FREE_METHODS, Cors, Grant, Policy
from fixtures.observation import Absent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fixtures.release import Release

pytestmark = pytest.mark.validation

REMEDY = "compare whole origins against a list, in one place, and answer nothing to the others"
GOOD = range(200, 300)


@pytest.fixture
def policy(cors: Cors) -> Policy:
    """What every origin was told."""
    return cors.policy()


@pytest.fixture
def granted(policy: Policy) -> tuple[Grant, ...]:
    """What the origins were told that are to be let in."""
    if not policy.allowed:
        raise Absent("web origin to let in", "the release file promises none")
    return tuple(grant for grant in policy.grants if grant.origin in policy.allowed)


@item("REL-CORS-1")
def test_promised_origin_is_let_in_by_its_name(
    policy: Policy, granted: tuple[Grant, ...], measured: Measured
) -> None:
    """Every promised origin is let in, by exactly its own name."""
    plain = [grant for grant in granted if grant.asked in {"", policy.usual}]
    wrong = [grant for grant in plain if grant.allowed != (grant.origin,)]
    measured(len({grant.origin for grant in granted}), unit="origins")

    _claim(wrong, "each promised origin is answered with its own name, scheme included")


@item("REL-CORS-1")
def test_no_other_origin_is_let_in(policy: Policy, measured: Measured, exhibits: Exhibits) -> None:
    """No other origin is let in: no stranger, null, look-alike, sub-domain, other port or scheme."""
    others = [grant for grant in policy.grants if grant.origin not in policy.allowed]
    measured(len({grant.origin for grant in others}), unit="origins")
    exhibits.table(
        "Cross-origin answers",
        ("origin", "", "asked", "status", "allowed origin", "credentials"),
        [
            (g.origin, g.why, f"{g.kind} {g.asked}".strip(), g.status, ", ".join(g.allowed), g.credentials)
            for g in policy.grants
        ],
    )

    _claim([grant for grant in others if grant.lets_in], "origins that were not promised are let in nowhere")


@item("REL-CORS-1")
def test_credentials_go_with_named_origins_only(policy: Policy, release: Release, measured: Measured) -> None:
    """Cookies are never allowed to any origin by a star, nor to an origin that was not promised."""
    measured(sum(grant.credentials for grant in policy.grants), unit="answers with credentials")
    loose = [
        grant
        for grant in policy.grants
        if grant.credentials
        and ("*" in grant.allowed or (grant.lets_in and grant.origin not in policy.allowed))
    ]
    _claim(loose, "credentials go with origins of the list only, each by its name")
    cors = release.cors
    if cors and "credentials" in cors.model_fields_set and policy.allowed:
        allowed = [grant for grant in policy.grants if grant.origin in policy.allowed and grant.lets_in]
        wrong = [grant for grant in allowed if grant.credentials != cors.credentials]
        _claim(wrong, f"credentials are {'allowed' if cors.credentials else 'not allowed'}, as was promised")


@item("REL-CORS-1")
def test_methods_are_limited_to_the_promised_ones(
    granted: tuple[Grant, ...], release: Release, measured: Measured
) -> None:
    """A preflight allows every promised method and no other."""
    if release.cors is None or not release.cors.methods:
        raise Absent("limit of methods", "the release file promises none")
    promised = set(release.cors.methods)
    preflights = [grant for grant in granted if grant.kind == "preflight"]
    listed = {method for grant in preflights for method in grant.methods}
    measured(", ".join(sorted(listed)) or "none", limit=", ".join(sorted(promised)))
    excess = [grant for grant in preflights if set(grant.methods) - promised - FREE_METHODS]
    refused = [
        grant
        for grant in preflights
        if grant.asked in promised
        and (grant.status not in GOOD or not grant.lets_in or not _may_use(grant.asked, grant))
    ]

    assert not excess, explain(
        expected=f"the methods {', '.join(sorted(promised))} and no others",
        seen=f"a preflight allows {', '.join(excess[0].methods)}",
        next="list the methods one by one, without those that nothing needs",
        by_hand=excess[0].curl,
    )
    assert not refused, explain(
        expected=f"the methods {', '.join(sorted(promised))}",
        seen="; ".join(
            f"a preflight for {g.asked} answers {g.status} with {_list(g.methods)}" for g in refused
        ),
        next="allow the promised methods: pages cannot use them otherwise",
        by_hand=refused[0].curl,
    )


def _may_use(method: str, grant: Grant) -> bool:
    """Return whether a page may use a method: GET and POST need no mention (Fetch standard, 4.8)."""
    return method in grant.methods or method in {"GET", "POST"}


@item("REL-CORS-1")
def test_headers_are_limited_to_the_promised_ones(
    granted: tuple[Grant, ...], release: Release, measured: Measured
) -> None:
    """A preflight allows every promised request header and no other."""
    if release.cors is None or not release.cors.headers:
        raise Absent("limit of request headers", "the release file promises none")
    promised = {header.lower() for header in release.cors.headers}
    preflights = [grant for grant in granted if grant.kind == "preflight"]
    listed = {header for grant in preflights for header in grant.headers}
    measured(_list(sorted(listed)), limit=_list(sorted(promised)))
    excess = [grant for grant in preflights if set(grant.headers) - promised - FREE_HEADERS]
    refused = [
        grant
        for grant in preflights
        for header in grant.asked.split()[1:]
        if header.lower() in promised
        and (grant.status not in GOOD or header.lower() not in {*grant.headers, *FREE_HEADERS})
    ]

    assert not excess, explain(
        expected=f"the request headers {_list(sorted(promised))} and no others",
        seen=f"a preflight that asks for {excess[0].asked} allows {_list(excess[0].headers)}",
        next="list the headers one by one; a star or an echo allows every header",
        by_hand=excess[0].curl,
    )
    assert not refused, explain(
        expected=f"the request headers {_list(sorted(promised))}",
        seen="; ".join(
            f"a preflight for {g.asked} answers {g.status} with {_list(g.headers)}" for g in refused
        ),
        next="allow the promised headers: pages cannot send them otherwise",
        by_hand=refused[0].curl,
    )


@item("REL-CORS-1")
def test_caches_keep_the_origins_apart(
    policy: Policy, granted: tuple[Grant, ...], measured: Measured
) -> None:
    """An answer that names its origin says Vary: Origin, unless it names the same one to everybody."""
    answers = [grant for grant in policy.grants if grant.kind == "request"]
    same_for_all = len({grant.allowed for grant in answers}) == 1
    named = [grant for grant in granted if grant.kind == "request" and grant.allowed == (grant.origin,)]
    measured(len(named), unit="answers")
    wrong = [grant for grant in named if not {"origin", "*"} & set(grant.vary)]

    assert same_for_all or not wrong, explain(
        expected="Vary: Origin wherever the answer depends on the origin",
        seen=f"the answer to {wrong[0].origin} says {_list(wrong[0].vary)}" if wrong else "",
        next="send Vary: Origin, or a shared cache gives one origin's answer to another",
        by_hand=wrong[0].curl if wrong else "",
    )


@item("REL-CORS-1")
def test_environments_share_no_origin(policy: Policy, measured: Measured) -> None:
    """Neither development's origins nor another environment's are let in here, and none is on both lists."""
    foreign = [grant for grant in policy.grants if grant.origin in policy.foreign]
    measured(len(policy.foreign), unit="foreign origins")

    _claim([grant for grant in foreign if grant.lets_in], "origins of other environments are let in nowhere")


def _claim(wrong: Iterable[Grant], expected: str) -> None:
    told = {str(grant): grant.curl for grant in wrong}

    assert not told, explain(
        expected=expected,
        seen="; ".join(told),
        next=REMEDY,
        by_hand=next(iter(told.values()), ""),
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
