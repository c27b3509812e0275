"""What a run set out to judge: the planned checks, the units in scope, and what is left out.

A unit is what a verdict can be given for: a whole phase or, after the deployment, a whole window.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from _pytest.mark.expression import Expression  # pytest offers no public parser for -m

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Unit = tuple[str, str | None]
"""A phase and, within ``postdeploy``, a window."""


class ChecklistItem(Protocol):
    """The part of a checklist item that says where it belongs."""

    @property
    def phase(self) -> str:
        """The phase's marker."""

    @property
    def window(self) -> str | None:
        """The window's marker, within ``postdeploy``."""


@dataclass(frozen=True)
class Planned:
    """One collected check, before it has run."""

    test: str
    title: str
    items: tuple[str, ...]
    phase: str
    window: str | None

    @property
    def unit(self) -> Unit:
        """The phase, or the window, that the check belongs to."""
        return (self.phase, self.window)

    @property
    def function(self) -> str:
        """The node id without its parameters."""
        return self.test.partition("[")[0]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Planned:
        """Read back what ``to_json`` returned."""
        return cls(**{**value, "items": tuple(value["items"])})

    def to_json(self) -> dict[str, Any]:
        """Return JSON built-ins only."""
        return {**asdict(self), "items": list(self.items)}


@dataclass(frozen=True)
class Plan:
    """Everything a run set out to do.

    Attributes:
        checks: the checks that were selected.
        units: the phases and windows that a verdict is asked for.
        partial: why the selection falls short of them, or an empty string.
    """

    checks: tuple[Planned, ...]
    units: frozenset[Unit]
    partial: str


def units_in_scope(
    expression: str, checklist: Mapping[str, ChecklistItem], checks: Iterable[Planned]
) -> frozenset[Unit]:
    """Return the units that ``-m expression`` asks for, built or not, and those of selected checks.

    Without an expression every unit of the checklist is asked for.
    """
    units: set[Unit] = {(item.phase, item.window) for item in checklist.values()}
    if expression:
        matches = Expression.compile(expression).evaluate
        units = {unit for unit in units if matches(_named_in(unit))}
    return frozenset(units | {check.unit for check in checks})


def _named_in(unit: Unit) -> Callable[..., bool]:
    return lambda name, /, **_keywords: name in unit


def shortfall(
    *,
    narrowing: Iterable[str],
    units: frozenset[Unit],
    selected: Iterable[Planned],
    deselected: Iterable[Planned],
    existing: Iterable[tuple[str, Unit]],
) -> str:
    """Return why the selection is short of its units, or an empty string if it is whole.

    Args:
        narrowing: the command line options that can only narrow a phase (``-k``, a path, ``-x``).
        units: what a verdict is asked for.
        selected: the checks that will run.
        deselected: the checks that were collected and put aside.
        existing: node id (without parameters) and unit of every check that the suite has.
    """
    options = sorted(set(narrowing))
    if options:
        return f"the selection was narrowed by {', '.join(options)}"
    put_aside = sorted(check.test for check in deselected if check.unit in units)
    if put_aside:
        return f"{len(put_aside)} checks of a selected phase were deselected, {put_aside[0]} among them"
    functions = {check.function for check in selected}
    absent = sorted(test for test, unit in existing if unit in units and test not in functions)
    if absent:
        return f"{len(absent)} checks of a selected phase were not collected, {absent[0]} among them"
    return ""
