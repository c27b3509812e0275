"""The agent of a host that is reached by ssh: a real sshd, and every way not to get there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observation import CannotObserve
from tests.machine import needs
from tests.security.ssh_host import SshHost, ssh_host
from tests.security.test_intrusion import intrusion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fixtures.intrusion import Intrusion

pytestmark = needs("openssh-server openssh-client procps", "sshd", "ssh", "ps", "unshare")

AT_ONCE_S = 8.0
"""Nobody is asked and nothing is waited for; the rest is for a busy machine."""


@pytest.fixture(scope="module")
def host() -> Iterator[SshHost]:
    with ssh_host() as running:
        yield running


@pytest.fixture(autouse=True)
def _as_expected(host: SshHost) -> Iterator[None]:
    yield
    host.knows("host_key.pub")


@pytest.fixture
def agent(host: SshHost) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs this host's ``agent``, root's as an agent is."""
    script = host.folder / "agent"
    script.write_text("import time\ntime.sleep(120)\n")
    process = subprocess.Popen([sys.executable, "-S", script])
    yield process
    process.kill()
    process.wait()


def looked_for(tmp_path: Path, host: SshHost, /, **declared: Any) -> Intrusion:
    return intrusion(
        tmp_path,
        **{"host": host.spec, "ssh_config": host.config, "process": str(host.folder / "agent"), **declared},
    )


# ---------------------------------------------------------------- what is there


def test_running_agent_is_found(tmp_path: Path, host: SshHost, agent: subprocess.Popen[bytes]) -> None:
    (host.folder / "pid").write_text(f"{agent.pid}\n")
    seen = looked_for(tmp_path, host, pid_file=str(host.folder / "pid")).agent()

    assert seen.found.startswith(f"process {agent.pid}: ")


def test_line_to_see_it_by_hand_works(tmp_path: Path, host: SshHost, agent: subprocess.Popen[bytes]) -> None:
    seen = looked_for(tmp_path, host).agent()
    done = subprocess.run(seen.by_hand, shell=True, capture_output=True, text=True, check=True)  # noqa: S602  it is for a shell

    assert f"{agent.pid} {sys.executable}" in done.stdout


def test_agent_that_does_not_run_is_a_finding(tmp_path: Path, host: SshHost) -> None:
    seen = looked_for(tmp_path, host).agent()

    assert not seen.found
    assert seen.missing.startswith("none of ")


def test_number_that_another_process_has_now_is_a_finding(
    tmp_path: Path, host: SshHost, agent: subprocess.Popen[bytes]
) -> None:
    (host.folder / "pid").write_text(str(os.getpid()))
    seen = looked_for(tmp_path, host, pid_file=str(host.folder / "pid")).agent()

    assert agent.poll() is None
    assert not seen.found
    assert seen.missing.startswith(f"process {os.getpid()} is ")


def test_file_with_its_id_that_is_not_there_is_a_finding(tmp_path: Path, host: SshHost) -> None:
    seen = looked_for(tmp_path, host, pid_file=str(host.folder / "no pid's here")).agent()

    assert seen.missing == "no process without an id"


@pytest.mark.parametrize(("age_s", "is_old"), [(0, False), (4000, True)])
def test_age_of_the_sign_of_life(tmp_path: Path, host: SshHost, age_s: float, is_old: bool) -> None:
    file = host.folder / "it's alive"
    file.touch()
    then = (datetime.now(UTC) - timedelta(seconds=age_s)).timestamp()
    os.utime(file, (then, then))
    sign = looked_for(tmp_path, host, alive_file=str(file)).sign_of_life()

    assert sign.age_s is not None
    assert (sign.age_s > sign.max_age_s) is is_old


def test_no_sign_of_life_is_a_finding(tmp_path: Path, host: SshHost) -> None:
    assert looked_for(tmp_path, host, alive_file=str(host.folder / "none")).sign_of_life().age_s is None


# ---------------------------------------------------------------- its service


def service(tmp_path: Path, host: SshHost, name: str = "agent") -> Intrusion:
    return looked_for(tmp_path, host, process=None, service=name)


def test_running_service_is_found(tmp_path: Path, host: SshHost, agent: subprocess.Popen[bytes]) -> None:
    (host.folder / "service.pid").write_text(str(agent.pid))

    assert service(tmp_path, host).agent().found == "service agent is running"


def test_stopped_service_is_a_finding(tmp_path: Path, host: SshHost) -> None:
    (host.folder / "service.pid").unlink(missing_ok=True)
    seen = service(tmp_path, host).agent()

    assert not seen.found
    assert "is not running" in seen.missing


def test_service_that_the_host_does_not_know_is_a_finding(tmp_path: Path, host: SshHost) -> None:
    seen = service(tmp_path, host, "agnet").agent()

    assert (seen.found, seen.missing) == ("", "agnet: unrecognized service")


def test_service_whose_state_may_not_be_read_is_our_side(
    tmp_path: Path, host: SshHost, agent: subprocess.Popen[bytes]
) -> None:
    (host.folder / "service.pid").write_text(str(agent.pid))
    (host.folder / "service.pid").chmod(0o600)
    try:
        with pytest.raises(CannotObserve, match="could not access PID file") as seen:
            service(tmp_path, host).agent()
    finally:
        (host.folder / "service.pid").unlink()

    assert "CommandResult" not in str(seen.value)


# ---------------------------------------------------------------- what may not be seen


@pytest.mark.parametrize("key", ["pid_file", "alive_file"])
def test_file_that_may_not_be_read_is_our_side(tmp_path: Path, host: SshHost, key: str) -> None:
    secret = host.folder / "secret"
    secret.mkdir(mode=0o700)
    (secret / "file").write_text("1")
    try:
        probe = looked_for(tmp_path, host, **{key: str(secret / "file")})
        with pytest.raises(CannotObserve, match="Permission denied"):
            (probe.agent if key == "pid_file" else probe.sign_of_life)()
    finally:
        shutil.rmtree(secret)


def test_processes_that_are_hidden_from_the_user_are_not_missing(
    tmp_path: Path, host: SshHost, agent: subprocess.Popen[bytes]
) -> None:
    assert agent.poll() is None
    with ssh_host(proc="hidepid=2") as hiding:
        probe = looked_for(tmp_path, hiding, process=str(host.folder / "agent"))
        with pytest.raises(CannotObserve, match="process 1, is not among them"):
            probe.agent()


# ---------------------------------------------------------------- what is not reached


def refusal(tmp_path: Path, host: SshHost, /, **declared: Any) -> str:
    """Return why nothing could be seen, in one clear line and at once."""
    begun = time.monotonic()
    with pytest.raises(CannotObserve) as seen:
        looked_for(tmp_path, host, **declared).agent()
    assert time.monotonic() - begun < AT_ONCE_S
    assert len(seen.value.got.splitlines()) == 1
    return seen.value.got


def test_unknown_host_key_is_not_trusted(tmp_path: Path, host: SshHost) -> None:
    (host.folder / "known_hosts").write_text("")

    assert "No ED25519 host key is known for [127.0.0.1]" in refusal(tmp_path, host)
    assert not (host.folder / "known_hosts").read_text()


def test_changed_host_key_is_not_trusted(tmp_path: Path, host: SshHost) -> None:
    host.knows("other_host_key.pub")

    assert "has changed and you have requested strict checking" in refusal(tmp_path, host)


def test_host_that_does_not_know_our_key_is_our_side(tmp_path: Path, host: SshHost) -> None:
    config = host.folder / "other_ssh_config"
    config.write_text((host.folder / "ssh_config").read_text().replace("/key", "/other_key"))

    assert "Permission denied (publickey" in refusal(tmp_path, host, ssh_config=str(config))


def test_user_whom_the_host_does_not_know_is_our_side(tmp_path: Path, host: SshHost) -> None:
    spec = host.spec.replace("verify", "nobody")

    assert refusal(tmp_path, host, host=spec).startswith("nobody@127.0.0.1: Permission denied")


def test_refused_connection_is_our_side(tmp_path: Path, host: SshHost) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        spec = f"ssh://verify@127.0.0.1:{closed.getsockname()[1]}"

        assert "Connection refused" in refusal(tmp_path, host, host=spec)


def test_host_that_says_nothing_is_not_waited_for(tmp_path: Path, host: SshHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        spec = f"ssh://verify@127.0.0.1:{silent.getsockname()[1]}?timeout=1"

        assert "timed out" in refusal(tmp_path, host, host=spec)


def test_configuration_that_is_not_there_is_our_side(tmp_path: Path, host: SshHost) -> None:
    config = str(host.folder / "none")

    assert f"Can't open user config file {config}" in refusal(tmp_path, host, ssh_config=config)
