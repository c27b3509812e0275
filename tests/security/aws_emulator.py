"""moto, an emulator of AWS, as a process of its own on loopback: nothing real can be asked by a test.

It answers in AWS's own formats, and knows accounts, keys and IAM policies. It lacks two of the calls that
the suite makes. They are added here: one reads the emulator's own state, the other repeats what AWS says
about one of its rule groups. And it takes the signature of a GET for a wrong one.

    python -m tests.security.aws_emulator

prints its address once it listens.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from moto.iam.access_control import IAMRequestBase
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.shield.responses import ShieldResponse
from moto.wafv2.responses import WAFV2Response
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from moto.core.common_types import TYPE_RESPONSE

MANAGED = {
    "VersionName": "Version_1.14",
    "Capacity": 700,
    "Rules": [
        {"Name": "NoUserAgent_HEADER", "Action": {"Block": {}}},
        {"Name": "SizeRestrictions_BODY", "Action": {"Block": {}}},
        {"Name": "CrossSiteScripting_QUERYARGUMENTS", "Action": {"Block": {}}},
    ],
    "LabelNamespace": "awswaf:managed:aws:core-rule-set:",
}
"""A part of AWSManagedRulesCommonRuleSet, in the shape of DescribeManagedRuleGroup."""


def get_subscription_state(self: ShieldResponse) -> str:
    """Say whether there is a subscription."""
    state = "ACTIVE" if self.shield_backend.subscription else "INACTIVE"
    return json.dumps({"SubscriptionState": state})


def describe_managed_rule_group(self: WAFV2Response) -> TYPE_RESPONSE:
    """Describe a rule group of AWS."""
    assert json.loads(self.body)["Name"] == "AWSManagedRulesCommonRuleSet"
    return 200, {"Content-Type": "application/json"}, json.dumps(MANAGED)


check_signature = IAMRequestBase.check_signature


def check_signature_rightly(self: IAMRequestBase) -> None:
    """Check a signature; that of a GET is over no body, and not over the headers in its place."""
    if self._method == "GET":
        self._data = {}
    check_signature(self)


def main() -> None:
    """Serve until the process is ended."""
    IAMRequestBase.check_signature = check_signature_rightly  # type: ignore[method-assign]
    ShieldResponse.get_subscription_state = get_subscription_state  # type: ignore[attr-defined]
    WAFV2Response.describe_managed_rule_group = describe_managed_rule_group  # type: ignore[attr-defined]
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
