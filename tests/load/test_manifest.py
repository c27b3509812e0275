"""The Kubernetes manifest: no cluster can be had, so the schemas of an old and a new Kubernetes judge it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine import INSTALLED_ALL

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "load"
MANIFEST = EXAMPLES / "workers.kubernetes.yml"

with_schemas = pytest.mark.skipif(
    importlib.util.find_spec("kubernetes_validate") is None and INSTALLED_ALL not in os.environ,
    reason="no schemas of Kubernetes: pip install kubernetes-validate",
)


def judged(manifest: Path, version: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", version, str(manifest)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@with_schemas
@pytest.mark.parametrize("version", ["1.25", "1.37"])
def test_manifest_is_valid(version: str) -> None:
    done = judged(MANIFEST, version)

    assert done.returncode == 0, done.stderr
    assert "service/gonogo-master" in done.stdout + done.stderr
    assert "job/gonogo-load-workers" in done.stdout + done.stderr


@with_schemas
def test_mistake_in_a_manifest_is_found(tmp_path: Path) -> None:
    mistaken = tmp_path / "manifest.yml"
    mistaken.write_text(MANIFEST.read_text().replace("backoffLimit", "backofLimit"))

    assert judged(mistaken, "1.37").returncode != 0


def test_generators_of_all_examples_are_started_alike() -> None:
    """Containers prove the compose file right; this one says the same."""
    (command,) = re.findall(r"command: \[(.*)\]\n *args: \[(.*)\]", MANIFEST.read_text())
    (compose,) = re.findall(r"command: \[(.*)\]", (EXAMPLES / "workers.compose.yml").read_text())
    same = re.sub(
        r"\$\{GONOGO_PORT:-(\d+)\}", r"\1", re.sub(r"\$\{GONOGO_MASTER:[^}]*\}", "gonogo-master", compose)
    )

    assert ", ".join(command) == same
