"""A critical finding starts the rollback: the verdict says so, with commands, people and a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item
from reports.rehearsal import failure, told
from reports.terms import terms_of

if TYPE_CHECKING:
    from fixtures.environment import Environment

pytestmark = pytest.mark.rollback

START_WITHIN_MIN = 5
"""Guide, rollback procedure: activate within 5 minutes."""


@item("RBK-4")
def test_critical_finding_starts_the_rollback(environment: Environment, measured: Measured) -> None:
    """The verdict on a severity-1 failure says ROLL BACK, with commands, people and a deadline."""
    content = failure(1, terms_of(environment))
    summary = told(content)
    judged = content["items"]["SMK-1"]
    wanted = ["ROLL BACK", *judged["commands"], *(contact["reach"] for contact in judged["contacts"])]
    missing = [text for text in wanted if " ".join(text.split()) not in summary]
    measured(environment.rollback.within_min, limit=START_WITHIN_MIN, unit="min")

    assert content["action"] == "rollback", explain(
        expected="action rollback", seen=content["action"], next="report this defect of the suite"
    )
    assert judged["commands"], explain(
        expected="the commands of a rollback",
        seen="none is declared",
        next="declare rollback.commands in the environment file",
    )
    assert judged["contacts"], explain(
        expected="somebody who decides and helps",
        seen="nobody is declared for severity 1",
        next="declare escalation.1 in the environment file",
    )
    assert environment.rollback.within_min <= START_WITHIN_MIN, explain(
        expected=f"it starts within {START_WITHIN_MIN} minutes",
        seen=f"within {environment.rollback.within_min} minutes",
        next="shorten rollback.within_min, and rehearse it",
    )
    assert not missing, explain(
        expected="the summary says all of it",
        seen=f"it leaves out {'; '.join(missing)}",
        next="report this defect of the suite",
    )
