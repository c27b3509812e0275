"""Faults that only a load shows: too slow for many, and failing for few."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from reference.faults import broken
from reference.faults.registry import answer_fault

if TYPE_CHECKING:
    from reference.application.table import Call, Handler
    from reference.faults.registry import Result

SLOW_S = 0.3  # half as much again as the guide's 200 ms
FAILING_EVERY = 50

_calls = itertools.count()


@answer_fault("orders-slow", "LOAD-1", endpoint="list_orders", phase="load")
async def orders_slow(honest: Handler, call: Call) -> Result:
    """The list of orders takes 300 ms longer, every time."""
    await asyncio.sleep(SLOW_S)
    return await honest(call)


@answer_fault("orders-fail-at-times", "LOAD-2", endpoint="list_orders", phase="load")
async def orders_fail_at_times(honest: Handler, call: Call) -> Result:
    """One of fifty lists of orders answers 500."""
    if next(_calls) % FAILING_EVERY == FAILING_EVERY - 1:
        return broken.server_error()
    return await honest(call)
