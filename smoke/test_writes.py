"""A critical record can be created, is there, and can be removed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item
from fixtures.bodies import MISSING, field, hidden_error
from fixtures.echo import stored_otherwise
from fixtures.http import NotJson
from fixtures.observation import Absent, CannotObserve

if TYPE_CHECKING:
    from fixtures.endpoint import Endpoint
    from fixtures.record_life import RecordLife
    from fixtures.records import Records
    from fixtures.release import Release

pytestmark = [pytest.mark.smoke, pytest.mark.writes]

REMEDY = "read the service's log for this request, and the transaction around it"


@item("SMK-4")
@pytest.mark.endpoints(kinds=("create",))
def test_creating_answers_with_its_status(
    created: RecordLife, endpoint: Endpoint, measured: Measured
) -> None:
    """Creating a critical record answers with the promised status."""
    answer = created.created
    measured(answer.status, limit=endpoint.status)

    assert answer.status == endpoint.status, explain(
        expected=f"{endpoint.method} {endpoint.path} answers {endpoint.status}",
        seen=answer.told,
        next=REMEDY,
        by_hand=answer.curl,
    )


@item("SMK-4")
@pytest.mark.endpoints(kinds=("create",))
def test_creating_answers_without_an_error_in_its_body(created: RecordLife, endpoint: Endpoint) -> None:
    """An answer that says that a critical record was created carries no error."""
    answer = created.created
    try:
        trouble = hidden_error(answer.json()) if answer.body else ""
    except NotJson as error:
        trouble = str(error) if endpoint.content_type == "application/json" else ""

    assert not trouble or answer.status >= FIRST_ERROR, explain(
        expected=f"{endpoint.method} {endpoint.path} answers with the record, and no error",
        seen=f"{answer.status}; {trouble}",
        next=REMEDY,
        by_hand=answer.curl,
    )


@item("SMK-4")
@pytest.mark.endpoints(kinds=("create",))
def test_creation_that_fails_commits_nothing(created: RecordLife, endpoint: Endpoint) -> None:
    """A creation that answers with an error has stored nothing."""
    status = created.created.status

    assert status < FIRST_ERROR or created.id is None, explain(
        expected=f"nothing is stored when {endpoint.method} {endpoint.path} answers {status}",
        seen=f"it answered {status} and stored record {created.id} all the same",
        next="make the creation one transaction; look for records that users created twice",
        by_hand=created.created.curl,
    )


FIRST_ERROR = 400
"""The first status that says that a request failed (RFC 9110, 15.5)."""


@item("SMK-4")
@pytest.mark.endpoints(kinds=("create",))
def test_created_record_is_there(created: RecordLife, endpoint: Endpoint, release: Release) -> None:
    """A created record can be read back, and is in the database where that can be asked."""
    if created.created.status >= FIRST_ERROR and created.id is None:
        raise CannotObserve("reading the record back", f"none was created: {created.created.status}")
    missing = _missing(created, release)

    assert not missing, explain(
        expected=f"what {endpoint.method} {endpoint.path} says it created is there",
        seen=f"it answered {created.created.status}, and {' and '.join(missing)}",
        next=REMEDY,
        by_hand=created.created.curl,
    )


@item("SMK-4")
@pytest.mark.endpoints(kinds=("create",))
def test_created_record_holds_what_was_sent(
    created: RecordLife, endpoint: Endpoint, release: Release
) -> None:
    """A created record shows the values that it was made with, wherever it shows them."""
    own = release.records[created.record]
    different = stored_otherwise(own, created, release)

    assert not different, explain(
        expected=f"what {endpoint.method} {endpoint.path} creates holds what was sent",
        seen="; ".join(different),
        next=f"{REMEDY}; a field that is meant to come back otherwise: records.{created.record}.not_echoed",
        by_hand=created.created.curl,
    )


@item("SMK-4")
@pytest.mark.endpoints(kinds=("create",))
def test_creating_names_the_record(created: RecordLife, endpoint: Endpoint, release: Release) -> None:
    """The answer to a creation names the id of what was created."""
    own, answer = release.records[created.record], created.created
    place = f"header {own.id_header}" if own.id_header else f"field {own.id_field}"
    silent = answer.status >= FIRST_ERROR or not (answer.body or own.id_header)

    assert created.told_id or silent, explain(
        expected=f"{endpoint.method} {endpoint.path} names the id of the new record in the {place}",
        seen=f"{answer.status} without it; the body is {answer.described}",
        next=REMEDY,
        by_hand=answer.curl,
    )


@item("SMK-4")
@pytest.mark.endpoints(kinds=("create",))
def test_creating_stores_one_record(created: RecordLife, endpoint: Endpoint) -> None:
    """One creation stores one record."""
    assert not created.copies, explain(
        expected=f"one record after one {endpoint.method} {endpoint.path}",
        seen=f"{1 + len(created.copies)}: {created.id}, and with the same mark {', '.join(created.copies)}",
        next="look for records that users created twice; make the creation idempotent or atomic",
        by_hand=created.created.curl,
    )


def _missing(life: RecordLife, release: Release) -> list[str]:
    """Return where a created record should be and is not; what cannot be asked is left out.

    Raises:
        CannotObserve: nothing can be asked.
    """
    own = release.records[life.record]
    if life.id is None:
        return ["no record of it can be found"]
    found: list[tuple[bool, str]] = []
    if own.read:
        read, promised = life.step("read"), release.endpoint(own.read)
        found.append((read.status == promised.status, f"reading it back answers {read.status}"))
        if read.status == promised.status:
            found.append(
                (not life.unready, f"it is not made within {own.ready_within_s:g} s: {life.unready}")
            )
            found.append((_is_it(life, release), f"reading it back shows something else: {read.described}"))
    if own.table and life.rows_after_create is not None:
        found.append((life.rows_after_create > 0, "the database has no row of it"))
    if not found:
        found.append((life.listing().shown, "its list does not show it"))
    return [where for is_there, where in found if not is_there]


def _is_it(life: RecordLife, release: Release) -> bool:
    """Return whether the record that was read back is the one that was made: by its mark, else by its id."""
    own = release.records[life.record]
    read = release.endpoint(str(own.read))
    try:
        body = life.step("read").json()
    except NotJson:
        return read.content_type != "application/json"
    held = field(body, read.object_field) if read.object_field else body
    mark = field(held, own.mark_field)
    return mark == life.mark or (mark is MISSING and str(field(held, read.id_field)) == life.id)


@item("SMK-4")
@pytest.mark.endpoints(kinds=("create",))
def test_removing_answers_with_its_status(created: RecordLife, release: Release, measured: Measured) -> None:
    """Removing the record answers with the promised status."""
    own = release.records[created.record]
    delete = own.delete if own.undo != "none" else None
    if delete is None or created.id is None:
        raise Absent("removal to judge", "nothing was created, or the release file declares no removal")
    promised, answer = release.endpoint(delete), created.step("removed")
    measured(answer.status, limit=promised.status)

    assert answer.status == promised.status, explain(
        expected=f"{promised.method} {promised.path} answers {promised.status}",
        seen=answer.told,
        next=REMEDY,
        by_hand=answer.curl,
    )


@item("SMK-4")
@pytest.mark.endpoints(kinds=("create",))
def test_created_record_is_removed_again(created: RecordLife, endpoint: Endpoint, release: Release) -> None:
    """The record of the run's own is gone again when the check is over."""
    delete = release.records[created.record].delete
    removal = release.endpoint(delete) if delete else endpoint

    assert not created.left, explain(
        expected=f"the record {created.id} is gone after {removal.method} {removal.path}",
        seen=created.left,
        next=f"remove it by hand: its mark is {created.mark}; the next run tries again",
        by_hand=created.removed.curl if created.removed else "",
    )
    created.require_proof(release.records[created.record].undo)


@item("SMK-4")
@pytest.mark.endpoints(kinds=("create",))
def test_removed_record_is_listed_no_more(created: RecordLife, release: Release) -> None:
    """What has been removed has left its list, too."""
    own = release.records[created.record]
    if not created.leaves_its_list(own.undo) or created.listed is None or not created.listed.shown:
        raise Absent("list to look into again", "no list has shown the record, or it can still be read there")
    page = created.listing_after()

    assert not page.shown, explain(
        expected=f"record {created.id} is not in {own.list} any more after its removal",
        seen=f"it is still listed there, with its mark {created.mark}",
        next="see what the list is read from: a cache, a replica, or rows of another table",
        by_hand=page.answer.curl,
    )


@item("SMK-4")
def test_earlier_runs_have_left_nothing(records: Records) -> None:
    """Whatever earlier runs were killed before removing is gone."""
    replay = records.replayed()
    left = [f"{one.record} {one.id or one.mark}: {one.reason}" for one in replay.left]

    assert not left, explain(
        expected="nothing is left of earlier runs",
        seen="; ".join(left),
        next="remove it by hand; the mark names the run that made it",
    )
    if replay.unseen:
        raise CannotObserve("looking for what earlier runs have left", "; ".join(replay.unseen))
