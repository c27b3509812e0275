"""Collection fails, as a usage error told once, when checks and checklist do not fit together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from checks import plugin
from checks.checklist import DESCRIPTIONS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

pytest_plugins = ["pytester"]

OPTIONS = """
[pytest]
strict = true
addopts = --import-mode=importlib --disable-plugin-autoload -p no:locust -p xdist -p checks.plugin
"""

WITH_ENVIRONMENT = """
from types import SimpleNamespace

from fixtures.options import ENVIRONMENT, RELEASE

def pytest_configure(config):
    config.stash[ENVIRONMENT] = None
    config.stash[RELEASE] = SimpleNamespace(statements={})
"""

HEAD = """
import pathlib
import pytest
from checks import item
pytestmark = pytest.mark.smoke
"""

GOOD = """
@item("SMK-1")
def test_health():
    pathlib.Path("ran").touch()
"""

HERE_AND_IN_WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A small suite with a folder for smoke checks and an environment that is selected, but empty."""
    monkeypatch.setattr(plugin, "refuse_unknown_items", lambda _config, _ids: None)
    pytester.makeini(OPTIONS)
    pytester.makeconftest(WITH_ENVIRONMENT)
    pytester.mkdir("smoke")
    return pytester


def add(suite: pytest.Pytester, text: str, path: str = "smoke/test_health.py") -> None:
    target: Path = suite.path / path
    target.parent.mkdir(exist_ok=True)
    target.write_text(HEAD + text, encoding="utf-8")


def assert_refused(suite: pytest.Pytester, result: pytest.RunResult, *told: str) -> None:
    """The run is a usage error that names the faults once, and no check ran."""
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stdout.str() + result.stderr.str()
    assert text.count("the checks do not fit checks/checklist.toml") == 1
    for fault in told:
        assert text.count(fault) == 1, fault
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    assert not (suite.path / "ran").exists()


@HERE_AND_IN_WORKERS
def test_checks_that_fit_run(suite: pytest.Pytester, workers: tuple[str, ...]) -> None:
    add(suite, GOOD)

    result = suite.runpytest(*workers)

    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK


BROKEN = """
raise RuntimeError("imported")
@item("LOAD-1")
def test_load(): ...
"""


@HERE_AND_IN_WORKERS
def test_files_of_other_phases_are_not_imported(suite: pytest.Pytester, workers: tuple[str, ...]) -> None:
    add(suite, GOOD)
    add(suite, "raise RuntimeError('imported')", "load/conftest.py")
    (suite.path / "load/test_load.py").write_text(HEAD.replace("smoke", "load") + BROKEN, encoding="utf-8")
    result = suite.runpytest("-m", "smoke", *workers)
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "options", [(), ("-m", "load"), ("-m", "smoke", "load")], ids=["all", "load", "path"]
)
def test_files_that_may_be_selected_are_imported(suite: pytest.Pytester, options: tuple[str, ...]) -> None:
    add(suite, GOOD)
    (suite.path / "load").mkdir()
    (suite.path / "load/test_load.py").write_text(HEAD.replace("smoke", "load") + BROKEN, encoding="utf-8")
    result = suite.runpytest(*options)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*RuntimeError: imported*"])


@HERE_AND_IN_WORKERS
def test_a_mistyped_id_is_refused(suite: pytest.Pytester, workers: tuple[str, ...]) -> None:
    add(suite, GOOD.replace("SMK-1", "SMK-11"))

    result = suite.runpytest(*workers)

    assert_refused(
        suite, result, "smoke/test_health.py:8 test_health: unknown item SMK-11, did you mean SMK-1?"
    )


@HERE_AND_IN_WORKERS
def test_a_fault_in_what_is_not_selected_is_refused(suite: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """The static scan sees files that the selected paths leave out."""
    add(suite, GOOD)
    add(suite, "def test_nothing(): ...", "smoke/test_other.py")

    result = suite.runpytest("smoke/test_health.py", *workers)

    assert_refused(suite, result, "smoke/test_other.py:6 test_nothing: judges no item of the checklist")


def test_a_check_with_two_phases_is_refused(suite: pytest.Pytester) -> None:
    add(suite, "\n@pytest.mark.validation" + GOOD)

    assert_refused(suite, suite.runpytest(), "has smoke, validation for its phase, expected one")


@HERE_AND_IN_WORKERS
@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ('item("SMK-77")', "unknown item SMK-77"),
        ("pytest.mark.validation", "has smoke, validation for its phase, expected one"),
        ("pytest.mark.immediate", "has 1 windows, a smoke check has 0"),
    ],
)
def test_a_mark_that_only_collection_shows_is_refused(
    suite: pytest.Pytester, workers: tuple[str, ...], mark: str, told: str
) -> None:
    add(
        suite,
        f'\n@pytest.mark.parametrize("x", [1, pytest.param(2, marks={mark})])' + GOOD.replace("()", "(x)", 1),
    )

    assert_refused(suite, suite.runpytest(*workers), told)


@HERE_AND_IN_WORKERS
def test_a_mark_that_another_plugin_adds_is_refused(suite: pytest.Pytester, workers: tuple[str, ...]) -> None:
    add(suite, GOOD)
    suite.makeconftest(
        WITH_ENVIRONMENT
        + """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.item("SMK-88"))
"""
    )

    assert_refused(suite, suite.runpytest(*workers), "unknown item SMK-88")


@HERE_AND_IN_WORKERS
def test_a_fault_in_what_is_deselected_is_refused(suite: pytest.Pytester, workers: tuple[str, ...]) -> None:
    add(
        suite,
        GOOD
        + "\n@pytest.mark.parametrize('x', [pytest.param(1, marks=item('X-1'))])"
        + GOOD.replace("health()", "y(x)"),
    )

    assert_refused(suite, suite.runpytest("-k", "not test_y", *workers), "unknown item X-1")


def test_what_is_collected_outside_the_folders_is_a_check_too(suite: pytest.Pytester) -> None:
    add(suite, "def test_loose(): ...", "elsewhere/test_loose.py")

    assert_refused(
        suite, suite.runpytest("elsewhere"), "elsewhere/test_loose.py:6 test_loose: judges no item"
    )


def test_many_faults_fit_on_one_screen(suite: pytest.Pytester) -> None:
    add(suite, "\n".join(f"def test_{number}(): ..." for number in range(40)))

    result = suite.runpytest()

    assert_refused(suite, result, "... and 25 more")
    assert len(result.stderr.lines) < 24


@HERE_AND_IN_WORKERS
def test_an_exemption_from_an_unknown_item_is_refused(
    suite: pytest.Pytester, workers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison is the configuration's; the plugin has the ids to compare with."""

    def refuse(_config: pytest.Config, ids: Collection[str]) -> None:
        raise pytest.UsageError(f"none of {len(ids)} items is PRE-INFRA-9")

    monkeypatch.setattr(plugin, "refuse_unknown_items", refuse)
    add(suite, GOOD)

    result = suite.runpytest(*workers)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: none of 133 items is PRE-INFRA-9"])
    assert not (suite.path / "ran").exists()


def test_a_broken_checklist_is_a_usage_error(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> None:
        raise ValueError("checklist.toml: SMK-1: the key owner is missing")

    monkeypatch.setattr(plugin, "load", load)
    add(suite, GOOD)

    result = suite.runpytest()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: checklist.toml: SMK-1: the key owner is missing"])


@HERE_AND_IN_WORKERS
def test_without_an_environment_nothing_is_compared(suite: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """The suite's own tests have no items, and run without an environment."""
    suite.makeconftest("")
    add(suite, "def test_own(): ...", "tests/test_own.py")

    suite.runpytest("tests", *workers).assert_outcomes(passed=1)


def test_markers_are_registered_with_what_they_mean(suite: pytest.Pytester) -> None:
    result = suite.runpytest("--markers")

    result.stdout.fnmatch_lines(["@pytest.mark.item(*ids): *", "@pytest.mark.long_term: window: 6 hours*"])
    for name in DESCRIPTIONS:
        result.stdout.fnmatch_lines([f"@pytest.mark.{name}: *"])


def test_a_mistyped_marker_is_refused(suite: pytest.Pytester) -> None:
    add(suite, "\n@pytest.mark.smok" + GOOD)

    result = suite.runpytest()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*'smok' not found in `markers` configuration option*"])


@pytest.mark.parametrize(
    ("endpoint", "judged"),
    [
        (("SMK-5",), ["SMK-5"]),
        (("SMK-5", "VAL-API-3"), ["SMK-5"]),
        ((), ["SMK-3", "SMK-5"]),
        (("SMK-4",), ["SMK-3", "SMK-5"]),
    ],
)
def test_an_endpoint_names_the_items_that_it_proves(
    suite: pytest.Pytester, endpoint: tuple[str, ...], judged: list[str]
) -> None:
    add(
        suite,
        f"""
from types import SimpleNamespace

@item("SMK-3", "SMK-5")
@pytest.mark.parametrize("endpoint", [SimpleNamespace(items={endpoint!r})], ids=["cards"])
def test_list(endpoint): ...
""",
    )

    (found,), _ = suite.inline_genitems()

    assert list(plugin.items_of(found)) == judged


def test_a_check_without_an_endpoint_judges_all_of_its_items(suite: pytest.Pytester) -> None:
    add(
        suite,
        """
@item("SMK-1")
@pytest.mark.parametrize("endpoint", ["plain text"])
@item("SMK-2", "SMK-1")
def test_text(endpoint): ...

@item("SMK-1")
def test_health(): ...
""",
    )

    found, _ = suite.inline_genitems()

    assert [sorted(plugin.items_of(check)) for check in found] == [["SMK-1", "SMK-2"], ["SMK-1"]]


def test_a_lost_worker_without_output_is_not_a_fault() -> None:
    """xdist reports a crashed worker through the same hook; that is for the verdict to tell."""
    plugin.pytest_testnodedown(node=SimpleNamespace())
