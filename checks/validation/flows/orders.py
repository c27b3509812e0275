"""The life of a manufacturing order's task, taken once per run on orders of the run's own."""

from __future__ import annotations

import json
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
    declares,
    held,
    id_of,
    is_safe,
    named,
    state_of,
    unlike,
)
from fixtures import bodies
from fixtures.observation import Absent, CannotObserve
from fixtures.record_life import GONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fixtures.http import Answer
    from fixtures.record_life import Made
    from fixtures.release import Release

NEEDS = ("approve_task", "start_task", "complete_task")
"""The endpoints that make a release one with this flow."""

STATES = ("DRAFT", "APPROVED", "IN_PROGRESS", "COMPLETED")
ACTIONS = ("approve", "start", "complete")
LEADS_TO = {"approve": "APPROVED", "start": "IN_PROGRESS", "complete": "COMPLETED"}
ALLOWED = tuple(zip(STATES, ACTIONS, strict=False))
FORBIDDEN = tuple((state, action) for state in STATES for action in ACTIONS if (state, action) not in ALLOWED)

PLANNED = 100
"""Pieces of an order of the flow, so that a per cent is a whole piece: some systems count only those."""

WITHIN, OVER, UNDER = 109, 111, 89
"""Pieces: a variance of 9 % is allowed, one of 11 % is not, either way (the limit is 10 %)."""

EXACTLY = {"10 % over": 110, "10 % under": 90}
"""Pieces at the limit: only a variance over 10 % is refused."""

NOT_FOUND = 404
ABSURD = 1e15
"""Pieces: more than anybody makes, and still a number to every JSON parser."""

BAD_QUANTITIES: dict[str, object] = {
    "quantity 0": 0,
    "quantity -1": -1,
    "absurd quantity": ABSURD,
    "quantity in words": "ten",
    "no quantity": None,
}
VARIANCES = {"11 % over": OVER, "11 % under": UNDER}
OVERRIDE = "override"
COMPLETIONS: dict[str, object] = {**BAD_QUANTITIES, **VARIANCES, **EXACTLY, OVERRIDE: OVER}
"""What a task in progress is completed with, one after the other; the last ones work."""

BAD_ORDERS: dict[str, object] = {
    "order of -1": -1,
    "order of an absurd quantity": ABSURD,
    "order of ten in words": "ten",
}
UNKNOWN = tuple(f"unknown id: {action}" for action in ACTIONS)
NEIGHBOUR = "read after another was removed"
RACES = {action: f"{action} at once" for action in ACTIONS}


def cell(state: str, action: str) -> str:
    """Return the name of the step that takes an action in a state."""
    return f"{action} in {state}"


WRITES = (
    "create",
    *ACTIONS,
    *(cell(*pair) for pair in FORBIDDEN),
    *COMPLETIONS,
    *BAD_ORDERS,
)
"""The steps that write, or try to."""


class Task:
    """The task of an order of the run's own."""

    def __init__(self, course: Course, made: Made) -> None:
        self._course = course
        self._made = made
        self._order = id_of(made, "an order")
        self.id = _task_id(course, made, self._order)
        self.watch = Watch(self._view)

    def act(self, action: str, fields: Mapping[str, object] | None = None, *, id_: str = "") -> Step:
        """Take an action that is right in the right state, and see what it changes.

        Args:
            action: approve, start or complete.
            fields: of the body, where it is to be different; ``None`` leaves one out.
            id_: the id of another task that is asked instead, while this one is watched.
        """
        return self.watch.step(partial(self._send, action, fields or {}, id_ or self.id))

    def sent(self, action: str) -> dict[str, object]:
        """Return the body that an action is taken with, where nothing in it is to be different."""
        return self._body(action, {})

    def race(self, action: str) -> None:
        """Take an action that is right in the right state several times at once."""
        self._course.race(RACES[action], partial(self._send, action, {}, self.id), self._view)

    def _send(self, action: str, fields: Mapping[str, object], id_: str) -> Answer:
        return self._course.call(
            f"{action}_task", id_, body=self._body(action, fields), entry=self._made.entry
        )

    def _body(self, action: str, fields: Mapping[str, object]) -> dict[str, object]:
        made = {quantity_field(self._course.release): PLANNED} if action == "complete" else {}
        endpoint = self._course.release.endpoint(f"{action}_task")
        declared = self._course.filled(endpoint.body, self._made.mark)
        return {key: value for key, value in {**declared, **made, **fields}.items() if value is not None}

    def complete(self, quantity: object, *, override: bool = False) -> Step:
        """Complete it with a quantity, or without any."""
        body = self._course.release.endpoint("complete_task").body
        more = {named(body, "override", "override_variance"): True} if override else {}
        return self.act("complete", {quantity_field(self._course.release): quantity, **more})

    def bring_to(self, state: str) -> None:
        """Take the allowed actions that lead to a state.

        Raises:
            CannotObserve: it did not get there.
        """
        for before, action in ALLOWED:
            if before == state:
                return
            step = self.act(action)
            if step.state != LEADS_TO[action]:
                got = f"{action} answered {step.answer.status} and led to {step.state or 'no known state'}"
                raise CannotObserve(f"bringing a task to {state}", got, remedy="see that action's check")

    def _view(self) -> View:
        own = self._course.release.records["order"]
        has_task = declares(self._course.release, "read_task")
        name, id_ = ("read_task", self.id) if has_task else (own.read, self._order)
        if name is None:
            raise CannotObserve(
                f"looking at task {self.id}", "the release file has no endpoint that shows it"
            )
        shown = held(self._course.release.endpoint(name), self._course.call(name, id_))
        rows, unseen = self._course.rows("order", self._order)
        fields = {key: value for key, value in shown.items() if "quantity" in key}
        return View(state_of(shown), fields, rows, unseen)


class OrderFlow:
    """The flow's steps."""

    def __init__(self, course: Course) -> None:
        self._course = course
        own = course.release.records.get("order")
        self._planned = named(own.body if own else {}, "quantity", "planned_quantity")

    def take(self) -> Flow:
        """Take all parts; each makes its own orders, in the state that it needs."""
        course = self._course
        course.attempt(("create", *ACTIONS), self._life, blamed="create")
        for state in STATES:
            names = [cell(*pair) for pair in FORBIDDEN if pair[0] == state]
            names += COMPLETIONS if state == "IN_PROGRESS" else ()
            course.attempt(names, partial(attempts, course, names, partial(self._in_state, state)))
        for name, quantity in BAD_ORDERS.items():
            course.attempt((name,), partial(self._refused, name, quantity), blamed=name)
        course.attempt(UNKNOWN, self._unknown)
        course.attempt(tuple(RACES.values()), self._races)
        course.attempt((NEIGHBOUR,), self._neighbours)
        return course.flow()

    def _races(self) -> None:
        """Take each action several times at once, in the state that allows it."""
        with self._making() as made:
            task = Task(self._course, made)
            for action in ACTIONS:
                task.race(action)

    def _neighbours(self) -> None:
        """Remove an order while another one is there."""
        with self._making() as made:
            with self._making():
                pass
            self._course.take(NEIGHBOUR, partial(self._reading, id_of(made, "an order")))

    def _reading(self, id_: str) -> Step:
        read = self._course.release.records["order"].read
        if read is None:
            raise Absent("endpoint that shows an order", "the release file names none in records.order.read")
        return Step(self._course.call(read, id_))

    def _life(self) -> None:
        with self._making("create") as made:
            task = Task(self._course, made)
            self._course.facts["first state"] = task.watch.view().state
            steps = (partial(task.act, "approve"), partial(task.act, "start"), partial(task.complete, WITHIN))
            for action, step in zip(ACTIONS, steps, strict=True):
                self._course.facts[f"sent {action}"] = json.dumps(task.sent(action))
                done = self._course.take(action, step)
                if done is None or done.state != LEADS_TO[action]:
                    raise CannotObserve(
                        "going on with the order", f"{action} did not work", remedy="see its check"
                    )

    def _refused(self, name: str, quantity: object) -> None:
        with self._course.making("order", {self._planned: quantity}, step=name):
            pass

    def _unknown(self) -> None:
        """Act on a task that is not there, once reading has said so."""
        course = self._course
        with self._making() as made:
            task = Task(course, made)
            nobody = str(unlike(task.id))
            if declares(course.release, "read_task"):
                seen = course.call("read_task", nobody).status
            else:
                seen = NOT_FOUND if is_safe(nobody) else 0
            if seen not in GONE:
                raise CannotObserve(
                    f"acting on task {nobody}, which nobody has", f"reading it answered {seen}"
                )
            for name, action in zip(UNKNOWN, ACTIONS, strict=True):
                course.take(name, partial(task.act, action, id_=nobody))

    @contextmanager
    def _in_state(self, state: str) -> Iterator[Callable[[str], Step]]:
        """Lend a task in a state, as the function that takes a step with it."""
        with self._making() as made:
            task = Task(self._course, made)
            task.bring_to(state)
            yield partial(_tried, task)

    @contextmanager
    def _making(self, step: str = "") -> Iterator[Made]:
        with self._course.making("order", {self._planned: PLANNED}, step=step) as made:
            yield made


def begun(course: Course, order: Made) -> bool:
    """Return whether an order of the run's own could be brought to where its task is in progress."""
    if not all(declares(course.release, name) for name in NEEDS):
        return False
    try:
        Task(course, order).bring_to("IN_PROGRESS")
    except CannotObserve:
        return False
    return True


def _tried(task: Task, name: str) -> Step:
    if name in COMPLETIONS:
        return task.complete(COMPLETIONS[name], override=name == OVERRIDE)
    return task.act(name.partition(" ")[0])


def quantity_field(release: Release) -> str:
    """Return how the field is called that holds the quantity that was made."""
    return named(release.endpoint("complete_task").body, "quantity", "actual_quantity")


def _task_id(course: Course, made: Made, order: str) -> str:
    """Return the id of an order's task: the one that its creation tells, or else reading it.

    Raises:
        CannotObserve: neither does.
    """
    own, release = course.release.records["order"], course.release
    place = release.endpoint("read_task").id_field if declares(release, "read_task") else "task_id"
    shown = [held(release.endpoint(own.create), made.created)]
    if bodies.field(shown[0], place) is bodies.MISSING and own.read:
        shown.append(held(release.endpoint(own.read), course.call(own.read, order)))
    found = [bodies.field(body, place) for body in shown]
    id_ = next((value for value in found if isinstance(value, int | str)), None)
    if id_ is None:
        remedy = "name its field as id_field of read_task"
        raise CannotObserve(f"finding the task of order {order}", f"no {place} in it", remedy=remedy)
    return str(id_)
