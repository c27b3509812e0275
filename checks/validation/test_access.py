"""Every role signs in and gets a good token; what is none opens nothing, and a session that ended is over.

A wrong password and an unknown user are tried once per run each, with the account that the rest of the run
needs least: a lockout must not be provoked. An expired token can be had only with the target's signing key
or by waiting for a short-lived one; an expired one under a foreign key counts as a forgery.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures import bodies
from fixtures.access import CASES, UNKNOWN_USER, WRONG_PASSWORD, Expiry, Knocks, Renewal, SignedOut, text_at
from fixtures.cookies import session_of
from fixtures.lifetime import told
from fixtures.observation import Absent, CannotObserve
from fixtures.options import ENVIRONMENT, RELEASE
from fixtures.registration import claim_at
from fixtures.role_matrix import error_alone, is_good
from fixtures.run import Raised
from fixtures.tokens import jwt_claims

if TYPE_CHECKING:
    from fixtures.access import Access
    from fixtures.endpoint import Endpoint
    from fixtures.environment import Environment
    from fixtures.http import Answer
    from fixtures.limits import Limits
    from fixtures.registration import Registered, Registrations
    from fixtures.release import Release
    from fixtures.run import Run
    from fixtures.sign_in import SignInAnswer, Tokens
    from fixtures.sign_in_profile import Refresh, SignIn

pytestmark = pytest.mark.validation

REMEDY = "read the service's log for this request"
NO_LIFETIME = (
    "let the sign-in tell it (Max-Age, or expires_in beside the token), or waive VAL-ACC-1, "
    "or leave limits.token_max_lifetime_min out"
)
UNAUTHORIZED = 401
TO_THE_SIGN_IN = frozenset({302, 303, 307})
REFUSALS = frozenset({400, 401, 403, 422})
"""How a request with the wrong kind of token may be refused (RFC 6749, 5.2 has 400)."""

SLACK_S = 300.0
"""How far the target's clock may be from ours before a time of issue is implausible."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one check per declared role, and those of bad credentials for each way of signing in."""
    if RELEASE not in metafunc.config.stash:
        return
    if "case" in metafunc.fixturenames:
        cases = CASES if "knocks" in metafunc.fixturenames else (WRONG_PASSWORD, UNKNOWN_USER)
        release = metafunc.config.stash[RELEASE]
        usual = [pytest.param(case, release.sign_in, id=case) for case in cases]
        others = [
            pytest.param(case, how, id=f"{case}, as {how.role}")
            for how in release.other_sign_ins
            for case in cases
        ]
        metafunc.parametrize(("case", "way"), [*usual, *others])
    if "role" in metafunc.fixturenames:
        names = (*metafunc.config.stash[RELEASE].roles, *metafunc.config.stash[ENVIRONMENT].roles)
        metafunc.parametrize("role", list(dict.fromkeys(names)) or [""], ids=str)


# ---------------------------------------------------------------- signing in


@pytest.fixture
def promised(role: str, release: Release, environment: Environment) -> SignIn:
    """What the release promises of a role's sign-in."""
    if not role:
        raise Absent("role to sign in", "neither release nor environment file names one")
    if role in environment.roles and environment.roles[role].token:
        raise Absent(f"sign-in of {role}", "it has a ready-made token")
    how = release.sign_in_of(role)
    if how is None:
        raise Absent("sign-in", "the release file declares none")
    return how


@pytest.fixture
def signed_in(promised: SignIn, role: str, tokens: Tokens) -> SignInAnswer:  # noqa: ARG001  asked for first
    """The role's only sign-in of this run."""
    return tokens.sign_in(role)


@item("VAL-ACC-1")
def test_role_signs_in(promised: SignIn, signed_in: SignInAnswer, measured: Measured) -> None:
    """A declared role signs in and gets a token."""
    answer = signed_in.answer
    measured(answer.status, limit=promised.status)

    is_in = answer.status == promised.status and signed_in.token and not signed_in.trouble
    assert is_in, explain(
        expected=f"a sign-in as {signed_in.role} answers {promised.status} with a token",
        seen=signed_in.told,
        next="check the role's verification account, then the service's log",
        by_hand=answer.curl,
    )


@pytest.fixture
def claims(promised: SignIn, signed_in: SignInAnswer) -> dict[str, object]:
    """What the role's token says."""
    if promised.format != "jwt":
        raise Absent("claims", "the release file says that its tokens are opaque")
    if not signed_in.token:
        raise CannotObserve(f"reading the token of {signed_in.role}", "the sign-in gave none", remedy=REMEDY)
    found = jwt_claims(signed_in.token)

    assert found is not None, explain(
        expected="a JSON Web Token: three parts, of which the second holds claims",
        seen="a token that cannot be read as one",
        next=REMEDY,
        by_hand=signed_in.answer.curl,
    )
    return found


@item("VAL-ACC-1")
def test_token_names_the_role(claims: dict[str, object], promised: SignIn, signed_in: SignInAnswer) -> None:
    """A role's token names that role."""
    found = claim_at(claims, promised.role_claim)
    told = "no such claim" if found is bodies.MISSING else repr(found)

    assert names_role(found, signed_in.role), explain(
        expected=f"its claim {promised.role_claim!r} is or contains {signed_in.role!r}",
        seen=f"{told}; the claims are {', '.join(sorted(claims))}",
        next="see what the account's rights are, and what sign_in.role_claim should be",
        by_hand=signed_in.answer.curl,
    )


def names_role(claim: object, role: str) -> bool:
    """Return whether a claim is or contains a role, however it is spelled (``ROLE_PPIC_MANAGER``)."""
    parts = claim if isinstance(claim, list) else re.split(r"[\s,]+", claim) if isinstance(claim, str) else []
    wanted = _plain(role)
    return any(_plain(part) in {wanted, f"role{wanted}"} for part in parts if isinstance(part, str))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


@item("VAL-ACC-1")
def test_token_tells_its_times(
    claims: dict[str, object], signed_in: SignInAnswer, limits: Limits, run: Run, measured: Measured
) -> None:
    """A role's token says when it was issued and when it ends, and lives no longer than allowed."""
    issued, ends = _seconds(claims.get("iat")), _seconds(claims.get("exp"))
    missing = [name for name, value in (("iat", issued), ("exp", ends)) if value is None]
    longest = limits.token_max_lifetime_min
    if issued is not None and ends is not None:
        measured(round((ends - issued) / 60, 2), limit=longest, unit="min")
    wrong = [f"no time in {name}" for name in missing]
    if issued is not None and not run.started.timestamp() - SLACK_S <= issued <= time.time() + SLACK_S:
        wrong.append(f"issued {issued - time.time():+.0f} s from now, by our clock")
    if issued is not None and ends is not None:
        minutes = (ends - issued) / 60
        if minutes <= 0:
            wrong.append(f"ended {-minutes:.1f} minutes before it was issued")
        if longest is not None and minutes > longest:
            wrong.append(f"good for {minutes:g} minutes")

    assert not wrong, explain(
        expected="claims iat and exp, issued now"
        + (f", good for {longest:g} minutes at most" if longest else ""),
        seen="; ".join(wrong),
        next="see how the service issues tokens, and its clock",
        by_hand=signed_in.answer.curl,
    )


@item("VAL-ACC-1")
def test_session_ends_in_time(
    promised: SignIn, signed_in: SignInAnswer, limits: Limits, measured: Measured
) -> None:
    """A role's session, or token that is only a string, is good for no longer than allowed."""
    longest = limits.token_max_lifetime_min
    if longest is None:
        raise Absent("limit for the lifetime of a session", "limits.token_max_lifetime_min sets none")
    if promised.format == "jwt":
        raise Absent("opaque token", "its claims say when it ends, and are judged by a check of their own")
    if not signed_in.token:
        raise CannotObserve(f"reading the token of {signed_in.role}", "the sign-in gave none", remedy=REMEDY)
    seen = told(signed_in, promised)
    if seen.minutes is None:
        got = f"no {seen.source} tells it"
        raise CannotObserve("asking how long a session lasts", got, remedy=NO_LIFETIME)
    measured(round(seen.minutes, 2), limit=longest, unit="min")

    assert 0 < seen.minutes <= longest, explain(
        expected=f"a session or token that is good for {longest:g} minutes at most",
        seen=f"{round(seen.minutes, 2):,} minutes, by {seen.source}",
        next="end sessions sooner, in the service as well as in what it tells its clients",
        by_hand=signed_in.answer.curl,
    )


def _seconds(claim: object) -> float | None:
    """Return a NumericDate (RFC 7519, 2), or ``None``."""
    return float(claim) if isinstance(claim, int | float) and not isinstance(claim, bool) else None


@item("VAL-ACC-1")
def test_wrong_credentials_are_refused(
    case: str, way: SignIn | None, access: Access, release: Release, measured: Measured
) -> None:
    """A sign-in with a wrong password, or as an unknown user, is refused; each is tried once."""
    if way is None:
        raise Absent("sign-in", "the release file declares none")
    answer = access.refused(case, way)
    measured(answer.status, limit=way.refused_status)
    token = bool(way.token and text_at(answer, way.token))

    assert answer.status == way.refused_status and not token, explain(  # noqa: PT018  one claim
        expected=f"a sign-in with {_article(case)} is answered {way.refused_status}, without a token",
        seen=f"{answer.status}{' with a token' if token else ''}; the body is {answer.described}",
        next="see how the service compares passwords, and its log",
        by_hand=answer.curl,
    )
    session = session_of(answer, way.cookie) if way.cookie else None
    if session is None or not session.value:
        return
    opened = access.opens(session.value, way)
    assert is_refusal(opened, release), explain(
        expected=f"the session that a sign-in with {_article(case)} is answered with opens nothing",
        seen=f"{opened.status} to it, although the sign-in was answered {answer.status}",
        next="see how the service compares passwords, and what it does with the session of a form",
        by_hand=f"{answer.curl}\n{opened.curl}",
    )


def _article(case: str) -> str:
    return f"{'an' if case[0] in 'aeiou' else 'a'} {case}"


@item("VAL-ACC-1")
def test_sign_in_wants_the_token_of_its_form(access: Access, release: Release, measured: Measured) -> None:
    """A sign-in with the right password is refused where its CSRF token is none that a form has shown."""
    answer, opened = access.unseen_form()
    measured(answer.status)
    told = f", to which a protected endpoint answers {opened.status}" if opened else ""

    assert opened is None or is_refusal(opened, release), explain(
        expected="a sign-in with a CSRF token that no form has shown gives no session",
        seen=f"{answer.status} with a session{told}",
        next="let the service compare the token of a form with that of its session",
        by_hand=answer.curl,
    )


# ---------------------------------------------------------------- tokens that nobody may accept


@pytest.fixture
def knocks(way: SignIn | None, access: Access) -> Knocks:
    """What a protected endpoint answers to bad tokens."""
    return access.knocks(way)


@item("VAL-ACC-1")
def test_bad_token_is_refused(case: str, knocks: Knocks, release: Release, measured: Measured) -> None:
    """A protected endpoint answers 401 to a token that is missing, spoiled or forged."""
    if case not in knocks.bad:
        raise Absent(f"token with {case}", "the release's tokens are no signed JSON Web Tokens")
    answer = knocks.bad[case]
    if isinstance(answer, Raised):
        answer.again()
    _require_open(knocks.good, knocks.endpoint, release, release.endpoint(knocks.endpoint))
    measured(answer.status, limit=UNAUTHORIZED)

    assert is_refusal(answer, release, release.endpoint(knocks.endpoint)), explain(
        expected=f"{knocks.endpoint} answers 401 to {_described(case)}",
        seen=f"{answer.status} to {_described(case)}; the body is {answer.described}",
        next="see how the service verifies tokens: signature, algorithm, times, and that there is one",
        by_hand=answer.curl,
    )


@item("VAL-ACC-1")
def test_expired_token_is_refused(access: Access, release: Release, measured: Measured) -> None:
    """A token that has expired, and is good in every other way, is refused with 401."""
    expiry: Expiry = access.expiry()
    _require_open(expiry.before, "a token that has not expired", release)
    measured(expiry.after.status, limit=UNAUTHORIZED)

    assert is_refusal(expiry.after, release), explain(
        expected="401 to a token that has expired",
        seen=f"{expiry.after.status} to an expired token, had by {expiry.how}",
        next="let the service verify the claim exp",
        by_hand=expiry.after.curl,
    )


def is_refusal(answer: Answer, release: Release, endpoint: Endpoint | None = None) -> bool:
    """Return whether an answer says that nobody is signed in: 401, or for a cookie the way to the sign-in.

    An endpoint may refuse by an error in the body of a success, if its ``denied_status`` says so.
    """
    if endpoint and is_good(endpoint.denied_status) and answer.status == endpoint.denied_status:
        return bool(error_alone(endpoint, answer, None))
    has_cookie = any(how.cookie for how in release.sign_ins)
    is_key = release.sign_in is None
    return answer.status == UNAUTHORIZED or (
        (has_cookie and answer.status in TO_THE_SIGN_IN) or (is_key and answer.status == FORBIDDEN)
    )


FORBIDDEN = 403


def _described(case: str) -> str:
    return "a request without a token" if case == CASES[0] else f"a token with {case}"


def _require_open(answer: Answer, what: str, release: Release, endpoint: Endpoint | None = None) -> None:
    """Let a claim about a refusal stand only where the same request is not refused with a good token.

    Raises:
        CannotObserve: it is refused then, too.
    """
    if is_refusal(answer, release, endpoint):
        got = f"{answer.status} to a good token, too, so that a refusal says nothing"
        raise CannotObserve(f"asking {what}", got, remedy="see the sign-in's own check")


# ---------------------------------------------------------------- sessions


@item("VAL-ACC-1")
def test_signing_out_ends_the_token(access: Access, release: Release, measured: Measured) -> None:
    """A token that was signed out is refused: the session was opened for that."""
    seen: SignedOut = access.signed_out()
    _require_open(seen.before, f"as {seen.role} before signing out", release)
    measured(seen.after.status, limit=UNAUTHORIZED)

    assert is_refusal(seen.after, release), explain(
        expected="401 to a token after its sign-out",
        seen=f"{seen.after.status} to the token after a sign-out that was answered {seen.answer.status}",
        next="let a sign-out end the session on the server, and tokens be checked against that",
        by_hand=seen.after.curl,
    )


@item("VAL-ACC-1")
def test_signing_out_ends_the_refresh_token(access: Access, release: Release, measured: Measured) -> None:
    """A session that was signed out cannot be renewed."""
    how = _refresh(release)
    seen: SignedOut = access.signed_out()
    if seen.renewed is None:
        raise CannotObserve("renewing a session after its sign-out", "the sign-in gave no refresh token")
    if access.renewal().answer.status != how.status:
        raise CannotObserve("renewing a session after its sign-out", "none can be renewed before it either")
    measured(seen.renewed.status)

    assert seen.renewed.status in REFUSALS, explain(
        expected=f"{how.method} {how.path} refuses the refresh token of a session that was signed out",
        seen=f"{seen.renewed.status} to the refresh token after a sign-out that was answered "
        f"{seen.answer.status}",
        next="let a sign-out end the session with all of its tokens",
        by_hand=seen.renewed.curl,
    )


@item("VAL-ACC-1")
def test_signing_out_answers_with_its_status(access: Access, release: Release, measured: Measured) -> None:
    """A sign-out answers with the promised status."""
    seen: SignedOut = access.signed_out()
    wanted = release.sign_out.status if release.sign_out else 0
    measured(seen.answer.status, limit=wanted)

    assert seen.answer.status == wanted, explain(
        expected=f"a sign-out answers {wanted}",
        seen=f"{seen.answer.status}; the body is {seen.answer.described}",
        next=REMEDY,
        by_hand=seen.answer.curl,
    )


@item("VAL-ACC-1")
def test_refresh_token_opens_nothing(access: Access, release: Release, measured: Measured) -> None:
    """A refresh token is refused where an access token is wanted."""
    seen: Renewal = access.renewal()
    measured(seen.as_access.status, limit=UNAUTHORIZED)

    assert is_refusal(seen.as_access, release), explain(
        expected="401 to a refresh token in the place of an access token",
        seen=f"{seen.as_access.status} to a refresh token in the place of an access token",
        next="let the service tell the kinds of its tokens apart",
        by_hand=seen.as_access.curl,
    )


@item("VAL-ACC-1")
def test_refresh_token_renews_the_access(access: Access, release: Release, measured: Measured) -> None:
    """A refresh token gives a new access token, which is accepted."""
    seen: Renewal = access.renewal()
    how = _refresh(release)
    measured(seen.answer.status, limit=how.status)
    opened = f"the new token is answered {seen.opened.status}" if seen.opened else f"no token in {how.token}"

    assert seen.answer.status == how.status and seen.opened and seen.opened.status != UNAUTHORIZED, explain(  # noqa: PT018
        expected=f"{how.method} {how.path} answers {how.status} with a token that is accepted",
        seen=f"{seen.answer.status}; {opened}",
        next=REMEDY,
        by_hand=seen.answer.curl,
    )


@item("VAL-ACC-1")
def test_access_token_renews_nothing(access: Access, release: Release, measured: Measured) -> None:
    """An access token is refused where a refresh token is wanted."""
    seen: Renewal = access.renewal()
    how = _refresh(release)
    measured(seen.by_access.status)

    assert seen.by_access.status in REFUSALS, explain(
        expected=f"{how.method} {how.path} refuses an access token in the place of a refresh token",
        seen=f"{seen.by_access.status} to an access token in the place of a refresh token",
        next="let the service tell the kinds of its tokens apart",
        by_hand=seen.by_access.curl,
    )


def _refresh(release: Release) -> Refresh:
    if release.refresh is None:
        raise Absent("renewal of tokens", "the release file declares no [refresh]")
    return release.refresh


# ---------------------------------------------------------------- registration


@item("VAL-ACC-1")
@pytest.mark.writes
def test_registration_gives_no_privileged_role(registrations: Registrations, exhibits: Exhibits) -> None:
    """Whoever may register an account cannot give it a privileged role."""
    tried: tuple[Registered, ...] = registrations.tried()
    exhibits.table(
        "Registrations with a role of their own choice",
        ["endpoint", "role asked for", "status", "what came of it"],
        [
            [each.where, each.wanted, each.answer.status, each.got or each.unclear or "refused"]
            for each in tried
        ],
    )
    escalated = [each for each in tried if each.escalated]

    assert not escalated, explain(
        expected="an account that registers itself cannot choose a privileged role",
        seen="; ".join(
            f"{each.where} with role {each.wanted} gives {each.got}{each.left}" for each in escalated
        ),
        next="ignore or refuse the role in a registration, and look for accounts that were made this way",
        by_hand=escalated[0].answer.curl if escalated else "",
    )
    left = [each for each in tried if each.left]
    assert not left, explain(
        expected="the account that was registered for this check is gone again",
        seen="; ".join(f"{each.where}{each.left}" for each in left),
        next="remove it by hand",
    )
    if unclear := [f"{each.where}: {each.unclear}" for each in tried if each.unclear]:
        raise CannotObserve("registering with a privileged role", "; ".join(unclear))
