"""Faults of who may call from a browser, seen by an attacker: those that only errors show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.faults.paths import with_proxy_policy
from reference.faults.registry import launch_fault
from reference.faults.security import with_edits

if TYPE_CHECKING:
    from reference.launch.plan import Plan

PHASE = "security"
CORS = "SEC-PRE-2"
BY_STATUS = """    map $status $granted_on_error {{
        default {good};
        "~^4" {error};
    }}

    upstream application {{"""


def with_policy_by_status(plan: Plan, good: str, error: str) -> Plan:
    """Return the plan of a proxy that lets in one origin with good answers, and another with errors."""
    edited = with_edits(plan, ("    upstream application {", BY_STATUS.format(good=good, error=error)))
    return with_proxy_policy(edited, "add_header Access-Control-Allow-Origin $granted_on_error always;")


@launch_fault("cors-open-on-errors", CORS, phase=PHASE)
def cors_open_on_errors(plan: Plan) -> Plan:
    """Errors are told to every origin, good answers to the promised ones."""
    return with_policy_by_status(plan, "$upstream_http_access_control_allow_origin", "$http_origin")


@launch_fault("cors-missing-on-errors", CORS, phase=PHASE)
def cors_missing_on_errors(plan: Plan) -> Plan:
    """Errors are told to nobody: nginx's add_header without always."""
    return with_policy_by_status(plan, "$upstream_http_access_control_allow_origin", '""')
