"""The record of one check in one run, and the outcomes it can have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

Scalar = int | float | str | None
"""What a check may measure or be limited by."""


NOT_OBSERVED = "not observed: "
"""How the message of a check begins that is optional here and whose tool is missing."""


class Outcome(StrEnum):
    """What became of a check or an item, in the order in which the later ones prevail for an item."""

    NOT_APPLICABLE = "NOT APPLICABLE"
    PASSED = "PASSED"
    ATTESTED = "ATTESTED"
    WAIVED = "WAIVED"
    NOT_DUE = "NOT DUE"
    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"
    FAILED = "FAILED"

    @property
    def settles(self) -> bool:
        """Whether an item with this outcome stands in nobody's way."""
        return self in {self.PASSED, self.ATTESTED, self.NOT_APPLICABLE, self.WAIVED}

    @property
    def badness(self) -> int:
        """The place in the order: what does not apply to one check says nothing about the others."""
        return list(Outcome).index(self)


@dataclass(frozen=True)
class Record:
    """Outcome, measured value, limit and evidence of one check in one run.

    Attributes:
        test: the pytest node id.
        title: the check's claim, as one sentence.
        items: the checklist ids that the check judges.
        phase: the phase of these items.
        window: the post-deployment window, within ``postdeploy`` only.
        outcome: what was observed, before waivers.
        measured: the value that was judged, in ``unit``.
        limit: what it was judged against, in ``unit``.
        unit: the unit of both, or an empty string.
        expected: what had to hold, for people.
        seen: what was observed instead, for people.
        next: what to do about it.
        by_hand: a command without secrets that shows the same thing.
        action: a stop that outranks the severity's own (``"HOLD"``), or an empty string.
        message: everything above as one text.
        duration_s: since the check began: set-up, call and tear-down together.
        attempts: how often the probe looked.
        detail: long evidence, such as the traceback of a crash of ours.
        exhibits: evidence for the report: see ``checks.vocabulary.Exhibits``.
        attestation: the statement that covers the item, when the outcome is ATTESTED: see
            ``fixtures.attestation_file``.
    """

    test: str
    title: str
    items: tuple[str, ...]
    phase: str
    window: str | None
    outcome: Outcome
    measured: Scalar = None
    limit: Scalar = None
    unit: str = ""
    expected: str = ""
    seen: str = ""
    next: str = ""
    by_hand: str = ""
    action: str = ""
    message: str = ""
    duration_s: float = 0.0
    attempts: int = 1
    detail: str = ""
    exhibits: tuple[dict[str, Any], ...] = ()
    attestation: dict[str, Any] | None = None

    @property
    def is_observed(self) -> bool:
        """Whether the target was looked at, or declared to be without: an optional tool was not missing."""
        return self.outcome is not Outcome.NOT_APPLICABLE or not self.message.startswith(NOT_OBSERVED)

    def to_json(self) -> dict[str, Any]:
        """Return JSON built-ins only: the sole thing that may cross a process border."""
        return {
            **vars(self),
            "items": list(self.items),
            "outcome": str(self.outcome),
            "exhibits": list(self.exhibits),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Record:
        """Read back what ``to_json`` returned."""
        items, exhibits = tuple(value["items"]), tuple(value["exhibits"])
        return cls(**{**value, "items": items, "outcome": Outcome(value["outcome"]), "exhibits": exhibits})


def merge(earlier: Record, later: Record) -> Record:
    """Return one record for a check that reported twice: the worse outcome, the longer time."""
    worse = later if later.outcome.badness > earlier.outcome.badness else earlier
    return replace(worse, duration_s=max(earlier.duration_s, later.duration_s))
