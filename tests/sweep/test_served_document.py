"""OpenAPI documents as they are served: JSON or YAML, behind which server, and whether they are whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fixtures.http import Answer
from fixtures.openapi import BrokenDocument, Document
from fixtures.served_document import read

API = "https://erp.example/erp/api/v2"
YAML = """
openapi: 3.0.3
info: {title: Purchasing, version: 2026-11-29}
paths:
  /orders:
    parameters:
    get:
      responses:
        200:
          description: &told yes, there are some
          content: {application/json: {schema: {enum: [NO, on, 14:30:00, 010, 2026-11-29, *told]}}}
        304: {description: ~}
"""


def answered(text: str, kind: str = "application/yaml", *, complete: bool = True) -> Answer:
    headers = (("Content-Type", kind),)
    return Answer("GET", f"{API}/-/contract", 200, headers, text.encode(), 1.0, complete=complete)


@pytest.mark.parametrize(
    "kind", ["application/yaml", "text/vnd.oai.openapi+yaml;version=3.0", "text/plain", ""]
)
def test_yaml_is_read_with_the_values_of_json(kind: str) -> None:
    document = read(answered(YAML, kind), API)
    (operation,) = document.operations

    assert document.content["info"]["version"] == "2026-11-29"
    assert [*operation.responses] == ["200", "304"]
    assert document.errors(operation, 200, "application/json", "NO") == ()
    choices = operation.responses["200"]["content"]["application/json"]["schema"]["enum"]
    assert choices == ["NO", "on", "14:30:00", "010", "2026-11-29", "yes, there are some"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("openapi: [3.1", "it is no YAML"),
        ("openapi: !!python/object/apply:os.system [id]", "it is no YAML"),
        ("openapi: " + "[" * 100_000, "more than 200 levels"),
        ("openapi: &a [*a]", "aliases stand for more than 2,000,000 values"),
        ("openapi: !!timestamp 2026-11-29", "that JSON cannot hold"),
        ("- openapi: 3.1.0", "it is no object"),
        ("", "the body is empty"),
        ("<html>", "the body is text/html"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_told_in_words(text: str, why: str) -> None:
    with pytest.raises(BrokenDocument, match=why):
        read(answered(text, "text/html" if text[:1] == "<" else "application/yaml"), API)


def test_aliases_of_aliases_do_not_fill_the_memory() -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(BrokenDocument, match="aliases stand for"):
        read(answered("\n".join(["a0: &a0 x", *levels, "openapi: 3.1.0"])), API)


def test_a_document_that_was_cut_off_is_none() -> None:
    with pytest.raises(BrokenDocument, match="longer than"):
        read(answered(YAML, complete=False), API)


# ---------------------------------------------------------------- where its paths begin


@pytest.mark.parametrize(
    ("servers", "paths", "found"),
    [
        ([{"url": "https://sandbox.example/sandbox/v2"}, {"url": API}], ["/orders"], ["/orders"]),
        ([{"url": "https://erp.example/erp"}, {"url": API}], ["/orders"], ["/orders"]),
        ([{"url": "../"}], ["/orders"], ["/orders"]),
        ([{"url": "/v2"}], ["/orders"], ["/orders"]),
        ([], ["/erp/api/v2/orders"], ["/orders"]),
        ([], ["/erp/api/v2/orders", "/healthz"], ["/orders", "/healthz (outside)"]),
        ([{"url": f"{API}/beta"}, {"url": API}], ["/orders"], ["/beta/orders"]),
    ],
)
def test_paths_begin_at_the_server_that_is_the_api(
    servers: list[Any], paths: list[str], found: list[str]
) -> None:
    content = {"openapi": "3.1.0", "servers": servers, "paths": {path: {"get": {}} for path in paths}}
    document = read(answered(json.dumps(content), "application/json"), API)

    told = [f"{each.path}{' (outside)' if each.is_outside else ''}" for each in document.operations]
    assert told == found


def test_of_servers_that_all_fit_that_of_the_same_host_is_taken() -> None:
    servers = [{"url": "https://sandbox.example/sandbox"}, {"url": "https://erp.example/api"}]
    content = {"openapi": "3.1.0", "servers": servers, "paths": {"/a": {"get": {}}}}

    assert Document(content, "https://erp.example").operations[0].path == "/api/a"


def test_of_servers_that_all_fit_that_of_the_known_operations_is_taken() -> None:
    servers = [{"url": "https://sandbox.example/sandbox"}, {"url": "https://prod.example/api"}]
    content = {"openapi": "3.1.0", "servers": servers, "paths": {"/a/{id}": {"get": {}}, "/b": None}}
    known = frozenset({("GET", "/api/a/{}"), ("POST", "/sandbox/a/{}"), ("GET", "/sandbox/b")})

    assert Document(content, "https://qa.example", known=known).operations[0].path == "/api/a/{id}"


# ---------------------------------------------------------------- what it refers to


def whole(**more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "paths": {}, **more}


def test_references_to_what_is_not_there_are_named_with_their_place() -> None:
    gone = {"$ref": "#/components/schemas/Gone"}
    document = Document(
        whole(
            paths={
                "/a/{id}": {"$ref": "#/components/pathItems/A"},
                "/b": {"$ref": "#/components/pathItems/B"},
            },
            components={
                "pathItems": {"A": {"get": {"responses": {"200": {"$ref": "#/components/responses/R"}}}}},
                "schemas": {"Here": {"properties": {"examples": gone, "x": {"examples": [gone]}}}},
            },
        )
    )

    assert document.dangling == (
        "#/components/pathItems/B (in /paths/~1b)",
        "#/components/responses/R (in /components/pathItems/A/get/responses/200)",
        "#/components/schemas/Gone (in /components/schemas/Here/properties/examples)",
    )


def test_references_to_other_documents_are_told_and_those_to_named_addresses_followed() -> None:
    money = {"$id": "https://erp.example/money", "$defs": {"A": {"minimum": 0}}, "properties": {}}
    money["properties"] = {"amount": {"$ref": "#/$defs/A"}}
    schema = {"$ref": "https://erp.example/money"}
    answer = {"200": {"content": {"application/json": {"schema": schema}}}}
    document = Document(
        whole(
            paths={"/a": {"get": {"responses": answer}}, "/b": {"$ref": "./b.yaml#/paths/b"}},
            components={"schemas": {"Money": money}},
        )
    )
    (operation,) = document.operations

    assert document.elsewhere == ("./b.yaml#/paths/b",)
    assert document.dangling == ()
    assert document.errors(operation, 200, "application/json", {"amount": -1})[0].startswith(
        "$.amount: -1 is"
    )
