"""pytest plugin: turns what happens to a check into its record.

It runs where the checks run (in every xdist worker) and attaches the record to the report as
``report.gonogo``, made of JSON built-ins only. Every unsettled outcome stays a pytest failure, so
that neither JUnit nor an exit status can look clean by accident.
"""

from __future__ import annotations

import inspect
import traceback
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks.plugin import CHECKLIST, items_of
from checks.vocabulary import Exhibits, Explanation, Measured
from fixtures.observation import Absent, Attested, CannotObserve, NoAnswer, NotRequired, Pending
from fixtures.options import ENVIRONMENT, RELEASE
from reports.below import passed_below
from reports.plan import Planned
from reports.record import Outcome, Record
from reports.terms import terms_of

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from checks.checklist import Item
    from reports.verdict import Terms

_MEASURED = pytest.StashKey[Measured]()
_EXHIBITS = pytest.StashKey[Exhibits]()
_DURATION_S = pytest.StashKey[float]()
TERMS = pytest.StashKey["Terms"]()

_SHOWN_FRAMES = 6
"""Frames of a crash of ours that are worth a place in the evidence: the innermost ones."""

NO_FACTS = frozenset({"measured", "exhibits", "request"})
"""What a check may take that says nothing about the target."""

_STATUS = {
    Outcome.PASSED: ("passed", ".", ("PASSED", {"green": True})),
    Outcome.ATTESTED: ("attested", "a", ("ATTESTED", {"green": True})),
    Outcome.NOT_APPLICABLE: ("not applicable", "-", ("NOT APPLICABLE", {"yellow": True})),
    Outcome.WAIVED: ("waived", "w", ("WAIVED", {"yellow": True})),
    Outcome.NOT_DUE: ("not due", "n", ("NOT DUE", {"yellow": True})),
    Outcome.PENDING: ("pending", "p", ("PENDING", {"yellow": True})),
    Outcome.UNKNOWN: ("unknown", "?", ("UNKNOWN", {"yellow": True})),
    Outcome.FAILED: ("failed", "F", ("FAILED", {"red": True})),
}


class PassedBelow(Exception):
    """A writing check that may not write here has passed in a lower environment, on the same release."""


class NotApplicable(Exception):
    """The environment declares that no item of this check applies to it."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep the environment's terms, and leave the telling of failures to the verdict."""
    if ENVIRONMENT not in config.stash:
        return
    config.stash[TERMS] = terms_of(config.stash[ENVIRONMENT])
    if getattr(config.option, "tbstyle", None) == "auto":
        config.option.tbstyle = "no"
        config.option.reportchars = ""


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """What the check measured: call it with the value, the limit and the unit."""
    node: pytest.Item = request.node
    return node.stash.setdefault(_MEASURED, Measured())


@pytest.fixture
def exhibits(request: pytest.FixtureRequest) -> Exhibits:
    """Evidence for the report: tables, pictures, drawings."""
    node: pytest.Item = request.node
    return node.stash.setdefault(_EXHIBITS, Exhibits())


def planned(item: pytest.Item, checklist: dict[str, Item]) -> Planned:
    """Return what a collected check will judge.

    Raises:
        pytest.UsageError: it is no check of the suite.
    """
    ids = items_of(item)
    if not ids or ids[0] not in checklist:
        raise pytest.UsageError(
            f"{item.nodeid} is no check of the checklist; run pytest in the project, without it"
        )
    first = checklist[ids[0]]
    return Planned(test=item.nodeid, title=_title(item), items=ids, phase=first.phase, window=first.window)


def _title(item: pytest.Item) -> str:
    """Return the check's claim: the first line of its docstring, else its name as words."""
    function = getattr(item, "function", None)
    doc = (getattr(function, "__doc__", None) or "").strip()
    if doc:
        return str(doc.splitlines()[0])
    return item.name.partition("[")[0].removeprefix("test_").replace("_", " ")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out a check that does not apply, or that may not write and has passed in a lower environment."""
    if TERMS not in item.config.stash:
        return
    reasons = item.config.stash[TERMS].not_applicable
    ids = items_of(item)
    if all(item_id in reasons for item_id in ids):
        raise NotApplicable("; ".join(sorted({reasons[item_id] for item_id in ids})))
    environment = item.config.stash[ENVIRONMENT]
    if environment.writes == "never" and item.get_closest_marker("writes"):
        out = item.config.rootpath / "reports" / "out"
        where = passed_below(out, environment, item.config.stash[RELEASE], item.nodeid)
        if where:
            raise PassedBelow(where)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the record, and make the report's outcome and text agree with it."""
    report = yield
    if TERMS not in item.config.stash:
        return report
    item.stash[_DURATION_S] = item.stash.get(_DURATION_S, 0.0) + call.duration
    seen = observed(call, report)
    if seen is None:
        return report
    record = _record(item, seen)
    report.__dict__["gonogo"] = record.to_json()
    _align(report, record, _shown_outcome(record, item.config.stash[TERMS]))
    return report


@dataclass(frozen=True)
class Observed:
    """The outcome of one step of a check, and what it says."""

    outcome: Outcome
    expected: str = ""
    seen: str = ""
    next: str = ""
    by_hand: str = ""
    action: str = ""
    message: str = ""
    detail: str = ""
    attestation: dict[str, Any] | None = None


def observed(call: pytest.CallInfo[None], report: pytest.TestReport) -> Observed | None:
    """Return what one step (set-up, call, tear-down) says; ``None`` for a step without news."""
    if hasattr(report, "wasxfail"):
        return _unknown("marked as an expected failure, which is no evidence", "remove the xfail mark")
    if call.excinfo is None:
        return Observed(Outcome.PASSED) if report.when == "call" else None
    return classify(call.excinfo.value, call.excinfo)


def classify(error: BaseException, excinfo: pytest.ExceptionInfo[BaseException]) -> Observed:
    """Return the outcome that an exception in a check or in its fixtures stands for."""
    told: Observed
    match error:
        case NoAnswer():
            told = _no_answer(error)
        case CannotObserve():
            told = _unknown(str(error), error.remedy or "make it observable, then repeat this check")
        case Absent() | NotApplicable() | NotRequired():
            told = Observed(Outcome.NOT_APPLICABLE, message=str(error))
        case Attested():
            told = Observed(
                Outcome.ATTESTED, message=str(error), by_hand=error.by_hand, attestation=error.facts
            )
        case Pending():
            told = _pending(error)
        case PassedBelow():
            told = Observed(Outcome.PASSED, message=str(error))
        case pytest.skip.Exception():
            told = _unknown(f"skipped, which is no evidence: {error}", "let the check observe or be declared")
        case pytest.fail.Exception() if "pytest-timeout" in str(error):
            told = _unknown(
                f"the suite's own deadline passed: {error}", "find what took so long, then repeat"
            )
        case AssertionError() | pytest.fail.Exception():
            told = _failed_claim(str(error))
        case _:
            told = _crash(error, excinfo)
    return told


def _no_answer(error: NoAnswer) -> Observed:
    return Observed(
        Outcome.FAILED,
        expected=f"an answer from the {error.component}",
        seen=str(error),
        next=f"see whether the {error.component} runs and can be reached at {error.address}",
        message=str(error),
    )


def _pending(error: Pending) -> Observed:
    return Observed(
        Outcome.PENDING,
        expected=f"a valid attestation of {error.item}: {error.reason}",
        seen=error.lacks,
        next=error.remedy,
        by_hand=error.by_hand,
        message=str(error),
    )


def _crash(error: BaseException, excinfo: pytest.ExceptionInfo[BaseException]) -> Observed:
    frames = traceback.extract_tb(excinfo.tb)
    where = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    told = _unknown(f"the check broke{where}: {type(error).__name__}: {error}", "report this defect")
    return replace(told, detail="".join(traceback.format_list(frames[-_SHOWN_FRAMES:])))


def _unknown(why: str, remedy: str) -> Observed:
    return Observed(Outcome.UNKNOWN, expected="an observation", seen=why, next=remedy, message=why)


def _failed_claim(message: str) -> Observed:
    told = Explanation.parse(message)
    if told is None:
        return Observed(Outcome.FAILED, seen=message, next="see the check's claim", message=message)
    return Observed(
        Outcome.FAILED,
        expected=told.expected,
        seen=told.seen,
        next=told.next,
        by_hand=told.by_hand,
        action=told.action,
        message=f"{told.seen} (expected: {told.expected})",
    )


def limited(seen: Observed, items: tuple[str, ...]) -> Observed:
    """Return what a check says about its items: a statement about one of them covers no other."""
    if seen.attestation is None or items == (seen.attestation["item"],):
        return seen
    why = f"{seen.attestation['item']} was attested, and the check judges {', '.join(items)}"
    return _unknown(why, "report this defect")


def founded(seen: Observed, takes: Collection[str]) -> Observed:
    """Return what a check says, unless it has passed without a fact: then nothing was observed.

    Args:
        seen: what it says.
        takes: the names of its fixtures and parameters.
    """
    if seen.outcome is Outcome.PASSED and set(takes) <= NO_FACTS:
        return _unknown("the check takes no fact, so it has observed nothing", "report this defect")
    return seen


def _record(item: pytest.Item, seen: Observed) -> Record:
    plan = planned(item, item.config.stash[CHECKLIST])
    function = getattr(item, "function", None)
    seen = founded(seen, inspect.signature(function).parameters if function else ())
    seen = limited(seen, plan.items)
    measured = item.stash.get(_MEASURED, Measured())
    return Record(
        test=plan.test,
        title=plan.title,
        items=plan.items,
        phase=plan.phase,
        window=plan.window,
        measured=measured.value,
        limit=measured.limit,
        unit=measured.unit,
        attempts=measured.attempts,
        duration_s=item.stash[_DURATION_S],
        exhibits=tuple(item.stash.get(_EXHIBITS, Exhibits()).shown),
        **vars(seen),
    )


def _shown_outcome(record: Record, terms: Terms) -> Outcome:
    """Return the outcome that pytest shows: WAIVED when every item of the check is waived."""
    today = datetime.now(UTC).date()
    waivers = [terms.waivers.get(item_id) for item_id in record.items]
    excused = all(waiver is not None and waiver.expires >= today for waiver in waivers)
    if excused and record.outcome in {Outcome.FAILED, Outcome.UNKNOWN}:
        return Outcome.WAIVED
    return record.outcome


def _align(report: pytest.TestReport, record: Record, shown: Outcome) -> None:
    """Make the report's pytest outcome and its text say what the record says."""
    report.__dict__.pop("wasxfail", None)
    report.__dict__["gonogo_outcome"] = str(shown)
    if shown is Outcome.PASSED and report.outcome == "passed":
        return
    if shown.settles:
        report.outcome = "skipped"
        path, line, _ = report.location
        text = record.message if shown is record.outcome else f"{record.outcome}: {record.message}"
        report.longrepr = (path, line or 0, f"{shown}: {text}")
        return
    report.outcome = "failed"
    lines = [f"{shown}: {record.message}", *((f"next: {record.next}",) if record.next else ())]
    report.longrepr = "\n".join([*lines, *((record.detail,) if record.detail else ())])


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Give each of the eight outcomes a letter and a word of its own."""
    shown: Any = getattr(report, "gonogo_outcome", None)
    return _STATUS[Outcome(shown)] if shown else None
