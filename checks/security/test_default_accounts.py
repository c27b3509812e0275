"""The passwords that systems are delivered with have been changed.

The guide has no line of its own for them. They are passwords that have to be changed, as the database's are,
and are kept there: that line judges them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.observation import CannotObserve
from fixtures.run import Raised

if TYPE_CHECKING:
    from fixtures.default_accounts import DefaultAccounts
    from fixtures.http import Answer
    from fixtures.release import Release
    from fixtures.sign_in_profile import SignIn

pytestmark = pytest.mark.security

REFUSALS = frozenset({400, 401, 403, 404, 422, 423})
"""How a sign-in may be refused: malformed, wrong, forbidden, unknown, locked."""

FIRST_SERVER_ERROR = 500


@item("SEC-PRE-5")
def test_default_accounts_are_refused(
    default_accounts: DefaultAccounts, release: Release, measured: Measured, exhibits: Exhibits
) -> None:
    """Nobody signs in as admin/admin and the like."""
    tries = default_accounts.tried()
    rows = [
        (name, each.kind if isinstance(each, Raised) else each.status) for name, each in tries.answers.items()
    ]
    exhibits.table("Sign-ins with default accounts", ("name and password", "answer"), rows)
    answers = {name: each for name, each in tries.answers.items() if not isinstance(each, Raised)}
    open_to = {
        name: each
        for name, each in answers.items()
        if name in tries.let_in or not _is_refused(each, tries.unknown, release.sign_in)
    }
    wrong = {
        name: each
        for name, each in open_to.items()
        if name in tries.let_in or each.status >= FIRST_SERVER_ERROR or _is_success(each, release.sign_in)
    }
    measured(len(wrong), limit=0, unit=f"of {len(tries.answers)} accounts")

    assert not wrong, explain(
        expected="every default account is refused",
        seen="; ".join(f"signing in as {name} answers {each.status}" for name, each in wrong.items()),
        next="remove these accounts, or change their passwords, and look in the log for who has used them",
        by_hand=next(iter(wrong.values())).curl,
    )
    for each in tries.answers.values():
        if isinstance(each, Raised):
            each.again()
    if open_to:
        got = "; ".join(f"{name} is answered {each.status}" for name, each in open_to.items())
        raise CannotObserve("signing in with default accounts", got, remedy="see what answers so")


def _is_refused(answer: Answer, unknown: Answer, how: SignIn | None) -> bool:
    """Return whether an answer without a token refuses a sign-in, as others do or as this target does."""
    if (answer.status, answer.redirects_to) == (unknown.status, unknown.redirects_to):
        return True
    return answer.status in REFUSALS and not _is_success(answer, how)


def _is_success(answer: Answer, how: SignIn | None) -> bool:
    return how is not None and answer.status == how.status
