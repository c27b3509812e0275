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
        {"errorCode": 17, "errorMessage": "no such account"},
        {"error_code": "E17", "id": None},
        {"errorCode": None, "errorMessage": "no such account"},
        {"ErrorMessage": "no such account"},
        {"isSuccess": False},
        {"hasErrors": True},
        {"data": None, "errors": [{"message": "no"}]},
        {"data": {"jobs": []}, "errors": [{"message": "no"}]},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "no"}},
        {"type": "about:blank", "title": "Not Found", "status": 404},
        {"type": "https://shop.example/out-of-credit", "title": "Out of credit", "detail": "30, needed 50"},
        {"type": "/problems/busy", "title": "Busy", "status": 200},
        {"errors": True},
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
        {"errorCode": 0, "errorMessage": "Success", "error": None, "errors": []},
        {"errcode": 0, "errmsg": "ok, 3 found"},
        {"errorCode": "0000", "errorMessage": None},
        {"errorCode": "NONE"},
        {"error": {"code": 0, "message": ""}},
        {"error": False, "hasError": False, "success": True},
        {"processed": 90, "errors": 2},
        {"jobs": [{"id": 1, "status": "failed", "error": "disk full"}]},
        {"id": 1, "status": "failed", "error": "disk full"},
        {"data": {"jobs": [{"status": "failed"}]}},
        {"jsonrpc": "2.0", "id": 1, "result": [{"status": "error"}]},
        {"type": "novel", "title": "Persuasion", "detail": "1817"},
        {"type": "https://schema.org/Book", "title": "Persuasion"},
    ],
)
def test_ordinary_body_is_no_error(body: object) -> None:
    assert hidden_error(body) == ""


def test_the_record_that_was_asked_for_has_a_status_of_its_own() -> None:
    assert hidden_error({"job": "nightly", "status": "failed"}) == "status is 'failed'"
    assert hidden_error({"job": "nightly", "status": "failed"}, "nightly") == ""
