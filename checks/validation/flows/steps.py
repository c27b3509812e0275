"""What the flows are made of: steps that were taken, steps that were missed, and what each left behind.

A flow takes its steps once per run and hands the checks a Flow: facts, no judgement. A step that broke does
not stop the others; what depends on it is missed, with the reason.
"""

from __future__ import annotations

import re
import secrets
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from checks.validation.flows.races import RIVALS, Race
from fixtures import bodies
from fixtures.filling import content_of, filled, path_of
from fixtures.http import Answer, NotJson
from fixtures.observation import Absent, CannotObserve, NoAnswer
from fixtures.quoting import cut
from fixtures.run import Raised, caught

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from fixtures.database import Database
    from fixtures.endpoint import Endpoint
    from fixtures.environment import Environment
    from fixtures.http import HttpProbe
    from fixtures.ledger import Entry
    from fixtures.own_record import OwnRecord
    from fixtures.record_life import Made
    from fixtures.records import Records
    from fixtures.release import Release

FIRST_ERROR = 400
"""The first status that says that a request failed (RFC 9110, 15.5)."""

STATE_FIELD = re.compile(r"(\w+_)?(state|status|stage)")
"""How the field may be called that holds a state; the shortest name is meant where there are several."""

MOST_FRESH = 20
"""Records that one batch of attempts may use up: each is replaced when an attempt has changed it."""


# ---------------------------------------------------------------- facts


@dataclass(frozen=True)
class Step:
    """One request of a flow, and what it did.

    Attributes:
        answer: the answer.
        state: the state of its record afterwards, as the API shows it; empty where that says nothing.
        stored: the states of its record and of what belongs to it afterwards, as the database holds them.
        shown: what else the API shows of it afterwards and must not change unasked.
        changed: what is different since before the request, in words; empty where nothing is.
        unseen: why that is not known, or an empty string.
    """

    answer: Answer
    state: str = ""
    stored: tuple[str, ...] = ()
    shown: dict[str, object] = field(default_factory=dict)
    changed: str = ""
    unseen: str = ""

    @property
    def failed(self) -> bool:
        """Whether the answer says that nothing was done."""
        return self.answer.status >= FIRST_ERROR

    @property
    def told(self) -> str:
        """Status and body in a few words."""
        return f"{self.answer.status}; the body is {self.answer.described}"


@dataclass(frozen=True)
class Commits:
    """What requests changed.

    Attributes:
        rows: request, status, and what it changed, of each.
        wrong: what those have changed that were answered with an error.
        unseen: those of which that is not known, each with the reason.
    """

    rows: tuple[tuple[str, str, str], ...]
    wrong: tuple[str, ...]
    unseen: tuple[str, ...]


@dataclass(frozen=True)
class Flow:
    """A flow that was taken.

    Attributes:
        steps: by name.
        missed: why the others ended without a fact.
        facts: what the checks compare with: ids and values that were sent.
        made: how many records were made, or tried to.
        left: records that could not be removed again.
        unproven: records that can still be read after their removal, which was answered well.
        races: what came of requests that were sent at once.
    """

    steps: dict[str, Step]
    missed: dict[str, Raised]
    facts: dict[str, str]
    made: int
    left: tuple[str, ...]
    unproven: tuple[str, ...] = ()
    races: dict[str, Race] = field(default_factory=dict)

    def step(self, name: str) -> Step:
        """Return a step.

        Raises:
            NoAnswer: the target did not answer it.
            CannotObserve: it was not reached, or our side is the reason.
        """
        if name not in self.steps:
            self._miss(name)
        return self.steps[name]

    def done(self, name: str, status: int) -> Step:
        """Return a step that succeeded, for a claim about what it led to.

        Raises:
            NoAnswer: the target did not answer it.
            CannotObserve: it did not succeed, which is another check's finding.
        """
        step = self.step(name)
        if step.answer.status != status:
            got = f"it answered {step.answer.status} instead of {status}"
            raise CannotObserve(f"looking at what came of step {name!r}", got, remedy="see that step's check")
        return step

    def commits(self, names: Iterable[str]) -> Commits:
        """Return what the steps of these names changed, as far as they were taken."""
        taken = {name: self.steps[name] for name in names if name in self.steps}
        failed = {name: step for name, step in taken.items() if step.failed}
        return Commits(
            rows=tuple(
                (name, str(step.answer.status), step.changed or step.unseen or "nothing")
                for name, step in taken.items()
            ),
            wrong=tuple(
                f"{name} answered {step.answer.status}, and yet {step.changed}"
                for name, step in failed.items()
                if step.changed
            ),
            unseen=tuple(f"{name}: {step.unseen}" for name, step in failed.items() if step.unseen)
            or (() if failed else ("no step was answered with an error",)),
        )

    def race(self, name: str) -> Race:
        """Return what came of requests that were sent at once.

        Raises:
            NoAnswer: the target did not answer what comes before them.
            CannotObserve: they were not sent, or our side is the reason.
        """
        if name not in self.races:
            self._miss(name)
        return self.races[name]

    def _miss(self, name: str) -> NoReturn:
        if name in self.missed:
            self.missed[name].again()
        raise CannotObserve(f"step {name!r}", "it was not reached")

    def fact(self, name: str) -> str:
        """Return a fact.

        Raises:
            CannotObserve: the flow did not get that far.
        """
        if name not in self.facts:
            raise CannotObserve(f"looking at {name!r}", "the flow did not get that far")
        return self.facts[name]


@dataclass(frozen=True)
class View:
    """A record of the run's own at one moment.

    Attributes:
        state: its state, as the API shows it.
        fields: what else the API shows of it and must not change unasked.
        rows: its row in the database and those that point to it, by table and id.
        unseen: why the database does not say, though it should, or an empty string.
    """

    state: str
    fields: Mapping[str, object]
    rows: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    unseen: str = ""

    @property
    def stored(self) -> tuple[str, ...]:
        """The states that the database holds."""
        return tuple(sorted({state_of(row) for row in self.rows.values()} - {""}))


# ---------------------------------------------------------------- taking steps


class Course:
    """A flow on its way: what it asks with, and what it has seen so far."""

    def __init__(
        self,
        *,
        api: HttpProbe,
        records: Records,
        database: Database | None,
        environment: Environment,
        release: Release,
    ) -> None:
        self.release = release
        self.environment = environment
        self.facts: dict[str, str] = {}
        self._api = api
        self._records = records
        self._database = database
        self._steps: dict[str, Step] = {}
        self._missed: dict[str, Raised] = {}
        self._races: dict[str, Race] = {}
        self._made = 0
        self._left: list[str] = []
        self._unproven: list[str] = []
        self._pointing: dict[str, list[tuple[str, str]]] = {}

    def flow(self) -> Flow:
        """Return what was taken."""
        return Flow(
            dict(self._steps),
            dict(self._missed),
            dict(self.facts),
            self._made,
            tuple(self._left),
            tuple(self._unproven),
            dict(self._races),
        )

    @property
    def address(self) -> str:
        """The address of the API."""
        return self._api.address

    def keep(self, name: str, step: Step) -> None:
        """Keep a step."""
        self._steps[name] = step

    def taken(self, name: str) -> Step | None:
        """Return a step, if it was taken."""
        return self._steps.get(name)

    def take(self, name: str, observe: Callable[[], Step]) -> Step | None:
        """Take one step on which no other depends, and keep it, or the reason why there is none."""
        step = caught(observe)
        if isinstance(step, Raised):
            self._missed[name] = step
            return None
        self._steps[name] = step
        return step

    def attempt(self, names: Sequence[str], part: Callable[[], None], *, blamed: str = "") -> None:
        """Take a part of a flow; if it ends early, its remaining steps are missed for that reason.

        Args:
            names: its steps.
            part: takes them.
            blamed: the step that is meant when the target does not answer outside of ``take``.
        """
        end = caught(part)
        for name in names:
            if name not in {*self._steps, *self._races, *self._missed}:
                self._missed[name] = _not_reached(name, end, own=name == blamed)

    @contextmanager
    def making(
        self, record: str, changes: Mapping[str, object] | None = None, *, step: str = ""
    ) -> Iterator[Made]:
        """Make a record of the run's own and remove it, as ``Records.making`` does.

        With ``step`` its creation is kept as a step; what fails and leaves a record has changed something.
        """
        made: Made | None = None
        try:
            with self._records.making(record, **(changes or {})) as made:
                self._made += 1
                yield made
        finally:
            if made is not None:
                self._keep_made(record, step, made)

    def race(self, name: str, send: Callable[[], Answer], look: Callable[[], View]) -> None:
        """Send the same request several times at once, and keep what came of it.

        Args:
            name: of the race.
            send: sends the request.
            look: looks at the record; before, it does so at once, too, so that all connections are open.

        Raises:
            CannotObserve: the environment allows one request at a time.
        """
        rivals = range(self.rivals())
        looks = self._api.observe_many(lambda _: look(), rivals)
        before = next((dict(view.fields) for view in looks if not isinstance(view, Raised)), {})
        seen = self._api.observe_many(lambda _: send(), rivals)
        after = look()
        self._races[name] = replace(Race.of(seen), state=after.state, before=before, after=dict(after.fields))

    def race_to_make(self, name: str, record: str, changes: Mapping[str, object]) -> None:
        """Make several records at once of which only one can be, remove them, and keep what came of it.

        Raises:
            CannotObserve: none may be made, or the environment allows one request at a time.
        """
        with self._records.making_at_once(record, self.rivals(), **changes) as made:
            self._made += len(made)
            seen = [one if isinstance(one, Raised) else one.created for one in made]
        self._races[name] = Race.of(seen)
        for one in made:
            if not isinstance(one, Raised):
                self._keep_left(record, one)

    def rivals(self) -> int:
        """Return how many requests are sent at once where only one may succeed.

        Raises:
            CannotObserve: the environment allows one at a time.
        """
        allowed = min(RIVALS, self.environment.concurrency)
        if allowed < 2:  # noqa: PLR2004  fewer are no race
            got = f"the environment allows {allowed} at a time"
            raise CannotObserve("sending requests at once", got, remedy="raise concurrency to 2 or more")
        return allowed

    def _keep_left(self, record: str, made: Made) -> None:
        removal, read = made.removal, self.release.records[record].read
        if removal is None:
            return
        name = f"{record} {removal.id or made.mark}"
        if removal.left:
            self._left.append(f"{name}: {removal.left}")
        is_there = removal.after and read and removal.after.status == self.release.endpoint(read).status
        if removal.after and is_there and not (removal.left or removal.proof):
            self._unproven.append(f"{name}: reading it still answers {removal.after.status}")

    def _keep_made(self, record: str, step: str, made: Made) -> None:
        removal = made.removal
        if removal is None:
            return
        self._keep_left(record, made)
        if not step:
            return
        all_the_same = removal.id if made.id is None else None
        changed = f"record {all_the_same} was stored" if all_the_same else ""
        unseen = "" if made.id or "removed" not in removal.missed else _text(removal.missed["removed"])
        self.keep(step, Step(made.created, changed=changed, unseen=unseen))

    def call(
        self,
        name: str,
        id_: str | None = None,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        entry: Entry | None = None,
    ) -> Answer:
        """Call an endpoint of the release.

        Raises:
            NoAnswer: the target did not answer.
            CannotObserve: our side is the reason.
        """
        endpoint = self.release.endpoint(name)
        has_body = bool(body) or "body" in endpoint.model_fields_set
        return self._api.send(
            endpoint.method,
            path_of(endpoint, self.environment, str(id_)),
            role=endpoint.role,
            query={**self.filled(endpoint.query), **(query or {})},
            content=content_of(endpoint, body or {}) if has_body else None,
            entry=entry,
        )

    def filled(self, template: Mapping[str, object], mark: str = "") -> dict[str, object]:
        """Return a body or query of the release file with its placeholders filled.

        Raises:
            CannotObserve: the environment file has no value for one.
        """
        return filled(template, self.environment, mark)

    # ------------------------------------------------------------ looking

    def rows(self, record: str, id_: str) -> tuple[dict[str, dict[str, object]], str]:
        """Return a record's row and those of the tables that point to it, and why there are none.

        Without a [database] or a table there are none, and no reason: nothing was promised.
        """
        own = self.release.records[record]
        database = self._database
        if database is None or own.table is None:
            return {}, ""
        found = caught(lambda: database.rows(*self._select(database, own, id_)))
        if isinstance(found, Raised):
            return {}, _text(found)
        named = ((f"{table} {row.get('id', number)}", row) for number, (table, row) in enumerate(found))
        return dict(named), ""

    def _select(self, database: Database, own: OwnRecord, id_: str) -> tuple[str, list[object]]:
        """Return one statement for all of it: the table, and every table with a key that points to it."""
        table = _quoted(own.table or "")
        if table not in self._pointing:
            self._pointing[table] = [(str(name), str(key)) for name, key in database.rows(POINTING, [table])]
        places = [(table, own.id_column), *self._pointing[table]]
        parts = (
            f"SELECT %s::text, to_jsonb(t) FROM {name} t WHERE t.{_quoted(key)} = %s"  # noqa: S608  catalogue names
            for name, key in places
        )
        return " UNION ALL ".join(parts), [value for name, _ in places for value in (name.strip('"'), id_)]


POINTING = """
    SELECT c.conrelid::regclass::text, a.attname
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 AND c.confrelid = %s::regclass
    ORDER BY 1, 2
"""
"""The tables with a foreign key to a table, and its column (PostgreSQL manual, 53.13)."""


class Watch:
    """A record of the run's own, looked at after every request that could change it.

    Args:
        look: looks at it.
    """

    def __init__(self, look: Callable[[], View]) -> None:
        self._look = look
        self._last: View | None = None

    def view(self) -> View:
        """Look at it.

        Raises:
            NoAnswer: the target did not answer.
            CannotObserve: our side is the reason.
        """
        self._last = self._look()
        return self._last

    def step(self, send: Callable[[], Answer]) -> Step:
        """Send a request, and see what it changes.

        Raises:
            NoAnswer: the target did not answer it; the reason says what it changed all the same.
            CannotObserve: our side is the reason.
        """
        before = self._last or self.view()
        try:
            answer = send()
        except NoAnswer as error:
            after = self._seen_again()
            changed = "" if isinstance(after, Raised) else difference(before, after)
            more = f"; all the same {changed}" if changed else ""
            raise NoAnswer(error.component, error.address, error.reason + more) from None
        after = self._seen_again()
        if isinstance(after, Raised):
            return Step(answer, unseen=_text(after))
        return Step(
            answer,
            state=after.state,
            stored=after.stored,
            shown=dict(after.fields),
            changed=difference(before, after),
            unseen=before.unseen or after.unseen,
        )

    def _seen_again(self) -> View | Raised:
        self._last = None
        return caught(self.view)


def attempts(
    course: Course,
    names: Sequence[str],
    fresh: Callable[[], AbstractContextManager[Callable[[str], Step]]],
) -> None:
    """Try what must not work, each on a record in the right state: one that has changed is replaced.

    Args:
        course: keeps the steps.
        names: of the steps.
        fresh: lends a record in that state, as the function that takes a step with it.
    """
    waiting = list(names)
    for _ in range(MOST_FRESH):
        if not waiting:
            return
        with fresh() as taking:
            while waiting:
                name = waiting.pop(0)
                step = course.take(name, lambda taking=taking, name=name: taking(name))  # type: ignore[misc]
                if step is None or step.changed:
                    break


def difference(before: View, after: View) -> str:
    """Return what is different, in words: ``"state DRAFT -> APPROVED"``. A moved time is no difference."""
    found: list[tuple[str, object, object]] = []
    if before.state and after.state:
        found.append(("state", before.state, after.state))
    found += [(name, old, after.fields[name]) for name, old in before.fields.items() if name in after.fields]
    if not after.unseen:
        for name, row in before.rows.items():
            there = after.rows.get(name)
            found += (
                [(name, "there", "gone")]
                if there is None
                else [(f"{name} {column}", old, there.get(column)) for column, old in row.items()]
            )
    return "; ".join(
        f"{name} {old} -> {new}" for name, old, new in found if old != new and not (_time(old) and _time(new))
    )


def _time(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


# ---------------------------------------------------------------- reading bodies


def held(endpoint: Endpoint, answer: Answer) -> dict[str, object]:
    """Return the object that a successful answer holds; empty where it holds none."""
    if answer.status >= FIRST_ERROR:
        return {}
    try:
        body = answer.json()
    except NotJson:
        return {}
    found = bodies.field(body, endpoint.object_field) if endpoint.object_field else body
    return found if isinstance(found, dict) else {}


def listed(endpoint: Endpoint, answer: Answer) -> list[dict[str, object]] | None:
    """Return the objects of a list's answer, an empty one for what is none; ``None`` where it is no list."""
    if answer.status >= FIRST_ERROR:
        return None
    try:
        found = bodies.entries(answer.json(), endpoint)
    except NotJson:
        return None
    return None if found is None else [entry if isinstance(entry, dict) else {} for entry in found]


def state_of(body: Mapping[str, object], of: str = "") -> str:
    """Return the state that an object shows, as ``IN_PROGRESS``; empty where it shows none.

    Args:
        body: the object.
        of: whose state is meant, where the object may show several: ``task`` for ``task_status``.
    """
    names = [name for name in body if STATE_FIELD.fullmatch(name)]
    names.sort(key=lambda name: (not (of and name.startswith(f"{of}_")), len(name)))
    found = next((value for value in map(body.get, names) if isinstance(value, str)), "")
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[\s-]+", "_", found).upper()


def same(sent: object, shown: object) -> bool:
    """Return whether a value came back as it was sent; ``1``, ``1.0`` and ``"1.00"`` are the same number."""
    if sent == shown:
        return True
    try:
        return not isinstance(sent, bool) and float(str(sent)) == float(str(shown))
    except ValueError:
        return False


def different(wanted: Mapping[str, object], shown: Mapping[str, object], *, source: str = "sent was") -> str:
    """Return which fields do not show what was sent, or was there; what is not shown at all says nothing."""
    wrong = [
        f"{name} is {shown[name]!r}, {source} {value!r}"
        for name, value in wanted.items()
        if name in shown and not same(value, shown[name])
    ]
    return "; ".join(wrong)


QUANTITY = re.compile(r"quantity|qty", re.IGNORECASE)
"""What the name of a field holds that is a number of pieces."""


def quantity_in(body: Mapping[str, object], otherwise: str) -> str:
    """Return the field of a body in the release file that holds a quantity."""
    return next((name for name in body if QUANTITY.search(name)), otherwise)


def written(number: object, like: object) -> object:
    """Return a number as the release file writes one of its kind: as a string where that is one."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return number
    if isinstance(like, str):
        return f"{number:.0f}"
    return int(number) if isinstance(like, int) else number


def id_of(made: Made, what: str) -> str:
    """Return the id of a record.

    Raises:
        CannotObserve: it was not made.
    """
    if made.id is None or made.created.status >= FIRST_ERROR:
        raise CannotObserve(f"making {what}", f"its creation answered {made.created.status}")
    return made.id


def unlike(id_: object) -> object:
    """Return an id of the same kind that no record has; who writes to it asks first whether that is so."""
    if isinstance(id_, int):
        return 2_000_000_000 + secrets.randbelow(100_000_000)  # within PostgreSQL's integer
    text = str(id_)
    if text.isdecimal():
        return str(unlike(int(text)))
    if UUID.fullmatch(text):
        return str(uuid.uuid4())
    return re.sub(r"\d", "9", text) if re.search(r"[0-8]", text) else f"{text}-{secrets.token_hex(4)}"


def is_safe(id_: str) -> bool:
    """Return whether an id of this kind, made up, can be taken for one that no record has."""
    return id_.isdecimal() or UUID.fullmatch(id_) is not None


UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Needs:
    """What makes a release one with a flow.

    Attributes:
        endpoints: their names.
        items: the items that are the flow's alone.
        words: how a path reads, in any case, that is about it.
    """

    endpoints: tuple[str, ...]
    items: tuple[str, ...]
    words: str


def require(release: Release, needs: Needs) -> None:
    """Let a flow run only where the release has it.

    Raises:
        Absent: nothing in the release file is about it.
        CannotObserve: something is, but endpoints of its names are missing.
    """
    missing = [name for name in needs.endpoints if not declares(release, name)]
    if not missing:
        return
    signs = [name for name in needs.endpoints if name not in missing]
    if not {*needs.items} & release.statements.keys():
        signs += [
            f"{endpoint.method} {endpoint.path}"
            for endpoint in release.endpoints
            if {*needs.items} & {*endpoint.items}
            or (not endpoint.safe and re.search(needs.words, endpoint.path, re.IGNORECASE))
        ]
    if not signs:
        raise Absent(" or ".join(missing), "the release file declares no endpoint of these names")
    raise CannotObserve(
        f"taking the flow of {', '.join(needs.endpoints)}",
        f"the release file declares no endpoint named {', '.join(missing)}, but {cut(', '.join(signs), 120)}",
        remedy=f"name its endpoints so, or say in [statements] what {' and '.join(needs.items)} mean here",
    )


def declares(release: Release, name: str) -> bool:
    """Return whether the release file has an endpoint of a name."""
    return any(endpoint.name == name for endpoint in release.endpoints)


def _not_reached(name: str, end: object, *, own: bool) -> Raised:
    if isinstance(end, Raised) and (own or end.kind != "NoAnswer"):
        return end
    why = _text(end) if isinstance(end, Raised) else "an earlier step did not come out as it needs"
    return Raised.of(CannotObserve(f"step {name!r}", f"not reached: {why}"))


def _text(raised: Raised) -> str:
    if raised.kind == "CannotObserve":
        return f"{raised.texts[0]}: {raised.texts[1]}"
    return " ".join(raised.texts)


def _quoted(identifier: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in identifier.split("."))
