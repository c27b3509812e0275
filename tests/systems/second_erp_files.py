"""The release file and the environment file of the second ERP, as their manuals let one write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.systems.second_erp import BASE, CARD_ACTIONS, USERS

if TYPE_CHECKING:
    from tests.systems.second_erp import Erp


def endpoints(erp: Erp) -> list[dict[str, Any]]:
    """Return what the release file says of each endpoint."""
    wrapped = erp.wrapped
    answered: dict[str, Any] = {"object_field": "data"} if wrapped else {}
    empty: dict[str, Any] = {"body": {}} if erp.bare else {}
    untried: dict[str, Any] = {"untried": "orders stay once they are begun"} if erp.bare else {}
    silent: dict[str, Any] = {"status": 204, "content_type": ""} if wrapped else {}
    listed: dict[str, Any] = {"kind": "list"} | ({"list_field": "data"} if wrapped else {})
    bom: dict[str, Any] = {"role": "warehouse", "allowed": ["admin", "warehouse"]}
    ppic: dict[str, Any] = {"role": "planner", "allowed": ["admin", "planner"]}
    whole = {} if wrapped else {**erp.example, "product_id": "{sentinel:product}"}
    changed = {**whole, "supports_multi_material": True}
    paged = {"query": {"skip": 0, "limit": 100}} if wrapped else {}
    overriding = {"query": {"override": False}} if wrapped else {}
    orders, completed = "/ppic/manufacturing-orders", {"actual_quantity": "10.000" if wrapped else 10}
    if not wrapped:
        completed |= {"override": False, "override_reason": "{mark}"}
    rows: list[tuple[str, str, str, dict[str, Any]]] = [
        ("list_boms", "GET", "/warehouse/bom", {**bom, **listed, "items": ["REL-BOM-1"], "shows": "bom"}),
        ("create_bom", "POST", "/warehouse/bom", {**bom, **answered, "kind": "create", "status": 201}),
        (
            "read_bom",
            "GET",
            "/warehouse/bom/{id}",
            {**bom, **answered, "kind": "read", "ids_from": "list_boms"},
        ),
        (
            *("update_bom", "PUT", "/warehouse/bom/{id}"),
            {**bom, **silent, "kind": "update", "body": changed},
        ),
        (
            "delete_bom",
            "DELETE",
            "/warehouse/bom/{id}",
            {**bom, "kind": "delete", "status": 204, "content_type": ""},
        ),
        ("list_orders", "GET", orders, {**ppic, **listed, **paged, "shows": "order"}),
        ("create_order", "POST", orders, {**ppic, **answered, "kind": "create", "status": 201}),
        (
            "read_order",
            "GET",
            f"{orders}/{{id}}",
            {**ppic, **answered, "kind": "read", "ids_from": "list_orders"},
        ),
        ("delete_order", "DELETE", f"{orders}/{{id}}", {**ppic, **untried, "kind": "delete"}),
        ("approve_task", "POST", "/ppic/tasks/{id}/approve", {**ppic, **silent, **empty, "kind": "action"}),
        ("start_task", "POST", "/ppic/tasks/{id}/start", {**ppic, **silent, **empty, "kind": "action"}),
        (
            "complete_task",
            "POST",
            "/ppic/tasks/{id}/complete",
            {**ppic, **silent, "kind": "action", "body": completed, **overriding},
        ),
        (
            *("list_cards", "GET", "/ppic/kanban/cards/all"),
            {**ppic, **listed, "allowed": ["admin", "planner", "warehouse"]},
        ),
        *(
            (f"{name}_card", "POST", f"/ppic/kanban/cards/{{id}}/{name}", {**ppic, "kind": "action"})
            for name in CARD_ACTIONS
        ),
    ]
    if not wrapped:
        read = {**ppic, "kind": "read", "ids_from": "read_order", "id_field": "task.id"}
        rows.append(("read_task", "GET", "/ppic/tasks/{id}", read))
    return [
        {
            "name": name,
            "method": method,
            "path": BASE + path,
            **more,
            **(
                {"change": "moved", "moved_from": BASE + path.replace("/ppic/kanban", "/kanban")}
                if "kanban" in path
                else {}
            ),
        }
        for name, method, path, more in rows
    ]


def toml(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {toml(part)}" for name, part in value.items()) + " }"
    return json.dumps(value)


def release(erp: Erp) -> str:
    """Return the release file."""
    bom = {**erp.example, "product_id": "{sentinel:product}"}
    order = {
        "product_id": "{sentinel:ordered}",
        erp.quantity: "10.000" if erp.wrapped else 10,
        "remarks": "{mark}",
    }
    records: dict[str, dict[str, Any]] = {
        "bom": {
            **{verb: f"{verb}_bom" for verb in ("create", "read", "delete")},
            "list": "list_boms",
            "updates": ["update_bom"],
            "body": bom,
            "mark_field": "remarks",
            "find": {"product_id": "{sentinel:product}"},
            "undo": "soft delete",
            "residue": "an inactive bill of materials",
            **(
                {"removed": {"active": False}, "other": {"bom_type": "kit_phantom"}}
                if erp.wrapped
                else {"not_echoed": ["revision"]}
            ),
        },
        "order": {
            **{verb: f"{verb}_order" for verb in ("create", "read", *(() if erp.bare else ("delete",)))},
            "list": "list_orders",
            "body": order,
            "mark_field": "remarks",
            **(
                {"undo": "soft delete", "residue": "a cancelled order", "removed": {"status": "cancelled"}}
                if erp.wrapped
                else {"undo": "none", "residue": "an order"}
                if erp.bare
                else {}
            ),
        },
    }
    own = "\n".join(
        f"[records.{kind}]\n" + "\n".join(f"{name} = {toml(value)}" for name, value in record.items())
        for kind, record in records.items()
    )
    contract = "\n".join(
        "[[endpoints]]\n" + "\n".join(f"{name} = {toml(value)}" for name, value in each.items())
        for each in endpoints(erp)
    )
    return f"""
version = "1.0.0"
roles = ["admin", "warehouse", "planner", "guest"]
gone = ["{BASE}/kanban"]
known_issues = []
health = {{ path = "/healthz", ready = {{ status = "ok" }} }}
[sign_in]
path = "/oauth/token"
encoding = "form"
body = {{ grant_type = "password", username = "{{username}}", password = "{{password}}" }}
refused_status = 400
token = "access_token"
token_type = {{}}
format = "{"opaque" if erp.wrapped else "jwt"}"
role_claim = "roles"
role = "planner"
[timestamps]
zone = "Asia/Jakarta"
{own}
{contract}
"""


def environment(erp: Erp, url: str) -> str:
    """Return the environment file; the release file is beside it."""
    roles = "\n".join(
        f'[roles.{role}]\nusername = "{user}"\npassword = "env:ERP_PASSWORD"' for user, role in USERS.items()
    )
    return f"""
name = "second-erp"
release = "release.toml"
writes = "{"anything" if erp.bare else "own-records"}"
api = {{ url = "{url}" }}
limits = {{ p95_ms = 5_000, p95_alert_ms = 5_000 }}
identity = {{ environment = {{ field = "stage", equals = "twin" }}, version = {{ field = "version" }} }}
[sentinels]
product = "{erp.products[0]}"
flow_product = "{erp.products[1]}"
ordered = "{erp.products[2 if erp.bare else 0]}"
[absent]
database = "not reachable from here"
frontend = "released apart"
[not_applicable]
VAL-PERF-3 = "there was no release before this one"
REL-PERF-1 = "there was no release before this one"
{roles}
"""
