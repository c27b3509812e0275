"""Each fault breaks what it says, and the command lists them all."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from fixtures.embedded import PROJECT, Embedded, launch
from reference import faults
from reference.faults import broken as ways

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reference.conftest import Broken, ClientOf

API = "/api/v1"
BOM = f"{API}/warehouse/bom"
ORDERS = f"{API}/ppic/manufacturing-orders"
BOARD = f"{API}/ppic/kanban/cards/all"
SIGN_IN = f"{API}/auth/login"
ORDER = {"product_id": 9001, "planned_quantity": 10}


def orders(client: httpx.Client) -> int:
    total: int = client.get(ORDERS).json()["total"]
    return total


# ------------------------------------------------------------------ the command


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reference", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_lists_every_fault_with_what_it_turns_red() -> None:
    listed = json.loads(command("faults", "--json").stdout)

    assert {each["fault"] for each in listed} == set(faults.FAULTS)
    assert all(each["items"] and each["phase"] and each["says"] for each in listed)
    text = command("faults").stdout
    assert len(text.splitlines()) == len(listed)


def test_an_unknown_fault_is_refused_with_the_nearest_name() -> None:
    refused = command("serve", "--fault", "kanban-405")

    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "'kanban-404'" in refused.stderr


def test_faults_are_also_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFERENCE_FAULTS", "health-500,no-such-fault")

    refused = command("serve")

    assert refused.returncode == 2
    assert "unknown fault 'no-such-fault'" in refused.stderr


# ------------------------------------------------------------------ within the application


@pytest.mark.parametrize(
    ("fault", "method", "path", "status"),
    [
        ("health-500", "GET", f"{API}/health", 500),
        ("sign-in-500", "POST", SIGN_IN, 500),
        ("bom-list-500-when-not-empty", "GET", BOM, 500),
        ("kanban-404", "GET", BOARD, 404),
        ("redirect-loop", "GET", BOARD, 307),
    ],
)
def test_a_wrong_status(broken: Broken, fault: str, method: str, path: str, status: int) -> None:
    with broken(fault) as client:
        assert client.request(method, path).status_code == status


def test_the_redirect_loop_leads_to_itself(broken: Broken) -> None:
    with broken("redirect-loop") as client:
        assert client.get(BOARD).headers["location"] == BOARD


@pytest.mark.parametrize(("fault", "path"), [("html-instead-of-json", BOARD), ("login-html", SIGN_IN)])
def test_html_where_json_is_promised(broken: Broken, fault: str, path: str) -> None:
    with broken(fault) as client:
        answer = client.get(path) if path == BOARD else client.post(path)

        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")


def test_a_sign_in_without_a_token(broken: Broken) -> None:
    with broken("sign-in-without-token") as client:
        assert "Authorization" not in client.headers


def test_an_empty_body(broken: Broken) -> None:
    with broken("kanban-empty-body") as client:
        answer = client.get(BOARD)

        assert (answer.status_code, answer.content) == (200, b"")


def test_a_list_that_hides_an_error(broken: Broken) -> None:
    with broken("bom-list-hides-error") as client:
        answer = client.get(BOM)

        assert (answer.status_code, list(answer.json())) == (200, ["error"])


def test_a_list_that_is_a_stub(broken: Broken) -> None:
    with broken("bom-list-empty-forever") as client:
        assert client.get(BOM).json() == {"items": [], "total": 0}


@pytest.mark.parametrize(
    ("fault", "status", "stored"),
    [
        ("order-create-500-commits", 500, 1),
        ("order-create-200", 200, 1),
        ("order-create-persists-nothing", 201, 0),
        ("order-create-hidden-error", 201, 0),
    ],
)
def test_an_order_that_is_created_wrongly(broken: Broken, fault: str, status: int, stored: int) -> None:
    with broken(fault) as client:
        before = orders(client)

        assert client.post(ORDERS, json=ORDER).status_code == status
        assert orders(client) - before == stored


def test_an_order_that_stays_after_its_removal(broken: Broken) -> None:
    with broken("order-delete-204-but-stays") as client:
        made = client.post(ORDERS, json=ORDER).json()

        assert client.delete(f"{ORDERS}/{made['id']}").status_code == 204
        assert client.get(f"{ORDERS}/{made['id']}").status_code == 200


@pytest.mark.parametrize(
    ("fault", "method", "path"),
    [
        ("slow-health", "GET", f"{API}/health"),
        ("slow-bom-list", "GET", BOM),
        ("order-create-slow", "POST", ORDERS),
    ],
)
def test_a_slow_answer(
    broken: Broken, monkeypatch: pytest.MonkeyPatch, fault: str, method: str, path: str
) -> None:
    """The delay itself is replaced: it is what the fault adds, and nobody needs to sit it out."""
    delays = []

    async def delay() -> None:
        delays.append(ways.DELAY_S)

    monkeypatch.setattr(ways, "delay", delay)
    with broken(fault) as client:
        answer = client.request(method, path, json=ORDER if method == "POST" else None)

        assert answer.is_success
        assert delays == [30]


@pytest.mark.parametrize(
    ("fault", "key", "value"),
    [
        ("wrong-version", "version", "0.9.0"),
        ("wrong-environment", "environment", "staging"),
        ("wrong-commit", "commit", "0" * 40),
    ],
)
def test_a_wrong_identity(broken: Broken, fault: str, key: str, value: str) -> None:
    with broken(fault) as client, broken() as healthy:
        bent, honest = client.get(f"{API}/health").json(), healthy.get(f"{API}/health").json()

        assert bent == honest | {key: value}
        assert bent != honest


# ------------------------------------------------------------------ around the application


@contextmanager
def launched(tmp_path: Path, *names: str) -> Iterator[Embedded]:
    embedded = launch(tmp_path, names)
    try:
        yield embedded
    finally:
        embedded.stop()


def test_hanging_and_truncated_answers(tmp_path: Path, client_of: ClientOf) -> None:
    with launched(tmp_path, "hang", "truncated-body") as release, client_of(release, "admin") as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(BOM)
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{API}/health", timeout=0.5)


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("certificate-other-host", "IP address mismatch"),
        ("certificate-expired", "certificate has expired"),
    ],
)
def test_a_certificate_that_no_client_accepts(
    tmp_path: Path, client_of: ClientOf, fault: str, complaint: str
) -> None:
    with (
        launched(tmp_path, fault) as release,
        client_of(release) as client,
        pytest.raises(httpx.ConnectError, match=complaint),
    ):
        client.get(f"{API}/health")


def test_nothing_listens(tmp_path: Path, client_of: ClientOf) -> None:
    with (
        launched(tmp_path, "connection-refused") as release,
        client_of(release) as client,
        pytest.raises(httpx.ConnectError, match="refused"),
    ):
        client.get(f"{API}/health")


@pytest.mark.parametrize(("fault", "status"), [("database-refused", 503), ("health-ignores-database", 200)])
def test_a_database_that_is_down(tmp_path: Path, client_of: ClientOf, fault: str, status: int) -> None:
    with launched(tmp_path, fault) as release, client_of(release) as client:
        health = client.get(f"{API}/health")
        assert health.status_code == status
        assert health.json()["database"] == ("ok" if status == 200 else "unavailable")
        credentials = {"username": "admin", "password": release.values["admin_password"]}
        assert client.post(SIGN_IN, json=credentials).status_code == 503
        with pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(release.values["database_dsn"])
