"""A run begins by saying how many requests it may send at most."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.configuration import choose
from fixtures.place import Rate

PROD = choose("prod", None, Path.cwd())
EXEMPT = {"header": "X-Verification", "value": "env:KEY"}
BURST = {"max_requests": 250}


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        ({}, "at most 3,000 in this run, load apart (rate.budget)"),
        ({"budget": 12, "requests_per_minute": 60}, "(rate.budget), at most 60 a minute"),
        (
            {"requests_per_minute": 60, "verification": EXEMPT},
            "(rate.budget), exempt from the target's limit",
        ),
        (
            {"requests_per_minute": 100, "verification": EXEMPT, "burst": BURST},
            (
                "up to 250 of them to meet the target's limit (rate.burst), 20 more on each way around it, "
                "the others exempt from it"
            ),
        ),
    ],
)
def test_the_header_states_the_most_requests(rate: dict[str, object], said: str) -> None:
    environment = PROD.environment.model_copy(update={"rate": Rate.model_validate(rate)})

    header = replace(PROD, environment=environment).header()

    assert any(line.startswith("requests: at most ") and line.endswith(said) for line in header), header
