from typing import Any

import pytest

from fixtures.openapi import BrokenDocument, Document
from fixtures.schemas import errors, validator

JSON = "application/json"


def document(schema: dict[str, Any], version: str = "3.1.0", **more: Any) -> Document:
    response = {"description": "", "content": {JSON: {"schema": schema}}}
    operation = {"responses": {"200": response}, **more.pop("operation", {})}
    return Document(
        {"openapi": version, "paths": {"/things": {"get": operation}}, **more}, more.pop("base", "")
    )


def problems(made: Document, body: object) -> tuple[str, ...]:
    (operation,) = made.operations
    return made.errors(operation, 200, JSON, body)


@pytest.mark.parametrize(
    "content", [[], {}, {"openapi": "4.0", "paths": {}}, {"openapi": "3.1.0"}, "text", None]
)
def test_what_is_no_document_is_refused(content: object) -> None:
    with pytest.raises(BrokenDocument):
        Document(content)


def test_references_are_followed_also_in_circles() -> None:
    node = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "next": {"$ref": "#/components/schemas/Node"}},
    }
    made = document({"$ref": "#/components/schemas/Node"}, components={"schemas": {"Node": node}})

    assert problems(made, {"id": 1, "next": {"id": 2}}) == ()
    assert problems(made, {"id": 1, "next": {"id": "2"}}) == ("$.next.id: '2' is not of type 'integer'",)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_null_is_what_the_version_calls_so(version: str) -> None:
    old = version.startswith("3.0")
    schema = {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}
    made = document(schema, version)

    assert (problems(made, {"a": None}) == ()) is old
    assert problems(made, {"a": "x"}) == ()


def test_a_nullable_reference_and_a_boolean_bound_of_3_0() -> None:
    made = document(
        {
            "properties": {
                "a": {"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": True},
                "n": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
            }
        },
        "3.0.0",
        components={"schemas": {"A": {"type": "object", "required": ["x"]}}},
    )

    assert problems(made, {"a": None, "n": 1}) == ()
    assert problems(made, {"a": {}, "n": 0}) != ()


def test_what_is_only_written_is_not_required_in_an_answer() -> None:
    secret = {"type": "string", "writeOnly": True}
    made = document({"required": ["id", "password"], "properties": {"id": {}, "password": secret}})

    assert problems(made, {"id": 1}) == ()
    assert problems(made, {}) == ("$: 'id' is a required property",)


def test_a_schema_that_cannot_be_used_is_no_finding_about_the_body() -> None:
    for schema in ({"$ref": "#/components/schemas/Gone"}, {"type": "strng"}, {"pattern": "("}):
        with pytest.raises(ValueError, match=r"the schema"):
            problems(document(schema), "text")


def test_swagger_2_has_its_schema_and_base_path_elsewhere() -> None:
    response = {"200": {"description": "", "schema": {"type": "array"}}}
    made = Document(
        {
            "swagger": "2.0",
            "basePath": "/v2",
            "produces": [JSON],
            "paths": {"/things": {"get": {"responses": response}}},
        }
    )
    (operation,) = made.operations

    assert operation.path == "/v2/things"
    assert made.errors(operation, 200, JSON, {}) == ("$: {} is not of type 'array'",)
    assert made.media_types(operation, 200) == {JSON}


@pytest.mark.parametrize(
    ("servers", "base", "path"),
    [
        ([], "", "/things"),
        ([{"url": "/api/v1"}], "", "/api/v1/things"),
        ([{"url": "https://prod.example/api/v1/"}], "", "/api/v1/things"),
        ([{"url": "https://prod.example/api/v1"}], "/api/v1", "/things"),
        ([{"url": "/api/v1"}], "/api", "/v1/things"),
        ([{"url": "/"}], "/api", "/things"),
        ([{"url": "https://x/{stage}", "variables": {"stage": {"default": "v3"}}}], "", "/v3/things"),
    ],
)  # fmt: skip
def test_paths_are_those_below_the_address_of_the_api(servers: list[Any], base: str, path: str) -> None:
    content = {"openapi": "3.1.0", "servers": servers, "paths": {"/things": {"get": {"responses": {}}}}}

    assert Document(content, base).operations[0].path == path


def test_required_parameters_take_what_the_document_gives_and_nothing_else() -> None:
    parameters = [
        {"name": "page", "in": "query", "required": True, "schema": {"default": 1}},
        {"name": "kind", "in": "query", "required": True, "schema": {"enum": ["a", "b"]}},
        {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "X-Tenant", "in": "header", "required": True},
        {"name": "Authorization", "in": "header", "required": True},
        {"name": "limit", "in": "query", "schema": {"default": 5}},
    ]
    (operation,) = document({}, operation={"parameters": parameters}).operations

    assert operation.query == {"page": 1, "kind": "a"}
    assert operation.unfilled == ("query parameter q", "header parameter X-Tenant")


def test_own_schemas_name_where_a_body_breaks_them() -> None:
    made = validator('{"type": "array", "items": {"required": ["sku"]}}')

    assert errors(made, [{"sku": 1}, {}]) == ("$[1]: 'sku' is a required property",)
    with pytest.raises(ValueError, match="the release file's schema is none"):
        validator('{"type": 5}')


def test_many_errors_are_told_shortly() -> None:
    told = errors(validator('{"items": {"type": "string"}}'), [{"x": "y" * 5000}] * 50)

    assert len(told) == 6
    assert all(len(each) < 300 for each in told)
