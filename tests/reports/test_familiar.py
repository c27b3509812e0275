"""pytest-html's page: its gaps are shown to be there, and to be closed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from reports.familiar import close

pytest_plugins = ["pytester"]

Browse = Callable[[Path], str]
ROOT = Path(__file__).parents[2]
ATTACK = "<img src=x onerror=\"document.title='owned'\">"
CHECKS = f"""
import os
import pytest
from pytest_html import extras as extra

ATTACK = {ATTACK!r}

@pytest.mark.parametrize("name", ["plain", ATTACK, "'\\"></td><script>document.title='owned'</script>"])
def test_named(name):
    assert name == "plain", name

def test_extras(extras):
    extras.append(extra.html(ATTACK))
    extras.append(extra.html("<script>document.title='owned'</script>"))
    extras.append(extra.url("javascript:document.title='owned'", name="click"))
    extras.append(extra.url("https://example.org/'\\">" + ATTACK, name=ATTACK))
    extras.append(extra.text(ATTACK, name=ATTACK))
    extras.append(extra.json({{"a": ATTACK}}, name=ATTACK))
    extras.append(extra.image("javascript:document.title='owned'", name=ATTACK))
    extras.append(extra.image("iVBORw0KGgo=", name="screenshot"))
    print(ATTACK)
    assert False, ATTACK

def test_fixture_error(request):
    request.getfixturevalue(ATTACK)
"""
CONFTEST = f"""
import pytest

def pytest_metadata(metadata):
    metadata["CI_BRANCH"] = {ATTACK!r}
    metadata["Many"] = {{"a": {ATTACK!r}}}
"""


def _project(pytester: pytest.Pytester, *plugins: str) -> pytest.Pytester:
    pytester.makeini(f"""
        [pytest]
        addopts = --import-mode=importlib --disable-plugin-autoload -p xdist -p pytest_metadata.plugin
            -p pytest_html.fixtures -p pytest_html.plugin {" ".join(f"-p {plugin}" for plugin in plugins)}
            --html=tests.html --self-contained-html
        pythonpath = . {ROOT}
        filterwarnings = error
    """)
    pytester.makepyfile(test_checks=CHECKS)
    pytester.makeconftest(CONFTEST)
    return pytester


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    return _project(pytester, "reports.familiar")


def _rows(page: str) -> dict[str, Any]:
    blob = re.search(r'data-jsonblob="(.*?)"', page, re.DOTALL)
    assert blob is not None
    content: dict[str, Any] = json.loads(unescape(blob[1]))
    return content


def _title(dom: str) -> str:
    title = re.search(r"<title.*?>(.*?)</title>", dom)
    assert title is not None
    return title[1]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_every_cell_and_extra_is_harmless(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    project.runpytest_subprocess(*workers)
    content = _rows((project.path / "tests.html").read_text(encoding="utf-8"))

    markup = [cell for rows in content["tests"].values() for row in rows for cell in row["resultsTableRow"]]
    markup += [
        extra["content"]
        for rows in content["tests"].values()
        for row in rows
        for extra in row["extras"]
        if extra["format_type"] == "html"
    ]
    markup += [json.dumps(value) for value in content["environment"].values()]
    assert len(content["tests"]) == 5
    for each in markup:
        assert "<img" not in each
        assert "<script" not in each
        assert "javascript:" not in each.partition("href=")[2]


def test_a_policy_forbids_every_script_but_the_pages_own(project: pytest.Pytester) -> None:
    project.runpytest_subprocess()
    page = (project.path / "tests.html").read_text(encoding="utf-8")

    assert len(re.findall(r"script-src 'sha256-[\w+/=]+'", page)) == 1
    assert "default-src 'none'" in page


def test_no_foreign_script_runs_and_every_row_is_shown(project: pytest.Pytester, browse: Browse) -> None:
    project.runpytest_subprocess()

    dom = browse(project.path / "tests.html")

    assert _title(dom) == "Every check of this run"
    assert dom.count('class="results-table-row') >= 5


def test_the_gap_is_real(pytester: pytest.Pytester, browse: Browse) -> None:
    """The same page without our plugin runs the attack: the test above can fail."""
    project = _project(pytester)
    project.runpytest_subprocess("-k", "named")

    assert _title(browse(project.path / "tests.html")) == "owned"


def test_the_policy_alone_would_do(pytester: pytest.Pytester, browse: Browse) -> None:
    """Should an escape be forgotten, the browser still runs nothing."""
    project = _project(pytester)
    project.runpytest_subprocess("-k", "named")
    close(project.path / "tests.html")

    dom = browse(project.path / "tests.html")
    assert _title(dom) == "tests.html"
    assert "test_named" in dom


def test_the_check_whose_worker_died_is_listed(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_checks="import os\n\ndef test_dies():\n    os._exit(1)\n\ndef test_lives():\n    pass"
    )

    project.runpytest_subprocess("-n", "2")

    tests = _rows((project.path / "tests.html").read_text(encoding="utf-8"))["tests"]
    assert set(tests) == {"test_checks.py::test_dies", "test_checks.py::test_lives"}
    (died,) = tests["test_checks.py::test_dies"]
    assert died["result"] == "Failed"
    assert died["outcome"] == "UNKNOWN"
    assert "crashed" in died["log"]


def test_our_outcomes_are_shown(project: pytest.Pytester) -> None:
    project.makeconftest("""
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            if report.when == "call":
                report.outcome, report.longrepr = "failed", "why"
                report.gonogo_outcome = "UNKNOWN"
            return report
    """)
    project.makepyfile(test_checks="def test_unseen():\n    pass")

    project.runpytest_subprocess()

    (row,) = _rows((project.path / "tests.html").read_text(encoding="utf-8"))["tests"][
        "test_checks.py::test_unseen"
    ]
    assert row["outcome"] == "UNKNOWN"


def test_no_place_is_announced_that_the_page_will_leave(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess()

    assert "Generated html report" not in result.stdout.str()


def test_a_plugin_can_choose_the_place(pytester: pytest.Pytester) -> None:
    project = _project(pytester, "reports.familiar", "chooses")
    project.makepyfile(
        chooses="""
            from pathlib import Path
            from reports import familiar

            def pytest_configure(config):
                config.option.htmlpath = None
                familiar.enable(config, Path.cwd() / "out" / "tests.html")
        """,
        test_checks="def test_it():\n    pass",
    )

    project.runpytest_subprocess()

    page = (project.path / "out" / "tests.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in page
    assert [path.name for path in (project.path / "out").iterdir()] == ["tests.html"]
