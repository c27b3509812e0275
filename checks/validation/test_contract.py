"""Every safe endpoint keeps its contract: status, media type, schema, list, no error hidden in a success.

Items are named by the release file: an endpoint is judged under those that it names. One that names none
of them, and every operation that only the OpenAPI document names, is judged under VAL-API-1, the first item
of the guide's section "Endpoint validation", which has none for the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from checks import Exhibits, Measured, explain, item
from checks.validation.flows import bom, kanban, orders
from checks.validation.flows.steps import declares
from fixtures.bodies import MISSING, field
from fixtures.echo import altered, held, pairs, same, stored_otherwise, unwrapped, without_effect
from fixtures.observation import Absent, CannotObserve
from fixtures.openapi import BrokenDocument
from fixtures.served_document import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.census import Census, Swept
    from fixtures.endpoint import Endpoint
    from fixtures.http import Answer
    from fixtures.own_record import OwnRecord
    from fixtures.record_life import RecordLife, Update
    from fixtures.records import Records
    from fixtures.release import Release
    from fixtures.sweep import Sweep

# The first check of a worker waits for the whole sweep, which has ten minutes.
pytestmark = [pytest.mark.validation, pytest.mark.timeout(660)]

REMEDY = "read the service's log for this request; if the answer is right, correct the contract"
LISTED = ("VAL-ACC-1", "VAL-API-1", "VAL-API-2", "VAL-API-3", "REL-BOM-1", "REL-PPIC-1", "REL-PATH-1")
"""Items that an endpoint may name: those that are written out at the first check."""

MOST_SHOWN = 12
"""Operations that one message names."""

FOREIGN = "; it has none of the release file's endpoints: compare api.url with the document's servers"


@item("VAL-ACC-1", "VAL-API-1", "VAL-API-2", "VAL-API-3", "REL-BOM-1", "REL-PPIC-1", "REL-PATH-1")
@pytest.mark.endpoints(scope="declared", safe=True)
def test_endpoint_keeps_its_contract(endpoint: Endpoint, swept: Swept, measured: Measured) -> None:
    """A safe endpoint answers as its contract says."""
    judge(endpoint, swept, measured)


@item("VAL-API-1")
@pytest.mark.endpoints(scope="unlisted", listed=LISTED, safe=True)
def test_unlisted_endpoint_keeps_its_contract(endpoint: Endpoint, swept: Swept, measured: Measured) -> None:
    """A safe endpoint that names no item of its own answers as its contract says."""
    judge(endpoint, swept, measured)


def judge(endpoint: Endpoint, swept: Swept, measured: Measured) -> None:
    """Claim that an answer keeps its contract."""
    measured(round(swept.elapsed_ms, 1), unit="ms")

    assert not swept.problems, explain(
        expected=f"{swept.shown} as {endpoint.role or 'anybody'} answers {endpoint.status}, as contracted",
        seen=f"{swept.shown} " + "; ".join(swept.problems),
        next=REMEDY,
        by_hand=swept.by_hand,
    )
    swept.require_clear()


@item("VAL-API-1")
def test_served_document_is_an_openapi_document(sweep: Sweep, measured: Measured) -> None:
    """The OpenAPI document is there, can be read, and has all that it refers to."""
    answer = sweep.served_document()
    trouble = f"answers {answer.status}: {answer.described}" if answer.status != 200 else ""  # noqa: PLR2004
    elsewhere: tuple[str, ...] = ()
    try:
        document = read(answer, answer.url)
        measured(len(document.operations), unit="operations")
        elsewhere = document.elsewhere
        trouble = trouble or first([f"refers to {each}, which is not there" for each in document.dangling])
    except BrokenDocument as error:
        trouble = trouble or str(error)

    assert not trouble, explain(
        expected=f"GET {answer.url} answers 200 with an OpenAPI document, in JSON or YAML, that is whole",
        seen=trouble,
        next="serve it whole, or take openapi out of the release file",
        by_hand=answer.curl,
    )
    if elsewhere:
        raise CannotObserve(
            "reading the OpenAPI document",
            f"it refers to other documents, which are not read: {first(list(elsewhere))}",
            remedy="serve it as one document that holds all of its parts",
        )


@item("VAL-API-1")
def test_documented_operations_keep_their_word(
    sweep: Sweep, release: Release, measured: Measured, exhibits: Exhibits
) -> None:
    """Every safe operation that only the OpenAPI document names answers as the document says."""
    census = sweep.census()
    exhibits.table("Coverage of the contract sweep", COLUMNS, coverage(census, release))
    if release.openapi is None:
        raise Absent("OpenAPI document", "the release file names none")
    if census.document:
        raise CannotObserve("sweeping the documented operations", census.document)
    others = [each for each in census.swept if not each.in_contract]
    is_foreign = len(census.missing) == sum(each.change != "removed" for each in release.endpoints) > 0
    judge_operations(others, measured, FOREIGN if is_foreign else "")


def judge_operations(others: list[Swept], measured: Measured, hint: str = "") -> None:
    """Claim that operations outside the contract keep the document's word, and that all were exercised."""
    measured(len(others), unit="operations")
    broken = [f"{each.shown} {'; '.join(each.problems)}" for each in others if each.problems]
    broken += [
        f"{each.shown}: {each.why_not}" for each in others if each.trouble and each.trouble.kind == "NoAnswer"
    ]
    curls = [each.by_hand for each in others if each.problems and each.by_hand]

    assert not broken, explain(
        expected="every safe operation of the OpenAPI document answers as the document says",
        seen=first(broken),
        next=f"repair the operation, or what the document says about it{hint}",
        by_hand="\n".join(curls[:3]),
    )
    unseen = [each.why_not for each in others if each.trouble and each.trouble.kind == "CannotObserve"]
    unseen += [f"{each.shown}: {each.unclear}" for each in others if each.unclear]
    if unseen:
        raise CannotObserve(
            f"{len(unseen)} of {len(others)} operations that only the OpenAPI document names",
            first(unseen),
            remedy="declare them in the release file, with what they need",
        )


def first(texts: list[str]) -> str:
    """Return the first texts, one a line, and how many more there are."""
    more = [f"and {len(texts) - MOST_SHOWN} more"] if len(texts) > MOST_SHOWN else []
    return "\n".join([*texts[:MOST_SHOWN], *more])


# ---------------------------------------------------------------- records of the run's own


@pytest.fixture
def made(endpoint: Endpoint, release: Release, records: Records) -> tuple[OwnRecord, RecordLife]:
    """How the endpoint's kind of record is made, and the life of one."""
    for name, own in release.records.items():
        if own.create == endpoint.name:
            return own, records.life(name)
    raise Absent(f"record that {endpoint.name} makes", "the release file declares none")


@item("VAL-ACC-1", "VAL-API-1", "VAL-API-2", "VAL-API-3", "REL-BOM-1", "REL-PPIC-1", "REL-PATH-1")
@pytest.mark.endpoints(scope="declared", kinds=("create",))
@pytest.mark.writes
def test_record_is_made_and_read_as_contracted(
    endpoint: Endpoint, made: tuple[OwnRecord, RecordLife], release: Release, sweep: Sweep
) -> None:
    """Making and reading a record answers as its contract says, and shows that very record."""
    judge_life(endpoint, made, release, sweep)


@item("VAL-API-1")
@pytest.mark.endpoints(scope="unlisted", listed=LISTED, kinds=("create",))
@pytest.mark.writes
def test_unlisted_record_is_made_and_read_as_contracted(
    endpoint: Endpoint, made: tuple[OwnRecord, RecordLife], release: Release, sweep: Sweep
) -> None:
    """A record without an item of its own is made and read as its contract says, and shown as itself."""
    judge_life(endpoint, made, release, sweep)


def judge_life(
    endpoint: Endpoint, made: tuple[OwnRecord, RecordLife], release: Release, sweep: Sweep
) -> None:
    """Claim that the answers about a record of the run's own keep their contract and are no stubs."""
    own, life = made
    answers: list[tuple[Endpoint, Answer, str | None]] = [(endpoint, life.created, None)]
    answers += [(release.endpoint(own.read), life.read, life.id)] if own.read and life.read else []
    answers += [(release.endpoint(own.delete), life.removed, None)] if own.delete and life.removed else []
    swept = [sweep.judged(each, answer, asked_id=id_) for each, answer, id_ in answers]
    broken = [f"{each.shown} {'; '.join(each.problems)}" for each in swept if each.problems]
    if life.unready:
        broken.append(f"{life.record} {life.id} is not made within {own.ready_within_s:g} s: {life.unready}")
    broken += [] if broken else [*_stubs(own, life, release)] or stored_otherwise(own, life, release)
    broken += [f"{life.record} {life.id} is still there: {life.left}"] if life.left and life.id else []

    assert not broken, explain(
        expected="a record is made, read, listed and removed as contracted, and each shows this very record",
        seen=first(broken),
        next=f"{REMEDY}; see whether the endpoint asks the database; "
        f"a field that is meant to come back otherwise: records.{life.record}.not_echoed",
        by_hand="\n".join(answer.curl for _, answer, _ in answers),
    )
    life.require_proof(own.undo)
    for each in swept:
        each.require_clear()


def _stubs(own: OwnRecord, life: RecordLife, release: Release) -> Iterator[str]:
    """Yield the endpoints that show something else than the record that was just made."""
    if life.read is not None and own.read is not None:
        endpoint = release.endpoint(own.read)
        body = life.read.json() if endpoint.content_type else None
        held = field(body, endpoint.object_field) if endpoint.object_field else body
        mark = field(held, own.mark_field)
        is_its = mark == life.mark or (mark is MISSING and str(field(held, endpoint.id_field)) == life.id)
        if not is_its:
            seen = f"shows another record; the body is {life.read.described}"
            yield f"{endpoint.shown} for {life.record} {life.id} {seen}"
    if life.listed is not None and own.list is not None and life.listed.whole and not life.listed.shown:
        shown = release.endpoint(own.list).shown
        yield f"{shown} does not show {life.record} {life.id}; the body is {life.listed.answer.described}"
    shown_after = life.listed_after is not None and life.listed_after.shown
    if shown_after and own.list is not None and life.leaves_its_list(own.undo):
        yield f"{release.endpoint(own.list).shown} still shows {life.record} {life.id} after its removal"


@pytest.fixture
def changed(endpoint: Endpoint, release: Release, records: Records) -> tuple[OwnRecord, RecordLife]:
    """How the kind of record is made that the endpoint changes, and the life of one."""
    for name, own in release.records.items():
        if endpoint.name in own.updates:
            return own, records.life(name)
    raise Absent(f"record that {endpoint.name} changes", "the release file declares none")


@item("VAL-ACC-1", "VAL-API-1", "VAL-API-2", "VAL-API-3", "REL-BOM-1", "REL-PPIC-1", "REL-PATH-1")
@pytest.mark.endpoints(scope="declared", kinds=("update", "action"))
@pytest.mark.writes
def test_record_is_changed_as_contracted(
    endpoint: Endpoint, changed: tuple[OwnRecord, RecordLife], release: Release, sweep: Sweep
) -> None:
    """Changing a record answers as its contract says, and the record shows the change afterwards."""
    judge_change(endpoint, changed, release, sweep)


@item("VAL-API-1")
@pytest.mark.endpoints(scope="unlisted", listed=LISTED, kinds=("update", "action"))
@pytest.mark.writes
def test_unlisted_record_is_changed_as_contracted(
    endpoint: Endpoint, changed: tuple[OwnRecord, RecordLife], release: Release, sweep: Sweep
) -> None:
    """A record without an item of its own is changed as its contract says, and shows the change."""
    judge_change(endpoint, changed, release, sweep)


OUTDATED = frozenset({409, 412})
"""How a change is refused that rests on an outdated state (RFC 9110, 15.5.10 and 15.5.13)."""


def judge_change(
    endpoint: Endpoint, changed: tuple[OwnRecord, RecordLife], release: Release, sweep: Sweep
) -> None:
    """Claim that a change of an own record keeps its contract, and changes the record.

    Raises:
        NoAnswer: the target did not answer.
        CannotObserve: there was no record to change, or what it would change cannot be seen.
    """
    own, life = changed
    update, read = life.update(endpoint.name), release.endpoint(str(own.read))
    before, answer, after = cast(
        "tuple[Answer, Answer, Answer]", (update.before, update.answer, update.after)
    )
    swept = sweep.judged(endpoint, answer)
    broken = [f"{swept.shown} {'; '.join(swept.problems)}"] if swept.problems else []
    sent, shown = unwrapped(read, update.sent), held(read, after)
    lost = altered(sent, shown, own.not_echoed)
    lost += without_effect(update.effect, held(read, before), shown)
    if after.status != read.status:
        broken.append(f"reading the record afterwards answers {after.status}")
    elif lost:
        broken.append(f"it answers {answer.status}, and afterwards {', '.join(lost)}")
    broken = broken or list(_again(endpoint, update, read, (*sent, *update.effect)))

    assert not broken, explain(
        expected=f"{endpoint.method} {endpoint.path} answers {endpoint.status}, and {life.record} {life.id} "
        "shows what it was sent",
        seen=first(broken),
        next=f"{REMEDY}; a field that is meant to come back otherwise: records.{life.record}.not_echoed",
        by_hand=f"{answer.curl}\n{after.curl}",
    )
    old = {name: value for name, _, value in pairs(sent, held(read, before), own.not_echoed)}
    was_so = not without_effect(update.effect, {}, held(read, before))
    is_old = all(
        name in old and same(value, old[name]) for name, value, _ in pairs(sent, shown, own.not_echoed)
    )
    if is_old and was_so:
        got = "nothing that it was sent differs from what was there before, or none of it is shown"
        remedy = (
            f"give endpoints[{endpoint.name}].body a field that {read.path} shows, with another value, "
            "or say in its effect what changes"
        )
        raise CannotObserve(f"seeing what {endpoint.method} {endpoint.path} changes", got, remedy=remedy)
    swept.require_clear()


def _again(endpoint: Endpoint, update: Update, read: Endpoint, fields: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with how a change is answered that is asked for a second time.

    Args:
        endpoint: what was asked for.
        update: what came of it.
        read: the endpoint that shows the record.
        fields: dotted fields of the record that the change is about.
    """
    if update.outdated and update.outdated.status not in OUTDATED:
        got = f"{update.outdated.status} instead of 412 to the entity tag of before the change"
        yield f"answers {got}: what somebody else changes meanwhile is overwritten"
    if update.repeated is None or update.after is None or update.remains is None:
        return
    once_more = f"answers {update.repeated.status} when it is asked for once more"
    was, remains = held(read, update.after), held(read, update.remains)
    changed = [name for name in fields if field(was, name) != field(remains, name)]
    if update.repeated.status != endpoint.repeated_status:
        yield f"{once_more}, instead of {endpoint.repeated_status}"
    elif update.remains.status != read.status:
        yield f"{once_more}, and reading the record then answers {update.remains.status}"
    elif changed:
        yield f"{once_more}, and changes {', '.join(changed)} again"


@item("VAL-API-1")
def test_every_writing_endpoint_is_tried(release: Release, measured: Measured, exhibits: Exhibits) -> None:
    """Every endpoint that writes is tried on an own record, or in a flow, or says why it is not."""
    writing = [each for each in release.endpoints if not each.safe and each.change != "removed"]
    tried = tried_by(release)
    rows = [
        (f"{each.method} {each.path}", tried.get(each.name) or f"not tried: {each.untried or 'no reason'}")
        for each in writing
    ]
    exhibits.table("Endpoints that write", ("endpoint", "tried by"), rows)
    measured(sum(each.name in tried for each in writing), unit=f"of {len(writing)} endpoints")
    silent = [
        f"{each.method} {each.path} ({each.name})"
        for each in writing
        if each.name not in tried and not each.untried
    ]
    if silent:
        raise CannotObserve(
            f"{len(silent)} of {len(writing)} endpoints that write",
            f"nothing tries them as one who may:\n{first(silent)}",
            remedy="name them in create, updates or delete of a [records.NAME], "
            'or declare untried = "why" at the endpoint',
        )


def tried_by(release: Release) -> dict[str, str]:
    """Return the endpoints that are called by somebody who may, and what calls them."""
    tried: dict[str, str] = {}
    for needs in (bom.NEEDS, orders.NEEDS, kanban.NEEDS):
        if all(declares(release, name) for name in needs.endpoints):
            tried |= dict.fromkeys(needs.endpoints, "a flow of this release")
    for name, own in release.records.items():
        for each in (own.create, *own.updates, own.delete if own.undo != "none" else None):
            if each:
                tried[each] = f"records.{name}"
    parts = {
        (part.method, part.path): name
        for name in ("sign_in", "refresh", "sign_out", "registration")
        if (part := getattr(release, name))
    }
    parts |= {(how.method, how.path): "other_sign_ins" for how in release.other_sign_ins}
    for endpoint in release.endpoints:
        if (endpoint.method, endpoint.path) in parts:
            tried[endpoint.name] = parts[endpoint.method, endpoint.path]
    if release.registration and release.registration.delete:
        tried.setdefault(release.registration.delete, "registration")
    return tried


# ---------------------------------------------------------------- coverage

COLUMNS = ("endpoint", "in OpenAPI", "in contract", "exercised", "answer", "why not")


def coverage(census: Census, release: Release) -> Iterator[tuple[str, ...]]:
    """Yield one row per endpoint and operation."""
    documented = release.openapi is not None and not census.document
    tried = tried_by(release)
    missing = set(census.missing)
    for each in census.swept:
        answer = f"{each.status} in {each.elapsed_ms:.0f} ms" if each.status else ""
        counted = f"{answer}, {each.rows} entries" if each.rows is not None else answer
        yield (
            each.shown,
            _yes(each.in_document) if documented else "",
            _yes(each.in_contract),
            _yes(each.status is not None),
            counted,
            each.why_not,
        )
    for endpoint in release.endpoints:
        if endpoint.safe and endpoint.change != "removed":
            continue
        gone = endpoint.change == "removed"
        why = (
            "removed in this release: see the check of old paths"
            if gone
            else f"it writes: {tried.get(endpoint.name) or endpoint.untried or 'nothing tries it'}"
        )
        in_document = _yes(endpoint.name not in missing) if documented and not gone else ""
        yield f"{endpoint.method} {endpoint.path}", in_document, "yes", "no", "", why
    for name, in_contract in census.writing:
        if not in_contract:
            yield (
                name,
                "yes",
                "no",
                "no",
                "",
                "it writes, and the release file does not name it: see VAL-ACC-1",
            )


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
