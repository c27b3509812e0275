from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from reports.record import Outcome, Record
from reports.terminal import MOST_BLOCKS, summary

Invented = Callable[[str], dict[str, Any]]
REPORT = "reports/out/production/1.0.0/20261122T191500Z-3fa9/report.html"


def test_printed_as_before(scenario: str, invented: Invented, golden: Callable[[str, str], None]) -> None:
    lines = summary(invented(scenario), width=80, colour=False, report=REPORT)

    golden(f"{scenario}.txt", "\n".join(lines) + "\n")


def test_the_verdict_comes_first_and_the_report_last(scenario: str, invented: Invented) -> None:
    verdict = invented(scenario)

    lines = summary(verdict, width=80, colour=False, report=REPORT)

    assert lines[0].split("  ")[0].split()[0] == verdict["verdict"]
    assert lines[-1] == f"report: {REPORT}"
    assert not any("\n" in line for line in lines)


def test_text_fits_the_width_and_commands_stay_whole(invented: Invented) -> None:
    lines = summary(invented("no-go-rollback"), width=60, colour=False)

    commands = [line for line in lines if "docker compose" in line or "curl" in line]
    assert len(commands) == 5
    assert all(len(line) <= 60 for line in lines[3:] if line not in commands)


@pytest.mark.parametrize("colour", [False, True])
def test_hostile_content_commands_no_terminal_and_fakes_no_line(colour: bool, invented: Invented) -> None:
    verdict = invented("hostile")

    lines = summary(verdict, width=80, colour=colour)

    ours = re.sub(r"\x1b\[[0-9;]+m", "", "\n".join(lines))
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", ours) is None
    assert ("\x1b" in "".join(lines)) == colour
    assert [line for line in ours.splitlines()[1:] if line.startswith("GO")] == []
    assert len(ours) < 10_000


def test_colours_add_nothing_but_colour(scenario: str, invented: Invented) -> None:
    plain = summary(invented(scenario), width=80, colour=False)
    coloured = summary(invented(scenario), width=80, colour=True)

    assert [re.sub(r"\x1b\[[0-9;]+m", "", line) for line in coloured] == plain
    assert any("\x1b[" in line for line in coloured)


def test_a_huge_run_is_cut_where_nobody_reads_on(
    make_record: Callable[..., Record], make_verdict: Callable[..., dict[str, Any]]
) -> None:
    verdict = make_verdict(make_record("SMK-1", Outcome.FAILED, seen="500"))
    item = verdict["items"]["SMK-1"]
    verdict["items"] = {f"SMK-{n}": {**item, "seen": f"cause {n}"} for n in range(1, 500)}

    lines = summary(verdict, width=80, colour=False, report=REPORT)

    assert lines[-3] == f"... and {499 - MOST_BLOCKS} more causes in report.html"
    assert len(lines) < 250


def test_many_items_of_one_cause_are_one_block(invented: Invented) -> None:
    verdict = invented("no-go-refused")
    item = verdict["items"]["SMK-1"]
    verdict["items"] = {f"SMK-{n}": item for n in range(1, 134)}

    lines = summary(verdict, width=80, colour=False)

    assert sum("refused the connection" in line for line in lines) == 1
    assert any("and 127 more with the same cause" in line for line in lines)
