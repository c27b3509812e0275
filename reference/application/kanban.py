"""The kanban board. Its old path, without ``/ppic``, is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.application.models import Board, Card, CardState
from reference.application.refusal import Refused
from reference.application.table import Endpoint

if TYPE_CHECKING:
    from reference.application.table import Call, Handler

DECIDES = ("admin", "ppic_manager")
MOVES = ("admin", "ppic_manager", "warehouse")
PATH = "/api/v1/ppic/kanban/cards"


async def list_cards(call: Call) -> Board:
    """Return every card, newest first."""
    async with call.pool.connection() as database:
        rows = await database.execute("SELECT * FROM kanban_cards ORDER BY id DESC")
        return Board(cards=[Card(**row) for row in await rows.fetchall()])


def step(before: CardState, after: CardState) -> Handler:
    """Return the handler that takes a card from one state to the next."""

    async def move(call: Call) -> Card:
        async with call.pool.connection() as database:
            found = await database.execute(
                "SELECT state FROM kanban_cards WHERE id = %s FOR UPDATE", [call.id]
            )
            row = await found.fetchone()
            if row is None:
                raise Refused(404, "There is no such card")
            if row["state"] != before:
                raise Refused(400, f"The card is in state {row['state']}; this needs {before}")
            moved = await database.execute(
                "UPDATE kanban_cards SET state = %s, updated_at = now() WHERE id = %s RETURNING *",
                [after, call.id],
            )
            return Card.model_validate(await moved.fetchone())

    return move


ENDPOINTS = (
    Endpoint("list_cards", "GET", PATH + "/all", list_cards, MOVES, Board, by_key=True),
    Endpoint("approve_card", "POST", PATH + "/{id}/approve", step("PENDING", "APPROVED"), DECIDES, Card),
    Endpoint("reject_card", "POST", PATH + "/{id}/reject", step("PENDING", "REJECTED"), DECIDES, Card),
    Endpoint("ship_card", "POST", PATH + "/{id}/ship", step("APPROVED", "SHIPPED"), MOVES, Card),
    Endpoint("receive_card", "POST", PATH + "/{id}/receive", step("SHIPPED", "RECEIVED"), MOVES, Card),
)
