"""Which paths a release gives up, and what is a sign of life on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.http import Answer
from fixtures.old_paths import OldPath, entries_of, is_current, is_requested, old_paths
from fixtures.paths import Try, alive, is_alike, unseen
from fixtures.release import Release, load
from fixtures.run import Raised

PROJECT = Path(__file__).parents[2]
BASE = {"version": "1", "health": {"path": "/health", "text": "ok"}, "roles": ["clerk"], "api_key": {}}


def release(*endpoints: dict[str, Any], **parts: Any) -> Release:
    whole = [{"kind": "list", "method": "GET", "role": "clerk", **endpoint} for endpoint in endpoints]
    return Release.model_validate({**BASE, "endpoints": whole, **parts})


def test_release_of_the_guide() -> None:
    found = {old.path: old for old in old_paths(load(PROJECT / "fixtures/releases/1.0.0.toml"))}
    cards = "/api/v1/kanban/cards"

    steps = {f"{cards}/{{id}}/{step}" for step in ("approve", "reject", "ship", "receive")}
    assert {f"{cards}/all", "/api/v1/kanban"} | steps <= found.keys()
    assert found[f"{cards}/all"].methods == ("GET",)
    assert found[f"{cards}/{{id}}/approve"].entries == "list_cards"
    assert found["/api/v1/kanban"].covers


def test_release_that_moves_nothing_has_none() -> None:
    assert old_paths(release({"name": "a", "path": "/a"})) == ()


@pytest.mark.parametrize(
    ("status", "never", "is_like_never", "masked"),
    [
        (401, 401, False, True),
        (400, 400, True, True),
        (422, 422, False, False),
        (400, 404, True, False),
        (404, 404, True, False),
    ],
)
def test_what_every_path_asks_for_says_nothing_about_one(
    status: int, never: int, is_like_never: bool, masked: bool
) -> None:
    tried = Try("/old", "POST", "", "own", status=status, never=never, is_like_never=is_like_never)

    assert tried.is_masked is masked
    assert tried.shows_life is (not masked and status != 404)


def test_methods_of_one_path_are_collected() -> None:
    moved = {"change": "moved", "moved_from": "/old", "path": "/new"}
    found = old_paths(
        release({"name": "a", **moved}, {"name": "b", **moved, "method": "POST", "kind": "create"})
    )

    assert [old.methods for old in found] == [("GET", "POST")]


def test_status_below_a_gone_prefix_is_the_prefixs() -> None:
    removed = {"name": "a", "path": "/v1/a", "change": "removed"}
    found = old_paths(release(removed, gone=["/v1"], gone_status=410))
    said = old_paths(release({**removed, "gone_status": 404}, gone=["/v1"], gone_status=410))

    assert {old.status for old in found} == {410}
    assert next(old.status for old in said if old.path == "/v1/a") == 404


@pytest.mark.parametrize(
    ("prefix", "path", "former"),
    [
        ("/api/kanban", "/api/ppic/kanban/cards", "/api/kanban/cards"),
        ("/api/v1", "/api/v2/orders/{id}", "/api/v1/orders/{id}"),
        ("/api/v1", "/orders", "/api/v1/orders"),
        ("/api/kanban", "/api/warehouse/bom", None),
        ("/api/v1", "/api/v1/orders", None),
    ],
)
def test_what_was_below_a_gone_prefix(prefix: str, path: str, former: str | None) -> None:
    parts: dict[str, Any] = {"path_values": {"id": 1}} if "{id}" in path else {}
    found = {old.path for old in old_paths(release({"name": "a", "path": path, **parts}, gone=[prefix]))}

    assert found == {prefix} | ({former} if former else set())


def test_endpoint_that_took_an_old_path_over_is_current() -> None:
    it = release({"name": "a", "path": "/orders/{id}", "kind": "read", "path_values": {"id": "7"}})

    assert is_current(it, "GET", "/orders/7")
    assert not is_current(it, "DELETE", "/orders/7")
    assert not is_current(it, "GET", "/orders/7/lines")


@pytest.mark.parametrize(
    ("old", "path", "requested"),
    [
        (OldPath("/k/{id}/approve", (), 404, ""), "/k/7/approve", True),
        (OldPath("/k/{id}/approve", (), 404, ""), "/k/7/approve/", True),
        (OldPath("/k/{id}/approve", (), 404, ""), "/p/k/7/approve", False),
        (OldPath("/k/all", (), 404, ""), "/k/all/more", False),
        (OldPath("/k", (), 404, "", covers=True), "/k/all/more", True),
        (OldPath("/k", (), 404, "", covers=True), "/kind", False),
    ],
)
def test_requests_for_old_paths(old: OldPath, path: str, requested: bool) -> None:
    assert is_requested(old, path) is requested


def test_list_of_a_placeholder_is_the_one_above_it() -> None:
    it = release(
        {"name": "boards", "path": "/boards"},
        {"name": "cards", "path": "/boards/cards/all"},
        {"name": "ship", "path": "/boards/cards/{id}/ship", "method": "POST", "kind": "action"},
    )

    assert entries_of(it, it.endpoint("ship")) == "cards"


# ---------------------------------------------------------------- signs of life

OLD = OldPath("/k/{id}", ("POST",), 404, "moved")


def tried(**parts: Any) -> Try:
    whole = {"path": "/k/{id}", "method": "POST", "who": "", "id": "real", "status": 404, "never": 404}
    return Try(**{**whole, **parts})


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 405, 410, 422, 500])
def test_every_other_status_is_a_sign_of_life(status: int) -> None:
    assert alive(OLD, [tried(status=status)]) == [f"POST /k/{{id}} without a token answers {status}"]


@pytest.mark.parametrize("status", [401, 403, 405])
def test_what_every_path_answers_says_nothing(status: int) -> None:
    masked = tried(status=status, never=status)

    assert not alive(OLD, [masked])
    assert unseen(OLD, [masked])
    assert not unseen(OLD, [masked, tried(who="clerk")])


def test_page_for_every_path_is_no_excuse() -> None:
    assert alive(OLD, [tried(status=200, never=200)])


def test_neutral_id_proves_nothing_where_the_body_is_another() -> None:
    assert unseen(OLD, [tried(id="neutral", is_like_never=False)])
    assert not unseen(OLD, [tried(id="neutral", is_like_never=True)])
    assert not unseen(OLD, [tried(id="real", is_like_never=False)])


def test_a_declared_parent_that_never_was_a_path_may_not_be_found() -> None:
    parent = replace(OLD, status=410, covers=True)

    assert not alive(parent, [tried(status=404), tried(status=410)])
    assert alive(parent, [tried(status=200)])
    assert alive(replace(OLD, status=410), [tried(status=404)])


def test_target_that_breaks_on_an_old_path_is_alive() -> None:
    silent = tried(status=0, raised=Raised("NoAnswer", ("api", "https://a", "did not answer within 5 s")))
    refused = tried(status=0, raised=Raised("CannotObserve", ("POST", "no writes here", "")))

    assert alive(OLD, [silent]) == ["POST /k/{id} without a token did not answer within 5 s"]
    assert unseen(OLD, [refused]) == ["POST /k/{id} without a token: no writes here"]
    assert not alive(OLD, [refused])


def answer(path: str, body: str, status: int = 404) -> Answer:
    kind = "application/json" if body.startswith("{") else "text/html"
    return Answer(
        "GET",
        f"https://a{path}",
        status,
        (("Content-Type", kind),),
        body.encode(),
        elapsed_ms=1,
        complete=True,
    )


@pytest.mark.parametrize(
    ("body", "never", "alike"),
    [
        ('{"detail":"Nothing here"}', '{"detail":"Nothing here"}', True),
        ('{"detail":"No such card"}', '{"detail":"Nothing here"}', False),
        ('{"path":"PATH","request":"r-PATH"}', '{"path":"PATH","request":"r-PATH"}', True),
        ('{"path":"PATH","at":"12:03"}', '{"path":"PATH","at":"12:0TIME"}', True),
        ('{"path":"PATH","hint":"moved"}', '{"path":"PATH"}', False),
        ("<h1>PATH not found</h1>", "<h1>PATH not found</h1>", True),
        ("<h1>No such card</h1>", "<h1>PATH not found</h1>", False),
    ],
)
def test_likeness_to_a_path_that_never_existed(body: str, never: str, alike: bool) -> None:
    texts = {time: never.replace("PATH", f"/gonogo-{time}").replace("TIME", time) for time in "12"}
    one, two = (answer(f"/gonogo-{time}", text) for time, text in texts.items())
    asked = answer("/k/1", body.replace("PATH", "/k/1"))

    assert is_alike(asked, (one, two)) is alike
