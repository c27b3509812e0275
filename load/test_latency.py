"""LOAD-1: how long the release takes to answer under the declared load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from load.measure import settled

if TYPE_CHECKING:
    from load.result import LoadResult

pytestmark = pytest.mark.load


@item("LOAD-1")
def test_p95_stays_within_the_limit_under_the_declared_load(
    load_result: LoadResult,
    load_charts: dict[str, str],
    p95_subject: str,
    measured: Measured,
    exhibits: Exhibits,
) -> None:
    """95 % of the requests are answered within the limit, with confidence (milliseconds)."""
    if not p95_subject:
        for title, svg in load_charts.items():
            exhibits.drawing(title, svg)
    judged = load_result.judgement("p95", p95_subject)
    if judged.value is not None:
        measured(judged.value, limit=judged.limit, unit="ms")

    assert settled(judged).outcome == "GO", explain(
        expected=f"p95 of {p95_subject or 'all requests'} at or below {judged.limit:g} ms",
        seen=f"p95 {judged.value:.1f} ms, at least {judged.lower:.1f} ms with 95 % confidence; "
        f"{judged.bad:,} of {judged.samples:,} requests were slower ({load_result.summary})",
        next="see the latency over time in the report: a slow start, a freeze and an overload look different",
    )
