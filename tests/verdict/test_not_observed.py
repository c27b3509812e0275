"""A check that is optional and was not made settles nothing, and hides nothing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fixtures.observation import NotRequired
from reports.record import NOT_OBSERVED, Outcome, Record
from reports.recorder import Observed, founded
from reports.verdict import Terms, judge_item

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.checklist import Item

TODAY = date(2026, 11, 22)
MESSAGE = str(NotRequired("a browser", "install one"))


def judged(item: Item, *records: Record) -> tuple[Outcome, bool]:
    verdict = judge_item(item, records, Terms(), today=TODAY, built=True)
    return verdict.outcome, verdict.settled


def test_exception_speaks_as_the_verdict_expects() -> None:
    assert MESSAGE.startswith(NOT_OBSERVED)


def test_alone_it_is_unknown(make_item: Callable[..., Item], make_record: Callable[..., Record]) -> None:
    missed = make_record(outcome=Outcome.NOT_APPLICABLE, message=MESSAGE)
    verdict = judge_item(make_item(), [missed], Terms(), today=TODAY, built=True)

    assert (verdict.outcome, verdict.settled) == (Outcome.UNKNOWN, False)
    assert "install one" in verdict.next


def test_others_settle_the_item(make_item: Callable[..., Item], make_record: Callable[..., Record]) -> None:
    missed = make_record(test="b", outcome=Outcome.NOT_APPLICABLE, message=MESSAGE)
    absent = make_record(test="c", outcome=Outcome.NOT_APPLICABLE, message="this environment has no frontend")

    assert judged(make_item(), missed, make_record(measured=3)) == (Outcome.PASSED, True)
    assert judged(make_item(), missed, absent) == (Outcome.NOT_APPLICABLE, True)


def test_checks_that_do_not_apply_hide_no_others(
    make_item: Callable[..., Item], make_record: Callable[..., Record]
) -> None:
    absent = make_record(test="c", outcome=Outcome.NOT_APPLICABLE, message="this environment has no frontend")

    assert judged(make_item(), absent) == (Outcome.NOT_APPLICABLE, True)
    assert judged(make_item(), absent, make_record()) == (Outcome.PASSED, True)


def test_others_that_are_red_stay_red(
    make_item: Callable[..., Item], make_record: Callable[..., Record]
) -> None:
    missed = make_record(test="b", outcome=Outcome.NOT_APPLICABLE, message=MESSAGE)

    for outcome in (Outcome.FAILED, Outcome.UNKNOWN):
        assert judged(make_item(), missed, make_record(outcome=outcome)) == (outcome, False)


def test_check_that_takes_no_fact_has_observed_nothing() -> None:
    """An edited check, ``def test_x(): assert True``, must not settle what it names."""
    passed = Observed(Outcome.PASSED)

    assert founded(passed, ()).outcome is Outcome.UNKNOWN
    assert founded(passed, ("measured", "exhibits")).outcome is Outcome.UNKNOWN
    assert founded(passed, ("health", "measured")) is passed
    assert founded(Observed(Outcome.FAILED), ()).outcome is Outcome.FAILED
