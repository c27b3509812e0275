"""The life of a record of the run's own on systems that break in the middle of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fixtures.ledger import Ledger
from fixtures.observation import CannotObserve, NoAnswer
from fixtures.run import Raised
from tests.probes.shop import PASSWORD, RELEASE, Shop, released, world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.probes.shop import World

OTHER = "20261122T180000Z-0000"
"""A run that began long ago."""


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)


def open_entries(tried: World) -> int:
    """Return how many records the run's ledger leaves to the next run."""
    tried.ledger.close()
    with Ledger(tried.folder / "ledger", "another").replaying() as (dead, _live):
        return sum(len(ledger.entries()) for ledger in dead)


def test_whole_life_is_observed_once_and_leaves_nothing(tmp_path: Path) -> None:
    shop = Shop()
    shop.add("somebody's order")
    with world(tmp_path, shop) as first, world(tmp_path, shop, url=first.server.url) as second:
        life = first.records.life("order")
        assert second.records.life("order") == life
        assert shop.asked.count("POST /orders") == 1

        assert (life.created.status, life.id) == (201, "2")
        assert life.step("read").json() == {"id": 2, "product": 9001, "notes": life.mark, "shelf": "A1"}
        assert life.listing().shown
        assert life.listing().id == "2"
        assert life.step("removed").status == 204
        assert life.step("after").status == 404
        assert life.left == ""
        assert list(shop.orders) == [1]
        with pytest.raises(CannotObserve, match=r"declares no \[database\]"):
            life.rows("rows_after_create")
        assert open_entries(first) == 0


@pytest.mark.parametrize(
    ("fault", "status", "made"),
    [("create 500 commits", 500, True), ("create 500", 500, False), ("create refuses", 400, False)],
)
def test_failed_creation_is_looked_for_by_its_mark(
    fault: str, status: int, made: bool, tmp_path: Path
) -> None:
    shop = Shop(faults={fault})
    with world(tmp_path, shop) as tried:
        life = tried.records.life("order")
        assert life.created.status == status
        assert life.listing().shown is made
        assert (life.id is not None) is made
        assert shop.orders == {}
        # A server error may still be committed later: the next run looks again.
        assert open_entries(tried) == (fault == "create 500")


def test_record_whose_mark_is_not_shown_is_known_by_its_id(tmp_path: Path) -> None:
    shop = Shop(faults={"marks are not shown"})
    shop.add("of somebody else")
    with world(tmp_path, shop) as tried:
        life = tried.records.life("order")
        assert (life.listing().shown, life.left, life.proof) == (True, "", "reading it answers 404")
        assert not life.listing_after().shown
        assert len(shop.orders) == 1


@pytest.mark.parametrize(("fault", "left"), [("create refuses", ""), ("create 500", "not known whether")])
def test_whether_a_record_without_a_mark_was_made_is_not_known(fault: str, left: str, tmp_path: Path) -> None:
    shop = Shop(faults={"marks are not shown", fault})
    shop.add("of somebody else")
    with world(tmp_path, shop) as tried:
        life = tried.records.life("order")
        with pytest.raises(CannotObserve, match="the entries of list show no notes"):
            life.step("removed")
        assert left in life.left
        assert bool(life.left) is bool(left)
        assert open_entries(tried) == 1


def test_id_is_found_in_the_object_of_a_creation(tmp_path: Path) -> None:
    create = {
        **next(each for each in RELEASE["endpoints"] if each["name"] == "create"),
        "object_field": "data",
    }
    endpoints = [create if each["name"] == "create" else each for each in RELEASE["endpoints"]]
    with world(tmp_path, Shop(faults={"create wraps"}), release=released(endpoints=endpoints)) as tried:
        assert tried.records.life("order").told_id


def test_creation_that_hangs_and_commits_is_removed(tmp_path: Path) -> None:
    shop = Shop(faults={"create hangs and commits"})
    with world(tmp_path, shop) as tried:
        with pytest.raises(NoAnswer, match="committed all the same, and was removed"):
            tried.records.life("order")
        assert shop.orders == {}
        assert open_entries(tried) == 0


def test_creation_without_id_is_found_by_its_mark(tmp_path: Path) -> None:
    with world(tmp_path, Shop(faults={"create without id"})) as tried:
        life = tried.records.life("order")
        assert (life.id, life.left) == ("1", "")
        assert life.step("read").status == 200
        assert tried.shop.orders == {}


def test_creation_that_persists_nothing(tmp_path: Path) -> None:
    with world(tmp_path, Shop(faults={"create 201 persists nothing"})) as tried:
        life = tried.records.life("order")
        assert life.created.status == 201
        assert life.step("read").status == 404
        assert not life.listing().shown
        assert life.listing().whole
        assert life.left == ""


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        ("delete 500", "reading it still answers 200; its removal answered 500"),
        ("delete 204 removes nothing", "reading it still answers 200; its removal answered 204"),
    ],
)
def test_record_that_cannot_be_removed_is_left_in_the_ledger_for_the_next_run(
    fault: str, left: str, tmp_path: Path
) -> None:
    shop = Shop(faults={fault})
    with world(tmp_path, shop) as tried:
        assert tried.records.life("order").left == left
        mark = tried.records.life("order").mark
    assert len(shop.orders) == 1

    with world(tmp_path, shop, run_id="20261122T191600Z-aaaa") as still_broken:
        replay = still_broken.records.replayed()
        assert [(leftover.mark, leftover.reason) for leftover in replay.left] == [(mark, left)]

    shop.faults.clear()
    with world(tmp_path, shop, run_id="20261122T191700Z-bbbb") as mended:
        assert mended.records.replayed().removed == 1
        assert shop.orders == {}
        assert mended.records.replayed().left == ()
    with world(tmp_path, shop, run_id="20261122T191800Z-cccc") as later:
        assert later.records.replayed().removed == 0


def test_step_that_ends_without_an_answer_is_told_apart(tmp_path: Path) -> None:
    with world(tmp_path, Shop(faults={"read hangs"})) as tried:
        life = tried.records.life("order")
        assert life.created.status == 201
        assert life.listing().shown
        with pytest.raises(NoAnswer, match="did not answer"):
            life.step("read")
        assert tried.shop.orders == {}


def test_list_that_fails_only_when_it_is_not_empty(tmp_path: Path) -> None:
    with world(tmp_path, Shop(faults={"list 500"})) as tried:
        life = tried.records.life("order")
        assert life.listing().answer.status == 500
        assert not life.listing().shown
        assert tried.shop.orders == {}
        assert "500 without a list" in tried.records.replayed().unseen[0]


def test_whatever_happens_in_between_the_record_is_removed(tmp_path: Path) -> None:
    with world(tmp_path, Shop()) as tried:
        with suppress(KeyboardInterrupt), tried.records.making("order") as made:
            assert made.created.status == 201
            assert tried.shop.orders
            raise KeyboardInterrupt
        assert tried.shop.orders == {}
        assert open_entries(tried) == 0


# ---------------------------------------------------------------- finding


@pytest.mark.parametrize("limit", [7, 100])
def test_record_on_the_last_page_is_found(limit: int, tmp_path: Path) -> None:
    paged = [{**endpoint, "query": {"skip": 0, "limit": limit}} if endpoint["name"] == "list" else endpoint
             for endpoint in RELEASE["endpoints"]]  # fmt: skip
    shop = Shop(faults={"create without id"})
    for number in range(30):
        shop.add(f"order {number}")
    with world(tmp_path, shop, release=released(endpoints=paged)) as tried:
        life = tried.records.life("order")
        assert life.id == "31"
        assert life.listing().shown
        assert len(shop.orders) == 30


def test_absence_from_one_page_of_several_says_nothing(tmp_path: Path) -> None:
    shop = Shop()
    for number in range(50):
        shop.add(f"order {number}")
    with world(tmp_path, shop) as tried:
        listing = tried.records.life("order").listing()
        assert not listing.shown
        assert not listing.whole


# ---------------------------------------------------------------- leftovers


def test_old_marks_are_swept_and_young_and_live_and_foreign_ones_are_spared(tmp_path: Path) -> None:
    shop = Shop()
    recent = f"{tried_id()}-1234"
    shop.add(f"gonogo-{OTHER}-77aa")
    shop.add("gonogo notes of a person")
    shop.add(f"gonogo-{recent}")
    with world(tmp_path, shop, run_id="20261122T180001Z-1111") as old_but_live:
        with (
            old_but_live.records.making("order"),
            world(tmp_path, shop, url=old_but_live.server.url) as tried,
        ):
            assert tried.records.replayed().removed == 0  # the other run has swept the old one already
            shop.add(f"gonogo-{OTHER}-88bb")
        with world(tmp_path, shop, run_id="20261122T191900Z-dddd", url=old_but_live.server.url) as later:
            assert later.records.replayed().removed == 1
    assert [order["notes"] for order in shop.orders.values()] == [
        "gonogo notes of a person",
        f"gonogo-{recent}",
    ]


def tried_id() -> str:
    """Return the id of a run that begins now, on another machine."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ-eeee")


def test_id_of_a_dead_run_that_belongs_to_somebody_else_by_now_is_spared(tmp_path: Path) -> None:
    """The database may have been replaced: an embedded target is new in every run."""
    shop = Shop(faults={"delete 500"})
    with world(tmp_path, shop) as tried:
        assert tried.records.life("order").left
    shop.faults.clear()
    shop.orders = {1: {"id": 1, "product": 1, "notes": "somebody's order"}}

    with world(tmp_path, shop, run_id="20261122T191600Z-aaaa") as later:
        assert later.records.replayed().left == ()
        assert list(shop.orders) == [1]


def test_conflict_with_another_runs_record_is_our_matter(tmp_path: Path) -> None:
    shop = Shop(faults={"conflict"})
    with world(tmp_path, shop) as tried:
        assert tried.records.life("order").created.status == 409
    shop.add(f"gonogo-{tried_id()}-1234")
    with (
        world(tmp_path, shop, run_id="20261122T191600Z-aaaa") as tried,
        pytest.raises(CannotObserve, match="is in the way"),
    ):
        tried.records.life("order")


# ---------------------------------------------------------------- permission


def test_only_a_check_that_carries_the_marker_writes(tmp_path: Path) -> None:
    with world(tmp_path, Shop()) as tried:
        tried.checking()
        with pytest.raises(CannotObserve, match="does not carry the writes marker"):
            tried.records.life("order")
        tried.checking("writes")
        tried.records.life("order")
        tried.checking()
        with pytest.raises(CannotObserve, match="does not carry the writes marker"):
            tried.records.life("order")


def test_environment_without_writes(tmp_path: Path) -> None:
    with world(tmp_path, Shop(), writes="never", lower="staging") as tried:
        with pytest.raises(CannotObserve, match="allows no writes") as raised:
            tried.records.life("order")
        assert "staging" in raised.value.remedy
        assert tried.shop.asked == []
        assert not (tmp_path / "ledger").exists()


def test_own_records_only(tmp_path: Path) -> None:
    with world(tmp_path, Shop()) as tried, pytest.raises(CannotObserve, match="allows only those") as raised:
        tried.api.send("DELETE", "/orders/1", role="clerk")
    assert 'writes = "anything"' in raised.value.remedy
    with world(tmp_path, Shop(), writes="anything") as tried:
        assert tried.api.send("DELETE", "/orders/1", role="clerk").status == 404


@pytest.mark.parametrize(("writes", "made"), [("own-records", False), ("anything", True)])
def test_record_that_cannot_be_undone_needs_more_than_own_records(
    writes: str, made: bool, tmp_path: Path
) -> None:
    forever = {**RELEASE["records"]["order"], "undo": "none", "residue": "an order"}
    with world(tmp_path, Shop(), writes=writes, release=released(records={"order": forever})) as tried:
        if made:
            assert tried.records.life("order").created.status == 201
        else:
            with pytest.raises(CannotObserve, match="cannot be removed again"):
                tried.records.life("order")
        assert bool(tried.shop.orders) is made


def test_unset_sentinel(tmp_path: Path) -> None:
    with (
        world(tmp_path, Shop(), sentinels={}) as tried,
        pytest.raises(CannotObserve, match="sentinel:product"),
    ):
        tried.records.life("order")


def test_missed_steps_are_values() -> None:
    raised = Raised.of(NoAnswer("api", "http://a", "b"))
    with pytest.raises(NoAnswer, match="api at http://a b"):
        raised.again()
