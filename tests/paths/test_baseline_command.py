"""A baseline that the command takes is what the next release is compared with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
WITHIN_S = 180


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """The release after the one that the embedded target serves."""
    text = (PROJECT / "fixtures/releases/1.0.0.toml").read_text("utf-8")
    text = text.replace('version = "1.0.0"', 'version = "1.1.0"', 1)
    text = re.sub(r"^previous = .*$", 'previous = "1.0.0"', text, flags=re.MULTILINE)
    text = re.sub(r"^moved_from = .*\n", "", text, flags=re.MULTILINE).replace('"moved"', '"unchanged"')
    file = tmp_path / "next.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def here(tmp_path: Path, next_release: Path) -> Path:
    """The embedded environment, without its previous release beside it, and with a stored baseline."""
    text = (PROJECT / "fixtures/environments/local.toml").read_text("utf-8")
    text = re.sub(r"\[previous\].*?\n\n", "", text, flags=re.DOTALL)
    text = text.replace('baseline = "embedded:baseline_file"', 'baseline = "stored.json"')
    text = text.replace('release = "1.0.0"', f'release = "{next_release}"')
    # How fast this machine is now and then is not the point here.
    text = text.replace("[limits]\n", "[limits]\nadded_latency_ms = 10_000\n")
    file = tmp_path / "here.toml"
    file.write_text(text, encoding="utf-8")
    return file


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def test_baseline_is_taken_and_compared_with(here: Path) -> None:
    taken = run("fixtures.take_baseline", f"--env={here}")
    assert taken.returncode == 0, taken.stderr
    stored = json.loads((here.parent / "stored.json").read_text("utf-8"))
    assert stored["release"] == "1.0.0"
    assert len(stored["endpoints"]["list_cards"]) == 100

    done = run("pytest", "-p", "no:cacheprovider", "-m", "validation", f"--env={here}", "-k", "release_adds")
    report = re.search(r"^report: (.+)/report\.html$", done.stdout, re.MULTILINE)
    assert report, done.stdout
    verdict = json.loads((PROJECT / report[1] / "verdict.json").read_text("utf-8"))
    records = {record["test"].partition("::")[2]: record["outcome"] for record in verdict["records"]}
    assert records == dict.fromkeys(records, "PASSED")
    assert len(records) == 3


def test_release_is_not_compared_with_itself(tmp_path: Path) -> None:
    taken = run("fixtures.take_baseline", "--env=local", f"--out={tmp_path / 'b.json'}")

    assert taken.returncode == 6
    assert "serves 1.0.0 already" in taken.stderr
    assert not (tmp_path / "b.json").exists()


def test_place_for_it_is_needed() -> None:
    taken = run("fixtures.take_baseline", "--env=local")

    assert taken.returncode == 4
    assert "--out" in taken.stderr
