"""Ways around a refusal: how they are written, and what of an answer shows that one leads in."""

from __future__ import annotations

import json

import pytest

from fixtures.detours import announces, pieces, shape, shows
from fixtures.evasion import (
    ADDRESS,
    CASE,
    DOUBLED,
    ESCAPED,
    HEAD,
    METHOD,
    PARAMETER,
    SLASH,
    UPWARDS,
    disguises,
    respelled,
)
from fixtures.http import Answer

# ---------------------------------------------------------------- how they are written


@pytest.mark.parametrize(
    ("way", "template", "path", "spelled"),
    [
        (SLASH, "/v1/orders", "/v1/orders", "/v1/orders/"),
        (SLASH, "/v1/orders/", "/v1/orders/", "/v1/orders"),
        (SLASH, "/", "/", None),
        (DOUBLED, "/v1/orders", "/v1/orders", "//v1/orders"),
        (CASE, "/v1/orders/{id}/close", "/v1/orders/ab-c/close", "/v1/ORDERS/ab-c/CLOSE"),
        (CASE, "/v1/{id}", "/v1/ab-c", None),
        (CASE, "/v1/2024", "/v1/2024", None),
        (CASE, "/v1/Orders", "/v1/Orders", "/v1/oRDERS"),
        (ESCAPED, "/v1/orders/{id}", "/v1/orders/ab-c", "/v1/%6frders/ab-c"),
        (ESCAPED, "/v1/orders/3d", "/v1/orders/3d", "/v1/orders/3%64"),
        (ESCAPED, "/v1/{id}", "/v1/ab-c", None),
        (PARAMETER, "/v1/orders/{id}", "/v1/orders/7", "/v1/orders/7;a=b"),
        (UPWARDS, "/v1/orders", "/v1/orders", "/v1/orders%2f.."),
    ],
)
def test_a_path_in_another_spelling(way: str, template: str, path: str, spelled: str | None) -> None:
    assert respelled(way, template, path, after=1) == spelled


def asked(method: str) -> dict[str, tuple[str, str, dict[str, str]]]:
    ways = disguises(method, "/o/{id}", "/o/7", after=0, public="/health", address="/base/o/7?area=core")
    return {each.way: (each.method, each.path, dict(each.headers)) for each in ways}


def test_reading_is_asked_with_safe_methods_only() -> None:
    found = asked("GET")

    assert {method for method, _, _ in found.values()} == {"GET", "HEAD", "OPTIONS"}
    assert found[HEAD] == ("HEAD", "/o/7", {})
    assert found[METHOD][:2] == ("OPTIONS", "/o/7")
    assert found[METHOD][2][METHOD] == "GET"
    assert found[ADDRESS][:2] == ("GET", "/health")
    assert found[ADDRESS][2][ADDRESS] == "/base/o/7?area=core"


@pytest.mark.parametrize(("method", "carrier"), [("POST", "GET"), ("DELETE", "POST"), ("PUT", "POST")])
def test_writing_never_goes_to_what_is_above(method: str, carrier: str) -> None:
    found = asked(method)

    assert not {UPWARDS, HEAD} & found.keys()
    assert found[METHOD][0] == carrier
    assert {path.strip("/").partition(";")[0].lower() for _, path, _ in found.values()} == {
        "o/7",
        "%6f/7",
        "health",
    }


# ---------------------------------------------------------------- what shows that one leads in


def answer(body: object, status: int = 200, kind: str = "application/json", **headers: str) -> Answer:
    sent = (body if isinstance(body, str) else json.dumps(body)).encode()
    fields = (("Content-Type", kind), *((name.replace("_", "-"), each) for name, each in headers.items()))
    return Answer("GET", "https://a/x", status, fields, sent, elapsed_ms=1, complete=True)


def items(*names: str, at: str = "12:00") -> Answer:
    return answer({"items": [{"name": name, "of": "acme"} for name in names], "at": at})


NOTHING = answer({"detail": "Nothing here"}, 404)
HEALTH = answer({"status": "ok", "at": "12:00"})
PAGE = answer("<h1>Shop</h1>", kind="text/html")
KNOWN = (items("a", "b", "c", at="12:00"), items("a", "b", "c", at="12:01"))


@pytest.mark.parametrize(
    ("seen", "beside", "shown"),
    [
        (items("a", "b", "c", at="12:07"), NOTHING, True),
        (items("z", "a", "b"), NOTHING, True),
        (items(), NOTHING, False),
        (items("mine"), NOTHING, False),
        (HEALTH, HEALTH, False),
        (PAGE, PAGE, False),
        (answer({"items": None, "error": "forbidden"}), NOTHING, False),
        (answer("", 204), NOTHING, False),
    ],
)
def test_what_others_are_shown_is_told_from_all_else(seen: Answer, beside: Answer, shown: bool) -> None:
    assert shows(seen, KNOWN, beside) is shown


def test_a_page_is_known_by_its_lines() -> None:
    page = answer("<h1>Payroll</h1>\n<p>12</p>\n<p>now 12:00</p>", kind="text/html")
    later = answer("<h1>Payroll</h1>\n<p>12</p>\n<p>now 12:01</p>", kind="text/html")

    assert shows(later, (page, page), PAGE)
    assert not shows(PAGE, (page, later), PAGE)


@pytest.mark.parametrize(("beside", "shown"), [(NOTHING, True), (answer([]), False)])
def test_an_empty_list_is_the_same_only_where_nothing_else_is_empty(beside: Answer, shown: bool) -> None:
    assert shows(answer([]), (answer([]), answer([])), beside) is shown


def test_what_head_announces_is_the_content() -> None:
    known = items("a")

    assert announces(answer("", Content_Length="40"), known)
    assert announces(answer(""), known)
    assert not announces(answer("", Content_Length="0"), known)
    assert not announces(answer("", kind="text/html"), known)


def test_time_changes_no_shape() -> None:
    assert shape(HEALTH) == shape(answer({"status": "down", "at": "12:09"}))
    assert shape(HEALTH) != shape(items("a"))
    assert shape(PAGE) != shape(NOTHING)


def test_pieces_have_their_place() -> None:
    assert pieces(answer({"a": {"b": [1, 2]}, "c": None})) == {".a.b[]=1", ".a.b[]=2", ".c=None"}
