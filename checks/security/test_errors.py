"""Hostile input is refused, and no refusal says more than it must."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.access import UNKNOWN_USER, WRONG_PASSWORD
from fixtures.hostile import METHOD, QUOTE, READING_KINDS, WRITING_KINDS
from fixtures.observation import Absent
from fixtures.revealing import DETAILS, comparable, revealed

if TYPE_CHECKING:
    from fixtures.access import Access
    from fixtures.environment import Environment
    from fixtures.headers import Surfaces
    from fixtures.http import Answer
    from fixtures.leaks import Leaks, Replies, Reply
    from fixtures.release import Release

pytestmark = pytest.mark.security

REFUSED = range(400, 500)
FIRST_SERVER_ERROR = 500
NOT_IMPLEMENTED = 501
"""A server may say so of a method that it does not know (RFC 9110, 15.6.2)."""

STRANGER = re.compile(r"gonogo-[0-9a-f]{8}(?:@[\w.-]+)?")


@item("SEC-PRE-8")
@pytest.mark.parametrize("kind", READING_KINDS)
def test_hostile_reading_is_no_server_error(
    kind: str, leaks: Leaks, measured: Measured, exhibits: Exhibits
) -> None:
    """A request that reads with hostile input is refused or ignored, and never a server error."""
    replies = leaks.hostile_reading()
    chosen = _of(kind, replies)
    _show(kind, replies, exhibits)
    wrong = [each for each in chosen if each.answer and _is_server_error(each)]
    measured(len(wrong), limit=0, unit=f"answers; {_tried(kind, replies)}")
    _claim(wrong, chosen, "a 4xx, or an answer that ignores it, but no server error")


@item("SEC-PRE-8")
@pytest.mark.writes
@pytest.mark.parametrize("kind", WRITING_KINDS)
def test_hostile_writing_is_refused(
    kind: str, leaks: Leaks, access: Access, release: Release, measured: Measured, exhibits: Exhibits
) -> None:
    """A request that would write and cannot be meant is refused with 4xx, and never accepted."""
    replies = leaks.hostile_writing()
    chosen = _of(kind, replies)
    _show(kind, replies, exhibits)
    refusal = _page_of_refusal(access, release)
    wrong = [
        each for each in chosen if each.answer and not (_is_refused(each) or _is_like(each.answer, refusal))
    ]
    measured(len(wrong), limit=0, unit=f"answers; {_tried(kind, replies)}")
    intruded = kind == QUOTE and any(_is_let_in(each, release) for each in wrong)
    _claim(wrong, chosen, "a 4xx", "somebody got in with a quote instead of a password: " if intruded else "")


@item("SEC-PRE-8")
@pytest.mark.writes
def test_trace_gives_no_request_back(leaks: Leaks, measured: Measured) -> None:
    """TRACE does not answer with the request: its headers hold cookies and tokens, also a proxy's."""
    traces = leaks.traces()
    measured(", ".join(f"{each.path} {each.answer.status}" for each in traces))
    echoed = [each for each in traces if each.echoed]

    assert not echoed, explain(
        expected="TRACE is refused, or ignored",
        seen="; ".join(
            f"TRACE {each.path} answers {each.answer.status} with the request's headers" for each in echoed
        ),
        next="switch TRACE off in the server and in every proxy (Apache: TraceEnable off)",
        by_hand=echoed[0].answer.curl,
    )


@item("SEC-PRE-8")
@pytest.mark.parametrize("detail", DETAILS)
def test_errors_of_reading_reveal_nothing(
    detail: str, leaks: Leaks, surfaces: Surfaces, release: Release, measured: Measured
) -> None:
    """No error of the application or the proxy, provoked by reading, holds such a detail."""
    replies = leaks.hostile_reading()
    errors = [answer for _, answer in surfaces.seen() if answer.status >= REFUSED.start]
    found = [
        (f"{answer.method} {answer.url} answers {answer.status}", excerpt, answer.curl)
        for answer in errors
        if (excerpt := revealed(answer, release.roles).get(detail))
    ]
    _reveal_nothing(
        detail, [*found, *_revealing(detail, replies.replies)], measured, len(errors) + _errors(replies)
    )
    _raise_again(replies.replies)


@item("SEC-PRE-8")
@pytest.mark.writes
@pytest.mark.parametrize("detail", DETAILS)
def test_errors_of_writing_reveal_nothing(detail: str, leaks: Leaks, measured: Measured) -> None:
    """No error that is provoked by a request that would write holds such a detail."""
    replies = leaks.hostile_writing()
    _reveal_nothing(detail, _revealing(detail, replies.replies), measured, _errors(replies))
    _raise_again(replies.replies)


@item("SEC-PRE-8")
def test_known_and_unknown_users_are_refused_alike(
    access: Access, environment: Environment, measured: Measured
) -> None:
    """A wrong password and an unknown user get the same answer: nobody finds out who has an account."""
    known, unknown = access.refused(WRONG_PASSWORD), access.refused(UNKNOWN_USER)
    username = environment.roles[access.spare_role()].username or ""
    bodies = [STRANGER.sub("*", comparable(each, username)) for each in (known, unknown)]
    measured(f"{known.status} and {unknown.status}")

    assert (known.status, bodies[0]) == (unknown.status, bodies[1]), explain(
        expected="the same status and the same words for both",
        seen=f"a known user gets {known.status}, {known.described}; "
        f"an unknown one {unknown.status}, {unknown.described}",
        next="answer both with the same 401",
        by_hand=unknown.curl,
    )


# ---------------------------------------------------------------- judging


def _of(kind: str, replies: Replies) -> list[Reply]:
    """Return the replies to one kind of hostility.

    Raises:
        Absent: nothing of the release can be asked so.
    """
    chosen = [each for each in replies.replies if each.kind == kind]
    if not chosen:
        raise Absent(
            f"place for {kind}", "no endpoint of the release file takes anything that it could be put in"
        )
    return chosen


def _is_server_error(reply: Reply) -> bool:
    status = reply.answer.status if reply.answer else 0
    return status >= FIRST_SERVER_ERROR and not (reply.kind == METHOD and status == NOT_IMPLEMENTED)


def _is_refused(reply: Reply) -> bool:
    status = reply.answer.status if reply.answer else 0
    return status in REFUSED or (reply.kind == METHOD and status == NOT_IMPLEMENTED)


def _page_of_refusal(access: Access, release: Release) -> Answer | None:
    """Return how a sign-in is refused that shows its form once more, or leads there; ``None`` elsewhere."""
    how = release.sign_in
    return access.refused(UNKNOWN_USER) if how and how.refused_status < REFUSED.start else None


def _is_like(answer: Answer, refusal: Answer | None) -> bool:
    """Return whether an answer to a sign-in is what another one was refused with."""
    return refusal is not None and (answer.method, answer.url, answer.status, answer.redirects_to) == (
        refusal.method,
        refusal.url,
        refusal.status,
        refusal.redirects_to,
    )


def _is_let_in(reply: Reply, release: Release) -> bool:
    """Return whether a reply to a sign-in is what a sign-in that succeeds is answered."""
    return (
        reply.answer is not None
        and release.sign_in is not None
        and (reply.answer.status == release.sign_in.status)
    )


def _tried(kind: str, replies: Replies) -> str:
    """Say how many combinations of endpoint and place were tried, of all that there are."""
    tried = sum(each.kind == kind for each in replies.replies)
    return f"{tried} of {replies.possible[kind]} combinations tried"


def _show(kind: str, replies: Replies, exhibits: Exhibits) -> None:
    rows = [
        (each.asked, each.answer.status if each.answer else each)
        for each in replies.replies
        if each.kind == kind
    ]
    exhibits.table(f"Requests with {kind}: {_tried(kind, replies)}", ("request", "answer"), rows)


def _claim(wrong: list[Reply], chosen: list[Reply], expected: str, first: str = "") -> None:
    assert not wrong, explain(
        expected=expected,
        seen=first + "; ".join(map(str, wrong)),
        next="validate input where it enters, and answer 400 or 422",
        by_hand=wrong[0].answer.curl if wrong[0].answer else "",
    )
    _raise_again(chosen)


def _raise_again(replies: list[Reply] | tuple[Reply, ...]) -> None:
    """Say what could not be seen.

    Raises:
        NoAnswer: hostile input made the target break off.
        CannotObserve: our side is the reason.
    """
    for each in replies:
        if each.raised:
            each.raised.again()


def _revealing(detail: str, replies: tuple[Reply, ...]) -> list[tuple[str, str, str]]:
    return [
        (str(each), each.reveals[detail], each.answer.curl if each.answer else "")
        for each in replies
        if detail in each.reveals
    ]


def _errors(replies: Replies) -> int:
    return sum(each.answer is not None and each.answer.status >= REFUSED.start for each in replies.replies)


def _reveal_nothing(detail: str, found: list[tuple[str, str, str]], measured: Measured, seen: int) -> None:
    measured(seen, unit="errors read")

    assert not found, explain(
        expected=f"errors that do not hold {detail}",
        seen="; ".join(f"{asked}: {excerpt!r}" for asked, excerpt, _ in found[:5])
        + (f"; and {len(found) - 5} more" if len(found) > 5 else ""),  # noqa: PLR2004  readable
        next="log the detail, and answer with a sentence that says nothing about the inside",
        by_hand=found[0][2],
    )
