"""Faults that only a sweep over every endpoint shows: types, media types, timestamps, stubs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from reference.application.models import Boms, Health, Me, Order, Orders, Task
from reference.faults import broken
from reference.faults.registry import Fault, answer_fault, register, sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from reference.application.table import Call, Handler
    from reference.faults.registry import Result, Table

OFFSET = "+07:00"
TIMES = ("created_at", "updated_at", "approved_at", "started_at", "completed_at")


def served(result: Result, change: Callable[[Any], None]) -> Response:
    """Return the honest answer as JSON, with a change to its parsed body."""
    body = (
        json.loads(result.model_dump_json())
        if result is not None and not isinstance(result, Response)
        else {}
    )
    change(body)
    return JSONResponse(body)


def with_times(value: Any, write: Callable[[str], str]) -> None:  # noqa: ANN401  any part of a body
    """Write every timestamp of a body anew, in place."""
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        with_times(part, write)
    if isinstance(value, dict):
        value |= {name: write(value[name]) for name in TIMES if value.get(name)}


def in_utc(text: str) -> str:
    """Return the same instant, with the offset of UTC."""
    moment = datetime.fromisoformat(text)
    return (moment - (moment.utcoffset() or timedelta())).replace(tzinfo=None).isoformat() + "+00:00"


def utc_as_jakarta(text: str) -> str:
    """Return the wall clock of UTC with Jakarta's offset: an instant seven hours too early."""
    return in_utc(text).replace("+00:00", OFFSET)


@answer_fault("naive-timestamp-in-a-nested-field", "REL-TIME-1", endpoint="list_cards", phase="validation")
async def naive_timestamp_in_a_nested_field(honest: Handler, call: Call) -> Result:
    """One card of the board has one timestamp without an offset."""

    def change(body: dict[str, Any]) -> None:
        body["cards"][-1]["updated_at"] = body["cards"][-1]["updated_at"].removesuffix(OFFSET)

    return served(await honest(call), change)


@answer_fault(
    "epoch-timestamp", "REL-PPIC-2", "REL-TIME-1", "VAL-API-2", endpoint="read_order", phase="validation"
)
async def epoch_timestamp(honest: Handler, call: Call) -> Result:
    """An order says when it was made in seconds since 1970."""

    def change(body: dict[str, Any]) -> None:
        body["created_at"] = int(datetime.fromisoformat(body["created_at"]).timestamp())

    return served(await honest(call), change)


@answer_fault("timestamps-in-utc", "REL-TIME-2", endpoint="read_task", phase="validation")
async def timestamps_in_utc(honest: Handler, call: Call) -> Result:
    """A task shows its timestamps in UTC (+00:00) instead of Jakarta time."""
    return served(await honest(call), lambda body: with_times(body, in_utc))


@answer_fault("approval-without-offset", "REL-TIME-1", endpoint="approve_task", phase="validation")
async def approval_without_offset(honest: Handler, call: Call) -> Result:
    """The answer to an approval shows timestamps without an offset; reading the task shows them with it."""
    return served(await honest(call), lambda body: with_times(body, lambda text: text.removesuffix(OFFSET)))


@answer_fault("completion-in-utc", "REL-TIME-2", endpoint="complete_task", phase="validation")
async def completion_in_utc(honest: Handler, call: Call) -> Result:
    """The answer to a completion shows timestamps in UTC; reading the task shows them in Jakarta time."""
    return served(await honest(call), lambda body: with_times(body, in_utc))


def everywhere(name: str, *items: str, write: Callable[[str], str]) -> Callable[[Callable[[], None]], None]:
    """Register a fault that writes the timestamps of every order anew; the docstring is the sentence."""

    def bend(table: Table) -> Table:
        def wrapped(honest: Handler) -> Handler:
            async def handler(call: Call) -> Result:
                result = await honest(call)
                made = isinstance(result, Order)
                if not isinstance(result, Orders | Order | Task):
                    return result
                answer = served(result, lambda body: with_times(body, write))
                answer.status_code = 201 if made and call.request.method == "POST" else 200
                return answer

            return handler

        names = ("list_orders", "create_order", "read_order")
        return table | {each: replace(table[each], handler=wrapped(table[each].handler)) for each in names}

    def decorate(said: Callable[[], None]) -> None:
        register(Fault(name, sentence(said), items, "validation", bend_table=bend))

    return decorate


@everywhere("wrong-offset-same-wall-clock", "REL-TIME-2", write=utc_as_jakarta)
def wrong_offset_same_wall_clock() -> None:
    """Orders show UTC's wall clock with Jakarta's offset, which is an instant seven hours earlier."""


@answer_fault("bom-list-wrong-types", "VAL-API-1", "REL-BOM-1", endpoint="list_boms", phase="validation")
async def bom_list_wrong_types(honest: Handler, call: Call) -> Result:
    """The BOM list writes quantities as text."""

    def change(body: dict[str, Any]) -> None:
        for entry in body["items"]:
            entry["qty_output"] = str(entry["qty_output"])

    return served(await honest(call), change)


@answer_fault("bom-read-500-for-real-ids", "VAL-API-1", "REL-BOM-1", endpoint="read_bom", phase="validation")
async def bom_read_500_for_real_ids(honest: Handler, call: Call) -> Result:
    """Reading a BOM answers 500 when there is one, and 404 when there is none."""
    await honest(call)
    return broken.server_error()


@answer_fault("bom-read-is-a-stub", "VAL-API-1", "REL-BOM-1", endpoint="read_bom", phase="validation")
async def bom_read_is_a_stub(honest: Handler, call: Call) -> Result:
    """Reading a BOM shows the same one to everybody, whatever was asked for."""
    return served(await honest(call), lambda body: body.update(id=1, notes=None))


@answer_fault("me-hides-error", "VAL-ACC-1", endpoint="me", phase="validation")
async def me_hides_error(_: Handler, __: Call) -> Result:
    """Who is signed in is told by a 200 with an error in its body."""
    return broken.hidden_error(200)


@answer_fault("task-read-as-html", "VAL-API-2", "REL-PPIC-1", endpoint="read_task", phase="validation")
async def task_read_as_html(honest: Handler, call: Call) -> Result:
    """A task is sent with the media type of a web page."""
    answer = served(await honest(call), lambda _: None)
    answer.headers["content-type"] = "text/html"
    return answer


def undeclared(name: str, *items: str, gives: type[BaseModel]) -> Callable[[Handler], Handler]:
    """Register an endpoint that is in the OpenAPI document and in no contract."""

    def decorate(handler: Handler) -> Handler:
        def bend(table: Table) -> Table:
            path = f"/api/v1/{name}"
            made = replace(table["health"], name=name, path=path, handler=handler, gives=gives)
            return table | {name: made}

        register(Fault(name, sentence(handler), items, "validation", bend_table=bend))
        return handler

    return decorate


@undeclared("undeclared-operation-500", "VAL-API-1", gives=Health)
async def undeclared_operation_500(_: Call) -> Result:
    """An operation that only the OpenAPI document names answers 500."""
    return broken.server_error()


@undeclared("undeclared-operation-breaks-schema", "VAL-API-1", "VAL-ACC-1", gives=Boms)
async def undeclared_operation_breaks_schema(_: Call) -> Result:
    """An operation that only the OpenAPI document names answers with something else than documented."""
    return Me(username="admin", role="admin")
