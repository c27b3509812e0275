"""Orders that were there before the release: found, read, and left alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from checks.validation.flows.steps import Course, Flow, Step, declares, held, listed
from fixtures import bodies
from fixtures.observation import CannotObserve
from fixtures.run import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_READ = 5
"""Old orders that are read: the oldest ones."""

LAST_PAGE = 100
"""Entries that are asked for at the end of a list that begins with younger ones."""

FIRST_MS = 100_000_000_000
"""Numbers from here on count milliseconds since 1970: as seconds this would be the year 5138."""


def taken(course: Course, before: datetime) -> Flow:
    """Find orders that were made before a moment, and read them with their tasks.

    Steps: ``"list"``, ``"order ID"`` and ``"task ID"`` (both with the order's id). The fact ``"old"`` holds
    the ids and creation times as JSON.
    """
    course.facts["before"] = before.isoformat(timespec="seconds")
    course.attempt(("list",), partial(_find, course, before), blamed="list")
    for id_, _ in json.loads(course.facts.get("old", "[]")):
        course.attempt((f"order {id_}", f"task {id_}"), partial(_read, course, id_))
    return course.flow()


def _find(course: Course, before: datetime) -> None:
    name = _endpoint(course, "list")
    step = Step(course.call(name))
    course.keep("list", step)
    old = _older(course, name, step, before)
    total = _total(step)
    if not old and total:
        last = Step(course.call(name, query={"skip": max(0, total - LAST_PAGE), "limit": LAST_PAGE}))
        old = _older(course, name, last, before)
        if old:
            course.keep("list", last)
    course.facts["old"] = json.dumps(old[:MOST_READ])


def _older(course: Course, name: str, step: Step, before: datetime) -> list[tuple[str, str]]:
    """Return id and creation time of the entries that are old, and no run's own, oldest first."""
    endpoint, own = course.release.endpoint(name), course.release.records.get("order")
    found = []
    for entry in listed(endpoint, step.answer) or ():
        mark = bodies.field(entry, own.mark_field) if own else ""
        created, id_ = created_at(entry), entry.get(endpoint.id_field)
        is_own = isinstance(mark, str) and mark.startswith(PREFIX)
        if created and created[1] < before and not is_own and isinstance(id_, int | str):
            found.append((created[1], str(id_), created[0]))
    return [(id_, text) for _, id_, text in sorted(found)]


def _read(course: Course, id_: str) -> None:
    name = _endpoint(course, "read")
    course.take(f"order {id_}", lambda: Step(course.call(name, id_)))
    if not declares(course.release, "read_task"):
        raise CannotObserve(f"reading the task of order {id_}", "the release file declares no read_task")
    task = _task_of(course, name, id_)
    course.take(f"task {id_}", lambda: Step(course.call("read_task", task)))


def _task_of(course: Course, read: str, order: str) -> str:
    """Return the id of an order's task: as the list shows it, or else reading the order.

    Raises:
        CannotObserve: neither does.
    """
    flow, release = course.flow(), course.release
    place = release.endpoint("read_task").id_field
    list_ = release.endpoint(_endpoint(course, "list"))
    entries = listed(list_, flow.step("list").answer) or []
    shown = [entry for entry in entries if str(entry.get(list_.id_field)) == order]
    step = flow.steps.get(f"order {order}")
    shown += [held(release.endpoint(read), step.answer)] if step else []
    for body in shown:
        id_ = bodies.field(body, place)
        if isinstance(id_, int | str):
            return str(id_)
    raise CannotObserve(f"finding the task of order {order}", f"no {place} in it")


def _endpoint(course: Course, verb: str) -> str:
    """Return the name of the endpoint that lists or reads orders.

    Raises:
        CannotObserve: there is none.
    """
    own = course.release.records.get("order")
    declared: str | None = getattr(own, verb) if own else None
    name = declared or {"list": "list_orders", "read": "read_order"}[verb]
    if not declares(course.release, name):
        raise CannotObserve(
            f"finding orders of before the release ({verb})", "no endpoint for it is declared"
        )
    return name


def _total(step: Step) -> int:
    """Return how many entries a list says that there are; 0 where it does not say."""
    try:
        total = bodies.field(step.answer.json(), "total")
    except ValueError:
        return 0
    return total if isinstance(total, int) else 0


def created_at(body: Mapping[str, object]) -> tuple[str, datetime] | None:
    """Return when an object says it was created, as it says it and as a moment, or ``None``."""
    for name, value in body.items():
        moment = _moment(value) if "creat" in name.lower() else None
        if moment is not None:
            return str(value), moment
    return None


def _moment(value: object) -> datetime | None:
    """Return the moment that a timestamp means; without an offset it is taken for UTC."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value >= FIRST_MS else value, UTC)
        moment = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
