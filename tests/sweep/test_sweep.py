"""The sweep over invented APIs of many shapes: what it asks, and what it finds."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observation import CannotObserve, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.census import Swept
    from fixtures.sweep import Sweep

ROLES = {
    "roles": ["clerk", "boss"],
    "api_key": {},
}
KEYS = {"roles": {"clerk": {"token": "env:CLERK"}, "boss": {"token": "env:BOSS"}}}


def facts(sweep: Sweep) -> dict[str, Swept]:
    return {each.name: each for each in sweep.census().swept}


def endpoint(name: str) -> Any:
    """Return all that the sweep wants to know of an endpoint that it has asked."""
    return SimpleNamespace(name=name)


def things(*ids: Any, **more: Any) -> list[dict[str, Any]]:
    return [{"id": id_, **more} for id_ in ids]


LIST = {"name": "things", "path": "/things", "kind": "list"}
READ = {"name": "thing", "path": "/things/{id}", "kind": "read", "ids_from": "things"}


def test_paths_are_filled_with_real_ids_of_any_kind(swept: Callable[..., Any]) -> None:
    uuid = "0b7e4f9a-58a4-4d7c-9a0d-7d5d1d6f1c11"
    sweep, api = swept([LIST, READ], {"/things": things(uuid), f"/things/{uuid}": {"id": uuid}})

    assert [each.problems for each in sweep.census().swept] == [(), ()]
    assert api.asked == ["/things", f"/things/{uuid}"]


def test_ids_are_quoted_and_dotted_fields_followed(swept: Callable[..., Any]) -> None:
    read = {**READ, "id_field": "key.no"}
    listed = {**LIST, "list_field": "data.rows"}
    body = {"data": {"rows": [{"key": {"no": "A/1 ?"}}]}}
    sweep, _ = swept([listed, read], {"/things": body, "/things/A%2F1%20%3F": {"name": "x"}})

    assert facts(sweep)["thing"].problems == ()


def test_a_list_by_id_is_a_list_whose_names_fill_paths(swept: Callable[..., Any]) -> None:
    listed = {**LIST, "keyed": True, "list_field": "all"}
    table = {"/things": {"all": {"a b": {"n": 1}, "c": "text"}}, "/things/a%20b": {"n": 1}, "/things/c": {}}
    sweep, _ = swept([listed, READ], table)

    assert (facts(sweep)["things"].rows, facts(sweep)["things"].problems) == (2, ())
    assert facts(sweep)["thing"].asked == "/things/a%20b"


def test_what_lies_within_a_record_is_asked_for_within_the_same_one(swept: Callable[..., Any]) -> None:
    parts = {"name": "parts", "path": "/things/{id}/parts", "kind": "list", "ids_from": "things"}
    part = {"name": "part", "path": "/things/{id}/parts/{no}", "kind": "read", "ids_from": "parts"}
    pins = {"name": "pins", "path": "/things/{id}/parts/{no}/pins", "kind": "list", "ids_from": "part"}
    pin = {"name": "pin", "path": "/things/{id}/parts/{no}/pins/{pin}", "kind": "read", "ids_from": "pins"}
    table = {
        "/things": things("a/b"),
        "/things/a%2Fb": {"id": "a/b"},
        "/things/a%2Fb/parts": [{"no": 3}],
        "/things/a%2Fb/parts/3": {"no": 3, "id": "p3"},
        "/things/a%2Fb/parts/3/pins": things("x"),
        "/things/a%2Fb/parts/3/pins/x": {"id": "x"},
    }
    part, pins = {**part, "id_field": "no"}, {**pins, "id_field": "no"}
    sweep, _ = swept([LIST, READ, parts, part, pins, pin], table)

    assert [each.why_not or each.problems for each in sweep.census().swept] == [()] * 6
    assert {each.asked for each in sweep.census().swept} == table.keys()


@pytest.mark.parametrize("body", [[], {"all": []}, {"all": None}])
def test_what_is_no_object_by_id_is_a_finding(swept: Callable[..., Any], body: Any) -> None:
    sweep, _ = swept([{**LIST, "keyed": True, "list_field": "all"}], {"/things": body})

    assert "has no object by id in its field all" in facts(sweep)["things"].problems[0]


def test_of_ids_with_other_marks_one_of_each_kind_is_asked_for(swept: Callable[..., Any]) -> None:
    listed = things(1, 2, 3, "a/b", "ü", "x y", "c/d", "é")
    known = {f"/things/{path}": {"id": id_} for path, id_ in (("1", 1), ("a%2Fb", "a/b"), ("%C3%BC", "ü"))}
    sweep, api = swept([LIST, READ], {"/things": listed, **known})

    assert facts(sweep)["thing"].problems[0].startswith("for id 'x y' answers 404 instead of 200")
    assert api.asked[1:-1] == ["/things/1", "/things/a%2Fb", "/things/%C3%BC", "/things/x%20y"]


def test_a_list_that_may_be_empty_leaves_nothing_open(swept: Callable[..., Any]) -> None:
    sweep, _ = swept([{**LIST, "empty": "none is open"}, READ], {"/things": []})
    found = facts(sweep)["thing"].trouble

    assert facts(sweep)["things"].problems == ()
    assert found is not None
    assert (found.kind, "it is empty: none is open" in facts(sweep)["thing"].why_not) == ("Absent", True)


def test_a_list_that_may_be_empty_and_is_not_there_leaves_its_reader_open(swept: Callable[..., Any]) -> None:
    sweep, _ = swept([{**LIST, "empty": "none is open"}, READ], {"/things": (500, {})})
    found = facts(sweep)["thing"].trouble

    assert found is not None
    assert found.kind == "CannotObserve"


def test_a_schema_that_cannot_be_used_leaves_only_itself_open(swept: Callable[..., Any]) -> None:
    schema = {"properties": {"a": {"$ref": "#/$defs/Gone"}}}
    sweep, _ = swept(
        [{**LIST, "kind": "report", "schema": schema}], {"/things": {"a": 1, "at": "2026-01-26T10:00:00Z"}}
    )
    (found,) = sweep.census().swept

    assert (found.status, found.stamps, found.problems, found.trouble) == (200, 1, (), None)
    with pytest.raises(CannotObserve, match="refers to '/\\$defs/Gone', which is not there"):
        found.require_clear()


@pytest.mark.parametrize(
    ("body", "path", "id_"),
    [
        ({"data": [{"id": "7"}], "included": [], "meta": {}}, "/things/{thing_id}/x", "7"),
        (
            {"_embedded": {"things": [{"code": "T1"}]}, "_links": {}, "page": {}},
            "/things/{thing_code}/x",
            "T1",
        ),
        ([{"number": "N1", "id": 3}], "/things/{thingNumber}/x", "N1"),
    ],
)
def test_lists_in_usual_envelopes_fill_the_paths_of_operations(
    swept: Callable[..., Any], body: Any, path: str, id_: str
) -> None:
    document = served({"/things": get(), path: get()})
    table = {"/openapi.json": document, "/things": body, f"/things/{id_}/x": {}}
    sweep, _ = swept([], table, openapi="/openapi.json")

    assert facts(sweep)[f"GET {path}"].asked == f"/things/{id_}/x"


PART = {"name": "part", "path": "/parts/{id}", "kind": "read", "ids_from": "thing", "id_field": "part.id"}


def test_ids_may_stand_in_what_another_endpoint_reads(swept: Callable[..., Any]) -> None:
    read = {**READ, "object_field": "data"}
    table = {"/things": things(4), "/things/4": {"data": {"id": 4, "part": {"id": "p7"}}}}
    sweep, api = swept([LIST, read, PART], {**table, "/parts/p7": {"id": "p7"}})

    assert [each.problems for each in sweep.census().swept] == [(), (), ()]
    assert api.asked == ["/things", "/things/4", "/parts/p7"]


@pytest.mark.parametrize("stays", [False, True])
def test_what_belongs_to_a_record_may_go_with_it(stays: bool, swept: Callable[..., Any]) -> None:
    thing = {"id": 4, "part": {"id": "p7"}}
    readings = iter([(200, thing), (200 if stays else 404, thing)])
    sweep, _ = swept([LIST, READ, PART], {"/things": things(4), "/things/4": lambda _: next(readings)})

    assert ("404 instead of 200" in " ".join(facts(sweep)["part"].problems)) is stays
    assert stays or "were removed before they were read" in facts(sweep)["part"].why_not


def test_no_real_id_is_unknown_by_name_and_nothing_is_guessed(swept: Callable[..., Any]) -> None:
    sweep, api = swept([LIST, READ], {"/things": []})

    assert "no real id" in facts(sweep)["thing"].why_not
    assert "/things/{id}" in facts(sweep)["thing"].why_not
    assert api.asked == ["/things"]


def test_where_a_list_is_empty_a_record_of_the_run_can_be_read_instead(swept: Callable[..., Any]) -> None:
    create = {"name": "add", "method": "POST", "path": "/things", "kind": "create", "status": 201}
    own = {"create": "add", "read": "thing", "body": {"notes": "{mark}"}, "mark_field": "notes"}
    own |= {"undo": "none", "residue": "a thing"}
    sweep, _ = swept([LIST, READ, create], {"/things": []}, records={"part": own})

    trouble = facts(sweep)["thing"].trouble
    assert trouble is not None
    assert "leave ids_from out, and one that is made as records.part is read" in trouble.texts[2]


def test_records_of_a_run_are_taken_last(swept: Callable[..., Any]) -> None:
    own = {"id": 9, "notes": "gonogo-20261122T191500Z-3fa9"}
    sweep, _ = swept([LIST, READ], {"/things": [own, {"id": 4}], "/things/4": {"id": 4}})

    assert facts(sweep)["thing"].asked == "/things/4"


def test_a_record_removed_after_it_was_listed_is_no_finding(swept: Callable[..., Any]) -> None:
    listings = iter([things(1, 2), things(2)])
    table = {"/things": lambda _: next(listings), "/things/2": {"id": 2}}
    sweep, _ = swept([LIST, READ], table)

    assert facts(sweep)["thing"].problems == ()
    assert facts(sweep)["thing"].asked == "/things/2"


def test_a_record_that_is_still_listed_and_not_found_is_one(swept: Callable[..., Any]) -> None:
    sweep, _ = swept([LIST, READ], {"/things": things(1, 2), "/things/2": {"id": 2}})

    assert "answers 404 instead of 200" in facts(sweep)["thing"].problems[0]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"id": 2}, "shows another record: id is 2, and 1 was asked for"),
        ({"detail": "x"}, ""),
        ({"id": 1, "status": "failed", "error": "disk full"}, ""),
        ({"order": 1, "status": "failed"}, ""),
        ({"id": 5, "self": "/things/1"}, ""),
        ({"error": "no connection"}, "carries an error: error is 'no connection'"),
        ({"success": False, "data": None}, "carries an error: success is false"),
        (b"<html>", "is text/html instead of application/json"),
    ],
)
def test_a_record_may_have_a_status_of_its_own_but_has_to_be_itself(
    swept: Callable[..., Any], body: Any, problem: str
) -> None:
    sweep, _ = swept([LIST, READ], {"/things": things(1), "/things/1": body})
    found = facts(sweep)["thing"].problems

    assert (problem in found[0]) if problem else not found


@pytest.mark.parametrize(
    ("endpoint", "made", "problem"),
    [
        ({}, (500, {"detail": "x"}), "answers 500 instead of 200"),
        ({}, (302, {}), "answers 302 instead of 200"),
        ({"kind": "list"}, {"items": []}, "has no list as its body"),
        ({"kind": "list", "list_field": "items"}, [], "has no list in its field items"),
        ({"kind": "list"}, {"error": "x"}, "carries an error"),
        ({"object_field": "data"}, {"data": []}, "has no object in its field data"),
        ({"content_type": ""}, {"a": 1}, "has a body"),
        ({"schema": {"required": ["a"]}}, {}, "breaks its schema at $: 'a' is a required property"),
    ],
)  # fmt: skip
def test_what_breaks_a_contract_is_told(
    swept: Callable[..., Any], endpoint: dict[str, Any], made: Any, problem: str
) -> None:
    sweep, _ = swept([{"path": "/x", **endpoint}], {"/x": made})

    assert problem in facts(sweep)["e0"].problems[0]


def test_no_answer_and_our_own_troubles_are_kept_apart(swept: Callable[..., Any]) -> None:
    table = {"/a": NoAnswer("api", "/a", "reset"), "/b": CannotObserve("GET /b", "no route")}
    sweep, _ = swept([{"path": "/a"}, {"path": "/b"}], table)
    kinds = [each.trouble.kind for each in sweep.census().swept if each.trouble]

    assert kinds == ["NoAnswer", "CannotObserve"]


def test_a_silent_target_is_not_asked_ten_thousand_times(swept: Callable[..., Any]) -> None:
    endpoints = [{"path": f"/{n}"} for n in range(200)]
    silent = {f"/{n}": NoAnswer("api", "x", "timed out") for n in range(200)}
    sweep, api = swept(endpoints, silent)
    last = sweep.census().swept[-1]

    assert len(api.asked) == 20
    assert "20 endpoints in a row had no answer" in last.why_not


def test_a_sweep_beyond_the_budget_says_how_many_it_needs(swept: Callable[..., Any]) -> None:
    endpoints = [{"path": f"/{n}"} for n in range(30)]
    sweep, api = swept(endpoints, {}, environment={"rate": {"budget": 10}})

    with pytest.raises(
        CannotObserve, match="it needs 30 requests, and 10 of the run's budget of 10 are left"
    ):
        sweep.census()
    assert api.asked == []


def test_a_sweep_beyond_the_targets_own_limit_says_so(swept: Callable[..., Any]) -> None:
    endpoints = [{"path": f"/{n}"} for n in range(30)]
    sweep, _ = swept(endpoints, {}, environment={"rate": {"requests_per_minute": 20}})

    with pytest.raises(CannotObserve, match="it needs 30 requests, and the target allows 20 a minute"):
        sweep.census()


def test_bodies_leave_nothing_behind(swept: Callable[..., Any], run: Any) -> None:
    sweep, _ = swept([{"path": "/x", "kind": "list"}], {"/x": [{"secret_word": "y" * 50}] * 2000})
    sweep.census()
    left = sum(file.stat().st_size for file in run.scratch.iterdir())

    assert left < 3000
    assert sweep.census().swept[0].rows == 2000


def test_timestamps_are_found_with_endpoint_and_path(swept: Callable[..., Any]) -> None:
    body = {
        "rows": [
            {"at": "2026-01-26T10:00:00+07:00"},
            {"at": "2026-01-26T10:00:00Z"},
            {"at": "2026-01-26T10:00:00"},
        ]
    }
    sweep, _ = swept([{"path": "/x"}], {"/x": body}, timestamps={"zone": "Asia/Jakarta"})
    fact = facts(sweep)["e0"]

    assert fact.stamps == 3
    assert fact.misshapen == ("$.rows[2].at = '2026-01-26T10:00:00' has no offset",)
    assert fact.elsewhere[0].startswith("$.rows[1].at = '2026-01-26T10:00:00Z' has the offset +00:00")


# ---------------------------------------------------------------- with an OpenAPI document


def served(paths: dict[str, Any], version: str = "3.1.0") -> dict[str, Any]:
    return {"openapi": version, "paths": paths}


def get(schema: dict[str, Any] | None = None, kind: str = "application/json", **more: Any) -> dict[str, Any]:
    content = {"content": {kind: {"schema": schema or {}}}}
    return {"get": {"responses": {"200": {"description": "", **content}}, **more}}


def test_operations_outside_the_contract_are_swept_too(swept: Callable[..., Any]) -> None:
    document = served(
        {
            "/things": get(),
            "/things/{thing_id}": get({"required": ["name"]}),
            "/things/{thing_id}/parts": get(),
            "/things/{thing_id}/parts/{sku}": get(),
            "/lonely/{id}": get(),
            "/search": get(parameters=[{"name": "q", "in": "query", "required": True}]),
            "/auth/logout": get(),
            "/events": get(kind="text/event-stream"),
            "/broken": get(),
        }
    )
    table = {
        "/openapi.json": document,
        "/things": {"results": things(7)},
        "/things/7": {"id": 7},
        "/things/7/parts": [{"sku": "s1"}],
        "/things/7/parts/s1": {},
        "/broken": (503, {"detail": "x"}),
    }
    sweep, api = swept([], table, openapi="/openapi.json")
    found = facts(sweep)

    assert "breaks its schema at $: 'name' is a required" in found["GET /things/{thing_id}"].problems[0]
    assert found["GET /things/{thing_id}/parts/{sku}"].asked == "/things/7/parts/s1"
    assert "no list at /lonely gives a real id" in found["GET /lonely/{id}"].why_not
    assert "no value for its query parameter q" in found["GET /search"].why_not
    assert "it ends a session" in found["GET /auth/logout"].why_not
    assert "stream without an end" in found["GET /events"].why_not
    assert "answers 503, the document promises 200" in found["GET /broken"].problems[0]
    assert not {"/auth/logout", "/events", "/search"} & set(api.asked)


def test_an_operation_of_the_contract_is_asked_once_and_judged_by_the_documents_schema(
    swept: Callable[..., Any],
) -> None:
    document = served({"/things": get({"type": "array"}), "/things/{thing_id}": get({"required": ["name"]})})
    table = {"/openapi.json": document, "/things": things(1), "/things/1": {"id": 1}}
    sweep, api = swept([LIST, READ], table, openapi="/openapi.json")

    assert facts(sweep).keys() == {"things", "thing"}
    assert "'name' is a required property" in facts(sweep)["thing"].problems[0]
    assert api.asked == ["/openapi.json", "/things", "/things/1"]


def test_who_may_ask_is_found_out_and_nobody_is_unknown(swept: Callable[..., Any]) -> None:
    document = served({"/a": get(), "/b": get()})

    def only_boss(role: str | None) -> Any:
        return {} if role == "boss" else (403, {})

    table = {"/openapi.json": document, "/a": only_boss, "/b": (403, {})}
    sweep, _ = swept([], table, openapi="/openapi.json", environment=KEYS, **ROLES)

    assert facts(sweep)["GET /a"].role == "boss"
    assert facts(sweep)["GET /a"].status == 200
    assert "answered 403" in facts(sweep)["GET /b"].why_not


def test_a_redirect_is_no_success_unless_the_document_says_so(swept: Callable[..., Any]) -> None:
    operation = get()
    operation["get"]["responses"]["default"] = {"description": "Problem"}
    table: dict[str, Any] = {"/openapi.json": served({"/a": operation}), "/a": (302, {})}
    sweep, _ = swept([], table, openapi="/openapi.json")

    assert "answers 302, the document promises 200" in facts(sweep)["GET /a"].problems[0]


def test_path_values_serve_operations_below_a_tenant(swept: Callable[..., Any]) -> None:
    values = {"tenant": "{sentinel:tenant}"}
    listed = {**LIST, "path": "/t/{tenant}/things", "path_values": values}
    read = {**READ, "path": "/t/{tenant}/things/{thing}", "path_values": values}
    paths = ("/t/{t}/limits", "/t/{t}/things/{thing}/log", "/t/{t}/parts", "/t/{t}/parts/{part}", "/u/{t}/x")
    table = {
        "/openapi.json": served({path: get() for path in paths}),
        "/t/a%20b/things": things("no1"),
        "/t/a%20b/things/no1": {"id": "no1"},
        "/t/a%20b/parts": things("p1"),
        "/t/a%20b/limits": {},
        "/t/a%20b/things/no1/log": {},
        "/t/a%20b/parts/p1": {},
    }
    here = {"sentinels": {"tenant": "a b"}}
    sweep, _ = swept([listed, read], table, openapi="/openapi.json", environment=here)
    found = facts(sweep)

    assert [found[f"GET {path}"].asked for path in paths] == [
        "/t/a%20b/limits",
        "/t/a%20b/things/no1/log",
        "/t/a%20b/parts",
        "/t/a%20b/parts/p1",
        "",
    ]
    assert "no list at /u gives a real id for {t}" in found["GET /u/{t}/x"].why_not


def test_ids_of_the_contract_serve_operations_below_them(swept: Callable[..., Any]) -> None:
    read = {**READ, "path": "/tasks/{id}", "id_field": "task"}
    document = served({"/tasks/{task_id}/history": get()})
    table = {
        "/openapi.json": document,
        "/things": [{"task": 3}],
        "/tasks/3": {"id": 3},
        "/tasks/3/history": {},
    }
    sweep, _ = swept([LIST, read], table, openapi="/openapi.json")

    assert facts(sweep)["GET /tasks/{task_id}/history"].asked == "/tasks/3/history"


def test_a_document_that_cannot_be_read_is_told_and_the_contract_is_swept_all_the_same(
    swept: Callable[..., Any],
) -> None:
    sweep, _ = swept([{"path": "/x"}], {"/openapi.json": b"<html>", "/x": {}}, openapi="/openapi.json")
    census = sweep.census()

    assert "text/html" in census.document
    assert census.swept[0].problems == ()


def test_without_a_document_there_is_only_the_contract(swept: Callable[..., Any]) -> None:
    sweep, _ = swept([{"path": "/x"}], {"/x": {}})
    census = sweep.census()

    assert (census.document, census.missing, len(census.swept)) == ("", (), 1)


def test_a_long_sweep_says_how_far_it_is(swept: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.sweep.PROGRESS_S", 0.0)
    monkeypatch.setattr("fixtures.underway.LOOK_S", 0.001)
    told: list[str] = []

    def answered_when_told(_: object) -> dict[str, Any]:
        deadline = time.monotonic() + 10
        while not any("2 of 3" in line for line in told) and time.monotonic() < deadline:
            time.sleep(0.001)
        return {}

    table = {"/0": {}, "/1": {}, "/2": answered_when_told}
    sweep, _ = swept([{"path": path} for path in table], table, told=told)
    sweep.census()

    assert any(line.startswith("contract sweep: 2 of 3 endpoints after ") for line in told)


def test_an_endpoint_is_judged_while_others_are_still_asked(swept: Callable[..., Any]) -> None:
    judged = threading.Event()
    table = {"/0": {}, "/1": lambda _: {"waited": judged.wait(10)}}
    sweep, api = swept([{"path": path, "schema": {"required": ["waited"]}} for path in table], table)

    assert "'waited' is a required property" in sweep.of(endpoint("e0")).problems[0]
    judged.set()
    assert sweep.of(endpoint("e1")).problems == ()
    assert [each.name for each in sweep.census().swept] == ["e0", "e1"]
    assert api.asked == ["/0", "/1"]


def test_nothing_more_is_asked_when_the_run_ends(swept: Callable[..., Any]) -> None:
    asking, ending = threading.Event(), threading.Event()

    def answered_at_the_end(_: object) -> dict[str, Any]:
        asking.set()
        ending.wait(10)
        return {}

    sweep, api = swept([{"path": "/0"}, {"path": "/1"}], {"/0": answered_at_the_end, "/1": {}})
    waiting = threading.Thread(target=sweep.census)
    waiting.start()
    asking.wait(10)
    threading.Timer(0.05, ending.set).start()
    sweep.end()
    waiting.join()

    assert sweep.of(endpoint("e0")).problems == ()
    assert "not sent: the run has ended" in sweep.of(endpoint("e1")).why_not
    assert api.asked == ["/0"]


def test_what_stops_the_sweep_stops_every_endpoint(swept: Callable[..., Any]) -> None:
    sweep, _ = swept([{"path": "/0"}, {"path": "/1"}], {}, environment={"rate": {"budget": 1}})

    for name in ("e0", "e1"):
        with pytest.raises(CannotObserve, match="it needs 2 requests"):
            sweep.of(endpoint(name))
