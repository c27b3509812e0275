"""Faults of the manufacturing orders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from reference.application.models import Order, Orders
from reference.application.table import json_answer
from reference.faults import broken
from reference.faults.registry import Fault, answer_fault, register, sentence

if TYPE_CHECKING:
    from reference.application.table import Call, Handler
    from reference.faults.registry import Result, Table


@answer_fault("order-create-500-commits", "SMK-4", endpoint="create_order")
async def order_create_500_commits(honest: Handler, call: Call) -> Result:
    """Creating an order answers 500, but the order is in the database."""
    await honest(call)
    return broken.server_error()


@answer_fault("order-create-200", "SMK-4", endpoint="create_order")
async def order_create_200(honest: Handler, call: Call) -> Result:
    """Creating an order answers 200 instead of 201."""
    result = await honest(call)
    return json_answer(result, 200) if isinstance(result, Order) else result


@answer_fault("order-create-persists-nothing", "SMK-4", endpoint="create_order")
async def order_create_persists_nothing(honest: Handler, call: Call) -> Result:
    """Creating an order answers 201 with a body, and stores nothing."""
    result = await honest(call)
    if isinstance(result, Order):
        async with call.pool.connection() as database:
            await database.execute("DELETE FROM manufacturing_orders WHERE id = %s", [result.id])
    return result


@answer_fault("order-create-stores-another-quantity", "SMK-4", endpoint="create_order")
async def order_create_stores_another_quantity(honest: Handler, call: Call) -> Result:
    """Creating an order stores one piece more than was asked for, and says so in its answer."""
    result = await honest(call)
    if not isinstance(result, Order):
        return result
    async with call.pool.connection() as database:
        more = "UPDATE manufacturing_orders SET planned_quantity = planned_quantity + 1 WHERE id = %s"
        await database.execute(more, [result.id])
    return result.model_copy(update={"planned_quantity": result.planned_quantity + 1})


@answer_fault("order-create-hidden-error", "SMK-4", endpoint="create_order")
async def order_create_hidden_error(_: Handler, __: Call) -> Result:
    """Creating an order answers 201 with an error in its body, and stores nothing."""
    return broken.hidden_error(201)


@answer_fault("order-create-slow", "SMK-4", endpoint="create_order")
async def order_create_slow(honest: Handler, call: Call) -> Result:
    """Creating an order stores it, and answers 30 seconds later."""
    result = await honest(call)
    await broken.delay()
    return result


@answer_fault("order-delete-204-but-stays", "SMK-4", endpoint="delete_order")
async def order_delete_204_but_stays(_: Handler, __: Call) -> Result:
    """Deleting an order answers 204, and the order stays."""
    return None


@answer_fault("order-create-twice", "SMK-4", endpoint="create_order")
async def order_create_twice(honest: Handler, call: Call) -> Result:
    """Creating an order stores it twice."""
    await honest(call)
    return await honest(call)


@answer_fault("order-create-without-id", "SMK-4", endpoint="create_order")
async def order_create_without_id(honest: Handler, call: Call) -> Result:
    """Creating an order answers 201 and does not say which order it is."""
    await honest(call)
    return JSONResponse({"ok": True}, 201)


@answer_fault("order-read-shows-another", "SMK-4", endpoint="read_order")
async def order_read_shows_another(honest: Handler, call: Call) -> Result:
    """Reading an order back shows other notes than were stored."""
    result = await honest(call)
    return result.model_copy(update={"notes": "somebody else's"}) if isinstance(result, Order) else result


@answer_fault("order-delete-500-done", "SMK-4", endpoint="delete_order")
async def order_delete_500_done(honest: Handler, call: Call) -> Result:
    """Deleting an order removes it, and answers 500."""
    await honest(call)
    return broken.server_error()


@answer_fault("order-delete-200", "SMK-4", endpoint="delete_order")
async def order_delete_200(honest: Handler, call: Call) -> Result:
    """Deleting an order removes it, and answers 200 instead of 204."""
    await honest(call)
    return JSONResponse({"ok": True})


def order_still_listed(table: Table) -> Table:
    """An order that was deleted cannot be read any more, and is still listed."""
    deleted: list[Order] = []

    async def deleting(call: Call) -> Result:
        order = await table["read_order"].handler(call)
        await table["delete_order"].handler(call)
        if isinstance(order, Order):
            deleted.append(order)
        return None

    async def listing(call: Call) -> Result:
        page = await table["list_orders"].handler(call)
        return (
            page.model_copy(update={"items": [*deleted, *page.items]}) if isinstance(page, Orders) else page
        )

    return table | {
        "delete_order": replace(table["delete_order"], handler=deleting),
        "list_orders": replace(table["list_orders"], handler=listing),
    }


register(
    Fault(
        "order-still-listed",
        sentence(order_still_listed),
        ("SMK-4",),
        "smoke",
        bend_table=order_still_listed,
    )
)
