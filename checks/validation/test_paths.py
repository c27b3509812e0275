"""Old paths are gone, in every way in which they could be asked for, and the new ones are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.http import NotJson
from fixtures.observation import Absent, CannotObserve
from fixtures.old_paths import is_current, is_requested, old_paths
from fixtures.paths import FIRST_SERVER_ERROR, MISSING, Try, alive, unseen

if TYPE_CHECKING:
    from fixtures.endpoint import Endpoint
    from fixtures.http import HttpProbe
    from fixtures.old_paths import OldPath
    from fixtures.paths import Paths
    from fixtures.release import Release

pytestmark = pytest.mark.validation

REMEDY = "remove the old route, in the service and in the proxy before it; clients have to use the new path"


@item("REL-PATH-1")
def test_old_path_is_gone_for_readers(
    old_path: OldPath, paths: Paths, measured: Measured, exhibits: Exhibits
) -> None:
    """An old path answers no reader, with or without a token."""
    _judge(old_path, paths.reading().of(old_path.path), measured, exhibits)


@item("REL-PATH-1")
@pytest.mark.writes
def test_old_path_is_gone_for_writers(
    old_path: OldPath, paths: Paths, measured: Measured, exhibits: Exhibits
) -> None:
    """An old path answers no request that would write, with or without a token."""
    _judge(old_path, paths.writing().of(old_path.path), measured, exhibits)


def _judge(old_path: OldPath, tries: tuple[Try, ...], measured: Measured, exhibits: Exhibits) -> None:
    signs, doubts = alive(old_path, tries), unseen(old_path, tries)
    measured(len(tries), unit="requests")
    exhibits.table(
        f"{old_path.path}, {old_path.why}",
        ("request", "id", "answer", "a path that never existed"),
        [(each, each.id, each.status or "none", each.never or "none") for each in tries],
    )

    assert not signs, explain(
        expected=f"{old_path.path} ({old_path.why}) answers {old_path.status}, whoever asks and however",
        seen="; ".join(signs),
        next=REMEDY,
        by_hand=next((each.curl for each in tries if str(each) in signs[0]), ""),
    )
    if doubts or not tries:
        raise CannotObserve(f"asking for {old_path.path}", "; ".join(doubts) or "nothing could be asked")


@item("REL-PATH-1")
def test_moved_endpoint_that_reads_is_on_its_new_path(
    moved_reader: Endpoint, paths: Paths, measured: Measured
) -> None:
    """A moved endpoint that reads answers on its new path."""
    (answered,) = _answers(moved_reader, paths.reading().of(moved_reader.path))
    measured(answered.status, limit=moved_reader.status)

    assert answered.status == moved_reader.status, explain(
        expected=f"{moved_reader.method} {moved_reader.path}, moved from {moved_reader.moved_from}, "
        f"answers {moved_reader.status}",
        seen=f"{answered.status}; the body is {answered.described}",
        next="see whether the new route was deployed",
        by_hand=answered.curl,
    )


@item("REL-PATH-1")
@pytest.mark.writes
def test_moved_endpoint_that_writes_is_on_its_new_path(
    moved_writer: Endpoint, paths: Paths, measured: Measured
) -> None:
    """A moved endpoint that writes is found on its new path; what it does is another check's claim."""
    (answered,) = _answers(moved_writer, paths.writing().of(moved_writer.path))
    measured(answered.status)

    assert answered.status not in MISSING and answered.status < FIRST_SERVER_ERROR, explain(  # noqa: PT018  one claim
        expected=f"{moved_writer.method} {moved_writer.path}, moved from {moved_writer.moved_from}, is there",
        seen=f"{answered.status}; the body is {answered.described}",
        next="see whether the new route was deployed",
        by_hand=answered.curl,
    )
    if answered.is_masked:
        raise CannotObserve(str(answered), f"{answered.status}, as a path that never existed answers")


def _answers(moved: Endpoint, tries: tuple[Try, ...]) -> list[Try]:
    """Return the answer on the new path.

    Raises:
        NoAnswer: the target did not answer.
        CannotObserve: our side is the reason.
    """
    (found,) = [each for each in tries if each.method == moved.method]
    if found.raised:
        found.raised.again()
    return [found]


@item("REL-PATH-1")
def test_openapi_document_names_no_old_path(api: HttpProbe, release: Release, measured: Measured) -> None:
    """The OpenAPI document that the release serves names none of the old paths."""
    gone = old_paths(release)
    if not gone or release.openapi is None:
        raise Absent("old path in an OpenAPI document", "the release file names none, or no document")
    answer = api.get(release.openapi)
    try:
        document = answer.json()
    except NotJson as error:
        raise CannotObserve(f"GET {release.openapi}", f"{answer.status}; {error}") from None
    named = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(named, dict):
        raise CannotObserve(f"GET {release.openapi}", f"{answer.status}; it names no paths")
    measured(len(named), unit="paths")
    old = [
        path
        for path, methods in named.items()
        if any(is_requested(each, path) for each in gone)
        and not all(is_current(release, str(method).upper(), path) for method in methods)
    ]

    assert not old, explain(
        expected="the OpenAPI document describes the new paths only",
        seen=f"it still describes {', '.join(old)}",
        next=REMEDY,
        by_hand=answer.curl,
    )
