from __future__ import annotations

import pytest

from fixtures.placeholders import at, fill

VALUES = {"mark": "gonogo-1", "sentinel:product": 9001}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{mark}", "gonogo-1"),
        ("{sentinel:product}", 9001),
        ("product {sentinel:product}", "product 9001"),
        (
            {"a": ["{mark}", {"b": "{sentinel:product}"}], "c": None, "d": 1.5},
            {"a": ["gonogo-1", {"b": 9001}], "c": None, "d": 1.5},
        ),
        ("", ""),
    ],
)
def test_placeholders_are_filled_and_types_are_kept(template: object, filled: object) -> None:
    assert fill(template, VALUES) == filled


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="sentinel:tenant"):
        fill("/tenants/{sentinel:tenant}", VALUES)


@pytest.mark.parametrize(
    ("field", "value"), [(None, {"data": [{"id": 7}]}), ("data", [{"id": 7}]), ("data.0.id", 7)]
)
def test_a_dotted_field_is_followed(field: str | None, value: object) -> None:
    assert at({"data": [{"id": 7}]}, field) == value


@pytest.mark.parametrize("field", ["items", "data.id", "data.1", "data.-1", "data.0.id.x"])
def test_a_field_that_is_not_there_is_an_error(field: str) -> None:
    with pytest.raises(KeyError):
        at({"data": [{"id": 7}]}, field)
