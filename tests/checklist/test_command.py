"""``python -m checks`` shows the coverage and writes the document that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks import __main__ as command
from checks.checklist import load
from checks.coverage import StaticCheck, faults, not_built, scan

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CHECKLIST = load()
HEALTH = StaticCheck("smoke/test_health.py", "test_health", ("SMK-1", "SMK-99"), ("smoke",), (), 7)


def test_the_document_is_current() -> None:
    """When this fails, run ``python -m checks --write`` and commit the result."""
    current = command.document(CHECKLIST, scan(command.ROOT))

    assert command.DOCUMENT.read_text(encoding="utf-8") == current


def test_the_suites_own_checks_fit_the_checklist() -> None:
    assert faults(CHECKLIST, scan(command.ROOT)) == []


def test_the_overview_tells_built_from_not_built() -> None:
    lines = command.overview(CHECKLIST, [HEALTH]).splitlines()

    assert lines[0] == "1 of 133 items have a check"
    smoke = lines.index("smoke: 1 of 5")
    assert lines[smoke + 1 : smoke + 3] == ["  built      SMK-1", "  not built  SMK-2 SMK-3 SMK-4 SMK-5"]
    assert max(map(len, lines)) <= 100


def test_the_document_shows_each_item_once_with_its_check_or_none() -> None:
    lines = command.document(CHECKLIST, [HEALTH, HEALTH]).splitlines()
    rows = [line for line in lines if line.startswith("| ") and line.split()[1] in CHECKLIST]

    assert sorted(row.split()[1] for row in rows) == sorted(CHECKLIST)
    (health,) = (row for row in rows if row.startswith("| SMK-1 |"))
    assert health.endswith(
        "| 1 | On-call Engineer | automated | [smoke/test_health.py](../smoke/test_health.py) |"
    )
    assert "*Not as in the guide:*" in health
    (restore,) = (row for row in rows if row.startswith("| PRE-DB-1 |"))
    assert restore.endswith("| 1, *hold* | DevOps Lead | automated | not built |")


def test_the_document_has_one_heading_per_section_and_window() -> None:
    headings = [line for line in command.document(CHECKLIST, []).splitlines() if line.startswith("### ")]

    assert len(headings) == len({(i.phase, i.window, i.section) for i in CHECKLIST.values()})


def test_not_built_is_one_id_per_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "ROOT", tmp_path)

    assert command.main(["--not-built"]) == 0
    assert capsys.readouterr().out.splitlines() == not_built(CHECKLIST, [])


def test_the_document_is_written_where_it_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "DOCUMENT", tmp_path / "checklist.md")

    assert command.main(["--write"]) == 0
    assert (tmp_path / "checklist.md").read_text() == command.DOCUMENT.read_text()


def test_faults_are_told_apart_from_the_coverage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "ROOT", tmp_path)
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke/test_x.py").write_text("def test_x(): ...\n")

    assert command.main([]) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("0 of 133 items have a check")
    assert printed.err.splitlines() == [
        "smoke/test_x.py:1 test_x: judges no item of the checklist",
        "smoke/test_x.py:1 test_x: has no phase",
    ]
