"""The agent that watches a host, and the reference release's own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from pydantic import ValidationError

from fixtures.environment import Environment
from fixtures.intrusion import Intrusion, runs
from fixtures.observation import Absent, CannotObserve, Pending
from fixtures.run import Run
from reference.sentry import MOST_FAILURES, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Anybody:
    def require(self) -> None: ...


class Nobody:
    def cover(self, item: str, reason: str) -> NoReturn:
        raise Pending(item, "nobody has stated anything", reason, remedy="")


def intrusion(tmp_path: Path, **declared: Any) -> Intrusion:
    environment = Environment.model_validate(
        {
            "name": "tried",
            "release": "1",
            "identity": {"unproven": "a test"},
            **({"intrusion_detection": declared} if declared else {}),
        }
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    run = Run("20261122T191500Z-3fa9", scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))
    return Intrusion(environment, run=run, identity=Anybody(), attestations=Nobody())  # type: ignore[arg-type]  # prove nothing


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs ``watchdog.py``."""
    script = tmp_path / "watchdog.py"
    script.write_text("import time\ntime.sleep(60)\n")
    process = subprocess.Popen([sys.executable, "-S", script])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("line", "name", "is_it"),
    [
        ("/var/ossec/bin/wazuh-agentd", "wazuh-agentd", True),
        ("/var/ossec/bin/wazuh-agentd -f", "/var/ossec/bin/wazuh-agentd", True),
        ("falco: master process", "falco", True),
        ("/usr/bin/python3.11 -S -E -m reference.sentry /log", "reference.sentry", True),
        ("python3 /opt/agent/watch.py --verbose", "watch.py", True),
        ("java -cp lib -jar /opt/agent.jar", "agent.jar", True),
        ("vim /etc/wazuh-agentd", "wazuh-agentd", False),
        ("grep wazuh-agentd", "wazuh-agentd", False),
        ("[wazuh-agentd] <defunct>", "wazuh-agentd", False),
        ("/usr/bin/wazuh-agentd-helper", "wazuh-agentd", False),
        ("", "wazuh-agentd", False),
    ],
)
def test_program_that_a_command_line_runs(line: str, name: str, is_it: bool) -> None:
    assert runs(line, name) is is_it


def test_running_process_is_found(tmp_path: Path, agent: subprocess.Popen[bytes]) -> None:
    (tmp_path / "pid").write_text(f"{agent.pid}\n")
    seen = intrusion(tmp_path, process="watchdog.py", pid_file=str(tmp_path / "pid")).agent()

    assert seen.found.startswith(f"process {agent.pid}: ")


def test_number_that_another_process_has_now_is_not_the_agent(
    tmp_path: Path, agent: subprocess.Popen[bytes]
) -> None:
    (tmp_path / "pid").write_text(str(os.getpid()))
    seen = intrusion(tmp_path, process="watchdog.py", pid_file=str(tmp_path / "pid")).agent()

    assert agent.poll() is None
    assert not seen.found
    assert seen.missing.startswith(f"process {os.getpid()} is ")


def test_process_with_a_name_in_no_encoding_hides_nobody(
    tmp_path: Path, agent: subprocess.Popen[bytes]
) -> None:
    other = subprocess.Popen(
        [sys.executable.encode(), b"-S", b"-c", b"import time; time.sleep(60)", b"\xe9\xff"]
    )
    try:
        assert intrusion(tmp_path, process="watchdog.py").agent().found
    finally:
        other.kill()
        other.wait()
    assert agent.poll() is None


def test_file_with_its_id_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    seen = intrusion(tmp_path, process="watchdog.py", pid_file=str(tmp_path / "none")).agent()

    assert seen.missing == "no process without an id"


def test_host_without_ps_is_read_from_proc(
    tmp_path: Path, agent: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "tr"):
        path = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        (tools / name).symlink_to(path)
    probe = intrusion(tmp_path, process="watchdog.py")
    monkeypatch.setenv("PATH", str(tools))

    assert probe.agent().found.startswith(f"process {agent.pid}: ")


@pytest.mark.parametrize(("age_s", "is_old"), [(0, False), (4000, True)])
def test_age_of_the_sign_of_life(age_s: float, is_old: bool, tmp_path: Path) -> None:
    file = tmp_path / "it's alive"
    file.touch()
    then = (datetime.now(UTC) - timedelta(seconds=age_s)).timestamp()
    os.utime(file, (then, then))
    sign = intrusion(tmp_path, process="a", alive_file=str(file), max_age_s=300).sign_of_life()

    assert sign.age_s is not None
    assert (sign.age_s > sign.max_age_s) is is_old
    assert shlex.split(sign.by_hand)[1] == str(file)


def test_sign_of_life_from_the_future_says_nothing(tmp_path: Path) -> None:
    """It would look alive until then."""
    file = tmp_path / "alive"
    file.touch()
    then = (datetime.now(UTC) + timedelta(hours=1)).timestamp()
    os.utime(file, (then, then))

    with pytest.raises(CannotObserve, match="ahead of the host's clock"):
        intrusion(tmp_path, process="a", alive_file=str(file)).sign_of_life()


def test_no_sign_of_life_is_a_finding_and_not_a_gap(tmp_path: Path) -> None:
    assert intrusion(tmp_path, process="a", alive_file=str(tmp_path / "none")).sign_of_life().age_s is None


def test_sign_of_life_that_is_not_declared_does_not_apply(tmp_path: Path) -> None:
    with pytest.raises(Absent):
        intrusion(tmp_path, process="a").sign_of_life()


def test_host_that_cannot_be_asked_is_our_side(tmp_path: Path) -> None:
    with pytest.raises(CannotObserve):
        intrusion(tmp_path, process="a", host="ssh://verify@app-1.invalid").agent()


@pytest.mark.parametrize(
    "declared",
    [
        {"host": "nowhere://here"},
        {"host": "paramiko://app-1"},  # trusts any host key
        {"host": "ssh://verify:password@app-1"},
        {"host": "docker://shop", "ssh_config": "config"},
    ],
)
def test_host_that_would_be_asked_unsafely_is_refused(tmp_path: Path, declared: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        intrusion(tmp_path, process="a", **declared)


def test_agent_that_nobody_declares_is_attested_or_pending(tmp_path: Path) -> None:
    probe = intrusion(tmp_path)
    for ask in (probe.agent, probe.sign_of_life):
        with pytest.raises(Pending):
            ask()


# ---------------------------------------------------------------- the reference release's own


def failure(client: str, second: float, event: str = "sign_in_failed") -> str:
    moment = datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=second)
    return json.dumps({"time": moment.isoformat(), "event": event, "user": "x", "client": client})


def test_sentry_raises_an_alert_about_one_client_that_keeps_failing() -> None:
    watch = Watch()
    lines = [failure("10.0.0.1", second) for second in range(MOST_FAILURES + 1)]

    assert [watch.saw(line) for line in lines] == [None] * MOST_FAILURES + ["10.0.0.1"]


@pytest.mark.parametrize(
    "lines",
    [
        [failure("10.0.0.1", 10 * second) for second in range(50)],
        [failure(f"10.0.0.{number}", number / 10) for number in range(50)],
        [failure("10.0.0.1", number / 10, "sign_out") for number in range(50)],
        ["no JSON", "[]", '{"event": "sign_in_failed"}'] * 20,
    ],
    ids=["slowly", "many clients", "something else", "no record"],
)
def test_sentry_raises_no_alert_about_anything_else(lines: list[str]) -> None:
    watch = Watch()

    assert not [line for line in lines if watch.saw(line)]
