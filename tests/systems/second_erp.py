"""The ERP that the guide deploys, once more, as somebody would write it who knows nothing but the contract.

It keeps what is promised (bills of materials, tasks in four states, the kanban board's new paths) and decides
otherwise wherever that leaves room, in three ways. PLAIN has UUIDs, bare lists and problem documents. WRAPPED
has prefixed ids, envelopes, quantities that are strings, and orders that are cancelled instead of removed.
BARE is PLAIN with less: no free text in bills of materials, no times in lists, no answer without a body, and
orders that stay once they are begun. It can be broken on demand.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import jwt

from tests.probes import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PASSWORD = "correct-horse-battery"  # noqa: S105  of users that live as long as a test
KEY = "k" * 64
BASE = "/api/v1"
USERS = {"root": "admin", "wanda": "warehouse", "pia": "planner", "gus": "guest"}
JAKARTA = timezone(timedelta(hours=7))
MOST_LISTED = 500
MOST_PIECES = 10_000_000
BETWEEN_S = 0.05
"""Between looking and writing, where a fault does the one before the other."""

ACTIONS = {"approve": ("draft", "approved"), "start": ("approved", "in_progress")}
ACTIONS |= {"complete": ("in_progress", "completed")}
CARD_ACTIONS = {"approve": ("requested", "approved"), "reject": ("requested", "rejected")}
CARD_ACTIONS |= {"ship": ("approved", "in_transit"), "receive": ("in_transit", "received")}
OFFICE, FLOOR = ("admin", "planner"), ("admin", "warehouse")


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int
    body: Any = None


class Refused(Exception):
    """What is not done, and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        id: the id in its path, or an empty string.
        query: its parameters.
        sent: its body.
        has_body: it has one, if only an empty object.
    """

    id: str
    query: dict[str, str]
    sent: dict[str, Any] = field(default_factory=dict)
    has_body: bool = False


def now(ago: timedelta = timedelta()) -> str:
    """Return a time as the system writes it."""
    return (datetime.now(JAKARTA) - ago).isoformat(timespec="milliseconds")


class Erp:
    """What the system holds, and how it answers.

    Args:
        broken: how it is broken.
        way: how it decides: ``"plain"``, ``"wrapped"`` or ``"bare"``.
    """

    def __init__(self, *broken: str, way: str = "plain") -> None:
        self.broken = frozenset(broken)
        self.wrapped, self.bare = way == "wrapped", way == "bare"
        self.lock = threading.RLock()
        self.count = 1000
        self.tokens: dict[str, str] = {}
        self.products = [self.new_id("PRD") for _ in range(3)]
        self.boms: dict[str, dict[str, Any]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.cards: dict[str, dict[str, Any]] = {}
        self.make_bom(Call("", {}, {**self.example, "product_id": self.products[2]}))
        for number in range(3):
            order = self.orders[self.new_order(self.products[2], Decimal(10 + number), "an old one")]
            order["created_at"] = now(timedelta(days=9 - number))
        self.routes: tuple[tuple[str, str, tuple[str, ...], Callable[[Call], Reply]], ...] = (
            ("GET", "/warehouse/bom", FLOOR, self.list_boms),
            ("POST", "/warehouse/bom", FLOOR, self.make_bom),
            ("GET", "/warehouse/bom/{id}", FLOOR, self.read_bom),
            ("PUT", "/warehouse/bom/{id}", FLOOR, self.change_bom),
            ("DELETE", "/warehouse/bom/{id}", FLOOR, self.drop_bom),
            ("GET", "/ppic/manufacturing-orders", OFFICE, self.list_orders),
            ("POST", "/ppic/manufacturing-orders", OFFICE, self.make_order),
            ("GET", "/ppic/manufacturing-orders/{id}", OFFICE, self.read_order),
            ("DELETE", "/ppic/manufacturing-orders/{id}", OFFICE, self.drop_order),
            *((("GET", "/ppic/tasks/{id}", OFFICE, self.read_task),) if not self.wrapped else ()),
            *(("POST", f"/ppic/tasks/{{id}}/{name}", OFFICE, self.acting(name)) for name in ACTIONS),
            ("GET", "/ppic/kanban/cards/all", (*OFFICE, "warehouse"), self.list_cards),
            *(
                ("POST", f"/ppic/kanban/cards/{{id}}/{name}", OFFICE, self.moving(name))
                for name in CARD_ACTIONS
            ),
        )

    # ------------------------------------------------------------ answering

    def answer(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer one request."""
        parts = urlsplit(url)
        try:
            return self.answered(method, parts.path, dict(parse_qsl(parts.query)), headers, body)
        except Refused as refused:
            text = str(refused)
            if self.wrapped:
                return Reply(refused.status, {"errors": [{"code": text.upper().replace(" ", "_")}]})
            return Reply(refused.status, {"type": "about:blank", "title": text, "status": refused.status})

    def answered(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> Reply:
        if path == "/healthz":
            return Reply(200, {"status": "ok", "stage": "twin", "version": "1.0.0"})
        if (method, path) == ("POST", "/oauth/token"):
            return self.sign_in(dict(parse_qsl(body.decode())))
        if (
            method == "DELETE"
            and "old path answers" in self.broken
            and path.startswith(f"{BASE}/kanban/cards/")
        ):
            return Reply(204)
        found = self.found("GET" if method == "HEAD" else method, path)
        if self.wrapped and found is None:
            self.parsed(method, body)  # its gateway looks at what is sent before it looks for a route
            raise Refused(404, "no such path")
        roles = self.roles(headers.get("authorization", ""))
        if not roles:
            raise Refused(401, "who are you")
        if found is None:
            raise Refused(404, "no such path")
        allowed, handler, id_ = found
        if not {*roles} & {*allowed}:
            raise Refused(403, "not you")
        return handler(Call(id_, query, self.parsed(method, body) if body else {}, bool(body)))

    def found(self, method: str, path: str) -> tuple[tuple[str, ...], Callable[[Call], Reply], str] | None:
        for verb, template, allowed, handler in self.routes:
            one = re.fullmatch(BASE + template.replace("{id}", "(?P<id>[^/]+)"), path)
            if one and verb == method:
                return allowed, handler, one.groupdict().get("id", "")
        return None

    @staticmethod
    def parsed(method: str, body: bytes) -> dict[str, Any]:
        if method in {"GET", "HEAD", "DELETE"}:
            return {}
        try:
            sent = json.loads(body)
        except ValueError:
            raise Refused(400, "no json") from None
        if not isinstance(sent, dict):
            raise Refused(422, "no object")
        return sent

    def sign_in(self, form: dict[str, str]) -> Reply:
        role = USERS.get(form.get("username", ""))
        if form.get("grant_type") != "password" or role is None or form.get("password") != PASSWORD:
            return Reply(400, {"error": "invalid_grant"})
        at = int(time.time())
        claims = {"sub": form["username"], "roles": [role], "iat": at, "exp": at + 600}
        token = secrets.token_urlsafe(32) if self.wrapped else jwt.encode(claims, KEY, "HS256")
        self.tokens[token] = role
        return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": 600})

    def roles(self, header: str) -> list[str]:
        token = header.removeprefix("Bearer ")
        if self.wrapped:
            return [self.tokens[token]] if token in self.tokens else []
        try:
            return list(jwt.decode(token, KEY, ["HS256"])["roles"])
        except jwt.InvalidTokenError:
            return []

    # ------------------------------------------------------------ words

    def new_id(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}-{self.count:06}" if self.wrapped else str(uuid.uuid4())

    def one(self, table: dict[str, dict[str, Any]], id_: str) -> dict[str, Any]:
        if not self.wrapped:
            try:
                uuid.UUID(id_)
            except ValueError:
                raise Refused(422, "no uuid") from None
        if id_ not in table:
            raise Refused(404, "not found")
        return table[id_]

    def shown(self, held: Any) -> Any:
        return {"data": held} if self.wrapped else held

    @property
    def state(self) -> str:
        """How the field is called that holds a task's state."""
        return "task_status" if self.wrapped else "status"

    @property
    def quantity(self) -> str:
        """How an order's quantity is called."""
        return "target_qty" if self.wrapped else "planned_quantity"

    @property
    def example(self) -> dict[str, Any]:
        """The body of a bill of materials."""
        return {
            "product_id": self.products[0],
            "bom_type": "manufacturing" if self.wrapped else "Manufacturing",
            "qty_output": "1.000" if self.wrapped else 1,
            "supports_multi_material": False,
            "revision": "1.0" if self.wrapped else 1,
            "remarks": "{mark}",
        }

    def positive(self, value: object, status: int = 422) -> Decimal:
        """Return a quantity; WRAPPED takes strings only, so that nothing is lost on the way."""
        if isinstance(value, bool) or not isinstance(value, str if self.wrapped else str | int | float):
            raise Refused(status, "quantity is no number")
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise Refused(status, "quantity is no number") from None
        if not number.is_finite() or number <= 0:
            raise Refused(status, "quantity is too small")
        if number > MOST_PIECES:
            raise Refused(status, "quantity is too large")
        return number

    def known(self, product: object) -> str:
        if not isinstance(product, str):
            raise Refused(422, "product is no id")
        if product not in self.products:
            raise Refused(400, "unknown product")
        return product

    def kind(self, value: object) -> str:
        kinds = ("manufacturing", "kit_phantom") if self.wrapped else ("Manufacturing", "Kit/Phantom")
        if value not in kinds:
            raise Refused(422, "unknown type")
        return str(value)

    def page(self, query: dict[str, str], entries: list[Any]) -> Reply:
        try:
            skip, limit = int(query.get("skip", 0)), int(query.get("limit", 100))
        except ValueError:
            raise Refused(422, "no number") from None
        if skip < 0 or limit < 1 or (limit > MOST_LISTED and not self.wrapped):
            raise Refused(422, "no such page")
        limit = min(limit, MOST_LISTED)
        skip = 0 if "skip is ignored" in self.broken else skip
        entries = entries[skip : skip + limit]
        return Reply(
            200, {"data": entries, "meta": {"skip": skip, "limit": limit}} if self.wrapped else entries
        )

    # ------------------------------------------------------------ bills of materials

    def told(self, bom: dict[str, Any]) -> dict[str, Any]:
        told = {**bom, "qty_output": f"{bom['qty_output']:.3f}"}
        if self.bare:
            del told["remarks"]
        if self.wrapped:
            told["active"] = told.pop("is_active")
        if "times are naive" in self.broken:
            told["updated_at"] = told["updated_at"][:19]
        return told

    def list_boms(self, call: Call) -> Reply:
        query = call.query
        active = query.get("active_only", "true")
        if active not in {"true", "false"}:
            raise Refused(422, "active_only is true or false")
        with self.lock:
            found = [
                self.told(each)
                for each in self.boms.values()
                if (active == "false" or each["is_active"])
                and query.get("product_id", each["product_id"]) == each["product_id"]
                and query.get("bom_type", each["bom_type"]) == each["bom_type"]
            ]
        return self.page(query, found)

    def make_bom(self, call: Call) -> Reply:
        sent = call.sent
        if set(sent) - set(self.example) and not self.wrapped:
            raise Refused(422, "unknown field")
        quantity, kind = self.positive(sent.get("qty_output")), self.kind(sent.get("bom_type"))
        product = self.known(sent.get("product_id"))
        with self.lock:
            has_one = self.active(product) is not None
            if has_one and not {"duplicates are accepted", "refused ones are stored"} & self.broken:
                raise Refused(409, "there is an active one")
            bom = {
                "id": self.new_id("BOM"),
                "product_id": product,
                "bom_type": kind,
                "qty_output": quantity,
                "supports_multi_material": bool(sent.get("supports_multi_material")),
                "revision": sent.get("revision", 1),
                "remarks": sent.get("remarks"),
                "is_active": True,
                "created_at": now(),
                "updated_at": now(),
            }
            self.boms[bom["id"]] = bom
            if has_one and "refused ones are stored" in self.broken:
                bom["is_active"] = False
                raise Refused(409, "there is an active one")
            return Reply(201, self.shown(self.told(bom)))

    def active(self, product: str) -> str | None:
        """Return the id of a product's active bill of materials."""
        for id_, each in self.boms.items():
            if each["product_id"] == product and each["is_active"]:
                return id_
        return None

    def living(self, call: Call, status: int) -> dict[str, Any]:
        bom = self.one(self.boms, call.id)
        if not bom["is_active"]:
            raise Refused(status, "it was deleted")
        return bom

    def read_bom(self, call: Call) -> Reply:
        with self.lock:
            bom = self.one(self.boms, call.id) if self.wrapped else self.living(call, 404)
            return Reply(200, self.shown(self.told(bom)))

    def change_bom(self, call: Call) -> Reply:
        sent = call.sent
        if not self.wrapped and set(self.example) - set(sent):
            raise Refused(422, "a field is missing")  # what is put is the whole
        changes: dict[str, Any] = {
            name: sent[name] for name in ("supports_multi_material", "remarks") if name in sent
        }
        changes |= {"qty_output": self.positive(sent["qty_output"])} if "qty_output" in sent else {}
        changes |= {"bom_type": self.kind(sent["bom_type"])} if "bom_type" in sent else {}
        with self.lock:
            bom = self.living(call, 400 if self.wrapped else 404)
            if sent.get("product_id", bom["product_id"]) != bom["product_id"]:
                raise Refused(400, "it is of another product")
            before = bom["revision"]
        if "updates are lost" in self.broken:
            time.sleep(BETWEEN_S)
        with self.lock:
            if "updates are lost" not in self.broken:
                before = bom["revision"]
            major, _, minor = str(before).partition(".")
            raised = f"{major}.{int(minor) + 1}" if self.wrapped else int(major) + 1
            bom |= {**changes, "revision": raised, "updated_at": now()}
            if "updates answer 500" in self.broken:
                raise Refused(500, "something broke")
            return Reply(204) if self.wrapped else Reply(200, self.told(bom))

    def drop_bom(self, call: Call) -> Reply:
        with self.lock:
            bom = self.living(call, 400 if self.wrapped else 404)
            if any(each["bom_id"] == call.id and self.is_active(each) for each in self.orders.values()):
                raise Refused(400, "orders depend on it")
            bom["is_active"] = "deleted ones stay" in self.broken
            return Reply(204)

    # ------------------------------------------------------------ orders and their tasks

    def is_active(self, order: dict[str, Any]) -> bool:
        return not order["cancelled"] and self.tasks[order["task"]]["state"] != "completed"

    def new_order(self, product: str, quantity: Decimal, remarks: object) -> str:
        order, task, card = (self.new_id(prefix) for prefix in ("MO", "TSK", "CRD"))
        times = {"created_at": now(), "updated_at": now()}
        self.orders[order] = {
            "id": order,
            "product_id": product,
            "bom_id": self.active(product),
            "quantity": quantity,
            "remarks": remarks,
            "task": task,
            "cancelled": False,
            **times,
        }
        self.tasks[task] = {"id": task, "order": order, "state": "draft", "actual": None, **times}
        self.cards[card] = {"id": card, "order": order, "state": "requested", **times}
        return order

    def told_order(self, id_: str) -> dict[str, Any]:
        order = self.orders[id_]
        return {
            **{name: order[name] for name in ("id", "product_id", "remarks", "created_at", "updated_at")},
            self.quantity: f"{order['quantity']:.3f}",
            "status": "cancelled" if order["cancelled"] else "open",
        }

    def told_task(self, id_: str) -> dict[str, Any]:
        task = self.tasks[id_]
        actual = task["actual"]
        return {
            **{name: task[name] for name in ("id", "created_at", "updated_at")},
            self.state: task["state"],
            "actual_quantity": None if actual is None else f"{actual:.3f}",
        }

    def list_orders(self, call: Call) -> Reply:
        with self.lock:
            if self.bare:
                return self.page(call.query, [self.brief(each["id"]) for each in self.orders.values()])
            newest_first = sorted(
                self.orders.values(), key=lambda each: str(each["created_at"]), reverse=True
            )
            return self.page(call.query, [self.told_order(each["id"]) for each in newest_first])

    def brief(self, id_: str) -> dict[str, Any]:
        """Return an order as BARE lists it."""
        return {name: value for name, value in self.told_order(id_).items() if not name.endswith("_at")}

    def make_order(self, call: Call) -> Reply:
        allowed = {"product_id", self.quantity, "remarks"}
        if set(call.sent) - allowed and not self.wrapped:
            raise Refused(422, "unknown field")
        quantity = self.positive(call.sent.get(self.quantity))
        with self.lock:
            order = self.new_order(
                self.known(call.sent.get("product_id")), quantity, call.sent.get("remarks")
            )
            return Reply(201, self.shown(self.told_order(order)))

    def read_order(self, call: Call) -> Reply:
        with self.lock:
            order = self.one(self.orders, call.id)
            task = self.told_task(order["task"]) if self.wrapped else {"id": order["task"]}
            return Reply(200, self.shown({**self.told_order(call.id), "task": task}))

    def drop_order(self, call: Call) -> Reply:
        with self.lock:
            order = self.one(self.orders, call.id)
            if self.wrapped:
                order["cancelled"] = True
                return Reply(200, self.shown(self.told_order(call.id)))
            if self.bare and self.tasks[order["task"]]["state"] != "draft":
                raise Refused(409, "it was begun")
            del self.orders[call.id], self.tasks[order["task"]]
            self.cards = {id_: card for id_, card in self.cards.items() if card["order"] != call.id}
            return Reply(200, {"deleted": call.id})

    def read_task(self, call: Call) -> Reply:
        with self.lock:
            self.one(self.tasks, call.id)
            return Reply(200, self.told_task(call.id))

    def acting(self, action: str) -> Callable[[Call], Reply]:
        before, after = ACTIONS[action]

        def act(call: Call) -> Reply:
            if self.bare and not call.has_body:
                raise Refused(422, "no body")
            made = None
            if action == "complete":
                made = self.positive(call.sent.get("actual_quantity"))
            with self.lock:
                task = self.one(self.tasks, call.id)
                starts = {before} | ({after} if f"{action} twice" in self.broken else set())
                starts |= {"approved"} if f"{action} without start" in self.broken else set()
                if task["state"] not in starts:
                    raise Refused(400, f"it is {task['state']}")
                if made is not None:
                    self.require_plan(call, task, made)
            if f"{action} at once" in self.broken:
                time.sleep(BETWEEN_S)
            with self.lock:
                if f"{action} at once" not in self.broken and task["state"] not in starts:
                    raise Refused(400, f"it is {task['state']}")
                task |= {"state": after, "updated_at": now(), "actual": made}
                if self.wrapped:
                    return Reply(204)
                return Reply(200, {"status": after} if made is None else self.told_task(call.id))

        return act

    def require_plan(self, call: Call, task: dict[str, Any], made: Decimal) -> None:
        """Refuse a quantity that is too far from the plan, unless somebody says so and why."""
        planned = self.orders[task["order"]]["quantity"]
        most = Decimal("0.12") if "variance is twelve" in self.broken else Decimal("0.1")
        if self.wrapped:
            overridden = call.query.get("override") == "true"
        else:
            overridden = call.sent.get("override") is True and bool(call.sent.get("override_reason"))
        if abs(made - planned) > planned * most and not overridden:
            raise Refused(409, "too far from the plan")

    # ------------------------------------------------------------ the board

    def list_cards(self, _: Call) -> Reply:
        with self.lock:
            found = [
                {
                    **{name: each[name] for name in ("id", "created_at", "updated_at")},
                    "order": {
                        "order_id": each["order"],
                        "product_id": self.orders[each["order"]]["product_id"],
                    },
                    "status": each["state"],
                }
                for each in self.cards.values()
                if not self.wrapped or self.is_on_the_board(each)
            ]
        return Reply(200, self.shown(found))

    def is_on_the_board(self, card: dict[str, Any]) -> bool:
        """Return whether WRAPPED shows a card: as long as there is something to be done with it."""
        has_begun = self.tasks[self.orders[card["order"]]["task"]]["state"] != "draft"
        return has_begun and card["state"] not in {"rejected", "received"}

    def moving(self, action: str) -> Callable[[Call], Reply]:
        before, after = CARD_ACTIONS[action]

        def move(call: Call) -> Reply:
            with self.lock:
                card = self.one(self.cards, call.id)
                if card["state"] != before:
                    raise Refused(409, f"it is {card['state']}")
                card |= {"state": after, "updated_at": now()}
                return Reply(200, self.shown({"status": after}))

        return move


@contextmanager
def serving(erp: Erp) -> Iterator[str]:
    """Serve the system; yield its address."""

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        reply = erp.answer(method, target, headers, body)
        is_problem = reply.status >= 400 and not erp.wrapped
        kind = "application/problem+json" if is_problem else "application/json"
        if reply.body is None:
            return servers.response(reply.status)
        return servers.response(reply.status, json.dumps(reply.body).encode(), {"Content-Type": kind})

    with servers.serving(servers.application(answer)) as server:
        yield server.url
