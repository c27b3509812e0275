"""The life of a manufacturing order's task, taken once per run on orders of the run's own."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from checks.validation.flows.steps import (
    QUANTITY,
    Course,
    Flow,
    Needs,
    Step,
    View,
    Watch,
    attempts,
    declares,
    held,
    id_of,
    is_safe,
    quantity_in,
    state_of,
    unlike,
    written,
)
from fixtures import bodies
from fixtures.observation import Absent, CannotObserve
from fixtures.record_life import GONE
from fixtures.run import caught

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fixtures.http import Answer
    from fixtures.record_life import Made
    from fixtures.release import Release

NEEDS = Needs(
    ("approve_task", "start_task", "complete_task"),
    ("VAL-API-2", "REL-PPIC-1"),
    r"/tasks/[^/]+/(approve|start)\b",
)

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
TASK_PLACES = ("task_id", "taskId", "task.id")
"""Where an order may hold the id of its task, if the release file does not say."""

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

    def act(
        self,
        action: str,
        fields: Mapping[str, object] | None = None,
        *,
        id_: str = "",
        query: Mapping[str, object] | None = None,
    ) -> Step:
        """Take an action that is right in the right state, and see what it changes.

        Args:
            action: approve, start or complete.
            fields: of the body, where it is to be different; ``None`` leaves one out.
            id_: the id of another task that is asked instead, while this one is watched.
            query: parameters that are to be different.
        """
        return self.watch.step(partial(self._send, action, fields or {}, id_ or self.id, query))

    def sent(self, action: str) -> dict[str, object]:
        """Return the body that an action is taken with, where nothing in it is to be different."""
        return self._body(action, {})

    def race(self, action: str) -> None:
        """Take an action that is right in the right state several times at once."""
        self._course.race(RACES[action], partial(self._send, action, {}, self.id), self._view)

    def _send(
        self, action: str, fields: Mapping[str, object], id_: str, query: Mapping[str, object] | None = None
    ) -> Answer:
        body = self._body(action, fields)
        return self._course.call(f"{action}_task", id_, query=query, body=body, entry=self._made.entry)

    def _body(self, action: str, fields: Mapping[str, object]) -> dict[str, object]:
        endpoint = self._course.release.endpoint(f"{action}_task")
        declared = self._course.filled(endpoint.body, self._made.mark)
        name = quantity_field(self._course.release)
        made = {name: PLANNED, **fields} if action == "complete" else fields
        sent = {**declared, **{key: written(value, declared.get(key)) for key, value in made.items()}}
        return {key: value for key, value in sent.items() if value is not None}

    def complete(self, quantity: object, *, override: bool = False) -> Step:
        """Complete it with a quantity, or without any."""
        fields, query = _override(self._course.release) if override else ({}, {})
        return self.act("complete", {quantity_field(self._course.release): quantity, **fields}, query=query)

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
        release = self._course.release
        shown = task_in(release, name, held(release.endpoint(name), self._course.call(name, id_)))
        rows, unseen = self._course.rows("order", self._order)
        sent = {key for action in ACTIONS for key in release.endpoint(f"{action}_task").body}
        fields = {key: value for key, value in shown.items() if key in sent or QUANTITY.search(key)}
        return View(state_of(shown, "task"), fields, rows, unseen)


class OrderFlow:
    """The flow's steps."""

    def __init__(self, course: Course) -> None:
        self._course = course
        own = course.release.records.get("order")
        self._order = own.body if own else {}
        self._planned = quantity_in(self._order, "planned_quantity")

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
        with self._course.making("order", self._of(quantity), step=name):
            pass

    def _of(self, quantity: object) -> dict[str, object]:
        return {self._planned: written(quantity, self._order.get(self._planned))}

    def _unknown(self) -> None:
        """Act on a task that is not there, once reading has said so."""
        course = self._course
        with self._making() as made:
            task = Task(course, made)
            nobody, seen = str(unlike(task.id)), NOT_FOUND
            if declares(course.release, "read_task"):
                seen = course.call("read_task", nobody).status
            elif not is_safe(nobody):
                nobody = f"{task.id}-{secrets.token_hex(4)}"  # longer than anybody's
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
        with self._course.making("order", self._of(PLANNED), step=step) as made:
            yield made


def begun(course: Course, order: Made) -> bool:
    """Return whether an order of the run's own could be brought to where its task is in progress."""
    if not all(declares(course.release, name) for name in NEEDS.endpoints):
        return False
    try:
        Task(course, order).bring_to("IN_PROGRESS")
    except CannotObserve:
        return False
    return True


def ended(course: Course, order: Made) -> None:
    """Complete the task of an order of the run's own, as far as that is possible."""
    if declares(course.release, "complete_task"):
        caught(lambda: Task(course, order).complete(PLANNED, override=True))


def _tried(task: Task, name: str) -> Step:
    if name in COMPLETIONS:
        return task.complete(COMPLETIONS[name], override=name == OVERRIDE)
    return task.act(name.partition(" ")[0])


def quantity_field(release: Release) -> str:
    """Return how the field is called that holds the quantity that was made."""
    return quantity_in(release.endpoint("complete_task").body, "actual_quantity")


def _override(release: Release) -> tuple[dict[str, object], dict[str, object]]:
    """Return the fields of the body, or the parameters, that let a variance pass."""
    endpoint = release.endpoint("complete_task")
    if asked := [name for name in endpoint.query if "override" in name]:
        return {}, {asked[0]: True}
    named = [name for name in endpoint.body if "override" in name]
    flags = [name for name in named if isinstance(endpoint.body[name], bool)]
    return {(flags or named or ["override_variance"])[0]: True}, {}


def task_place(release: Release, order: object) -> str:
    """Return the dotted field of an order, or of its entry in a list, that holds the id of its task."""
    for name in ("read_task", *(f"{action}_task" for action in ACTIONS)):
        if declares(release, name) and "id_field" in release.endpoint(name).model_fields_set:
            return release.endpoint(name).id_field
    return next(
        (place for place in TASK_PLACES if bodies.field(order, place) is not bodies.MISSING), "task_id"
    )


def task_in(release: Release, name: str, shown: dict[str, object]) -> dict[str, object]:
    """Return the task that an answer shows: all of it, or the part of an order that holds the task's id.

    Args:
        release: the release.
        name: the endpoint that answered: ``read_task``, or what shows an order.
        shown: the object of its answer.
    """
    part = "" if name == "read_task" else task_place(release, shown).rpartition(".")[0]
    found = bodies.field(shown, part) if part else shown
    return found if isinstance(found, dict) else {}


def _task_id(course: Course, made: Made, order: str) -> str:
    """Return the id of an order's task: the one that its creation tells, or else reading it.

    Raises:
        CannotObserve: neither does.
    """
    own, release = course.release.records["order"], course.release
    shown = [held(release.endpoint(own.create), made.created)]
    if bodies.field(shown[0], task_place(release, shown[0])) is bodies.MISSING and own.read:
        shown.append(held(release.endpoint(own.read), course.call(own.read, order)))
    found = [bodies.field(body, task_place(release, body)) for body in shown]
    id_ = next((value for value in found if isinstance(value, int | str)), None)
    if id_ is None:
        remedy = "name its field as id_field of read_task, or of approve_task where there is none"
        got = f"no {task_place(release, shown[-1])} in it"
        raise CannotObserve(f"finding the task of order {order}", got, remedy=remedy)
    return str(id_)
