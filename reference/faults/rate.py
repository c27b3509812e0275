"""Faults of the rate limits: too wide, too tight, missing, dishonest; and of guessing passwords."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from reference.application import sessions
from reference.application.refusal import Refused
from reference.faults.registry import answer_fault, launch_fault
from reference.faults.security import with_edits

if TYPE_CHECKING:
    from reference.application.table import Call, Handler
    from reference.faults.registry import Result
    from reference.launch.plan import Plan

PHASE = "security"
LIMIT, ERRORS = "SEC-PRE-3", "SEC-PRE-8"
ZONE, BURST = "zone=per_address:1m rate=100r/m", "limit_req zone=per_address burst=99 nodelay;"
SIGN_IN = "limit_req zone=sign_in burst=19 nodelay;"
LOCKED_AFTER = 5


@launch_fault("rate-limit-per-second", LIMIT, phase=PHASE)
def rate_limit_per_second(plan: Plan) -> Plan:
    """A hundred requests a second are allowed, instead of a hundred a minute."""
    return with_edits(plan, (ZONE, "zone=per_address:1m rate=100r/s"))


@launch_fault("rate-limit-missing", LIMIT, phase=PHASE)
def rate_limit_missing(plan: Plan) -> Plan:
    """Requests are not limited at all, but for sign-ins."""
    return with_edits(plan, (BURST, ""))


@launch_fault("rate-limit-by-forwarded-address", LIMIT, phase=PHASE)
def rate_limit_by_forwarded_address(plan: Plan) -> Plan:
    """Requests and sign-ins are counted by the address that the client names in a header."""
    counted = "map $http_x_gonogo_verification $counted {\n        default $binary_remote_addr;"
    named = (
        'map $http_x_forwarded_for $client {\n        "" $binary_remote_addr;\n'
        "        default $http_x_forwarded_for;\n    }\n    "
    )
    return with_edits(plan, (counted, named + counted.replace("$binary_remote_addr", "$client")))


@launch_fault("rate-limit-per-path", LIMIT, phase=PHASE)
def rate_limit_per_path(plan: Plan) -> Plan:
    """Each path has a limit of its own, so that an address has a hundred requests for each."""
    zone = "limit_req_zone $counted zone=per_address"
    here = (
        'map "$counted:$uri" $counted_here {\n        "~^:" "";\n        default $counted$uri;\n    }\n    '
    )
    return with_edits(plan, (zone, here + zone.replace("$counted", "$counted_here")))


@launch_fault("rate-limit-too-tight", LIMIT, phase=PHASE)
def rate_limit_too_tight(plan: Plan) -> Plan:
    """Somebody who asks for more than thirty things at once is refused."""
    return with_edits(plan, (BURST, "limit_req zone=per_address burst=29 nodelay;"))


@launch_fault("rate-limit-without-retry-after", LIMIT, phase=PHASE)
def rate_limit_without_retry_after(plan: Plan) -> Plan:
    """A 429 does not say when to come again."""
    return with_edits(plan, ("add_header Retry-After $come_again_s always;", ""))


@launch_fault("rate-limit-without-recovery", LIMIT, phase=PHASE)
def rate_limit_without_recovery(plan: Plan) -> Plan:
    """A 429 says to come again in a second, and it takes a minute."""
    return with_edits(plan, (ZONE, "zone=per_address:1m rate=1r/m"))


@launch_fault("sign-in-unlimited", LIMIT, phase=PHASE)
def sign_in_unlimited(plan: Plan) -> Plan:
    """Signing in has no limit of its own."""
    return with_edits(plan, (SIGN_IN, ""))


wrong_passwords: Counter[str] = Counter()
"""In the application's process, which is a new one for each launch."""


@answer_fault("account-locked-by-anyone", LIMIT, endpoint="sign_in", phase=PHASE)
async def account_locked_by_anyone(honest: Handler, call: Call) -> Result:
    """Five wrong passwords lock an account, whoever has sent them."""
    username = str(json.loads(call.raw).get("username"))
    if wrong_passwords[username] >= LOCKED_AFTER:
        raise Refused(sessions.UNAUTHORIZED, "Wrong username or password")
    try:
        return await honest(call)
    except Refused:
        wrong_passwords[username] += 1
        raise


@answer_fault("unknown-user-quicker", ERRORS, endpoint="sign_in", phase=PHASE)
async def unknown_user_quicker(honest: Handler, call: Call) -> Result:
    """Unknown users are refused at once, without the work that a password costs."""
    username = json.loads(call.raw).get("username")
    async with call.pool.connection() as database:
        found = await database.execute("SELECT 1 FROM users WHERE username = %s", [username])
        if await found.fetchone() is None:
            raise Refused(sessions.UNAUTHORIZED, "Wrong username or password")
    return await honest(call)
