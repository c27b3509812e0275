"""Faults of the kanban board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from reference.application.models import Board
from reference.application.table import json_answer, problem
from reference.faults import broken
from reference.faults.registry import answer_fault

if TYPE_CHECKING:
    from reference.application.table import Call, Handler
    from reference.faults.registry import Result


@answer_fault("kanban-404", "SMK-5", endpoint="list_cards")
async def kanban_404(_: Handler, __: Call) -> Result:
    """The kanban board is not found on its new path."""
    return problem(404, "There is nothing here")


@answer_fault("kanban-empty-body", "SMK-5", endpoint="list_cards")
async def kanban_empty_body(_: Handler, __: Call) -> Result:
    """The kanban board answers 200 with nothing in the body."""
    return Response(b"", media_type="application/json")


@answer_fault("html-instead-of-json", "SMK-5", endpoint="list_cards")
async def html_instead_of_json(_: Handler, __: Call) -> Result:
    """The kanban board answers 200 with an HTML page."""
    return broken.page()


@answer_fault("redirect-loop", "SMK-5", endpoint="list_cards")
async def redirect_loop(_: Handler, call: Call) -> Result:
    """The kanban board redirects to itself."""
    return RedirectResponse(call.request.url.path)


@answer_fault("kanban-as-text", "SMK-5", endpoint="list_cards")
async def kanban_as_text(honest: Handler, call: Call) -> Result:
    """The kanban board answers JSON that is declared to be plain text."""
    result = await honest(call)
    return (
        Response(json_answer(result, 200).body, media_type="text/plain")
        if isinstance(result, Board)
        else result
    )
