"""A purchasing system of another company: everything below a prefix, and every list in another envelope.

It can be broken on demand. Suppliers come as JSON:API, orders and recalls as HAL, warehouses as an object
by id, the ledger behind a cursor and the audit trail behind Link headers. Its OpenAPI document is in
``enterprise_contract.py``.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from tests.probes import servers
from tests.systems.enterprise_contract import API, HAL, PLAIN, PREFIX, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEYS = {"buyer": "buyers-key-7c41e09d2f", "auditor": "auditors-key-0b95d3aa61"}
DOCUMENT = "/-/contract/purchasing"
PAGE = 3
PROBLEM = "application/problem+json"
WAREHOUSES = ("7d9c2f5e-1d0b-4f3c-9a53-0d5b1b6f0a01", "c0a8012e-58a4-4d7c-9a0d-7d5d1d6f1c11")
THEN = "2026-11-20T08:30:00Z"

CHANGE = 'body = { data = { type = "suppliers", attributes = { rating = 4 } } }'
OFTEN_EMPTY = 'empty = "no recall is open most of the time"'
RELEASE = f"""
version = "2.7.0"
roles = ["buyer", "auditor"]
openapi = "{DOCUMENT}"
health = {{ path = "/status", ready = {{ "checks.database" = "pass" }} }}
known_issues = []
[api_key]
header = "X-Api-Key"
[timestamps]
[timestamps.epoch]
settled_at = "seconds"
posted_at = "milliseconds"
[records.supplier]
create = "register_supplier"
read = "supplier"
list = "suppliers"
delete = "drop_supplier"
updates = ["rate_supplier"]
id_field = "data.id"
mark_field = "attributes.name"
made_at = "attributes.reviewed_at"
find = {{ "filter[name]" = "{{mark}}" }}
[records.supplier.body.data]
type = "suppliers"
attributes = {{ name = "{{mark}}", rating = 2.5, onboarded_on = "2026-11-29" }}
""" + "".join(
    f"""
[[endpoints]]
name = "{name}"
method = "{method}"
path = "{path}"
kind = "{kind}"
role = "buyer"
allowed = ["buyer"{', "auditor"' if method == "GET" else ""}]
content_type = "{kind_of_body}"
{more}
"""
    for name, method, path, kind, kind_of_body, more in (
        (
            *("suppliers", "GET", "/suppliers", "list", API),
            'items = ["SMK-3"]\nlist_field = "data"\nshows = "supplier"\nquery = { "page[size]" = 3 }',
        ),
        (
            *("supplier", "GET", "/suppliers/{supplier_id}", "read", API),
            'ids_from = "suppliers"\nobject_field = "data"',
        ),
        (
            *("register_supplier", "POST", "/suppliers", "create", API),
            f'items = ["SMK-4"]\nstatus = 201\nobject_field = "data"\nbody_type = "{API}"',
        ),
        (
            *("rate_supplier", "PATCH", "/suppliers/{supplier_id}", "update", API),
            f'object_field = "data"\nbody_type = "{API}"\nif_match = true\n{CHANGE}',
        ),
        ("drop_supplier", "DELETE", "/suppliers/{supplier_id}", "delete", "", "status = 204"),
        (
            *("orders", "GET", "/orders", "list", HAL),
            'items = ["SMK-5"]\nlist_field = "_embedded.orders"\nquery = { page = 1, per_page = 3 }',
        ),
        (
            *("order", "GET", "/orders/{order_code}", "read", HAL),
            'ids_from = "orders"\nid_field = "code"',
        ),
        (
            *("lines", "GET", "/orders/{order_code}/lines", "list", PLAIN),
            'ids_from = "orders"\nid_field = "code"',
        ),
        (
            *("line", "GET", "/orders/{order_code}/lines/{line_no}", "read", PLAIN),
            'items = ["SMK-5"]\nids_from = "lines"\nid_field = "no"',
        ),
        ("warehouses", "GET", "/warehouses", "list", PLAIN, "keyed = true"),
        ("warehouse", "GET", "/warehouses/{warehouse_id}", "read", PLAIN, 'ids_from = "warehouses"'),
        (
            *("entries", "GET", "/ledger/entries", "list", PLAIN),
            'list_field = "entries"\nnext = "paging.cursors.after"\ncursor = "after"\nquery = { limit = 3 }',
        ),
        ("audit", "GET", "/audit", "list", PLAIN, "query = { limit = 3 }"),
        (
            *("recalls", "GET", "/recalls", "list", HAL),
            f'items = ["SMK-3"]\nlist_field = "_embedded.recalls"\n{OFTEN_EMPTY}',
        ),
        ("recall", "GET", "/recalls/{recall_id}", "read", HAL, 'ids_from = "recalls"'),
        ("shift", "GET", "/shifts/current", "report", "", "status = 204"),
        ("stock", "GET", "/reports/stock", "report", PLAIN, ""),
    )
)
ENVIRONMENT = """
name = "another-enterprise"
release = "{release}"
writes = "own-records"
api = {{ url = "{url}" }}
identity = {{ environment = {{ header = "X-Landscape", equals = "qa" }} }}
absent = {{ database = "another company's", frontend = "it has none", version = "told nowhere" }}
roles.buyer.token = "env:ENTERPRISE_BUYER"
roles.auditor.token = "env:ENTERPRISE_AUDITOR"
"""


@dataclass
class Reply:
    """What is answered: a body, or a text that is sent as it is."""

    status: int
    body: Any = None
    kind: str = PLAIN
    headers: dict[str, str] = field(default_factory=dict)


class Enterprise:
    """What the system holds.

    Args:
        broken: how it is broken.
        dialect: in which dialect its document is written.
    """

    def __init__(self, *broken: str, dialect: str = "3.1") -> None:
        self.broken = frozenset(broken)
        self.dialect = dialect
        self.asked: list[str] = []
        self.suppliers: dict[str, dict[str, Any]] = {
            id_: {"name": f"Supplier {n}", "rating": n + 0.5, "onboarded_on": "2026-11-29",
                  "reviewed_at": THEN, "parent": None if n else "S-003"}
            for n, id_ in enumerate(("S-003", "A/7 b", "ü", "S-004", "50% + #1"))
        }  # fmt: skip
        self.orders = {f"PO-2026-{n:04}": self.order(n) for n in range(1, 8)}
        self.warehouses = {id_: self.warehouse(n) for n, id_ in enumerate(WAREHOUSES)}

    # ------------------------------------------------------------ what there is

    def order(self, n: int) -> dict[str, Any]:
        quantity = 0 if n == 2 and "a part in a bundle has no quantity" in self.broken else 2
        inner = [
            {"kind": "part", "sku": "P-1", "quantity": quantity},
            {"kind": "service", "sku": "S-1", "hours": 0.5},
        ]
        return {
            "id": f"0b7e4f9a-58a4-4d7c-9a0d-7d5d1d6f1c{n:02}",
            "placed_at": THEN,
            "due_date": "2026-11-29",
            "delivery_time": "14:30:00",
            "lines": [
                {"kind": "service", "sku": "S-2", "hours": 2},
                {"kind": "bundle", "sku": "B-1", "lines": inner},
            ],
            "total": {"currency": "EUR", "amount": 12.5},
        }

    def warehouse(self, n: int) -> dict[str, Any]:
        counted = THEN.removesuffix("Z") if n and "a count in a map is naive" in self.broken else THEN
        return {
            "name": f"Hall {n}",
            "opened_at": THEN,
            "bins": {"A-1": {"counted_at": counted, "stock": 5 * n}},
        }

    # ------------------------------------------------------------ answering

    def answer(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer one request."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.asked.append(f"{method} {url}")
        path = parts.path.removeprefix(PREFIX)
        if not parts.path.startswith(f"{PREFIX}/"):
            return Reply(404, {"title": "not here"})
        if path in {"/status", DOCUMENT}:
            answer = served(self.dialect) if path == DOCUMENT else ({"checks": {"database": "pass"}},)
            return Reply(200, *answer)
        role = next((name for name, key in KEYS.items() if headers.get("x-api-key") == key), None)
        if role is None and not ("invoices are public" in self.broken and path == "/invoices"):
            return Reply(401, {"title": "no key"}, PROBLEM)
        if role == "auditor" and method != "GET":
            return Reply(403, {"title": "only buyers"}, PROBLEM)
        _, *steps = [unquote(step) for step in path.split("/")]
        reply = self.routed(method, steps, query, headers, body)
        is_known = method == "GET" and headers.get("if-none-match") == reply.headers.get("ETag", "none")
        return Reply(304, headers=reply.headers) if is_known else reply

    def routed(
        self, method: str, steps: list[str], query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> Reply:
        reading: dict[tuple[str, int], Callable[[], Reply]] = {
            ("suppliers", 1): lambda: self.listed_suppliers(query),
            ("suppliers", 2): lambda: self.one_supplier(steps[1]),
            ("suppliers", 3): lambda: self.contacts(steps[1]),
            ("orders", 1): lambda: self.listed_orders(query),
            ("orders", 2): lambda: self.one_order(steps[1]),
            ("orders", 3): lambda: self.within_order(*steps[1:]),
            ("orders", 4): lambda: self.one_line(steps[1], steps[3]),
            ("warehouses", 1): lambda: Reply(200, self.warehouses),
            ("warehouses", 2): lambda: found(self.warehouses.get(steps[1])),
            ("ledger", 2): lambda: self.entries(query),
            ("audit", 1): lambda: self.audit(query),
            ("recalls", 1): lambda: Reply(200, {"_embedded": {"recalls": []}}, HAL),
            ("shifts", 2): lambda: Reply(204),
            ("reports", 2): lambda: Reply(200, {"by_warehouse": self.stock()}),
            ("currencies", 1): lambda: Reply(200, {"EUR": "Euro", "USD": "US Dollar"}),
            ("invoices", 1): self.invoices,
            ("invoices", 2): lambda: found(self.invoice(steps[1]), HAL),
            ("exchange", 1): lambda: Reply(200, {"EUR": 1}) if "since" in query else Reply(422),
        }
        if method == "GET":
            answer = reading.get((steps[0], len(steps)))
            return answer() if answer else Reply(404)
        if steps == ["suppliers"] and method == "POST":
            return self.registered(json.loads(body), headers)
        if steps[0] == "suppliers" and len(steps) == 2 and steps[1] in self.suppliers:
            return self.changed(method, steps[1], headers, body)
        return Reply(404 if steps[0] == "suppliers" else 405)

    # ------------------------------------------------------------ suppliers: JSON:API

    def supplier(self, id_: str) -> dict[str, Any]:
        place = f"{PREFIX}/suppliers/{quote(id_, safe='')}"
        return {"type": "suppliers", "id": id_, "attributes": self.suppliers[id_], "links": {"self": place}}

    def listed_suppliers(self, query: dict[str, str]) -> Reply:
        named = query.get("filter[name]", "")
        ids = [id_ for id_, held in self.suppliers.items() if held["name"].startswith(named)]
        number, size = int(query.get("page[number]", 1)), int(query.get("page[size]", 10))
        page = paged(ids, number, size)
        following = {**query, "page[number]": number + 1}
        more = f"{PREFIX}/suppliers?{urlencode(following)}" if number * size < len(ids) else None
        if number > 1 and "second page repeats" in self.broken:
            page = paged(ids, 1, size)
        kind = PLAIN if "suppliers are plain JSON" in self.broken else API
        links, meta = {"next": more}, {"total": len(ids)}
        return Reply(200, {"data": [self.supplier(id_) for id_ in page], "links": links, "meta": meta}, kind)

    def one_supplier(self, id_: str) -> Reply:
        is_lost = id_ == "A/7 b" and "an id with a slash is not found" in self.broken
        if id_ not in self.suppliers or is_lost:
            return Reply(404, {"errors": [{"status": "404"}]}, API)
        return Reply(200, {"data": self.supplier(id_)}, API, {"ETag": self.tag(id_)})

    def contacts(self, id_: str) -> Reply:
        if id_ not in self.suppliers:
            return Reply(404)
        return Reply(200, {"data": [{"type": "contacts", "id": "1"}], "included": []}, API)

    def tag(self, id_: str) -> str:
        text = json.dumps(self.suppliers[id_])
        return f'"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}"'

    def registered(self, sent: dict[str, Any], headers: dict[str, str]) -> Reply:
        if headers.get("content-type") != API:
            return Reply(415)
        id_ = f"N/{len(self.asked)} ß"
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.suppliers[id_] = {"parent": None, **sent["data"]["attributes"], "reviewed_at": now}
        return Reply(201, {"data": self.supplier(id_)}, API)

    def changed(self, method: str, id_: str, headers: dict[str, str], body: bytes) -> Reply:
        if method == "DELETE":
            del self.suppliers[id_]
            return Reply(204)
        if headers.get("if-match") not in {"*", self.tag(id_)}:
            return Reply(412 if "if-match" in headers else 428)
        self.suppliers[id_] |= json.loads(body)["data"]["attributes"]
        return self.one_supplier(id_)

    # ------------------------------------------------------------ orders and recalls: HAL

    def shown_order(self, code: str) -> dict[str, Any]:
        return {"code": code, **self.orders[code], "_links": {"self": {"href": f"{PREFIX}/orders/{code}"}}}

    def listed_orders(self, query: dict[str, str]) -> Reply:
        number, size = int(query.get("page", 1)), int(query.get("per_page", PAGE))
        codes = paged([*self.orders], number, size)
        orders = [self.shown_order(code) for code in codes]
        total = len(codes) if "total is of the page" in self.broken else len(self.orders)
        page = {"size": size, "number": number, "totalElements": total}
        return Reply(200, {"_embedded": {"orders": orders}, "page": page}, HAL)

    def one_order(self, code: str) -> Reply:
        return Reply(200, self.shown_order(code), HAL) if code in self.orders else Reply(404)

    def within_order(self, code: str, what: str) -> Reply:
        if code not in self.orders:
            return Reply(404)
        held = self.orders[code]["lines"]
        lines = [{"no": 10 * n, "kind": line["kind"]} for n, line in enumerate(held, start=1)]
        return Reply(200, lines if what == "lines" else [{"id": "1", "at": THEN}])

    def one_line(self, code: str, number: str) -> Reply:
        shown = self.within_order(code, "lines")
        is_lost = "a line that is listed is not found" in self.broken
        lines = shown.body if shown.status == 200 and not is_lost else []
        return found(next((line for line in lines if str(line["no"]) == number), None))

    def invoice(self, number: str) -> dict[str, Any] | None:
        return {"number": number, "due_date": "2026-11-29"} if number == "INV-9" else None

    def invoices(self) -> Reply:
        page = {"size": 20, "number": 0}
        links = {"self": {"href": f"{PREFIX}/invoices"}}
        return Reply(
            200, {"_embedded": {"invoices": [self.invoice("INV-9")]}, "page": page, "_links": links}, HAL
        )

    # ------------------------------------------------------------ ledger, audit, stock

    def entries(self, query: dict[str, str]) -> Reply:
        begin, size = int(query.get("after", 0)), int(query["limit"])
        if "limit is ignored" in self.broken:
            size = 7
        seconds = 1_764_400_000
        posted = seconds if "milliseconds are seconds" in self.broken else seconds * 1000
        everything = [
            {"entry_no": 7000 + n, "posted_at": posted + n, "settled_at": seconds + n,
             "value_date": "2026-11-29"}
            for n in range(7)
        ]  # fmt: skip
        end = begin + size
        after = {"after": str(end)} if end < len(everything) else {}
        return Reply(200, {"entries": everything[begin:end], "paging": {"cursors": after}})

    def audit(self, query: dict[str, str]) -> Reply:
        begin, size = int(query.get("from", 0)), int(query["limit"])
        everything = [{"id": f"e{n}", "at": THEN} for n in range(7)]
        end = begin + size
        link = f'<{PREFIX}/audit?limit={size}&from={end}>; rel="next"'
        headers = {"Link": link} if end < len(everything) else {}
        return Reply(200, everything[begin:end], headers={**headers, "X-Total-Count": str(len(everything))})

    def stock(self) -> dict[str, Any]:
        return {id_: held["bins"]["A-1"] for id_, held in self.warehouses.items()}


def found(held: Any, kind: str = PLAIN) -> Reply:
    return Reply(404) if held is None else Reply(200, held, kind)


def paged(everything: list[str], number: int, size: int) -> list[str]:
    return everything[(number - 1) * size : number * size]


@contextmanager
def serving(enterprise: Enterprise) -> Iterator[str]:
    """Serve the system; yield the address of its API."""

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        reply = enterprise.answer(method, target, headers, body)
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        sent = b"" if reply.body is None else text.encode()
        kind = {"Content-Type": reply.kind} if sent else {}
        return servers.response(reply.status, sent, {"X-Landscape": "qa", **kind, **reply.headers})

    with servers.serving(servers.application(answer)) as server:
        yield f"{server.url}{PREFIX}"
