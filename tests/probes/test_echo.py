"""What comes back as it was sent, what does not, and changes of the run's own records."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from checks.validation import test_contract as contract
from fixtures.census import Swept
from fixtures.echo import altered, same, stored_otherwise, without_effect
from fixtures.observation import CannotObserve
from tests.probes.shop import PASSWORD, RELEASE, Shop, released, world

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.release import Release
    from tests.probes.shop import World

UUID = "6F1C0E0A-1111-4222-8333-444455556666"
CHANGE: dict[str, Any] = {
    "name": "change",
    "method": "PATCH",
    "path": "/orders/{id}",
    "kind": "update",
    "role": "clerk",
    "body": {"shelf": "B2"},
}


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (1, 1.0),
        (1, "1.00"),
        ("10.50", 10.5),
        (0.1, "0.10000000000000001"),
        (True, 1),
        (False, "false"),
        (" trimmed ", "trimmed"),
        (UUID, UUID.lower()),
        ("Gonogo-T1Z@Example.org", "gonogo-t1z@example.org"),
        ("2026-11-22T10:00:00Z", "2026-11-22T17:00:00+07:00"),
        ("2026-11-22T10:00:00.123Z", "2026-11-22T10:00:00+00:00"),
        ("2026-11-22", "2026-11-22T00:00:00+07:00"),
        (None, None),
    ],
)
def test_another_way_to_write_a_value_is_the_same(sent: object, shown: object) -> None:
    assert same(sent, shown)
    assert same(shown, sent)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (3, 0),
        (3, None),
        ("007", "7"),
        (True, False),
        (10, "ten"),
        ("North", "north"),
        (UUID, UUID.replace("A", "B")),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00+07:00"),
        ("2026-11-22", "2026-11-23"),
        ("text", ""),
    ],
)
def test_another_value_is_not(sent: object, shown: object) -> None:
    assert not same(sent, shown)
    assert not same(shown, sent)


LINES = [{"sku": "A", "qty": 1, "api_key": "x"}, {"sku": "B", "qty": 2}]


@pytest.mark.parametrize(
    ("sent", "shown", "wrong"),
    [
        (["a", "b"], ["b", "a", "c"], ""),
        ([1], ["1.0"], ""),
        ([], None, ""),
        (["red"], [{"id": 7, "name": "red"}], ""),
        ([{"id": 7}], [7], ""),
        (LINES, [{"sku": "B", "qty": 2, "no": 1}, {"sku": "A", "qty": 1, "api_key": "y"}], ""),
        (["a", "b"], [], "field has 0 entries, sent were 2"),
        (["a"], None, "field has 0 entries, sent were 1"),
        (["a", "a"], ["a", "b"], "field lacks its entry 1 as it was sent"),
        (
            LINES[:1],
            [{"sku": "A", "qty": 0, "api_key": "y"}],
            "field lacks its entry 0: qty is 0, sent was 1",
        ),
    ],
)
def test_entries_of_a_list_come_back(sent: list[Any], shown: object, wrong: str) -> None:
    assert altered({"field": sent}, {"field": shown}) == ([wrong] if wrong else [])
    assert altered({"field": sent}, {"field": shown}, ["field", "field.qty"]) == []


@pytest.mark.parametrize(
    ("effect", "before", "after", "wrong"),
    [
        ({"at": "{changed}"}, {"at": None}, {"at": 7}, []),
        ({"at": "{changed}"}, {}, {"at": 7}, []),
        ({"at": "{changed}"}, {"at": 7}, {"at": None}, []),
        ({"at": "{changed}"}, {"at": 7}, {"at": 7}, ["at is still 7"]),
        ({"at": "{changed}"}, {}, {"at": None}, ["at is still None"]),
        ({"at": "{changed}"}, {}, {}, ["at is still missing"]),
        ({"a.b": "off"}, {"a": {"b": "on"}}, {"a": {"b": "off"}}, []),
        ({"a.b": "off"}, {"a": {"b": "on"}}, {"a": {}}, ["a.b is missing instead of 'off'"]),
    ],
)
def test_an_effect_is_seen(effect: Any, before: Any, after: Any, wrong: list[str]) -> None:
    assert without_effect(effect, before, after) == wrong


def test_a_field_within_the_entries_may_be_passed_over() -> None:
    assert altered({"l": LINES[:1]}, {"l": [{"sku": "A", "qty": 0}]}, ["l.qty"]) == []
    assert altered({"l": LINES[:1]}, {"l": [{"sku": "C", "qty": 0}]}, ["l.qty"]) != []


def test_what_is_of_another_name_or_shape_is_not_compared_and_no_secrets() -> None:
    sent = {
        "copies": 3,
        "at": {"row": 1, "bin": 2},
        "tags": ["a"],
        "lines": "none",
        "author": 7,
        "api_key": "x",
        "slug": "A b",
    }
    shown = {
        "copies": 0,
        "at": {"row": 1, "bin": 9},
        "tags": "a",
        "lines": [],
        "author": {},
        "api_key": "y",
        "slug": "a-b",
    }

    assert altered(sent, shown, ["slug"]) == ["copies is 0, sent was 3", "at.bin is 9, sent was 2"]


def shop_release(**record: Any) -> Release:
    """Return the shop's release with an update; its record differs as given."""
    record = {"updates": ["change"], **record}
    return released(
        endpoints=[*RELEASE["endpoints"], CHANGE],
        records={"order": {**RELEASE["records"]["order"], **record}},
    )


@pytest.mark.parametrize(("product", "ignored", "wrong"), [(1, [], 2), (9001, [], 0), (1, ["product"], 0)])
def test_record_that_was_stored_otherwise(
    product: int, ignored: list[str], wrong: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.probes.shop.PRODUCT", product)
    release = shop_release(not_echoed=ignored)
    with world(tmp_path, Shop(), release=release) as tried:
        own, life = release.records["order"], tried.records.life("order")

    assert len(stored_otherwise(own, life, release)) == wrong


def judge(tried: World, release: Release) -> None:
    """Judge the change of the shop's order; the contract of the answer is not asked about here."""
    sweep = SimpleNamespace(judged=lambda *_: Swept("shelve", "PATCH", "/orders/{id}"))
    changed = release.records["order"], tried.records.life("order")
    contract.judge_change(release.endpoint("change"), changed, release, cast("Any", sweep))


def test_change_is_seen_and_leaves_nothing(tmp_path: Path) -> None:
    release = shop_release()
    with world(tmp_path, Shop(), release=release) as tried:
        judge(tried, release)

        assert tried.shop.orders == {}
        assert tried.shop.asked.count("PATCH /orders/1") == 1


def test_change_that_changes_nothing_is_wrong(tmp_path: Path) -> None:
    release = shop_release()
    with (
        world(tmp_path, Shop(faults={"change 200 changes nothing"}), release=release) as tried,
        pytest.raises(AssertionError, match=r"afterwards shelf is 'A1', sent was 'B2'"),
    ):
        judge(tried, release)


@pytest.mark.parametrize("body", [{"shelf": "A1"}, {"colour": "red"}])
def test_change_that_cannot_be_seen_is_unknown(body: dict[str, object], tmp_path: Path) -> None:
    release = released(
        endpoints=[*RELEASE["endpoints"], {**CHANGE, "body": body}],
        records={"order": {**RELEASE["records"]["order"], "updates": ["change"]}},
    )
    with (
        world(tmp_path, Shop(), release=release) as tried,
        pytest.raises(CannotObserve, match="nothing that it was sent differs"),
    ):
        judge(tried, release)


def test_change_of_nothing_is_unknown(tmp_path: Path) -> None:
    release = shop_release()
    with (
        world(tmp_path, Shop(faults={"create refuses"}), release=release) as tried,
        pytest.raises(CannotObserve, match="no record that could be changed"),
    ):
        judge(tried, release)


def try_all(release: Release) -> None:
    measured = cast("Any", lambda *_, **__: None)
    exhibits = SimpleNamespace(table=lambda *_: None)
    contract.test_every_writing_endpoint_is_tried(release, measured, cast("Any", exhibits))


def test_endpoint_that_nothing_tries_is_unknown_by_name() -> None:
    endpoints = [*RELEASE["endpoints"], CHANGE]

    with pytest.raises(CannotObserve, match=r"PATCH /orders/\{id\} \(change\)"):
        try_all(released(endpoints=endpoints))
    try_all(shop_release())
    try_all(released(endpoints=[*RELEASE["endpoints"], {**CHANGE, "untried": "it prints a letter"}]))


def test_flow_counts_only_where_the_whole_release_has_it() -> None:
    names = ("approve_task", "start_task", "complete_task")
    actions = [{"name": name, "method": "POST", "path": f"/tasks/{name}", "kind": "action"} for name in names]

    assert set(names) <= set(contract.tried_by(released(endpoints=[*RELEASE["endpoints"], *actions])))
    assert not set(names) & set(contract.tried_by(released(endpoints=[*RELEASE["endpoints"], *actions[:2]])))


def test_a_removal_that_is_not_asked_for_is_not_tried() -> None:
    order = {**RELEASE["records"]["order"], "undo": "none", "residue": "an order"}

    assert "delete" in contract.tried_by(released())
    assert "delete" not in contract.tried_by(released(records={"order": order}))
