"""API keys are changed: the old ones open nothing any more, and the current ones are not old."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from checks.refusal import judged
from fixtures.credentials import age_days
from fixtures.http import Answer
from fixtures.observation import Absent, CannotObserve
from fixtures.options import ENVIRONMENT
from fixtures.vault import address

if TYPE_CHECKING:
    from fixtures.api_keys import ApiKeys
    from fixtures.attestations import Attestations
    from fixtures.credentials import ApiKeys as Declared
    from fixtures.environment import Environment
    from fixtures.release import Release
    from fixtures.run import Run

pytestmark = pytest.mark.security

COMPONENT = "api_keys"
OK = 200


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make the checks of every key that the environment file names, or one that says that it names none."""
    if "key" in metafunc.fixturenames and ENVIRONMENT in metafunc.config.stash:
        names = [each.name for each in metafunc.config.stash[ENVIRONMENT].credentials.api_keys]
        metafunc.parametrize("key", names or [""], ids=str)


@pytest.fixture
def declared(key: str, environment: Environment, release: Release, attestations: Attestations) -> Declared:
    """What the environment file says of a key."""
    absent = environment.absent.get(COMPONENT)
    if absent and release.api_key is None:
        raise Absent("API keys", absent)
    if not key and environment.attestations:
        attestations.cover("SEC-PRE-6", "the environment file names no API key, and no old one to be tried")
    if not key:
        got = "the environment file names none" + (
            ", although the release signs in by them" if absent else ""
        )
        remedy = f"declare [[credentials.api_keys]], or absent.{COMPONENT} with a reason"
        raise CannotObserve("looking for API keys", got, remedy=remedy)
    return next(each for each in environment.credentials.api_keys if each.name == key)


@item("SEC-PRE-6")
def test_old_api_key_is_refused(
    declared: Declared, api_keys: ApiKeys, measured: Measured, exhibits: Exhibits
) -> None:
    """The keys that this one replaced open nothing, where it is accepted."""
    if declared.first:
        raise Absent(f"predecessor of the API key {declared.name}", declared.first)
    if not declared.old:
        got = f"the environment file names no predecessor of {declared.name}"
        remedy = "declare its old, or its first with the reason why there is none"
        raise CannotObserve("showing an old API key", got, remedy=remedy)
    knocks = api_keys.shown(declared)
    seen = judged(knocks, OK, forbids=True)
    rows = [
        (case, each.status if isinstance(each, Answer) else each.kind) for case, each in knocks.bad.items()
    ]
    exhibits.table(f"Old keys of {declared.name}, at {knocks.endpoint}", ("key", "answer"), rows)
    measured(len(seen.wrong), limit=0, unit=f"of {seen.tried} keys")

    assert not seen.wrong, explain(
        expected=f"{knocks.endpoint} answers 401 to the old keys of {declared.name}",
        seen="; ".join(f"{each.status} to {case}" for case, each in seen.wrong.items()),
        next="take the old key out of the service, and look in its log for who has used it",
        by_hand=next(iter(seen.wrong.values())).curl,
    )
    seen.require_clear()


@item("SEC-PRE-6")
def test_api_key_is_younger_than_its_limit(
    declared: Declared, environment: Environment, run: Run, measured: Measured
) -> None:
    """The current key is no older than the environment allows credentials to be (days)."""
    credentials = environment.credentials
    limit = credentials.max_age_days
    changes = Path(address(run.scratch, credentials.changes)) if credentials.changes else None
    age = age_days(declared.name, declared.changed, changes, datetime.now(UTC).date())
    measured(age, limit=limit, unit="days")
    if limit is None:
        got = f"it is {age} days old, and nothing says how old it may be"
        raise CannotObserve(f"judging the age of {declared.name}", got, remedy="set credentials.max_age_days")

    assert age <= limit, explain(
        expected=f"a key {declared.name} of at most {limit} days",
        seen=f"it is {age} days old",
        next="make a new key, let the old one be refused, and name it under old",
    )
