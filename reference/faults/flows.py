"""Faults of what has state: bills of materials, tasks and cards that break their own rules."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse

from reference.application.bom import next_revision
from reference.application.models import Bom, Boms, Card, Order, Task
from reference.application.refusal import Refused
from reference.application.table import problem
from reference.faults import broken
from reference.faults.registry import answer_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference.application.table import Call, Handler
    from reference.faults.registry import Result

BOM = ("VAL-API-1", "REL-BOM-1")
TASK = ("VAL-API-2", "REL-PPIC-1")
NEW = timedelta(hours=1)
MOST_LISTED, HUGE = 500, 1_000_000
BETWEEN_S = 0.3
"""Between looking and writing, where a fault does the one before the other: more than a busy machine needs to
send the requests of a race."""

ONE_WRITES = asyncio.Lock()
"""Held by the one that writes what was looked up before, so that each of them succeeds."""

BAD_REQUEST, NOT_FOUND, CONFLICT = 400, 404, 409


async def changed(call: Call, statement: str, values: Sequence[object]) -> None:
    """Change the database behind the application's back."""
    async with call.pool.connection() as database:
        await database.execute(statement, values)


def with_body(call: Call, **fields: object) -> Call:
    """Return the request with other fields in its body."""
    return replace(call, raw=json.dumps({**json.loads(call.raw or b"{}"), **fields}).encode())


# ---------------------------------------------------------------- bills of materials


@answer_fault("bom-update-500-commits", *BOM, endpoint="update_bom", phase="validation")
async def bom_update_500_commits(honest: Handler, call: Call) -> Result:
    """Updating a BOM answers 500, but the change is in the database."""
    await honest(call)
    return broken.server_error()


@answer_fault("bom-update-200-keeps-nothing", *BOM, endpoint="update_bom", phase="validation")
async def bom_update_200_keeps_nothing(honest: Handler, call: Call) -> Result:
    """Updating a BOM answers with the new values, and stores only the revision."""
    async with call.pool.connection() as database:
        found = await database.execute("SELECT qty_output FROM bill_of_materials WHERE id = %s", [call.id])
        row = await found.fetchone()
    result = await honest(call)
    if row:
        await changed(
            call, "UPDATE bill_of_materials SET qty_output = %s WHERE id = %s", [row["qty_output"], call.id]
        )
    return result


@answer_fault("bom-update-keeps-revision", *BOM, endpoint="update_bom", phase="validation")
async def bom_update_keeps_revision(honest: Handler, call: Call) -> Result:
    """Updating a BOM does not raise its revision."""
    result = await honest(call)
    if isinstance(result, Bom):
        await changed(call, "UPDATE bill_of_materials SET revision = 'A' WHERE id = %s", [call.id])
        return result.model_copy(update={"revision": "A"})
    return result


@answer_fault("bom-delete-204-but-stays", *BOM, endpoint="delete_bom", phase="validation")
async def bom_delete_204_but_stays(_: Handler, __: Call) -> Result:
    """Deleting a BOM answers 204, and the BOM stays."""
    return None


@answer_fault("bom-delete-in-use-accepted", "REL-BOM-1", endpoint="delete_bom", phase="validation")
async def bom_delete_in_use_accepted(honest: Handler, call: Call) -> Result:
    """A BOM can be deleted while an active order depends on it."""
    try:
        return await honest(call)
    except Refused as refused:
        if refused.status != BAD_REQUEST:
            raise
        await changed(call, "UPDATE bill_of_materials SET is_active = false WHERE id = %s", [call.id])
        return None


@answer_fault("bom-delete-in-use-400-commits", "REL-BOM-1", endpoint="delete_bom", phase="validation")
async def bom_delete_in_use_400_commits(honest: Handler, call: Call) -> Result:
    """Deleting a BOM that is in use is refused, but the BOM is gone."""
    try:
        return await honest(call)
    except Refused:
        await changed(call, "UPDATE bill_of_materials SET is_active = false WHERE id = %s", [call.id])
        raise


@answer_fault("bom-duplicate-accepted", "REL-BOM-1", endpoint="create_bom", phase="validation")
async def bom_duplicate_accepted(honest: Handler, call: Call) -> Result:
    """A product can have two active BOMs."""
    await changed(call, "DROP INDEX IF EXISTS one_active_bom_per_product", [])
    return await honest(call)


@answer_fault("bom-duplicate-409-commits", "REL-BOM-1", endpoint="create_bom", phase="validation")
async def bom_duplicate_409_commits(honest: Handler, call: Call) -> Result:
    """A second active BOM of a product is refused, but it is in the database."""
    try:
        return await honest(call)
    except Refused as refused:
        if refused.status == CONFLICT:
            await changed(call, "DROP INDEX one_active_bom_per_product", [])
            await honest(call)
        raise


@answer_fault("bom-duplicate-of-another-type", "REL-BOM-1", endpoint="create_bom", phase="validation")
async def bom_duplicate_of_another_type(honest: Handler, call: Call) -> Result:
    """A product can have one active BOM of each type."""
    await changed(call, "DROP INDEX IF EXISTS one_active_bom_per_product", [])
    rule = "bill_of_materials (product_id, bom_type) WHERE is_active"
    await changed(call, f"CREATE UNIQUE INDEX IF NOT EXISTS one_of_a_type ON {rule}", [])
    return await honest(call)


@answer_fault("bom-created-twice-at-once", "REL-BOM-1", endpoint="create_bom", phase="validation")
async def bom_created_twice_at_once(honest: Handler, call: Call) -> Result:
    """That a product has an active BOM is only looked up before another one is made."""
    product = json.loads(call.raw or b"{}").get("product_id")
    async with call.pool.connection() as database:
        await database.execute("DROP INDEX IF EXISTS one_active_bom_per_product")
        found = await database.execute(
            "SELECT 1 FROM bill_of_materials WHERE product_id::text = %s AND is_active", [str(product)]
        )
        is_taken = await found.fetchone()
    if is_taken:
        raise Refused(CONFLICT, "The product has an active bill of materials already")
    await asyncio.sleep(BETWEEN_S)
    return await honest(call)


@answer_fault("bom-updates-lost-at-once", "REL-BOM-1", endpoint="update_bom", phase="validation")
async def bom_updates_lost_at_once(honest: Handler, call: Call) -> Result:
    """Updates at once read the same revision, and all raise it to the same one."""
    async with call.pool.connection() as database:
        found = await database.execute("SELECT revision FROM bill_of_materials WHERE id = %s", [call.id])
        row = await found.fetchone()
    await asyncio.sleep(BETWEEN_S)
    result = await honest(call)
    if row is None or not isinstance(result, Bom):
        return result
    revision = next_revision(row["revision"])
    await changed(call, "UPDATE bill_of_materials SET revision = %s WHERE id = %s", [revision, call.id])
    return result.model_copy(update={"revision": revision})


@answer_fault("bom-update-changes-more", *BOM, endpoint="update_bom", phase="validation")
async def bom_update_changes_more(honest: Handler, call: Call) -> Result:
    """Updating a BOM also changes whether it supports several materials."""
    statement = "UPDATE bill_of_materials SET supports_multi_material = true WHERE id = %s"
    result = await honest(call)
    await changed(call, statement, [call.id])
    return result


@answer_fault("bom-negative-quantity-accepted", "REL-BOM-1", endpoint="create_bom", phase="validation")
async def bom_negative_quantity_accepted(honest: Handler, call: Call) -> Result:
    """A BOM with a negative quantity is accepted; its sign is lost."""
    quantity = json.loads(call.raw or b"{}").get("qty_output")
    is_number = isinstance(quantity, int | float)
    return await honest(with_body(call, qty_output=abs(quantity)) if is_number else call)


@answer_fault("bom-absurd-quantity-accepted", "REL-BOM-1", endpoint="create_bom", phase="validation")
async def bom_absurd_quantity_accepted(honest: Handler, call: Call) -> Result:
    """A BOM of any quantity is accepted; a huge one is cut in silence."""
    return await honest(cut_to_fit(call, "qty_output"))


@answer_fault("bom-update-absurd-quantity-accepted", "REL-BOM-1", endpoint="update_bom", phase="validation")
async def bom_update_absurd_quantity_accepted(honest: Handler, call: Call) -> Result:
    """A BOM can be changed to any quantity; a huge one is cut in silence."""
    return await honest(cut_to_fit(call, "qty_output"))


async def was_made(call: Call) -> bool:
    """Return whether there is, or was, a BOM with the id that is asked for."""
    async with call.pool.connection() as database:
        found = await database.execute("SELECT 1 FROM bill_of_materials WHERE id = %s", [call.id])
        return await found.fetchone() is not None


@answer_fault("bom-deleted-answers-400", *BOM, endpoint="read_bom", phase="validation")
async def bom_deleted_answers_400(honest: Handler, call: Call) -> Result:
    """Reading a BOM that was deleted answers 400."""
    try:
        return await honest(call)
    except Refused:
        if await was_made(call):
            raise Refused(BAD_REQUEST, "It was deleted") from None
        raise


def cut_to_fit(call: Call, name: str) -> Call:
    """Return the request with a huge number in a field of its body replaced by a smaller one."""
    number = json.loads(call.raw or b"{}").get(name)
    is_huge = isinstance(number, int | float) and number > HUGE
    return with_body(call, **{name: HUGE}) if is_huge else call


@answer_fault("bom-unknown-type-500", "REL-BOM-1", endpoint="create_bom", phase="validation")
async def bom_unknown_type_500(honest: Handler, call: Call) -> Result:
    """A BOM of an unknown type makes the service fail."""
    if json.loads(call.raw or b"{}").get("bom_type") not in {"Manufacturing", "Kit/Phantom"}:
        return broken.server_error()
    return await honest(call)


@answer_fault("bom-unknown-product-404", "REL-BOM-1", endpoint="create_bom", phase="validation")
async def bom_unknown_product_404(honest: Handler, call: Call) -> Result:
    """A BOM of an unknown product is refused with 404 instead of 400."""
    try:
        return await honest(call)
    except Refused as refused:
        if refused.status != BAD_REQUEST:
            raise
        return problem(NOT_FOUND, "There is no such product")


@answer_fault("bom-unknown-id-500", "REL-BOM-1", endpoint="read_bom", phase="validation")
async def bom_unknown_id_500(honest: Handler, call: Call) -> Result:
    """Reading a BOM that does not exist answers 500."""
    try:
        return await honest(call)
    except Refused:
        if await was_made(call):
            raise
        return broken.server_error()


@answer_fault("bom-unknown-id-200", "REL-BOM-1", endpoint="delete_bom", phase="validation")
async def bom_unknown_id_200(honest: Handler, call: Call) -> Result:
    """Deleting a BOM that does not exist succeeds."""
    try:
        return await honest(call)
    except Refused as refused:
        if refused.status != NOT_FOUND:
            raise
        return None


@answer_fault("bom-list-ignores-filters", *BOM, endpoint="list_boms", phase="validation")
async def bom_list_ignores_filters(_: Handler, call: Call) -> Result:
    """The BOM list ignores its query, and shows deleted ones."""
    async with call.pool.connection() as database:
        rows = await database.execute("SELECT * FROM bill_of_materials ORDER BY id DESC LIMIT 100")
        items = [Bom(**row) for row in await rows.fetchall()]
    return Boms(items=items, total=len(items))


@answer_fault("bom-list-limit-500", "REL-BOM-1", endpoint="list_boms", phase="validation")
async def bom_list_limit_500(honest: Handler, call: Call) -> Result:
    """A BOM list with too high a limit answers 500."""
    if int(call.request.query_params.get("limit", "100")) > MOST_LISTED:
        return broken.server_error()
    return await honest(call)


@answer_fault("bom-list-ignores-its-limit", "REL-BOM-1", endpoint="list_boms", phase="validation")
async def bom_list_ignores_its_limit(honest: Handler, call: Call) -> Result:
    """The BOM list takes no notice of a limit."""
    return await honest(asking(call, limit="500"))


@answer_fault("bom-list-cuts-in-silence", "REL-BOM-1", endpoint="list_boms", phase="validation")
async def bom_list_cuts_in_silence(honest: Handler, call: Call) -> Result:
    """The BOM list takes any limit, cuts it at 500, and does not say so."""
    wanted = int(call.request.query_params.get("limit", "100"))
    return await honest(asking(call, limit=str(min(wanted, MOST_LISTED))))


@answer_fault("bom-list-skips-nothing", "REL-BOM-1", endpoint="list_boms", phase="validation")
async def bom_list_skips_nothing(honest: Handler, call: Call) -> Result:
    """Every page of the BOM list shows the first one, unless the whole of it is skipped."""
    result = await honest(call)
    is_empty = isinstance(result, Boms) and not result.items
    return result if is_empty else await honest(asking(call, skip="0"))


@answer_fault("bom-list-counts-its-page", "REL-BOM-1", endpoint="list_boms", phase="validation")
async def bom_list_counts_its_page(honest: Handler, call: Call) -> Result:
    """The total of the BOM list is the number of entries on the page."""
    result = await honest(call)
    return result.model_copy(update={"total": len(result.items)}) if isinstance(result, Boms) else result


def asking(call: Call, **parameters: str) -> Call:
    """Return the request with other parameters in its query."""
    query = urlencode({**call.request.query_params, **parameters}).encode()
    return replace(call, request=Request({**call.request.scope, "query_string": query}))


# ---------------------------------------------------------------- orders and tasks


@answer_fault("task-approve-twice", *TASK, endpoint="approve_task", phase="validation")
async def task_approve_twice(honest: Handler, call: Call) -> Result:
    """A task that is approved can be approved again."""
    await changed(call, "UPDATE tasks SET state = 'DRAFT' WHERE id = %s AND state = 'APPROVED'", [call.id])
    return await honest(call)


@answer_fault("task-start-without-approve", *TASK, endpoint="start_task", phase="validation")
async def task_start_without_approve(honest: Handler, call: Call) -> Result:
    """A task in DRAFT can be started."""
    await changed(call, "UPDATE tasks SET state = 'APPROVED' WHERE id = %s AND state = 'DRAFT'", [call.id])
    return await honest(call)


@answer_fault("task-complete-without-start", *TASK, endpoint="complete_task", phase="validation")
async def task_complete_without_start(honest: Handler, call: Call) -> Result:
    """A task that was never started can be completed."""
    await changed(
        call, "UPDATE tasks SET state = 'IN_PROGRESS' WHERE id = %s AND state = 'APPROVED'", [call.id]
    )
    return await honest(call)


@answer_fault("task-refused-but-committed", *TASK, endpoint="start_task", phase="validation")
async def task_refused_but_committed(honest: Handler, call: Call) -> Result:
    """Starting a task in DRAFT is refused, but it is started."""
    try:
        return await honest(call)
    except Refused:
        await changed(
            call, "UPDATE tasks SET state = 'IN_PROGRESS' WHERE id = %s AND state = 'DRAFT'", [call.id]
        )
        raise


@answer_fault("task-approve-500-commits", *TASK, endpoint="approve_task", phase="validation")
async def task_approve_500_commits(honest: Handler, call: Call) -> Result:
    """Approving a task answers 500, but it is approved."""
    await honest(call)
    return broken.server_error()


@answer_fault("task-complete-200-stores-nothing", *TASK, endpoint="complete_task", phase="validation")
async def task_complete_200_stores_nothing(honest: Handler, call: Call) -> Result:
    """Completing a task answers that it is completed, and it is not."""
    result = await honest(call)
    if isinstance(result, Task):
        await changed(
            call,
            "UPDATE tasks SET state = 'IN_PROGRESS', actual_quantity = NULL WHERE id = %s",
            [call.id],
        )
    return result


@answer_fault("task-variance-ignored", "REL-PPIC-1", endpoint="complete_task", phase="validation")
async def task_variance_ignored(honest: Handler, call: Call) -> Result:
    """A task can be completed with any quantity, without an override."""
    return await honest(with_body(call, override_variance=True))


@answer_fault("task-approved-twice-at-once", *TASK, endpoint="approve_task", phase="validation")
async def task_approved_twice_at_once(honest: Handler, call: Call) -> Result:
    """That a task is in DRAFT is looked up before it is approved, and not when it is."""
    async with call.pool.connection() as database:
        found = await database.execute("SELECT state FROM tasks WHERE id = %s", [call.id])
        row = await found.fetchone()
    if row is None or row["state"] != "DRAFT":
        return await honest(call)
    await asyncio.sleep(BETWEEN_S)
    async with ONE_WRITES:
        await changed(call, "UPDATE tasks SET state = 'DRAFT' WHERE id = %s", [call.id])
        return await honest(call)


@answer_fault("task-approval-notes-lost", *TASK, endpoint="approve_task", phase="validation")
async def task_approval_notes_lost(honest: Handler, call: Call) -> Result:
    """What an approval says is not stored."""
    return await honest(with_body(call, approval_notes=None))


@answer_fault("task-variance-at-its-limit", "REL-PPIC-1", endpoint="complete_task", phase="validation")
async def task_variance_at_its_limit(honest: Handler, call: Call) -> Result:
    """A variance of 10 % is refused, too."""
    wanted = json.loads(call.raw or b"{}")
    if wanted.get("actual_quantity") in {90, 110} and not wanted.get("override_variance"):
        raise Refused(CONFLICT, "The quantity varies by 10 % from the plan")
    return await honest(call)


@answer_fault("order-removed-with-its-neighbours", *TASK, endpoint="delete_order", phase="validation")
async def order_removed_with_its_neighbours(honest: Handler, call: Call) -> Result:
    """Removing an order removes all orders of its product that were made within the hour."""
    statement = """
        DELETE FROM manufacturing_orders WHERE id <> %s AND created_at > now() - interval '1 hour'
        AND product_id = (SELECT product_id FROM manufacturing_orders WHERE id = %s)
    """
    await changed(call, statement, [call.id, call.id])
    return await honest(call)


@answer_fault("task-override-refused", "REL-PPIC-1", endpoint="complete_task", phase="validation")
async def task_override_refused(honest: Handler, call: Call) -> Result:
    """The override of a variance has no effect."""
    return await honest(with_body(call, override_variance=False))


@answer_fault("task-zero-quantity-accepted", "REL-PPIC-1", endpoint="complete_task", phase="validation")
async def task_zero_quantity_accepted(honest: Handler, call: Call) -> Result:
    """A task can be completed with nothing made: zero is taken for the plan."""
    return await honest(
        with_body(call, actual_quantity=100)
        if json.loads(call.raw or b"{}").get("actual_quantity") == 0
        else call
    )


@answer_fault("task-unknown-id-500", *TASK, endpoint="start_task", phase="validation")
async def task_unknown_id_500(honest: Handler, call: Call) -> Result:
    """Starting a task that does not exist answers 500."""
    try:
        return await honest(call)
    except Refused as refused:
        if refused.status != NOT_FOUND:
            raise
        return broken.server_error()


@answer_fault("order-negative-quantity-accepted", "REL-PPIC-1", endpoint="create_order", phase="validation")
async def order_negative_quantity_accepted(honest: Handler, call: Call) -> Result:
    """An order of a negative quantity is accepted; its sign is lost."""
    quantity = json.loads(call.raw or b"{}").get("planned_quantity")
    is_number = isinstance(quantity, int | float)
    return await honest(with_body(call, planned_quantity=abs(quantity)) if is_number else call)


@answer_fault("order-absurd-quantity-accepted", "REL-PPIC-1", endpoint="create_order", phase="validation")
async def order_absurd_quantity_accepted(honest: Handler, call: Call) -> Result:
    """An order of any quantity is accepted; a huge one is cut in silence."""
    return await honest(cut_to_fit(call, "planned_quantity"))


@answer_fault("existing-order-500", "REL-PPIC-2", "VAL-API-2", endpoint="read_order", phase="validation")
async def existing_order_500(honest: Handler, call: Call) -> Result:
    """Reading an order of before the release answers 500."""
    result = await honest(call)
    is_old = isinstance(result, Order) and datetime.now(UTC) - result.created_at > NEW
    return broken.server_error() if is_old else result


@answer_fault(
    "existing-task-without-state",
    "REL-PPIC-1",
    "REL-PPIC-2",
    "VAL-API-2",
    endpoint="read_task",
    phase="validation",
)
async def existing_task_without_state(honest: Handler, call: Call) -> Result:
    """The task of an order of before the release shows no state."""
    result = await honest(call)
    if isinstance(result, Task) and datetime.now(UTC) - result.created_at > NEW:
        return JSONResponse({**json.loads(result.model_dump_json()), "state": None})
    return result


# ---------------------------------------------------------------- kanban


@answer_fault("card-ship-before-approve", "VAL-API-3", endpoint="ship_card", phase="validation")
async def card_ship_before_approve(honest: Handler, call: Call) -> Result:
    """A card that nobody approved can be shipped."""
    await changed(
        call, "UPDATE kanban_cards SET state = 'APPROVED' WHERE id = %s AND state = 'PENDING'", [call.id]
    )
    return await honest(call)


@answer_fault("card-reject-404", "VAL-API-3", "REL-PATH-1", endpoint="reject_card", phase="validation")
async def card_reject_404(_: Handler, __: Call) -> Result:
    """Rejecting a card is not found on its new path."""
    return problem(NOT_FOUND, "There is nothing here")


@answer_fault("card-receive-does-nothing", "VAL-API-3", endpoint="receive_card", phase="validation")
async def card_receive_does_nothing(honest: Handler, call: Call) -> Result:
    """Receiving a card answers that it is received, and it is not."""
    result = await honest(call)
    if isinstance(result, Card):
        await changed(call, "UPDATE kanban_cards SET state = 'SHIPPED' WHERE id = %s", [call.id])
    return result


@answer_fault("card-refused-but-committed", "VAL-API-3", endpoint="ship_card", phase="validation")
async def card_refused_but_committed(honest: Handler, call: Call) -> Result:
    """Shipping a card that is not approved is refused, but it is shipped."""
    try:
        return await honest(call)
    except Refused:
        await changed(
            call, "UPDATE kanban_cards SET state = 'SHIPPED' WHERE id = %s AND state = 'PENDING'", [call.id]
        )
        raise
