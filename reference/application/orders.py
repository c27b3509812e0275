"""Manufacturing orders. Creating one makes its task, in DRAFT, and its kanban card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.errors import ForeignKeyViolation

from reference.application.models import Order, OrderFilter, Orders, OrderWanted
from reference.application.refusal import Refused
from reference.application.table import Endpoint

if TYPE_CHECKING:
    from reference.application.table import Call

ALLOWED = ("admin", "ppic_manager")
PATH = "/api/v1/ppic/manufacturing-orders"


async def list_orders(call: Call) -> Orders:
    """List manufacturing orders, newest first."""
    wanted = call.query(OrderFilter).model_dump()
    async with call.pool.connection() as database:
        rows = await database.execute(
            """
            SELECT o.*, t.id AS task_id, t.state FROM manufacturing_orders o JOIN tasks t ON t.order_id = o.id
            WHERE %(product_id)s::int IS NULL OR product_id = %(product_id)s
            ORDER BY o.id DESC OFFSET %(skip)s LIMIT %(limit)s
            """,
            wanted,
        )
        total = await database.execute(
            """
            SELECT count(*) AS n FROM manufacturing_orders
            WHERE %(product_id)s::int IS NULL OR product_id = %(product_id)s
            """,
            wanted,
        )
        counted = await total.fetchone() or {"n": 0}
        return Orders(items=[Order(**row) for row in await rows.fetchall()], total=counted["n"])


async def create_order(call: Call) -> Order:
    """Plan an order."""
    wanted = call.body(OrderWanted).model_dump()
    try:
        async with call.pool.connection() as database:
            if wanted["bom_id"] is not None:
                usable = await database.execute(
                    """
                    SELECT 1 FROM bill_of_materials
                    WHERE id = %(bom_id)s AND product_id = %(product_id)s AND is_active FOR SHARE
                    """,
                    wanted,
                )
                if not await usable.fetchone():
                    raise Refused(400, "The product has no such active bill of materials")
            made = await database.execute(
                """
                WITH o AS (
                    INSERT INTO manufacturing_orders (product_id, bom_id, planned_quantity, notes)
                    VALUES (%(product_id)s, %(bom_id)s, %(planned_quantity)s, %(notes)s) RETURNING *
                ), t AS (
                    INSERT INTO tasks (order_id) SELECT id FROM o RETURNING id, state
                ), c AS (
                    INSERT INTO kanban_cards (order_id, product_id, quantity)
                    SELECT id, product_id, planned_quantity FROM o
                )
                SELECT o.*, t.id AS task_id, t.state FROM o, t
                """,
                wanted,
            )
            return Order.model_validate(await made.fetchone())
    except ForeignKeyViolation:
        raise Refused(400, "There is no such product") from None


async def read_order(call: Call) -> Order:
    """Return one order."""
    async with call.pool.connection() as database:
        found = await database.execute(
            """
            SELECT o.*, t.id AS task_id, t.state FROM manufacturing_orders o JOIN tasks t ON t.order_id = o.id
            WHERE o.id = %s
            """,
            [call.id],
        )
        row = await found.fetchone()
    if row is None:
        raise missing()
    return Order(**row)


async def delete_order(call: Call) -> None:
    """Remove an order with its task and its card."""
    async with call.pool.connection() as database:
        gone = await database.execute("DELETE FROM manufacturing_orders WHERE id = %s", [call.id])
        if not gone.rowcount:
            raise missing()


def missing() -> Refused:
    """Return the refusal of an id that is not there."""
    return Refused(404, "There is no such manufacturing order")


ENDPOINTS = (
    Endpoint("list_orders", "GET", PATH, list_orders, ALLOWED, Orders, filters=OrderFilter),
    Endpoint("create_order", "POST", PATH, create_order, ALLOWED, Order, 201, takes=OrderWanted),
    Endpoint("read_order", "GET", PATH + "/{id}", read_order, ALLOWED, Order),
    Endpoint("delete_order", "DELETE", PATH + "/{id}", delete_order, ALLOWED, None, 204),
)
