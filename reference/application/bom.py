"""Bills of materials. A product has at most one active one; removing one only deactivates it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.errors import ForeignKeyViolation, UniqueViolation

from reference.application import audit
from reference.application.models import Bom, BomChange, BomFilter, Boms, BomWanted
from reference.application.refusal import Refused
from reference.application.table import Endpoint

if TYPE_CHECKING:
    from reference.application.table import Call

ALLOWED = ("admin", "warehouse")
PATH = "/api/v1/warehouse/bom"
RECORD = "bill_of_materials"


async def list_boms(call: Call) -> Boms:
    """List bills of materials, newest first."""
    wanted = call.query(BomFilter).model_dump()
    async with call.pool.connection() as database:
        rows = await database.execute(
            """
            SELECT * FROM bill_of_materials
            WHERE (is_active OR NOT %(active_only)s)
              AND (%(product_id)s::int IS NULL OR product_id = %(product_id)s)
              AND (%(bom_type)s::text IS NULL OR bom_type = %(bom_type)s)
            ORDER BY id DESC OFFSET %(skip)s LIMIT %(limit)s
            """,
            wanted,
        )
        total = await database.execute(
            """
            SELECT count(*) AS n FROM bill_of_materials
            WHERE (is_active OR NOT %(active_only)s)
              AND (%(product_id)s::int IS NULL OR product_id = %(product_id)s)
              AND (%(bom_type)s::text IS NULL OR bom_type = %(bom_type)s)
            """,
            wanted,
        )
        counted = await total.fetchone() or {"n": 0}
        return Boms(items=[Bom(**row) for row in await rows.fetchall()], total=counted["n"])


async def create_bom(call: Call) -> Bom:
    """Add the active bill of materials of a product."""
    wanted = call.body(BomWanted)
    try:
        async with call.pool.connection() as database:
            made = await database.execute(
                """
                INSERT INTO bill_of_materials
                    (product_id, bom_type, qty_output, supports_multi_material, revision, notes)
                VALUES (%(product_id)s, %(bom_type)s, %(qty_output)s, %(supports_multi_material)s,
                        %(revision)s, %(notes)s)
                RETURNING *
                """,
                wanted.model_dump(),
            )
            bom = Bom.model_validate(await made.fetchone())
            await audit.note(call, database, "create", RECORD, bom.id)
            return bom
    except ForeignKeyViolation:
        raise Refused(400, "There is no such product") from None
    except UniqueViolation:
        raise Refused(409, "The product has an active bill of materials already") from None


async def read_bom(call: Call) -> Bom:
    """Return one active bill of materials."""
    async with call.pool.connection() as database:
        found = await database.execute(
            "SELECT * FROM bill_of_materials WHERE id = %s AND is_active", [call.id]
        )
        row = await found.fetchone()
    if row is None:
        raise missing()
    return Bom(**row)


async def update_bom(call: Call) -> Bom:
    """Change a bill of materials and raise its revision."""
    change = call.body(BomChange).model_dump()
    async with call.pool.connection() as database:
        found = await database.execute(
            "SELECT revision FROM bill_of_materials WHERE id = %s AND is_active FOR UPDATE", [call.id]
        )
        row = await found.fetchone()
        if row is None:
            raise missing()
        changed = await database.execute(
            """
            UPDATE bill_of_materials SET
                bom_type = coalesce(%(bom_type)s, bom_type),
                qty_output = coalesce(%(qty_output)s, qty_output),
                supports_multi_material = coalesce(%(supports_multi_material)s, supports_multi_material),
                notes = coalesce(%(notes)s, notes),
                revision = %(revision)s,
                updated_at = now()
            WHERE id = %(id)s RETURNING *
            """,
            {**change, "id": call.id, "revision": next_revision(row["revision"])},
        )
        await audit.note(call, database, "update", RECORD, call.id)
        return Bom.model_validate(await changed.fetchone())


async def delete_bom(call: Call) -> None:
    """Deactivate a bill of materials, unless an unfinished order depends on it."""
    async with call.pool.connection() as database:
        needed = await database.execute(
            """
            SELECT 1 FROM manufacturing_orders JOIN tasks ON order_id = manufacturing_orders.id
            WHERE bom_id = %s AND state <> 'COMPLETED' LIMIT 1
            """,
            [call.id],
        )
        if await needed.fetchone():
            raise Refused(400, "An active order depends on this bill of materials")
        gone = await database.execute(
            "UPDATE bill_of_materials SET is_active = false, updated_at = now() WHERE id = %s AND is_active",
            [call.id],
        )
        if not gone.rowcount:
            raise missing()
        await audit.note(call, database, "delete", RECORD, call.id)


def next_revision(revision: str) -> str:
    """Return the revision after this one: 7 is followed by 8, A by B, Z by AA."""
    if revision.isdigit():
        return str(int(revision) + 1)
    head, last = revision[:-1], revision[-1]
    if last != "Z":
        return head + chr(ord(last) + 1)
    return (next_revision(head) if head else "A") + "A"


def missing() -> Refused:
    """Return the refusal of an id that is not there."""
    return Refused(404, "There is no such bill of materials")


ENDPOINTS = (
    Endpoint("list_boms", "GET", PATH, list_boms, ALLOWED, Boms, filters=BomFilter),
    Endpoint("create_bom", "POST", PATH, create_bom, ALLOWED, Bom, 201, takes=BomWanted),
    Endpoint("read_bom", "GET", PATH + "/{id}", read_bom, ALLOWED, Bom),
    Endpoint("update_bom", "PUT", PATH + "/{id}", update_bom, ALLOWED, Bom, takes=BomChange),
    Endpoint("delete_bom", "DELETE", PATH + "/{id}", delete_bom, ALLOWED, None, 204),
)
