"""What an error reveals, and what are only ordinary words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.exposure import SIGNS
from fixtures.hostile import BIG, METHOD, READING_KINDS, WRITING_KINDS, Question, reading, sampled, writing
from fixtures.http import Answer
from fixtures.leaks import Leaks
from fixtures.release import Release
from fixtures.revealing import comparable, revealed
from fixtures.signing_in import Form
from tests.probes.servers import json_response, response
from tests.probes.shop import PASSWORD, Shop, released, world

if TYPE_CHECKING:
    from pathlib import Path

ROLES = ("admin", "warehouse", "user")


def error(
    body: str, status: int = 400, *headers: tuple[str, str], url: str = "https://shop.example/o/1"
) -> Answer:
    return Answer("GET", url, status, headers, body.encode(), 1.0, complete=True)


@pytest.mark.parametrize(
    ("detail", "body"),
    [
        ("a query", 'relation "orders" does not exist'),
        ("a query", "(psycopg.errors.X) LINE 1: SELECT o.id, o.x FROM orders o WHERE"),
        ("a query", "SQLSTATE[42000]: Syntax error"),
        ("a query", 'pq: invalid input syntax for type uuid: "x"'),
        ("a query", 'unterminated quoted identifier at or near "")%"'),
        ("a query", 'select 1 from x\nLINE 1: select 1 from x where y = "'),
        ("a query", 'unrecognized token: \\"\')\\"'),
        ("a query", 'near \\"or\\": syntax error'),
        ("a trace", '{"trace": "File \\"/app/x.py\\", line 44, in dispatch"}'),
        ("a trace", "jwt.exceptions.InvalidSignatureError: Signature verification failed"),
        ("a trace", 'Traceback (most recent call last):\n  File "/app/x.py", line 3'),
        ("a trace", "java.lang.NullPointerException\n\tat com.shop.Orders.find(Orders.java:42)"),
        ("a trace", "Error: x\n    at Layer.handle (/srv/node_modules/express/lib/layer.js:95:5)"),
        ("a trace", "   at Shop.Orders.Get(Int32 id) in C:\\src\\Orders.cs:line 12"),
        ("a path of the machine", "cannot open /usr/src/app/views/index.py"),
        ("a path of the machine", "C:\\inetpub\\wwwroot\\shop"),
        ("a version", "<center>nginx/1.25.3</center>"),
        ("a version", "Apache Tomcat/9.0.1"),
        ("a version", '{"url":"https://errors.pydantic.dev/2.5/v/int_parsing"}'),
        ("a debug page", "<title>Starlette Debugger</title>"),
    ],
)
def test_detail_is_found(detail: str, body: str) -> None:
    assert detail in revealed(error(body, 500))


@pytest.mark.parametrize(
    "body",
    [
        "Requires role admin or warehouse",
        "Admin role required",
        "must be an admin",
        '{"required_permission": "orders:write"}',
        "Missing permission: orders.write",
        "User 'ann' lacks access to orders",
    ],
)
def test_permission_is_found(body: str) -> None:
    assert "a permission" in revealed(error(body, 403), ROLES)


@pytest.mark.parametrize(
    "body",
    [
        "Please select an item from the list, or update the set",
        "Your role may not do this",
        "You do not have permission to perform this action.",
        "Missing permissions: contact your administrator",
        "User authentication required",
        "This user account lacks access; ask an administrator",
        "The warehouse is closed",
        "Not Found: /o/1 at line 3",
        "query.limit: Input should be less than or equal to 500",
        "id: Input should be a valid integer, unable to parse string as an integer",
        "Expected date, format 2026-01-26T10:00:00Z, see https://shop.example/docs/app/v1.2/errors",
        '{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","traceId":"00-4bf9"}',
        "Unexpected token } in JSON at position 12",
        "JSON decode error at (1, 5): expecting value",
        "deadline 3: not met; a token near the end; jwt.invalid; json.error",
        '{"type": "shop.orders.ValidationError", "code": "jwt_expired"}',
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_ordinary_words_reveal_nothing(body: str, status: int) -> None:
    bearer = ("WWW-Authenticate", 'Bearer error="insufficient_scope", scope="orders"')

    assert revealed(error(body, status, bearer, ("Server", "nginx")), ROLES) == {}


def test_own_path_may_be_repeated() -> None:
    own = "https://shop.example/app/static/admin/x.js"

    assert revealed(error("Cannot GET /app/static/admin/x.js", 404, url=own), ROLES) == {}


def test_password_is_found() -> None:
    assert revealed(error('{"input": "canary-of-ours"}', 422), (), "canary-of-ours")


def test_answers_that_differ_by_request_only_are_alike() -> None:
    first = error('{"detail": "ann is refused", "id": "6f1c0e0a-1111", "at": "2026-11-22T21:00:00Z"}')
    second = error('{"detail": "bob is refused", "id": "0a6f1c0e-2222", "at": "2026-11-22T21:00:01Z"}')

    assert comparable(first, "ann") == comparable(second, "bob")
    assert comparable(first) != comparable(second)


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("API description", '{"info": {}, "openapi": "3.0.1"}', True),
        ("API description", "# ours\nswagger: '2.0'\n", True),
        ("API description", "<html>our openapi page</html>", False),
        ("metrics", "# HELP up is it\n# TYPE up gauge\n", True),
        ("metrics", "<html># Metrics</html>", False),
        ("configuration file", "DB_PASSWORD=x", True),
        ("configuration file", "export DB_PASSWORD=x", True),
        ("configuration file", "# ours\nservices:\n  db:\n", True),
        ("configuration file", "admin:$apr1$x$y", True),
        ("configuration file", "//npm.shop.example/:_authToken=x", True),
        ("configuration file", "-----BEGIN OPENSSH PRIVATE KEY-----", True),
        ("configuration file", "services: we have many\n", False),
        ("configuration file", '{"error": {"code": "not_found"}}', False),
        ("backup", "--\n-- PostgreSQL database dump\n--\n", True),
        ("backup", "CREATE TABLE orders (\n", True),
        ("backup", "PK\x03\x04\x14", True),
        ("backup", "\x1f\ufffd\x08", True),
        ("backup", "SQLite format 3\0", True),
        ("backup", "<!doctype html><p>-- Create Table tops and more", False),
        ("configuration file", "<!doctype html><html lang=en>", False),
        ("interactive documentation", "<!doctype html><title>Shop</title>", False),
    ],
)
def test_place_is_known_by_what_it_shows(kind: str, text: str, found: bool) -> None:
    assert bool(SIGNS[kind].search(text)) == found


RELEASE = Release.model_validate(
    {
        "version": "1",
        "roles": ["clerk"],
        "health": {"path": "/health", "text": "ok"},
        "sign_in": {
            "path": "/login",
            "body": {"name": "{username}", "secret_word": "{password}"},
            "token": "t",
            "role": "clerk",
        },
        "endpoints": [
            {"name": "list", "method": "GET", "path": "/orders", "kind": "list", "role": "clerk"},
            {"name": "read", "method": "GET", "path": "/orders/{id}", "kind": "read", "ids_from": "list"},
            {"name": "make", "method": "POST", "path": "/orders", "kind": "create", "role": "clerk"},
            {"name": "run", "method": "POST", "path": "/jobs/run", "kind": "action", "role": "clerk"},
            {"name": "end", "method": "DELETE", "path": "/orders/{id}", "kind": "delete", "ids_from": "list"},
        ],
    }
)
DOCUMENT = {
    "paths": {
        "/orders": {
            "parameters": [{"$ref": "#/components/parameters/page"}],
            "get": {"parameters": [{"in": "query", "name": "limit"}, {"in": "header", "name": "X"}]},
        }
    },
    "components": {"parameters": {"page": {"in": "query", "name": "page"}}},
}


def test_reading_asks_every_parameter_of_every_kind_with_safe_methods() -> None:
    questions = list(reading(RELEASE, DOCUMENT))

    assert {each.method for each in questions} == {"GET"}
    assert {each.kind for each in questions} == set(READING_KINDS)
    assert {name for each in questions for name in each.query} == {"page", "limit"}


def test_writing_sends_nothing_that_could_be_stored() -> None:
    questions = list(writing(RELEASE, "s3cret", Form()))
    paths = {(each.method, each.path) for each in questions}

    assert {each.kind for each in questions} == set(WRITING_KINDS)
    assert paths == {("GONOGO", "/health"), ("POST", "/login"), ("POST", "/orders")}
    assert all(b"{" not in each.content.sent[1:] for each in questions if each.content)
    assert all("s3cret" not in each.content.shown for each in questions if each.content)


@pytest.mark.parametrize("most", [0, 100, 300, 10_000])
def test_cut_leaves_every_endpoint_and_every_kind(most: int) -> None:
    questions = [
        Question(kind, "GET", f"/{number}/{kind}", {}, None, None, "the path", f"/{number}/{{id}}")
        for number in range(200)
        for kind in READING_KINDS[:-1]
    ] + [Question(METHOD, "GET", "/login", {}, None, None, "the method")]
    chosen = sampled(questions, most)

    assert {each.template for each in chosen} == {each.template for each in questions}
    assert {each.kind for each in chosen} == set(READING_KINDS)
    assert len(chosen) == len(set(map(id, chosen))) == min(max(most, 201), len(questions))
    assert max(sum(each.kind == kind for each in chosen) for kind in READING_KINDS) <= len(chosen) / 5


def test_parameters_that_find_a_record_are_asked_too() -> None:
    endpoint = {"name": "mine", "method": "GET", "path": "/t/{tenant}/orders", "kind": "list"}
    record = {"create": "make", "body": {"notes": "{mark}"}, "mark_field": "notes", "undo": "none"}
    record |= {"residue": "an order", "list": "mine", "find": {"notes": "{mark}"}}

    def asked(tenant: str) -> set[str]:
        release = RELEASE.model_validate(
            {
                **RELEASE.model_dump(by_alias=True, exclude_unset=True),
                "endpoints": [
                    *(each.model_dump(by_alias=True, exclude_unset=True) for each in RELEASE.endpoints),
                    {**endpoint, "path_values": {"tenant": tenant}},
                ],
                "records": {"order": record},
            }
        )
        return {each.path for each in reading(release, None) if "notes" in each.query}

    assert asked("a b") == {"/t/a%20b/orders"}
    assert asked("{sentinel:tenant}") == set()


def test_a_known_tenant_is_kept_so_that_what_is_below_it_is_reached() -> None:
    known = {"method": "GET", "kind": "read", "path_values": {"tenant": "acme"}}
    making = {"method": "POST", "kind": "create"}
    release = Release.model_validate(
        {
            "version": "1",
            "health": {"path": "/health", "ready": {"status": "ok"}},
            "endpoints": [
                {**known, "name": "issues", "path": "/t/{tenant}/issues", "kind": "list"},
                {**known, "name": "issue", "path": "/t/{tenant}/issues/{id}", "ids_from": "issues"},
                {**known, "name": "tenant", "path": "/t/{tenant}"},
                {**known, "name": "made", "path": "/t/{tenant}/issues", **making},
            ],
        }
    )
    read = {each.path for each in reading(release, None) if each.place == "the path"}
    written = {each.path for each in writing(release, "s3cret", Form()) if each.path.startswith("/t")}

    assert {"/t/acme/issues/gonogo-nobody", "/t/gonogo-nobody"} <= read
    assert not {path for path in read if path.endswith("/issues") and "/acme/" in path}
    assert written == {"/t/acme/issues"}


def signed_in_by(encoding: str) -> list[Question]:
    how = RELEASE.model_dump(by_alias=True, exclude_unset=True)
    release = Release.model_validate({**how, "sign_in": {**how["sign_in"], "encoding": encoding}})
    return [each for each in writing(release, "s3cret", Form()) if each.path == "/login" and each.content]


@pytest.mark.parametrize("encoding", ["json", "form"])
def test_sign_in_is_tried_with_all_that_is_hostile_however_it_is_written(encoding: str) -> None:
    questions = signed_in_by(encoding)
    quotes = [each for each in questions if each.kind == "a quote" and each.content]
    (huge,) = [each for each in questions if each.kind == "a very big body" and each.content]

    assert {each.kind for each in questions} == set(WRITING_KINDS) - {METHOD}
    assert {each.place for each in quotes} == {"the user's name", "the password"}
    assert "s3cret" not in "".join(each.content.shown for each in questions if each.content)
    assert huge.content is not None
    assert len(huge.content.sent) > 1_000_000
    assert len(huge.content.shown) < 10_000


@pytest.mark.parametrize(
    ("behaviour", "texts", "echoed"),
    [
        ("refuses", ["answered 413"] * 2, False),
        ("closes", ["closed the connection on it"] * 2, False),
        ("closes and dies", ["the connection"] * 2, False),
        ("echoes", ["answered 413"] * 2, True),
        ("ignores TRACE", ["answered 413"] * 2, False),
    ],
)
def test_very_big_body_and_trace(
    behaviour: str, texts: list[str], echoed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may close the connection on a body that is too big, as long as it lives on."""
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    shop = Guarded(behaviour)
    with world(tmp_path, shop) as tried:
        leaks = Leaks(api=tried.api, release=released(), run=tried.run, permission=tried.permission)
        replies = [each for each in leaks.hostile_writing().replies if each.kind == "a very big body"]
        assert [each.echoed for each in leaks.traces()] == [echoed, echoed]

    assert len(replies) == 2  # the sign-in, and the creation
    assert all(text in str(reply) for text, reply in zip(texts, replies, strict=True)), [*map(str, replies)]
    assert all((reply.raised is not None) == (behaviour == "closes and dies") for reply in replies)


class Guarded(Shop):
    """A shop that takes no big bodies, and does as it is told with TRACE."""

    def __init__(self, behaviour: str) -> None:
        super().__init__()
        self.behaviour = behaviour

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes | None:
        if method == "TRACE":
            echo = "".join(f"{name}: {value}\n" for name, value in headers.items()).encode()
            return response(200, echo if self.behaviour == "echoes" else b"ok")
        if len(body) > BIG / 2:
            if self.behaviour == "closes and dies":
                self.health["status"] = "down"
                self.faults.add("health 500")
            if "closes" in self.behaviour:
                raise ConnectionResetError
            return json_response(413, {"detail": "too big"})
        if method not in {"GET", "POST"} or (method == "POST" and PASSWORD.encode() not in body):
            return json_response(400, {"detail": "no"})
        return super().answer(method, target, headers, body)


def test_hostile_requests_of_a_small_release_are_not_cut() -> None:
    questions = list(reading(RELEASE, DOCUMENT))

    assert sorted(map(id, sampled(questions, 300))) == sorted(map(id, questions))
