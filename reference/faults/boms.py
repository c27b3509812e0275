"""Faults of the bills of materials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from reference.application.models import Boms
from reference.faults import broken
from reference.faults.registry import answer_fault

if TYPE_CHECKING:
    from reference.application.table import Call, Handler
    from reference.faults.registry import Result

MISSING_BYTES = 100


@answer_fault("bom-list-500-when-not-empty", "SMK-3", endpoint="list_boms")
async def bom_list_500_when_not_empty(honest: Handler, call: Call) -> Result:
    """The BOM list answers 500 as soon as there is something to list."""
    result = await honest(call)
    return broken.server_error() if isinstance(result, Boms) and result.items else result


@answer_fault("bom-list-hides-error", "SMK-3", endpoint="list_boms")
async def bom_list_hides_error(_: Handler, __: Call) -> Result:
    """The BOM list answers 200 with an error in its body."""
    return broken.hidden_error(200)


@answer_fault("bom-list-empty-forever", "SMK-3", endpoint="list_boms")
async def bom_list_empty_forever(_: Handler, __: Call) -> Result:
    """The BOM list is a stub that never shows a record."""
    return Boms(items=[], total=0)


@answer_fault("slow-bom-list", "SMK-3", endpoint="list_boms")
async def slow_bom_list(honest: Handler, call: Call) -> Result:
    """The BOM list takes 30 seconds."""
    await broken.delay()
    return await honest(call)


@answer_fault("truncated-body", "SMK-3", endpoint="list_boms")
async def truncated_body(honest: Handler, call: Call) -> Result:
    """The BOM list promises a longer body than it sends, and closes the connection."""
    result = await honest(call)
    body = result.model_dump_json().encode() if isinstance(result, Boms) else b""
    length = str(len(body) + MISSING_BYTES)
    return Response(body, headers={"Content-Length": length}, media_type="application/json")
