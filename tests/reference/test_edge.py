"""What stands around the application: proxy, pages, logs, metrics, database roles, environment file."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

if TYPE_CHECKING:
    from fixtures.embedded import Embedded
    from tests.reference.conftest import ClientOf


@pytest.mark.parametrize(
    "path", ["/", "/board.js", "/health", "/missing", "/api/v1/health", "/api/v1/missing"]
)
def test_security_headers_are_on_every_answer(anonymous: httpx.Client, path: str) -> None:
    headers = anonymous.get(path).headers

    assert "max-age=" in headers["strict-transport-security"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert "permissions-policy" in headers
    assert headers["server"] == "nginx"


def test_plain_http_points_to_https(release: Embedded) -> None:
    answer = httpx.get(f"{release.values['plain_url']}/api/v1/health", trust_env=False, timeout=10)

    assert answer.status_code == 301
    assert answer.headers["location"] == f"{release.values['api_url']}/api/v1/health"


def test_the_page_carries_the_release_and_nothing_foreign(anonymous: httpx.Client) -> None:
    page, script = anonymous.get("/"), anonymous.get("/board.js")

    assert page.headers["content-type"].startswith("text/html")
    assert "http" not in page.text
    assert '"1.0.0"' in script.text
    assert anonymous.get("/health").json() == {"status": "ok", "version": "1.0.0"}
    for resource in ("/icon.svg", "/style.css"):
        assert anonymous.get(resource).status_code == 200


def test_a_hundred_requests_a_minute_are_allowed_and_no_more(release: Embedded, client_of: ClientOf) -> None:
    with client_of(release, verification=False) as client:
        answers = [client.get("/health")]
        while answers[-1].status_code == 200 and len(answers) < 1000:  # what a slow machine may need
            answers.append(client.get("/health"))

        assert len(answers) > 100
        assert answers[-1].status_code == 429
        assert answers[-1].headers["retry-after"] == "1"
        assert "x-frame-options" in answers[-1].headers


def test_the_verification_identity_is_exempt(anonymous: httpx.Client) -> None:
    assert {anonymous.get("/health").status_code for _ in range(150)} == {200}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://www.production.local", True),
        ("https://evil.example", False),
        ("http://www.production.local", False),
    ],
)
def test_only_the_origins_of_the_release_are_allowed(
    anonymous: httpx.Client, origin: str, *, allowed: bool
) -> None:
    asking = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    preflight = anonymous.options("/api/v1/warehouse/bom", headers=asking)
    actual = anonymous.get("/api/v1/warehouse/bom", headers={"Origin": origin})

    for answer in (preflight, actual):
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert "Origin" in answer.headers["vary"]


def test_logs_are_written(release: Embedded, anonymous: httpx.Client) -> None:
    anonymous.get("/api/v1/health")
    anonymous.post("/api/v1/auth/login", json={"username": "admin", "password": "wrong"})
    logs = Path(release.values["log_dir"])

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in (logs / "access.log").read_text().splitlines()]

    deadline = time.monotonic() + 10  # a line is written when its answer has been sent
    while ("/api/v1/auth/login", 401) not in [(line["path"], line["status"]) for line in lines()]:
        assert time.monotonic() < deadline, lines()
        time.sleep(0.01)
    assert all(line["response_time_ms"] > 0 for line in lines())
    assert "sign-in refused for 'admin'" in (logs / "app.log").read_text()


def test_metrics_are_internal(release: Embedded, anonymous: httpx.Client) -> None:
    anonymous.get("/api/v1/health")

    metrics = httpx.get(release.values["metrics_url"], trust_env=False, timeout=10).text
    assert 'http_requests_total{method="GET",path="/api/v1/health",status="200"}' in metrics
    assert "response_time_ms_bucket" in metrics
    assert anonymous.get("/metrics").status_code == 404
    assert anonymous.get("/api/../metrics").status_code == 404


def test_the_observer_sees_everything_and_changes_nothing(release: Embedded) -> None:
    with psycopg.connect(release.values["database_dsn"], autocommit=True) as database:
        head = database.execute("SELECT version_num FROM alembic_version").fetchone()
        assert head == ("0002_release_1_0_0",)
        hidden = database.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '<insufficient%'")
        assert hidden.fetchone() == (0,)
        superusers = database.execute("SELECT rolname FROM pg_roles WHERE rolsuper").fetchall()
        assert superusers == [("postgres",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("DELETE FROM manufacturing_orders")


def test_the_environment_file_is_ready_to_use(release: Embedded) -> None:
    path = Path(release.values["environment_file"])
    environment = tomllib.loads(path.read_text())

    assert environment["target"] == "deployed"
    assert environment["api"]["url"] == release.values["api_url"]
    assert environment["api"]["ca_file"] == release.values["ca_file"]
    secret = Path(environment["roles"]["admin"]["password"].removeprefix("file:"))
    assert secret.read_text() == release.values["admin_password"]
    assert secret.stat().st_mode & 0o777 == 0o600
    assert '"embedded:' not in path.read_text()
