"""The exit status comes from the verdict: no way to an accidental 0, with and without workers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.suite.conftest import Suite

SABOTEURS = "tests.suite.saboteurs."
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])


@WORKERS
@pytest.mark.parametrize(
    ("saboteur", "status"),
    [
        ("exit_zero", {6}),
        ("exit_zero_at_the_end", {0, 6}),
        ("no_record", {6}),
        ("expected_failure", {6}),
        ("skipped", {6}),
        ("internal_error", {3, 6}),
        ("nothing_left", {5}),
    ],
)
def test_no_way_to_an_accidental_zero(
    saboteur: str, status: set[int], workers: tuple[str, ...], suite: Suite
) -> None:
    ended = suite("-m", "smoke", "-p", SABOTEURS + saboteur, *workers)

    assert ended.status in status, ended.output
    if ended.status == 0:  # every check had run and passed before the plugin spoke
        assert ended.verdict["counts"]["PASSED"] == len(ended.verdict["items"])
    elif ended.verdict:
        assert ended.verdict["verdict"] == "HOLD"


def test_report_that_cannot_be_sent_is_unknown(suite: Suite) -> None:
    ended = suite("-m", "smoke", "-n", "2", "-p", SABOTEURS + "strange_report")

    assert ended.status not in {0, 1}, ended.output


def test_report_that_was_made_green_keeps_its_record(suite: Suite) -> None:
    skip = suite("-m", "smoke", "-p", SABOTEURS + "made_green", "-p", SABOTEURS + "skipped")

    assert skip.status == 6, skip.output


def test_lost_worker_is_unknown_by_the_name_of_its_check(suite: Suite) -> None:
    ended = suite("-m", "smoke", "-n", "2", "--max-worker-restart=0", "-p", SABOTEURS + "dead_worker")

    assert ended.status == 6, ended.output
    died = [record for record in ended.verdict["records"] if "died" in record["seen"]]
    assert died
    assert all(record["items"] for record in died)
    assert "SMK-" in ended.output


@WORKERS
def test_run_whose_files_cannot_be_written_holds(workers: tuple[str, ...], suite: Suite) -> None:
    ended = suite("-m", "smoke", "-p", SABOTEURS + "full_disk", *workers)

    assert ended.status == 6, ended.output
    assert "\nHOLD PARTIAL  release 1.0.0 on local" in ended.output
    assert "the run's files could not be written: OSError" in ended.output
    assert "5 PASSED" in ended.output
    assert "Traceback" not in ended.output


def test_plugin_that_breaks_at_the_end_takes_no_verdict_away(suite: Suite) -> None:
    ended = suite("-m", "smoke", "--junitxml=/dev/null/junit.xml")

    assert ended.status == 6, ended.output
    assert "a plugin broke at the end of the run" in ended.verdict["partial"]
    assert "Traceback" not in ended.output


def test_lost_sole_process_is_no_zero(suite: Suite) -> None:
    assert suite("-m", "smoke", "-p", SABOTEURS + "dead_worker").status not in {0, 1, 6}


@WORKERS
@pytest.mark.parametrize(
    "narrowing",
    [
        ("-k", "health"),
        ("-x",),
        ("--maxfail=3",),
        ("smoke/test_health.py",),
        ("smoke",),
        ("--deselect", "smoke/test_health.py::test_health_answers_with_its_status"),
        ("--ignore", "smoke/test_writes.py"),
    ],
    ids=lambda narrowing: narrowing[0],
)
def test_partial_selection_is_hold(
    narrowing: tuple[str, ...], workers: tuple[str, ...], suite: Suite
) -> None:
    ended = suite("-m", "smoke", *narrowing, *workers)

    assert ended.status == 6, ended.output
    assert ended.verdict["verdict"] == "HOLD"
    assert "PARTIAL" in ended.output


def test_last_failed_is_partial(suite: Suite) -> None:
    assert suite("-m", "smoke", "--lf", "-p", "cacheprovider").status == 6


def test_marker_that_cuts_a_phase_is_partial(suite: Suite) -> None:
    ended = suite("-m", "smoke and not writes")

    assert ended.status == 6
    assert "were deselected" in ended.verdict["partial"]


def test_phase_with_unbuilt_items_is_hold(suite: Suite) -> None:
    ended = suite("-m", "smoke or gate")

    assert ended.status == 6
    assert "not built" in ended.verdict["items"]["SIGN-1"]["message"]


@WORKERS
def test_nothing_selected_is_five(workers: tuple[str, ...], suite: Suite) -> None:
    assert suite("-m", "gate", *workers).status == 5


def test_first_failure_that_stops_the_run_is_no_go_also_with_workers(variant: Any, any_suite: Suite) -> None:
    environment = variant(version='version = { field = "commit" }')
    for workers in ((), ("-n", "2")):
        ended = any_suite("-m", "smoke", f"--env={environment}", "-x", *workers)
        assert ended.status == 1, ended.output
        assert ended.verdict["verdict"] == "NO-GO"


def test_collecting_a_plan_touches_nothing(any_suite: Suite) -> None:
    ended = any_suite("--env=prod", "--collect-only", "-q")

    assert ended.status == 0, ended.output
    assert "smoke/test_health.py::" in ended.output
    assert "report:" not in ended.output


@pytest.mark.parametrize(
    "weakening",
    [
        ("-p", "no:reports.session"),
        ("-p", "no:reports.recorder"),
        ("-p", "no:fixtures.options"),
        ("-p", "no:gonogo-selection"),
        ("-p", "no:terminal"),
        ("-p", "no:capture"),
        ("-p", "no:junitxml"),
        ("-p", "no:pytest_timeout"),
        ("-p", "no:pytest_metadata.plugin"),
        ("-p", "no:pytest_html.plugin"),
        ("-p", "no:assertion"),
        ("-o", "timeout_method=thread"),
        ("-o", "addopts=--disable-plugin-autoload"),
        ("-c", os.devnull),
        ("--rootdir=/",),
        ("--env=prod",),
        ("--release=",),
    ],
    ids=" ".join,
)
def test_what_takes_a_verdict_apart_is_a_usage_error(weakening: tuple[str, ...], suite: Suite) -> None:
    ended = suite("-m", "smoke", *weakening)

    assert ended.status == 4, ended.output
    assert "Traceback" not in ended.output


@pytest.mark.parametrize("option", ["--co", "--collect-only", "--fixtures", "--markers"])
def test_pipeline_that_asks_for_a_plan_unawares_gets_no_zero(option: str, suite: Suite) -> None:
    ended = suite("-m", "smoke", PYTEST_ADDOPTS=f"-v {option}")

    assert ended.status == 4, ended.output
    assert f"PYTEST_ADDOPTS holds {option}" in ended.output


def test_python_without_assertions_gives_no_verdict(suite: Suite) -> None:
    ended = suite("-m", "smoke", "-W", "ignore", "--assert=plain", PYTHONOPTIMIZE="1")

    assert ended.status == 4, ended.output
    assert "take the assertions out" in ended.output
