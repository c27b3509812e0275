"""pytest plugin: keeps what was selected, put aside and left out, for the verdict.

Under xdist the controller collects nothing, so each worker leaves its plan in the run's scratch
directory; they are all the same, and any one of them will do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from checks.plugin import CHECKLIST, STATIC_CHECKS
from fixtures.options import ENVIRONMENT
from fixtures.run import RUN
from reports.plan import Plan, Planned, shortfall, units_in_scope
from reports.recorder import planned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SELECTION = pytest.StashKey["Selection"]()


class Selection:
    """The checks that were collected: those that will run and those that were put aside."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._selected: list[Planned] = []
        self._deselected: list[Planned] = []

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember what ``-k``, ``-m``, ``--lf`` and the like put aside."""
        checklist = self._config.stash[CHECKLIST]
        self._deselected += [planned(item, checklist) for item in items]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember what will run; a worker writes it down for the controller."""
        if not session.items:
            return
        checklist = self._config.stash[CHECKLIST]
        self._selected = [planned(item, checklist) for item in session.items]
        worker: dict[str, Any] | None = getattr(self._config, "workerinput", None)
        if worker is not None:
            path = self._config.stash[RUN].scratch / f"plan-{worker['workerid']}.json"
            part = path.with_suffix(".part")
            part.write_text(json.dumps([_json(self._selected), _json(self._deselected)]), encoding="utf-8")
            part.replace(path)

    def plan(self) -> Plan:
        """Return the run's plan, as the one process that gives the verdict sees it."""
        if not self._selected:
            self._read_workers(self._config.stash[RUN].scratch)
        checklist = self._config.stash[CHECKLIST]
        units = units_in_scope(self._config.option.markexpr, checklist, self._selected)
        existing = [
            (
                f"{check.path}::{check.function}",
                (checklist[check.items[0]].phase, checklist[check.items[0]].window),
            )
            for check in self._config.stash[STATIC_CHECKS]
        ]
        partial = shortfall(
            narrowing=narrowing_options(self._config),
            units=units,
            selected=self._selected,
            deselected=self._deselected,
            existing=existing,
        )
        return Plan(checks=tuple(self._selected), units=units, partial=partial)

    def _read_workers(self, scratch: Path) -> None:
        for path in sorted(scratch.glob("plan-*.json")):
            selected, deselected = json.loads(path.read_text(encoding="utf-8"))
            self._selected = [Planned.from_json(value) for value in selected]
            self._deselected = [Planned.from_json(value) for value in deselected]
            return


def _json(checks: Sequence[Planned]) -> list[dict[str, Any]]:
    return [check.to_json() for check in checks]


def narrowing_options(config: pytest.Config) -> list[str]:
    """Return the options in use that can leave a part of a phase out.

    They count by being given, not by their effect: a phase is asked for by its marker alone.
    """
    option = config.option
    given = {
        "-k": option.keyword,
        "a path": option.file_or_dir,
        "--lf": getattr(option, "lf", False),
        "--sw": getattr(option, "stepwise", False),
        "-x or --maxfail": option.maxfail,
        "--deselect": option.deselect,
        "--ignore": option.ignore or option.ignore_glob,
        "--setup-only": option.setuponly or option.setupplan,
    }
    return [name for name, value in given.items() if value]


def pytest_configure(config: pytest.Config) -> None:
    """Watch the selection of a run that has an environment."""
    if ENVIRONMENT in config.stash:
        config.stash[SELECTION] = Selection(config)
        config.pluginmanager.register(config.stash[SELECTION], "gonogo-selection")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say that a plan is no verdict."""
    if ENVIRONMENT in config.stash and config.option.collectonly:
        terminalreporter.write_line("plan only: nothing was asked of the target, and this is no verdict")
