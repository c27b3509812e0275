"""The first quarter of an hour: every safe endpoint answers as its contract says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.observation import Absent, CannotObserve

if TYPE_CHECKING:
    from fixtures.census import Swept
    from fixtures.endpoint import Endpoint
    from fixtures.release import Release
    from fixtures.sweep import Sweep

# The first check of a worker waits for the whole sweep, which has ten minutes.
pytestmark = [pytest.mark.postdeploy, pytest.mark.immediate, pytest.mark.timeout(660)]

MOST_SHOWN = 12
"""Operations that one message names."""


@item("POST-IMM-5")
@pytest.mark.endpoints(scope="all", safe=True)
def test_safe_endpoint_keeps_its_contract(endpoint: Endpoint, swept: Swept, measured: Measured) -> None:
    """A safe endpoint answers as its contract says, without an error inside a success."""
    measured(swept.elapsed_ms, unit="ms")

    assert not swept.problems, explain(
        expected=f"{swept.shown} as {endpoint.role or 'anybody'} answers {endpoint.status}, as contracted",
        seen=f"{swept.shown} " + "; ".join(swept.problems),
        next="read the service's log for this request",
        by_hand=swept.by_hand,
    )
    swept.require_clear()


@item("POST-IMM-5")
def test_documented_operations_keep_their_word(
    sweep: Sweep, release: Release, measured: Measured, exhibits: Exhibits
) -> None:
    """Every safe operation that only the OpenAPI document names answers as the document says."""
    if release.openapi is None:
        raise Absent("OpenAPI document", "the release file names none")
    census = sweep.census()
    if census.document:
        raise CannotObserve("sweeping the documented operations", census.document)
    others = [each for each in census.swept if not each.in_contract]
    measured(len(others), unit="operations")
    rows = [(each.shown, str(each.status or ""), "; ".join(each.problems) or each.why_not) for each in others]
    exhibits.table(
        "Operations that only the OpenAPI document names", ("operation", "answer", "finding"), rows
    )
    broken = [each for each in others if each.problems or (each.trouble and each.trouble.kind == "NoAnswer")]

    assert not broken, explain(
        expected="every safe operation of the OpenAPI document answers as the document says",
        seen="\n".join(
            f"{each.shown} {'; '.join(each.problems) or each.why_not}" for each in broken[:MOST_SHOWN]
        ),
        next="read the service's log for these requests",
        by_hand="\n".join(each.by_hand for each in broken[:3] if each.by_hand),
    )
    unseen = [each.why_not for each in others if each.trouble and each.trouble.kind == "CannotObserve"]
    unseen += [f"{each.shown}: {each.unclear}" for each in others if each.unclear]
    if unseen:
        raise CannotObserve(
            f"{len(unseen)} of {len(others)} operations that only the OpenAPI document names",
            "\n".join(unseen[:MOST_SHOWN]),
            remedy="declare them in the release file, with what they need",
        )
