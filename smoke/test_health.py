"""The release is up, ready, and the one that was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item
from fixtures.bodies import MISSING, field
from fixtures.http import NotJson
from fixtures.observation import Absent, CannotObserve, NoAnswer

if TYPE_CHECKING:
    from fixtures.database import Database
    from fixtures.environment import Environment
    from fixtures.http import Answer
    from fixtures.identity import ServedIdentity
    from fixtures.release import Release

pytestmark = pytest.mark.smoke


@item("SMK-1")
def test_health_answers_with_its_status(health: Answer, release: Release, measured: Measured) -> None:
    """The health endpoint answers with the promised status."""
    measured(health.status, limit=release.health.status)

    assert health.status == release.health.status, explain(
        expected=f"GET {release.health.path} answers {release.health.status}",
        seen=health.told,
        next="read the service's log; a readiness check names the part that is not ready",
        by_hand=health.curl,
    )


@item("SMK-1")
def test_health_says_that_every_part_is_ready(health: Answer, release: Release) -> None:
    """The health body says that the service and what it depends on are ready."""
    expected = release.health.ready or {}
    said = _said(health, list(expected))
    wrong = [
        f"{name} is {said[name]!r}, not {value!r}" for name, value in expected.items() if said[name] != value
    ]
    if release.health.text is not None and health.text.strip() != release.health.text:
        wrong.append(f"the body is {health.described}, not {release.health.text!r}")

    assert not wrong, explain(
        expected=f"GET {release.health.path} reports {expected or release.health.text!r}",
        seen="; ".join(wrong),
        next="repair the part that is not ready, or roll back",
        by_hand=health.curl,
    )


def _said(health: Answer, names: list[str]) -> dict[str, object]:
    """Return the named fields of the health body; a body that is no JSON has none of them."""
    try:
        body = health.json()
    except NotJson as error:
        return dict.fromkeys(names, f"missing: {error}")
    found = {name: field(body, name) for name in names}
    return {name: "missing" if value is MISSING else value for name, value in found.items()}


@item("SMK-1")
def test_target_is_the_declared_environment(
    served: ServedIdentity, environment: Environment, measured: Measured
) -> None:
    """The target says that it is the environment that it is said to be."""
    proof = environment.identity.environment
    if proof is None:
        raise Absent("proof of its environment", str(environment.identity.unproven))
    measured(str(served.environment), limit=proof.equals)

    assert served.environment == proof.equals, explain(
        expected=f"the target says that it is {proof.equals!r}",
        seen=f"it says that it is {served.environment!r}",
        next="check the address in the environment file first, then the deployment's own environment; "
        "nothing else was asked of this target",
        by_hand=served.health.curl,
        action="HOLD",
    )


@item("SMK-1")
def test_served_version_is_the_release(
    served: ServedIdentity, environment: Environment, release: Release, measured: Measured
) -> None:
    """The target serves the version under release."""
    if "version" in environment.absent:
        raise Absent("served version", environment.absent["version"])
    if environment.identity.version is None:
        raise CannotObserve(
            "reading the served version",
            "the environment file names no place where the target tells it",
            remedy='declare identity.version, or absent.version = "reason" if it is told nowhere',
        )
    measured(str(served.version), limit=release.version)

    assert served.version == release.version, explain(
        expected=f"version {release.version}",
        seen=f"version {served.version}",
        next="see whether the deployment reached this target; an old instance may still be in rotation",
        by_hand=served.health.curl,
    )


@item("SMK-1")
def test_served_commit_is_the_release(
    served: ServedIdentity, environment: Environment, release: Release, measured: Measured
) -> None:
    """The target was built from the commit under release."""
    if release.commit is None or environment.identity.commit is None:
        raise Absent("commit to compare", "the release file names none, or the target tells none")
    measured(str(served.commit), limit=release.commit)
    told = served.commit or ""
    is_same = (len(told) >= SHORTEST_COMMIT and release.commit.startswith(told)) or told.startswith(
        release.commit
    )

    assert is_same, explain(
        expected=f"built from commit {release.commit}",
        seen=f"built from commit {served.commit}",
        next="rebuild the release from its commit: version and content disagree",
        by_hand=served.health.curl,
    )


SHORTEST_COMMIT = 7
"""Characters of an abbreviated commit, as git abbreviates by default."""


@item("SMK-1")
def test_health_speaks_the_truth_about_the_database(
    health: Answer, environment: Environment, release: Release, request: pytest.FixtureRequest
) -> None:
    """The database answers whenever the health endpoint says that all is well."""
    if environment.database is None and "database" not in environment.absent:
        raise Absent("database to compare with", "the environment file declares no [database]")
    database: Database = request.getfixturevalue("database")
    trouble = _trouble(database)

    assert not trouble or health.status != release.health.status, explain(
        expected="the health endpoint is a readiness check and reports the database",
        seen=f"it answers {health.status}, while {trouble}",
        next="bring the database back, and make the health endpoint ask it",
        by_hand=health.curl,
    )


def _trouble(database: Database) -> str:
    try:
        database.value("SELECT 1")
    except NoAnswer as error:
        return str(error)
    return ""
