"""The life of a task: DRAFT, APPROVED, IN_PROGRESS, COMPLETED, and no step left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.application.models import Approval, Completion, Task, TaskState
from reference.application.refusal import Refused
from reference.application.table import Endpoint

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow

    from reference.application.table import Call

ALLOWED = ("admin", "ppic_manager")
PATH = "/api/v1/ppic/tasks/{id}"
MOST_VARIANCE = 0.10


async def read_task(call: Call) -> Task:
    """Return one task."""
    async with call.pool.connection() as database:
        return await locked(database, call.id)


async def approve_task(call: Call) -> Task:
    """Take a task from DRAFT to APPROVED."""
    wanted = call.body(Approval)
    async with call.pool.connection() as database:
        await locked(database, call.id, "DRAFT")
        await database.execute(
            "UPDATE tasks SET state = 'APPROVED', approved_at = now(), approval_notes = %s WHERE id = %s",
            [wanted.approval_notes, call.id],
        )
        return await locked(database, call.id)


async def start_task(call: Call) -> Task:
    """Take a task from APPROVED to IN_PROGRESS."""
    async with call.pool.connection() as database:
        await locked(database, call.id, "APPROVED")
        await database.execute(
            "UPDATE tasks SET state = 'IN_PROGRESS', started_at = now() WHERE id = %s", [call.id]
        )
        return await locked(database, call.id)


async def complete_task(call: Call) -> Task:
    """Take a task from IN_PROGRESS to COMPLETED, with the quantity that was made."""
    wanted = call.body(Completion)
    async with call.pool.connection() as database:
        task = await locked(database, call.id, "IN_PROGRESS")
        variance = abs(wanted.actual_quantity - task.planned_quantity) / task.planned_quantity
        if variance > MOST_VARIANCE and not wanted.override_variance:
            raise Refused(
                409, "The quantity varies by more than 10 % from the plan; override_variance allows it"
            )
        await database.execute(
            "UPDATE tasks SET state = 'COMPLETED', completed_at = now(), actual_quantity = %s WHERE id = %s",
            [wanted.actual_quantity, call.id],
        )
        return await locked(database, call.id)


async def locked(database: AsyncConnection[DictRow], task_id: int, state: TaskState | None = None) -> Task:
    """Return a task, held until the transaction ends.

    Raises:
        Refused: 404, there is no such task; 400, it is not in the wanted state.
    """
    found = await database.execute(
        """
        SELECT t.*, o.planned_quantity FROM tasks t JOIN manufacturing_orders o ON o.id = t.order_id
        WHERE t.id = %s FOR UPDATE OF t
        """,
        [task_id],
    )
    row = await found.fetchone()
    if row is None:
        raise Refused(404, "There is no such task")
    if state is not None and row["state"] != state:
        raise Refused(400, f"The task is in state {row['state']}; this needs {state}")
    return Task(**row)


ENDPOINTS = (
    Endpoint("read_task", "GET", PATH, read_task, ALLOWED, Task),
    Endpoint("approve_task", "POST", PATH + "/approve", approve_task, ALLOWED, Task, takes=Approval),
    Endpoint("start_task", "POST", PATH + "/start", start_task, ALLOWED, Task),
    Endpoint("complete_task", "POST", PATH + "/complete", complete_task, ALLOWED, Task, takes=Completion),
)
