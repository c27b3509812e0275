from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from load.charts import capacity_chart, charts

TITLES = {"Latency distribution", "Latency over time", "Rate and errors over time"}


def load(**changed: Any) -> dict[str, Any]:
    series = [
        {
            "second": second,
            "rate": 50.0,
            "failed": second % 3,
            "p50_ms": 10.0 + second,
            "p95_ms": 50.0,
            "p99_ms": 90.0,
        }
        for second in range(20)
    ]
    told: dict[str, Any] = {
        "series": series, "window_s": [5, 20], "piece_s": 1, "limit_p95_ms": 200.0,
        "histogram": {"10000": 500, "50000": 400, "190464": 100},
        "total": {"p50_ms": 10, "p95_ms": 50, "p99_ms": 190},
    }  # fmt: skip
    return told | changed


def test_every_chart_is_one_whole_drawing_without_script_or_reference() -> None:
    drawn = charts(load())

    assert drawn.keys() == TITLES
    for title, svg in drawn.items():
        root = ET.fromstring(svg)  # noqa: S314 - ours
        assert root.tag.endswith("svg")
        assert root.find("{http://www.w3.org/2000/svg}title") is not None
        assert title in svg
        assert not re.search(r"<script|href|url\(|on\w+=", svg)


def test_the_limit_and_the_percentiles_are_drawn() -> None:
    drawn = charts(load())

    assert "limit 200 ms" in drawn["Latency over time"]
    assert {"p50", "p95", "p99"} <= set(re.findall(r">(p\d\d)<", drawn["Latency over time"]))
    assert "warm-up" in drawn["Latency over time"]
    assert "limit 200 ms" in drawn["Latency distribution"]
    assert ">failed<" in drawn["Rate and errors over time"]


@pytest.mark.parametrize(
    "broken",
    [{}, {"series": []}, {"series": [{"second": 0}]}, {"series": "no"}, {"histogram": {}, "series": [{}]},
     load(series=[{"second": 0, "rate": float("nan"), "p50_ms": "<script>"}]), load(histogram={"x": 1}),
     load(window_s=[]), load(total=None), load(limit_p95_ms="<b>")],
)  # fmt: skip
def test_what_is_missing_or_broken_is_no_drawing_and_no_error(broken: dict[str, Any]) -> None:
    for svg in charts(broken).values():
        ET.fromstring(svg)  # noqa: S314 - ours
        assert "<script" not in svg
        assert "nan" not in svg


def test_a_gap_breaks_the_line() -> None:
    told = load()
    told["series"][10]["p95_ms"] = None

    whole, broken = (charts(each)["Latency over time"].count("<polyline") for each in (load(), told))

    assert broken == whole + 1


def test_the_capacity_is_drawn_with_its_bounds() -> None:
    steps: list[dict[str, Any]] = [
        {"rate": 10, "value": 50, "lower": 49, "upper": 51, "outcome": "GO"},
        {"rate": 20, "value": 300, "lower": 290, "upper": None, "outcome": "<NO-GO>"},
    ]

    svg = capacity_chart(steps, 200)

    ET.fromstring(svg)  # noqa: S314 - ours
    assert "&lt;NO-GO&gt;" in svg
    assert "limit 200 ms" in svg
