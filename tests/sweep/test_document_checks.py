"""What the checks make of a served OpenAPI document."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observation import CannotObserve
from fixtures.release import Release

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

LIST = {"name": "things", "method": "GET", "path": "/things", "kind": "list"}


@pytest.fixture(scope="session")
def checks() -> ModuleType:
    """The module of the checks: their folder is no package."""
    path = Path(__file__).resolve().parents[2] / "checks" / "validation" / "test_contract.py"
    spec = importlib.util.spec_from_file_location("contract_checks", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["contract_checks"] = module
    spec.loader.exec_module(module)
    return module


def measured(*_: Any, **__: Any) -> None:
    """Take a figure."""


def document(**paths: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "paths": {f"/{name}": {"get": each} for name, each in paths.items()}}


@pytest.mark.parametrize("path", ["/things", "/elsewhere"])
def test_where_no_endpoint_is_in_the_document_the_remedy_says_so(
    path: str, swept: Callable[..., Any], checks: ModuleType
) -> None:
    served = document(other={"responses": {"200": {}}}, **{path[1:]: {"responses": {"200": {}}}})
    sweep, _ = swept([LIST], {"/openapi.json": served, "/things": []}, openapi="/openapi.json")
    release = Release.model_validate(
        {"version": "1", "health": {"path": "/", "text": ""}, "endpoints": [LIST], "openapi": "/openapi.json"}
    )

    with pytest.raises(AssertionError) as caught:
        checks.test_documented_operations_keep_their_word(
            sweep, release, measured, SimpleNamespace(table=measured)
        )

    assert "GET /other answers 404, the document promises 200" in str(caught.value)
    assert ("has none of the release file's endpoints" in str(caught.value)) is (path != "/things")


@pytest.mark.parametrize(
    ("schema", "seen"),
    [
        ({"$ref": "#/components/schemas/Thing"}, "#/components/schemas/Thing (in /paths/~1things/get/x)"),
        ({"$ref": "thing.yaml"}, "thing.yaml"),
    ],
)
def test_a_document_that_is_not_whole_is_a_finding_and_one_in_parts_unknown(
    schema: Any, seen: str, swept: Callable[..., Any], checks: ModuleType
) -> None:
    served = document(things={"x": schema, "responses": {"200": {}}})
    sweep, _ = swept([], {"/openapi.json": served}, openapi="/openapi.json")
    expected = CannotObserve if seen == "thing.yaml" else AssertionError

    with pytest.raises(expected) as caught:
        checks.test_served_document_is_an_openapi_document(sweep, measured)

    assert seen in str(caught.value)
