"""The previous release, 0.9.0, as far as it differs: kanban on its old path, and nothing that is new.

It runs beside this release on the same tables, which this release extended in a compatible way, so that
the two can be compared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference.application import auth, health, kanban, orders, tasks

if TYPE_CHECKING:
    from reference.application.table import Endpoint

OLD_CARDS = "/api/v1/kanban/cards"
NEW_TASK_STEPS = ("approve_task", "start_task", "complete_task")


def endpoints() -> dict[str, Endpoint]:
    """Return the previous release's table of endpoints by name."""
    kept = [each for table in (health, auth, orders, tasks) for each in table.ENDPOINTS]
    moved = [replace(each, path=each.path.replace(kanban.PATH, OLD_CARDS)) for each in kanban.ENDPOINTS]
    return {each.name: each for each in (*kept, *moved) if each.name not in NEW_TASK_STEPS}
