"""Faults of what people state: signed, valid, and yet not what the item asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference.faults.registry import launch_fault

if TYPE_CHECKING:
    from reference.launch.plan import Plan

PHASE = "security"
PENETRATION_TEST = "SEC-POST-5"
SCHEDULED = "scheduled = "


def with_date(plan: Plan, date: str) -> Plan:
    """Return the plan of a release whose penetration test has another date."""
    edit = (PENETRATION_TEST, SCHEDULED, f"{date}  # instead of ")
    return replace(plan, attestation_edits=(*plan.attestation_edits, edit))


@launch_fault("penetration-test-date-passed", PENETRATION_TEST, phase=PHASE)
def penetration_test_date_passed(plan: Plan) -> Plan:
    """The date of the penetration test has passed, and nobody says that it took place."""
    return with_date(plan, "scheduled = 2019-05-14")


@launch_fault("penetration-test-long-ago", PENETRATION_TEST, phase=PHASE)
def penetration_test_long_ago(plan: Plan) -> Plan:
    """The last penetration test was years ago, and none is planned."""
    return with_date(plan, "done = 2019-05-14")
