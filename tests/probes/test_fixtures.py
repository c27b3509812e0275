"""The fixtures, put together by pytest from files, with and without workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.probes.servers import application, serving
from tests.probes.shop import PASSWORD, RELEASE, Shop, environment

PROJECT = Path(__file__).resolve().parents[2]

SUITE = """
from pathlib import Path
import fixtures.ledger

fixtures.ledger.PROJECT = Path(__file__).parent

pytest_plugins = [
    "fixtures.target",
    "fixtures.permissions",
    "fixtures.records",
    "fixtures.database",
    "fixtures.sign_in",
    "fixtures.identity",
    "fixtures.http",
    "fixtures.vault",
    "fixtures.run",
    "fixtures.options",
]
"""

CHECKS = """
import pytest
from fixtures.observation import Absent, CannotObserve

def test_identity(identity):
    assert identity.served().environment == "tried"

def test_reading(api):
    assert api.get("/orders", role="clerk").json() == {"items": []}

def test_writing_without_marker(api, records):
    for write in (lambda: records.life("order"), lambda: api.send("POST", "/orders", role="clerk")):
        with pytest.raises(CannotObserve, match="does not carry the writes marker"):
            write()

@pytest.mark.writes
def test_life(records):
    assert records.life("order").left == ""

@pytest.mark.writes
def test_same_life(records):
    assert records.life("order").step("after").status == 404

def test_front(frontend):
    raise AssertionError("not reached")

def test_data(database):
    raise AssertionError("not reached")
"""


def as_toml(table: dict[str, Any]) -> str:
    """Return TOML: inline tables of JSON values are nearly that already."""
    return "\n".join(f"{key} = {_inline(value)}" for key, value in table.items() if value is not None)


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{key} = {_inline(part)}" for key, part in value.items() if part is not None)
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_checks_of_all_kinds(workers: str, tmp_path: Path) -> None:
    shop = Shop()
    with serving(application(shop.answer)) as server:
        described = environment(server.url).model_dump(
            include={"name", "writes", "identity", "api", "sentinels"}
        )
        described |= {
            "release": str(tmp_path / "release.toml"),
            "roles": {
                role: {"username": role, "password": "env:SHOP_PASSWORD"} for role in ("clerk", "guest")
            },
            "absent": {"frontend": "there is none"},
        }
        (tmp_path / "release.toml").write_text(as_toml(RELEASE))
        (tmp_path / "environment.toml").write_text(as_toml(described))
        (tmp_path / "conftest.py").write_text(SUITE)
        (tmp_path / "test_it.py").write_text(CHECKS)
        (tmp_path / "pytest.ini").write_text(
            "[pytest]\naddopts = --strict-markers -W ignore::pytest.PytestAssertRewriteWarning\n"
        )
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-rA",
            "--disable-plugin-autoload",
            "-p",
            "xdist",
            "-n",
            workers,
        ]
        done = subprocess.run(
            [
                *command,
                "--tb=line",
                "-p",
                "no:cacheprovider",
                "--env",
                tmp_path / "environment.toml",
                tmp_path,
            ],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "SHOP_PASSWORD": PASSWORD},
        )

    end = done.stdout.splitlines()[-1]
    assert "5 passed" in end
    assert "2 errors" in end
    assert "Absent: this environment has no frontend: there is none" in done.stdout
    assert "CannotObserve: asking the database: the environment file declares no [database]" in done.stdout
    assert shop.orders == {}
    for once in ("GET /health", "POST /login", "POST /orders"):
        assert shop.asked.count(once) == 1
    ledgers = list((tmp_path / "reports" / "out" / "tried" / "ledger").iterdir())
    assert [file.name for file in ledgers] == ["replay.lock"]
