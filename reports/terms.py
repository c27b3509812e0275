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


def limitations_of(environment: Environment) -> tuple[str, ...]:
    """Return what a reader of the report has to know that the suite could not or need not verify here."""
    unproven = environment.identity.unproven
    return (
        *((f"The target has not proven which environment it is: {unproven}",) if unproven else ()),
        *(f"There is no {component} here: {reason}" for component, reason in environment.absent.items()),
        *(f"{item} does not apply: {reason}" for item, reason in environment.not_applicable.items()),
        *(
            f"{waiver.item} is waived until {waiver.expires} by {waiver.owner}: {waiver.reason}"
            for waiver in environment.waivers
        ),
    )
