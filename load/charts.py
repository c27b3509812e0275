"""Charts of a load as inline SVG, drawn by hand: no script, no external resource, every text escaped.

Input is the evidence of ``load.result`` (``load.json``), read as data that anybody may have written.
Colours follow the page's text (``currentColor``) where they mean nothing; lines differ in dash as well as
in colour.
"""

from __future__ import annotations

from html import escape
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WIDTH, HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 96, 28, 32
_TICKS = 5
_BARS = 60
_LIMIT = "#b3261e"
_COLOURS = {"p50": "#2a7f62", "p95": "#1f5fa8", "p99": "#8a4fa3", "rate": "#1f5fa8", "failed": "#b3261e"}
_DASHES = {"p50": "2 3", "p95": "", "p99": "6 3", "rate": "", "failed": "4 2"}

Point = tuple[float, float | None]


def charts(load: Mapping[str, Any]) -> dict[str, str]:
    """Return title to SVG: distribution, latency over time, rate and errors over time.

    A chart whose data is missing or broken says so instead.
    """
    drawn = {
        "Latency distribution": _distribution,
        "Latency over time": _latency,
        "Rate and errors over time": _rate,
    }
    return {title: _drawn(title, draw, load) for title, draw in drawn.items()}


def capacity_chart(steps: Sequence[Mapping[str, Any]], limit_ms: float) -> str:
    """Return the SVG of a search for the capacity: p95 with its bounds over the offered rate."""
    steps = sorted(steps, key=lambda step: _number(step.get("rate")) or 0.0)
    rates = [_number(step.get("rate")) or 0.0 for step in steps]
    tops = [_number(step.get("upper")) or _number(step.get("value")) or 0.0 for step in steps]
    frame = _Frame(max([*rates, 1.0]), max([*tops, limit_ms]) * 1.1, "requests per second", "ms")
    parts = [
        frame.limit(limit_ms),
        frame.line([(r, _number(s.get("value"))) for r, s in zip(rates, steps, strict=True)], "p95"),
    ]
    for rate, step in zip(rates, steps, strict=True):
        lower, upper = _number(step.get("lower")), _number(step.get("upper"))
        if lower is not None and upper is not None:
            x = frame.x(rate)
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{frame.y(lower):.1f}" y2="{frame.y(upper):.1f}" '
                f'stroke="{_COLOURS["p95"]}" stroke-width="3" opacity="0.5"/>'
            )
        outcome = str(step.get("outcome", ""))
        parts.append(frame.text(frame.x(rate), _TOP - 6, outcome, "middle"))
    return frame.svg("p95 over the offered rate", parts)


def _drawn(title: str, draw: Any, load: Mapping[str, Any]) -> str:  # noqa: ANN401 - one of three functions
    try:
        return str(draw(title, load))
    except (LookupError, TypeError, ValueError, AttributeError):
        return _Frame(1, 1, "", "").svg(f"{title}: no data", [])


class _Frame:
    """Axes from zero to a top, and what is drawn in them."""

    def __init__(self, x_top: float, y_top: float, x_unit: str, y_unit: str) -> None:
        self.x_top, self.y_top = max(x_top, 1e-9), max(y_top, 1e-9)
        self.units = x_unit, y_unit

    def x(self, value: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * min(value / self.x_top, 1.0)

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * min(value / self.y_top, 1.0)

    def text(self, x: float, y: float, text: str, anchor: str = "start", colour: str = "currentColor") -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'

    def line(self, points: Sequence[Point], name: str, label: str = "") -> str:
        """Return a line that is broken where a value is missing, with its name at its end."""
        runs: list[list[str]] = [[]]
        for x, y in points:
            if y is None:
                runs.append([])
            else:
                runs[-1].append(f"{self.x(x):.1f},{self.y(y):.1f}")
        colour, dash = _COLOURS[name], _DASHES[name]
        style = f'fill="none" stroke="{colour}" stroke-width="1.5"' + (
            f' stroke-dasharray="{dash}"' if dash else ""
        )
        drawn = [f'<polyline points="{" ".join(run)}" {style}/>' for run in runs if len(run) > 1]
        drawn += [
            f'<circle cx="{run[0].split(",")[0]}" cy="{run[0].split(",")[1]}" r="2" fill="{colour}"/>'
            for run in runs
            if len(run) == 1
        ]
        last = next((y for _, y in reversed(points) if y is not None), None)
        if last is not None:
            drawn.append(self.text(WIDTH - _RIGHT + 6, self.y(last) + 4, label or name, colour=colour))
        return "".join(drawn)

    def limit(self, value: float) -> str:
        """Return a horizontal line at a limit."""
        return self.across(value, f'stroke="{_LIMIT}" stroke-dasharray="8 4"') + self.text(
            _LEFT + 4, self.y(value) - 4, f"limit {value:g} ms", colour=_LIMIT
        )

    def across(self, value: float, style: str) -> str:
        """Return a horizontal line."""
        y = self.y(value)
        return f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" {style}/>'

    def down(self, value: float, style: str) -> str:
        """Return a vertical line."""
        x = self.x(value)
        return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}" {style}/>'

    def svg(self, title: str, parts: Iterable[str]) -> str:
        """Return the whole drawing."""
        grid = []
        for value in _ticks(self.y_top):
            label = self.text(_LEFT - 6, self.y(value) + 4, f"{value:g}", "end")
            grid.append(self.across(value, 'stroke="currentColor" opacity="0.15"') + label)
        grid += [
            self.text(self.x(value), HEIGHT - _BOTTOM + 16, f"{value:g}", "middle")
            for value in _ticks(self.x_top)
        ]
        grid.append(self.text(WIDTH - _RIGHT, HEIGHT - 4, self.units[0], "end"))
        grid.append(self.text(4, _TOP - 10, self.units[1]))
        name = escape(title)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{name}" font-family="sans-serif" font-size="11"><title>{name}</title>'
            + "".join(grid)
            + "".join(parts)
            + "</svg>"
        )


def _distribution(title: str, load: Mapping[str, Any]) -> str:
    counts = {int(bucket) / 1000: int(count) for bucket, count in load["histogram"].items()}
    if not counts:
        raise ValueError("nothing to draw")
    limit = _number(load.get("limit_p95_ms"))
    top = max(_weighted_quantile(counts, 0.999), (limit or 0) * 1.05)
    width = top / _BARS
    bars = [0] * _BARS
    for ms, count in counts.items():
        bars[min(_BARS - 1, floor(ms / width))] += count
    frame = _Frame(top, max(bars), "ms (the last bar holds all that is slower)", "requests")
    parts = [
        f'<rect x="{frame.x(number * width):.1f}" y="{frame.y(count):.1f}" '
        f'width="{frame.x(width) - frame.x(0) - 0.5:.1f}" height="{frame.y(0) - frame.y(count):.1f}" '
        f'fill="{_COLOURS["p95"]}" opacity="0.7"/>'
        for number, count in enumerate(bars)
        if count
    ]
    for name in ("p50", "p95", "p99"):
        value = _number(load["total"].get(f"{name}_ms"))
        if value is not None:
            style = f'stroke="{_COLOURS[name]}" stroke-dasharray="{_DASHES[name]}"'
            label = frame.text(frame.x(value) + 3, _TOP + 10, name, colour=_COLOURS[name])
            parts.append(frame.down(value, style) + label)
    if limit:
        label = frame.text(frame.x(limit) + 3, _TOP - 4, f"limit {limit:g} ms", colour=_LIMIT)
        parts.append(frame.down(limit, f'stroke="{_LIMIT}" stroke-dasharray="8 4"') + label)
    return frame.svg(title, parts)


def _latency(title: str, load: Mapping[str, Any]) -> str:
    lines = {name: _points(load["series"], f"{name}_ms") for name in ("p50", "p95", "p99")}
    limit = _number(load.get("limit_p95_ms")) or 0.0
    values = [y for points in lines.values() for _, y in points if y is not None]
    if not values:
        raise ValueError("nothing to draw")
    frame = _Frame(_end(load), max(*values, limit) * 1.05, "seconds since the start", "ms")
    warm = _number(load["window_s"][0]) or 0.0
    parts = [_shade(frame, warm), *(frame.line(points, name) for name, points in lines.items())]
    return frame.svg(title, [*parts, frame.limit(limit)] if limit else parts)


def _rate(title: str, load: Mapping[str, Any]) -> str:
    rate, failed = _points(load["series"], "rate"), _points(load["series"], "failed")
    width = _number(load.get("piece_s")) or 1.0
    failed = [(x, None if y is None else y / width) for x, y in failed]
    values = [y for points in (rate, failed) for _, y in points if y is not None]
    if not values:
        raise ValueError("nothing to draw")
    frame = _Frame(_end(load), max(values) * 1.05, "seconds since the start", "requests per second")
    warm = _number(load["window_s"][0]) or 0.0
    return frame.svg(title, [_shade(frame, warm), frame.line(rate, "rate"), frame.line(failed, "failed")])


def _shade(frame: _Frame, warm_up_s: float) -> str:
    if not warm_up_s:
        return ""
    return (
        f'<rect x="{_LEFT}" y="{_TOP}" width="{frame.x(warm_up_s) - _LEFT:.1f}" '
        f'height="{HEIGHT - _TOP - _BOTTOM}" fill="currentColor" opacity="0.06"/>'
        + frame.text(_LEFT + 4, HEIGHT - _BOTTOM - 6, "warm-up")
    )


def _points(series: Sequence[Mapping[str, Any]], key: str) -> list[Point]:
    return [(_number(point["second"]) or 0.0, _number(point.get(key))) for point in series]


def _end(load: Mapping[str, Any]) -> float:
    return max((_number(point["second"]) or 0.0 for point in load["series"]), default=1.0)


def _number(value: object) -> float | None:
    """Return a finite number, or ``None`` of anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)


def _weighted_quantile(counts: Mapping[float, int], share: float) -> float:
    wanted, reached = share * sum(counts.values()), 0
    for value in sorted(counts):
        reached += counts[value]
        if reached >= wanted:
            return value
    return max(counts)


def _ticks(top: float) -> list[float]:
    """Return round numbers from zero to the top."""
    rough = top / _TICKS
    magnitude: float = 10.0 ** floor(log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough)
    return [
        round(number * step, 10) for number in range(ceil(top / step) + 1) if number * step <= top * 1.0001
    ]
