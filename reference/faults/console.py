"""Faults of the database's console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.faults.edge_security import with_edit
from reference.faults.registry import launch_fault

if TYPE_CHECKING:
    from reference.launch.plan import Plan

PHASE = "security"
CONSOLE = "DASH-4"
BEFORE = "        location = /health {"


@launch_fault("console-without-password", CONSOLE, phase=PHASE)
def console_without_password(plan: Plan) -> Plan:
    """The database's console asks nobody for a password."""
    return with_edit(plan, 'auth_basic "Database console";', "auth_basic off;")


@launch_fault("console-public", CONSOLE, phase=PHASE)
def console_public(plan: Plan) -> Plan:
    """The database's console is also at the public address."""
    location = "location /pgadmin/ { proxy_pass http://127.0.0.1:@{console_port}/; }"
    return with_edit(plan, BEFORE, f"        {location}\n{BEFORE}")
