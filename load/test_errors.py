"""LOAD-2: how often the release fails under the declared load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item
from load.measure import settled

if TYPE_CHECKING:
    from load.result import LoadResult

pytestmark = pytest.mark.load


@item("LOAD-2")
def test_error_ratio_stays_within_the_limit_under_the_declared_load(
    load_result: LoadResult, error_subject: str, measured: Measured
) -> None:
    """The share of failed requests is at or below the limit, with confidence (percent)."""
    judged = load_result.judgement("error ratio", error_subject)
    if judged.value is not None:
        measured(round(judged.value * 100, 4), limit=judged.limit * 100, unit="%")

    assert settled(judged).outcome == "GO", explain(
        expected=f"at most {judged.limit:.2%} of {error_subject or 'all requests'} fail",
        seen=f"{judged.bad:,} of {judged.samples:,} failed ({judged.value:.3%}, at least {judged.lower:.3%} "
        f"with 95 % confidence): {load_result.reasons(error_subject)}",
        next="see the errors over time in the report, and the application log at those moments",
    )
