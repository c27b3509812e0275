"""The life of a kanban card, taken once per run on the cards of orders of the run's own."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from checks.validation.flows.orders import Task
from checks.validation.flows.steps import (
    Course,
    Flow,
    Needs,
    Step,
    View,
    Watch,
    attempts,
    declares,
    id_of,
    listed,
    same,
    state_of,
    unlike,
)
from fixtures import bodies
from fixtures.observation import CannotObserve
from fixtures.run import caught

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fixtures.http import Answer
    from fixtures.record_life import Made

NEEDS = Needs(
    ("list_cards", "approve_card", "reject_card", "ship_card", "receive_card"),
    ("VAL-API-3",),
    r"/kanban/.*/(approve|reject|ship|receive)\b",
)

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
OFF = "OFF THE BOARD"
LAST = ("reject", "receive")
"""After these a card is done with, and the board need not show it any more."""

BEGIN = ("approve", "start")
"""What an order's task goes through until the board shows a card, where it does not from the beginning."""

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
        has_card = entry is not None or is_stored(course, self._order)
        for action in BEGIN if not has_card else ():
            if entry is None and declares(course.release, f"{action}_task"):
                Task(course, made).act(action)
                entry = self._entry(made.id)
        if entry is None:
            got = "the board shows no card of it" + (", though the database has one" if has_card else "")
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
            if not step.changed or (step.state == OFF and action not in LAST):
                got = f"{action} answered {step.answer.status} and " + (step.changed or "changed nothing")
                raise CannotObserve(f"bringing a card to where it is {place}", got)

    def _view(self) -> View:
        entry = self._entry(self._made.id)
        rows, unseen = self._course.rows("order", self._order)
        return View(OFF if entry is None else state_of(entry, "card"), {}, rows, unseen)

    def _send(self, action: str) -> Answer:
        name = f"{action}_card"
        body = self._course.filled(self._course.release.endpoint(name).body, self._made.mark)
        return self._course.call(name, self.id, body=body, entry=self._made.entry)

    def _entry(self, order: object) -> dict[str, object] | None:
        answer = self._course.call("list_cards")
        cards = listed(self._course.release.endpoint("list_cards"), answer)
        if cards is None:
            raise CannotObserve(f"finding the card of order {order}", f"the board answered {answer.status}")
        return next((card for card in cards if str(order) in bodies.belongs_to(card, "order")), None)


def is_stored(course: Course, order: str) -> bool:
    """Return whether the database has a card of an order."""
    return any("card" in name for name in course.rows("order", order)[0])


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
            self._course.facts["stored"] = "a card" if is_stored(self._course, id_) else ""
            caught(lambda: Card(self._course, made))  # where the task has to be begun for it
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
