"""The life of a kanban card, taken once per run on the cards of orders of the run's own."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from checks.validation.flows.steps import (
    Course,
    Flow,
    Step,
    View,
    Watch,
    attempts,
    id_of,
    listed,
    same,
    state_of,
    unlike,
)
from fixtures.observation import CannotObserve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fixtures.http import Answer
    from fixtures.record_life import Made

NEEDS = ("list_cards", "approve_card", "reject_card", "ship_card", "receive_card")
"""The endpoints that make a release one with this flow."""

ACTIONS = ("approve", "reject", "ship", "receive")
WAYS = {"new": (), "approved": ("approve",), "shipped": ("approve", "ship")}
WAYS |= {"received": ("approve", "ship", "receive"), "rejected": ("reject",)}
"""What takes a card from its creation to a place. These words are ours; the target has its own states."""

ALLOWED = (("new", "approve"), ("new", "reject"), ("approved", "ship"), ("shipped", "receive"))
OPEN = (("approved", "reject"), ("shipped", "reject"))
"""Whether a card can be taken back once it is approved is promised nowhere."""

FORBIDDEN = tuple(
    (place, action) for place in WAYS for action in ACTIONS if (place, action) not in {*ALLOWED, *OPEN}
)
ORDER = re.compile(r"(\w+_)?order(_?id)?", re.IGNORECASE)
"""How the field of a card may be called that names its order."""

UNKNOWN = tuple(f"unknown id: {action}" for action in ACTIONS)


def cell(place: str, action: str) -> str:
    """Return the name of the step that takes an action with a card in a place."""
    return f"{action} when {place}"


WRITES = tuple(cell(place, action) for place in WAYS for action in ACTIONS)
"""The steps that write, or try to."""


class Card:
    """The card of an order of the run's own.

    Raises:
        CannotObserve: the board shows none.
    """

    def __init__(self, course: Course, made: Made) -> None:
        self._course = course
        self._made = made
        self._order = id_of(made, "an order")
        entry = self._entry(made.id)
        if entry is None:
            got = "the board shows no card of it"
            if any("card" in name for name in course.rows("order", self._order)[0]):
                got += ", though the database has one"
            raise CannotObserve(f"finding the card of order {self._order}", got)
        self.id = str(entry[course.release.endpoint("list_cards").id_field])
        self._watch = Watch(self._view)

    def is_on_the_board(self) -> bool:
        """Return whether the board shows a card with its id."""
        endpoint = self._course.release.endpoint("list_cards")
        cards = listed(endpoint, self._course.call("list_cards")) or ()
        return any(same(self.id, card.get(endpoint.id_field)) for card in cards)

    def step(self, action: str) -> Step:
        """Take an action with it, and see what that changes."""
        return self._watch.step(partial(self._send, action))

    def bring_to(self, place: str) -> None:
        """Take it to a place.

        Raises:
            CannotObserve: it did not get there.
        """
        for action in WAYS[place]:
            step = self.step(action)
            if not step.changed:
                got = f"{action} answered {step.answer.status} and changed nothing"
                raise CannotObserve(f"bringing a card to where it is {place}", got)

    def _view(self) -> View:
        entry = self._entry(self._made.id)
        if entry is None:
            raise CannotObserve(f"looking at card {self.id}", "the board does not show it any more")
        rows, unseen = self._course.rows("order", self._order)
        return View(state_of(entry), {}, rows, unseen)

    def _send(self, action: str) -> Answer:
        name = f"{action}_card"
        body = self._course.filled(self._course.release.endpoint(name).body, self._made.mark)
        return self._course.call(name, self.id, body=body, entry=self._made.entry)

    def _entry(self, order: object) -> dict[str, object] | None:
        cards = listed(self._course.release.endpoint("list_cards"), self._course.call("list_cards"))
        return next((card for card in cards or () if belongs(card, order)), None)


class KanbanFlow:
    """The flow's steps."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def take(self) -> Flow:
        """Take all parts; each makes its own orders."""
        course = self._course
        course.attempt(("board",), self._board)
        for place in WAYS:
            names = [cell(*pair) for pair in (*FORBIDDEN, *ALLOWED) if pair[0] == place]
            course.attempt(names, partial(attempts, course, names, partial(self._at, place)))
        course.attempt(UNKNOWN, self._unknown)
        return course.flow()

    def _board(self) -> None:
        """Look at the board while an order of the run's own is there."""
        with self._course.making("order") as made:
            id_ = id_of(made, "an order")
            self._course.facts["order"] = id_
            has_card = any("card" in name for name in self._course.rows("order", id_)[0])
            self._course.facts["stored"] = "a card" if has_card else ""
            self._course.take("board", lambda: Step(self._course.call("list_cards")))

    def _unknown(self) -> None:
        """Act on a card that is not on the board."""
        with self._course.making("order") as made:
            card = Card(self._course, made)
            card.id = str(unlike(card.id))
            if card.is_on_the_board():
                raise CannotObserve(f"acting on card {card.id}, which nobody has", "the board shows it")
            for name, action in zip(UNKNOWN, ACTIONS, strict=True):
                self._course.take(name, partial(card.step, action))

    @contextmanager
    def _at(self, place: str) -> Iterator[Callable[[str], Step]]:
        """Lend a card in a place, as the function that acts on it."""
        with self._course.making("order") as made:
            card = Card(self._course, made)
            card.bring_to(place)
            yield lambda name: card.step(name.partition(" ")[0])


def belongs(card: dict[str, object], order: object) -> bool:
    """Return whether a card on the board is that of an order."""
    return any(ORDER.fullmatch(name) and same(order, value) for name, value in card.items())
