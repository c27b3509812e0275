"""The critical reads answer, with lists that are lists and show what is known to be in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item
from fixtures.bodies import entries, hidden_error
from fixtures.http import NotJson
from fixtures.judgement import is_json
from fixtures.observation import Absent, CannotObserve

if TYPE_CHECKING:
    from fixtures.endpoint import Endpoint
    from fixtures.http import Answer
    from fixtures.record_life import RecordLife

pytestmark = pytest.mark.smoke

REMEDY = "read the service's log for this request"


@item("SMK-3", "SMK-5")
def test_critical_read_answers_with_its_status(
    answer: Answer, endpoint: Endpoint, measured: Measured
) -> None:
    """A critical read answers with the promised status."""
    measured(answer.status, limit=endpoint.status)

    assert answer.status == endpoint.status, explain(
        expected=f"{endpoint.shown} as {endpoint.role} answers {endpoint.status}",
        seen=answer.told,
        next=REMEDY,
        by_hand=answer.curl,
    )


@item("SMK-3", "SMK-5")
def test_critical_read_answers_with_its_type(answer: Answer, endpoint: Endpoint, measured: Measured) -> None:
    """A critical read that succeeds answers with the promised media type."""
    measured(answer.content_type, limit=endpoint.content_type)
    is_kind = endpoint.content_type == "application/json" and answer.content_type.endswith("+json")
    is_problem = answer.content_type.startswith("application/problem+")  # RFC 9457
    as_promised = answer.content_type == endpoint.content_type or (is_kind and not is_problem)

    assert as_promised or answer.status != endpoint.status, explain(
        expected=f"{endpoint.shown} answers with {endpoint.content_type}",
        seen=answer.told,
        next=REMEDY,
        by_hand=answer.curl,
    )


@item("SMK-3", "SMK-5")
@pytest.mark.endpoints(kinds=("list",))
def test_critical_list_is_a_list(answer: Answer, endpoint: Endpoint, measured: Measured) -> None:
    """A critical list answers with a list in its promised place, and without an error beside it."""
    place = f"in its field {endpoint.list_field}" if endpoint.list_field else "as its body"
    found, trouble = _list_of(answer, endpoint)
    measured(len(found), unit="records")

    assert not trouble, explain(
        expected=f"{endpoint.shown} answers with a list {place}, and no error",
        seen=f"{answer.status}; {trouble}",
        next=REMEDY,
        by_hand=answer.curl,
    )
    if not found and endpoint.shows is None and endpoint.empty is None:
        raise CannotObserve(
            f"{endpoint.shown}",
            "an empty list, which can hide a broken serializer",
            remedy="declare a record that it shows, or make one in this environment, "
            f'or say at endpoints[{endpoint.name}] why it may be so: empty = "reason"',
        )


@item("SMK-3", "SMK-5")
@pytest.mark.endpoints(kinds=("read", "report", "page"))
def test_critical_read_carries_no_error(answer: Answer, endpoint: Endpoint) -> None:
    """A critical read of anything but a list answers without an error in its body."""
    if not is_json(answer.content_type):
        raise Absent("JSON body to read", f"it answers with {answer.content_type or 'no media type'}")
    try:
        trouble = hidden_error(answer.json())
    except NotJson as error:
        trouble = str(error)

    assert not trouble or answer.status != endpoint.status, explain(
        expected=f"{endpoint.shown} answers without an error",
        seen=f"{answer.status}; {trouble}",
        next=REMEDY,
        by_hand=answer.curl,
    )


def _list_of(answer: Answer, endpoint: Endpoint) -> tuple[list[object], str]:
    """Return the list that an answer holds, and what is wrong with it or an empty string."""
    try:
        body = answer.json()
    except NotJson as error:
        return [], str(error)
    found = entries(body, endpoint)
    if found is None:
        return [], hidden_error(body) or f"no list there; the body is {answer.described}"
    return found, hidden_error(body)


@item("SMK-3", "SMK-5")
@pytest.mark.endpoints(kinds=("list",), shows=True)
@pytest.mark.writes
def test_critical_list_shows_a_record_of_this_run(endpoint: Endpoint, shown: RecordLife) -> None:
    """A critical list shows a record that the run has just created."""
    if shown.id is None:
        raise CannotObserve(
            f"finding a record in {endpoint.shown}",
            f"none could be created: {shown.created.status}",
            remedy="see the check of its creation",
        )
    listing = shown.listing()
    if listing.answer.status == endpoint.status and not listing.shown and not listing.whole:
        raise CannotObserve(f"finding a record in {endpoint.shown}", "the list has more pages than were read")

    assert listing.shown, explain(
        expected=f"{endpoint.shown} shows the record {shown.id} that was just created",
        seen=f"{listing.answer.status} without it; the body is {listing.answer.described}",
        next=REMEDY,
        by_hand=listing.answer.curl,
    )
