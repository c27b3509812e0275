"""Before anything goes wrong, it is known who is called, and a failure says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item
from reports.rehearsal import failure, told
from reports.terms import terms_of

if TYPE_CHECKING:
    from fixtures.environment import Environment

pytestmark = pytest.mark.predeploy

REMEDY = "complete [escalation] in the environment file"

ANSWER_WITHIN_MIN = {1: 5, 2: 30, 3: 120, 4: 1440}
"""Severity to minutes. Guide, escalation contacts: < 5 minutes, < 30 minutes, < 2 hours, < 24 hours."""

PEOPLE = {1: 2, 2: 2, 3: 1, 4: 1}
"""Severity to the number of people that the guide names for it."""


def judge(severity: int, environment: Environment, measured: Measured) -> None:
    """Fail unless a failure of this severity reaches enough people soon enough, and names them."""
    terms = terms_of(environment)
    escalation = terms.escalation.get(severity)
    assert escalation, explain(
        expected=f"people to call at severity {severity}", seen="none is declared", next=REMEDY
    )
    limit, people = ANSWER_WITHIN_MIN[severity], PEOPLE[severity]
    measured(escalation.within_min, limit=limit, unit="min")
    summary = told(failure(severity, terms))
    unnamed = [c.role for c in escalation.contacts if c.reach not in summary or c.role not in summary]
    reaches = {contact.reach for contact in escalation.contacts}

    assert escalation.within_min <= limit, explain(
        expected=f"an answer within {limit} minutes",
        seen=f"within {escalation.within_min} minutes",
        next=REMEDY,
    )
    assert len(reaches) >= people, explain(
        expected=f"{people} people to call at severity {severity}",
        seen=f"{len(reaches)}: {', '.join(sorted(reaches))}",
        next=REMEDY,
    )
    assert not unnamed, explain(
        expected="the summary of a failure names everybody who is called",
        seen=f"it leaves out {', '.join(unnamed)}",
        next="report this defect of the suite",
    )


@item("ESC-1")
def test_severity_1_reaches_two_people_at_once(environment: Environment, measured: Measured) -> None:
    """A system that is down reaches the on-call engineer and the engineering lead within 5 minutes."""
    judge(1, environment, measured)


@item("ESC-2")
def test_severity_2_reaches_two_people_soon(environment: Environment, measured: Measured) -> None:
    """A degraded system reaches the DevOps lead and the team lead within 30 minutes."""
    judge(2, environment, measured)


@item("ESC-3")
def test_severity_3_reaches_support(environment: Environment, measured: Measured) -> None:
    """An isolated issue reaches the support team within 2 hours."""
    judge(3, environment, measured)


@item("ESC-4")
def test_severity_4_reaches_the_project_manager(environment: Environment, measured: Measured) -> None:
    """A non-critical finding reaches the project manager within 24 hours."""
    judge(4, environment, measured)
