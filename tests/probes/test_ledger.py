"""What is about to be written is on disk first, and only the dead are replayed."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.ledger import Entry, Ledger, folder_of
from fixtures.observation import CannotObserve
from tests.probes.shop import PASSWORD, Shop, world
from tests.probes.test_run import worker

if TYPE_CHECKING:
    import subprocess

DEAD, LIVE = "20261122T190000Z-dead", "20261122T190000Z-11fe"


def writing(folder: Path, run: str, mark: str) -> subprocess.Popen[str]:
    """Return a process that has written down a record, and lives."""
    process = worker("write", folder, run, mark)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_killed_run_is_told_from_a_live_one(tmp_path: Path) -> None:
    dead, live = writing(tmp_path, DEAD, "gonogo-dead"), writing(tmp_path, LIVE, "gonogo-live")
    try:
        end(dead)
        with Ledger(tmp_path, "mine").replaying() as (found, alive):
            (ledger,) = found
            assert ledger.entries() == [
                Entry(ledger.entries()[0].key, DEAD, "order", "gonogo-dead", "http://target", "17")
            ]
            assert alive == {"mine", LIVE}
    finally:
        end(live)


def test_run_lives_as_long_as_one_of_its_workers(tmp_path: Path) -> None:
    first, second = writing(tmp_path, LIVE, "gonogo-1"), writing(tmp_path, LIVE, "gonogo-2")
    try:
        end(first)
        with Ledger(tmp_path, "mine").replaying() as (found, _):
            assert found == []
    finally:
        end(second)
    with Ledger(tmp_path, "mine").replaying() as (found, _):
        assert [entry.mark for entry in found[0].entries()] == ["gonogo-1", "gonogo-2"]


def test_finished_ledger_is_removed_and_an_unfinished_one_stays(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, DEAD)
    first, second = (
        ledger.expect("order", mark, target="t", request="POST /", undo="delete") for mark in ("m1", "m2")
    )
    ledger.removed(first)
    ledger.failed(second, "it answered 500")
    ledger.close()

    with Ledger(tmp_path, "mine").replaying() as (found, _):
        (entry,) = found[0].entries()
        assert (entry.mark, entry.failure) == ("m2", "it answered 500")
        found[0].failed(entry, "again")
    with Ledger(tmp_path, "mine").replaying() as (found, _):
        assert found[0].entries()[0].failure == "again"
        found[0].removed(found[0].entries()[0])
    assert list(tmp_path.glob("*.jsonl")) == []


def test_line_that_was_cut_off_is_no_request(tmp_path: Path) -> None:
    """It is written before the request, so the request was never sent."""
    file = tmp_path / f"{DEAD}.jsonl"
    whole = json.dumps({"key": "a", "record": "order", "mark": "m", "target": "t"})
    file.write_text(f'{whole}\n{{"key": "b", "record": "ord')

    with Ledger(tmp_path, "mine").replaying() as (found, _):
        (entry,) = found[0].entries()
        assert entry.key == "a"
        found[0].removed(entry)
    assert not file.exists()


def test_line_is_on_disk_before_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    ledgers: list[str] = []

    class Watched(Shop):
        def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes | None:
            if (method, target) == ("POST", "/orders"):
                ledgers.extend(file.read_text() for file in (tmp_path / "ledger").glob("*.jsonl"))
            return super().answer(method, target, headers, body)

    with world(tmp_path, Watched()) as tried:
        mark = tried.records.life("order").mark
        assert mark in ledgers[0]
        assert PASSWORD not in ledgers[0]


def test_what_a_killed_run_made_is_gone_after_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    shop = Shop()
    shop.last_id = 16
    shop.add("gonogo-20261122T190000Z-dead-0001")
    shop.add("somebody's order")
    end(writing(tmp_path / "ledger", DEAD, "gonogo-20261122T190000Z-dead-0001"))

    with world(tmp_path, shop) as tried:
        assert tried.records.replayed().removed == 1
        assert list(shop.orders) == [18]


def test_ledgers_outlive_the_run_in_the_reports_folder() -> None:
    assert folder_of("prod").parts[-4:] == ("reports", "out", "prod", "ledger")


def test_folder_that_cannot_be_written_to_is_named() -> None:
    nowhere = Path("/dev/null/ledger")

    with pytest.raises(CannotObserve, match="/dev/null/ledger: Not a directory"):
        Ledger(nowhere, "mine").expect("order", "m1", target="t", request="POST /", undo="delete")
    with pytest.raises(CannotObserve, match="Not a directory"), Ledger(nowhere, "mine").replaying():
        pass


def test_disk_that_gets_full_cuts_no_request_off_and_hides_no_record(tmp_path: Path) -> None:
    """A write that stores only a beginning is reported by its count alone, and the next line starts anew."""
    ledger = Ledger(tmp_path, DEAD)
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    first = ledger.expect("order", "m1", target="t", request="POST /", undo="delete")
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / f"{DEAD}.jsonl").stat().st_size + 9, most))
    try:
        ledger.made(first, "17")
        with pytest.raises(CannotObserve):
            ledger.expect("order", "m2", target="t", request="POST /", undo="delete")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
    ledger.expect("order", "m3", target="t", request="POST /", undo="delete")
    ledger.close()

    with Ledger(tmp_path, "mine").replaying() as (found, _):
        assert [(entry.mark, entry.id) for entry in found[0].entries()] == [("m1", None), ("m3", None)]
