"""GuardDuty, Shield Advanced and AWS WAF in the states of an emulated account, asked by the real SDK.

Nothing real can be asked here: the account is one of moto, an emulator.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.run import Run
from tests.security.aws_account import (
    ACCOUNT,
    ATTACHED,
    BALANCER,
    BLOCKING,
    BLOCKS,
    CHECKS,
    ENABLED,
    EVERYTHING,
    FEATURES,
    MEMBERS,
    PROJECT,
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
    run_with,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NO_GO, HOLD = 1, 6


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


@pytest.mark.parametrize(("second", "outcome"), [(group(), None), (group("Count"), "CannotObserve")])
def test_emulated_rule_group_that_cannot_be_read_leaves_it_to_the_others(
    second: dict[str, Any], outcome: str | None, account: Account, run: Run
) -> None:
    gone = f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/rulegroup/gone/11111111-2222-3333-4444-555555555555"
    reference = {"RuleGroupReferenceStatement": {"ARN": gone}}
    healthy(account, ({"Name": "gone", "Statement": reference, "OverrideAction": {"None": {}}}, second))
    said = judged_at(run, account)

    assert said.keys() == ({ATTACHED, BLOCKS} if outcome else set())
    assert all(each.startswith(f"{outcome} wafv2:GetRuleGroup: ") for each in said.values())


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


# ---------------------------------------------------------------- as a user runs it


@pytest.mark.parametrize(
    ("change", "status", "red"), [(None, HOLD, set()), (detector(is_on=False), NO_GO, {"SEC-POST-3"})]
)
def test_fault_of_an_emulated_account_reaches_the_verdict(
    change: Callable[[Account], None] | None, status: int, red: set[str], account: Account, tmp_path: Path
) -> None:
    healthy(account)
    if change:
        change(account)
    done = run_with(account.url, tmp_path, declared=EVERYTHING)
    report = re.search(r"^report: (.+)/report\.html$", done.stdout, re.MULTILINE)
    assert report, done.stdout + done.stderr
    verdict = json.loads((PROJECT / report[1] / "verdict.json").read_text("utf-8"))
    records = {each["test"].partition("::")[2]: each for each in verdict["records"]}

    assert done.returncode == status  # a selection is partial, and holds
    assert {name for name, item in verdict["items"].items() if item["outcome"] == "FAILED"} == red
    assert {records[name]["outcome"] for name in CHECKS if name != ENABLED} == {"PASSED"}
    assert f"an emulator at {account.url}, which is not AWS" in records[ENABLED]["measured"]
