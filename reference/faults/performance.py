"""Faults of speed and of resources: time, connections, memory, tables."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import psycopg

from reference.faults import broken
from reference.faults.registry import answer_fault

if TYPE_CHECKING:
    from reference.application.table import Call, Handler
    from reference.faults.registry import Result

PHASE = "validation"
SLOW_S = 0.4  # twice the guide's 200 ms
SLOW_OF_TEN = 4
FAILING_EVERY = 50
ADDED_S = 0.01  # twice the guide's 5 ms
LEAKED = 2
TOO_MANY = 55  # the guide allows 50, the pool has its own
HOG_MB = 300

_kept: list[object] = []
"""What the faults hold on to, so that it is not collected."""

_calls, _slow, _failing = itertools.count(), itertools.count(), itertools.count()


@answer_fault("health-slow-at-times", "VAL-PERF-1", endpoint="health", phase=PHASE)
async def health_slow_at_times(honest: Handler, call: Call) -> Result:
    """Four of ten health requests take 400 ms longer."""
    if next(_slow) % 10 < SLOW_OF_TEN:
        await asyncio.sleep(SLOW_S)
    return await honest(call)


@answer_fault("health-fails-at-times", "VAL-PERF-1", endpoint="health", phase=PHASE)
async def health_fails_at_times(honest: Handler, call: Call) -> Result:
    """One of fifty health requests answers 500."""
    if next(_failing) % FAILING_EVERY == FAILING_EVERY - 1:
        return broken.server_error()
    return await honest(call)


@answer_fault("idle-in-transaction-leak", "VAL-PERF-2", endpoint="health", phase=PHASE)
async def idle_in_transaction_leak(honest: Handler, call: Call) -> Result:
    """The health endpoint forgets sessions in the middle of a transaction."""
    if first_call():
        for _ in range(LEAKED):
            session = await connected(call)
            await session.execute("SELECT 1")
            _kept.append(session)
    return await honest(call)


@answer_fault("too-many-connections", "VAL-PERF-2", endpoint="health", phase=PHASE)
async def too_many_connections(honest: Handler, call: Call) -> Result:
    """The application keeps more sessions open than the guide allows."""
    if first_call():
        _kept.extend([await connected(call, autocommit=True) for _ in range(TOO_MANY)])
    return await honest(call)


@answer_fault("memory-hog", "VAL-PERF-3", "REL-PERF-1", endpoint="health", phase=PHASE)
async def memory_hog(honest: Handler, call: Call) -> Result:
    """The application holds 300 MB that it does not need."""
    if first_call():
        for _ in range(HOG_MB):
            _kept.append(bytearray(b"\xaa") * 1_000_000)
            await asyncio.sleep(0)
    return await honest(call)


@answer_fault("new-table", "REL-PERF-1", "REL-BOM-2", endpoint="health", phase=PHASE)
async def new_table(honest: Handler, call: Call) -> Result:
    """The release makes a table that nobody announced."""
    if first_call():
        async with call.pool.connection() as database:
            await database.execute("CREATE TABLE bom_audit (id integer PRIMARY KEY)")
    return await honest(call)


def first_call() -> bool:
    """Return whether this is the first time that it is asked: only one call pays for the fault."""
    return next(_calls) == 0


async def connected(call: Call, *, autocommit: bool = False) -> psycopg.AsyncConnection:
    """Return a session beside the pool."""
    return await psycopg.AsyncConnection.connect(
        call.settings.database_url, autocommit=autocommit, application_name="reference"
    )


@answer_fault("added-latency", "REL-PERF-1", endpoint="list_orders", phase=PHASE)
async def added_latency(honest: Handler, call: Call) -> Result:
    """The list of orders takes 10 ms longer than in the previous release."""
    await asyncio.sleep(ADDED_S)
    return await honest(call)
