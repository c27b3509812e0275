"""GO, NO-GO or UNKNOWN for one claim about a load, from what was measured and how it was carried out.

Pure: no file, no clock, no network. What was measured badly is never GO: a generator that was not fit makes
everything UNKNOWN; a load that was not delivered in full can still convict, because less of it was too much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Literal

from load import bounds
from load.histogram import merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from load.series import Cell

Outcome = Literal["GO", "NO-GO", "UNKNOWN"]

P95 = 0.95
MIN_DELIVERED = 0.95
"""Share of the intended load below which a good result says nothing about the intended load."""

MAX_CPU_SHARE = 0.9
"""Of one core. A generator above it measures itself."""

MAX_LATE_SHARE = 0.01
"""Share of requests that an idle generator sent late. A p95 looks at one request in twenty."""

MAX_DRIFT_S = 0.5
"""Between wall clock and steady clock. More: the machine slept, or its clock was set."""

MAX_START_SPREAD_S = 2.0
"""Between the clocks of the generators when they started."""

MAX_LIMITED_SHARE = 0.001
"""Share of answers 429. More: the rate limiter was measured, not the release."""


@dataclass(frozen=True)
class Conduct:
    """How the load was carried out.

    Attributes:
        intended: requests (open) or user-seconds (closed) that the judged stages call for.
        delivered: the same, as carried out.
        unit: of both.
        expected_workers: generators that had to take part.
        final_workers: generators whose final histogram arrived and agrees with their series.
        lost: names of generators that took part and whose final histogram did not.
        cpu_share: of one core, worst five seconds of the busiest generator.
        late_share: share of requests that an idle generator sent late.
        pool_busy_share: share of requests that were due while every user was busy (open mode).
        drift_s: between wall clock and steady clock, worst generator.
        start_spread_s: between the clocks of the generators at the start.
        limited_share: share of answers 429.
        problems: what else the generators reported, in words.
        interrupted: a person stopped the run.
        aborted: the harm for which the load stopped itself, or an empty string.
        rate: judged requests per second, to say how long "N more" take.
    """

    intended: float
    delivered: float
    unit: str = "requests"
    expected_workers: int = 1
    final_workers: int = 1
    lost: tuple[str, ...] = ()
    cpu_share: float = 0.0
    late_share: float = 0.0
    pool_busy_share: float = 0.0
    drift_s: float = 0.0
    start_spread_s: float = 0.0
    limited_share: float = 0.0
    problems: tuple[str, ...] = ()
    interrupted: bool = False
    aborted: str = ""
    rate: float = 0.0

    @property
    def delivered_share(self) -> float:
        """Delivered of intended; nothing intended is nothing delivered."""
        return self.delivered / self.intended if self.intended else 0.0


@dataclass(frozen=True)
class Judgement:
    """The outcome of one claim, with everything it rests on.

    Attributes:
        claim: ``"p95"`` or ``"error ratio"``.
        endpoint: its name, or an empty string for all together.
        unit: of value, bounds and limit: ``"ms"``, or empty for a ratio.
        samples: how many the claim was judged by.
        bad: how many of them were slower than the limit, or failed.
        method: how the bounds were found.
        reason: why it is UNKNOWN, or what NO-GO rests on.
        remedy: what to change.
        needs_more: samples that would decide it at the present share of bad ones; ``None``: not known, or
            never.
    """

    claim: str
    endpoint: str
    outcome: Outcome
    value: float | None
    lower: float | None
    upper: float | None
    limit: float
    unit: str
    samples: int
    bad: int
    method: str = ""
    reason: str = ""
    remedy: str = ""
    needs_more: int | None = None


def judge_p95(
    series: Sequence[Cell], limit_ms: float, conduct: Conduct, *, endpoint: str = "", looks: int = 1
) -> Judgement:
    """Judge the claim that 95 % of the requests are answered within ``limit_ms``.

    Args:
        series: the samples, one cell for each piece of time, in order.
        limit_ms: GO needs the upper bound of the p95 at or below it, NO-GO the lower bound above it.
        conduct: of the whole load.
        endpoint: name for the judgement.
        looks: how often the matter may be judged before it is decided; the risk is shared among them.
    """
    confidence = _confidence(looks)
    pieces = [cell.judged(limit_ms) for cell in series]
    whole = merged(pieces)
    bad = whole.slower_than(limit_ms * 1000).total
    found = bounds.quantile_bounds(pieces, P95, confidence)
    judged = Judgement(
        "p95", endpoint, "UNKNOWN", None, None, None, limit_ms, "ms", samples=whole.total, bad=bad
    )
    if found is None:
        return _nothing(judged, series, conduct)
    judged = replace(judged, value=found.value, lower=found.lower, upper=found.upper, method=found.method)
    slow = [piece.slower_than(limit_ms * 1000).total for piece in pieces]
    beyond = bounds.error_bounds(slow, [piece.total for piece in pieces], confidence)
    judged = _decide(judged, 1 - P95, beyond.weight if beyond else 1.0, confidence, conduct)
    if judged.outcome == "NO-GO" and _may_be_ours(conduct):
        service = bounds.quantile_bounds([cell.service for cell in series], P95, confidence)
        if service is None or service.lower is None or service.lower <= limit_ms:
            judged = replace(
                judged,
                outcome="UNKNOWN",
                reason=f"requests waited for a free user of ours ({conduct.pool_busy_share:.1%} were due "
                f"while all were busy); measured from sending, the p95 is {_shown(service)}",
                remedy="raise the number of users of the profile, or max_users of the budget",
            )
    failed = sum(cell.failed.total for cell in series)
    share_failed = bounds.ratio_bounds(failed, failed + sum(cell.ok.total for cell in series), confidence)[1]
    if judged.outcome == "GO" and share_failed >= 1 - P95:
        judged = replace(
            judged,
            outcome="UNKNOWN",
            reason=f"{failed} requests failed: the p95 of the others is not the p95 of the load",
            remedy="see the error ratio first",
        )
    return _with_conduct(judged, conduct)


def judge_errors(
    series: Sequence[Cell], limit: float, conduct: Conduct, *, endpoint: str = "", looks: int = 1
) -> Judgement:
    """Judge the claim that the share of failed requests is at or below ``limit``. See ``judge_p95``."""
    confidence = _confidence(looks)
    hits = [cell.failed.total for cell in series]
    totals = [cell.answered for cell in series]
    found = bounds.error_bounds(hits, totals, confidence)
    judged = Judgement(
        "error ratio", endpoint, "UNKNOWN", None, None, None, limit, "", samples=sum(totals), bad=sum(hits)
    )
    if found is None:
        return _nothing(judged, series, conduct)
    judged = replace(judged, value=found.value, lower=found.lower, upper=found.upper, method=found.method)
    return _with_conduct(_decide(judged, limit, found.weight, confidence, conduct), conduct)


def trouble(conduct: Conduct) -> tuple[str, str] | None:
    """Return why the generators cannot be believed at all, and what to change, or ``None``."""
    missing = conduct.expected_workers - conduct.final_workers
    checks = (
        (bool(conduct.problems), "; ".join(conduct.problems), "see the generators' own logs"),
        (
            missing > 0,
            f"{missing} of {conduct.expected_workers} generators did not report their final histogram"
            + (f": {', '.join(conduct.lost)}" if conduct.lost else ""),
            "see the generators' own logs: a killed or disconnected one has lost its samples",
        ),
        (
            conduct.cpu_share > MAX_CPU_SHARE,
            f"a generator used {conduct.cpu_share:.0%} of its core: it measured itself",
            "use more processes or workers, or a lower rate",
        ),
        (
            conduct.late_share > MAX_LATE_SHARE,
            f"an idle generator sent {conduct.late_share:.1%} of its requests late",
            "use a machine that is not busy with other things, more processes, or a lower rate",
        ),
        (
            conduct.drift_s > MAX_DRIFT_S,
            f"the clock of a generator was set, or its machine slept, by {conduct.drift_s:.1f} s",
            "repeat the run while the clock is steady",
        ),
        (
            conduct.start_spread_s > MAX_START_SPREAD_S,
            f"the generators started {conduct.start_spread_s:.1f} s apart by their clocks",
            "synchronise the clocks of the machines, or start with fewer workers",
        ),
        (
            conduct.limited_share > MAX_LIMITED_SHARE,
            f"{conduct.limited_share:.1%} of the answers were 429: a rate limiter was measured",
            "declare a verification identity that the limiter exempts ([rate] verification), or a lower rate",
        ),
    )
    return next(((reason, remedy) for is_so, reason, remedy in checks if is_so), None)


def _confidence(looks: int) -> float:
    """Share the risk among the looks (Bonferroni), so that looking often does not find what one hopes for."""
    return 1 - (1 - bounds.CONFIDENCE) / looks


def _may_be_ours(conduct: Conduct) -> bool:
    return conduct.pool_busy_share > MAX_LATE_SHARE or conduct.delivered_share < MIN_DELIVERED


def _decide(judged: Judgement, share: float, weight: float, confidence: float, conduct: Conduct) -> Judgement:
    """Compare the bounds with the limit; where they straddle it, say how many samples are wanting."""
    if judged.lower is not None and judged.lower > judged.limit:
        return replace(judged, outcome="NO-GO")
    if judged.upper is not None and judged.upper <= judged.limit:
        return replace(judged, outcome="GO")
    # Where samples count for less than one each, so do the bad ones, and more of all are needed.
    fewest = round(bounds.samples_for_go(ceil(judged.bad * weight), share, confidence) / weight)
    likely = bounds.samples_at_this_share(judged.bad, judged.samples, share, confidence)
    at_least = max(1, fewest - judged.samples)
    needs = None if likely is None else max(1, round(likely / weight) - judged.samples)
    words = f"needs {at_least:,} more samples, with none bad among them{_time(at_least, conduct.rate)}"
    if judged.bad and needs is not None:
        words += f", or about {needs:,} more at the present share{_time(needs, conduct.rate)}"
    elif judged.bad:
        words += "; at the present share, which is that of the limit, no number decides it"
    return replace(
        judged,
        reason=f"{judged.samples:,} samples, bounds {_range(judged)}: {words}",
        remedy="run longer or at a higher rate; until_decided = true goes on by itself, up to the budget",
        needs_more=needs,
    )


def _time(samples: int, rate: float) -> str:
    return f" (about {samples / rate:,.0f} s)" if rate else ""


def _range(judged: Judgement) -> str:
    lower, upper = (
        "unknown" if bound is None else f"{bound:.3f} ms" if judged.unit else f"{bound:.4%}"
        for bound in (judged.lower, judged.upper)
    )
    return f"{lower} to {upper}"


def _shown(service: bounds.Bounds | None) -> str:
    return "not known" if service is None else f"{service.value:.1f} ms"


def _nothing(judged: Judgement, series: Sequence[Cell], conduct: Conduct) -> Judgement:
    failed = sum(cell.failed.total for cell in series)
    reason = (
        f"no sample: {failed} requests failed, none was answered as promised"
        if failed
        else "no sample at all"
    )
    judged = replace(judged, reason=reason, remedy="see the error ratio, and the generators' own logs")
    return _with_conduct(judged, conduct)


def _with_conduct(judged: Judgement, conduct: Conduct) -> Judgement:
    """Let no result stand that the conduct of the load does not bear."""
    if found := trouble(conduct):
        reason, remedy = found
        return replace(judged, outcome="UNKNOWN", reason=reason, remedy=remedy, needs_more=None)
    if judged.outcome == "NO-GO":
        return judged
    if conduct.interrupted:
        return replace(judged, outcome="UNKNOWN", reason="the run was interrupted", remedy="repeat it")
    if conduct.aborted:
        reason = f"the load stopped itself: {conduct.aborted}"
        return replace(judged, outcome="UNKNOWN", reason=reason, remedy="see the other results of this run")
    if conduct.delivered_share < MIN_DELIVERED:
        return replace(
            judged,
            outcome="UNKNOWN",
            reason=f"{conduct.delivered_share:.1%} of the intended load was delivered "
            f"({conduct.delivered:,.0f} of {conduct.intended:,.0f} {conduct.unit})",
            remedy="raise the number of users of the profile, or add processes or workers",
        )
    return judged
