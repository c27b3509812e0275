"""What needs action next: the unsettled items of a verdict, worst first, one finding per cause.

The terminal and the HTML report both say it, and both take it from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_URGENCY = ("ROLL BACK", "HOLD", "FIX", "NOTE", "")
_GRAVITY = ("FAILED", "UNKNOWN", "PENDING")

Json = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """One cause and every item that it leaves unsettled.

    Attributes:
        items: item ids and their entries in ``verdict.json``, worst first.
        by_hand: the different commands that show it, in the order of the items.
        elsewhere: records of other checks of these items that are unsettled for another cause.
    """

    items: tuple[tuple[str, Json], ...]
    by_hand: tuple[str, ...]
    elsewhere: tuple[Json, ...]

    @property
    def worst(self) -> Json:
        """The entry that decides what is done and who is called."""
        return self.items[0][1]

    @property
    def expected(self) -> tuple[str, ...]:
        """What had to hold: each different claim once."""
        return _distinct(item["expected"] for _, item in self.items)


def findings(verdict: Json) -> list[Finding]:
    """Return what needs action, worst first; items whose window has not begun need none."""
    unsettled = [
        (item_id, item)
        for item_id, item in verdict["items"].items()
        if not item["settled"] and item["outcome"] in _GRAVITY
    ]
    unsettled.sort(key=lambda entry: _rank(entry[1]))
    records = {record["test"]: record for record in verdict["records"]}
    causes: dict[tuple[str, ...], list[tuple[str, Json]]] = {}
    for item_id, item in unsettled:
        cause = (item["outcome"], item["seen"] or item["message"], item["next"])
        causes.setdefault(cause, []).append((item_id, item))
    return [_finding(items, records) for items in causes.values()]


def _rank(item: Json) -> tuple[int, int, int]:
    return _URGENCY.index(item["action"]), _GRAVITY.index(item["outcome"]), item["severity"]


def _finding(items: list[tuple[str, Json]], records: dict[str, Json]) -> Finding:
    told = {item["seen"] for _, item in items}
    tests = _distinct(test for _, item in items for test in item["tests"])
    elsewhere = (records[test] for test in tests if test in records)
    return Finding(
        items=tuple(items),
        by_hand=_distinct(item["by_hand"] for _, item in items),
        elsewhere=tuple(
            record
            for record in elsewhere
            if record["outcome"] in _GRAVITY and not any(seen and seen in record["seen"] for seen in told)
        ),
    )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
