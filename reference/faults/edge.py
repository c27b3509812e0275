"""Faults of what stands around the application: the proxy, its certificate, the database server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference.faults.registry import launch_fault

if TYPE_CHECKING:
    from reference.launch.plan import Plan


@launch_fault("certificate-other-host", "SMK-1")
def certificate_other_host(plan: Plan) -> Plan:
    """The certificate is for another host."""
    return replace(plan, certificate_names=("other.example.org",))


@launch_fault("certificate-expired", "SMK-1")
def certificate_expired(plan: Plan) -> Plan:
    """The certificate expired yesterday."""
    return replace(plan, certificate_days=(-91, -1))


@launch_fault("connection-refused", "SMK-1")
def connection_refused(plan: Plan) -> Plan:
    """Nothing listens at the announced address."""
    return replace(plan, stopped=(*plan.stopped, "proxy"))


@launch_fault("database-refused", "SMK-1", "SMK-2")
def database_refused(plan: Plan) -> Plan:
    """The database is down."""
    return replace(plan, stopped=(*plan.stopped, "database"))
