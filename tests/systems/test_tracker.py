"""The suite on a tracker that it does not know, with nothing but two files written for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.systems import suite
from tests.systems.tracker import ENVIRONMENT, PASSWORD, RELEASE, Tracker, serving

if TYPE_CHECKING:
    from pathlib import Path

OWN_CHECKS = (
    "test_contract or test_timestamps and not flows or test_only_the_permitted or test_private or detour"
)
"""The checks of the validation phase that judge what the tracker's release file promises of its endpoints."""


def judged(tracker: Tracker, folder: Path, phase: str, only: str = "") -> list[dict[str, Any]]:
    """Return the records of one phase, without those that do not apply."""
    with serving(tracker) as url:
        environment = ENVIRONMENT.format(release="release.toml", url=url)
        return suite.applying(
            suite.judged(
                folder,
                release=RELEASE,
                environment=environment,
                secrets={"TRACKER_PASSWORD": PASSWORD},
                phase=phase,
                only=only,
            )
        )


def test_smoke_finds_its_way_below_a_tenant(tmp_path: Path) -> None:
    tracker = Tracker()
    before = dict(tracker.issues)
    records = judged(tracker, tmp_path, "smoke")

    assert {record["outcome"] for record in records} == {"PASSED"}
    assert not [url for url in tracker.asked if "%7B" in url], "a placeholder was asked for as it stands"
    assert tracker.issues == before


def test_a_healthy_tracker_keeps_its_contract_and_is_left_as_it_was(tmp_path: Path) -> None:
    tracker = Tracker()
    before = dict(tracker.issues)
    records = judged(tracker, tmp_path, "validation", OWN_CHECKS)

    assert not [record for record in records if record["outcome"] != "PASSED"]
    assert tracker.issues == before
    assert {each["archived"] for each in tracker.milestones.values()} == {True}


@pytest.mark.parametrize(
    ("broken", "causes"),
    [
        ("nothing is archived", ["POST .+/milestones.+ archived is False; its removal answered 204"]),
        ("second page repeats", ["GET .+/issues.+on its second page shows the same entries"]),
        ("links lead inside", ["GET .+/issues.+its next page is at http://inside/v2/tenants/acme/issues"]),
        ("labels are lost", ["POST .+/issues.+ shows that labels has 0 entries, sent were 2"]),
        ("pins are lost", ["POST .+/pin.+pinned is False instead of True, pinned_at is still None"]),
        ("pins come twice", ["POST .+/pin.+answers 204 when it is asked for once more, instead of 409"]),
        (
            "pins come off",
            ["POST .+/pin.+answers 409 when it is asked for once more, and changes pinned again"],
        ),
        (
            "a second pin removes",
            [
                "POST .+ DELETE .+answers 404 instead of 204",
                "POST .+/pin.+answers 409 .+ once more, and reading the record then answers 404",
            ],
        ),
        ("nothing is planned", ["POST .+ not made within 2 s: state is 'pending' instead of 'planned'"]),
        ("milestones are public", ["GET .+/milestones/.+nobody .no token. may not, and is let in: 200"]),
        ("mine is everybody's", ["test_private.+/mine shows reader the issue of another"]),
        ("mine breaks for others", ["/mine as reader: answered 500", "reader may, and is answered 500"]),
        ("issues leak", ["GET .+/issues/.issue.+ stranger may not, and is let in: 200"]),
        ("milestones leak", ["GET .+/milestones/.milestone.+ stranger may not, and is let in: 200"]),
        ("the list leaks", ["GET .+/issues.+ stranger may not, and is let in: 200"]),
        ("all issues are everybody's", ["test_private.+ GET /v2/issues shows stranger the issue of another"]),
        (
            "a slash leads in",
            [
                "GET .+/issues.+ with 404, and by a slash at the end .+/issues/. is answered 200",
                "GET .+/milestones/.+ with 404, and by a slash at the end .+/. is answered 200",
            ],
        ),
        ("strangers are told", ["GET .+ stranger must not learn that it is there, and is answered 403"]),
        ("strangers pin", ["POST .+/pin.+ stranger may not, and is let in: 204"]),
        ("strangers remove", ["DELETE .+ stranger may not, and is let in: 204"]),
        ("outdated tags pass", ["PATCH .+answers 200 instead of 412 to the entity tag of before the change"]),
    ],
)
def test_a_broken_tracker_fails_where_it_is_broken(broken: str, causes: list[str], tmp_path: Path) -> None:
    tracker = Tracker(broken)
    records = judged(tracker, tmp_path, "validation", OWN_CHECKS)
    seen = [
        f"{record['test']} {record['seen']}".replace("\n", " ")
        for record in records
        if record["outcome"] != "PASSED"
    ]

    assert len(seen) == len(causes)
    assert all(re.search(cause, text) for cause, text in zip(causes, seen, strict=True)), seen
