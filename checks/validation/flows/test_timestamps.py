"""Timestamps in what the flows were answered: of changes too, and not only of what can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from checks import Measured, explain, item
from fixtures.http import NotJson
from fixtures.judgement import timestamps
from fixtures.observation import Absent
from fixtures.timestamps import NO_EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.validation.flows.steps import Flow, Step
    from fixtures.release import Release

pytestmark = [pytest.mark.validation, pytest.mark.writes]

REMEDY = "let the serializer of this answer write the zone's own offset, as that of the others does"
FLOWS = {"a BOM": "bom_flow", "an order": "order_flow", "a card": "card_flow"}
MOST_SHOWN = 12
"""Timestamps that one message names."""


@pytest.fixture(params=FLOWS)
def flow(request: pytest.FixtureRequest, release: Release) -> Flow:
    """Each flow of this release."""
    if release.timestamps is None:
        raise Absent("promise about timestamps", "the release file makes none")
    taken: Flow = request.getfixturevalue(FLOWS[request.param])
    return taken


@item("REL-TIME-1")
def test_answers_of_a_flow_have_iso8601_timestamps(flow: Flow, release: Release, measured: Measured) -> None:
    """Every timestamp in the answers to a flow's requests is ISO 8601 with an offset."""
    found = list(_timestamps(flow, None, release))
    measured(sum(count for _, count, _, _ in found), unit="timestamps")
    wrong = [(step, text) for step, _, misshapen, _ in found for text in misshapen]

    assert not wrong, explain(
        expected="every timestamp is ISO 8601 with an offset",
        seen=_shown(wrong),
        next=REMEDY,
        by_hand=wrong[0][0].answer.curl,
    )


@item("REL-TIME-2")
def test_answers_of_a_flow_have_timestamps_in_the_promised_zone(
    flow: Flow, release: Release, measured: Measured
) -> None:
    """Every timestamp in the answers to a flow's requests has the promised zone's offset."""
    zone = release.timestamps.zone if release.timestamps else ""
    found = list(_timestamps(flow, ZoneInfo(zone), release))
    measured(sum(count for _, count, _, _ in found), unit="timestamps")
    wrong = [(step, text) for step, _, _, elsewhere in found for text in elsewhere]

    assert not wrong, explain(
        expected=f"every timestamp is in {zone}",
        seen=_shown(wrong),
        next=REMEDY,
        by_hand=wrong[0][0].answer.curl,
    )


def _timestamps(
    flow: Flow, zone: ZoneInfo | None, release: Release
) -> Iterator[tuple[Step, int, tuple[str, ...], tuple[str, ...]]]:
    """Yield each step that was answered with JSON, its timestamps, the misshapen and those elsewhere."""
    epoch = release.timestamps.epoch if release.timestamps else NO_EPOCH
    for step in flow.steps.values():
        try:
            body = step.answer.json()
        except NotJson:
            continue
        yield step, *timestamps(body, zone, epoch)


def _shown(wrong: list[tuple[Step, str]]) -> str:
    return "\n".join(f"{step.answer.method} {step.answer.url}: {text}" for step, text in wrong[:MOST_SHOWN])
