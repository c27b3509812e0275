"""Dotted fields, lists, and errors hidden in bodies with a good status."""

from __future__ import annotations

import pytest

from fixtures.bodies import MISSING, field, hidden_error, rows


@pytest.mark.parametrize(
    ("dotted", "expected"),
    [("a.b", 1), ("c", None), ("d.0.e", 2), ("d.1.e", MISSING), ("a.x", MISSING), ("a.b.c", MISSING)],
)
def test_dotted_field(dotted: str, expected: object) -> None:
    assert field({"a": {"b": 1}, "c": None, "d": [{"e": 2}]}, dotted) is expected


@pytest.mark.parametrize(
    ("body", "list_field", "expected"),
    [([1], None, [1]), ({"items": [2]}, "items", [2]), ({"items": {}}, "items", None), ({}, None, None)],
)
def test_list_within_a_body(body: object, list_field: str | None, expected: list[object] | None) -> None:
    assert rows(body, list_field) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"error": "database is gone"},
        {"items": [], "errors": [{"message": "no"}]},
        {"success": False},
        {"Success": False},
        {"status": "error", "message": "no"},
        {"code": 500, "data": None},
        {"statusCode": 404},
    ],
)
def test_error_behind_a_good_status_is_found(body: object) -> None:
    assert hidden_error(body) != ""


@pytest.mark.parametrize(
    "body",
    [
        [],
        "error",
        {"items": [{"status": "error"}]},
        {"error": None, "errors": [], "success": True},
        {"status": "ok"},
        {"status": 200},
        {"code": 700},
        {"code": True},
        {"state": "FAILED_OVER"},
    ],
)
def test_ordinary_body_is_no_error(body: object) -> None:
    assert hidden_error(body) == ""
