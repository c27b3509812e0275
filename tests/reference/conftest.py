"""The reference release for these tests: a whole one behind its proxy, and its parts in this process."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
import uvicorn

from fixtures.embedded import Embedded, launch
from reference import faults, seed
from reference.application import service
from reference.application.settings import Settings
from reference.launch import postgres
from reference.launch.owner import unprivileged
from reference.launch.plan import Plan
from reference.launch.ports import HOST, free_ports
from reference.launch.processes import Processes
from reference.launch.supervisor import prepare

ClientOf: TypeAlias = Callable[..., AbstractContextManager[httpx.Client]]
Broken: TypeAlias = Callable[..., AbstractContextManager[httpx.Client]]
PASSWORD = "correct horse battery staple"  # noqa: S105 - of users that live as long as these tests
SIGN_IN = "/api/v1/auth/login"


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """A healthy release."""
    embedded = launch(tmp_path_factory.mktemp("release"))
    yield embedded
    embedded.stop()


@pytest.fixture(scope="session")
def client_of() -> ClientOf:
    """``client_of(release)`` is a client of its proxy, with the verification identity if not told otherwise.

    With a role it is signed in.
    """

    @contextmanager
    def give(release: Embedded, role: str = "", *, verification: bool = True) -> Iterator[httpx.Client]:
        with httpx.Client(
            base_url=release.values["api_url"],
            verify=ssl.create_default_context(cafile=release.values["ca_file"]),
            headers={"X-Gonogo-Verification": release.values["verification_key"]} if verification else {},
            trust_env=False,
            timeout=10,
        ) as client:
            if role:
                sign_in(client, seed.USERS[role], release.values[f"{role}_password"])
            yield client

    return give


def sign_in(client: httpx.Client, username: str, password: str) -> None:
    """Sign the client in; under some faults that does not work."""
    answer = client.post(SIGN_IN, json={"username": username, "password": password})
    if answer.headers["content-type"] == "application/json" and "access_token" in answer.json():
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


@pytest.fixture(scope="session")
def anonymous(release: Embedded, client_of: ClientOf) -> Iterator[httpx.Client]:
    with client_of(release) as client:
        yield client


@pytest.fixture(scope="session")
def warehouse(release: Embedded, client_of: ClientOf) -> Iterator[httpx.Client]:
    with client_of(release, "warehouse") as client:
        yield client


@pytest.fixture(scope="session")
def ppic(release: Embedded, client_of: ClientOf) -> Iterator[httpx.Client]:
    with client_of(release, "ppic_manager") as client:
        yield client


@pytest.fixture(scope="session")
def visitor(release: Embedded, client_of: ClientOf) -> Iterator[httpx.Client]:
    with client_of(release, "no_rights") as client:
        yield client


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A database of the application's own, for applications within this process."""
    directory = Path(tempfile.mkdtemp(prefix="gonogo-reference-"))
    directory.chmod(0o711)
    (directory / "log").mkdir()
    processes = Processes(directory)
    try:
        database = postgres.start(processes, free_ports(1)[0], unprivileged())
        url = database.url(postgres.APPLICATION)
        prepare(url, dict.fromkeys(seed.USERS, PASSWORD))
        yield url
    finally:
        processes.end()


@pytest.fixture
def broken(database_url: str, tmp_path: Path) -> Broken:
    """``broken("fault", ...)`` is a client of a broken application, signed in as admin when that works."""

    @contextmanager
    def give(*names: str) -> Iterator[httpx.Client]:
        plan = faults.bent_plan(Plan(), names)
        settings = Settings.from_environ(
            plan.variables | {"DATABASE_URL": database_url, "LOG_DIR": os.fspath(tmp_path)}
        )
        application = service.build(settings, faults.bent_table(service.endpoints(), plan.faults))
        config = uvicorn.Config(application, log_config=None, access_log=False)
        server = uvicorn.Server(config)
        with socket.create_server((HOST, 0)) as listener:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                while thread.is_alive() and not server.started:
                    time.sleep(0.01)
                url = f"http://{HOST}:{listener.getsockname()[1]}"
                with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
                    sign_in(client, "admin", PASSWORD)
                    yield client
            finally:
                server.should_exit = True
                thread.join()

    return give
