"""Requests of which only one may succeed, sent at the same time: what came of each.

A rule that is kept for one request after the other can be broken by two at once, where the service looks
first and writes later (OWASP ASVS 5.0, 15.4: race conditions).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks import explain
from fixtures.http import Answer  # noqa: TC001  pydantic reads the annotation at run time
from fixtures.observation import CannotObserve
from fixtures.run import Raised

if TYPE_CHECKING:
    from collections.abc import Iterable

RIVALS = 5
"""Requests that are sent at once."""

REFUSALS = frozenset({400, 409, 412, 422, 423})
"""How one that came too late is refused: the state has changed, or it is being changed."""


@dataclass(frozen=True)
class Race:
    """Requests that were sent at once.

    Attributes:
        answers: of those that were answered.
        raised: how the others ended.
        state: the state of their record afterwards, or an empty string.
        before: what else the API showed of it before.
        after: the same afterwards.
    """

    answers: tuple[Answer, ...]
    raised: tuple[Raised, ...]
    state: str = ""
    before: dict[str, object] = field(default_factory=dict)
    after: dict[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, seen: Iterable[Answer | Raised]) -> Race:
        """Return a race by what was seen of each request."""
        seen = tuple(seen)
        raised = tuple(each for each in seen if isinstance(each, Raised))
        return cls(tuple(each for each in seen if not isinstance(each, Raised)), raised)

    @property
    def told(self) -> str:
        """The statuses in words: ``"2 times 200, 3 times 400"``."""
        counted = Counter(answer.status for answer in self.answers)
        return ", ".join(f"{times} times {status}" for status, times in sorted(counted.items()))


def judge(race: Race, *, what: str, promised: int, following: str) -> None:
    """Judge requests of which exactly one may succeed.

    Args:
        race: what was seen of them.
        what: the requests in words: ``"approvals of a task"``.
        promised: the status of the one that succeeds.
        following: what to do if more do.

    Raises:
        NoAnswer: the target did not answer one of them.
        CannotObserve: none succeeded, or our side is the reason.
    """
    done = [answer for answer in race.answers if answer.status < min(REFUSALS)]
    strange = [answer for answer in race.answers if answer not in done and answer.status not in REFUSALS]

    assert len(done) <= 1 and not strange, explain(  # noqa: PT018  one claim
        expected=f"of {len(race.answers)} {what} at once, one answers {promised}, and the others are refused "
        "with 4xx",
        seen=race.told,
        next=following,
        by_hand=f"{(done or strange)[0].curl}  # {len(race.answers)} times at once",
    )
    for each in race.raised:
        each.again()
    if not done:
        raise CannotObserve(f"{len(race.answers)} {what} at once", f"none succeeded: {race.told}")
