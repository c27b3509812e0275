"""Two launches at the same time are never given the same port."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reference.launch import ports

PROJECT = Path(__file__).resolve().parents[2]
FEW = "from reference.launch import ports; ports.FIRST, ports.LAST = 20_000, 20_099"
TAKE = f"{FEW}; print(*ports.free_ports(40))"
HOLD = f"{TAKE}; import sys; sys.stdout.flush(); sys.stdin.read()"


def test_a_port_belongs_to_one_launch_until_it_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT
    ) as first:
        assert first.stdout
        held = set(map(int, first.stdout.readline().split()))
        others = set(map(int, subprocess.check_output([sys.executable, "-c", TAKE], cwd=PROJECT).split()))
        first.communicate()

    assert len(held) == len(others) == 40
    assert not held & others


def test_ports_of_one_launch_differ() -> None:
    assert len(set(ports.free_ports(20))) == 20
