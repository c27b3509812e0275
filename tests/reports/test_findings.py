from collections.abc import Callable
from typing import Any

from reports.findings import findings
from reports.record import Outcome, Record

Invented = Callable[[str], dict[str, Any]]


def test_one_cause_is_told_once(invented: Invented) -> None:
    (finding,) = findings(invented("no-go-refused"))

    assert [item_id for item_id, _ in finding.items] == ["SMK-1", "SMK-2", "SMK-3", "SMK-4", "SMK-5"]
    assert finding.worst["action"] == "ROLL BACK"
    assert len(finding.by_hand) == 1


def test_the_worst_comes_first(invented: Invented) -> None:
    told = [(f.worst["action"], f.worst["outcome"]) for f in findings(invented("no-go-rollback"))]

    assert told == [("ROLL BACK", "FAILED"), ("HOLD", "FAILED"), ("HOLD", "UNKNOWN")]


def test_settled_and_not_yet_due_items_need_no_action(invented: Invented) -> None:
    assert findings(invented("go")) == []
    assert findings(invented("provisional")) == []
    assert [f.items[0][0] for f in findings(invented("waived"))] == ["SMK-4"]


def test_another_failing_check_of_the_item_is_not_hidden(
    make_record: Callable[..., Record], make_verdict: Callable[..., dict[str, Any]]
) -> None:
    records = [
        make_record("SMK-3", Outcome.FAILED, test=f"smoke/test_lists.py::test_list[{name}]", seen=seen)
        for name, seen in (("boms", "500"), ("orders", "404"), ("cards", "500"))
    ]
    green = make_record("SMK-3", test="smoke/test_lists.py::test_list[tasks]")

    finding = next(f for f in findings(make_verdict(*records, green)) if f.items[0][0] == "SMK-3")

    assert finding.worst["seen"] == "500"
    assert [record["seen"] for record in finding.elsewhere] == ["404"]
