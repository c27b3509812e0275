"""The rule for settled, the severities' actions and the exit codes, on invented records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from reports.plan import Plan, Planned
from reports.record import Outcome, Record
from reports.verdict import Circumstances, Contact, Escalation, Terms, Waiver, judge_item, verdict

if TYPE_CHECKING:
    from checks.checklist import Item

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TERMS = Terms(
    escalation={
        1: Escalation(5, (Contact("On-call Engineer", "A", "+62 1"),)),
        2: Escalation(30, (Contact("DevOps Lead", "B", "+62 2"),)),
        3: Escalation(120, (Contact("Support Team", "C", "c@example.org"),)),
        4: Escalation(1440, (Contact("Project Manager", "D", "d@example.org"),)),
    },
    rollback=("switch back",),
    rollback_within_min=5,
)
CIRCUMSTANCES = Circumstances(
    environment="local",
    release="1.0.0",
    commit="abc",
    images={},
    run="r",
    started=NOW,
    ended=NOW,
    target={},
    requests={},
    limitations=(),
)

Give = Callable[..., dict[str, Any]]


@pytest.fixture
def give(make_item: Callable[..., Item], make_planned: Callable[..., Planned]) -> Give:
    """Return the verdict over records of one item, or over records of several items."""

    def give(
        *records: Record,
        partial: str = "",
        terms: Terms = TERMS,
        built: frozenset[str] | None = None,
        plan: tuple[Planned, ...] | None = None,
        **item: Any,
    ) -> dict[str, Any]:
        checklist = {"SMK-1": make_item(**item)}
        checks = tuple(make_planned(test=record.test) for record in records) if plan is None else plan
        return verdict(
            checklist,
            Plan(checks=checks, units=frozenset({("smoke", None)}), partial=partial),
            {record.test: record for record in records},
            terms,
            CIRCUMSTANCES,
            built=frozenset(checklist) if built is None else built,
        )

    return give


def said(content: dict[str, Any]) -> tuple[str, str, int]:
    return content["verdict"], content["action"], content["exit_code"]


def test_all_green_is_go(give: Give, make_record: Callable[..., Record]) -> None:
    content = give(make_record())

    assert said(content) == ("GO", "proceed", 0)
    assert content["items"]["SMK-1"]["settled"] is True


def test_one_red_among_green_is_no_go(give: Give, make_record: Callable[..., Record]) -> None:
    records = [make_record(test=f"t{n}") for n in range(19)]
    content = give(*records, make_record(test="t19", outcome=Outcome.FAILED, seen="500"))

    assert said(content) == ("NO-GO", "rollback", 1)
    assert content["items"]["SMK-1"]["seen"] == "500"


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.PENDING])
def test_unsettled_without_a_failure_is_hold(
    outcome: Outcome, give: Give, make_record: Callable[..., Record]
) -> None:
    assert said(give(make_record(outcome=outcome))) == ("HOLD", "hold", 6)


def test_unknown_never_says_roll_back(give: Give, make_record: Callable[..., Record]) -> None:
    item = give(make_record(outcome=Outcome.UNKNOWN))["items"]["SMK-1"]

    assert item["action"] == "HOLD"
    assert item["commands"] == []
    assert [contact["role"] for contact in item["contacts"]] == ["DevOps Lead"]


@pytest.mark.parametrize(
    ("severity", "before_traffic", "label", "action", "within_min"),
    [
        (1, False, "ROLL BACK", "rollback", 5),
        (2, False, "HOLD", "hold", 30),
        (3, False, "FIX", "hold", 120),
        (4, False, "NOTE", "hold", 1440),
        (1, True, "HOLD", "hold", 5),
        (3, True, "HOLD", "hold", 120),
        (4, True, "NOTE", "hold", 1440),
    ],
)
def test_severity_decides_the_action_and_the_contact(
    severity: int,
    before_traffic: bool,
    label: str,
    action: str,
    within_min: int,
    give: Give,
    make_record: Callable[..., Record],
) -> None:
    failed = make_record(outcome=Outcome.FAILED)
    content = give(failed, severity=severity, before_traffic=before_traffic)
    item = content["items"]["SMK-1"]

    assert (item["action"], content["action"], item["within_min"]) == (label, action, within_min)
    assert item["contacts"] != []
    assert item["commands"] == (["switch back"] if label == "ROLL BACK" else [])


def test_check_can_ask_for_a_hold_where_the_severity_says_roll_back(
    give: Give, make_record: Callable[..., Record]
) -> None:
    content = give(make_record(outcome=Outcome.FAILED, action="HOLD"))

    assert said(content) == ("NO-GO", "hold", 1)


def test_planned_check_without_a_result_is_unknown(
    give: Give, make_record: Callable[..., Record], make_planned: Callable[..., Planned]
) -> None:
    content = give(make_record(test="t1"), plan=(make_planned(test="t1"), make_planned(test="t2")))

    assert said(content) == ("HOLD", "hold", 6)
    assert "left no result" in content["items"]["SMK-1"]["message"]


def test_nothing_planned_is_never_go(give: Give) -> None:
    assert said(give()) == ("HOLD", "hold", 6)


def test_partial_selection_is_never_go(give: Give, make_record: Callable[..., Record]) -> None:
    content = give(make_record(), partial="the selection was narrowed by -k")

    assert said(content) == ("HOLD", "hold", 6)
    assert "-k" in content["headline"]


def test_partial_selection_with_a_failure_is_no_go(give: Give, make_record: Callable[..., Record]) -> None:
    content = give(make_record(outcome=Outcome.FAILED), partial="the selection was narrowed by -k")

    assert content["verdict"] == "NO-GO"


def test_item_without_a_check_cannot_be_settled(give: Give) -> None:
    terms = replace(TERMS, not_applicable={"SMK-1": "there is none"})
    content = give(built=frozenset(), terms=terms)

    assert said(content) == ("HOLD", "hold", 6)
    assert "not built" in content["items"]["SMK-1"]["message"]


def test_not_applicable_settles_with_its_reason(give: Give, make_record: Callable[..., Record]) -> None:
    terms = replace(TERMS, not_applicable={"SMK-1": "no such thing"})
    content = give(make_record(outcome=Outcome.NOT_APPLICABLE), terms=terms)

    assert content["verdict"] == "GO"
    assert content["items"]["SMK-1"]["reason"] == "no such thing"


def _waived_until(expires: date) -> Terms:
    return replace(TERMS, waivers={"SMK-1": Waiver("known", "Ops", expires)})


def test_waiver_in_force_settles_and_shows_what_it_covers(
    give: Give, make_record: Callable[..., Record]
) -> None:
    content = give(make_record(outcome=Outcome.FAILED, seen="500"), terms=_waived_until(TODAY))
    item = content["items"]["SMK-1"]

    assert said(content) == ("GO", "proceed", 0)
    assert (item["outcome"], item["seen"]) == ("WAIVED", "500")
    assert "FAILED, waived by Ops" in item["reason"]


def test_expired_waiver_blocks_and_says_since_when(give: Give, make_record: Callable[..., Record]) -> None:
    content = give(make_record(outcome=Outcome.FAILED), terms=_waived_until(date(2026, 11, 21)))

    assert content["verdict"] == "NO-GO"
    assert "expired on 2026-11-21" in content["items"]["SMK-1"]["reason"]


def test_items_that_are_not_due_leave_the_verdict_provisional(
    make_item: Callable[..., Item], make_record: Callable[..., Record], make_planned: Callable[..., Planned]
) -> None:
    checklist = {"SMK-1": make_item(), "SMK-2": make_item(id="SMK-2")}
    records = [make_record(), make_record(test="t2", items=("SMK-2",), outcome=Outcome.NOT_DUE)]
    plan = Plan(
        checks=tuple(make_planned(test=r.test, items=r.items) for r in records),
        units=frozenset({("smoke", None)}),
        partial="",
    )
    content = verdict(
        checklist, plan, {r.test: r for r in records}, TERMS, CIRCUMSTANCES, built=frozenset(checklist)
    )

    assert (content["verdict"], content["provisional"]) == ("GO", True)


def test_passed_item_carries_a_measured_value(
    make_item: Callable[..., Item], make_record: Callable[..., Record]
) -> None:
    records = [make_record(test="t1"), make_record(test="t2", measured=12.5, limit=200, unit="ms")]
    judged = judge_item(make_item(), records, TERMS, today=TODAY, built=True)

    assert (judged.measured, judged.limit, judged.unit) == (12.5, 200, "ms")
