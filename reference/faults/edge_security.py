"""Faults of what stands in front of the service, and of who watches it: firewall, floods, intruders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference.faults.registry import launch_fault

if TYPE_CHECKING:
    from reference.launch.plan import Plan

PHASE = "security"
FIREWALL, FLOODS, INTRUSION = "SEC-POST-1", "SEC-POST-2", "SEC-POST-3"
BLOCK = "if ($hostile) {\n            return 403;\n        }"
SIGNATURE = '"~*(<|%3c)script" 1;'


def with_edit(plan: Plan, text: str, other: str) -> Plan:
    """Return the plan of a proxy with text replaced in its configuration."""
    return replace(plan, proxy_edits=(*plan.proxy_edits, ("nginx.conf", text, other)))


@launch_fault("waf-only-detects", FIREWALL, phase=PHASE)
def waf_only_detects(plan: Plan) -> Plan:
    """The firewall notices attacks, and lets them pass."""
    return with_edit(plan, BLOCK, "set $noticed $hostile;")


@launch_fault("waf-blocks-words", FIREWALL, phase=PHASE)
def waf_blocks_words(plan: Plan) -> Plan:
    """The firewall takes the word "script" for an attack."""
    return with_edit(plan, SIGNATURE, '"~*script" 1;')


@launch_fault("connections-unlimited", FLOODS, phase=PHASE)
def connections_unlimited(plan: Plan) -> Plan:
    """One address may have as many requests under way as it likes."""
    return with_edit(plan, "limit_conn connections 16;", "")


@launch_fault("slow-requests-kept", FLOODS, phase=PHASE)
def slow_requests_kept(plan: Plan) -> Plan:
    """A client may take a minute to send the head of its request."""
    return with_edit(plan, "client_header_timeout 5s;", "client_header_timeout 60s;")


@launch_fault("sentry-stopped", INTRUSION, phase=PHASE)
def sentry_stopped(plan: Plan) -> Plan:
    """The intrusion detector is not running."""
    return replace(plan, stopped=(*plan.stopped, "sentry"))


@launch_fault("sentry-hangs", INTRUSION, phase=PHASE)
def sentry_hangs(plan: Plan) -> Plan:
    """The intrusion detector is there and does nothing."""
    return replace(plan, paused=(*plan.paused, "sentry"))
