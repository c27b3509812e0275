"""The shapes of requests and answers; the OpenAPI document is generated from them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

JAKARTA = ZoneInfo("Asia/Jakarta")


def in_jakarta(moment: datetime) -> str:
    """Return the moment as ISO 8601 with Jakarta's offset; it is stored in UTC."""
    return moment.astimezone(JAKARTA).isoformat(timespec="milliseconds")


Timestamp = Annotated[
    datetime,
    PlainSerializer(in_jakarta, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
# PostgreSQL's integer ends here, and its text holds no NUL.
Identifier = Annotated[int, Field(ge=1, le=2_147_483_647)]
Text = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Quantity = Annotated[float, Field(gt=0, le=1_000_000)]
Revision = Annotated[str, Field(pattern=r"^([A-Z]{1,3}|[0-9]{1,6})$")]
BomType = Literal["Manufacturing", "Kit/Phantom"]
TaskState = Literal["DRAFT", "APPROVED", "IN_PROGRESS", "COMPLETED"]
CardState = Literal["PENDING", "APPROVED", "REJECTED", "SHIPPED", "RECEIVED"]


class Wanted(BaseModel):
    """A request body: no unknown keys, no silent conversions, no infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Page(BaseModel):
    """The query parameters of every list."""

    skip: Annotated[int, Field(ge=0, le=2_147_483_647)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class Problem(BaseModel):
    """Every answer that is not a success."""

    detail: str


class Health(BaseModel):
    """The readiness of this instance, and what it is."""

    status: Literal["ok", "unavailable"]
    database: Literal["ok", "unavailable"]
    version: str
    commit: str
    environment: str


# ------------------------------------------------------------------ sessions


class SignInWanted(Wanted):
    """The credentials of a user."""

    username: Text
    password: Text


class RefreshWanted(Wanted):
    """A refresh token, to be exchanged for a new access token."""

    refresh_token: Annotated[str, Field(max_length=4096)]


class Tokens(BaseModel):
    """The tokens of a new session."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - RFC 6749's word, not a secret
    expires_in: int
    refresh_token: str


class AccessToken(BaseModel):
    """A new access token of a running session."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - RFC 6749's word, not a secret
    expires_in: int


class Me(BaseModel):
    """The signed-in user."""

    username: str
    role: str


# ------------------------------------------------------------------ bills of materials


class BomWanted(Wanted):
    """A new bill of materials."""

    product_id: Identifier
    bom_type: BomType
    qty_output: Quantity
    supports_multi_material: bool = False
    revision: Revision = "A"
    notes: Text | None = None


class BomChange(Wanted):
    """What may change in a bill of materials; what is left out stays. The revision is raised."""

    bom_type: BomType | None = None
    qty_output: Quantity | None = None
    supports_multi_material: bool | None = None
    notes: Text | None = None


class BomFilter(Page):
    """Which bills of materials to list."""

    active_only: bool = True
    product_id: Identifier | None = None
    bom_type: BomType | None = None


class Bom(BaseModel):
    """A bill of materials."""

    id: int
    product_id: int
    bom_type: BomType
    qty_output: float
    supports_multi_material: bool
    revision: str
    is_active: bool
    notes: str | None
    created_at: Timestamp
    updated_at: Timestamp


class Boms(BaseModel):
    """One page of bills of materials, newest first, and how many there are."""

    items: list[Bom]
    total: int


# ------------------------------------------------------------------ orders and tasks


class OrderWanted(Wanted):
    """A new manufacturing order; a bill of materials that it names cannot be removed meanwhile."""

    product_id: Identifier
    planned_quantity: Quantity
    bom_id: Identifier | None = None
    notes: Text | None = None


class OrderFilter(Page):
    """Which manufacturing orders to list."""

    product_id: Identifier | None = None


class Order(BaseModel):
    """A manufacturing order, with its task and the state of that."""

    id: int
    product_id: int
    bom_id: int | None
    planned_quantity: float
    notes: str | None
    task_id: int
    state: TaskState
    created_at: Timestamp


class Orders(BaseModel):
    """One page of manufacturing orders, newest first, and how many there are."""

    items: list[Order]
    total: int


class Approval(Wanted):
    """What may be said when a task is approved."""

    approval_notes: Text | None = None


class Completion(Wanted):
    """What was made; a variance over 10 % needs an override."""

    actual_quantity: Quantity
    override_variance: bool = False


class Task(BaseModel):
    """The task of a manufacturing order."""

    id: int
    order_id: int
    state: TaskState
    planned_quantity: float
    actual_quantity: float | None
    approval_notes: str | None
    created_at: Timestamp
    approved_at: Timestamp | None
    started_at: Timestamp | None
    completed_at: Timestamp | None


# ------------------------------------------------------------------ kanban


class Card(BaseModel):
    """A kanban card."""

    id: int
    order_id: int | None
    product_id: int
    quantity: float
    state: CardState
    created_at: Timestamp
    updated_at: Timestamp


class Board(BaseModel):
    """Every kanban card."""

    cards: list[Card]
