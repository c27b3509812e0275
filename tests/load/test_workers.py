"""Generators in containers, started as docs/load.md says: a real Docker engine, and its compose file.

The image has folders and nothing else: this machine's Python, packages and project are mounted, read-only,
since no registry can be asked. Debian's Compose is the command ``docker-compose``; the rest is what the
manual says. Containers have the machine's network, and the load stays on loopback.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.docker_engine import Engine, docker_engine, with_docker
from tests.load.known_server import known_server, normal_ms, p95_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
VENV = (ROOT / ".venv").resolve()
COMPOSE = "docs/load/workers.compose.yml"

pytestmark = with_docker

RELEASE = """\
version = "1"
roles = ["clerk"]

[health]
path = "/health"
ready = { ok = true }

[sign_in]
path = "/login"
body = { username = "{username}", password = "{password}" }
token = "access.token"
role = "clerk"

[[endpoints]]
name = "one"
method = "GET"
path = "/one"
role = "clerk"
kind = "read"
"""

ENVIRONMENT = """\
name = "workers"
release = "release.toml"

[api]
url = "URL"

[identity]
unproven = "a test"

[roles.clerk]
username = "tester"
password = "env:ADMIN_PASSWORD"

[rate.verification]
header = "X-Verification"
value = "env:VERIFICATION_KEY"

[limits]
error_ratio = 0.01

[load.budget]
max_users = 50
max_rate = 200
max_duration_s = 60

[load.profiles.default]
mode = "open"
stages = [
    { kind = "warm_up", rate = 20, duration_s = 1 },
    { kind = "steady", rate = 100, duration_s = SECONDS },
]
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with docker_engine() as running, io.BytesIO() as packed:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name in ("tmp", "usr", "etc", "proc", "dev"):
                folder = tarfile.TarInfo(name)
                folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(folder)
            for name in ("bin", "lib", "lib64"):
                link = tarfile.TarInfo(name)
                link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
                tar.addfile(link)
        change = f"ENV PATH={VENV}/bin:/usr/bin:/bin"
        running.docker("import", "--change", change, "-", "gonogo", stdin=packed.getvalue())
        yield running


@pytest.fixture(scope="module")
def override(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second compose file, with what an image made by the manual would hold."""
    mounts = {"/usr": "/usr", sys.base_prefix: sys.base_prefix, str(VENV): str(VENV), str(ROOT): "/gonogo"}
    volumes = [f"{source}:{target}:ro" for source, target in mounts.items()]
    file = tmp_path_factory.mktemp("compose") / "mounts.yml"
    file.write_text(json.dumps({"services": {"worker": {"volumes": volumes}}}))
    return file


@pytest.fixture
def documented(override: Path) -> str:
    """The table that the manual shows, for two workers on this machine."""
    table: str
    manual = (ROOT / "docs" / "load.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^```toml\n(\[load.workers\]\n.*?)^```$", manual, re.MULTILINE | re.DOTALL)
    differences = {
        "expected = 4": "expected = 2",
        "worker=4": "worker=2",
        '"0.0.0.0"': '"127.0.0.1"',
        "port = 5557": "port = 0",
        f"docker compose -f {COMPOSE}": f"docker-compose -f {COMPOSE} -f {override}",
    }
    for said, here in differences.items():
        assert said in table
        table = table.replace(said, here)
    return table


def begun(folder: Path, url: str, more: str, engine: Engine, seconds: int = 6) -> subprocess.Popen[str]:
    """Start ``pytest -m load`` on an environment file."""
    (folder / "release.toml").write_text(RELEASE)
    environment = folder / "environment.toml"
    environment.write_text(ENVIRONMENT.replace("URL", url).replace("SECONDS", str(seconds)) + more)
    variables = {
        "ADMIN_PASSWORD": "sesame-street",
        "VERIFICATION_KEY": "let-me-pass",
        "GONOGO_IMAGE": "gonogo",
        "GONOGO_MASTER": "127.0.0.1",
        "DOCKER_HOST": engine.address,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "load", f"--env={environment}"],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def evidence(output: str) -> dict[str, Any]:
    (report,) = re.findall(r"^report: (\S+)$", output, re.MULTILINE)
    told = json.loads((ROOT / report).with_name("evidence").joinpath("load.json").read_text())
    assert isinstance(told, dict)
    return told


def states(engine: Engine) -> list[str]:
    return engine.docker("ps", "-a", "--format", "{{.Status}}").splitlines()


def test_workers_in_containers_come_to_the_verdict_of_local_processes(
    tmp_path: Path, engine: Engine, documented: str
) -> None:
    found = {}
    for way, more in {"processes": "\n[load]\nprocesses = 2\n", "workers": f"\n{documented}"}.items():
        with known_server(ms=normal_ms(100, 3)) as server:
            run = begun(tmp_path, server.url, more, engine)
            output = run.communicate(timeout=150)[0]
            truth, heads = p95_of(server.latencies_ms()), server.told()["headers"]
        assert run.returncode == 0, output
        told = found[way] = evidence(output)
        assert len(told["generators"]) == 2
        assert told["total"]["samples"] == 600
        # A busy machine adds to what is measured; the histogram itself is true to a thousandth.
        assert abs(told["total"]["p95_ms"] - truth) <= truth * 0.01 + 5, output
        asked = [head for head in heads if head.startswith("GET /one")]
        assert asked
        assert [
            head for head in asked if "Bearer token-of-tester" not in head or "let-me-pass" not in head
        ] == []

    outcomes = {way: [each["outcome"] for each in told["judgements"]] for way, told in found.items()}
    assert outcomes["workers"] == outcomes["processes"] == ["GO", "GO"]
    deadline = time.monotonic() + 10
    while any(state.startswith("Up") for state in states(engine)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [state[:10] for state in states(engine)] == ["Exited (0)"] * 2


def test_killed_container_is_unknown_and_named(tmp_path: Path, engine: Engine, documented: str) -> None:
    with known_server() as server:
        run = begun(tmp_path, server.url, f"\n{documented}", engine, seconds=8)
        killed = ""
        deadline = time.monotonic() + 60
        while not killed and time.monotonic() < deadline:
            time.sleep(0.5)
            for container in engine.docker("ps", "-q").split():
                if names := re.findall(r"this generator is (\S+)", engine.logs(container)):
                    time.sleep(2)
                    os.kill(int(engine.docker("inspect", "-f", "{{.State.Pid}}", container)), signal.SIGKILL)
                    (killed,) = names
                    break
        output = run.communicate(timeout=150)[0]

    assert run.returncode == 6, output
    assert len(re.findall("^LOAD-[12]  severity 2", output, re.MULTILINE)) == 2
    assert killed
    for judged in evidence(output)["judgements"]:
        assert judged["outcome"] == "UNKNOWN"
        assert f"1 of 2 generators did not report their final histogram: {killed}" in judged["reason"]
