"""GuardDuty, Shield Advanced and AWS WAF in the states of an emulated account, asked by the real SDK.

Nothing real can be asked here: the account is one of moto, an emulator.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.run import Run
from tests.security.aws_account import (
    ATTACHED,
    BALANCER,
    BLOCKING,
    BLOCKS,
    CHECKS,
    ENABLED,
    FEATURES,
    MEMBERS,
    PROTECTS,
    REGION,
    SUBSCRIBED,
    Account,
    described,
    group,
    healthy,
    judged,
    judged_at,
    protection,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    return Run("20261122T191500Z-3fa9", scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))


def test_checks_are_those_that_are_tried_here() -> None:
    assert set(CHECKS) == {ATTACHED, BLOCKS, SUBSCRIBED, PROTECTS, ENABLED, FEATURES}


def test_emulated_account_with_everything_switched_on_is_green(account: Account, run: Run) -> None:
    healthy(account)

    assert judged_at(run, account) == {}


def without_detector(account: Account) -> None:
    client = account.client("guardduty", REGION)
    client.delete_detector(DetectorId=client.list_detectors()["DetectorIds"][0])


def detector(**parts: Any) -> Callable[[Account], None]:
    def change(account: Account) -> None:
        without_detector(account)
        account.enable(**parts)

    return change


def unprotected(account: Account) -> None:
    shield = account.client("shield")
    (known,) = shield.list_protections()["Protections"]
    shield.delete_protection(ProtectionId=known["Id"])


def unsubscribed(account: Account) -> None:
    account.post("/moto-api/reset", b"")
    account.enable()
    account.protect(BALANCER)
    account.attach(account.web_acl(BLOCKING))


def detached(account: Account) -> None:
    account.client("wafv2", REGION).disassociate_web_acl(ResourceArn=BALANCER)


FAULTS: dict[str, tuple[Callable[[Account], None], dict[str, str]]] = {
    "detector disabled": (
        detector(is_on=False),
        {ENABLED: r"FAILED .*seen: detector \w+ is DISABLED"},
    ),
    "no detector": (
        without_detector,
        {ENABLED: r"FAILED .*seen: an emulator at \S+, which is not AWS has no detector",
         FEATURES: r"FAILED .*S3_DATA_EVENTS: no detector"},
    ),
    "detector in another region": (
        detector(region="eu-central-1"),
        {ENABLED: r"FAILED .*has no detector", FEATURES: r"FAILED .*S3_DATA_EVENTS: no detector"},
    ),
    "feature disabled": (
        detector(features="DISABLED"),
        {FEATURES: r"FAILED .*seen: S3_DATA_EVENTS: DISABLED"},
    ),
    "no subscription": (unsubscribed, {SUBSCRIBED: r"FAILED .*says that it is INACTIVE"}),
    "resource unprotected": (
        unprotected,
        {PROTECTS: rf"FAILED .*seen: {BALANCER} has none"},
    ),
    "web ACL not attached": (
        detached,
        {ATTACHED: rf"FAILED .*seen: {BALANCER} has none", BLOCKS: r"CannotObserve .*none is attached"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_of_an_emulated_account_is_red_and_nothing_else_is(
    fault: str, account: Account, run: Run
) -> None:
    change, expected = FAULTS[fault]
    healthy(account)
    change(account)

    said = judged_at(run, account)

    assert said.keys() == expected.keys()
    for name, pattern in expected.items():
        assert re.search(pattern, said[name], re.DOTALL), said[name]


# ---------------------------------------------------------------- web ACLs that count


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ((), "it has no rules"),
        (({**BLOCKING, "Action": {"Count": {}}},), "ice: Count"),
        (({**BLOCKING, "Action": {"Allow": {}}},), "ice: Allow"),
        ((group("Count"),), "common: the whole group is overridden to Count"),
        ((group(overridden=MEMBERS),), "common: 3 of 3 rules would block, and all of those are overridden"),
        ((group(excluded=MEMBERS),), "common: 3 of 3 rules would block"),
        ((group(overridden=MEMBERS[:2], excluded=MEMBERS[2:]),), "common: 3 of 3 rules would block"),
        ((group(overridden=MEMBERS, to="Challenge"),), "common: 3 of 3 rules would block"),
        ((group("Count"), {**BLOCKING, "Action": {"Count": {}}}), "ice: Count, common: the whole group"),
    ],
)
def test_emulated_web_acl_that_only_counts_is_red(
    rules: tuple[dict[str, Any], ...], told: str, account: Account, run: Run
) -> None:
    healthy(account, rules)

    said = judged_at(run, account)

    assert said.keys() == {BLOCKS}
    assert f"seen: web ACL erp-edge blocks nothing: {told}" in said[BLOCKS]


@pytest.mark.parametrize(
    ("rules", "default"),
    [
        ((), "Block"),
        (({**BLOCKING, "Action": {"Count": {}}},), "Block"),
        ((group(),), "Allow"),
        ((group(overridden=MEMBERS[:2]),), "Allow"),
        ((group("Count"), BLOCKING), "Allow"),
    ],
)
def test_emulated_web_acl_of_which_a_part_blocks_is_green(
    rules: tuple[dict[str, Any], ...], default: str, account: Account, run: Run
) -> None:
    account.attach(account.web_acl(*rules, default=default))

    assert judged(protection(run, described(account.url, web_acl={"attached_to": [BALANCER]}))).keys() == {
        SUBSCRIBED, PROTECTS, ENABLED, FEATURES,
    }  # fmt: skip


@pytest.mark.parametrize(("action", "is_green"), [("Block", True), ("Count", False)])
def test_emulated_rule_group_of_ones_own_is_read(
    action: str, is_green: bool, account: Account, run: Run
) -> None:
    reference = {"RuleGroupReferenceStatement": {"ARN": account.rule_group(action)}}
    rule = {"Name": "own", "Statement": reference, "OverrideAction": {"None": {}}}
    healthy(account, (rule,))

    assert judged_at(run, account).keys() == (set() if is_green else {BLOCKS})


# ---------------------------------------------------------------- distributions


@pytest.mark.parametrize(
    ("rules", "told"),
    [((BLOCKING,), None), ((group(),), None), ((group("Count"),), "blocks nothing: common")],
)
def test_emulated_distribution_with_a_web_acl_is_read(
    rules: tuple[dict[str, Any], ...], told: str | None, account: Account, run: Run
) -> None:
    healthy(account)
    front = account.distribution(account.web_acl(*rules, scope="CLOUDFRONT"))
    said = judged_at(run, account, web_acl={"attached_to": [BALANCER, front]})

    assert said.keys() == ({BLOCKS} if told else set())
    assert told is None or told in said[BLOCKS]


def test_emulated_distribution_without_a_web_acl_is_red(account: Account, run: Run) -> None:
    healthy(account)
    front = account.distribution("")
    said = judged_at(run, account, web_acl={"attached_to": [BALANCER, front]})

    assert said.keys() == {ATTACHED}
    assert f"seen: {front} has none" in said[ATTACHED]


def test_emulated_distribution_with_a_web_acl_of_waf_classic_is_not_observed(
    account: Account, run: Run
) -> None:
    healthy(account)
    front = account.distribution("473e64fd-f30b-4765-81a0-62ad96dd167a")
    said = judged_at(run, account, web_acl={"attached_to": [front]})

    assert said.keys() == {ATTACHED, BLOCKS}
    assert all(each.startswith("CannotObserve") and "WAF Classic" in each for each in said.values())
