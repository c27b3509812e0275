from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from fixtures.configuration import ENVIRONMENTS, RELEASES, Configuration, check_items, choose
from fixtures.placeholders import at, fill

PROJECT = Path(__file__).parents[2]
EXAMPLES = Path(__file__).parent / "examples"
GUIDE_RESPONSE_MIN = {"1": 5, "2": 30, "3": 120, "4": 1440}


def chosen(name: str) -> Configuration:
    return choose(name, None, EXAMPLES)


@pytest.mark.parametrize("name", sorted(file.stem for file in ENVIRONMENTS.glob("*.toml")))
def test_every_shipped_environment_loads_and_fits_its_release(name: str) -> None:
    configuration = chosen(name)

    assert configuration.environment.name == name
    assert configuration.release.version == "1.0.0"


@pytest.mark.parametrize("name", sorted(file.stem for file in ENVIRONMENTS.glob("*.toml")))
def test_every_shipped_environment_escalates_as_the_guide_does(name: str) -> None:
    environment = chosen(name).environment

    assert {
        key: part.respond_within_min for key, part in environment.escalation.items()
    } == GUIDE_RESPONSE_MIN
    assert environment.rollback.within_min == 5
    assert environment.rollback.commands


def test_prod_is_the_guides_production() -> None:
    prod = chosen("prod").environment

    assert prod.api is not None
    assert prod.api.url == "https://api.production.local"
    assert prod.frontend is not None
    assert prod.frontend.url == "https://www.production.local"
    assert prod.identity.environment is not None
    assert prod.identity.environment.equals == "production"
    assert prod.rate.requests_per_minute == 100
    assert prod.browser == "required"
    assert prod.limits.p95_ms == 200


def test_the_rollback_names_compose_file_and_digests_and_demands_a_2xx() -> None:
    *commands, last = chosen("prod").environment.rollback.commands

    compose = [command for command in commands if command.startswith("docker")]
    assert compose
    assert all("-f docker-compose.production.yml" in command for command in compose)
    assert not any(re.search(r":previous|docker tag", command) for command in commands)
    assert any("_DIGEST" in command for command in commands)
    assert last.startswith("curl --fail ")


def test_the_contract_of_the_guides_release() -> None:
    release = chosen("local").release

    changes = [endpoint.change for endpoint in release.endpoints]
    assert changes.count("new") == 8  # the guide: "8 new endpoints"
    assert changes.count("moved") == 5
    assert {"SMK-3", "SMK-4", "SMK-5"} < {item for endpoint in release.endpoints for item in endpoint.items}
    assert release.health.item == "SMK-1"
    assert release.sign_in is not None
    assert release.sign_in.item == "SMK-2"
    assert not release.endpoint("create_order").safe
    assert release.known_issues == ()


def test_the_shipped_files_name_only_items_of_the_checklist() -> None:
    with (PROJECT / "checks" / "checklist.toml").open("rb") as file:
        ids = tomllib.load(file).keys()

    for environment in ENVIRONMENTS.glob("*.toml"):
        configuration = chosen(environment.stem)
        check_items(configuration, ids)
        for endpoint in configuration.release.endpoints:
            assert set(endpoint.items) <= ids


def test_every_shipped_release_is_named_after_its_version() -> None:
    assert [tomllib.loads(file.read_text())["version"] for file in RELEASES.glob("*.toml")] == [
        file.stem for file in RELEASES.glob("*.toml")
    ]


def test_a_library_with_cookies_tenants_and_wrapped_records() -> None:
    configuration = chosen("library-environment.toml")
    environment, release = configuration.environment, configuration.release

    assert environment.writes == "never"
    assert environment.api is not None
    assert environment.api.url == "https://library.example.org:8443/backend"
    assert release.authorization("s3ss10n") == ("Cookie", "LIBSESSION=s3ss10n")
    loan = release.records["loan"]
    values = {"mark": "gonogo-1", "sentinel:shelf": environment.sentinels["shelf"]}
    assert fill(loan.body, values) == {"shelf": 17, "remark": "Verification gonogo-1"}
    listed = {"data": {"loans": [{"remark": "Verification gonogo-1"}]}}
    assert at(listed, release.endpoint("list_loans").list_field) == [{"remark": "Verification gonogo-1"}]
    assert release.endpoint("read_loan").placeholders == ("tenant", "loan")


def test_a_public_api_without_sign_in() -> None:
    configuration = chosen("weather-environment.toml")

    assert configuration.release.sign_in is None
    with pytest.raises(ValueError, match="no way to carry a token"):
        configuration.release.authorization("t0ken")
    assert configuration.environment.roles == {}
    assert configuration.release.endpoint("readings").list_field is None
    assert configuration.release.health.ready == {"sensors.ok": True, "degraded": 0}


def test_no_secret_is_in_a_header_or_a_repr() -> None:
    configuration = chosen("local")

    assert "password" not in "".join(configuration.header())
    assert "SecretRef(kind='embedded', name='admin_password')" in repr(
        configuration.environment.roles["admin"]
    )
