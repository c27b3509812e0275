"""What AWS itself says about the protection of the account, where the environment file declares it.

It stands beside what is seen from outside and on hosts, and is judged only where ``[aws]`` is declared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.observation import CannotObserve

if TYPE_CHECKING:
    from fixtures.aws_protection import AwsProtection

pytestmark = pytest.mark.security

ENABLED = "ENABLED"
ACTIVE = "ACTIVE"


@item("SEC-POST-1")
def test_web_acl_is_attached(aws_protection: AwsProtection, measured: Measured) -> None:
    """Every declared load balancer and distribution has a web ACL of AWS WAF."""
    fronts = aws_protection.fronts()
    bare = [each for each in fronts.of if not each.name]
    measured(f"{len(bare)} of {len(fronts.of)} have none, says {fronts.asked}")

    assert not bare, explain(
        expected="a web ACL attached to each resource of aws.web_acl.attached_to",
        seen="; ".join(f"{each.resource} has none" for each in bare),
        next="associate the web ACL with it: until then nothing filters its requests",
        by_hand=bare[0].by_hand,
    )


@item("SEC-POST-1")
def test_web_acl_blocks_and_does_not_only_count(
    aws_protection: AwsProtection, measured: Measured, exhibits: Exhibits
) -> None:
    """Something in each web ACL blocks: its default action, or a rule that is not overridden to count.

    Whether it blocks attacks is shown by the requests that are sent to the API, and by them only.
    """
    fronts = aws_protection.fronts()
    attached = [each for each in fronts.of if each.name]
    idle = [each for each in attached if not each.blocks]
    if not attached:
        raise CannotObserve(
            "reading the rules of a web ACL", "none is attached", remedy="see the other check"
        )
    measured(f"{len(idle)} of {len(attached)} block nothing, says {fronts.asked}")
    exhibits.table(
        "web ACLs",
        ("resource", "web ACL", "blocks", "lets pass"),
        [(each.resource, each.name, each.blocks or "nothing", "; ".join(each.passes)) for each in attached],
    )

    assert not idle, explain(
        expected="a rule that blocks, or the default action Block, in each attached web ACL",
        seen="; ".join(
            f"web ACL {each.name} blocks nothing: {', '.join(each.passes) or 'it has no rules'}"
            for each in idle
        ),
        next="take the overrides to Count away, once they have shown what the rules would block",
        by_hand=idle[0].by_hand,
    )


@item("SEC-POST-2")
def test_shield_advanced_is_subscribed(aws_protection: AwsProtection, measured: Measured) -> None:
    """The account's subscription to Shield Advanced is active."""
    subscription = aws_protection.subscription()
    measured(f"{subscription.state}, says {subscription.asked}")

    assert subscription.state == ACTIVE, explain(
        expected="an active subscription to Shield Advanced, as [aws.shield] declares",
        seen=f"{subscription.asked} says that it is {subscription.state}",
        next="subscribe the account, or take [aws.shield] out of the environment file and attest SEC-POST-2",
        by_hand="aws shield get-subscription-state --region us-east-1",
    )


@item("SEC-POST-2")
def test_shield_advanced_protects_what_is_declared(aws_protection: AwsProtection, measured: Measured) -> None:
    """Each declared resource has a protection of its own: a subscription alone protects nothing."""
    protected = aws_protection.protected()
    bare = [resource for resource, id_ in protected.by.items() if not id_]
    measured(f"{len(bare)} of {len(protected.by)} have none, says {protected.asked}")

    assert not bare, explain(
        expected="a protection of Shield Advanced for each resource of aws.shield.protects",
        seen="; ".join(f"{resource} has none" for resource in bare),
        next="add the resource to the protected resources of Shield Advanced",
        by_hand=f"aws shield describe-protection --region us-east-1 --resource-arn {next(iter(bare), '')}",
    )


@item("SEC-POST-3")
def test_guardduty_is_enabled(aws_protection: AwsProtection, measured: Measured) -> None:
    """A GuardDuty detector watches the account in this region, and none is switched off."""
    watch = aws_protection.watch()
    off = [each for each in watch.detectors if each.status != ENABLED]
    measured(f"{', '.join(each.status for each in watch.detectors) or 'none'}, says {watch.asked}")

    assert watch.detectors and not off, explain(  # noqa: PT018  one claim
        expected=f"a GuardDuty detector that is {ENABLED}",
        seen="; ".join(f"detector {each.id} is {each.status}" for each in off)
        or f"{watch.asked} has no detector",
        next="enable GuardDuty in this region, and find out who or what has disabled it",
        by_hand=watch.by_hand,
    )


@item("SEC-POST-3")
def test_guardduty_watches_the_declared_features(aws_protection: AwsProtection, measured: Measured) -> None:
    """Each feature that the environment file names is enabled too."""
    watch = aws_protection.watch_with_features()
    seen = {
        feature: [each.features.get(feature, "not known to it") for each in watch.detectors]
        or ["no detector"]
        for feature in watch.wanted
    }
    off = {feature: states for feature, states in seen.items() if set(states) != {ENABLED}}
    measured(f"{len(off)} of {len(seen)} are not enabled, says {watch.asked}")

    assert not off, explain(
        expected="each feature of aws.guardduty.features is enabled",
        seen="; ".join(f"{feature}: {', '.join(states)}" for feature, states in off.items()),
        next="enable it in GuardDuty, or take it out of the environment file if nothing here needs it",
        by_hand=watch.by_hand,
    )
