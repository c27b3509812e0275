"""Orders that were there before the release: found, read, and left alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from checks.validation.flows.orders import task_in, task_place
from checks.validation.flows.steps import Course, Flow, Step, declares, held, listed
from fixtures import bodies
from fixtures.filling import path_of
from fixtures.observation import CannotObserve
from fixtures.paging import UNMISTAKABLE, Page, following, total
from fixtures.run import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fixtures.endpoint import Endpoint
    from fixtures.http import Answer
    from fixtures.release import Release

MOST_READ = 5
"""Old orders that are read: the oldest ones."""

MOST_PAGES = 20
"""Pages of a list that are looked through for old orders."""

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
    old: list[tuple[str, str]] = []
    for answer in _pages(course, name):
        old = _older(course, name, answer, before)
        if old or not course.flow().steps:
            course.keep("list", Step(answer))
        if old:
            break
    course.facts["old"] = json.dumps(old[:MOST_READ])


def _pages(course: Course, name: str) -> Iterator[Answer]:
    """Yield the first page of a list, and the last one, or those that follow where no total tells which."""
    endpoint = course.release.endpoint(name)
    answer = course.call(name)
    yield answer
    if all_ := total(answer, UNMISTAKABLE):
        yield course.call(name, query={"skip": max(0, all_ - LAST_PAGE), "limit": LAST_PAGE})
        return
    path = path_of(endpoint, course.environment)
    page: Page | None = Page(path, course.filled(endpoint.query))
    for _ in range(MOST_PAGES):
        entries = listed(endpoint, answer)
        page = following(page, answer, entries, endpoint, course.address) if page and entries else None
        if page is None or page.path != path:
            return
        answer = course.call(name, query=page.query)
        yield answer


def _older(course: Course, name: str, answer: Answer, before: datetime) -> list[tuple[str, str]]:
    """Return id and creation time of the entries that are old, and no run's own, oldest first.

    Where no entry says when it was created, the last ones are read.
    """
    endpoint, own = course.release.endpoint(name), course.release.records.get("order")
    found = []
    entries = listed(endpoint, answer) or []
    if not any(map(created_at, entries)):
        entries = [_read_entry(course, endpoint, entry) for entry in entries[-MOST_READ:]]
    for entry in entries:
        mark = bodies.field(entry, own.mark_field) if own else ""
        created, id_ = created_at(entry), bodies.field(entry, endpoint.id_field)
        is_own = isinstance(mark, str) and mark.startswith(PREFIX)
        if created and created[1] < before and not is_own and isinstance(id_, int | str):
            found.append((created[1], str(id_), created[0]))
    return [(id_, text) for _, id_, text in sorted(found)]


def _read_entry(course: Course, endpoint: Endpoint, entry: dict[str, object]) -> dict[str, object]:
    """Return what reading an entry of a list shows, with what the list does."""
    name, id_ = _endpoint(course, "read"), bodies.field(entry, endpoint.id_field)
    return {**held(course.release.endpoint(name), course.call(name, str(id_))), **entry}


def _read(course: Course, id_: str) -> None:
    name = _endpoint(course, "read")
    read = course.take(f"order {id_}", lambda: Step(course.call(name, id_)))
    if declares(course.release, "read_task"):
        task = _task_of(course, name, id_)
        course.take(f"task {id_}", lambda: Step(course.call("read_task", task)))
    elif read is not None:
        course.keep(f"task {id_}", read)


def task_shown(release: Release, step: Step) -> dict[str, object]:
    """Return the task that a step ``"task ID"`` shows: where nothing else does, the order shows it."""
    own = release.records.get("order")
    name = "read_task" if declares(release, "read_task") else (own and own.read) or "read_order"
    return task_in(release, name, held(release.endpoint(name), step.answer))


def _task_of(course: Course, read: str, order: str) -> str:
    """Return the id of an order's task: as the list shows it, or else reading the order.

    Raises:
        CannotObserve: neither does.
    """
    flow, release = course.flow(), course.release
    list_ = release.endpoint(_endpoint(course, "list"))
    entries = listed(list_, flow.step("list").answer) or []
    shown = [entry for entry in entries if str(bodies.field(entry, list_.id_field)) == order]
    step = flow.steps.get(f"order {order}")
    shown += [held(release.endpoint(read), step.answer)] if step else []
    for body in shown:
        id_ = bodies.field(body, task_place(release, body))
        if isinstance(id_, int | str):
            return str(id_)
    got = f"no {task_place(release, shown[-1] if shown else {})} in it"
    raise CannotObserve(f"finding the task of order {order}", got)


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
