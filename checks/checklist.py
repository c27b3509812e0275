"""The checklist: every item of the deployment guide, as ``checks/checklist.toml`` states it.

What an item says belongs there; whether anything judges it is told by ``checks.coverage``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DESCRIPTIONS = {
    "predeploy": "before the deployment: code, database, environment, infrastructure, team",
    "deploy": "the deployment itself: images, notice, migration, backend, frontend, downtime",
    "smoke": "the critical few minutes after the deployment",
    "validation": "access, endpoints, performance and what is new in this release",
    "rollback": "there is a way back, and it has been tried",
    "postdeploy": "after the deployment, in one of the four windows",
    "security": "security before and after the release is in production",
    "load": "latency and errors under the declared load",
    "gate": "sign-offs and the verdict on everything recorded",
    "immediate": "0-15 minutes after the deployment",
    "short_term": "15-60 minutes after the deployment",
    "medium_term": "1-6 hours after the deployment",
    "long_term": "6 hours and more after the deployment",
}
"""What each phase and each window means, by the name of its marker."""

PHASES = ("predeploy", "deploy", "smoke", "validation", "rollback", "postdeploy", "security", "load", "gate")
"""The phases, in the order in which a release meets them."""

WINDOWS = ("immediate", "short_term", "medium_term", "long_term")
"""The windows of ``postdeploy``, in the order of time."""

PATH = Path(__file__).with_name("checklist.toml")

_TEXTS = ("statement", "phase", "section", "owner", "how")
_OPTIONAL: dict[str, type] = {"window": str, "before_traffic": bool, "correction": str}
_TYPES: dict[str, type] = {**dict.fromkeys(_TEXTS, str), "severity": int, **_OPTIONAL}
_CHOICES: dict[str, tuple[object, ...]] = {
    "phase": PHASES,
    "window": WINDOWS,
    "severity": (1, 2, 3, 4),
    "how": ("automated", "attested", "either"),
}


@dataclass(frozen=True)
class Item:
    """One obligation of the guide.

    Attributes:
        id: the permanent id, ``SMK-1``.
        statement: what holds when the item is right.
        phase: one of ``PHASES``.
        window: one of ``WINDOWS`` for a postdeploy item, else ``None``.
        section: the part of the guide that asks for it.
        severity: 1 (system down) to 4 (informational).
        owner: the role that answers for it.
        how: ``automated``, ``attested`` or ``either``.
        before_traffic: whether a failure is seen before traffic has moved, and so means HOLD.
        correction: where the guide is wrong, what it says and what the suite does instead.
    """

    id: str
    statement: str
    phase: str
    window: str | None
    section: str
    severity: int
    owner: str
    how: str
    before_traffic: bool
    correction: str


def load(path: Path = PATH) -> dict[str, Item]:
    """Return the items by id, in the order of the file.

    Raises:
        ValueError: the file breaks its own rules; the message names file, item, key and what is allowed.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from None
    items: dict[str, Item] = {}
    for item_id, values in table.items():
        for fault in _faults(values):
            raise ValueError(f"{path}: {item_id}: {fault}")
        defaults = {"window": None, "before_traffic": False, "correction": ""}
        items[item_id] = Item(**{"id": item_id, **defaults, **values})
    return items


def _faults(values: object) -> Iterator[str]:
    """Yield what is wrong with the values of one item."""
    if not isinstance(values, dict):
        yield f"found {values!r}, expected a table [id] with the item's keys"
        return
    for key in _TYPES:
        if key not in values and key not in _OPTIONAL:
            yield f"the key {key} is missing"
    for key, value in values.items():
        if key not in _TYPES:
            yield f"unknown key {key}, allowed: {', '.join(_TYPES)}"
        elif type(value) is not _TYPES[key] or value == "":
            yield f"{key} = {value!r}, expected {_TYPES[key].__name__}, not empty"
        elif key in _CHOICES and value not in _CHOICES[key]:
            yield f"{key} = {value!r}, allowed: {', '.join(map(str, _CHOICES[key]))}"
    if (values.get("phase") == "postdeploy") != ("window" in values):
        yield "a postdeploy item has a window, and no other item has one"


def worded(checklist: Mapping[str, Item], statements: Mapping[str, str]) -> dict[str, Item]:
    """Return a checklist with a release's own words for some of its items."""
    return {
        item_id: replace(item, statement=statements.get(item_id, item.statement))
        for item_id, item in checklist.items()
    }
