"""Faults of what is written down: the security log and the audit table."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

from reference.application import security_log
from reference.faults.registry import answer_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference.application.table import Call, Handler
    from reference.faults.registry import Result

PHASE = "security"
LOG = "SEC-POST-6"
LATE_S = 30.0


async def bent(honest: Handler, call: Call, keep: Callable[[logging.LogRecord], bool]) -> Result:
    """Answer with every record of the security log passing through a filter, from now on."""
    log = logging.getLogger(security_log.NAME)
    if not log.filters:
        log.addFilter(keep)
    return await honest(call)


@answer_fault("security-log-silent", LOG, endpoint="sign_in", phase=PHASE)
async def security_log_silent(honest: Handler, call: Call) -> Result:
    """Failed sign-ins are not written down."""
    return await bent(honest, call, lambda _: False)


@answer_fault("security-log-anonymous", LOG, endpoint="sign_in", phase=PHASE)
async def security_log_anonymous(honest: Handler, call: Call) -> Result:
    """Failed sign-ins are written down without the user's name."""

    def without_name(record: logging.LogRecord) -> bool:
        record.msg = json.dumps({**json.loads(record.getMessage()), "user": "-"})
        return True

    return await bent(honest, call, without_name)


@answer_fault("security-log-late", LOG, endpoint="sign_in", phase=PHASE)
async def security_log_late(honest: Handler, call: Call) -> Result:
    """Failed sign-ins are written down half a minute later."""
    loop, log = asyncio.get_running_loop(), logging.getLogger(security_log.NAME)

    def later(record: logging.LogRecord) -> bool:
        for handler in log.handlers:
            loop.call_later(LATE_S, handler.handle, record)
        return False

    return await bent(honest, call, later)


@answer_fault("password-logged", LOG, endpoint="sign_in", phase=PHASE)
async def password_logged(honest: Handler, call: Call) -> Result:
    """Every sign-in is written down as it was sent."""
    logging.getLogger(security_log.NAME).info(call.raw.decode(errors="replace"))
    return await honest(call)


@answer_fault("audit-empty", LOG, endpoint="create_bom", phase=PHASE)
async def audit_empty(honest: Handler, call: Call) -> Result:
    """The audit table takes rows, and keeps none."""
    async with call.pool.connection() as database:
        await database.execute("CREATE OR REPLACE RULE nothing AS ON INSERT TO audit_log DO INSTEAD NOTHING")
    return await honest(call)
