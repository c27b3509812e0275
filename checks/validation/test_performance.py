"""The guide's quick performance check, and what the release costs beside the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.baseline import tables
from fixtures.observation import CannotObserve

if TYPE_CHECKING:
    from fixtures.baseline import Costs
    from fixtures.connections import Connections
    from fixtures.database import Database
    from fixtures.environment import Environment
    from fixtures.limits import Limits
    from fixtures.memory import Use
    from fixtures.quick import Burst

pytestmark = pytest.mark.validation


# ---------------------------------------------------------------- response time


@item("VAL-PERF-1")
def test_quick_burst_has_no_error(
    quick_burst: Burst, limits: Limits, measured: Measured, exhibits: Exhibits
) -> None:
    """Every request of the quick burst is answered as promised."""
    failed = sum(quick_burst.errors.values())
    measured(failed, limit=0, unit="errors")
    exhibits.table(
        f"{quick_burst.requests} requests for {quick_burst.path}, {quick_burst.concurrency} at a time",
        ("p50 ms", "p95 ms", "max ms", "limit of p95 ms", "errors"),
        [
            (
                *(f"{quick_burst.percentile_ms(percent):.1f}" for percent in (50, 95, 100)),
                f"{limits.p95_ms:g}",
                failed,
            )
        ]
        if quick_burst.elapsed_ms
        else [],
    )

    assert not failed, explain(
        expected=f"{quick_burst.requests} requests for {quick_burst.path} without an error",
        seen="; ".join(f"{count} times {reason}" for reason, count in quick_burst.errors.items()),
        next="read the service's log for the requests that failed",
        by_hand=quick_burst.curl,
    )


@item("VAL-PERF-1")
def test_quick_burst_is_answered_in_time(quick_burst: Burst, limits: Limits, measured: Measured) -> None:
    """The 95th percentile of the quick burst's response times is within its limit (ms)."""
    p95_ms = quick_burst.percentile_ms(95)
    measured(round(p95_ms, 1), limit=limits.p95_ms, unit="ms")

    assert p95_ms <= limits.p95_ms, explain(
        expected=f"95 % of the answers to GET {quick_burst.path} within {limits.p95_ms:g} ms",
        seen=f"p95 {p95_ms:.0f} ms, p50 {quick_burst.percentile_ms(50):.0f} ms, "
        f"max {quick_burst.percentile_ms(100):.0f} ms, {quick_burst.concurrency} at a time",
        next="look for what the slow answers wait for: database, locks, processor",
        by_hand=quick_burst.curl,
    )


# ---------------------------------------------------------------- database connections


@item("VAL-PERF-2")
def test_database_has_few_client_connections(
    connections: Connections, limits: Limits, measured: Measured, exhibits: Exhibits
) -> None:
    """Fewer clients are connected to the database than the limit, ours not counted."""
    count = len(connections.sessions)
    measured(count, limit=limits.db_connections, unit="connections")
    exhibits.table("Database connections", ("state", "clients"), connections.by_state().items())
    if not count:
        raise CannotObserve(
            "SELECT * FROM pg_stat_activity",
            "no client but us is connected, although the service has just been used",
            remedy="see whether database.dsn names the database of the release",
        )

    assert count < limits.db_connections, explain(
        expected=f"fewer than {limits.db_connections} client connections",
        seen=f"{count}: {_states(connections)}",
        next="see which service opens them, and whether its pool has a limit",
        by_hand="SELECT state, application_name, count(*) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' GROUP BY 1, 2",
    )


@item("VAL-PERF-2")
def test_no_transaction_is_left_open(connections: Connections, limits: Limits, measured: Measured) -> None:
    """No client stays idle in a transaction for longer than a whole request may take."""
    measured(len(connections.leaked), limit=0, unit="sessions")

    assert not connections.leaked, explain(
        expected=f"nobody idle in a transaction for more than {limits.request_timeout_s:g} s",
        seen="; ".join(map(str, connections.leaked)),
        next="find the code that takes a connection and does not give it back; the transaction holds locks",
        by_hand="SELECT pid, application_name, state_change, query FROM pg_stat_activity "
        "WHERE state LIKE 'idle in transaction%'",
    )


@item("VAL-PERF-2")
def test_pools_fit_into_the_database(
    connections: Connections, environment: Environment, measured: Measured
) -> None:
    """The pools of all workers together fit below what the server lets clients have."""
    pool = environment.database.pool if environment.database else None
    if pool is None:
        raise CannotObserve(
            "adding up the pools",
            "the environment file declares none",
            remedy="declare database.pool = { pool_size = N, workers = N }",
        )
    most = pool.pool_size * pool.workers
    measured(most, limit=connections.room, unit="connections")

    assert most < connections.room, explain(
        expected=f"pools of fewer than {connections.room} connections, which is what the server allows",
        seen=f"{pool.workers} workers with {pool.pool_size} each may open {most}",
        next="make the pools smaller, or raise max_connections",
        by_hand="SHOW max_connections",
    )


def _states(connections: Connections) -> str:
    return ", ".join(
        f"{count} {state or 'of unknown state'}" for state, count in connections.by_state().items()
    )


# ---------------------------------------------------------------- memory


@item("VAL-PERF-3")
def test_services_have_memory_to_spare(
    memory_uses: tuple[Use, ...], limits: Limits, measured: Measured, exhibits: Exhibits
) -> None:
    """Every service uses less than its share of its memory limit (MB of 10^6 bytes)."""
    worst = max(memory_uses, key=lambda use: use.used_mb / use.limit_mb)
    measured(round(worst.used_mb), limit=round(worst.limit_mb * limits.memory_ratio), unit="MB")
    exhibits.table(
        "Memory of the services",
        ("service", "used MB", "limit MB", "read from"),
        [(use.service, f"{use.used_mb:.0f}", f"{use.limit_mb:g}", use.source) for use in memory_uses],
    )
    over = [use for use in memory_uses if use.used_mb > use.limit_mb * limits.memory_ratio]

    assert not over, explain(
        expected=f"every service below {limits.memory_ratio:.0%} of its memory limit",
        seen="; ".join(f"{use.service} uses {use.used_mb:.0f} of {use.limit_mb:g} MB" for use in over),
        next="see whether it grows: a leak ends in a restart at the worst time",
    )


# ---------------------------------------------------------------- beside the previous release


@item("REL-PERF-1")
def test_release_adds_no_noticeable_latency(
    costs: Costs, limits: Limits, measured: Measured, exhibits: Exhibits
) -> None:
    """No endpoint answers noticeably later than in the previous release (ms, 95 % confidence)."""
    limit_ms = limits.added_latency_ms
    latency = costs.latency(limit_ms)
    worst = max(latency.shifts, key=lambda shift: shift.high_ms)
    measured(round(worst.shift_ms, 2), limit=limit_ms, unit="ms")
    exhibits.table(
        f"Added latency, beside {latency.beside.removesuffix(', beside it')}",
        ("endpoint", "median before", "median now", "added, 95 % interval", "samples"),
        [
            (
                s.name,
                f"{s.before_ms:.1f}",
                f"{s.now_ms:.1f}",
                f"{s.low_ms:+.2f} to {s.high_ms:+.2f}",
                s.samples,
            )
            for s in latency.shifts
        ],
    )
    slower = [shift for shift in latency.shifts if shift.low_ms >= limit_ms]
    unclear = [str(shift) for shift in latency.shifts if not shift.is_clear(limit_ms)]

    assert not slower, explain(
        expected=f"less than {limit_ms:g} ms more than {latency.beside}",
        seen="; ".join(map(str, slower)),
        next="see what the endpoint does now that it did not do before",
    )
    if unclear or latency.missed:
        raise CannotObserve(
            f"comparing with {latency.beside}",
            "; ".join([*unclear, *latency.missed]),
            remedy="repeat when the target and this machine are quiet",
        )


@item("REL-PERF-1")
def test_release_adds_little_memory(costs: Costs, limits: Limits, measured: Measured) -> None:
    """No service uses noticeably more memory than in the previous release (MB of 10^6 bytes)."""
    growths = costs.growth(limits.added_latency_ms)
    worst = max(growths, key=lambda growth: growth.added_mb)
    measured(round(worst.added_mb, 1), limit=limits.added_memory_mb, unit="MB")
    over = [growth for growth in growths if growth.added_mb > limits.added_memory_mb]

    assert not over, explain(
        expected=f"at most {limits.added_memory_mb:g} MB more than {worst.beside}",
        seen="; ".join(
            f"{g.service} {g.added_mb:+.0f} MB ({g.before_mb:.0f} to {g.now_mb:.0f})" for g in over
        ),
        next="see what the service keeps in memory now",
    )


@item("REL-PERF-1")
def test_release_adds_no_table(costs: Costs, database: Database, measured: Measured) -> None:
    """The database has no table that it did not have before the release."""
    baseline = costs.stored()
    if baseline.tables is None:
        raise CannotObserve(f"comparing with {baseline}", "it does not say which tables there were")
    now = tables(database)
    new = sorted(set(now) - set(baseline.tables))
    measured(len(new), limit=0, unit="new tables")

    assert not new, explain(
        expected=f"the {len(baseline.tables)} tables of release {baseline.release}",
        seen=f"{', '.join(new)} {'is' if len(new) == 1 else 'are'} new",
        next="see which migration made it, and whether a rollback can live with it",
        by_hand="\\dt *.*",
    )
