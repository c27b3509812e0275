"""Every defect that the release ships with is known, owned, and either waived or watched."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from checks.coverage import scan
from fixtures.observation import CannotObserve

if TYPE_CHECKING:
    from datetime import date

    from fixtures.environment import Environment
    from fixtures.people import Waiver
    from fixtures.release import KnownIssue, Release

pytestmark = pytest.mark.validation


@item("REL-KNOWN-1")
def test_every_known_issue_is_owned_and_covered(
    release: Release,
    environment: Environment,
    pytestconfig: pytest.Config,
    measured: Measured,
    exhibits: Exhibits,
) -> None:
    """Every known issue has an owner, and a waiver in force or a check that shows it gone."""
    if "known_issues" not in release.model_fields_set:
        raise CannotObserve(
            "reading the known issues",
            "the release file does not say whether there are any",
            remedy="write known_issues = [], or one [[known_issues]] for each",
        )
    issues = release.known_issues
    measured(f"{len(issues)} in this release" if issues else "none in this release")
    names = check_names(pytestconfig) if any(issue.check for issue in issues) else frozenset()
    found = {
        issue.title: gap(issue, environment.waivers, names, datetime.now(UTC).date()) for issue in issues
    }
    exhibits.table(
        "Known issues",
        ("issue", "owner", "covered by", ""),
        [
            (each.title, each.owner, each.waiver or each.check, found[each.title] or "covered")
            for each in issues
        ],
    )
    open_ = [f"{title}: {why}" for title, why in found.items() if why]

    assert not open_, explain(
        expected="every known issue has an owner, and a waiver in force here or a check of this suite",
        seen="; ".join(open_),
        next="waive the item in the environment file, name an existing check, or fix the issue",
    )


def gap(issue: KnownIssue, waivers: tuple[Waiver, ...], checks: frozenset[str], today: date) -> str:
    """Return what is missing about an issue, or an empty string.

    Whether its check passes is that check's own result: it blocks by itself where it does not.
    """
    if not issue.owner.strip():
        return "nobody answers for it"
    if issue.check:
        known = issue.check.partition("[")[0]
        is_known = known in checks or any(name.endswith(f"::{known}") for name in checks)
        return "" if is_known else f"there is no check {issue.check}"
    waiver = next((each for each in waivers if each.item == issue.waiver), None)
    if waiver is None:
        return f"there is no waiver of {issue.waiver}"
    return "" if waiver.expires >= today else f"the waiver of {issue.waiver} expired on {waiver.expires}"


def check_names(config: pytest.Config) -> frozenset[str]:
    """Return every check of the suite as ``path::name``."""
    return frozenset(f"{check.path}::{check.function}" for check in scan(config.rootpath))
