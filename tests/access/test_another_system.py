"""The checks of access on a system that they do not know, with nothing but files written for it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.access.another_system import ENVIRONMENT, KEY, PASSWORD, RELEASE, Shop, serving

PROJECT = Path(__file__).resolve().parents[2]


def records(shop: Shop, folder: Path) -> list[dict[str, Any]]:
    """Return the records of the checks of access."""
    with serving(shop) as url:
        (folder / "release.toml").write_text(RELEASE)
        (folder / "shop.toml").write_text(ENVIRONMENT.format(release=folder / "release.toml", url=url))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "validation",
             f"--env={folder / 'shop.toml'}", "-k", "test_access or test_roles"],
            cwd=PROJECT,
            env={**os.environ, "SHOP_PASSWORD": PASSWORD, "SHOP_KEY": KEY},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )  # fmt: skip
    report = re.search(r"^report: (.+)/report\.html$", done.stdout, re.MULTILINE)
    assert report, done.stdout + done.stderr
    verdict = json.loads((PROJECT / report[1] / "verdict.json").read_text("utf-8"))
    shutil.rmtree(PROJECT / report[1])
    found: list[dict[str, Any]] = verdict["records"]
    return found


@pytest.mark.parametrize("variation", ["", "refuses-a-role"])
def test_a_healthy_system_passes_and_is_left_as_it_was(variation: str, tmp_path: Path) -> None:
    shop = Shop(variation)
    before = (dict(shop.users), dict(shop.items))
    seen = records(shop, tmp_path)

    assert {record["outcome"] for record in seen} == {"PASSED", "NOT APPLICABLE"}
    passed = {
        record["test"].partition("::")[2].partition("[")[0]
        for record in seen
        if record["outcome"] == "PASSED"
    }
    assert {"test_expired_token_is_refused", "test_registration_gives_no_privileged_role"} <= passed
    assert (shop.users, shop.items, shop.accounts) == (*before, {})


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ("never-expires", r"200 to an expired token, had by signing it with the target's key"),
        ("any-role", r"POST /signup with role Administrator gives a token with role \['Administrator'\]"),
        ("buyers-add", r"buyer may not, and is let in: 201"),
    ],
)
def test_a_broken_system_fails_in_one_place_and_is_left_as_it_was(
    broken: str, cause: str, tmp_path: Path
) -> None:
    shop = Shop(broken)
    before = (dict(shop.users), dict(shop.items))
    seen = records(shop, tmp_path)

    (failed,) = [record for record in seen if record["outcome"] == "FAILED"]
    assert failed["items"] == ["VAL-ACC-1"]
    assert re.search(cause, failed["seen"])
    assert (shop.users, shop.items, shop.accounts) == (*before, {})
