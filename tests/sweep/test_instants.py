"""Shown instants beside the clock of the target: what counts as the moment of a record's creation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.http import Answer
from fixtures.instants import Instants
from fixtures.release import Release


def answer(body: str, date: str = "Sun, 22 Nov 2026 19:15:00 GMT") -> Answer:
    headers = (("Content-Type", "application/json"), ("Date", date))
    return Answer("POST", "https://x/things", 201, headers, body.encode(), 1.0, complete=True)


def instants(created: Answer) -> Instants:
    endpoints = [
        {"name": "make", "method": "POST", "path": "/things", "kind": "create"},
        {"name": "drop", "method": "DELETE", "path": "/things/{id}", "kind": "delete"},
    ]
    record = {
        "create": "make",
        "delete": "drop",
        "body": {"n": "{mark}"},
        "mark_field": "n",
        "id_field": "data.id",
    }
    release = Release.model_validate(
        {
            "version": "1",
            "health": {"path": "/", "text": ""},
            "endpoints": endpoints,
            "records": {"thing": record},
        }
    )
    life = SimpleNamespace(created=created, read=None)
    records = SimpleNamespace(life=lambda _: life)
    request = SimpleNamespace(getfixturevalue=lambda _: records)
    nothing: Any = None
    return Instants(
        request=request,  # type: ignore[arg-type]
        api=nothing,
        environment=nothing,
        release=release,
        run=nothing,
        sweep=nothing,
    )


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        ("2026-11-23T02:15:00+07:00", True),
        ("2026-11-22T19:15:00Z", True),
        ("2026-11-22T19:18:00Z", True),
        ("2026-11-22T19:15:00+07:00", False),
        ("2026-11-23T02:15:00Z", False),
    ],
)
def test_the_instant_counts_and_not_its_writing(shown: str, same: bool) -> None:
    (pair,) = instants(answer(f'{{"data": {{"id": 1, "createdAt": "{shown}"}}}}')).own()

    assert pair.same is same


def test_other_timestamps_and_objects_within_the_record_are_left_alone() -> None:
    inner = '"product": {"created_at": "2020-01-01T00:00:00Z"}, "due_at": "2027-01-01T00:00:00Z"'

    assert (
        instants(answer(f'{{"data": {{"id": 1, {inner}}}, "created": "2020-01-01T00:00:00Z"}}')).own() == ()
    )


def test_without_a_date_header_our_own_clock_has_to_do() -> None:
    now = datetime.now(UTC) - timedelta(seconds=2)
    (pair,) = instants(answer(f'{{"data": {{"id": 1, "created_at": "{now.isoformat()}"}}}}', date="")).own()

    assert pair.same
