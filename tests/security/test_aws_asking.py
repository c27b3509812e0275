"""Who AWS is asked as, what keeps us from asking, and what is never asked.

Rights are those of moto, an emulator with IAM policies; what it cannot do (throttling, pages, broken answers)
are recorded answers, served on loopback.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.aws import ATTEMPTS, LONGEST_QUOTE, NEEDS, Aws
from fixtures.edge import Edge
from fixtures.environment import Environment
from fixtures.intrusion import Intrusion
from fixtures.observation import Absent, CannotObserve, Pending
from fixtures.run import Raised, Run
from fixtures.secrets import Vault
from tests.probes.servers import application, free_port, response, serving
from tests.security.aws_account import (
    ACCOUNT,
    BALANCER,
    CHECKS,
    ENABLED,
    EVERYTHING,
    PROJECT,
    Account,
    Nobody,
    described,
    group,
    healthy,
    judged,
    protection,
    run_with,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("own_keys")

DOCS = (PROJECT / "docs" / "environment-file.md").read_text("utf-8")
(POLICY,) = re.findall(r"^```json\n(\{.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)
ACTIONS: list[str] = json.loads(POLICY)["Statement"][0]["Action"]
NOT_EMULATED = {"elasticloadbalancing:GetLoadBalancerWebACL"}
"""AWS asks for it together with wafv2:GetWebACLForResource, the emulator does not."""

GUARDDUTY: dict[str, Any] = {"guardduty": {}}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    return Run("20261122T191500Z-3fa9", scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))


# ---------------------------------------------------------------- recorded answers


def json_of(status: int, body: object, kind: str = "") -> bytes:
    headers = {"Content-Type": "application/x-amz-json-1.1", **({"x-amzn-ErrorType": kind} if kind else {})}
    return response(status, json.dumps(body).encode(), headers)


def caller(account: str = ACCOUNT) -> bytes:
    return response(
        200,
        f"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{account}</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>".encode(),
        {"Content-Type": "text/xml"},
    )


EXPIRED = response(
    403,
    b"<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>"
    b"<Message>The security token included in the request is expired</Message></Error></ErrorResponse>",
    {"Content-Type": "text/xml"},
)
DENIED = json_of(
    403,
    {
        "message": "User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: "
        "guardduty:ListDetectors on resource: * because no identity-based policy allows it"
    },
    "AccessDeniedException",
)
THROTTLED = json_of(429, {"message": "Rate exceeded"}, "ThrottlingException")
BROKEN = json_of(500, {"message": "Internal server error."}, "InternalServerErrorException")
PORTAL = response(200, b"<html>sign in to the guests' network</html>", {"Content-Type": "text/html"})


@dataclass
class Recorded:
    """What a server on loopback has been asked, in place of AWS."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def recorded(*answers: bytes, identity: bytes | None = None) -> Iterator[Recorded]:
    """Answer GetCallerIdentity, and everything else with each answer in turn, the last one for ever."""
    seen = Recorded()

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        if b"GetCallerIdentity" in body:
            seen.asked.append("sts")
            return identity or caller()
        seen.asked.append(headers.get("x-amz-target") or f"{method} {target}")
        number = sum(each != "sts" for each in seen.asked) - 1
        return answers[min(number, len(answers) - 1)]

    with serving(application(answer)) as server:
        seen.url = server.url
        yield seen


# ---------------------------------------------------------------- identity


def test_credentials_of_another_account_end_the_questions_of_an_emulator(account: Account, run: Run) -> None:
    healthy(account)
    other: dict[str, Any] = {"guardduty": {}, "shield": {"protects": ["arn:aws:route53:::hostedzone/Z1"]}}
    said = judged(protection(run, described(account.url, account="210987654321", **other)))
    told = f"the credentials belong to account {ACCOUNT}, the environment file says 210987654321"

    asked = [each for name, each in said.items() if "web_acl" not in name and "features" not in name]
    assert len(asked) == 3
    assert all(
        each.startswith("CannotObserve identity of the AWS account: ") and told in each for each in asked
    )


def test_nothing_but_the_identity_is_asked_of_another_account(run: Run) -> None:
    with recorded(json_of(200, {}), identity=caller("210987654321")) as aws:
        judged(protection(run, described(aws.url, **EVERYTHING)))

    assert aws.asked == ["sts"]


# ---------------------------------------------------------------- rights


def test_policy_of_the_manual_is_what_the_calls_need() -> None:
    assert sorted(ACTIONS) == sorted({action for needs in NEEDS.values() for action in needs})


def everything_in(account: Account) -> dict[str, Any]:
    """Switch everything on, so that every call has to be made; return what is declared."""
    reference = {"RuleGroupReferenceStatement": {"ARN": account.rule_group("Block")}}
    own = {"Name": "own", "Statement": reference, "OverrideAction": {"None": {}}}
    second = BALANCER.replace("/erp/", "/board/")
    healthy(account, (group(),))
    account.attach(account.web_acl(own, name="board-edge"), second)
    front = account.distribution(account.web_acl(default="Block", scope="CLOUDFRONT"))
    return {**EVERYTHING, "web_acl": {"attached_to": [BALANCER, second, front]}}


def as_user(account: Account, monkeypatch: pytest.MonkeyPatch, *actions: str) -> None:
    for name, value in account.user(*actions).items():
        monkeypatch.setenv(name, value)
    account.post("/moto-api/reset-auth", b"0")


def test_policy_of_the_manual_is_enough_for_an_emulator(
    account: Account, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = everything_in(account)
    as_user(account, monkeypatch, *ACTIONS)

    assert judged(protection(run, described(account.url, **declared))) == {}


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - NOT_EMULATED))
def test_right_that_an_emulator_does_not_grant_is_named(
    action: str, account: Account, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = everything_in(account)
    as_user(account, monkeypatch, *(set(ACTIONS) - {action}))
    said = judged(protection(run, described(account.url, **declared)))

    assert said
    for each in said.values():
        assert each.startswith(f"CannotObserve {action}: ")
        assert re.search(rf"\| allow \S*{action}\b.* to these credentials", each)


def test_keys_that_an_emulator_does_not_know_are_our_side(
    account: Account, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy(account)
    account.post("/moto-api/reset-auth", b"0")
    said = judged(protection(run, described(account.url, **GUARDDUTY)))

    assert said[ENABLED].startswith("CannotObserve sts:GetCallerIdentity: InvalidClientTokenId: ")
    account.post("/moto-api/reset-auth", b"inf")
    as_user(account, monkeypatch, *ACTIONS)
    monkeypatch.setenv("AWS_SECRET_TRIED", "the wrong secret")
    (run.scratch / "again").mkdir()
    again = Run(run.id, run.scratch / "again", run.started)
    said = judged(protection(again, described(account.url, **GUARDDUTY)))

    assert said[ENABLED].startswith("CannotObserve sts:GetCallerIdentity: SignatureDoesNotMatch: ")
    assert "renew the credentials" in said[ENABLED]


# ---------------------------------------------------------------- what keeps us from asking


@pytest.mark.parametrize(
    ("answer", "identity", "told"),
    [
        (
            DENIED,
            None,
            r"guardduty:ListDetectors: AccessDeniedException: .*\| allow guardduty:ListDetectors to",
        ),
        (THROTTLED, None, r"guardduty:ListDetectors: ThrottlingException: Rate exceeded \| .*three times"),
        (BROKEN, None, r"guardduty:ListDetectors: InternalServerErrorException: Internal server error"),
        (PORTAL, None, r"guardduty:ListDetectors: "),
        (json_of(200, {}), None, r"guardduty:ListDetectors: the answer has no DetectorIds"),
        (DENIED, EXPIRED, r"sts:GetCallerIdentity: ExpiredToken: .*\| renew the credentials"),
        (DENIED, PORTAL, r"sts:GetCallerIdentity: "),
        (DENIED, response(200, b"", {"Content-Type": "text/xml"}), r"sts:GetCallerIdentity: "),
    ],
)
def test_recorded_refusal_is_unknown_and_says_why(
    answer: bytes, identity: bytes | None, told: str, run: Run
) -> None:
    with recorded(answer, identity=identity) as aws:
        said = judged(protection(run, described(aws.url, **GUARDDUTY)))

    assert re.match(rf"CannotObserve {told}", said[ENABLED], re.DOTALL), said[ENABLED]
    assert len(aws.asked) <= 1 + ATTEMPTS


def test_recorded_throttling_that_ends_is_waited_for(run: Run) -> None:
    enabled = json_of(200, {"status": "ENABLED"})
    with recorded(THROTTLED, json_of(200, {"detectorIds": ["d1"]}), enabled) as aws:
        watch = protection(run, described(aws.url, **GUARDDUTY)).watch()

    assert [each.status for each in watch.detectors] == ["ENABLED"]


def test_recorded_second_page_is_read(run: Run) -> None:
    pages = [{"detectorIds": [], "nextToken": "more"}, {"detectorIds": ["d1"]}]
    with recorded(*(json_of(200, page) for page in pages), json_of(200, {"status": "DISABLED"})) as aws:
        said = judged(protection(run, described(aws.url, **GUARDDUTY)))

    assert aws.asked[1:] == ["GET /detector", "GET /detector?nextToken=more", "GET /detector/d1"]
    assert "seen: detector d1 is DISABLED" in said[ENABLED]


def test_recorded_pages_without_an_end_end(run: Run) -> None:
    with recorded(json_of(200, {"detectorIds": [], "nextToken": "more"})) as aws:
        said = judged(protection(run, described(aws.url, **GUARDDUTY)))

    assert said[ENABLED].startswith("CannotObserve guardduty:ListDetectors: PaginationError")


def test_recorded_status_that_is_missing_is_not_enabled(run: Run) -> None:
    with recorded(json_of(200, {"detectorIds": ["d1"]}), json_of(200, {})) as aws:
        said = judged(protection(run, described(aws.url, **GUARDDUTY)))

    assert said[ENABLED].startswith("CannotObserve guardduty:GetDetector: the answer has no Status")


def test_recorded_resource_that_is_not_there_is_a_mistake_of_ours(run: Run) -> None:
    gone = json_of(400, {"__type": "WAFNonexistentItemException", "Message": "The resource does not exist"})
    with recorded(gone) as aws:
        said = judged(protection(run, described(aws.url, web_acl={"attached_to": [BALANCER]})))

    told = [each for name, each in said.items() if "web_acl" in name]
    assert len(told) == 2
    assert all("WAFNonexistentItemException" in each and "| check the ARN" in each for each in told)


def test_endpoint_that_does_not_answer_is_our_side(run: Run) -> None:
    said = judged(protection(run, described(f"http://127.0.0.1:{free_port()}", **GUARDDUTY)))

    assert said[ENABLED].startswith("CannotObserve sts:GetCallerIdentity: EndpointConnectionError: ")


def test_variable_of_the_sdk_leads_to_no_emulator(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with recorded(json_of(200, {})) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")  # nothing leaves this machine
        environment = described(aws.url, **GUARDDUTY)
        declared = environment.aws.model_copy(update={"emulator": None})
        said = judged(protection(run, environment.model_copy(update={"aws": declared})))

    assert said[ENABLED].startswith("CannotObserve sts:GetCallerIdentity: ProxyConnectionError: ")
    assert aws.asked == []


def test_library_that_is_missing_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    said = judged(protection(run, described("http://127.0.0.1:1", **GUARDDUTY)))

    assert said[ENABLED].startswith("CannotObserve asking AWS: boto3 cannot be used: ")
    assert said[ENABLED].endswith("| pip install --require-hashes -r requirements/production-aws.txt")
    assert (PROJECT / "requirements" / "production-aws.txt").is_file()


def test_library_is_not_loaded_before_aws_is_asked() -> None:
    code = "import sys, fixtures.aws_protection, fixtures.environment; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0


# ---------------------------------------------------------------- credentials


def without_keys(environment: Any) -> Any:
    declared = environment.aws.model_copy(update={"credentials": None})
    return environment.model_copy(update={"aws": declared})


def test_no_credentials_anywhere_are_our_side(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    said = judged(protection(run, without_keys(described("http://127.0.0.1:1", **GUARDDUTY))))

    assert said[ENABLED].startswith(
        "CannotObserve looking for credentials of AWS: the SDK's chain finds none"
    )


def test_credentials_that_the_chain_finds_are_kept_out_of_reports(
    account: Account, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy(account)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIACHAIN0000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the chain's secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the chain's token")
    vault = Vault(None, str)
    environment = without_keys(described(account.url, **GUARDDUTY))
    aws = Aws(environment.aws, run=run, vault=vault)
    aws.require()

    assert vault.known() == {"the chain's secret", "the chain's token"}


def test_declared_credentials_are_kept_out_of_reports(run: Run) -> None:
    vault = Vault(None, str)
    with recorded(json_of(200, {})) as aws:
        Aws(described(aws.url, **GUARDDUTY).aws, run=run, vault=vault).require()

    assert vault.known() == {"AKIATRIED0000000000", "tried-secret"}


def test_debug_log_of_the_sdk_is_closed(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), recorded(json_of(200, {"detectorIds": []})) as aws:
        protection(run, described(aws.url, **GUARDDUTY)).watch()

    assert "botocore" not in {record.name.partition(".")[0] for record in caplog.records}


SECRETS = {
    "AWS_ID_TRIED": "AKIACANARY0000000000",
    "AWS_SECRET_TRIED": "canary/secret+of the/key0123456789",
    "AWS_TOKEN_TRIED": "canaryToken" + "IQoJb3JpZ2luX2VjEHk/+0123456789abcdef=" * 4,
}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_recorded_error_that_repeats_the_credentials_is_redacted_everywhere(
    workers: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    told = f"{' and '.join(SECRETS.values())} {'x' * 20}"
    told += "y" * (LONGEST_QUOTE - 40 - len(told)) + SECRETS["AWS_TOKEN_TRIED"]  # cut in its midst
    with recorded(json_of(403, {"message": told}, "AccessDeniedException")) as aws:
        declared = {"guardduty": {}, "shield": {"protects": [BALANCER]}}
        loud = ("-vv", "-rA", "--tb=long", "--log-level=DEBUG", "--log-cli-level=DEBUG")
        token = {"session_token": "env:AWS_TOKEN_TRIED"}
        done = run_with(aws.url, tmp_path, *loud, *workers, declared=declared, keys=token)
    report = re.search(r"^report: (.+)/report\.html$", done.stdout, re.MULTILINE)
    assert report, done.stdout + done.stderr
    files = {file.name: file.read_text("utf-8") for file in (PROJECT / report[1]).iterdir() if file.is_file()}

    assert len(files) >= 5
    assert "AccessDeniedException: «redacted» and «redacted» and «redacted»" in files["verdict.json"]
    for name, text in {"terminal": done.stdout + done.stderr, **files}.items():
        for secret in (*SECRETS.values(), "canaryToken"):
            assert secret not in text, name


# ---------------------------------------------------------------- reading only


@pytest.mark.parametrize(
    ("service", "method", "parameters"),
    [
        ("guardduty", "create_detector", {"Enable": True}),
        ("shield", "create_subscription", {}),
        ("wafv2", "disassociate_web_acl", {"ResourceArn": BALANCER}),
        ("sts", "get_session_token", {}),
    ],
)
def test_call_that_is_not_known_to_read_is_not_sent(
    service: str, method: str, parameters: dict[str, Any], run: Run
) -> None:
    with recorded(json_of(200, {})) as aws:
        client = Aws(described(aws.url, **GUARDDUTY).aws, run=run, vault=Vault(None, str))
        with pytest.raises(CannotObserve, match="not sent: nothing but reading is allowed"):
            client.ask(service, method, **parameters)

    assert aws.asked == ["sts"]


def test_every_call_that_may_be_made_reads() -> None:
    assert all(re.match(r"\w+:(Get|List|Describe)", operation) for operation in NEEDS)


# ---------------------------------------------------------------- declared, or not


def elsewhere(run: Run, environment: Environment) -> dict[str, Callable[[], object]]:
    """Return the other probes of the same items."""
    anybody: Any = type("Anybody", (), {"require": lambda _: None})()
    watching = Intrusion(environment, run=run, identity=anybody, attestations=Nobody())  # type: ignore[arg-type]  # nobody states
    front = Edge(
        surfaces=Raised("CannotObserve", ("asking", "nothing is there", "")),
        transport=None,  # type: ignore[arg-type]  # not asked
        environment=environment,
        release=None,  # type: ignore[arg-type]  # as above
        run=run,
        identity=anybody,
        attestations=Nobody(),  # type: ignore[arg-type]  # as above
    )
    return {"agent": watching.agent, "sign of life": watching.sign_of_life, "sign of a shield": front.answers}


def plain(**parts: Any) -> Environment:
    return Environment.model_validate(
        {"name": "tried", "release": "1", "identity": {"unproven": "a test"}, **parts}
    )


def test_what_nobody_declares_is_attested_or_pending(run: Run) -> None:
    said = judged(protection(run, plain()))

    assert said.keys() == CHECKS.keys()
    assert all(each.startswith("Pending") for each in said.values())


@pytest.mark.parametrize(
    "parts",
    [
        {
            "waf": {},
            "edge": {"header": "Via"},
            "intrusion_detection": {"process": "agent"},
        },
        {
            "absent": {"waf": "inside only", "cdn": "inside only"},
            "intrusion_detection": {"process": "agent"},
        },
    ],
)
def test_what_is_settled_another_way_does_not_apply_at_aws(parts: dict[str, Any], run: Run) -> None:
    said = judged(protection(run, plain(**parts)))

    assert said.keys() == CHECKS.keys()
    assert all(each.startswith("Absent") for each in said.values())


def test_what_aws_is_asked_about_needs_no_agent_and_no_sign_of_a_shield(run: Run) -> None:
    for ask in elsewhere(run, described("http://127.0.0.1:1", **EVERYTHING)).values():
        with pytest.raises(Absent, match=r"declares \[aws\."):
            ask()


def test_what_aws_is_not_asked_about_is_still_attested_or_pending(run: Run) -> None:
    web_acl = {"attached_to": [BALANCER]}
    for ask in elsewhere(run, described("http://127.0.0.1:1", web_acl=web_acl)).values():
        with pytest.raises(Pending):
            ask()
