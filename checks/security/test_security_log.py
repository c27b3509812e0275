"""What matters to security is written down where somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item
from fixtures.audit import ACTIONS
from fixtures.observation import CannotObserve

if TYPE_CHECKING:
    from fixtures.audit import AuditTrail
    from fixtures.security_log import SecurityTrail, Trace

pytestmark = pytest.mark.security

REFUSED = range(400, 500)
GOOD = range(200, 300)


@item("SEC-POST-6")
def test_failed_sign_in_is_in_the_security_log(security_trail: SecurityTrail, measured: Measured) -> None:
    """A failed sign-in that is made now is found, with the user's name, within the deadline."""
    trace = security_trail.failed_sign_in()
    _refused(trace)
    measured(trace.waited_s, limit=trace.within_s, unit="s", attempts=trace.attempts)

    assert trace.record, explain(
        expected=f"{trace.mark} in {trace.place} within {trace.within_s:g} s",
        seen=f"nothing after {trace.waited_s:g} s; the sign-in was answered {trace.answer.status}",
        next="let the service log refused sign-ins with the user's name, and the collector deliver them",
        by_hand=trace.answer.curl,
    )


@item("SEC-POST-6")
def test_password_is_not_in_the_security_log(security_trail: SecurityTrail, measured: Measured) -> None:
    """The log keeps who tried to sign in, and never the password that was tried."""
    trace = security_trail.failed_sign_in()
    measured("shown" if trace.password else "not shown")
    if not (trace.record or trace.password):
        got = "the failed sign-in is not there, so nothing could be read about it"
        raise CannotObserve(f"looking into {trace.place}", got, remedy="see the other check")

    assert not trace.password, explain(
        expected="the record of a failed sign-in, without the password",
        seen=f"{trace.place} shows it: {trace.password}",
        next="log the user's name only; then treat the passwords that are in the log as stolen",
    )


@item("SEC-POST-6")
@pytest.mark.writes
@pytest.mark.parametrize("action", ACTIONS)
def test_action_is_in_the_audit_table(action: str, audit_trail: AuditTrail, measured: Measured) -> None:
    """Making and removing a record of our own each leave a row about it that names who did it."""
    kept = audit_trail.kept(action)
    if kept.status not in GOOD:
        got = f"answered {kept.status}, so there is nothing to be audited"
        raise CannotObserve(
            f"{action} of {kept.record} {kept.id}", got, remedy="see the checks of that record"
        )
    measured(kept.rows, limit=1, unit="rows", attempts=kept.attempts)
    nobody = f", {kept.nobody} of them without a user" if kept.nobody else ""

    assert kept.rows > kept.nobody, explain(
        expected=f"a row about {kept.record} {kept.id} that names a user, within {kept.within_s:g} s",
        seen=f"{action}: {kept.rows} new rows about it{nobody}",
        next="let every action that changes a record write who did it, in the same transaction",
        by_hand=kept.by_hand,
    )


def _refused(trace: Trace) -> None:
    """Make sure that there was a failed sign-in at all."""
    assert trace.answer.status in REFUSED, explain(
        expected="a user who does not exist is refused",
        seen=f"{trace.mark} is answered {trace.answer.status}",
        next="find out why the sign-in does not refuse",
        by_hand=trace.answer.curl,
    )
