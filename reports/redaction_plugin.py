"""pytest plugin: redacts every channel through which a run speaks.

Reports are redacted where they are made, in the worker, outside every other plugin; warnings and
log lines where they are recorded; the terminal as the last thing before its stream. Files are
redacted by ``reports.files.publish``. What is known is asked again each time, because a token may
be met at any moment.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

import pytest

from fixtures.vault import VAULT
from reports.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Generator

_CACHED = pytest.StashKey[tuple[frozenset[str], Redactor]]()
_LOG_HANDLERS = ("caplog_handler", "report_handler", "log_cli_handler", "log_file_handler")


def redactor(config: pytest.Config) -> Redactor:
    """Return a redactor of every secret that the run knows at this moment."""
    known = config.stash[VAULT].known() if VAULT in config.stash else frozenset()
    cached = config.stash.get(_CACHED, None)
    if cached is None or cached[0] != known:
        cached = config.stash[_CACHED] = (known, Redactor(known))
    return cached[1]


@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Redact the report of a check before anybody sees it."""
    report = yield
    _redact(report, redactor(item.config))
    return report


@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Redact what went wrong while a file was collected."""
    report = yield
    _redact(report, redactor(collector.config))
    return report


def _redact(report: pytest.TestReport | pytest.CollectReport, known: Redactor) -> None:
    report.longrepr = _longrepr(report, known)
    for name in ("sections", "user_properties", "gonogo", "extras"):
        if hasattr(report, name):
            setattr(report, name, known.value(getattr(report, name)))


def _longrepr(report: pytest.TestReport | pytest.CollectReport, known: Redactor) -> Any:  # noqa: ANN401 - pytest's
    """Return the report's explanation; as one text if there was a secret anywhere in it."""
    longrepr = report.longrepr
    if longrepr is None or isinstance(longrepr, str | tuple):
        return known.value(longrepr)
    shown = report.longreprtext
    crash = getattr(getattr(longrepr, "reprcrash", None), "message", "")
    if known.text(shown) == shown and known.text(crash) == crash:
        return longrepr
    return known.text(shown)


class Recorded:
    """Hooks that need the configuration, which theirs do not hand over."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: Any) -> None:  # noqa: ANN401 - warnings.WarningMessage
        """Redact a warning in place, before it is printed or sent to the controller."""
        text = str(warning_message.message)
        redacted = redactor(self._config).text(text)
        if redacted != text:
            warning_message.message = UserWarning(redacted)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Put a redacting formatter into pytest's log handlers, and a redacting stream under its terminal."""
        config = self._config
        logs = config.pluginmanager.get_plugin("logging-plugin")
        for name in _LOG_HANDLERS:
            handler: logging.Handler | None = getattr(logs, name, None)
            if handler is not None:
                handler.setFormatter(_Formatter(handler.formatter or logging.Formatter(), config))
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            writer = terminal._tw  # noqa: SLF001 - the only way to everything that the terminal shows
            writer._file = cast("TextIO", _Stream(writer._file, config))  # noqa: SLF001 - as above
        if config.option.capture == "no":
            sys.stdout = cast("TextIO", _Stream(sys.stdout, config))
            sys.stderr = cast("TextIO", _Stream(sys.stderr, config))


def pytest_configure(config: pytest.Config) -> None:
    """Register the hooks that need the configuration."""
    config.pluginmanager.register(Recorded(config), "gonogo-redaction")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Give the process its streams back."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, _Stream):
            setattr(sys, name, stream.inner)


class _Formatter(logging.Formatter):
    """Formats as another formatter does, then redacts, exceptions included."""

    def __init__(self, inner: logging.Formatter, config: pytest.Config) -> None:
        super().__init__()
        self._inner = inner
        self._config = config

    def format(self, record: logging.LogRecord) -> str:
        return redactor(self._config).text(self._inner.format(record))


class _Stream:
    """A text stream that redacts what is written to it, and is otherwise the stream beneath."""

    def __init__(self, inner: TextIO, config: pytest.Config) -> None:
        self.inner = inner
        self._config = config

    def write(self, text: str) -> int:
        self.inner.write(redactor(self._config).text(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream beneath has
        return getattr(self.inner, name)
