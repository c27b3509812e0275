"""Somebody from outside attacks the release on purpose, and there is a date for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item

if TYPE_CHECKING:
    from fixtures.attestations import Attestations

pytestmark = pytest.mark.security

REASON = "a penetration test is an agreement between people"
RECENT = timedelta(days=366)
"""How long a test that was done counts. Ours: one a year, as PCI DSS 4.0 has it in 11.4."""


@item("SEC-POST-5")
def test_penetration_test_has_a_date(attestations: Attestations, measured: Measured) -> None:
    """A penetration test is scheduled, or was done within the last year."""
    signed = attestations.signed("SEC-POST-5", REASON)
    today = datetime.now(UTC).date()
    told = {name: signed.statement.facts.get(name) for name in ("scheduled", "done")}
    scheduled, done = (each if isinstance(each, date) else None for each in told.values())
    measured(str(scheduled or done or "no date"), limit=f"from {today - RECENT}")

    assert (scheduled and scheduled >= today) or (done and today - RECENT <= done <= today), explain(
        expected="a date to come (facts.scheduled), or one within the last year (facts.done)",
        seen=f"{signed.statement.signer} attests "
        + (" and ".join(f"{name} {day}" for name, day in told.items() if day) or "neither of them"),
        next="agree on a date, and attest it",
        by_hand=signed.by_hand,
    )
    assert signed.statement.links, explain(
        expected="a link to the order, the calendar or the report",
        seen="evidence without a link",
        next="add evidence = [{ link = ... }] to the attestation, and sign it again",
        by_hand=signed.by_hand,
    )
    attestations.cover("SEC-POST-5", REASON)
