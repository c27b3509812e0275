"""The agent in a container: a real Docker engine, and a container of busybox alone."""

from __future__ import annotations

import io
import shutil
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observation import CannotObserve
from tests.docker_engine import Engine, docker_engine, with_docker
from tests.machine import needs
from tests.security.test_intrusion import intrusion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fixtures.intrusion import Intrusion

pytestmark = [with_docker, needs("busybox-static", "busybox")]

AGENT = b"""\
echo $$ > /pid; echo 1 > /first
while sleep 1; do touch /alive; done
"""
"""A script, as most agents' programs cannot be had here: ``/bin/sh /agent``."""


def archive() -> bytes:
    """Return a root file system of busybox and an agent."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    with io.BytesIO() as packed:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(busybox, "bin/busybox")
            for name in ("sh", "sleep", "touch", "head", "date", "stat", "ps", "tr"):
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
            script = tarfile.TarInfo("agent")
            script.size = len(AGENT)
            tar.addfile(script, io.BytesIO(AGENT))
        return packed.getvalue()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with docker_engine() as running:
        running.docker("import", "-", "watched", stdin=archive())
        # The agent is not process 1: that is what an init of a container is.
        start = "sh /agent & wait"
        for name in ("running", "stopped", "paused"):
            running.docker("run", "-d", "--network=none", "--name", name, "watched", "/bin/sh", "-c", start)
        running.docker("kill", "stopped")
        running.docker("pause", "paused")
        running.docker(
            "run",
            "-d",
            "--network=none",
            "--name",
            "idle",
            "watched",
            "/bin/sh",
            "-c",
            "echo 1 > /first; sleep 600",
        )
        yield running


@pytest.fixture(autouse=True)
def _asked_there(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.address)


def looked_for(tmp_path: Path, container: str, **declared: Any) -> Intrusion:
    return intrusion(tmp_path, **{"host": f"docker://{container}", "process": "agent", **declared})


def test_running_agent_is_found(tmp_path: Path) -> None:
    seen = looked_for(tmp_path, "running", pid_file="/pid").agent()

    assert seen.found.endswith(": sh /agent")
    assert seen.by_hand.startswith("docker exec running /bin/sh -c ")


def test_agent_that_does_not_run_is_a_finding(tmp_path: Path) -> None:
    seen = looked_for(tmp_path, "idle").agent()

    assert not seen.found
    assert seen.missing.startswith("none of ")


def test_number_that_another_process_has_now_is_a_finding(tmp_path: Path) -> None:
    seen = looked_for(tmp_path, "idle", pid_file="/first").agent()

    assert (seen.found, seen.missing) == ("", "process 1 is sleep 600")


def test_sign_of_life(tmp_path: Path) -> None:
    sign = looked_for(tmp_path, "running", alive_file="/alive", max_age_s=30).sign_of_life()

    assert sign.age_s is not None
    assert 0 <= sign.age_s <= sign.max_age_s


def test_no_sign_of_life_is_a_finding(tmp_path: Path) -> None:
    assert looked_for(tmp_path, "idle", alive_file="/alive").sign_of_life().age_s is None


@pytest.mark.parametrize(("container", "state"), [("stopped", "not running"), ("paused", "paused")])
@pytest.mark.parametrize("by", ["process", "service"])
def test_container_in_which_nothing_runs_is_a_finding(
    tmp_path: Path, container: str, state: str, by: str
) -> None:
    probe = looked_for(tmp_path, container, **{"process": None, by: "agent"}, alive_file="/alive")

    seen = probe.agent()
    assert (seen.found, seen.missing) == ("", f"the container is {state}")
    with pytest.raises(CannotObserve, match=f"the container is {state}"):
        probe.sign_of_life()


@pytest.mark.parametrize("by", ["process", "service"])
def test_container_that_is_not_there_is_our_side(tmp_path: Path, by: str) -> None:
    with pytest.raises(CannotObserve, match="No such container: elsewhere"):
        looked_for(tmp_path, "elsewhere", **{"process": None, by: "agent"}).agent()


def test_container_without_a_service_manager_is_our_side(tmp_path: Path) -> None:
    with pytest.raises(CannotObserve, match='cannot find "service"'):
        looked_for(tmp_path, "running", process=None, service="agent").agent()


def test_engine_that_does_not_answer_is_our_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")

    with pytest.raises(CannotObserve, match="Cannot connect to the Docker daemon"):
        looked_for(tmp_path, "running").agent()
