"""A real PostgreSQL that lets its roles in soundly or not."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import psycopg
import pytest

from fixtures.database import Database
from fixtures.database_sign_in import DatabaseSignIn
from fixtures.environment import Environment
from fixtures.observation import Absent, CannotObserve
from fixtures.run import Run
from fixtures.secrets import Vault
from reference.launch import postgres
from reference.launch.owner import unprivileged
from reference.launch.ports import free_ports
from reference.launch.processes import Processes

SignIn: TypeAlias = Callable[..., DatabaseSignIn]
OBSERVER = postgres.OBSERVER
OLD = "canary-old-password"
ROLES = """
    CREATE ROLE sound LOGIN PASSWORD 'canary-sound';
    CREATE ROLE kept LOGIN PASSWORD 'canary-old-password';
    CREATE ROLE named LOGIN PASSWORD 'named';
    CREATE ROLE trusted LOGIN PASSWORD 'canary-trusted';
    CREATE ROLE in_the_clear LOGIN PASSWORD 'canary-clear';
    CREATE ROLE kept_out LOGIN PASSWORD 'canary-out';
    CREATE ROLE crowded LOGIN CONNECTION LIMIT 0 PASSWORD 'canary-old-password';
    CREATE ROLE closed NOLOGIN PASSWORD 'canary-old-password';
    CREATE ROLE lasting LOGIN PASSWORD 'canary-lasting' VALID UNTIL 'infinity';
    CREATE ROLE expired LOGIN PASSWORD 'canary-old-password' VALID UNTIL '2019-05-14';
    CREATE ROLE boss SUPERUSER;
    CREATE ROLE deputy LOGIN;
    GRANT boss TO deputy;
    CREATE ROLE builder LOGIN CREATEDB CREATEROLE;
    CREATE ROLE writer LOGIN;
    GRANT pg_write_server_files TO writer;
    SET password_encryption = 'md5';
    CREATE ROLE hashed LOGIN PASSWORD 'canary-hashed';
"""
HBA = """
host all trusted all trust
host all in_the_clear all password
host all hashed all md5
host all kept_out all reject
host all all all scram-sha-256
"""


class Proven:
    """Stands for a target that is proven to be the right one."""

    def require(self) -> None:
        """Let pass."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Database]:
    directory = Path(tempfile.mkdtemp(prefix="gonogo-sign-in-"))
    directory.chmod(0o711)
    (directory / "log").mkdir()
    processes = Processes(directory)
    try:
        server = postgres.start(processes, free_ports(1)[0], unprivileged())
        with psycopg.connect(server.url("postgres"), autocommit=True) as session:
            session.execute("SET client_min_messages = 'error'")
            for statement in filter(str.strip, ROLES.split(";")):
                session.execute(statement.encode())
            (file,) = session.execute("SHOW hba_file").fetchone() or ("",)
            Path(file).write_text(HBA)
            session.execute("SELECT pg_reload_conf()")
        _wait_for_rules(server)
        yield server
    finally:
        processes.end()
        shutil.rmtree(directory, ignore_errors=True)


def _wait_for_rules(server: postgres.Database) -> None:
    """Wait until the server keeps the new rules: the first of them lets somebody in without a password."""
    url = f"host=127.0.0.1 port={server.port} user=trusted dbname={postgres.DATABASE}"
    deadline = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


@pytest.fixture
def sign_in(cluster: postgres.Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SignIn]:
    """``sign_in("role")`` judges a role of the cluster; further arguments are parts of the environment."""
    monkeypatch.setenv("OLD_PASSWORD", OLD)
    monkeypatch.setenv("DSN", cluster.url(OBSERVER))
    opened: list[Database] = []

    def make(role: str | None, *, default_passwords: bool = False, **parts: object) -> DatabaseSignIn:
        described = Environment.model_validate(
            {
                "name": "tried",
                "release": "1.0.0",
                "identity": {"unproven": "a test"},
                "credentials": {"previous_database_passwords": ["env:OLD_PASSWORD"]},
                "database": {
                    "dsn": "env:DSN",
                    "default_passwords": default_passwords,
                    **({"application_role": role} if role else {}),
                },
                **parts,
            }
        )
        run = Run("20261122T191500Z-3fa9", tmp_path, datetime(2026, 11, 22, tzinfo=UTC))
        opened.append(
            Database(
                cluster.url(OBSERVER),
                run=run,
                identity=Proven(),  # type: ignore[arg-type]  # the gate's own tests are elsewhere
                connect_timeout_s=2,
                statement_timeout_s=5,
            )
        )
        vault = Vault(tmp_path, str)
        return DatabaseSignIn(
            opened[-1], dsn=cluster.url(OBSERVER), environment=described, run=run, vault=vault
        )

    yield make
    for each in opened:
        each.close()


# ---------------------------------------------------------------- passwords


@pytest.mark.parametrize(
    ("role", "outcome"),
    [
        ("sound", "refused"),
        ("kept", "accepted"),
        ("trusted", "accepted"),
        ("in_the_clear", "refused"),
        ("hashed", "refused"),
        ("kept_out", "not from here"),
        ("crowded", "unclear"),
        ("closed", "refused"),
        ("expired", "refused"),
    ],
)
def test_previous_password(sign_in: SignIn, role: str, outcome: str) -> None:
    (attempt,) = sign_in(role).previous()

    assert (attempt.role, attempt.password, attempt.outcome) == (
        role,
        "the password in env:OLD_PASSWORD",
        outcome,
    )
    assert OLD not in attempt.said


def test_default_password_is_found(sign_in: SignIn) -> None:
    attempts = sign_in("named", default_passwords=True).defaults()

    assert [(each.role, each.password) for each in attempts if each.outcome == "accepted"] == [
        ("named", "its own name as the password")
    ]
    assert {each.role for each in attempts if each.outcome == "refused"} == {"named", "postgres"}
    assert len(attempts) == 13


def test_default_passwords_are_tried_only_where_that_is_allowed(sign_in: SignIn) -> None:
    with pytest.raises(CannotObserve, match="does not allow 13 attempts, as named and postgres") as raised:
        sign_in("named").defaults()
    assert "database.default_passwords = true" in raised.value.remedy


def test_previous_password_that_nobody_names_is_asked_for(sign_in: SignIn) -> None:
    with pytest.raises(CannotObserve) as raised:
        sign_in("sound", credentials={}).previous()
    assert "credentials.previous_database_passwords" in raised.value.remedy


def test_previous_password_that_is_declared_absent(sign_in: SignIn) -> None:
    absent = {"previous_database_password": "a new database"}
    with pytest.raises(Absent, match="a new database"):
        sign_in("sound", credentials={}, absent=absent).previous()


# ---------------------------------------------------------------- how it asks


@pytest.mark.parametrize(
    ("role", "name", "said"),
    [
        ("sound", "scram-sha-256", ""),
        ("trusted", "none", "server did not complete authentication"),
        ("in_the_clear", "another", "server requested a cleartext password"),
        ("hashed", "another", "server requested a hashed password"),
        ("kept_out", "not from here", 'pg_hba.conf rejects connection for host "127.0.0.1", user "kept_out"'),
        ("crowded", "scram-sha-256", ""),
    ],
)
def test_method(sign_in: SignIn, role: str, name: str, said: str) -> None:
    by_role = {each.role: each for each in sign_in(role).methods()}

    assert list(by_role) == [OBSERVER, role, "postgres"]
    assert by_role[role].name == name
    assert by_role[role].said.startswith(said)
    assert {by_role[each].name for each in (OBSERVER, "postgres")} == {"scram-sha-256"}


def test_password_encryption(sign_in: SignIn) -> None:
    assert sign_in("sound").password_encryption() == "scram-sha-256"


# ---------------------------------------------------------------- what it may do


@pytest.mark.parametrize(
    ("role", "own", "through"),
    [
        ("sound", (), ()),
        ("postgres", ("superuser", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS"), ()),
        ("builder", ("CREATEROLE", "CREATEDB"), ()),
        ("deputy", (), ("superuser through boss",)),
        ("writer", (), ("member of pg_write_server_files",)),
    ],
)
def test_rights(sign_in: SignIn, role: str, own: tuple[str, ...], through: tuple[str, ...]) -> None:
    rights = sign_in(role).rights()

    assert (rights.own, rights.through) == (own, through)


def test_expiry(sign_in: SignIn, tmp_path: Path) -> None:
    left = sign_in("expired").rights().days_left
    assert left is not None
    assert left < -1000
    for fact in tmp_path.glob("once-*"):
        fact.unlink()
    assert sign_in("lasting").rights().days_left is None


def test_role_is_the_owner_where_none_is_named(sign_in: SignIn) -> None:
    assert sign_in(None).application_role() == postgres.APPLICATION


@pytest.mark.parametrize(("change", "why"), [("SUPERUSER", "is a superuser"), ("NOLOGIN", "may not sign in")])
def test_owner_who_cannot_be_the_application_is_no_guess(
    sign_in: SignIn, cluster: postgres.Database, change: str, why: str
) -> None:
    undone = {"SUPERUSER": "NOSUPERUSER", "NOLOGIN": "LOGIN"}[change]
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as session:
        session.execute(f"ALTER ROLE {postgres.APPLICATION} {change}".encode())
        try:
            with pytest.raises(CannotObserve, match=why) as raised:
                sign_in(None).application_role()
        finally:
            session.execute(f"ALTER ROLE {postgres.APPLICATION} {undone}".encode())
    assert raised.value.remedy == "declare database.application_role"


def test_role_that_is_not_there(sign_in: SignIn) -> None:
    with pytest.raises(CannotObserve, match="there is no role nobody_here"):
        sign_in("nobody_here").rights()
