"""Invented items, plans and records: what the verdict is made from, without a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from checks.checklist import Item
from reports.plan import Planned
from reports.record import Outcome, Record

if TYPE_CHECKING:
    from collections.abc import Callable

ITEM = Item(
    id="SMK-1",
    statement="The health endpoint answers.",
    phase="smoke",
    window=None,
    section="Smoke tests",
    severity=1,
    owner="On-call Engineer",
    how="automated",
    before_traffic=False,
    correction="",
)

RECORD = Record(
    test="smoke/test_a.py::test_a",
    title="A holds.",
    items=("SMK-1",),
    phase="smoke",
    window=None,
    outcome=Outcome.PASSED,
)


@pytest.fixture
def make_item() -> Callable[..., Item]:
    return lambda **changes: replace(ITEM, **changes)


@pytest.fixture
def make_record() -> Callable[..., Record]:
    return lambda **changes: replace(RECORD, **changes)


@pytest.fixture
def make_planned() -> Callable[..., Planned]:
    def make(**changes: Any) -> Planned:
        base = Planned(test=RECORD.test, title="A holds.", items=("SMK-1",), phase="smoke", window=None)
        return replace(base, **changes)

    return make
