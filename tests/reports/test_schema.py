"""The schema is closed, the verdicts keep it, and the documentation speaks of all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "reports" / "verdict.schema.json").read_text(encoding="utf-8"))
DOCUMENT = (ROOT / "docs" / "verdict-json.md").read_text(encoding="utf-8")

Invented = Callable[[str], dict[str, Any]]


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every part of the schema that is itself a schema."""
    if isinstance(node, dict):
        if "type" in node or "enum" in node or "$ref" in node or "const" in node:
            yield node
        for each in node.values():
            yield from _objects(each)


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_object_is_closed_and_every_property_described() -> None:
    for part in _objects(SCHEMA):
        if part.get("type") == "object":
            assert "additionalProperties" in part
        for name, each in part.get("properties", {}).items():
            assert each.get("description"), name


def test_every_verdict_keeps_it(scenario: str, invented: Invented) -> None:
    verdict = json.loads(json.dumps(invented(scenario)))

    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(verdict)] == []


@pytest.mark.parametrize(
    "break_it",
    ids=range(10),
    argvalues=[
        lambda v: v.update(verdict="MAYBE"),
        lambda v: v.update(schema="gonogo/verdict/2"),
        lambda v: v.update(surprise=1),
        lambda v: v.pop("action"),
        lambda v: v["counts"].pop("UNKNOWN"),
        lambda v: v["items"]["SMK-1"].update(outcome="passed"),
        lambda v: v["items"]["SMK-1"].update(extra=""),
        lambda v: v["items"].update({"not an id": v["items"]["SMK-1"]}),
        lambda v: v["records"][0].update(attempts=0),
        lambda v: v["target"].update({"password": "x"}),
    ],
)
def test_what_breaks_the_format_is_refused(
    break_it: Callable[[dict[str, Any]], object], invented: Invented
) -> None:
    verdict = invented("go")
    break_it(verdict)

    assert not Draft202012Validator(SCHEMA).is_valid(verdict)


def test_the_document_names_every_property() -> None:
    names = {name for part in _objects(SCHEMA) for name in part.get("properties", {})}

    missing = sorted(name for name in names if f"`{name}`" not in DOCUMENT)
    assert missing == []


def test_the_documents_examples_are_valid() -> None:
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)]

    assert examples
    for example in examples:
        assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(example)] == []


def test_the_documents_queries_ask_for_what_exists() -> None:
    """A jq example that names a property which does not exist prints null and nobody notices."""
    names = {name for part in _objects(SCHEMA) for name in part.get("properties", {})}
    queries = re.findall(r"jq (?:-\S+ )*'(.*?)'", DOCUMENT, re.DOTALL)

    assert len(queries) >= 5
    for query in queries:
        used = set(re.findall(r"\.([a-z_]+)", query)) - {"key", "value"}
        assert used <= names, query
