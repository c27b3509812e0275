"""What people would read if an item of a severity failed: the real summary of an invented failure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from checks.checklist import Item
from reports import terminal
from reports.plan import Plan, Planned
from reports.record import Outcome, Record
from reports.verdict import Circumstances, verdict

if TYPE_CHECKING:
    from reports.verdict import Terms

WIDTH = 100


def failure(severity: int, terms: Terms) -> dict[str, Any]:
    """Return the verdict over one invented failure, seen after traffic has moved."""
    item = Item(
        id="SMK-1",
        statement="An invented failure, to see who would be called.",
        phase="smoke",
        window=None,
        section="Rehearsal",
        severity=severity,
        owner="On-call Engineer",
        how="automated",
        before_traffic=False,
        correction="",
    )
    planned = Planned(test="rehearsal", title=item.statement, items=(item.id,), phase="smoke", window=None)
    record = Record(
        test=planned.test,
        title=planned.title,
        items=planned.items,
        phase=planned.phase,
        window=None,
        outcome=Outcome.FAILED,
        seen="an invented failure",
    )
    now = datetime.now(UTC)
    return verdict(
        {item.id: item},
        Plan(checks=(planned,), units=frozenset({planned.unit}), partial=""),
        {planned.test: record},
        terms,
        Circumstances(
            environment="rehearsal",
            release="rehearsal",
            commit="",
            images={},
            run="rehearsal",
            started=now,
            ended=now,
            target={},
            requests={},
            limitations=(),
        ),
        built=frozenset({item.id}),
    )


def told(content: dict[str, Any]) -> str:
    """Return the terminal summary of a verdict as one line of text, however it is wrapped."""
    return " ".join(" ".join(terminal.summary(content, width=WIDTH, colour=False)).split())
