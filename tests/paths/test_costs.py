"""Arithmetic of the quick checks: percentiles, shifts, memory, connections, known issues, origins."""

from __future__ import annotations

import json
import os
import random
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from checks.validation.test_known_issues import gap
from fixtures import browser, connections
from fixtures.baseline import Baseline, read, write
from fixtures.cors import look_alikes, other_environments, strangers
from fixtures.memory import of_container, of_process, resident_bytes
from fixtures.observation import CannotObserve, NotRequired
from fixtures.people import Waiver
from fixtures.quick import percentile
from fixtures.release import KnownIssue
from fixtures.shift import shift_of

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 22)


# ---------------------------------------------------------------- times


def test_percentile_is_one_of_the_values() -> None:
    rising = [float(value) for value in range(1, 101)]

    assert [percentile(rising, percent) for percent in (50, 95, 100)] == [50, 95, 100]
    assert percentile([7.0], 95) == 7
    with pytest.raises(CannotObserve):
        percentile([], 95)


def noise(seed: int, count: int, shift: float = 0) -> list[float]:
    source = random.Random(seed)  # noqa: S311  times that are the same in every run
    return [shift + 5 + source.expovariate(1) for _ in range(count)]


def test_shift_is_found_with_its_interval() -> None:
    shift = shift_of("a", noise(1, 50), noise(2, 50, shift=10))

    assert shift.low_ms < 10 < shift.high_ms
    assert shift.low_ms > 5
    assert shift.is_clear(5)


def test_no_shift_is_found_where_there_is_none() -> None:
    shift = shift_of("a", noise(1, 50), noise(2, 50))

    assert shift.low_ms < 0 < shift.high_ms < 5
    assert shift.is_clear(5)


def test_few_slow_answers_do_not_move_it() -> None:
    slow = [*noise(2, 45), *[4000.0] * 5]

    assert shift_of("a", noise(1, 50), slow).high_ms < 5


def test_few_samples_leave_it_open() -> None:
    assert not shift_of("a", [1, 2, 30], [4, 9, 50]).is_clear(5)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(200):
        shift = shift_of("a", noise(seed, 25), noise(seed + 1000, 25, shift=3))
        covered += shift.low_ms <= 3 <= shift.high_ms

    assert 182 <= covered <= 199


# ---------------------------------------------------------------- the stored baseline


def test_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    baseline = Baseline(
        environment="prod",
        release="0.9.0",
        taken="2026-11-22T12:00:00+00:00",
        endpoints={"health": (1.0, 2.0)},
        memory_mb={"backend": 200.5},
        tables=("public.users",),
        database_mb=17.2,
        queries_ms={"SELECT 1": (0.3,)},
    )
    write(tmp_path / "deep" / "prod.json", baseline)
    stored = read(tmp_path / "deep" / "prod.json")

    assert (stored.endpoints, stored.tables, stored.memory_mb) == (
        baseline.endpoints,
        baseline.tables,
        baseline.memory_mb,
    )


SLOW: dict[str, Any] = {"schema": "gonogo/baseline/1", "environment": "a", "release": "b", "taken": "c"}
SLOW |= {"endpoints": {"health": ["slow"]}}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": "gonogo/baseline/1"}', json.dumps(SLOW)])
def test_something_else_is_no_baseline(content: str, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(content)

    with pytest.raises(CannotObserve):
        read(tmp_path / "b.json")


def test_missing_baseline_says_how_to_take_one(tmp_path: Path) -> None:
    with pytest.raises(CannotObserve) as told:
        read(tmp_path / "b.json")

    assert "python -m fixtures.take_baseline" in told.value.remedy


# ---------------------------------------------------------------- memory

PAGE = """# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 6.7e+07
process_resident_memory_bytes{worker="2"} 8.1e+07
process_virtual_memory_bytes 9e+09
"""


def test_largest_process_of_a_page() -> None:
    assert resident_bytes(PAGE) == 8.1e7
    assert resident_bytes("http_requests_total 3\n") is None


def test_process_of_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    file.write_text(f"{os.getpid()}\n")

    assert of_process(file) > 1_000_000


@pytest.mark.parametrize("content", [None, "", "many", "999999999"])
def test_process_that_is_not_there(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "pid").write_text(content)

    with pytest.raises(CannotObserve):
        of_process(tmp_path / "pid")


def docker(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("shown", "used"),
    [("123.4MiB / 512MiB", 123.4 * 2**20), ("1.5GiB / 2GiB", 1.5 * 2**30), ("800kB / 1GB", 800_000)],
)
def test_container_of_this_machine(
    shown: str, used: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, f"echo '{json.dumps({'MemUsage': shown})}'", monkeypatch)

    assert of_container("backend") == pytest.approx(used)


@pytest.mark.parametrize("script", ["echo no such container >&2; exit 1", "echo", "echo '{}'", "echo '[]'"])
def test_container_that_is_not_there(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(tmp_path, script, monkeypatch)

    with pytest.raises(CannotObserve):
        of_container("backend")


# ---------------------------------------------------------------- connections


class Server:
    """A database that shows a row per session, and whose clock runs with every look."""

    def __init__(self, *looks: list[tuple[Any, ...]]) -> None:
        self.looks = list(looks)

    def rows(self, _: str, __: object) -> list[tuple[Any, ...]]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    @staticmethod
    def value(_: str) -> int:
        return 97


def session(
    pid: int = 1, state: str = "idle", for_s: float = 1, since: float = 100, kind: str = "client backend"
) -> Any:
    return (pid, "erp", "erp_app", "api", kind, state, for_s, since)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "AGAIN_S", 0.01)


@pytest.mark.usefixtures("hasty")
def test_only_clients_are_counted() -> None:
    server = Server([session(1), session(2, "active"), session(3, "", kind="walwriter")])
    seen = connections.observe(server, "gonogo-x", 5)  # type: ignore[arg-type]  # it answers what is asked

    assert seen.by_state() == {"active": 1, "idle": 1}
    assert not seen.leaked


@pytest.mark.usefixtures("hasty")
def test_transaction_that_stays_open_is_a_leak() -> None:
    server = Server(
        [session(1, "idle in transaction", 4.9), session(2, "idle in transaction", 0.1)],
        [session(1, "idle in transaction", 5.1), session(2, "idle in transaction", 0.1, since=105)],
    )
    seen = connections.observe(server, "gonogo-x", 5)  # type: ignore[arg-type]  # as above

    assert [each.pid for each in seen.leaked] == [1]


@pytest.mark.usefixtures("hasty")
def test_transaction_that_ends_is_none() -> None:
    server = Server([session(1, "idle in transaction (aborted)", 0.1)], [session(1, "idle", 0.1, since=105)])

    assert not connections.observe(server, "gonogo-x", 5).leaked  # type: ignore[arg-type]  # as above


def test_hidden_sessions_are_not_counted_as_none() -> None:
    server = Server([session(1), session(2, "", kind="")])

    with pytest.raises(CannotObserve, match="1 sessions of other accounts are hidden") as told:
        connections.observe(server, "gonogo-x", 5)  # type: ignore[arg-type]  # as above
    assert "pg_monitor" in told.value.remedy


# ---------------------------------------------------------------- known issues


def waiver(expires: date) -> Waiver:
    return Waiver(item="SMK-3", reason="known", owner="A", expires=expires)


CHECKS = frozenset({"smoke/test_reads.py::test_critical_list_is_a_list"})


def test_issue_under_a_waiver_in_force() -> None:
    issue = KnownIssue(title="a", owner="A", waiver="SMK-3")

    assert gap(issue, (waiver(TODAY),), frozenset(), TODAY) == ""
    assert "expired on 2026-11-21" in gap(issue, (waiver(date(2026, 11, 21)),), frozenset(), TODAY)
    assert "no waiver of SMK-3" in gap(issue, (), frozenset(), TODAY)


@pytest.mark.parametrize(
    ("check", "known"),
    [
        ("test_critical_list_is_a_list", True),
        ("smoke/test_reads.py::test_critical_list_is_a_list[GET /a]", True),
        ("test_that_never_was", False),
        ("list_is_a_list", False),
    ],
)
def test_issue_with_a_check(check: str, known: bool) -> None:
    issue = KnownIssue(title="a", owner="A", check=check)

    assert (gap(issue, (), CHECKS, TODAY) == "") is known


def test_issue_that_nobody_owns() -> None:
    issue = KnownIssue(title="a", owner="A", waiver="SMK-3").model_copy(update={"owner": " "})

    assert gap(issue, (waiver(TODAY),), frozenset(), TODAY) == "nobody answers for it"


# ---------------------------------------------------------------- origins


def test_look_alikes_of_an_origin() -> None:
    found = set(look_alikes("https://www.shop.example"))

    assert {
        "http://www.shop.example",
        "https://www.shop.example.evil.example",
        "https://evilwww.shop.example",
        "https://evil.www.shop.example",
        "https://www.shop.example:8443",
        "https://wwwxshop.example",
    } <= found
    assert "https://localhost:3000" in look_alikes("http://localhost:3000")


def test_allowed_origin_is_never_a_stranger() -> None:
    allowed = ("https://a.example", "http://a.example")

    assert not set(allowed) & strangers(allowed, foreign=allowed).keys()
    assert {"null", "https://evil.example"} <= strangers(()).keys()


def test_origins_of_the_environments_beside(tmp_path: Path) -> None:
    (tmp_path / "prod.toml").write_text('[api]\norigins = ["https://prod.example"]')
    (tmp_path / "staging.toml").write_text('[api]\norigins = ["https://staging.example"]')
    (tmp_path / "broken.toml").write_text("[api")
    (tmp_path / "other.toml").write_text("api = 3")

    assert other_environments(tmp_path / "prod.toml") == ("https://staging.example",)


# ---------------------------------------------------------------- the browser


def test_missing_browser_is_a_gap_or_only_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "EXECUTABLES", ())
    monkeypatch.setattr(browser, "_downloaded", lambda: None)

    with pytest.raises(CannotObserve) as gap_:
        browser.Tool(required=True).executable()
    with pytest.raises(NotRequired, match=r"not observed: .*install with"):
        browser.Tool(required=False).executable()
    assert "install with" in gap_.value.remedy


def asked(**parts: Any) -> browser.Asked:
    whole = {"method": "GET", "url": "https://a/api", "status": 200, "failure": "", "signed_in": True}
    return browser.Asked(**{**whole, **parts})


@pytest.mark.parametrize(
    ("request_", "is_failed"),
    [
        (asked(), False),
        (asked(status=404), True),
        (asked(status=0, failure="net::ERR_CONNECTION_REFUSED"), True),
        (asked(status=401), True),
        (asked(status=401, signed_in=False), False),
        (asked(status=404, url="https://a/favicon.ico"), False),
    ],
)
def test_failed_requests(request_: browser.Asked, is_failed: bool) -> None:
    assert bool(browser.failed((request_,))) is is_failed
