"""Tokens that nobody but the service can have made are refused, and so are those whose time is over.

What the validation phase observes of tokens and sessions is observed once per run, and judged here as well.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from checks.refusal import is_accepted, is_refused, judged
from fixtures.credentials import SIGNING_KEY, age_days
from fixtures.forgery import (
    EMPTY,
    EXPIRED,
    KINDS,
    MEANINGLESS,
    NAMED,
    NO_END,
    OTHER,
    PREVIOUS,
    PUBLIC,
    SPOILED,
    UNSIGNED,
    WELL_KNOWN,
)
from fixtures.http import Answer
from fixtures.issued import ACCESS, ISSUED
from fixtures.observation import Absent, CannotObserve, NotRequired
from fixtures.options import RELEASE
from fixtures.run import Raised
from fixtures.vault import address

if TYPE_CHECKING:
    from fixtures.access import Access, Renewal, SignedOut
    from fixtures.environment import Environment
    from fixtures.fixation import Fixation
    from fixtures.forgery import Endings, Forgery
    from fixtures.issued import Issued
    from fixtures.release import Release
    from fixtures.run import Run
    from fixtures.sign_in_profile import SignIn

pytestmark = pytest.mark.security

ROTATE = "anybody can sign in as anybody: set a new random signing key now, and end all sessions"
VERIFY = "let the service name the one algorithm that it accepts, and verify every part of a token"
NEXT = {
    SPOILED: VERIFY,
    WELL_KNOWN: ROTATE,
    EMPTY: ROTATE,
    PREVIOUS: "take the previous key out of the service, or set a new one: what it signed is still good",
    UNSIGNED: VERIFY,
    OTHER: VERIFY,
    PUBLIC: VERIFY,
    NAMED: "take keys from the service's own list only; kid is a name to be looked up there, jwk is ignored",
}


DISTRUSTS = frozenset({400, 401, 403, 419})
"""How a service may refuse a sign-in because of the session that comes with it."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one check per kind of token, and one for the tokens of each other way of signing in."""
    if "way" in metafunc.fixturenames and RELEASE in metafunc.config.stash:
        release = metafunc.config.stash[RELEASE]
        usual = [pytest.param(kind, release.sign_in, id=kind) for kind in ISSUED]
        others = [pytest.param(ACCESS, how, id=f"{ACCESS}, as {how.role}") for how in release.other_sign_ins]
        metafunc.parametrize(("kind", "way"), [*usual, *others])


@item("SEC-PRE-4")
@pytest.mark.parametrize("kind", KINDS)
def test_forged_token_is_refused(
    kind: str, forgery: Forgery, release: Release, measured: Measured, exhibits: Exhibits
) -> None:
    """A token that is forged so opens nothing and is no server error, where a good one is accepted."""
    knocks = forgery.tried(kind)
    seen = judged(knocks, release.endpoint(knocks.endpoint).status)
    rows = [
        (case, each.status if isinstance(each, Answer) else each.kind) for case, each in knocks.bad.items()
    ]
    exhibits.table(f"Tokens with {kind}, at {knocks.endpoint}", ("token", "answer"), rows)
    measured(len(seen.wrong), limit=0, unit=f"of {seen.tried} tokens")

    assert not seen.wrong, explain(
        expected=f"{knocks.endpoint} answers 401 to a token with {kind}",
        seen="; ".join(f"{each.status} to a token with {kind}: {case}" for case, each in seen.wrong.items()),
        next=NEXT[kind],
        by_hand=next(iter(seen.wrong.values())).curl,
    )
    seen.require_clear()


@item("SEC-PRE-4")
def test_token_cannot_be_guessed(kind: str, way: SignIn | None, issued: Issued, measured: Measured) -> None:
    """A token that is only a string is long enough, and those of several sign-ins have little in common."""
    seen = issued.strength(kind, way)
    measured(seen.bits, unit=f"bits at most, of {seen.tokens} tokens")

    assert not seen.weakness, explain(
        expected=f"an {kind} of 64 random bits or more (OWASP, session identifiers)",
        seen=f"of {seen.tokens} sign-ins: {seen.weakness}",
        next="take 16 bytes or more from the system's secure random source for each, and end all sessions",
    )
    if seen.tokens == 1:
        got = "only one sign-in gave one, so nothing can be said of numbers in a row"
        raise CannotObserve(f"comparing {kind}s", got, remedy="declare a second account in [roles]")


@item("SEC-PRE-4")
def test_token_without_an_end_is_refused(forgery: Forgery, release: Release, measured: Measured) -> None:
    """A token says when it ends; one that does not is refused, where the environment lends the key for it."""
    endings = forgery.endings()
    measured("exp" if endings.ends is not None else "no exp")

    assert endings.ends is not None, explain(
        expected="a token with the claim exp",
        seen="the target issues tokens without an end (no time in exp)",
        next="let the service issue tokens that end, and require the claim exp",
    )
    if endings.knocks is not None:
        _refused(NO_END, endings, release, "let the service require the claim exp")


@item("SEC-PRE-4")
def test_expired_token_is_refused(forgery: Forgery, release: Release, measured: Measured) -> None:
    """A token that has ended opens nothing, where the environment lends the key to make one."""
    endings = forgery.endings()
    if endings.knocks is None:
        raise NotRequired("an expired token", "credentials.signing_key can lend the key to make one")
    shown = endings.knocks.bad[EXPIRED]
    measured(shown.status if isinstance(shown, Answer) else shown.kind, limit=401)
    _refused(
        EXPIRED, endings, release, "let the service verify the claim exp, with a minute's tolerance at most"
    )


@item("SEC-PRE-4")
def test_refresh_token_is_no_access_token(access: Access, forgery: Forgery, measured: Measured) -> None:
    """A refresh token is refused where an access token is accepted."""
    seen: Renewal = access.renewal()
    if seen.opened is None or not is_accepted(seen.opened, access.door(seen.role).status):
        got = "the renewed access token is not accepted either, so that a refusal says nothing"
        raise CannotObserve("showing a refresh token", got, remedy="see the check of the renewal")
    measured(seen.as_access.status, limit=401)

    assert is_refused(seen.as_access, _meaningless(forgery)), explain(
        expected="401 to a refresh token in the place of an access token",
        seen=f"{seen.as_access.status} to a refresh token in the place of an access token",
        next="let the service tell the kinds of its tokens apart",
        by_hand=seen.as_access.curl,
    )


@item("SEC-PRE-4")
def test_token_is_refused_after_the_sign_out(access: Access, forgery: Forgery, measured: Measured) -> None:
    """A token that was accepted is refused once its session has been signed out."""
    seen: SignedOut = access.signed_out()
    if not is_accepted(seen.before, access.door(seen.role).status):
        got = f"{seen.before.status} before the sign-out, too, so that a refusal says nothing"
        raise CannotObserve(f"asking as {seen.role}", got, remedy="see the sign-in's own check")
    measured(seen.after.status, limit=401)

    assert is_refused(seen.after, _meaningless(forgery)), explain(
        expected="401 to a token after its sign-out",
        seen=f"{seen.after.status} to the token after a sign-out that was answered {seen.answer.status}",
        next="let a sign-out end the session on the server, and tokens be checked against that",
        by_hand=seen.after.curl,
    )


@item("SEC-PRE-4")
def test_session_of_before_the_sign_in_opens_nothing(
    fixation: Fixation, release: Release, measured: Measured
) -> None:
    """A session that somebody knew or chose before a user signed in is not the user's session afterwards."""
    seen = fixation.planted()
    promised = release.endpoint(seen.endpoint).status
    measured(seen.after.status, limit=401)
    if not is_accepted(seen.good, promised):
        got = f"{seen.good.status} to a good session, too, so that a refusal says nothing"
        raise CannotObserve(f"asking {seen.endpoint}", got, remedy="see the sign-in's own check")

    assert not is_accepted(seen.after, promised), explain(
        expected=f"{seen.endpoint} refuses a session {seen.how}, also when somebody has signed in with it",
        seen=f"{seen.before.status} before, and {seen.after.status} after {seen.role} signed in with it "
        f"(answered {seen.status})",
        next="give a new session at every sign-in, and take none that the service has not issued",
        by_hand=seen.after.curl,
    )
    if not seen.signed_in and seen.status not in DISTRUSTS:
        got = f"the sign-in with it is answered {seen.status}"
        raise CannotObserve(f"signing in with a session {seen.how}", got, remedy="see the log of the service")


@item("SEC-PRE-4")
def test_signing_key_is_younger_than_its_limit(
    environment: Environment, release: Release, run: Run, measured: Measured
) -> None:
    """The key that signs tokens is no older than the environment allows credentials to be (days)."""
    credentials = environment.credentials
    limit = credentials.max_age_days
    if limit is None:
        raise Absent("limit for the age of a credential", "credentials.max_age_days sets none")
    if release.sign_in is None or release.sign_in.format == "opaque":
        raise Absent("signing key of tokens", "the release file promises no JSON Web Tokens")
    changes = Path(address(run.scratch, credentials.changes)) if credentials.changes else None
    age = age_days(SIGNING_KEY, credentials.signing_key_changed, changes, datetime.now(UTC).date())
    measured(age, limit=limit, unit="days")

    assert age <= limit, explain(
        expected=f"a signing key of at most {limit} days",
        seen=f"the signing key is {age} days old",
        next="set a new random signing key",
    )


def _refused(case: str, endings: Endings, release: Release, remedy: str) -> None:
    """Judge one of the tokens that were signed with the target's own key."""
    if endings.twin is None or endings.knocks is None:
        return
    promised = release.endpoint(endings.knocks.endpoint).status
    if not is_accepted(endings.twin, promised):
        got = f"its twin with an end, signed with the same key, is answered {endings.twin.status}"
        raise CannotObserve(f"showing a token with {case}", got, remedy="see credentials.signing_key")
    cases = {MEANINGLESS, case}
    bad = {name: each for name, each in endings.knocks.bad.items() if name in cases}
    seen = judged(replace(endings.knocks, bad=bad), promised)

    assert not seen.wrong, explain(
        expected=f"401 to a token with {case}",
        seen="; ".join(f"{each.status} to a token with {name}" for name, each in seen.wrong.items()),
        next=remedy,
        by_hand=next(iter(seen.wrong.values())).curl,
    )
    seen.require_clear()


def _meaningless(forgery: Forgery) -> Answer:
    """Return how this target refuses a token without a meaning."""
    answer = forgery.tried(SPOILED).bad[MEANINGLESS]
    if isinstance(answer, Raised):
        answer.again()
    return answer
