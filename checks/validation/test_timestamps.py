"""What is new: date and time standardization. Every timestamp of every answer that the run has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.observation import Absent, CannotObserve
from fixtures.targets import record_read_by

if TYPE_CHECKING:
    from fixtures.census import Census, Swept
    from fixtures.instants import Instants
    from fixtures.records import Records
    from fixtures.release import Release, Timestamps
    from fixtures.sweep import Sweep

# The first check of a worker waits for the whole sweep, which has ten minutes.
pytestmark = [pytest.mark.validation, pytest.mark.timeout(660)]

REMEDY = "let the serializer write the zone's own offset: 2026-01-26T10:00:00+07:00 for Jakarta"
MOST_SHOWN = 12
"""Timestamps that one message names."""


@pytest.fixture
def promised(release: Release) -> Timestamps:
    """What the release promises about timestamps."""
    if release.timestamps is None:
        raise Absent("promise about timestamps", "the release file makes none")
    return release.timestamps


@pytest.fixture
def census(promised: Timestamps, sweep: Sweep) -> Census:
    """The answers of the sweep."""
    assert promised is not None
    return sweep.census()


@item("REL-TIME-1")
def test_every_timestamp_is_iso8601_with_an_offset(
    census: Census, release: Release, measured: Measured, exhibits: Exhibits
) -> None:
    """Every timestamp in every swept answer is ISO 8601 with an offset."""
    measured(sum(each.stamps for each in census.swept), unit="timestamps")
    rows = [(each.shown, text) for each in census.swept for text in each.misshapen]
    if rows:
        exhibits.table("Timestamps that are not ISO 8601 with an offset", ("endpoint", "timestamp"), rows)

    assert not rows, explain(
        expected="every timestamp is ISO 8601 with an offset",
        seen=_first(rows),
        next=REMEDY,
        by_hand=_by_hand([each for each in census.swept if each.misshapen]),
    )
    _require_evidence(census, release)


@item("REL-TIME-2")
def test_every_timestamp_is_in_the_promised_zone(
    census: Census, promised: Timestamps, release: Release, measured: Measured, exhibits: Exhibits
) -> None:
    """Every timestamp in every swept answer has the promised zone's offset at its instant."""
    measured(sum(each.stamps for each in census.swept), unit="timestamps")
    rows = [(each.shown, text) for each in census.swept for text in each.elsewhere]
    if rows:
        exhibits.table(f"Timestamps that are not in {promised.zone}", ("endpoint", "timestamp"), rows)

    assert not rows, explain(
        expected=f"every timestamp is in {promised.zone}",
        seen=_first(rows),
        next=REMEDY,
        by_hand=_by_hand([each for each in census.swept if each.elsewhere]),
    )
    _require_evidence(census, release)


def _require_evidence(census: Census, release: Release) -> None:
    """Let a claim about every answer stand only if every endpoint of the contract has answered.

    Raises:
        CannotObserve: one has not, or there was no timestamp at all.
    """
    answered = [each for each in census.swept if each.read]
    unread = [
        each.why_not or f"{each.shown} {each.problems[0]}"
        for each in census.swept
        if each.in_contract and not each.read and not _is_own(each, release) and not _has_none(each)
    ]
    if unread:
        raise CannotObserve(
            f"reading the timestamps of {len(unread)} endpoints", "\n".join(unread[:MOST_SHOWN]),
            remedy="see the checks of these endpoints",
        )  # fmt: skip
    if not any(each.stamps for each in answered):
        raise CannotObserve(
            f"reading timestamps in {len(answered)} answers",
            "there was none",
            remedy="make a record in this environment, or take [timestamps] out of the release file",
        )


def _is_own(swept: Swept, release: Release) -> bool:
    """Return whether only the run's own record shows what an endpoint answers: it has checks of its own."""
    return record_read_by(release, release.endpoint(swept.name)) is not None


def _has_none(swept: Swept) -> bool:
    """Return whether there is nothing to read: its list is empty, and may be."""
    return swept.trouble is not None and swept.trouble.kind == "Absent"


@pytest.fixture
def own(promised: Timestamps, release: Release, records: Records, sweep: Sweep) -> list[Swept]:
    """The answers to making and reading a record of each kind."""
    if not release.records:
        raise Absent("record of the run's own", "the release file declares none")
    assert promised is not None
    answers = []
    for name, each in release.records.items():
        life = records.life(name)
        answers.append(sweep.judged(release.endpoint(each.create), life.created))
        if life.read is not None and each.read is not None:
            answers.append(sweep.judged(release.endpoint(each.read), life.read))
    return answers


@item("REL-TIME-1")
@pytest.mark.writes
def test_own_records_have_iso8601_timestamps(own: list[Swept], measured: Measured) -> None:
    """Every timestamp in the answers to making and reading a record is ISO 8601 with an offset."""
    measured(sum(each.stamps for each in own), unit="timestamps")
    rows = [(each.shown, text) for each in own for text in each.misshapen]

    assert not rows, explain(
        expected="every timestamp is ISO 8601 with an offset",
        seen=_first(rows),
        next=REMEDY,
        by_hand=_by_hand([each for each in own if each.misshapen]),
    )


@item("REL-TIME-2")
@pytest.mark.writes
def test_own_records_have_timestamps_in_the_promised_zone(
    own: list[Swept], promised: Timestamps, measured: Measured
) -> None:
    """Every timestamp in the answers to making and reading a record is in the promised zone."""
    measured(sum(each.stamps for each in own), unit="timestamps")
    rows = [(each.shown, text) for each in own for text in each.elsewhere]

    assert not rows, explain(
        expected=f"every timestamp is in {promised.zone}",
        seen=_first(rows),
        next=REMEDY,
        by_hand=_by_hand([each for each in own if each.elsewhere]),
    )


@item("REL-TIME-2")
def test_shown_instants_are_the_stored_ones(
    promised: Timestamps, instants: Instants, measured: Measured, exhibits: Exhibits
) -> None:
    """A timestamp that an answer shows is the instant that the database holds."""
    pairs = instants.stored()
    if not pairs:
        raise Absent(
            "stored timestamp to compare with", "no declared table has a column for one that is shown"
        )
    measured(len(pairs), unit="timestamps")
    columns = ("where", "shown", "stored")
    exhibits.table(
        "Shown and stored instants", columns, [(pair.where, pair.shown, pair.stored) for pair in pairs]
    )
    wrong = [
        f"{pair.where} shows {pair.shown}, stored is {pair.stored}: {pair.apart_s:+.0f} s apart"
        for pair in pairs
        if not pair.same
    ]

    assert not wrong, explain(
        expected=f"the same instant as stored in {promised.stored}",
        seen="\n".join(wrong[:MOST_SHOWN]),
        next="convert the instant into the zone, do not only write another offset behind it",
    )


@item("REL-TIME-2")
@pytest.mark.writes
def test_own_record_was_made_when_it_says(
    promised: Timestamps, instants: Instants, measured: Measured
) -> None:
    """A record that the run makes shows an instant of creation that is now: no other offset fits."""
    made = instants.own()
    if not made:
        if instants.stored():
            raise Absent("instant of creation", "no answer shows one; the stored instants were compared")
        raise CannotObserve(
            "comparing instants",
            "no record of the run's own shows when it was made, and no stored timestamp can be compared",
            remedy="declare a [records.NAME] with made_at, the field that holds the moment of its making, or "
            "with its table where the environment has a database; where no answer shows such a moment, "
            'not_applicable.REL-TIME-2 = "reason"',
        )
    worst = max(made, key=lambda each: abs(each.apart_s))
    measured(worst.apart_s, limit=instants.allowance_s, unit="s")
    wrong = [
        f"{each.where} shows {each.shown}, it was made at {each.stored}: {each.apart_s:+.0f} s apart"
        for each in made
        if not each.same
    ]

    assert not wrong, explain(
        expected=f"the instant at which the record was made, in {promised.zone}",
        seen="\n".join(wrong[:MOST_SHOWN]),
        next="convert the instant into the zone, do not only write another offset behind it",
    )


def _first(rows: list[tuple[str, str]]) -> str:
    more = [f"and {len(rows) - MOST_SHOWN} more"] if len(rows) > MOST_SHOWN else []
    return "\n".join([*(f"{endpoint}: {text}" for endpoint, text in rows[:MOST_SHOWN]), *more])


def _by_hand(swept: list[Swept]) -> str:
    return "\n".join(each.by_hand for each in swept[:3])
