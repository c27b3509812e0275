"""The static scan sees what pytest would see, and says what does not fit the checklist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.checklist import load
from checks.coverage import StaticCheck, faults, left_out, not_built, scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


CHECKLIST = load()

HEAD = """
import pytest
from checks import item
pytestmark = pytest.mark.smoke
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], None]:
    """Write one file below the root that is scanned."""

    def write(path: str, text: str) -> None:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    return write


def check(
    items: tuple[str, ...] = ("SMK-1",),
    phases: tuple[str, ...] = ("smoke",),
    windows: tuple[str, ...] = (),
    *,
    trouble: str = "",
) -> StaticCheck:
    return StaticCheck("smoke/test_health.py", "test_health", items, phases, windows, 7, trouble)


def faults_of(*checks: StaticCheck) -> list[str]:
    return [fault.removeprefix("smoke/test_health.py:7 test_health: ") for fault in faults(CHECKLIST, checks)]


def test_a_check_is_found_with_its_ids_phase_and_line(
    tmp_path: Path, write: Callable[[str, str], None]
) -> None:
    write("smoke/test_health.py", HEAD + '\n@item("SMK-1", "SMK-2")\ndef test_health(): ...\n')

    assert scan(tmp_path) == (
        StaticCheck("smoke/test_health.py", "test_health", ("SMK-1", "SMK-2"), ("smoke",), (), 7),
    )


@pytest.mark.parametrize(
    "source",
    [
        '@item("MON-1")\n@pytest.mark.postdeploy\n@pytest.mark.short_term\ndef test_x(): ...',
        '@checks.item("MON-1")\n@mark.postdeploy()\n@mark.short_term\ndef test_x(): ...',
        '@pytest.mark.item("MON-1")\n@mark.postdeploy\n@mark.short_term\nasync def test_x(): ...',
        'pytestmark = [pytest.mark.postdeploy, pytest.mark.short_term, item("MON-1")]\ndef test_x(): ...',
        'pytestmark: list = [mark.postdeploy, mark.short_term]\n@item("MON-1")\ndef test_x(): ...',
        'pytestmark = (mark.postdeploy, mark.short_term)\nif 1:\n @item("MON-1")\n def test_x(): ...',
        'if 1:\n pytestmark = [mark.postdeploy, mark.short_term]\nelse:\n @item("MON-1")\n def test_x(): ...',
    ],
)
def test_every_way_of_writing_a_mark_is_read(
    tmp_path: Path, write: Callable[[str, str], None], source: str
) -> None:
    write("checks/postdeploy/test_first_hour.py", source)

    (found,) = scan(tmp_path)

    assert (found.items, found.phases, found.windows, found.trouble) == (
        ("MON-1",),
        ("postdeploy",),
        ("short_term",),
        "",
    )


def test_a_name_without_mark_is_no_phase(tmp_path: Path, write: Callable[[str, str], None]) -> None:
    """``@gate`` may be anybody's decorator."""
    write("smoke/test_x.py", "@gate\n@retry.smoke\ndef test_x(): ...\n")

    (found,) = scan(tmp_path)

    assert found.phases == ()


def test_a_test_class_hands_its_marks_down(tmp_path: Path, write: Callable[[str, str], None]) -> None:
    write(
        "checks/test_class.py",
        '@item("SMK-1")\nclass TestHealth:\n    pytestmark = pytest.mark.smoke\n    def test_x(self): ...\n',
    )

    (found,) = scan(tmp_path)

    assert (found.function, found.items, found.phases) == ("TestHealth::test_x", ("SMK-1",), ("smoke",))


def test_only_what_pytest_collects_is_a_check(tmp_path: Path, write: Callable[[str, str], None]) -> None:
    source = "def test_x(): ...\n"
    write("smoke/helpers.py", source)
    write("smoke/.hidden/test_a.py", source)
    write("smoke/__pycache__/test_b.py", source)
    write("tests/test_c.py", source)
    write(
        "smoke/test_d.py",
        "def helper():\n    def test_inner(): ...\nclass Help:\n    def test_x(self): ...\n",
    )
    write("load/deep/capacity_test.py", source)

    assert [found.path for found in scan(tmp_path)] == ["load/deep/capacity_test.py"]


def test_an_empty_root_has_no_checks(tmp_path: Path) -> None:
    assert scan(tmp_path) == ()


def test_checks_come_in_the_order_of_paths_and_lines(
    tmp_path: Path, write: Callable[[str, str], None]
) -> None:
    write("smoke/test_b.py", "def test_2(): ...\ndef test_1(): ...\n")
    write("checks/test_z.py", "def test_3(): ...\n")
    write("smoke/test_a.py", "def test_4(): ...\n")

    assert [found.function for found in scan(tmp_path)] == ["test_3", "test_4", "test_2", "test_1"]


@pytest.mark.parametrize(
    "content",
    [
        b"def test_x(:\n",
        b"def test_x(): \0\n",
        b"# coding: nonsense\n",
        b"x = '\xff'\n",
        b"x = " + b"(" * 5000,
    ],
)
def test_a_file_that_cannot_be_parsed_is_a_fault(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke/test_broken.py").write_bytes(content)

    (fault,) = faults(CHECKLIST, scan(tmp_path))

    assert fault.startswith("smoke/test_broken.py:1: cannot be parsed: ")


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke/test_gone.py").symlink_to(tmp_path / "nowhere.py")

    assert faults(CHECKLIST, scan(tmp_path)) == [
        "smoke/test_gone.py:1: cannot be parsed: No such file or directory"
    ]


@pytest.mark.parametrize(
    "mark",
    [
        "@item",
        "@item()",
        "@item(*IDS)",
        '@item("SMK-1", ID)',
        '@item(f"SMK-{1}")',
        "@item(1)",
        "@item(id='SMK-1')",
    ],
)
def test_ids_that_are_not_written_out_are_a_fault(
    tmp_path: Path, write: Callable[[str, str], None], mark: str
) -> None:
    write("smoke/test_x.py", f"{HEAD}\n{mark}\ndef test_x(): ...\n")

    assert faults(CHECKLIST, scan(tmp_path)) == [
        "smoke/test_x.py:7 test_x: the ids of an item mark must be written out as strings"
    ]


def test_a_check_that_hides_another_is_a_fault(tmp_path: Path, write: Callable[[str, str], None]) -> None:
    """Its items would count as built, while pytest never runs it."""
    one = '@item("SMK-1")\ndef test_x(): ...\n'
    write("smoke/test_x.py", HEAD + one + one)

    (fault,) = faults(CHECKLIST, scan(tmp_path))

    assert "test_x is defined twice" in fault


def test_a_check_that_fits_has_no_fault() -> None:
    assert (
        faults_of(check(), check(("SMK-1", "SMK-5")), check(("MON-1",), ("postdeploy",), ("short_term",)))
        == []
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (check(("SMK-11",)), "unknown item SMK-11, did you mean SMK-1?"),
        (check(("smk-3",)), "unknown item smk-3, did you mean SMK-3?"),
        (check(("?",)), "unknown item ?"),
        (check(()), "judges no item of the checklist"),
        (check(phases=()), "has no phase"),
        (check(phases=("smoke", "gate")), "has smoke, gate for its phase, expected one"),
        (check(windows=("immediate",)), "has 1 windows, a smoke check has 0"),
        (check(("MON-1",), ("postdeploy",)), "has 0 windows, a postdeploy check has 1"),
        (
            check(("MON-1",), ("postdeploy",), ("immediate", "short_term")),
            "has 2 windows, a postdeploy check has 1",
        ),
        (check(phases=("validation",)), "is marked validation, but SMK-1 belongs to smoke"),
        (
            check(("MON-1",), ("postdeploy",), ("immediate",)),
            "is marked postdeploy, immediate, but MON-1 belongs to postdeploy, short_term",
        ),
        (check(("SMK-1", "VAL-ACC-1")), "is marked smoke, but VAL-ACC-1 belongs to validation"),
        (check(trouble="cannot be parsed"), "cannot be parsed"),
    ],
)
def test_a_fault_is_told_with_place_and_cause(wrong: StaticCheck, told: str) -> None:
    assert faults_of(wrong) == [told]


def test_several_faults_of_a_check_are_all_told_and_each_once() -> None:
    wrong = check(("SMK-11", "VAL-ACC-1"))

    assert faults_of(wrong, wrong) == [
        "unknown item SMK-11, did you mean SMK-1?",
        "is marked smoke, but VAL-ACC-1 belongs to validation",
    ]


def test_items_without_a_check_are_listed_in_the_guides_order() -> None:
    built = check(("SMK-4", "SMK-2"))

    missing = not_built(CHECKLIST, [built])

    assert len(missing) == 131
    assert [item_id for item_id in missing if item_id.startswith("SMK")] == ["SMK-1", "SMK-3", "SMK-5"]
    assert missing == [item_id for item_id in CHECKLIST if item_id in missing]


SMOKE = HEAD + '@item("SMK-1")\ndef test_health(): ...\n'
LOAD = SMOKE.replace("smoke", "load").replace("SMK-1", "LOAD-1")
BOTH = SMOKE + '@pytest.mark.load\n@item("LOAD-1")\ndef test_load(): ...\n'


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("smoke", {"load", "load/test_one.py", "checks/deep", "checks/deep/test_three.py"}),
        ("load", {"smoke/test_one.py"}),
        ("not smoke", {"smoke/test_one.py", "smoke/test_both.py"}),
        ("(smoke) or load", set()),
        (
            "smoke and gate",
            {"load", "load/test_one.py", "checks/deep", "checks/deep/test_three.py", "smoke/test_one.py"}
            | {"smoke/test_both.py"},
        ),
        ("", set()),
        ("smoke or writes", set()),  # who knows where a mark of another kind comes from
        ("smoke(", set()),
        ("smoke and", set()),
    ],
)
def test_what_cannot_be_selected_is_left_out(
    tmp_path: Path, write: Callable[[str, str], None], expression: str, expected: set[str]
) -> None:
    write("smoke/test_one.py", SMOKE)
    write("smoke/test_both.py", BOTH)
    write("smoke/test_unseen.py", "globals()['test_hidden'] = print")
    write("load/test_one.py", LOAD)
    write("checks/test_unseen.py", "")
    write("checks/deep/test_three.py", LOAD)
    found = left_out(expression, tmp_path, scan(tmp_path))
    assert found == expected


def test_a_file_that_cannot_be_parsed_is_not_left_out(
    tmp_path: Path, write: Callable[[str, str], None]
) -> None:
    write("smoke/test_broken.py", "def")
    assert left_out("load", tmp_path, scan(tmp_path)) == frozenset()
