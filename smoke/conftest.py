"""The facts of the smoke phase, each observed once per run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.http import Answer
from fixtures.observation import Absent, CannotObserve

if TYPE_CHECKING:
    from fixtures.http import HttpProbe
    from fixtures.identity import Identity, ServedIdentity
    from fixtures.record_life import RecordLife
    from fixtures.records import Records
    from fixtures.release import Endpoint, Release
    from fixtures.run import Run
    from fixtures.sign_in import SignInAnswer, Tokens


@pytest.fixture
def health(identity: Identity) -> Answer:
    """The answer of the health endpoint."""
    return identity.health()


@pytest.fixture
def served(identity: Identity) -> ServedIdentity:
    """What the target says that it is."""
    return identity.served()


@pytest.fixture
def signed_in(tokens: Tokens, release: Release) -> SignInAnswer:
    """The sign-in of the release's key user."""
    if release.sign_in is None:
        raise Absent("sign-in", "the release file declares none")
    return tokens.sign_in(release.sign_in.role)


@pytest.fixture
def answer(api: HttpProbe, endpoint: Endpoint, run: Run) -> Answer:
    """The answer of the endpoint that the check is made for, the same for all checks of the run."""

    def observe() -> Answer:
        return api.get(endpoint.path, role=endpoint.role, query=endpoint.query)

    return run.once(f"critical read {endpoint.name}", observe, Answer)


@pytest.fixture
def shown(records: Records, endpoint: Endpoint) -> RecordLife:
    """The life of a record that the endpoint has to show."""
    return records.life(str(endpoint.shows))


@pytest.fixture
def created(records: Records, release: Release, endpoint: Endpoint) -> RecordLife:
    """The life of a record that the endpoint creates."""
    names = [name for name, own in release.records.items() if own.create == endpoint.name]
    if not names:
        raise CannotObserve(
            f"creating a record by {endpoint.method} {endpoint.path}",
            "the release file has no record that is made by it",
            remedy=f'declare [records.NAME] with create = "{endpoint.name}"',
        )
    return records.life(names[0])
