"""What a discriminator chooses is what an object is judged by, and what the message is about."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fixtures.openapi import Document
from fixtures.schemas import errors, validator

JSON = "application/json"
PART = {"type": "object", "required": ["kind", "n"], "properties": {"n": {"type": "integer", "minimum": 1}}}
SERVICE = {"type": "object", "required": ["kind", "hours", "by"], "properties": {"hours": {"type": "number"}}}
LINE = {
    "oneOf": [{"$ref": "#/components/schemas/Part"}, {"$ref": "#/components/schemas/Service"}],
    "discriminator": {"propertyName": "kind", "mapping": {"p": "#/components/schemas/Part", "s": "Service"}},
}


def problems(
    body: object, line: dict[str, Any] = LINE, version: str = "3.1.0", **more: Any
) -> tuple[str, ...]:
    schemas = {"Part": PART, "Service": SERVICE, "Line": line, **more}
    content = {JSON: {"schema": {"items": {"$ref": "#/components/schemas/Line"}}}}
    document = Document(
        {
            "openapi": version,
            "paths": {"/lines": {"get": {"responses": {"200": {"content": content}}}}},
            "components": {"schemas": schemas},
        }
    )
    return document.errors(document.operations[0], 200, JSON, body)


@pytest.mark.parametrize("version", ["3.1.0", "3.0.3"])
@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
def test_the_chosen_alternative_alone_judges(version: str, keyword: str) -> None:
    line = {keyword: LINE["oneOf"], "discriminator": LINE["discriminator"]}
    good = [
        {"kind": "p", "n": 1},
        {"kind": "s", "hours": 2, "by": "x"},
        {"kind": "p", "n": 1, "hours": 1, "by": ""},
    ]

    assert problems(good, line, version) == ()
    assert problems([{"kind": "p", "n": 0}], line, version) == ("$[0].n: 0 is less than the minimum of 1",)
    assert problems([{"kind": "s", "n": 1}], line, version) == (
        "$[0]: 'hours' is a required property",
        "$[0]: 'by' is a required property",
    )


def test_without_a_mapping_the_name_of_the_schema_is_the_value() -> None:
    line = {"oneOf": LINE["oneOf"], "discriminator": {"propertyName": "kind"}}

    assert problems([{"kind": "Part", "n": 0}], line) == ("$[0].n: 0 is less than the minimum of 1",)


def test_an_object_that_chooses_nothing_is_told_so_unless_it_fits_anyway() -> None:
    assert problems([{"kind": "q", "n": 0}]) == (
        "$[0]: kind is 'q', by which the schema is chosen: one of 'p', 's'",
    )
    assert problems([{"n": 1}]) == ("$[0]: kind is missing, by which the schema is chosen: one of 'p', 's'",)
    assert problems([{"kind": "q", "n": 1}]) == ()


@pytest.mark.parametrize("version", ["3.1.0", "3.0.3"])
def test_an_heir_is_judged_as_such_where_its_base_is_promised(version: str) -> None:
    base = {"type": "object", "required": ["kind"], "discriminator": {"propertyName": "kind"}}
    heirs = {
        "screw": {"allOf": [{"$ref": "#/components/schemas/Line"}, {"required": ["size"]}]},
        "bolt": {"allOf": [{"$ref": "#/components/schemas/screw"}, {"required": ["nut"]}]},
    }

    assert problems([{"kind": "bolt", "size": 1, "nut": 2}, {"kind": "Line"}], base, version, **heirs) == ()
    assert problems([{"kind": "bolt"}, {}], base, version, **heirs) == (
        "$[0]: 'size' is a required property",
        "$[0]: 'nut' is a required property",
        "$[1]: 'kind' is a required property",
    )


def test_an_heir_that_the_mapping_does_not_have_is_told() -> None:
    told = {"propertyName": "kind", "mapping": {"p": "Part"}}
    base = {"type": "object", "discriminator": told}

    assert problems([{"kind": "p", "n": 1}], base) == ()
    assert problems([{"kind": "z"}], base) == (
        "$[0]: kind is 'z', by which the schema is chosen: one of 'p'",
    )
    assert problems([{"kind": "z"}], {**base, "discriminator": {"propertyName": "kind"}}) == ()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"kind": "p", "n": 0}, "$.n: 0 is less than the minimum of 1"),
        ({"kind": "s", "hours": "x", "by": "y"}, "$.hours: 'x' is not of type 'number'"),
        ({"kind": "s", "hours": {"a": "x"}, "by": "y"}, "$.hours: {'a': 'x'} is not of type 'number'"),
        (5, "$: 5 is not valid under any of the given schemas"),
    ],
)
def test_without_a_discriminator_the_field_that_tells_kinds_apart_tells_which_was_meant(
    body: object, told: str
) -> None:
    one = {**PART, "properties": {**PART["properties"], "kind": {"const": "p"}}}  # type: ignore[dict-item]
    two = {**SERVICE, "properties": {**SERVICE["properties"], "kind": {"enum": ["s"]}}}  # type: ignore[dict-item]
    made = validator(json.dumps({"anyOf": [one, two, {"type": "null"}]}))

    assert errors(made, None) == ()
    assert errors(made, body) == (told,)


def test_of_what_may_be_null_the_type_is_told() -> None:
    line = {"properties": {"n": {"type": "integer", "minimum": 3, "nullable": True}}}

    assert problems([{"n": None}, {"n": 4}], line, "3.0.3") == ()
    assert problems([{"n": 1}, {"n": "x"}], line, "3.0.3") == (
        "$[0].n: 1 is less than the minimum of 3",
        "$[1].n: 'x' is not of type 'integer'",
    )
