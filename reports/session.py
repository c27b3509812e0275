"""pytest plugin: collects the records of a run and ends it with a verdict.

It runs in one process only, the xdist controller or the sole process, and outside every other
``pytest_sessionfinish``: whatever ended the run, the exit status comes from the verdict.
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from checks.plugin import CHECKLIST, STATIC_CHECKS
from fixtures.options import ENVIRONMENT, RELEASE
from fixtures.pace import sent
from fixtures.run import RUN
from fixtures.vault import VAULT
from reports import familiar, files, html, junit, sarif, terminal
from reports.plan import Plan
from reports.record import Outcome, Record, merge
from reports.recorder import TERMS
from reports.redaction import Redactor
from reports.selection import SELECTION
from reports.terms import limitations_of
from reports.verdict import EXIT_CODES, Circumstances, verdict

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pluggy import Result

ENDING = (signal.SIGINT, signal.SIGTERM)
SAME_WISH_S = 1.0

CRASHED = "???"
"""What xdist reports as ``when`` for the check that was running when its worker died."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep the records of a run that observes a target, except in xdist's workers."""
    if RUN in config.stash and not hasattr(config, "workerinput"):
        interruption = Interruption()
        for number in ENDING:
            signal.signal(number, interruption)
        config.pluginmanager.register(Session(config), "gonogo-session")


class Interruption:
    """Ends a run at the first Ctrl-C, with what was seen so far.

    A pipeline that cancels sends SIGTERM, often together with SIGINT, and people press Ctrl-C twice: what
    follows at once is the same wish, and must not break the clearing up.
    """

    def __init__(self) -> None:
        self._last = -SAME_WISH_S

    def __call__(self, _: int, __: object) -> None:
        """Raise KeyboardInterrupt, unless that has just been done."""
        now = time.monotonic()
        if now - self._last >= SAME_WISH_S:
            self._last = now
            raise KeyboardInterrupt


class Session:
    """One run: its records, and the verdict at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._records: dict[str, Record] = {}
        self._started = datetime.now(UTC)
        environment, release = config.stash[ENVIRONMENT], config.stash[RELEASE]
        out = config.rootpath / "reports" / "out"
        config.option.session_timeout = config.option.session_timeout or environment.limits.run_deadline_s
        try:
            self._folder = files.begin(out, environment.name, release.version, config.stash[RUN].id)
        except OSError as error:
            raise pytest.UsageError(f"the run's files cannot be written: {_told(error)}") from None
        junit.enable(config, self._folder.draft / "junit.xml")
        familiar.enable(config, self._folder.draft / "tests.html")

    def pytest_keyboard_interrupt(self) -> None:
        """Let nothing interrupt the clearing up."""
        _stay()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the record of a check out of its report, which pytest keeps; a crash gets one."""
        value: dict[str, Any] | None = report.__dict__.pop("gonogo", None)
        if value is not None:
            self._keep(Record.from_json(value))
        elif report.when == CRASHED:
            self._keep(self._crashed(report))

    def _keep(self, record: Record) -> None:
        earlier = self._records.get(record.test)
        self._records[record.test] = record if earlier is None else merge(earlier, record)

    def _crashed(self, report: pytest.TestReport) -> Record:
        planned = {check.test: check for check in self._plan().checks}.get(report.nodeid)
        return Record(
            test=report.nodeid,
            title=planned.title if planned else report.nodeid,
            items=planned.items if planned else (),
            phase=planned.phase if planned else "",
            window=planned.window if planned else None,
            outcome=Outcome.UNKNOWN,
            expected="a result of this check",
            seen="the process that ran it died",
            next="run the phase again; if it happens again, report this defect",
            message="the process that ran this check died",
            detail=str(report.longrepr),
        )

    def _plan(self) -> Plan:
        return self._config.stash[SELECTION].plan()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Result[object], None]:
        """Give the verdict after everything else is done, whatever state that is in."""
        others = yield
        ended_by = ""
        if isinstance(others.exception, pytest.exit.Exception):
            ended_by = f"a plugin ended pytest: {others.exception}"
        elif others.exception is not None:
            ended_by = f"a plugin broke at the end of the run: {_told(others.exception)}"
        others.force_result(None)
        self._conclude(session, ended_by)

    def _conclude(self, session: pytest.Session, ended_by: str) -> None:
        """Set the exit status from the verdict, write the run's files and print the summary."""
        _stay()
        status = int(session.exitstatus)
        plan = Plan((), frozenset(), "") if status == pytest.ExitCode.USAGE_ERROR else self._plan()
        if not plan.checks:
            session.exitstatus = status or pytest.ExitCode.NO_TESTS_COLLECTED
            files.discard(self._folder)
            return
        content = self._settle(session, plan, status, ended_by or _TROUBLE.get(status, ""))
        try:
            report = self._publish(content)
        except OSError as error:
            report = None
            trouble = f"the run's files could not be written: {_told(error)}"
            content = self._settle(session, plan, status, "; ".join(filter(None, (ended_by, trouble))))
            files.discard(self._folder)
        self._tell(content, report)

    def _settle(self, session: pytest.Session, plan: Plan, status: int, trouble: str) -> dict[str, Any]:
        """Return the verdict, redacted, of a run that had some trouble or none, and set the exit status."""
        partial = "; ".join(filter(None, (plan.partial, trouble)))
        content = self._verdict(replace(plan, partial=partial))
        code = exit_status(status, content["verdict"], self._stopped_early())
        session.exitstatus = content["exit_code"] = code
        redacted: dict[str, Any] = self._redactor().value(content)
        return redacted

    def _redactor(self) -> Redactor:
        return Redactor(self._config.stash[VAULT].known())

    def _stopped_early(self) -> bool:
        return bool(self._config.option.maxfail)

    def _verdict(self, plan: Plan) -> dict[str, Any]:
        stash = self._config.stash
        environment, release = stash[ENVIRONMENT], stash[RELEASE]
        checklist = stash[CHECKLIST]
        built = frozenset(item_id for check in stash[STATIC_CHECKS] for item_id in check.items)
        return verdict(
            checklist,
            plan,
            self._records,
            stash[TERMS],
            Circumstances(
                environment=environment.name,
                release=release.version,
                commit=release.commit or "",
                images=release.images,
                run=stash[RUN].id,
                started=self._started,
                ended=datetime.now(UTC),
                target=stash[RUN].noted("target"),
                requests={
                    "sent": sent(stash[RUN].scratch),
                    "under_load": stash[RUN].noted("load").get("sent", 0),
                    "budget": environment.rate.budget,
                },
                limitations=limitations_of(environment),
            ),
            built=built,
        )

    def _publish(self, content: dict[str, Any]) -> Path:
        """Write the run's files, all of them redacted, and put them in place; return the report's.

        Raises:
            OSError: they cannot be written.
        """
        draft = self._folder.draft
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (draft / "verdict.json").write_text(text, encoding="utf-8")
        (draft / "report.html").write_text(html.render(content), encoding="utf-8")
        if sarif.PHASE in content["phases"]:
            (draft / "security.sarif").write_text(self._sarif(content), encoding="utf-8")
        shutil.copytree(self._config.stash[RUN].evidence, draft / "evidence")
        return files.publish(self._folder, self._redactor().file) / "report.html"

    def _tell(self, content: dict[str, Any], report: Path | None) -> None:
        """Print the summary."""
        shown = str(report.relative_to(self._config.rootpath)) if report else ""
        writer = self._config.get_terminal_writer()
        if writer.width_of_current_line:
            writer.line()
        for line in terminal.summary(content, width=writer.fullwidth, colour=writer.hasmarkup, report=shown):
            writer.line(line)

    def _sarif(self, content: dict[str, Any]) -> str:
        """Return the security findings for code scanning."""
        root, checks = self._config.rootpath, self._config.stash[STATIC_CHECKS]
        log = sarif.render(content, sarif.places(root, checks), sarif.version(root))
        return json.dumps(log, indent=1, ensure_ascii=False)


def _stay() -> None:
    """Let nothing interrupt what remains to be done, which does not take long."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _told(error: BaseException) -> str:
    """Return an exception as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


_TROUBLE = {
    int(pytest.ExitCode.INTERRUPTED): "the run was interrupted",
    int(pytest.ExitCode.INTERNAL_ERROR): "pytest broke down during the run",
}


def exit_status(status: int, answer: str, stopped_early: bool) -> int:
    """Return the exit status of a run.

    pytest's own 2 and 3 stand, except that a run which ``-x`` stopped at a failure (2 under xdist) is
    NO-GO like any other. A status that some plugin asked for can turn GO into not GO, never the reverse.
    """
    if status == pytest.ExitCode.INTERRUPTED and stopped_early and answer == "NO-GO":
        return EXIT_CODES[answer]
    if status in _TROUBLE:
        return status
    return EXIT_CODES[answer] or (status if status != pytest.ExitCode.NO_TESTS_COLLECTED else 0)
