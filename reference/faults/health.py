"""Faults of the health endpoint, and of what the release says it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from reference.application.health import report
from reference.faults import broken
from reference.faults.registry import answer_fault, launch_fault
from reference.launch.plan import PREVIOUS

if TYPE_CHECKING:
    from reference.application.table import Call, Handler
    from reference.faults.registry import Result
    from reference.launch.plan import Plan


def without_database(plan: Plan) -> Plan:
    """Stop the database once everything is ready."""
    return replace(plan, stopped=(*plan.stopped, "database"))


@answer_fault("health-500", "SMK-1", endpoint="health")
async def health_500(_: Handler, __: Call) -> Result:
    """The health endpoint answers 500."""
    return broken.server_error()


@answer_fault("health-ignores-database", "SMK-1", "SMK-2", endpoint="health", plan=without_database)
async def health_ignores_database(_: Handler, call: Call) -> Result:
    """The health endpoint says that all is well while the database is down."""
    return report(call.settings, ready=True)


@answer_fault("slow-health", "SMK-1", endpoint="health")
async def slow_health(honest: Handler, call: Call) -> Result:
    """The health endpoint takes 30 seconds."""
    await broken.delay()
    return await honest(call)


@answer_fault("hang", "SMK-1", endpoint="health")
async def hang(_: Handler, __: Call) -> Result:
    """The health endpoint accepts a request and never answers it."""
    await asyncio.Event().wait()
    return None


@launch_fault("wrong-version", "SMK-1")
def wrong_version(plan: Plan) -> Plan:
    """The previous version is served."""
    return with_variable(plan, "RELEASE_VERSION", PREVIOUS)


@launch_fault("wrong-environment", "SMK-1")
def wrong_environment(plan: Plan) -> Plan:
    """The target belongs to another environment."""
    return with_variable(plan, "ENVIRONMENT", "staging")


@launch_fault("wrong-commit", "SMK-1")
def wrong_commit(plan: Plan) -> Plan:
    """The version is right, but it was built from another commit."""
    return with_variable(plan, "RELEASE_COMMIT", "0" * 40)


def with_variable(plan: Plan, name: str, value: str) -> Plan:
    """Return the plan with one environment variable of the application changed."""
    return replace(plan, variables=plan.variables | {name: value})
