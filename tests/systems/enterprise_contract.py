"""The OpenAPI document of the purchasing system in ``enterprise.py``, in each dialect that is in use.

One description is written out for every dialect in that dialect's own words: Swagger 2.0 has no ``oneOf``
and inherits instead, 3.0 has ``nullable`` and a boolean ``exclusiveMinimum``, 3.1 is JSON Schema.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

Json = dict[str, Any]

PREFIX = "/erp/api/v2"
API, HAL, PLAIN = "application/vnd.api+json", "application/hal+json", "application/json"
DIALECTS = ("3.1", "3.0", "2.0", "yaml", "broken")


def served(dialect: str) -> tuple[str, str]:
    """Return the document as it is served, and its media type."""
    content = Dialect(dialect).document()
    if dialect != "yaml":
        return json.dumps(content), "application/json"
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    # As people write it: statuses are numbers, and a date is a date.
    return re.sub(r"'(\d{3}|\d{4}-\d{2}-\d{2})'", r"\1", text), "application/yaml"


class Dialect:
    """Writes one dialect."""

    def __init__(self, name: str) -> None:
        self.version = {"yaml": "3.0", "broken": "3.1"}.get(name, name)
        self.is_broken = name == "broken"
        self.place = "#/definitions/" if self.version == "2.0" else "#/components/schemas/"

    def ref(self, name: str) -> Json:
        return {"$ref": f"{self.place}{name}"}

    def nullable(self, kind: str) -> Json:
        if self.version == "3.1":
            return {"type": [kind, "null"]}
        return {"type": kind, "nullable" if self.version == "3.0" else "x-nullable": True}

    def positive(self) -> Json:
        if self.version == "3.1":
            return {"type": "number", "exclusiveMinimum": 0}
        return {"type": "number", "minimum": 0, "exclusiveMinimum": True}

    def always(self, value: str) -> Json:
        return {"const": value} if self.version == "3.1" else {"type": "string", "enum": [value]}

    def answer(self, schema: Json | None, kind: str, status: str = "200") -> Json:
        if schema is None:
            return {status: {"description": "nothing"}}
        if self.version == "2.0":
            return {status: {"description": "found", "schema": schema}, "304": {"description": "as before"}}
        return {
            status: {"description": "found", "content": {kind: {"schema": schema}}},
            "304": {"description": "as before"},
        }

    def get(self, schema: Json | None, kind: str = PLAIN, *parameters: Json, status: str = "200") -> Json:
        made: Json = {"responses": self.answer(schema, kind, status), "parameters": list(parameters)}
        if self.version == "2.0" and schema is not None:
            made["produces"] = [kind]
        return {"get": made}

    def within_path(self, name: str) -> Json:
        kind = {"type": "string"}
        return {"name": name, "in": "path", "required": True} | (
            kind if self.version == "2.0" else {"schema": kind}
        )

    def since(self) -> Json:
        told = {"type": "string", "format": "date"}
        where = {"name": "since", "in": "query", "required": True}
        if self.version == "2.0":
            return {**where, **told, "default": "2026-01-01"}
        return {**where, "schema": told, "example": "2026-01-01"}

    # ------------------------------------------------------------ the document

    def document(self) -> Json:
        head: Json = {"info": {"title": "Purchasing", "version": "2.7.0"}, "paths": self.paths()}
        if self.version == "2.0":
            return {
                "swagger": "2.0",
                "basePath": PREFIX,
                "produces": [PLAIN],
                "definitions": self.schemas(),
                **head,
            }
        servers = [{"url": "https://sandbox.example/sandbox/v2"}, {"url": f"https://erp.example{PREFIX}"}]
        version = {"3.0": "3.0.3", "3.1": "3.1.0"}[self.version]
        return {"openapi": version, "servers": servers, "components": {"schemas": self.schemas()}, **head}

    def paths(self) -> Json:
        array, string = "array", {"type": "string"}
        moment = {**string, "format": "date-time"}
        event = {"type": "object", "required": ["id", "at"], "properties": {"id": string, "at": moment}}
        return {
            "/status": self.get({"type": "object"}),
            "/suppliers": self.get(self.ref("Suppliers"), API),
            "/suppliers/{supplier_id}": self.get(
                self.ref("SupplierAnswer"), API, self.within_path("supplier_id")
            ),
            "/suppliers/{supplier_id}/contacts": self.get(
                self.ref("Contacts"), API, self.within_path("supplier_id")
            ),
            "/orders": self.get(self.ref("Orders"), HAL),
            "/orders/{order_code}": self.get(self.ref("Order"), HAL, self.within_path("order_code")),
            "/orders/{order_code}/history": self.get(
                {"type": array, "items": event}, PLAIN, self.within_path("order_code")
            ),
            "/orders/{order_code}/lines": self.get(
                {"type": array, "items": {"type": "object", "required": ["no", "kind"]}},
                PLAIN,
                self.within_path("order_code"),
            ),
            "/orders/{order_code}/lines/{line_no}": self.get(
                {"type": "object", "required": ["no", "kind"]},
                PLAIN,
                self.within_path("order_code"),
                self.within_path("line_no"),
            ),
            "/warehouses": self.get({"type": "object", "additionalProperties": self.ref("Warehouse")}),
            "/warehouses/{warehouse_id}": self.get(
                self.ref("Warehouse"), PLAIN, self.within_path("warehouse_id")
            ),
            "/ledger/entries": self.get(self.ref("Entries")),
            "/audit": self.get({"type": array, "items": event}),
            "/recalls": self.get(self.ref("Recalls"), HAL),
            "/recalls/{recall_id}": self.get({"type": "object"}, HAL, self.within_path("recall_id")),
            "/shifts/current": self.get(None, status="204"),
            "/reports/stock": self.get(self.ref("Stock")),
            "/currencies": self.get({"type": "object", "additionalProperties": string}),
            "/invoices": self.get(self.ref("Invoices"), HAL),
            "/invoices/{invoice_number}": self.get(
                self.ref("Invoice"), HAL, self.within_path("invoice_number")
            ),
            "/exchange": self.get({"type": "object", "required": ["EUR"]}, PLAIN, self.since()),
        }

    # ------------------------------------------------------------ schemas

    def schemas(self) -> Json:
        string: Json = {"type": "string"}
        moment, day = {**string, "format": "date-time"}, {**string, "format": "date", "example": "2026-11-29"}
        whole = {"type": "integer"}
        attributes = {
            "name": string,
            "rating": self.positive(),
            "onboarded_on": day,
            "reviewed_at": moment,
            "parent": self.nullable("string"),
            "secret": {**string, "writeOnly": True},
        }
        if self.version == "2.0":
            del attributes["secret"]
        supplier = _object(
            type=self.always("suppliers"),
            id=string,
            attributes=_object(**attributes),
            links=_object(self=string),
        )
        made = {
            "Supplier": supplier,
            "Suppliers": _object(
                data={"type": "array", "items": self.ref("Supplier")},
                links=_object(next=self.nullable("string")),
                meta=_object(total=whole),
            ),
            "SupplierAnswer": _object(data=self.ref("Supplier")),
            "Contacts": _object(data={"type": "array", "items": _object(type=string, id=string)}),
            "Order": _object(
                code={**string, "pattern": "^PO-"},
                id={**string, "format": "uuid"},
                placed_at=moment,
                due_date=day,
                delivery_time=string,
                lines={"type": "array", "items": self.ref("Line")},
                total=self.ref("Money"),
            ),
            "Orders": _object(
                _embedded=_object(orders={"type": "array", "items": self.ref("Order")}),
                page=_object(size=whole, number=whole, totalElements=whole),
            ),
            "Warehouse": _object(
                name=string,
                opened_at=moment,
                bins={"type": "object", "additionalProperties": self.ref("Bin")},
            ),
            "Bin": _object(counted_at=moment, stock={"type": "integer", "minimum": 0}),
            "Entries": _object(
                entries={
                    "type": "array",
                    "items": _object(entry_no=whole, posted_at=whole, settled_at=whole, value_date=day),
                },
                paging=_object(cursors={"type": "object", "properties": {"after": self.nullable("string")}}),
            ),
            "Recalls": _object(_embedded=_object(recalls={"type": "array"})),
            "Stock": _object(by_warehouse={"type": "object", "additionalProperties": self.ref("Bin")}),
            "Invoice": _object(number=string, due_date=day),
            "Invoices": _object(_embedded=_object(invoices={"type": "array", "items": self.ref("Invoice")})),
            "Money": _object(currency={**string, "enum": ["EUR", "USD"]}, amount=self.positive()),
            **self.lines(),
        }
        if self.version == "3.1":
            money = made.pop("Money")
            made["Order"]["$defs"] = {"Money": money}
            made["Order"]["properties"]["total"] = {"$ref": f"{self.place}Order/$defs/Money"}
        if self.is_broken:
            del made["Bin"]
        return made

    def lines(self) -> Json:
        """Lines of an order: what kind of line one is decides what it holds, and a bundle holds lines."""
        inner = {"type": "array", "items": self.ref("Line")}
        kinds: dict[str, Json] = {
            "part": {"sku": {"type": "string"}, "quantity": {"type": "integer", "minimum": 1}},
            "service": {"sku": {"type": "string"}, "hours": self.positive()},
            "bundle": {"sku": {"type": "string"}, "lines": inner},
        }
        if self.version == "2.0":
            base = {**_object(kind={"type": "string"}), "discriminator": "kind"}
            return {"Line": base} | {
                kind: {"allOf": [self.ref("Line"), _object(**held)]} for kind, held in kinds.items()
            }
        names = {kind: f"{kind.title()}Line" for kind in kinds}
        mapping = {
            kind: name if self.version == "3.0" else f"{self.place}{name}" for kind, name in names.items()
        }
        return {
            "Line": {
                "oneOf": [self.ref(name) for name in names.values()],
                "discriminator": {"propertyName": "kind", "mapping": mapping},
            }
        } | {names[kind]: _object(kind=self.always(kind), **held) for kind, held in kinds.items()}


def _object(**properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}
