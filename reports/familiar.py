"""pytest plugin: ``tests.html``, the log of pytest-html that people know, with its gaps closed.

pytest-html 4.2 puts node ids, links, HTML extras and metadata into the page unescaped, drops the
check whose xdist worker died, and knows no outcomes but pytest's own. All that reaches it is made
harmless first, and the finished page forbids every script but pytest-html's own.
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
import html
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest
from pytest_html.basereport import BaseReport

from reports.sanitise import clean, plain, shorten

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

LONGEST_TEXT = 200_000
"""Characters of one captured text in the page."""

_NAME = "gonogo-familiar"
_CRASHED = "???"
"""What xdist reports as ``when`` for the check that was running when its worker died."""
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_MIME_TYPES = {"json": "application/json", "text": "text/plain"}
_MEDIA_TYPE = re.compile(r"(?:image|video)/[\w.+-]+", re.ASCII)
_WEB = re.compile(r"https?://", re.IGNORECASE)


def enable(config: pytest.Config, path: Path) -> None:
    """Have pytest-html write to ``path``, unless ``--html`` names a place of the user's own.

    It is to be called in ``pytest_configure`` of a plugin that comes before pytest-html's own.
    """
    if not config.option.htmlpath:
        config.option.htmlpath = str(path)
        config.option.self_contained_html = True
    pytest_configure(config)


def close(path: Path) -> None:
    """Let the page at ``path`` run pytest-html's own script and nothing else."""
    page = path.read_text(encoding="utf-8")
    scripts = _SCRIPT.findall(page)
    allowed = f"'sha256-{_sha256(scripts[-1])}'" if scripts else "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
    )
    meta = f'<meta charset="utf-8"/>\n    <meta http-equiv="Content-Security-Policy" content="{policy}"/>'
    path.write_text(page.replace('<meta charset="utf-8"/>', meta, 1), encoding="utf-8")


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def pytest_configure(config: pytest.Config) -> None:
    """Watch over pytest-html where it writes a page: in the controller, or in the sole process."""
    writes = config.getoption("htmlpath", None) and not hasattr(config, "workerinput")
    if writes and not config.pluginmanager.has_plugin(_NAME):
        config.pluginmanager.register(Familiar(config), _NAME)


class Familiar:
    """Stands before pytest-html's hooks, which all come last."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._data: Any = None

    @cached_property
    def _page(self) -> BaseReport | None:
        plugins = self._config.pluginmanager.get_plugins()
        return next((plugin for plugin in plugins if isinstance(plugin, BaseReport)), None)

    def pytest_html_report_title(self, report: Any) -> None:  # noqa: ANN401 - pytest-html is untyped
        """Name the page, and keep what it is made of."""
        report.title = "Every check of this run"
        self._data = report

    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Add a column for our own outcomes beside pytest's."""
        cells.insert(1, '<th class="sortable" data-column-type="outcome">Outcome</th>')

    def pytest_html_results_table_row(self, report: Any, cells: list[str]) -> None:  # noqa: ANN401 - any report
        """Escape the node id, and show our own outcome."""
        test_id = report.nodeid if report.when == "call" else f"{report.nodeid}::{report.when}"
        cells[1] = f'<td class="col-testId">{html.escape(plain(test_id))}</td>'
        outcome = html.escape(getattr(report, "gonogo_outcome", ""))
        cells.insert(1, f'<td class="col-outcome">{outcome}</td>')

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take control sequences out of a collection error."""
        _make_harmless(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Make a report harmless, and list the check whose worker died."""
        _make_harmless(report)
        page = self._page
        if report.when == _CRASHED and page is not None:
            for when, outcome in (("call", "failed"), ("teardown", "passed")):
                step = copy.copy(report)
                step.__dict__.update(when=when, outcome=outcome, gonogo_outcome="UNKNOWN")
                if outcome == "passed":
                    step.longrepr = None
                page.pytest_runtest_logreport(step)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Make the page from harmless metadata, and forbid every other script in it.

        The metadata hold variables of the CI system, a branch's name among them. Afterwards pytest-html
        is done: it would announce a place that the page is about to leave.
        """
        if self._data is not None:
            self._data.set_data("environment", _escaped(self._data.data["environment"]))
        result = yield
        page = self._page
        if page is not None:
            close(page._report_path)  # noqa: SLF001 - pytest-html tells its path to nobody
            self._config.pluginmanager.unregister(page)
        return result


def _make_harmless(report: Any) -> None:  # noqa: ANN401 - a test or a collection report
    extras = getattr(report, "extras", None)
    if extras:
        report.extras = [_harmless(extra) for extra in extras]


def _harmless(extra: dict[str, Any]) -> dict[str, Any]:
    """Return an extra that shows what the given one holds and runs none of it."""
    kind = str(extra.get("format_type"))
    name = html.escape(plain(str(extra.get("name") or kind)))
    content = extra.get("content")
    if kind in _MIME_TYPES:
        if kind == "json":
            content = json.loads(json.dumps(content, default=str))
        return {**extra, "name": name, "content": content, "mime_type": _MIME_TYPES[kind]}
    if kind in {"image", "video"} and _is_base64(content) and _MEDIA_TYPE.fullmatch(str(extra["mime_type"])):
        return {**extra, "name": plain(str(extra.get("name") or kind))}
    text = plain(shorten(str(content), LONGEST_TEXT))
    if kind == "url" and _WEB.match(text):
        return {**extra, "name": name, "content": html.escape(text)}
    return {
        **extra,
        "format_type": "html",
        "name": name,
        "content": f"<pre>{name}: {html.escape(text)}</pre>",
    }


def _is_base64(content: object) -> bool:
    if not isinstance(content, str):
        return False
    try:
        base64.b64decode(content.encode(), validate=True)
    except binascii.Error:
        return False
    return True


def _escaped(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {html.escape(plain(str(key))): _escaped(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(each) for each in value]
    return html.escape(str(clean(value, LONGEST_TEXT)))
