"""Signing in tells nobody who has an account, by the clock either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item

if TYPE_CHECKING:
    from fixtures.attempts import Attempts

# Last, so that nothing else of the run makes answers slow meanwhile.
pytestmark = [pytest.mark.security, pytest.mark.last, pytest.mark.timeout(400)]


@item("SEC-PRE-8")
def test_known_and_unknown_users_take_as_long(
    attempts: Attempts, measured: Measured, exhibits: Exhibits
) -> None:
    """A wrong password and an unknown user are refused in the same time, as far as statistics can tell."""
    timing = attempts.timing()
    first = timing.times[0]
    measured(round(first.known_median_ms - first.unknown_median_ms, 1), unit="ms longer for a known user")
    exhibits.table(
        "Times of refusals (ms)",
        ("comparison", "user", "times"),
        [
            (number, user, ", ".join(f"{ms:.1f}" for ms in times))
            for number, each in enumerate(timing.times, start=1)
            for user, times in (("known", each.known_ms), ("unknown", each.unknown_ms))
        ],
    )

    assert not timing.tells, explain(
        expected="the same time for both, within what chance and 20 % explain",
        seen="; again, ".join(map(str, timing.times)),
        next="compute the password's hash for unknown users too, against a made-up one",
        by_hand=timing.curl,
    )
