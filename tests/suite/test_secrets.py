"""No secret of the target is in anything that a run leaves behind or prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.embedded import Embedded
    from tests.suite.conftest import Suite

PROJECT = Path(__file__).resolve().parents[2]
PARTS = ("report.html", "verdict.json", "junit.xml", "tests.html")


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_real_run_tells_no_secret(workers: tuple[str, ...], suite: Suite, reference: Embedded) -> None:
    ended = suite("-m", "smoke", "-vv", "-rA", "--tb=long", *workers)
    run = PROJECT / "reports" / "out" / "local" / "1.0.0" / ended.verdict["run"]
    everything = ended.output + "".join((run / part).read_text("utf-8") for part in PARTS)
    secrets = {name: value for name, value in reference.values.items() if "password" in name or "key" in name}

    assert secrets
    for name, value in secrets.items():
        assert value not in everything, name
    assert "eyJ" not in everything
