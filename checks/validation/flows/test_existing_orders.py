"""Orders that were there before the release can be listed and read. They are never changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item
from checks.validation.flows.existing import created_at, task_shown
from checks.validation.flows.orders import STATES
from checks.validation.flows.steps import held, state_of
from fixtures.echo import same
from fixtures.observation import CannotObserve

if TYPE_CHECKING:
    from checks.validation.flows.steps import Flow, Step
    from fixtures.release import Release

pytestmark = pytest.mark.validation

REMEDY = "read the service's log for this request; look at what a migration made of old rows"


@item("REL-PPIC-2")
def test_orders_of_before_the_release_are_listed(old_orders: Flow, measured: Measured) -> None:
    """The list of orders shows some that are older than the release."""
    step = old_orders.step("list")

    assert not step.failed, explain(
        expected=f"{step.answer.url} lists the orders of before the release",
        seen=step.told,
        next=REMEDY,
        by_hand=step.answer.curl,
    )
    found = _ids(old_orders)
    measured(len(found), unit="orders read")


@item("REL-PPIC-2")
def test_orders_of_before_the_release_can_be_read(old_orders: Flow, release: Release) -> None:
    """An order that is older than the release can be read, and was created when the list says so."""
    created = dict(json.loads(old_orders.fact("old")))
    wrong: list[tuple[str, Step]] = []
    for id_ in _ids(old_orders):
        step = old_orders.step(f"order {id_}")
        own = release.records.get("order")
        shown = created_at(held(release.endpoint((own and own.read) or "read_order"), step.answer))
        if step.failed or not shown or not same(created[id_], shown[0]):
            said = f"created {shown[0]}, in the list {created[id_]}" if shown else step.told
            wrong.append((f"order {id_}: {said}", step))

    assert not wrong, explain(
        expected=f"orders of before {old_orders.fact('before')} can be read as they were",
        seen="; ".join(said for said, _ in wrong),
        next=REMEDY,
        by_hand=wrong[0][1].answer.curl if wrong else "",
    )


@item("REL-PPIC-2")
def test_tasks_of_before_the_release_can_be_read(old_orders: Flow, release: Release) -> None:
    """The task of an order that is older than the release can be read, and is in one of the known states."""
    wrong: list[tuple[str, Step]] = []
    for id_ in _ids(old_orders):
        step = old_orders.step(f"task {id_}")
        state = state_of(task_shown(release, step), "task")
        if state not in STATES:
            said = f"state {state}" if state else step.told
            wrong.append((f"task of order {id_}: {said}", step))

    assert not wrong, explain(
        expected=f"tasks of before {old_orders.fact('before')} can be read, and are in {', '.join(STATES)}",
        seen="; ".join(said for said, _ in wrong),
        next=REMEDY,
        by_hand=wrong[0][1].answer.curl if wrong else "",
    )


def _ids(flow: Flow) -> list[str]:
    """Return the ids of the old orders that were read.

    Raises:
        CannotObserve: there are none.
    """
    flow.step("list")
    found = [id_ for id_, _ in json.loads(flow.fact("old"))]
    if not found:
        tried = f"finding an order of before {flow.fact('before')}"
        remedy = "repeat this where there are some; a copy of production has them"
        raise CannotObserve(tried, "the list shows none that says when it was created", remedy=remedy)
    return found
