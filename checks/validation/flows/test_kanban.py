"""The kanban board shows cards, and a card of the run's own takes its way under the new path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from checks.validation.flows import kanban
from checks.validation.flows.kanban import cell
from checks.validation.flows.steps import listed, state_of
from fixtures.bodies import belongs_to, hidden_error
from fixtures.http import NotJson
from fixtures.observation import CannotObserve
from fixtures.quoting import cut

if TYPE_CHECKING:
    from checks.validation.flows.steps import Flow, Step
    from fixtures.release import Release

pytestmark = [pytest.mark.validation, pytest.mark.writes]

REMEDY = "read the service's log for this request"
REFUSALS = frozenset({400, 409, 422})
NOT_THERE = frozenset({400, 404, 410, 422})


@item("VAL-API-3")
def test_board_is_a_list_of_cards(card_flow: Flow, release: Release, measured: Measured) -> None:
    """The board answers with the promised status and a list of cards, each with an id and a state."""
    step, endpoint = card_flow.step("board"), release.endpoint("list_cards")
    cards = listed(endpoint, step.answer)
    measured(len(cards or ()), unit="cards")
    shapeless = [
        card for card in cards or () if card.get(endpoint.id_field) is None or not state_of(card, "card")
    ]
    trouble = (
        f"{len(shapeless)} without id or state, such as {cut(str(shapeless[0]), 200)}"
        if shapeless
        else _hidden(step)
    )

    assert step.answer.status == endpoint.status and cards is not None and not trouble, explain(  # noqa: PT018
        expected=f"GET {endpoint.path} answers {endpoint.status} with a list of cards",
        seen=trouble or step.told,
        next=REMEDY,
        by_hand=step.answer.curl,
    )


def _hidden(step: Step) -> str:
    try:
        return hidden_error(step.answer.json())
    except NotJson as error:
        return str(error)


@item("VAL-API-3")
def test_board_shows_the_card_of_a_new_order(card_flow: Flow, release: Release) -> None:
    """The board shows the card of an order that the run has just made."""
    step, endpoint, order = card_flow.step("board"), release.endpoint("list_cards"), card_flow.fact("order")
    is_shown = any(order in belongs_to(card, "order") for card in listed(endpoint, step.answer) or ())
    if not is_shown and not card_flow.fact("stored"):
        raise CannotObserve(f"finding a card of order {order}", "the board shows none, and none is known of")

    assert is_shown, explain(
        expected=f"GET {endpoint.path} shows the card of order {order}",
        seen=f"it does not, though the database has one: {step.told}",
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-3")
@pytest.mark.parametrize(("place", "action"), kanban.ALLOWED)
def test_card_takes_its_way(
    place: str, action: str, card_flow: Flow, release: Release, measured: Measured
) -> None:
    """A card can be approved or rejected, shipped and received, and its state follows."""
    step, endpoint = card_flow.step(cell(place, action)), release.endpoint(f"{action}_card")
    measured(f"{step.answer.status}, {step.state}", limit=endpoint.status)
    is_changed = step.changed and (step.state != kanban.OFF or action in kanban.LAST)

    assert step.answer.status == endpoint.status and is_changed, explain(  # noqa: PT018  one claim
        expected=f"{action} of a card that is {place} answers {endpoint.status}, and changes its state",
        seen=f"{step.told}; " + (step.changed or "nothing has changed"),
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-3")
@pytest.mark.parametrize(("place", "action"), kanban.FORBIDDEN)
def test_card_takes_no_other_way(place: str, action: str, card_flow: Flow, measured: Measured) -> None:
    """What a card's state does not allow is refused."""
    step = card_flow.step(cell(place, action))
    measured(step.answer.status, limit="400 or 409")
    refusals = NOT_THERE | REFUSALS if step.state == kanban.OFF else REFUSALS

    assert step.answer.status in refusals, explain(
        expected=f"{action} of a card that is {place} is refused with 400 or 409",
        seen=f"{step.told}; " + (step.changed or "nothing has changed"),
        next="check the state in the same transaction that changes it",
        by_hand=step.answer.curl,
    )


@item("VAL-API-3")
@pytest.mark.parametrize("name", kanban.UNKNOWN)
def test_unknown_card_is_refused(name: str, card_flow: Flow, measured: Measured) -> None:
    """An action on a card that does not exist is refused."""
    step = card_flow.step(name)
    measured(step.answer.status, limit="404")

    assert step.answer.status in NOT_THERE, explain(
        expected=f"{name}: refused with 404",
        seen=step.told,
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-3")
def test_failed_card_writes_change_nothing(card_flow: Flow, exhibits: Exhibits) -> None:
    """A request that is answered with an error has changed no card, for readers or in the database."""
    commits = card_flow.commits(kanban.WRITES)
    exhibits.table("What each request changed", ("request", "answer", "changed"), commits.rows)

    assert not commits.wrong, explain(
        expected="what is answered with an error is not committed",
        seen="; ".join(commits.wrong),
        next="make each request one transaction that ends before the answer",
    )
    if commits.unseen:
        raise CannotObserve("asking what failed writes changed", "; ".join(commits.unseen))


@item("VAL-API-3")
def test_cards_of_the_run_are_removed_again(card_flow: Flow) -> None:
    """Every order that the flow made for its card is gone when it is over."""
    if not card_flow.made:
        raise CannotObserve("looking for what the flow left", "it made nothing")

    assert not card_flow.left, explain(
        expected="nothing is left of the flow",
        seen="; ".join(card_flow.left),
        next="remove it by hand: its mark names this run; the next run tries again",
    )
    if card_flow.unproven:
        raise CannotObserve("looking for what the flow left", "; ".join(card_flow.unproven))
