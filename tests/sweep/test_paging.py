"""Where the next page of a list is, and what is found on the second one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.endpoint import Endpoint
from fixtures.http import Answer
from fixtures.paging import Page, following

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BASE = "https://shop.example/api"


def after(
    query: Mapping[str, object],
    body: Any,
    entries: int = 2,
    headers: tuple[tuple[str, str], ...] = (),
    **more: Any,
) -> Page | None:
    """Return the page after one that was asked for with a query."""
    listing = Endpoint.model_validate(
        {"name": "l", "method": "GET", "path": "/things", "kind": "list", **more}
    )
    answer = Answer(
        *("GET", f"{BASE}/things", 200, headers, json.dumps(body).encode(), 1.0),
        complete=True,
    )
    return following(Page("/things", query), answer, [{"id": n} for n in range(entries)], listing, BASE)


@pytest.mark.parametrize(
    ("headers", "body", "more"),
    [
        ((("Link", '</api/things?a=b>; rel="prev", </api/things?c=2>; rel="next"'),), [], {}),
        ((("link", f"<{BASE}/things?c=2>; rel=next"),), [], {}),
        ((), {"next": f"{BASE}/things?c=2"}, {}),
        ((), {"next": "?c=2"}, {}),
        ((), {"_links": {"next": {"href": "/api/things?c=2"}}}, {}),
        ((), {"meta": {"on": "/api/things?c=2"}}, {"next": "meta.on"}),
        ((), {"meta": {"cursor": 2}}, {"next": "meta.cursor", "cursor": "c"}),
    ],
)
def test_links_and_cursors_are_followed(headers: Any, body: Any, more: Any) -> None:
    found = after({}, body, headers=headers, **more)

    assert found is not None
    assert (found.path, {name: str(value) for name, value in found.query.items()}, found.promised) == (
        *("/things", {"c": "2"}),
        True,
    )


@pytest.mark.parametrize(
    ("query", "body", "entries", "expected", "promised"),
    [
        ({"page": 1}, {}, 2, {"page": 2}, False),
        ({"page": 0, "size": 2}, {"totalElements": 5}, 2, {"page": 1, "size": 2}, True),
        ({"page": 2, "per_page": 2}, {"total": 5}, 2, {"page": 3, "per_page": 2}, False),
        ({"skip": 4, "limit": 2}, {"total": 9}, 2, {"skip": 6, "limit": 2}, True),
        ({"offset": 0, "limit": 2}, {}, 2, {"offset": 2, "limit": 2}, False),
        ({"page[number]": 1}, {"meta": {"page": {"total_items": 9}}}, 2, {"page[number]": 2}, True),
        ({"page": 0}, {"page": {"totalElements": 5, "totalPages": 3}}, 2, {"page": 1}, True),
        # A total of just what a full page has may be that of the page.
        ({"page": 1, "limit": 2}, {"total": 2, "pages": 1}, 2, {"page": 2, "limit": 2}, False),
        ({"offset": 0, "limit": 2}, {"total": 2}, 2, {"offset": 2, "limit": 2}, False),
    ],
)
def test_counted_pages_go_on(
    query: dict[str, int], body: Any, entries: int, expected: dict[str, int], promised: bool
) -> None:
    found = after(query, body, entries)

    assert found is not None
    assert (found.query, found.promised) == (expected, promised)


@pytest.mark.parametrize(
    ("query", "body", "entries"),
    [
        ({}, [], 2),
        ({"page": 1}, {"next": None}, 2),
        ({"page": 1, "limit": 3}, {}, 2),
        ({"page": 2}, {"totalPages": 2}, 2),
        ({"page": 1}, {"total": 2}, 2),
        ({"skip": 0}, {"total": 2}, 2),
        ({"page": 1, "limit": 3}, {"total": 2}, 2),
        ({"offset": 2, "limit": 2}, {"total": 4}, 2),
        ({"skip": 0, "limit": 2}, {}, 0),
        ({"start": "2026-01-01"}, {}, 2),
        ({}, {"next": "a step of the process"}, 2),
    ],
)
def test_the_last_page_and_what_is_no_paging_end_there(
    query: dict[str, object], body: Any, entries: int
) -> None:
    assert after(query, body, entries) is None


def test_a_link_to_elsewhere_is_told() -> None:
    found = after({}, {"next": "http://10.0.0.7:8000/things?c=2"})

    assert found is not None
    assert found.astray == "http://10.0.0.7:8000/things?c=2"


LIST = {"name": "things", "path": "/things", "kind": "list", "list_field": "items"}


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ({"items": [{"id": 3}], "next": None}, ""),
        (
            {"items": [{"id": 1}, {"id": 2}], "next": None},
            "on its second page shows the same entries as the first",
        ),
        ({"items": [], "next": None}, "on its second page has no entries, although"),
        ((500, {"detail": "x"}), "on its second page answers 500 instead of 200"),
        ((404, {"detail": "x"}), "on its second page answers 404 instead of 200"),
    ],
)
def test_a_second_page_keeps_the_contract_too(swept: Callable[..., Any], second: Any, problem: str) -> None:
    first = {"items": [{"id": 1}, {"id": 2}], "next": "/more?c=2"}
    sweep, api = swept([LIST], {"/things": first, "/more": second})
    found = sweep.census().swept[0].problems

    assert (problem in found[0]) if problem else not found
    assert api.asked == ["/things", "/more {'c': '2'}"]


TOLD = {**LIST, "query": {"page": 1, "limit": 2}}


@pytest.mark.parametrize(
    ("more", "pages", "problem"),
    [
        ({}, [(2, [1, 2, 3])], "has 3 entries, although limit = 2 asks for no more"),
        ({}, [(9, [1, 2]), (9, [3, 4, 5])], "on its second page has 3 entries, although limit = 2"),
        (
            {},
            [(2, [1, 2]), (2, [3, 4])],
            "says that there are 2 entries in all, and its first two pages show 4",
        ),
        ({}, [(2, [1, 2]), (1, [3])], "says that there are 2 entries in all, and its first two pages show 3"),
        ({}, [(2, [1, 2]), (2, [])], ""),
        ({}, [(2, [1, 2]), (2, [1, 2])], ""),
        ({}, [(4, [1, 2]), (4, [1, 2])], "on its second page shows the same entries as the first"),
        ({}, [(2, [1, 2]), (3, [3])], ""),
        ({}, [(1, [1, 2]), (1, [3])], ""),
        ({"total": "total"}, [(1, [1, 2]), (1, [3])], "says that there are 1 entries in all"),
        ({"total": "sum"}, [(9, [1, 2])], "has no number of entries in its field sum"),
    ],
)
def test_limits_are_kept_and_totals_are_of_all_pages(
    swept: Callable[..., Any], more: Any, pages: Any, problem: str
) -> None:
    answers = iter([{"total": total, "items": [{"id": n} for n in ids]} for total, ids in pages])
    sweep, _ = swept([{**TOLD, **more}], {"/things": lambda _: next(answers, {"total": 0, "items": []})})
    found = sweep.census().swept[0].problems

    assert (problem in found[0]) if problem else not found


def test_a_size_is_no_limit_where_the_list_has_no_pages(swept: Callable[..., Any]) -> None:
    body = {"items": [{"id": n} for n in range(50)]}
    sweep, _ = swept([{**LIST, "query": {"size": 42}}], {"/things": body})

    assert sweep.census().swept[0].problems == ()


def test_a_page_that_nobody_promised_may_be_missing(swept: Callable[..., Any]) -> None:
    listing = {**LIST, "list_field": None, "query": {"page": 1}}
    del listing["list_field"]
    pages = iter([[{"id": 1}], (404, {"detail": "no such page"})])
    sweep, _ = swept([listing], {"/things": lambda _: next(pages)})

    assert sweep.census().swept[0].problems == ()


def test_timestamps_of_a_second_page_are_seen(swept: Callable[..., Any]) -> None:
    first = {"items": [{"id": 1}], "next": "/more"}
    sweep, _ = swept([LIST], {"/things": first, "/more": {"items": [{"created_at": "2026-01-01T10:00:00"}]}})

    assert "has no offset" in sweep.census().swept[0].misshapen[0]
