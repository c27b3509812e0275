"""What an environment contributes to a verdict: exceptions, people and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.verdict import Contact, Escalation, Terms, Waiver

if TYPE_CHECKING:
    from fixtures.environment import Environment


def terms_of(environment: Environment) -> Terms:
    """Return the part of an environment file that the verdict depends on."""
    return Terms(
        not_applicable=dict(environment.not_applicable),
        waivers={
            waiver.item: Waiver(reason=waiver.reason, owner=waiver.owner, expires=waiver.expires)
            for waiver in environment.waivers
        },
        escalation={
            int(severity): Escalation(
                within_min=escalation.respond_within_min,
                contacts=tuple(
                    Contact(c.role, c.name, c.phone or c.email or c.ticket or "") for c in escalation.contacts
                ),
            )
            for severity, escalation in environment.escalation.items()
        },
        rollback=environment.rollback.commands,
        rollback_within_min=environment.rollback.within_min,
    )
