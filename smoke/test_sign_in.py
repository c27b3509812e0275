"""A key user can sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item
from fixtures.observation import Absent
from fixtures.tokens import jwt_claims

if TYPE_CHECKING:
    from fixtures.release import Release
    from fixtures.sign_in import SignInAnswer
    from fixtures.sign_in_profile import SignIn

pytestmark = pytest.mark.smoke

REMEDY = "read the service's log for this sign-in; check the verification account"


@pytest.fixture
def promised(release: Release, signed_in: SignInAnswer) -> SignIn:
    """What the release promises of a sign-in that was made."""
    if release.sign_in is None:
        raise Absent("sign-in", f"{signed_in.role} has a token of its own")
    return release.sign_in


@item("SMK-2")
def test_sign_in_answers_with_its_status(
    promised: SignIn, signed_in: SignInAnswer, measured: Measured
) -> None:
    """A sign-in answers with the promised status."""
    measured(signed_in.answer.status, limit=promised.status)

    assert signed_in.answer.status == promised.status and not signed_in.trouble, explain(  # noqa: PT018  one claim
        expected=f"{promised.method} {promised.path} as {signed_in.role} answers {promised.status}",
        seen=signed_in.trouble or signed_in.answer.told,
        next=REMEDY,
        by_hand=signed_in.answer.curl,
    )


@item("SMK-2")
def test_sign_in_gives_a_token(promised: SignIn, signed_in: SignInAnswer) -> None:
    """A sign-in gives a token, of the promised type."""
    place = f"cookie {promised.cookie}" if promised.cookie else f"field {promised.token}"

    assert signed_in.token, explain(
        expected=f"a token in the {place}",
        seen=signed_in.told,
        next=REMEDY,
        by_hand=signed_in.answer.curl,
    )
    wanted = promised.token_type.equals if promised.token_type else None
    assert wanted is None or (signed_in.token_type or "").lower() == wanted.lower(), explain(
        expected=f"a token of type {wanted}",
        seen=f"type {signed_in.token_type}",
        next=REMEDY,
        by_hand=signed_in.answer.curl,
    )


@item("SMK-2")
def test_token_is_a_jwt(promised: SignIn, signed_in: SignInAnswer) -> None:
    """The token is a JSON Web Token with claims."""
    if promised.format != "jwt":
        raise Absent("JWT", "the release file says that its tokens are opaque")
    claims = jwt_claims(signed_in.token or "")

    assert claims, explain(
        expected="a JSON Web Token: three parts, of which the second holds claims",
        seen="a token that cannot be read as one" if signed_in.token else "no token",
        next=REMEDY,
        by_hand=signed_in.answer.curl,
    )
