"""An account of the emulator, what is switched on in it, and what the checks say about it."""

from __future__ import annotations

import functools
import inspect
import json
import os
import runpy
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import boto3

from checks import Exhibits
from fixtures.aws_protection import AwsProtection
from fixtures.environment import Environment
from fixtures.observation import Absent, CannotObserve, Pending
from fixtures.secrets import Vault

if TYPE_CHECKING:
    from fixtures.run import Run

PROJECT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "ap-southeast-3"
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/erp/50dc6c495c0c9188"
CHECKS = {
    name: check
    for name, check in runpy.run_path(str(PROJECT / "checks" / "security" / "test_aws.py")).items()
    if name.startswith("test_")
}
ATTACHED, BLOCKS = "test_web_acl_is_attached", "test_web_acl_blocks_and_does_not_only_count"
SUBSCRIBED, PROTECTS = "test_shield_advanced_is_subscribed", "test_shield_advanced_protects_what_is_declared"
ENABLED, FEATURES = "test_guardduty_is_enabled", "test_guardduty_watches_the_declared_features"

MANAGED = {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}
MEMBERS = ("NoUserAgent_HEADER", "SizeRestrictions_BODY", "CrossSiteScripting_QUERYARGUMENTS")
VISIBILITY = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
BY_COUNTRY = {"GeoMatchStatement": {"CountryCodes": ["AQ"]}}


class Nobody:
    def cover(self, item: str, reason: str) -> NoReturn:
        raise Pending(item, "nobody has stated anything", reason, remedy="")


# ---------------------------------------------------------------- an emulated account


@dataclass(frozen=True)
class Account:
    """An account of the emulator, seen by its administrator."""

    url: str

    @functools.cache  # noqa: B019  a client costs half a second, and a test process has one account
    def client(self, service: str, region: str = "us-east-1") -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="AKIAADMINISTRATOR00",
            aws_secret_access_key="administrator",  # noqa: S106  the emulator asks for any
        )

    def post(self, path: str, data: bytes) -> None:
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "text/plain"})  # noqa: S310  its own
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310  as above

    def enable(self, *, is_on: bool = True, features: str = "ENABLED", region: str = REGION) -> None:
        self.client("guardduty", region).create_detector(
            Enable=is_on, Features=[{"Name": "S3_DATA_EVENTS", "Status": features}]
        )

    def protect(self, *resources: str) -> None:
        shield = self.client("shield")
        for number, resource in enumerate(resources):
            shield.create_protection(Name=f"p{number}", ResourceArn=resource)

    def web_acl(
        self, *rules: dict[str, Any], default: str = "Allow", scope: str = "REGIONAL", name: str = "erp-edge"
    ) -> str:
        waf = self.client("wafv2", REGION if scope == "REGIONAL" else "us-east-1")
        made = waf.create_web_acl(
            Name=name,
            Scope=scope,
            DefaultAction={default: {}},
            VisibilityConfig=VISIBILITY,
            Rules=[{"Priority": n, "VisibilityConfig": VISIBILITY, **rule} for n, rule in enumerate(rules)],
        )
        return str(made["Summary"]["ARN"])

    def attach(self, acl: str, resource: str = BALANCER) -> None:
        self.client("wafv2", REGION).associate_web_acl(WebACLArn=acl, ResourceArn=resource)

    def rule_group(self, action: str) -> str:
        made = self.client("wafv2", REGION).create_rule_group(
            Name="own",
            Scope="REGIONAL",
            Capacity=10,
            VisibilityConfig=VISIBILITY,
            Rules=[
                {
                    "Name": "from the ice",
                    "Priority": 0,
                    "Statement": BY_COUNTRY,
                    "Action": {action: {}},
                    "VisibilityConfig": VISIBILITY,
                }
            ],
        )
        return str(made["Summary"]["ARN"])

    def distribution(self, acl: str) -> str:
        origin = {"Id": "o", "DomainName": "o.example.org", "CustomOriginConfig": {
            "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}}  # fmt: skip
        made = self.client("cloudfront").create_distribution(
            DistributionConfig={
                "CallerReference": "gonogo",
                "Origins": {"Quantity": 1, "Items": [origin]},
                "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only"},
                "Comment": "",
                "Enabled": True,
                "WebACLId": acl,
            }
        )
        return str(made["Distribution"]["ARN"])

    def user(self, *actions: str) -> dict[str, str]:
        """Make a user who may do this and nothing else; return the variables with the keys."""
        iam = self.client("iam")
        iam.create_user(UserName="gonogo")
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
        }
        iam.put_user_policy(UserName="gonogo", PolicyName="reads", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName="gonogo")["AccessKey"]
        return {"AWS_ID_TRIED": key["AccessKeyId"], "AWS_SECRET_TRIED": key["SecretAccessKey"]}


BLOCKING = {"Name": "ice", "Statement": BY_COUNTRY, "Action": {"Block": {}}}


def group(
    override: str = "None",
    *,
    overridden: tuple[str, ...] = (),
    excluded: tuple[str, ...] = (),
    to: str = "Count",
) -> dict[str, Any]:
    """Return a rule that uses a rule group of AWS."""
    statement = {
        **MANAGED,
        "RuleActionOverrides": [{"Name": name, "ActionToUse": {to: {}}} for name in overridden],
        "ExcludedRules": [{"Name": name} for name in excluded],
    }
    return {
        "Name": "common",
        "Statement": {"ManagedRuleGroupStatement": statement},
        "OverrideAction": {override: {}},
    }


def healthy(account: Account, rules: tuple[dict[str, Any], ...] = (BLOCKING,)) -> None:
    """Switch everything on; the web ACL has these rules."""
    account.enable()
    account.client("shield").create_subscription()
    account.protect(BALANCER)
    account.attach(account.web_acl(*rules))


KEYS = {"access_key_id": "env:AWS_ID_TRIED", "secret_access_key": "env:AWS_SECRET_TRIED"}


def described(url: str, *, account: str = ACCOUNT, more: dict[str, Any] | None = None, **parts: Any) -> Any:
    aws = {"account": account, "region": REGION, "credentials": KEYS, "emulator": url, **parts}
    return Environment.model_validate(
        {"name": "tried", "release": "1", "identity": {"unproven": "a test"}, "aws": aws, **(more or {})}
    )


EVERYTHING: dict[str, Any] = {
    "guardduty": {"features": ["S3_DATA_EVENTS"]},
    "shield": {"protects": [BALANCER]},
    "web_acl": {"attached_to": [BALANCER]},
}


def protection(run: Run, environment: Any) -> AwsProtection:
    vault = Vault(None, str)
    return AwsProtection(environment, run=run, vault=vault, attestations=Nobody())  # type: ignore[arg-type]  # nobody states


def noted(*_: object, **__: object) -> None:
    """Stand for the fixture ``measured``."""


def judged(probe: AwsProtection) -> dict[str, str]:
    """Return what every check says: an empty string if it is green, its message or exception otherwise."""
    said = {}
    for name, check in CHECKS.items():
        extra = [Exhibits()] if "exhibits" in inspect.signature(check).parameters else []
        try:
            check(probe, noted, *extra)
        except AssertionError as error:
            said[name] = f"FAILED {error}"
        except (CannotObserve, Absent, Pending) as error:
            said[name] = f"{type(error).__name__} {error} | {getattr(error, 'remedy', '')}"
    return said


def judged_at(run: Run, account: Account, **parts: Any) -> dict[str, str]:
    return judged(protection(run, described(account.url, **{**EVERYTHING, **parts})))


def run_with(
    url: str, folder: Path, *options: str, declared: dict[str, Any], keys: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the checks of AWS as a user does, against the embedded release and what answers at ``url``."""
    aws = {
        "account": ACCOUNT,
        "region": REGION,
        "emulator": url,
        "credentials": KEYS | (keys or {}),
        **declared,
    }
    local = (PROJECT / "fixtures" / "environments" / "local.toml").read_text("utf-8")
    # What this process is told as a worker of its own run is not meant for the other.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST_")}
    (folder / "tried.toml").write_text(f"aws = {_inline(aws)}\n{local}", "utf-8")
    return subprocess.run(
        [
            sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "security", "-k", "test_aws",
            f"--env={folder / 'tried.toml'}", *options,
        ],
        cwd=PROJECT, env=inherited, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def _inline(value: object) -> str:
    """Return a value as TOML writes it on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(part)}" for key, part in value.items()) + " }"
    return json.dumps(value)
