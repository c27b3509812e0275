"""The suite on a back office with forms, clients of OAuth 2 and errors in 200, with nothing but two files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.systems import suite
from tests.systems.backoffice import CLIENT_SECRET, ENVIRONMENT, PASSWORD, RELEASE, BackOffice, serving

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = {"BACKOFFICE_PASSWORD": PASSWORD, "BACKOFFICE_CLIENT_SECRET": CLIENT_SECRET}
ACCESS = "test_access or test_only_the_permitted"
BAD_TOKENS = ("no token", "no meaning", "a changed character")
CONTRACT = "test_contract or test_timestamps and not flows"


def judged(office: BackOffice, folder: Path, phase: str, only: str = "") -> list[dict[str, Any]]:
    """Return the records of one phase, without those that do not apply."""
    with serving(office) as url:
        environment = ENVIRONMENT.format(release="release.toml", url=url)
        return suite.applying(
            suite.judged(
                folder, release=RELEASE, environment=environment, secrets=SECRETS, phase=phase, only=only
            )
        )


@pytest.mark.parametrize("phase", ["smoke", "validation"])
def test_a_healthy_back_office_gives_no_alarm_and_is_left_as_it_was(phase: str, tmp_path: Path) -> None:
    office = BackOffice()
    before = dict(office.claims)
    records = judged(office, tmp_path, phase)

    assert not [record for record in records if record["outcome"] != "PASSED"]
    assert office.claims == before


def told(record: dict[str, Any]) -> str:
    seen = str(record["seen"]).replace("\n", " ")
    return f"{' '.join(record['items'])} {record['test'].rpartition('::')[2]} {seen}"


@pytest.mark.parametrize(
    ("broken", "only", "causes"),
    [
        (
            "any password will do",
            ACCESS,
            [r"VAL-ACC-1 test_wrong_credentials_are_refused\[wrong password\] 303;"],
        ),
        (
            "a refusal signs in",
            ACCESS,
            [r"VAL-ACC-1 .+\[wrong password\] 200 to it, although the sign-in was answered 200"],
        ),
        (
            "forms are not compared",
            ACCESS,
            [r"VAL-ACC-1 test_sign_in_wants_the_token_of_its_form 303 with a session, .+ answers 200"],
        ),
        (
            "forged requests pass",
            ACCESS,
            [
                r"VAL-ACC-1 .+POST /api/claims\] clerk, without the CSRF token, may not, and is let in: 201",
                r"VAL-ACC-1 .+POST /rpc\] clerk, without the CSRF token, may not, and is let in: 200",
            ],
        ),
        ("sign-out ends nothing", ACCESS, ["VAL-ACC-1 test_signing_out_ends_the_token 200 to the token"]),
        ("any secret will do", ACCESS, [r"VAL-ACC-1 .+\[wrong password, as feed\] 200 with a token"]),
        (
            "any token will do",
            ACCESS,
            [rf"VAL-ACC-1 .+\[{case}, as feed\] 200 to" for case in ("no meaning", "a changed character")],
        ),
        (
            "claims are public",
            ACCESS,
            [
                *[rf"VAL-ACC-1 .+\[{case}\] 200 to a" for case in BAD_TOKENS],
                *[rf"VAL-ACC-1 .+\[{case}, as feed\] 200 to a" for case in BAD_TOKENS],
                "VAL-ACC-1 test_signing_out_ends_the_token 200 to the token",
                r"VAL-ACC-1 .+GET /api/claims\] nobody .+ is let in: 200",
            ],
        ),
        (
            "jobs are public",
            ACCESS,
            [rf"VAL-ACC-1 .+POST /graphql \({name}\)\] nobody .+let in: 200" for name in ("jobs", "job")],
        ),
        (
            "jobs for all",
            ACCESS,
            [rf"VAL-ACC-1 .+POST /graphql \({name}\)\] clerk may .+let in: 200" for name in ("jobs", "job")],
        ),
        (
            "jobs are not for machines",
            ACCESS,
            [rf"VAL-ACC-1 .+\({name}\)\] feed may, .+ 200 with an error: err" for name in ("jobs", "job")],
        ),
        ("machines drop claims", ACCESS, [r"VAL-ACC-1 .+POST /rpc\] feed may not, and is let in: 200"]),
        ("payouts for clerks", ACCESS, [r"VAL-ACC-1 .+GET /api/payouts\] clerk may not, and is let in: 200"]),
        ("jobs fail quietly", CONTRACT, [r"VAL-API-1 .+POST /graphql \(jobs\) carries an error: errors is"]),
        ("one job for all", CONTRACT, [r"VAL-API-1 .+ shows another record: id is 'j3', and j1 was asked"]),
        ("rates fail quietly", CONTRACT, [r"VAL-API-1 .+POST /rpc \(rates\) carries an error: error is"]),
        (
            "claims fail quietly",
            CONTRACT,
            [
                "VAL-API-1 .+GET /api/claims carries an error: errorCode is 17",
                "VAL-API-1 .+GET /api/claims does not show claim c-",
            ],
        ),
        ("payouts fail quietly", CONTRACT, ["VAL-API-1 .+carries an error: success is false"]),
        ("summary fails quietly", CONTRACT, ["VAL-API-1 .+carries an error: status is 'error'"]),
        ("payouts are a problem", CONTRACT, ["VAL-API-1 .+carries an error: it is a problem document: Busy"]),
        ("naive timestamps", CONTRACT, ["REL-TIME-1 .+has no offset"]),
    ],
)
def test_a_broken_back_office_fails_where_it_is_broken(
    broken: str, only: str, causes: list[str], tmp_path: Path
) -> None:
    office = BackOffice(broken)
    before = dict(office.claims)
    records = judged(office, tmp_path, "validation", only)
    seen = [told(record) for record in records if record["outcome"] == "FAILED"]

    assert len(seen) == len(causes), seen
    assert all(re.search(cause, text) for cause, text in zip(causes, seen, strict=True)), seen
    unseen = [told(record) for record in records if record["outcome"] not in {"PASSED", "FAILED"}]
    assert not [text for text in unseen if "no real id for its" not in text], unseen
    assert office.claims == before


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ("the form is empty", r"SMK-2 .+GET .+/login: it does not show the CSRF token \(input csrf_token\)"),
        ("the token is gone", r"SMK-2 .+ signed in, and then GET .+: it does not show the CSRF token"),
        ("claims hide a problem", "SMK-5 test_critical_read_carries_no_error.+ a problem document: Busy"),
        ("claims fail quietly", "SMK-3 test_critical_list_is_a_list.+ errorCode is 17"),
    ],
)
def test_smoke_names_what_is_broken(broken: str, cause: str, tmp_path: Path) -> None:
    records = judged(BackOffice(broken), tmp_path, "smoke")
    seen = [told(record) for record in records if record["outcome"] == "FAILED"]

    assert any(re.search(cause, text) for text in seen), seen
    (item,) = {text.partition(" ")[0] for text in seen}
    assert cause.startswith(item)


SIGNING_IN = "test_tokens or test_errors or test_default_accounts"


def test_a_healthy_back_office_signs_in_safely(tmp_path: Path) -> None:
    records = judged(BackOffice(), tmp_path, "security", SIGNING_IN)

    assert not [record for record in records if record["outcome"] != "PASSED"]
    assert {item for record in records for item in record["items"]} == {"SEC-PRE-4", "SEC-PRE-5", "SEC-PRE-8"}


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ("sessions are kept", "SEC-PRE-4 .+ 401 before, and 200 after clerk signed in with it"),
        ("quotes sign in", r"SEC-PRE-8 .+\[a quote\] .*somebody got in with a quote instead of a password"),
        ("tokens are counted", r"SEC-PRE-4 .+\[access token, as feed\] of 2 sign-ins: 2 of them differ in 1"),
        ("a default account is left", "SEC-PRE-5 .+ signing in as admin/admin answers 303"),
    ],
)
def test_an_unsafe_sign_in_is_found_by_the_security_phase(broken: str, cause: str, tmp_path: Path) -> None:
    records = judged(BackOffice(broken), tmp_path, "security", SIGNING_IN)
    (seen,) = [told(record) for record in records if record["outcome"] != "PASSED"]

    assert re.match(cause, seen), seen
