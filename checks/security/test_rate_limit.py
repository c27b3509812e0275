"""The rate limit is really there: what is promised passes, what is more is refused, and waiting helps.

These checks run last, and only where the environment allows a burst.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.evasion import BY_HEADER, ELSEWHERE, TIMES, WAYS
from fixtures.limiter import MINUTE_S, TOO_MANY_REQUESTS, Burst, is_tight, is_wide, leads_around, slack
from fixtures.observation import CannotObserve, NotRequired
from fixtures.quoting import cut

if TYPE_CHECKING:
    from fixtures.attempts import Attempts
    from fixtures.burst import Burster

# A minute without requests, a burst, and the minute that a refusal may ask for.
pytestmark = [pytest.mark.security, pytest.mark.last, pytest.mark.timeout(400)]

LOCKED = frozenset({403, 423, TOO_MANY_REQUESTS})
"""What somebody who guesses may be told instead."""

BY_ADDRESS = "count by the address of the connection, or by what the last trusted proxy says of it"
NEXT = {
    **dict.fromkeys(BY_HEADER, BY_ADDRESS),
    ELSEWHERE: "count all paths together (nginx: one zone, no $uri)",
}


@item("SEC-PRE-3")
def test_sign_in_has_a_limit_of_its_own(burster: Burster, measured: Measured, exhibits: Exhibits) -> None:
    """Somebody who guesses passwords is stopped at the limit of sign-ins, long before that of requests."""
    limit, burst = burster.sign_in_limit, burster.sign_ins()
    _show("Sign-ins of users that do not exist", burst, measured, limit, exhibits)

    assert burst.first.status in LOCKED, explain(
        expected=f"429 at or just over {limit} sign-ins a minute",
        seen=f"{burst.asked}: {_told(burst)}",
        next="limit sign-ins by address at the proxy, in a zone of their own",
        by_hand=burst.curl,
    )
    assert not is_wide(burst.rounds, limit), explain(
        expected=f"429 at or just over {limit} sign-ins a minute",
        seen=f"{burst.asked}: {_told(burst)}",
        next="correct the limit of sign-ins, or what the environment file says about it",
        by_hand=burst.curl,
    )


@item("SEC-PRE-3")
def test_limit_is_not_wider_than_promised(burster: Burster, measured: Measured, exhibits: Exhibits) -> None:
    """The first 429 comes at or just over the limit, and not at sixty times as much."""
    limit, burst = burster.limit, burster.burst()
    _show("Requests without the verification identity", burst, measured, limit, exhibits)

    assert not is_wide(burst.rounds, limit), explain(
        expected=f"429 at or just over {limit} requests a minute",
        seen=f"{burst.asked}: {_told(burst)}",
        next="correct the proxy's limit: its unit (per second or per minute), its burst, its key, its window",
        by_hand=burst.curl,
    )
    assert burst.first.status in {0, TOO_MANY_REQUESTS} and not burst.first.trouble, explain(  # noqa: PT018  one claim
        expected="what is too much is refused with 429",
        seen=f"{burst.asked}: {_told(burst)}",
        next="answer 429 (nginx: limit_req_status 429)",
        by_hand=burst.curl,
    )
    if not burst.first.status:
        got = f"only {burst.first}; a limit of {limit} a minute was not reached"
        raise CannotObserve(burst.asked, got, remedy="try it from closer to the target")


@item("SEC-PRE-3")
def test_requests_below_the_limit_pass(burster: Burster, measured: Measured) -> None:
    """No request is refused before the limit is reached."""
    limit, burst = burster.limit, burster.burst()
    passed = burst.first.passed + burst.before
    measured(passed, limit=limit, unit="requests before the first refusal")
    counted = f", and {burst.before} of ours in the minute before" if burst.before else ""

    assert not is_tight(burst, limit), explain(
        expected=f"{limit} requests a minute pass (at least {limit - slack(limit)} in a burst)",
        seen=f"{burst.asked}: {burst.first}{counted}",
        next="raise the limiter's burst to its limit; or somebody else asks from the same address",
        by_hand=burst.curl,
    )


@item("SEC-PRE-3")
def test_refusal_says_when_to_come_again(burster: Burster, measured: Measured) -> None:
    """A 429 carries a Retry-After of at most a minute, in whole seconds or as a date."""
    burst = _refused(burster)
    refusal = burst.first
    measured(refusal.retry_after or "none", limit=f"{MINUTE_S:.0f} s")
    is_useful = refusal.retry_after_s is not None and 0 <= refusal.retry_after_s <= MINUTE_S + 1

    assert is_useful, explain(
        expected=f"Retry-After: whole seconds or a date, at most {MINUTE_S:.0f} s ahead (RFC 9110, 10.2.3)",
        seen=f"{burst.asked}: 429, Retry-After: {refusal.retry_after or 'none'}; {cut(refusal.body, 80)!r}",
        next="send Retry-After with every 429: the time until the next request passes, rounded up",
        by_hand=burst.curl,
    )


@item("SEC-PRE-3")
def test_requests_pass_again_after_the_wait(burster: Burster, measured: Measured) -> None:
    """Who waits as long as the refusal says is let in again."""
    burst = _refused(burster)
    if len(burst.rounds) == 1:
        got = f"the refusal says Retry-After: {burst.first.retry_after or 'none'}, so nobody has waited"
        raise CannotObserve("asking again after a 429", got)
    later = burst.rounds[1:]
    measured(later[0].passed, unit="requests after the wait")

    assert any(each.passed for each in later), explain(
        expected="requests pass again after Retry-After",
        seen=f"{burst.asked}: {_told(burst)}",
        next="let Retry-After tell the truth, and let refused requests not count",
        by_hand=burst.curl,
    )


@item("SEC-PRE-3")
@pytest.mark.parametrize("way", WAYS)
def test_limit_cannot_be_gone_around(way: str, burster: Burster, measured: Measured) -> None:
    """Whoever is refused stays so as another client, by a header that anybody can send, and elsewhere."""
    _not_around(way, _refused(burster), burster.limit, measured)


@item("SEC-PRE-3")
@pytest.mark.parametrize("way", BY_HEADER)
def test_limit_of_sign_ins_cannot_be_gone_around(way: str, burster: Burster, measured: Measured) -> None:
    """Somebody who guesses stays refused as another client, by a header that anybody can send."""
    limit, burst = burster.sign_in_limit, burster.sign_ins()
    if burst.first.status not in LOCKED:
        raise CannotObserve(f"going around the limit of {burst.asked}", f"there was none: {burst.first}")
    _not_around(way, burst, limit, measured)


@item("SEC-PRE-3")
def test_nobody_can_lock_out_a_user(attempts: Attempts, measured: Measured) -> None:
    """Wrong passwords at somebody's account do not keep its owner out, who knows the right one."""
    lockout = attempts.lockout()
    measured(len(lockout.wrong), unit="wrong passwords")
    if lockout.others_let_in is False:
        got = f"{lockout.role} is refused ({lockout.right.status}), and so is another user: it is us, then"
        raise CannotObserve("signing in after wrong passwords", got)

    assert lockout.let_in, explain(
        expected="the right password is accepted, whoever has tried wrong ones before",
        seen=f"after {len(lockout.wrong)} wrong passwords ({_counted(lockout.wrong)}) the right one of "
        f"{lockout.role} is answered {lockout.right.status}: whoever knows the name can lock its owner out",
        next="limit guesses by address, or slow them down, instead of locking the account",
        by_hand=lockout.right.curl,
    )


# ---------------------------------------------------------------- judging


def _not_around(way: str, burst: Burst, limit: int, measured: Measured) -> None:
    detour = next((each for each in burst.detours if each.way == way), None)
    if detour is None:
        raise NotRequired(f"the limit by {way}", "the release file names nothing else that can be read")
    measured(detour.tried.passed, unit=f"of {TIMES} requests after the limit was reached")

    assert not leads_around(detour, limit), explain(
        expected=f"who has reached {limit} requests a minute is refused with {way} as well",
        seen=f"after {burst.first.passed} of {burst.asked} came {burst.first.status}; "
        f"{detour.tried.passed} of {detour.asked} with {way} passed in {detour.tried.elapsed_s:.1f} s, "
        f"and without it the next was {detour.after.ending}",
        next=NEXT[way],
        by_hand=f"{burst.curl}; {detour.curl}",
    )
    if not detour.stopped:
        got = f"{detour.tried.passed} passed, and so did requests without it afterwards"
        raise CannotObserve(f"asking {detour.asked} with {way}", got, remedy="run it again")


def _refused(burster: Burster) -> Burst:
    """Return the burst, which was refused with 429.

    Raises:
        CannotObserve: it was not.
    """
    burst = burster.burst()
    if burst.first.status != TOO_MANY_REQUESTS:
        raise CannotObserve(f"looking at the 429 of {burst.asked}", f"there was none: {burst.first}")
    return burst


def _told(burst: Burst) -> str:
    """Return what happened, with the rate that it amounts to."""
    passed, last = sum(each.passed for each in burst.rounds), burst.rounds[-1]
    return f"{burst}; at least {passed} in {last.ended_s:.1f} s"


def _show(title: str, burst: Burst, measured: Measured, limit: int, exhibits: Exhibits) -> None:
    measured(burst.first.passed, limit=limit, unit="requests before the first refusal")
    exhibits.table(
        title,
        ("began after", "took", "passed", "then", "Retry-After", "body"),
        [
            (
                f"{each.began_s:.1f} s",
                f"{each.elapsed_s:.1f} s",
                each.passed,
                each.ending,
                each.retry_after,
                each.body,
            )
            for each in burst.rounds
        ],
    )


def _counted(statuses: tuple[int, ...]) -> str:
    return ", ".join(f"{statuses.count(status)} x {status}" for status in dict.fromkeys(statuses))
