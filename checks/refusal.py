"""When a bad credential counts as refused: the same for tokens and for API keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixtures.forgery import MEANINGLESS
from fixtures.observation import CannotObserve
from fixtures.run import Raised

if TYPE_CHECKING:
    from fixtures.access import Knocks
    from fixtures.http import Answer

REFUSALS = frozenset({400, 401})
"""A request that is malformed, and a token that is not valid (RFC 6750, 3.1)."""

FORBIDDEN = 403
FIRST_REDIRECT, FIRST_CLIENT_ERROR, FIRST_SERVER_ERROR = 300, 400, 500


@dataclass(frozen=True)
class Judged:
    """What came of bad credentials.

    Attributes:
        tried: how many there were.
        wrong: answers that are no refusals, by case.
        unclear: what nothing can be said about, in words.
        raised: how observations ended that have no answer.
    """

    tried: int
    wrong: dict[str, Answer]
    unclear: tuple[str, ...]
    raised: tuple[Raised, ...]

    def require_clear(self) -> None:
        """Say what could not be seen; the claim about the rest has been made by then.

        Raises:
            NoAnswer: a bad credential made the target break off.
            CannotObserve: something in between answered, or our side is the reason.
        """
        for each in self.raised:
            each.again()
        if self.unclear:
            raise CannotObserve(
                "showing credentials that have to be refused",
                "; ".join(self.unclear),
                remedy="see what answers in the service's place, and let these requests pass it",
            )


def judged(knocks: Knocks, promised: int, *, forbids: bool = False) -> Judged:
    """Judge the answers to bad credentials, beside those to a good one and to one without a meaning.

    Args:
        knocks: the answers.
        promised: the status of a success at that place.
        forbids: 403 is a refusal, too: of a credential that was known once, and not of one that is forged.

    Raises:
        NoAnswer: the target broke off at a credential without a meaning.
        CannotObserve: the good one is not accepted either, so that a refusal says nothing.
    """
    good, meaningless = knocks.good, knocks.bad[MEANINGLESS]
    if isinstance(meaningless, Raised):
        meaningless.again()
    if not is_accepted(good, promised):
        got = f"{good.status} to a good credential, too, so that a refusal says nothing"
        raise CannotObserve(
            f"asking {knocks.endpoint}", got, remedy="see the check of the sign-in, or the key"
        )
    answers = {case: each for case, each in knocks.bad.items() if not isinstance(each, Raised)}
    open_to = {
        case: each
        for case, each in answers.items()
        if not (is_refused(each, meaningless) or (forbids and each.status == FORBIDDEN))
    }
    wrong = {
        case: each
        for case, each in open_to.items()
        if is_accepted(each, good.status) or each.status >= FIRST_SERVER_ERROR or each.status == FORBIDDEN
    }
    unclear = tuple(f"{each.status} to {case}" for case, each in open_to.items() if case not in wrong)
    raised = tuple(each for each in knocks.bad.values() if isinstance(each, Raised))
    return Judged(len(knocks.bad), wrong, unclear, raised)


def is_accepted(answer: Answer, promised: int) -> bool:
    """Return whether an answer is a success, or the one that is promised for it."""
    return 200 <= answer.status < FIRST_REDIRECT or answer.status == promised  # noqa: PLR2004  RFC 9110, 15.3


def is_refused(answer: Answer, meaningless: Answer) -> bool:
    """Return whether an answer refuses a credential: as all do, or as this target does one without a meaning.

    403 to a forged token where others get 401 is no such refusal: whom it names has been believed.
    """
    if answer.status in REFUSALS:
        return True
    return (
        FIRST_REDIRECT <= answer.status < FIRST_SERVER_ERROR
        and answer.status == meaningless.status
        and _place(answer) == _place(meaningless)
    )


def _place(answer: Answer) -> str:
    return (answer.redirects_to or "").partition("?")[0]
