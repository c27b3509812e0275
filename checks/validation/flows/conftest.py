"""The facts of this release's flows, each taken once per run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.validation.flows import bom, existing, kanban, orders
from checks.validation.flows.steps import Course, Flow, require
from fixtures.observation import NotRequired

if TYPE_CHECKING:
    from fixtures.database import Database
    from fixtures.environment import Environment
    from fixtures.http import HttpProbe
    from fixtures.records import Records
    from fixtures.release import Release
    from fixtures.run import Run


@pytest.fixture
def _several_at_once(environment: Environment) -> None:
    """Leave out what takes several requests at once where the environment allows one."""
    if environment.concurrency == 1:
        raise NotRequired("leave to send several requests at once", "raise concurrency to 2 or more")


@pytest.fixture
def course(
    request: pytest.FixtureRequest,
    api: HttpProbe,
    records: Records,
    environment: Environment,
    release: Release,
) -> Course:
    """A flow that has not begun, and what it is taken with."""
    database: Database | None = request.getfixturevalue("database") if environment.database else None
    return Course(api=api, records=records, database=database, environment=environment, release=release)


@pytest.fixture
def bom_flow(course: Course, release: Release, run: Run) -> Flow:
    """The life of a bill of materials."""
    require(release, bom.NEEDS)
    return run.once("flow of a BOM", lambda: bom.BomFlow(course).take(), Flow)


@pytest.fixture
def order_flow(course: Course, release: Release, run: Run) -> Flow:
    """The life of a manufacturing order's task."""
    require(release, orders.NEEDS)
    return run.once("flow of an order", lambda: orders.OrderFlow(course).take(), Flow)


@pytest.fixture
def card_flow(course: Course, release: Release, run: Run) -> Flow:
    """The life of a kanban card."""
    require(release, kanban.NEEDS)
    return run.once("flow of a card", lambda: kanban.KanbanFlow(course).take(), Flow)


@pytest.fixture
def old_orders(course: Course, environment: Environment, release: Release, run: Run) -> Flow:
    """Orders that were there before the release; without a declared deployment, before the run."""
    require(release, orders.NEEDS)
    before = environment.deployment.started_at if environment.deployment else run.started
    return run.once("old orders", lambda: existing.taken(course, before), Flow)
