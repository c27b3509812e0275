from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from checks.validation.flows.bom import is_raised, times_raised
from checks.validation.flows.existing import created_at
from checks.validation.flows.steps import View, Watch, difference, same, state_of, unlike, written
from fixtures.bodies import belongs_to
from fixtures.http import Answer
from fixtures.observation import CannotObserve, NoAnswer

ANSWER = Answer("POST", "https://127.0.0.1/x", 200, (), b"{}", 1.0, complete=True)
TASK = {"state": "DRAFT", "changed_at": "2026-01-26T08:00:00+00:00", "quantity": None}


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (TASK, ""),
        ({**TASK, "changed_at": "2026-01-26T09:00:00+00:00"}, ""),
        ({**TASK, "new_column": 1}, ""),
        ({**TASK, "state": "APPROVED"}, "tasks 1 state DRAFT -> APPROVED"),
        ({**TASK, "quantity": 5}, "tasks 1 quantity None -> 5"),
        (None, "tasks 1 there -> gone"),
    ],
)
def test_a_difference_is_what_is_stored_otherwise_and_not_a_time_that_moved(
    after: dict[str, Any] | None, said: str
) -> None:
    rows = {"tasks 1": after} if after else {}

    assert difference(View("", {}, {"tasks 1": TASK}), View("", {}, rows)) == said


def test_rows_that_could_not_be_asked_for_are_no_difference() -> None:
    assert difference(View("A", {}, {"tasks 1": TASK}), View("A", {}, {}, "no grant")) == ""
    assert difference(View("A", {"n": 1}), View("", {})) == ""
    assert difference(View("A", {"n": 1}), View("B", {"n": 2})) == "state A -> B; n 1 -> 2"


def test_a_request_without_an_answer_says_what_it_changed_all_the_same() -> None:
    views = iter([View("DRAFT", {}), View("APPROVED", {})])

    def send() -> Answer:
        raise NoAnswer("api", "https://127.0.0.1", "did not answer within 5 s")

    with pytest.raises(NoAnswer, match=r"within 5 s; all the same state DRAFT -> APPROVED"):
        Watch(lambda: next(views)).step(send)


def test_what_cannot_be_looked_at_afterwards_is_not_known_to_be_unchanged() -> None:
    looks = iter([View("DRAFT", {})])

    def look() -> View:
        for view in looks:
            return view
        raise CannotObserve("looking", "no route")

    step = Watch(look).step(lambda: ANSWER)

    assert (step.changed, step.unseen, step.state) == ("", "looking: no route", "")


@pytest.mark.parametrize(
    ("before", "after", "raised"),
    [
        ("A", "B", True),
        ("Z", "AA", True),
        ("9", "10", True),
        ("1.9", "1.10", True),
        ("Rev A", "Rev B", True),
        ("A", "1", True),
        ("A", "A", False),
        ("B", "A", False),
        ("10", "9", False),
    ],
)
def test_a_revision_is_raised_in_the_order_of_people(before: str, after: str, raised: bool) -> None:
    assert is_raised(before, after) is raised


@pytest.mark.parametrize(
    ("before", "after", "times"),
    [
        (1, 6, 5),
        ("1.9", "1.11", 2),
        ("A", "F", 5),
        ("Rev A", "Rev A", 0),
        ("1.0", "2.0", None),
        ("Z", "AA", None),
        ("A", "1", None),
        (None, None, None),
    ],
)
def test_how_often_a_revision_was_raised(before: object, after: object, times: int | None) -> None:
    assert times_raised(before, after) == times


@pytest.mark.parametrize(
    "id_", [7, "7", "3f2b8c1e-4d5a-4b6c-8d7e-9f0a1b2c3d4e", "BOM-00012", "oak"], ids=repr
)
def test_an_id_that_nobody_has_is_of_the_same_kind_and_another(id_: object) -> None:
    other = unlike(id_)

    assert type(other) is type(id_)
    assert other != id_
    assert str(id_).isdecimal() == str(other).isdecimal()


@pytest.mark.parametrize(
    ("sent", "shown", "is_same"),
    [
        (1, 1.0, True),
        (1, "1.00", True),
        ("A", "A", True),
        (False, 0.5, False),
        (2, 1, False),
        ("A", None, False),
    ],
)
def test_a_number_is_the_same_in_every_spelling(sent: object, shown: object, is_same: bool) -> None:
    assert same(sent, shown) is is_same


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"state": "DRAFT"}, "DRAFT"),
        ({"status": "in_progress", "task_status": "x"}, "IN_PROGRESS"),
        ({"status": "in-progress"}, "IN_PROGRESS"),
        ({"status": "In progress"}, "IN_PROGRESS"),
        ({"status": "InProgress"}, "IN_PROGRESS"),
        ({"statement": "DRAFT"}, ""),
        ({"state": 3}, ""),
    ],
)
def test_a_state_is_found_under_its_usual_names(body: dict[str, object], state: str) -> None:
    assert state_of(body) == state


def test_a_state_is_that_of_what_is_meant() -> None:
    assert state_of({"status": "open", "task_status": "draft"}, "task") == "DRAFT"
    assert state_of({"status": "open"}, "task") == "OPEN"


@pytest.mark.parametrize(
    ("number", "like", "sent"),
    [
        (100, 10, 100),
        (2.0, 1, 2),
        (2.0, 1.0, 2.0),
        (100, "10.000", "100"),
        (1e15, "1.000", "1000000000000000"),
        ("ten", "1.000", "ten"),
        (None, "1.000", None),
        (True, "1.000", True),
    ],
)
def test_a_number_is_sent_as_the_release_file_writes_one(number: object, like: object, sent: object) -> None:
    found = written(number, like)

    assert (found, type(found)) == (sent, type(sent))


@pytest.mark.parametrize(
    ("card", "orders"),
    [
        ({"order_id": 5}, ("5",)),
        ({"manufacturing_order_id": "5"}, ("5",)),
        ({"orderId": "MO-5"}, ("MO-5",)),
        ({"order": {"id": 5, "number": "7"}}, ("5",)),
        ({"order": {"order_id": "5"}}, ("5",)),
        ({"refs": {"order_id": 5, "id": 8}}, ("5",)),
        ({"order_quantity": 5}, ()),
        ({"order_id": None}, ()),
        ({"id": 5}, ()),
        ([], ()),
    ],
)
def test_a_card_is_known_by_its_order(card: dict[str, object], orders: tuple[str, ...]) -> None:
    assert belongs_to(card, "order") == orders


@pytest.mark.parametrize(
    "value", ["2026-01-26T07:00:00+07:00", "2026-01-26T00:00:00Z", "2026-01-26", 1769385600, 1769385600000]
)
def test_a_creation_time_is_read_in_every_form(value: object) -> None:
    found = created_at({"id": 1, "created_at": value})

    assert found is not None
    assert found[1] == datetime(2026, 1, 26, tzinfo=UTC)
    assert created_at({"updated_at": value, "created_by": "ali"}) is None
