"""Starts the release in order, announces it, watches it, and ends all of it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psycopg

from reference import migrations, seed
from reference.launch import attestations, console, environment_file, postgres, previous, proxy, rotation
from reference.launch.owner import unprivileged
from reference.launch.plan import ENVIRONMENT, PREVIOUS
from reference.launch.ports import HOST, free_ports
from reference.launch.processes import PROJECT, ComponentFailed, Processes, python_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference.launch.plan import Plan

APPLICATION_WITHIN_S = 30.0
WATCH_S = 0.1
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """Somebody asked for the end; no library may take it for an error of its own."""


def reachable_folder() -> str | None:
    """Return a temporary folder that the database's own user can reach, where root starts it."""
    usual = Path(tempfile.gettempdir()).resolve()
    if os.geteuid() != 0:
        return str(usual)
    folders = (usual, Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - the folder made below them is private
    return next((str(folder) for folder in folders if _others_pass(folder)), None)


def _others_pass(folder: Path) -> bool:
    return folder.is_dir() and all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def serve(plan: Plan, announce: Path | None, *, lifeline: bool) -> None:
    """Run the release in the foreground until a signal, the end of the lifeline, or a crash.

    Args:
        plan: what to start.
        announce: where to write the announcement when ready, or ``None``.
        lifeline: whether the end of standard input ends everything.

    Raises:
        ComponentFailed: something did not start, or ended unasked.
    """
    os.umask(0o022)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # until there is somebody to clean up
    processes = Processes(
        Path(tempfile.mkdtemp(prefix="gonogo-reference-", dir=reachable_folder())).resolve()
    )
    try:
        for number in ENDING:
            signal.signal(number, end_of_run)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        if lifeline:
            threading.Thread(target=watch_lifeline, daemon=True).start()
        values, earlier = start(processes, plan)
        for name in plan.stopped:
            processes.stop(name)
        if announce:
            write_privately(announce, json.dumps(values, indent=2))
        sys.stdout.write(introduction(values))
        sys.stdout.flush()
        while True:
            processes.check()
            if earlier.pid_file.exists():
                time.sleep(WATCH_S)
            else:
                earlier.start_when_asked(WATCH_S)
    except Ended:
        return
    finally:
        ignore_signals()
        processes.end()


def end_of_run(_: int, __: object) -> NoReturn:
    """Turn the first signal into the end of the run; there is no second."""
    ignore_signals()
    raise Ended


def ignore_signals() -> None:
    """Let nothing interrupt the cleaning up."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def watch_lifeline() -> None:
    """Wait for the end of standard input, then ask for the end like anybody else."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def start(processes: Processes, plan: Plan) -> tuple[dict[str, str], previous.Previous]:
    """Start database, application and proxy, each when the one before it is ready.

    Returns:
        The announcement, name to value, secrets included; and the previous release, not started.
    """
    directory = processes.directory
    directory.chmod(0o711)  # the servers' user passes through, and lists nothing
    logs = directory / "log"
    logs.mkdir()
    try:
        owner = unprivileged()
    except KeyError as missing:
        raise ComponentFailed("database", f"cannot be run by root, and {missing.args[0]}") from None
    database_port, *proxy_ports = free_ports(6)
    ports = proxy.Ports(*proxy_ports)
    passwords = {role: secrets.token_urlsafe(18) for role in seed.USERS}
    verification_key = secrets.token_hex(24)
    console_password = secrets.token_urlsafe(18)

    attested = attestations.place(directory)
    attestations.make(processes, attested, plan.attestation_edits)
    database = postgres.start(processes, database_port, owner)
    tables = prepare(database.url(postgres.APPLICATION), passwords)
    rotation.administrate(database, plan.sql)
    earlier = previous.listen(processes, plan, database.url(postgres.APPLICATION))
    start_application(processes, plan, database.url(postgres.APPLICATION))
    start_sentry(processes, plan)
    proxy.start(processes, plan, ports, verification_key, owner)
    console.publish(directory, console_password, owner)

    address = f"https://{HOST}:{ports.tls}"
    values = {
        "api_url": address,
        "frontend_url": address,
        "plain_url": f"http://{HOST}:{ports.plain}",
        "metrics_url": f"http://{HOST}:{ports.metrics}/metrics",
        "direct_url": f"http://{HOST}:{ports.metrics}",
        "ca_file": str(directory / "proxy" / "ca.pem"),
        "database_dsn": database.url(postgres.OBSERVER),
        **{f"{role}_password": password for role, password in passwords.items()},
        "verification_key": verification_key,
        **rotation.values(plan, database, directory),
        "log_dir": str(logs),
        "security_log": str(logs / "security.log"),
        "sentry_pid_file": str(directory / "sentry.pid"),
        "sentry_alive_file": str(directory / "sentry.alive"),
        "console_url": f"http://{HOST}:{ports.console}",
        "console_password": console_password,
        "previous": PREVIOUS,
        "previous_url": f"https://{HOST}:{ports.previous}",
        "previous_pid_file": str(earlier.pid_file),
        "application_pid_file": str(directory / "application.pid"),
        "baseline_file": str(write_baseline(directory, tables)),
        "attestations_folder": str(attested.folder),
        "allowed_signers": str(attested.allowed_signers),
    }
    return values | {"environment_file": str(environment_file.write(directory, values))}, earlier


def prepare(database_url: str, passwords: Mapping[str, str]) -> list[str]:
    """Bring the database through its history: the previous release, its data, this release.

    Returns:
        The previous release's tables.
    """
    migrations.upgrade(database_url, "0001_release_0_9_0")
    with psycopg.connect(database_url) as session:
        seed.fill(session, passwords)
    tables = previous.tables(database_url)
    migrations.upgrade(database_url, "head")
    return tables


def write_baseline(directory: Path, tables: list[str]) -> Path:
    """Write what was seen of the previous release before the migration, as ``docs/baseline.md`` has it."""
    file = directory / "baseline.json"
    seen = {
        "schema": "gonogo/baseline/1",
        "environment": ENVIRONMENT,
        "release": PREVIOUS,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "tables": tables,
    }
    file.write_text(json.dumps(seen, indent=1))
    return file


def start_application(processes: Processes, plan: Plan, database_url: str) -> None:
    """Start the application on its socket.

    Raises:
        ComponentFailed: with the tail of the log.
    """
    address = processes.directory / "application.sock"
    log_dir = str(processes.directory / "log")
    faults = [argument for name in plan.faults for argument in ("--fault", name)]
    component = processes.start(
        "application",
        [sys.executable, "-m", "reference.worker", "--socket", address, *faults],
        environ={**python_variables(), **plan.variables, "DATABASE_URL": database_url, "LOG_DIR": log_dir},
        cwd=PROJECT,
    )
    (processes.directory / "application.pid").write_text(str(component.process.pid))
    processes.wait_until(component, address.exists, APPLICATION_WITHIN_S)


def start_sentry(processes: Processes, plan: Plan) -> None:
    """Start the intrusion detector; nobody waits for it.

    Raises:
        ComponentFailed: its program cannot be run.
    """
    directory = processes.directory
    files = [directory / "log" / "security.log", directory / "sentry.alive", directory / "log" / "alerts.log"]
    component = processes.start(
        "sentry",
        [sys.executable, "-S", "-E", "-m", "reference.sentry", *files],  # neither packages nor variables
        environ={},
        cwd=PROJECT,
        polite=signal.SIGKILL,  # it holds nothing, and one that is paused hears nothing else
    )
    if "sentry" in plan.paused:
        component.process.send_signal(signal.SIGSTOP)
    (directory / "sentry.pid").write_text(str(component.process.pid))


def introduction(values: Mapping[str, str]) -> str:
    """Return what is printed when everything is ready: addresses, no secrets."""
    return "\n".join(
        [
            f"page and API  {values['api_url']}  (CA {values['ca_file']})",
            f"plain HTTP    {values['plain_url']}",
            f"metrics       {values['metrics_url']}",
            f"logs          {values['log_dir']}",
            f"environment   {values['environment_file']}",
            f"try           pytest -m smoke --env={values['environment_file']}",
            "ready; Ctrl-C ends everything\n",
        ]
    )


def write_privately(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(path)
