"""A task of the run's own goes through its states, and by no other way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from checks.validation.flows import orders
from checks.validation.flows.orders import cell
from checks.validation.flows.races import judge
from checks.validation.flows.steps import different, held, same
from fixtures.observation import Absent, CannotObserve
from fixtures.record_life import GONE

if TYPE_CHECKING:
    from checks.validation.flows.steps import Flow, Step
    from fixtures.release import Release

pytestmark = [pytest.mark.validation, pytest.mark.writes]

REMEDY = "read the service's log for this request"
BAD_REQUEST, CONFLICT, UNPROCESSABLE = 400, 409, 422
BAD_INPUT = frozenset({BAD_REQUEST, UNPROCESSABLE})
NOT_THERE = frozenset({400, 404, 410, 422})
REFUSALS = {
    "quantity 0": frozenset({UNPROCESSABLE}),
    "quantity -1": frozenset({UNPROCESSABLE}),
    "absurd quantity": frozenset({BAD_REQUEST, CONFLICT, UNPROCESSABLE}),
    "quantity in words": BAD_INPUT,
    "no quantity": BAD_INPUT,
}
"""How a completion is refused. An absurd quantity is a variance, too."""


# ---------------------------------------------------------------- the way through


@item("VAL-API-2", "REL-PPIC-1")
def test_order_begins_as_a_draft(order_flow: Flow, release: Release, measured: Measured) -> None:
    """The task of a new order is in DRAFT."""
    order_flow.done("create", release.endpoint(release.records["order"].create).status)
    state = order_flow.fact("first state")
    measured(state or "no state", limit=orders.STATES[0])

    assert state == orders.STATES[0], explain(
        expected=f"the task of a new order is in {orders.STATES[0]}",
        seen=f"it is in {state}" if state else "it shows no state",
        next=REMEDY,
    )


@item("VAL-API-2", "REL-PPIC-1")
@pytest.mark.parametrize("action", orders.ACTIONS)
def test_allowed_transition_works(
    action: str, order_flow: Flow, release: Release, measured: Measured
) -> None:
    """A task can be approved, started and completed; readers and the database agree on its new state."""
    step, promised = order_flow.step(action), release.endpoint(f"{action}_task").status
    wanted = orders.LEADS_TO[action]
    measured(f"{step.answer.status}, {step.state or 'no state'}", limit=f"{promised}, {wanted}")
    stored = set(step.stored) & set(orders.STATES)  # what belongs to the order may have states of its own
    is_stored = not stored or wanted in stored

    assert step.answer.status == promised and step.state == wanted and is_stored, explain(  # noqa: PT018
        expected=f"{action} answers {promised} and leads to {wanted}",
        seen=f"{_told(step)}; the task is in {step.state or 'no known state'}"
        + ("" if is_stored else f", in the database {' or '.join(sorted(stored))}"),
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-2", "REL-PPIC-1")
def test_what_an_approval_says_is_kept(order_flow: Flow, release: Release) -> None:
    """A task shows what was sent to approve it, as far as it shows such fields."""
    endpoint = release.endpoint("approve_task")
    step = order_flow.done("approve", endpoint.status)
    sent, shown = json.loads(order_flow.fact("sent approve")), {**held(endpoint, step.answer), **step.shown}
    if not sent.keys() & shown.keys():
        raise Absent("field of an approval that a task shows", f"sent: {', '.join(sent) or 'none'}")
    wrong = different(sent, shown)

    assert not wrong, explain(
        expected="a task shows what was sent to approve it",
        seen=wrong,
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-2", "REL-PPIC-1")
@pytest.mark.parametrize(("state", "action"), orders.FORBIDDEN)
def test_forbidden_transition_is_refused(
    state: str, action: str, order_flow: Flow, measured: Measured
) -> None:
    """An action that a task's state does not allow is refused with 400."""
    step = order_flow.step(cell(state, action))
    measured(step.answer.status, limit=BAD_REQUEST)

    assert step.answer.status == BAD_REQUEST, explain(
        expected=f"{action} of a task in {state} is refused with {BAD_REQUEST}",
        seen=f"{_told(step)}; the task is in {step.state or 'no known state'} now",
        next="check the state in the same transaction that changes it",
        by_hand=step.answer.curl,
    )


@item("VAL-API-2", "REL-PPIC-1")
@pytest.mark.parametrize("action", orders.ACTIONS)
@pytest.mark.usefixtures("_several_at_once")
def test_transition_happens_once(action: str, order_flow: Flow, release: Release, measured: Measured) -> None:
    """Of several requests at once for the same transition, one succeeds."""
    race = order_flow.race(orders.RACES[action])
    measured(race.told)
    judge(
        race,
        what=f"requests to {action} a task",
        promised=release.endpoint(f"{action}_task").status,
        following="lock the task before its state is read, or make the state part of the change's condition",
    )

    assert race.state == orders.LEADS_TO[action], explain(
        expected=f"{action} leads to {orders.LEADS_TO[action]}, however many ask at once",
        seen=f"{race.told}; the task is in {race.state or 'no known state'}",
        next=REMEDY,
    )


@item("VAL-API-2", "REL-PPIC-1")
def test_every_transition_was_tried(order_flow: Flow, exhibits: Exhibits) -> None:
    """Every action was tried in every state."""
    rows = [
        (state, *(_cell(order_flow, state, action) for action in orders.ACTIONS)) for state in orders.STATES
    ]
    exhibits.table("State matrix: seen (expected)", ("state", *orders.ACTIONS), rows)
    names = [_name(state, action) for state in orders.STATES for action in orders.ACTIONS]
    missing = [name for name in names if name not in order_flow.steps]

    if missing:
        raise CannotObserve("trying every action in every state", f"not tried: {', '.join(missing)}")


def _cell(flow: Flow, state: str, action: str) -> str:
    expected = orders.LEADS_TO[action] if (state, action) in orders.ALLOWED else BAD_REQUEST
    step = flow.steps.get(_name(state, action))
    return f"{step.answer.status}, {step.state} ({expected})" if step else f"not tried ({expected})"


def _name(state: str, action: str) -> str:
    return action if (state, action) in orders.ALLOWED else cell(state, action)


@item("VAL-API-2", "REL-PPIC-1")
@pytest.mark.parametrize("name", orders.UNKNOWN)
def test_unknown_task_is_refused(name: str, order_flow: Flow, measured: Measured) -> None:
    """An action on a task that does not exist is refused."""
    step = order_flow.step(name)
    measured(step.answer.status, limit="404")

    assert step.answer.status in NOT_THERE, explain(
        expected=f"{name}: refused with 404",
        seen=_told(step),
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-2", "REL-PPIC-1")
def test_order_stays_when_another_is_removed(order_flow: Flow, release: Release) -> None:
    """Removing an order leaves the others alone."""
    step, own = order_flow.step(orders.NEIGHBOUR), release.records["order"]

    assert step.answer.status not in GONE and not step.failed, explain(  # noqa: PT018  one claim
        expected="an order is there after another one was removed",
        seen=step.told,
        next=f"see what {own.delete} removes besides the order that it is asked to",
        by_hand=step.answer.curl,
    )


@item("VAL-API-2", "REL-PPIC-1")
def test_orders_of_the_run_are_removed_again(order_flow: Flow) -> None:
    """Every order that the flow made is gone when it is over."""
    if not order_flow.made:
        raise CannotObserve("looking for what the flow left", "it made nothing")

    assert not order_flow.left, explain(
        expected="nothing is left of the flow",
        seen="; ".join(order_flow.left),
        next="remove it by hand: its mark names this run; the next run tries again",
    )
    if order_flow.unproven:
        raise CannotObserve("looking for what the flow left", "; ".join(order_flow.unproven))


# ---------------------------------------------------------------- quantities


@item("REL-PPIC-1")
@pytest.mark.parametrize("name", REFUSALS)
def test_bad_quantity_is_refused(name: str, order_flow: Flow, measured: Measured) -> None:
    """A task cannot be completed with a quantity that makes no sense."""
    step, wanted = order_flow.step(name), " or ".join(map(str, sorted(REFUSALS[name])))
    measured(step.answer.status, limit=wanted)

    assert step.answer.status in REFUSALS[name], explain(
        expected=f"completing with {name}: refused with {wanted}",
        seen=f"{_told(step)}; the task is in {step.state or 'no known state'} now",
        next="validate the quantity before it is used",
        by_hand=step.answer.curl,
    )


@item("REL-PPIC-1")
@pytest.mark.parametrize("name", orders.VARIANCES)
def test_variance_over_ten_per_cent_is_refused(name: str, order_flow: Flow, measured: Measured) -> None:
    """A quantity that varies by more than 10 % from the plan is refused with 409."""
    step = order_flow.step(name)
    measured(step.answer.status, limit=CONFLICT)

    assert step.answer.status == CONFLICT, explain(
        expected=f"completing {orders.VARIANCES[name]} of {orders.PLANNED} pieces: refused with {CONFLICT}",
        seen=f"{_told(step)}; the task is in {step.state or 'no known state'} now",
        next="compare the quantity with the plan when a task is completed",
        by_hand=step.answer.curl,
    )


@item("REL-PPIC-1")
@pytest.mark.parametrize("name", orders.EXACTLY)
def test_variance_of_ten_per_cent_is_accepted(
    name: str, order_flow: Flow, release: Release, measured: Measured
) -> None:
    """A quantity that varies by 10 % from the plan, and not by more, is accepted."""
    step, promised = order_flow.step(name), release.endpoint("complete_task").status
    measured(step.answer.status, limit=promised)

    assert step.answer.status == promised and step.state == "COMPLETED", explain(  # noqa: PT018  one claim
        expected=f"completing {orders.EXACTLY[name]} of {orders.PLANNED} pieces answers {promised}",
        seen=f"{_told(step)}; the task is in {step.state or 'no known state'}",
        next="compare the quantity with the plan exactly: only a variance over 10 % is refused",
        by_hand=step.answer.curl,
    )


@item("REL-PPIC-1")
def test_variance_can_be_overridden(order_flow: Flow, release: Release) -> None:
    """A quantity that varies by more than 10 % is accepted with the override."""
    step, promised = order_flow.step("override"), release.endpoint("complete_task").status

    assert step.answer.status == promised and step.state == "COMPLETED", explain(  # noqa: PT018  one claim
        expected=f"completing {orders.OVER} of {orders.PLANNED} pieces with the override answers {promised}",
        seen=f"{_told(step)}; the task is in {step.state or 'no known state'}",
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("REL-PPIC-1")
@pytest.mark.parametrize(("name", "quantity"), [("complete", orders.WITHIN), ("override", orders.OVER)])
def test_made_quantity_is_kept(name: str, quantity: int, order_flow: Flow, release: Release) -> None:
    """A completed task shows the quantity that was made."""
    endpoint = release.endpoint("complete_task")
    step = order_flow.done(name, endpoint.status)
    field = orders.quantity_field(release)
    shown = held(endpoint, step.answer).get(field, step.shown.get(field))
    if shown is None:
        got = f"neither its completion nor reading it shows a {field}"
        raise CannotObserve("reading the quantity of a completed task", got)

    assert same(quantity, shown), explain(
        expected=f"{field} is {quantity}",
        seen=f"{field} is {shown}",
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("REL-PPIC-1")
@pytest.mark.parametrize("name", orders.BAD_ORDERS)
def test_bad_order_is_refused(name: str, order_flow: Flow, measured: Measured) -> None:
    """An order of a quantity that makes no sense is refused."""
    step = order_flow.step(name)
    measured(step.answer.status, limit="400 or 422")

    assert step.answer.status in BAD_INPUT, explain(
        expected=f"an {name} is refused with 400 or 422",
        seen=_told(step),
        next="validate the quantity before it is used",
        by_hand=step.answer.curl,
    )


@item("VAL-API-2", "REL-PPIC-1")
def test_failed_task_writes_change_nothing(order_flow: Flow, exhibits: Exhibits) -> None:
    """A request that is answered with an error has changed no task, for readers or in the database."""
    commits = order_flow.commits(orders.WRITES)
    exhibits.table("What each request changed", ("request", "answer", "changed"), commits.rows)

    assert not commits.wrong, explain(
        expected="what is answered with an error is not committed",
        seen="; ".join(commits.wrong),
        next="make each request one transaction that ends before the answer",
    )
    if commits.unseen:
        raise CannotObserve("asking what failed writes changed", "; ".join(commits.unseen))


def _told(step: Step) -> str:
    return step.told + (f"; {step.changed}" if step.failed and step.changed else "")
