"""The life of a bill of materials, taken once per run on a product that the environment sets apart for it."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from checks.validation.flows.orders import begun, ended
from checks.validation.flows.steps import (
    Course,
    Flow,
    Needs,
    Step,
    View,
    Watch,
    held,
    id_of,
    listed,
    quantity_in,
    same,
    unlike,
    written,
)
from fixtures import bodies
from fixtures.echo import id_place
from fixtures.http import NotJson
from fixtures.observation import CannotObserve
from fixtures.paging import UNMISTAKABLE, total
from fixtures.record_life import GONE
from fixtures.record_search import shows_removed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.http import Answer
    from fixtures.record_life import Made
    from fixtures.release import Release

NEEDS = Needs(
    ("list_boms", "create_bom", "read_bom", "update_bom", "delete_bom"),
    ("REL-BOM-1",),
    r"/boms?\b|/bills?-of-materials?\b",
)

PRODUCT = "flow_product"
"""The sentinel on which the flow works: the record of other checks is on another product."""

QUANTITY = "qty_output"
TYPE = "bom_type"
OTHER_TYPE = {"Manufacturing": "Kit/Phantom", "Kit/Phantom": "Manufacturing"}
"""The types as the guide spells them; where they are spelled otherwise, records.bom.other names one."""

ABSURD = 1e15
"""Pieces: more than anybody makes, and still a number to every JSON parser."""

BAD_INPUT: dict[str, dict[str, object]] = {
    "create: negative quantity": {QUANTITY: -1},
    "create: absurd quantity": {QUANTITY: ABSURD},
    "create: quantity in words": {QUANTITY: "ten"},
    "create: unknown type": {"bom_type": "gonogo-unknown"},
    "create: type that is a number": {"bom_type": 7},
    "create: product that is a word": {"product_id": "gonogo"},
}
BAD_UPDATES: dict[str, dict[str, object]] = {
    "update: negative quantity": {QUANTITY: -1},
    "update: absurd quantity": {QUANTITY: ABSURD},
    "update: quantity in words": {QUANTITY: "ten"},
    "update: unknown type": {"bom_type": "gonogo-unknown"},
}
UNWANTED_FIELD = frozenset({400, 422})
"""How an order is refused that names its BOM where the product decides which one it is."""

SHOWING = ("list", "list: its type", "list: with inactive")
HIDING = ("list: another product", "list: another type", "list: skipping it")
LIMITS = ("list: 501", "list: 1000000000")
PAGES = ("list: all", "list: first of them", "list: second of them")
UNKNOWN = ("unknown id: read", "unknown id: update", "unknown id: delete")
RACE = "create at once"
UPDATE_RACE = "update at once"
GONE_BY_NOW = ("deleted: update", "deleted: delete")
MOST_LISTED = 500
OTHER_DUPLICATE = "duplicate of another type"
LIFE = (
    "create",
    "duplicate",
    OTHER_DUPLICATE,
    *SHOWING,
    *HIDING,
    *LIMITS,
    "read",
    *UNKNOWN,
    *BAD_UPDATES,
    "update",
    "read updated",
    "delete",
    "read deleted",
    "list without it",
    "list with inactive",
    *GONE_BY_NOW,
)
WRITES = (
    "create",
    "duplicate",
    OTHER_DUPLICATE,
    "create: unknown product",
    *BAD_INPUT,
    "update",
    *BAD_UPDATES,
    "delete",
    "delete in use",
)
"""The steps that write, or try to."""


class BomFlow:
    """The flow's steps. What must be refused comes while nothing else is in its way."""

    def __init__(self, course: Course) -> None:
        self._course = course
        sentinels = course.environment.sentinels
        self._own_product: dict[str, object] = (
            {"product_id": sentinels[PRODUCT]} if PRODUCT in sentinels else {}
        )
        own = course.release.records.get("bom")
        self._body = {**course.filled(own.body), **self._own_product} if own else {}
        self._product = self._body.get("product_id")
        self._quantity = quantity_in(self._body, QUANTITY)
        self._known: set[str] | None = None

    def take(self) -> Flow:
        """Take all parts; each makes its own records."""
        course = self._course
        course.facts["product"] = str(self._product)
        course.attempt((), self._look_around)
        bad = {"create: unknown product": {"product_id": unlike(self._product)}, **BAD_INPUT}
        course.attempt((*bad,), partial(self._refused, bad))
        course.attempt(LIFE, self._life, blamed="create")
        course.attempt(("delete in use",), self._in_use)
        course.attempt((RACE,), self._race)
        course.attempt((UPDATE_RACE,), self._update_race)
        course.attempt(PAGES, self._pages)
        return course.flow()

    # ------------------------------------------------------------ parts

    def _refused(self, bad: dict[str, dict[str, object]]) -> None:
        self._require_free_product()
        for name, changes in bad.items():
            self._course.attempt((name,), partial(self._creating, name, self._spelled(changes)), blamed=name)

    def _life(self) -> None:
        course = self._course
        self._require_free_product()
        with course.making("bom", self._own_product, step="create") as made:
            id_ = id_of(made, "a BOM")
            self._know(id_)
            watch = Watch(partial(self._view, id_))
            course.facts["id"] = id_
            course.facts["sent"] = json.dumps({**self._body, **self._marked(made)})
            course.attempt(("duplicate",), partial(self._creating, "duplicate", {}), blamed="duplicate")
            course.attempt((OTHER_DUPLICATE,), self._other_duplicate, blamed=OTHER_DUPLICATE)
            self._lists()
            course.take("read", partial(self._reading, id_))
            self._unknown(watch, made)
            for name, change in BAD_UPDATES.items():
                bad = {**self._declared(made), **self._spelled(change)}
                course.take(name, partial(self._updating, watch, made, id_, bad))
            change = self._change(made)
            course.facts["change"] = json.dumps(change)
            course.take("update", partial(self._updating, watch, made, id_, change))
            course.take("read updated", partial(self._reading, id_))
            course.take("delete", partial(self._deleting, watch, made, id_))
            gone = course.take("read deleted", partial(self._reading, id_))
            course.take("list without it", self._listing)
            course.take("list with inactive", partial(self._listing, active_only="false"))
            if gone is not None and self._state(gone.answer) in {"gone", "inactive"}:
                course.take(GONE_BY_NOW[0], partial(self._updating, watch, made, id_, change))
                course.take(GONE_BY_NOW[1], partial(self._deleting, watch, made, id_))

    def _other_duplicate(self) -> None:
        type_, own = self._body.get(TYPE), self._course.release.records["bom"]
        other = own.other.get(TYPE, OTHER_TYPE.get(str(type_)))
        if other is None:
            got = f"{TYPE} is {type_!r} in the release file, which names no other one"
            remedy = f'add records.bom.other = {{ {TYPE} = "..." }}'
            raise CannotObserve("making a second BOM of another type", got, remedy=remedy)
        self._creating(OTHER_DUPLICATE, {TYPE: other})

    def _lists(self) -> None:
        type_ = str(self._body.get(TYPE))
        other = self._course.release.records["bom"].other.get(TYPE, OTHER_TYPE.get(type_, f"not {type_}"))
        limits: list[dict[str, object]] = [{"limit": name.rpartition(" ")[2]} for name in LIMITS]
        queries: tuple[dict[str, object], ...] = (
            {},
            {TYPE: type_},
            {"active_only": "false"},
            {"product_id": unlike(self._product)},
            {TYPE: other},
            {"skip": 1},
            *limits,
        )
        for name, query in zip((*SHOWING, *HIDING, *LIMITS), queries, strict=True):
            self._course.take(name, partial(self._listing, **query))

    def _pages(self) -> None:
        """List the product's BOMs, of which the flow has made several by now, one by one."""
        queries: tuple[dict[str, object], ...] = ({}, {"limit": 1}, {"limit": 1, "skip": 1})
        for name, query in zip(PAGES, queries, strict=True):
            self._course.take(name, partial(self._listing, active_only="false", **query))

    def _unknown(self, watch: Watch, made: Made) -> None:
        """Ask for an id that is not there; write to it only once reading has said so."""
        course = self._course
        nobody = str(unlike(self._raw_id(made)))
        course.facts["unknown id"] = nobody
        read = course.take(UNKNOWN[0], partial(self._reading, nobody))
        if read is not None and read.answer.status in GONE:
            course.take(UNKNOWN[1], partial(self._updating, watch, made, nobody, self._change(made)))
            course.take(UNKNOWN[2], partial(self._deleting, watch, made, nobody))

    def _in_use(self) -> None:
        """Delete a BOM on which an order depends whose task has been started."""
        course = self._course
        self._require_free_product()
        with course.making("bom", self._own_product) as made:
            id_ = id_of(made, "a BOM")
            with self._depending(made) as order:
                id_of(order, "an order that depends on the BOM")
                is_certain = begun(course, order) and id_ in self._boms_of(order)
                step = self._deleting(Watch(partial(self._view, id_)), made, id_)
                ended(course, order)  # or the BOM cannot be removed where orders cannot
        if not step.failed and not is_certain:
            got = "whether the order is active, and depends on the BOM, is not shown"
            raise CannotObserve("deleting a BOM on which an active order depends", got)
        course.keep("delete in use", step)

    @contextmanager
    def _depending(self, bom: Made) -> Iterator[Made]:
        """Make an order of the product: with the BOM's id, or without it where that is refused."""
        plain = {"product_id": self._product}
        with self._course.making("order", {**plain, "bom_id": self._raw_id(bom)}) as order:
            if order.created.status not in UNWANTED_FIELD:
                yield order
                return
        with self._course.making("order", plain) as order:
            yield order

    def _race(self) -> None:
        """Make several BOMs of the product at once: there can be only one."""
        self._require_free_product()
        self._course.race_to_make(RACE, "bom", self._own_product)

    def _update_race(self) -> None:
        """Change a BOM several times at once."""
        self._require_free_product()
        with self._course.making("bom", self._own_product) as made:
            id_ = id_of(made, "a BOM")
            self._course.race(
                UPDATE_RACE,
                partial(self._send_update, made, id_, self._change(made)),
                partial(self._view, id_),
            )

    # ------------------------------------------------------------ steps

    def _creating(self, name: str, changes: dict[str, object]) -> None:
        sent = {**self._own_product, **changes}
        with self._course.making("bom", sent, step=name) as made:
            self._know(made.id)
        step = self._course.taken(name)
        if step and step.unseen and self._known is not None:  # nothing shows marks
            more = self._ids(sent["product_id"]) - self._known
            changed = f"record {', '.join(sorted(more))} was stored" if more else ""
            self._course.keep(name, replace(step, changed=changed, unseen=""))

    def _look_around(self) -> None:
        """Keep in mind which BOMs there are before, where nobody else makes any of the product."""
        if self._own_product:
            self._known = self._ids(self._product)

    def _know(self, id_: str | None) -> None:
        if id_ and self._known is not None:
            self._known.add(id_)

    def _ids(self, product: object) -> set[str]:
        """Return the ids of a product's BOMs, inactive ones too.

        Raises:
            NoAnswer: the target did not answer.
            CannotObserve: the list does not show them all.
        """
        endpoint = self._course.release.endpoint("list_boms")
        answer = self._list(product, active_only="false", limit=MOST_LISTED)
        entries = listed(endpoint, answer)
        if entries is None or max(len(entries) + 1, total(answer, UNMISTAKABLE) or 0) > MOST_LISTED:
            got = f"answered {answer.status}" if entries is None else f"there are {len(entries)} or more"
            raise CannotObserve(f"listing the BOMs of product {product}", got)
        return {str(entry.get(endpoint.id_field)) for entry in entries}

    def _reading(self, id_: str) -> Step:
        return Step(self._course.call("read_bom", id_))

    def _listing(self, **query: object) -> Step:
        return Step(self._list(self._product, **query))

    def _list(self, product: object, **query: object) -> Answer:
        asked = {"product_id": product, "active_only": "true", **query}
        return self._course.call("list_boms", query=asked)

    def _updating(self, watch: Watch, made: Made, id_: str, change: dict[str, object]) -> Step:
        return watch.step(partial(self._send_update, made, id_, change))

    def _send_update(self, made: Made, id_: str, change: dict[str, object]) -> Answer:
        return self._course.call("update_bom", id_, body=change, entry=made.entry)

    def _deleting(self, watch: Watch, made: Made, id_: str) -> Step:
        def send() -> Answer:
            return self._course.call("delete_bom", id_, entry=made.entry)

        return watch.step(send)

    # ------------------------------------------------------------ looking

    def _require_free_product(self) -> None:
        """Let a part begin only where the product has no active BOM: there can be only one.

        Raises:
            CannotObserve: it has one.
        """
        endpoint = self._course.release.endpoint("list_boms")
        for entry in listed(endpoint, self._listing().answer) or ():
            if same(self._product, entry.get("product_id")) and not is_inactive(self._course.release, entry):
                got = f"it has an active one already: {entry.get(endpoint.id_field)}"
                remedy = f"declare sentinels.{PRODUCT}: a product that nobody else uses"
                raise CannotObserve(f"making a BOM of product {self._product}", got, remedy=remedy)

    def _view(self, id_: str) -> View:
        answer = self._course.call("read_bom", id_)
        rows, unseen = self._course.rows("bom", id_)
        shown = held(self._course.release.endpoint("read_bom"), answer)
        fields = {name: shown[name] for name in self._body if name in shown}
        return View(self._state(answer), fields, rows, unseen)

    def _state(self, answer: Answer) -> str:
        """Return in what state reading a BOM shows it: ``""`` where it says nothing."""
        release = self._course.release
        shown = held(release.endpoint("read_bom"), answer)
        if shown:
            return "inactive" if is_inactive(release, shown) else "active"
        return "gone" if answer.status in GONE else ""

    def _raw_id(self, made: Made) -> object:
        """Return the id in the type in which the API tells it."""
        own = self._course.release.records["bom"]
        try:
            body = made.created.json()
        except NotJson:
            return made.id
        id_ = bodies.field(body, id_place(own, self._course.release.endpoint(own.create), body))
        return made.id if id_ is bodies.MISSING else id_

    def _boms_of(self, order: Made) -> tuple[str, ...]:
        """Return the ids of the BOMs on which an order says that it depends."""
        own, release = self._course.release.records["order"], self._course.release
        shown = [held(release.endpoint(own.create), order.created)]
        if own.read:
            shown.append(held(release.endpoint(own.read), self._course.call(own.read, order.id)))
        return tuple(id_ for each in shown for id_ in bodies.belongs_to(each, "bom"))

    def _marked(self, made: Made) -> dict[str, object]:
        return {self._course.release.records["bom"].mark_field: made.mark}

    def _change(self, made: Made) -> dict[str, object]:
        """Return the release file's example of a change, with a new quantity: its mark stays the same."""
        quantity = self._body.get(self._quantity)
        try:
            more = self._spelled({QUANTITY: float(str(quantity)) + 1})
        except ValueError:
            more = {}
        return {**self._declared(made), **more}

    def _declared(self, made: Made) -> dict[str, object]:
        """Return the release file's example of a change, with the flow's own product where it names one."""
        endpoint = self._course.release.endpoint("update_bom")
        declared = self._course.filled(endpoint.body, made.mark)
        return {**declared, **{name: value for name, value in self._own_product.items() if name in declared}}

    def _spelled(self, changes: dict[str, object]) -> dict[str, object]:
        """Return changes with the release file's name of the quantity, and as it writes one."""
        own = self._body.get(self._quantity)
        return {
            (self._quantity if name == QUANTITY else name): written(value, own) if name == QUANTITY else value
            for name, value in changes.items()
        }


def is_inactive(release: Release, shown: dict[str, object]) -> bool:
    """Return whether a BOM says of itself that it was deleted: as the release file says, or ``is_active``."""
    own = release.records["bom"]
    return shows_removed(own, shown) or shown.get(own.alive or "is_active") is False


def times_raised(before: object, after: object) -> int | None:
    """Return how often a revision was raised, by the number or letter at its end; ``None`` if it is open."""
    ends = [re.fullmatch(r"(.*?)(\d+|[A-Z])", str(text)) for text in (before, after)]
    if (
        not (ends[0] and ends[1])
        or ends[0][1] != ends[1][1]
        or ends[0][2].isdecimal() != ends[1][2].isdecimal()
    ):
        return None
    old, new = (int(end[2]) if end[2].isdecimal() else ord(end[2]) for end in ends if end)
    return new - old


def is_raised(before: str, after: str) -> bool:
    """Return whether a revision comes after another: 9 and 10, A and B, Z and AA, 1.9 and 1.10."""
    parts = [
        [int(part) if part.isdecimal() else part for part in re.findall(r"\d+|\D+", text)]
        for text in (before, after)
    ]
    kinds = [[type(part) for part in text] for text in parts]
    if before == after or kinds[0] != kinds[1]:
        return before != after
    old, new = (
        [(len(part), part) if isinstance(part, str) else (0, part) for part in text] for text in parts
    )
    return old < new  # of the same kinds, one by one
